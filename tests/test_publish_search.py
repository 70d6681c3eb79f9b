"""Readers search the site, other SQLite clients search with what ``xianzhi fold`` prints, and the index stays closed."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from datasette.app import Datasette

from crawler.archive import writer
from crawler.archive.connection import open_archive
from tests.support.archive import article, batch, begin
from tests.support.sites import close, get, opened


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("search") / "archive.db"
    conn = begin(open_archive(path))
    stories = (
        ("精准扶贫会议", "县委召开会议", "2014-06-03"),
        ("春耕", "干部下乡，精準扶貧", "2015-01-02"),
        ("招商", "5G", "2016"),
    )
    items = (
        article(text, title=title, published=day, division="610424", url=f"https://www.lingyang.example/{number}.html")
        for number, (title, text, day) in enumerate(stories)
    )
    writer.write(conn, batch(*items))
    conn.close()
    return path


@pytest.fixture(scope="module")
def site(archive: Path) -> Iterator[Any]:
    with opened(archive, sql=True) as site:
        yield site


def found(site: Any, typed: str) -> list[int]:
    answer = get(site, f"/archive/articles.json?_search={quote(typed)}&_shape=array&_sort=id")
    return [row["id"] for row in answer.json()]


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("扶贫", [1, 2]),
        ("扶貧", [1, 2]),
        ("村", []),
        ("会议 -春耕", [1]),
        ('"精准 扶贫"', [1, 2]),
        ("5G", [3]),
        ("扶贫 从:2015", [2]),
        ("扶贫 到:2014 地区:6104", [1]),
        ("扶贫 地区:火星", []),
        ('"', []),
        ("AND OR NEAR(", []),
    ],
)
def test_the_search_box_of_articles_understands_a_query(site: Any, typed: str, ids: list[int]) -> None:
    assert found(site, typed) == ids


@pytest.mark.parametrize(
    ("typed", "ids"), [("扶贫", [1, 2]), ("扶貧 从:2015", [2]), ("下乡", [2]), ("招商 到:2014", [])]
)
def test_reading_texts_are_searched_as_their_articles_are(site: Any, typed: str, ids: list[int]) -> None:
    answer = get(site, f"/archive/article_texts.json?_search={quote(typed)}&_shape=array&_sort=article_id")
    assert [row["article_id"] for row in answer.json()] == ids


def test_reading_texts_are_searched_without_their_titles_too(site: Any) -> None:
    [found] = get(site, f"/archive/article_texts.json?_search_body={quote('扶贫')}&_shape=array").json()
    assert found["article_id"] == 2


def test_the_page_of_articles_has_a_search_box(site: Any) -> None:
    page = get(site, "/archive/articles?_search=扶贫").text
    assert 'name="_search"' in page
    assert "2 rows" in page


def test_the_title_alone_can_be_searched(site: Any) -> None:
    assert [row["id"] for row in get(site, "/archive/articles.json?_search_title=会议&_shape=array").json()] == [1]


@pytest.mark.parametrize(
    "table", ["articles_fts", *(f"articles_fts_{name}" for name in ("config", "data", "docsize", "idx"))]
)
def test_the_tables_of_the_index_are_hidden_and_closed(site: Any, table: str) -> None:
    assert get(site, f"/archive/{table}").status_code == 403
    listed = {one["name"]: one for one in get(site, "/archive.json").json()["tables"]}
    assert table not in listed


def test_databases_of_others_keep_their_own_search(tmp_path: Path) -> None:
    conn = sqlite3.connect(tmp_path / "notes.db")
    conn.execute("CREATE TABLE notes (text)")
    conn.execute("CREATE VIRTUAL TABLE notes_fts USING fts5 (text, content = 'notes')")
    conn.execute("INSERT INTO notes (text) VALUES ('from:2014')")
    conn.execute("INSERT INTO notes_fts (notes_fts) VALUES ('rebuild')")
    conn.commit()
    conn.close()
    other = Datasette([str(tmp_path / "notes.db")])
    assert len(get(other, "/notes/notes.json?_search=from:2014&_shape=array").json()) == 1
    close(other)


def fold(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "crawler", "fold", *words], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("words", "ids"),
    [(["扶貧"], [1, 2]), (["扶贫", "-春耕"], [1]), (['"精准 扶贫" 干部'], [2]), (["扶贫", "--json"], [1, 2])],
)
def test_any_sqlite_client_finds_with_what_fold_prints(archive: Path, words: list[str], ids: list[int]) -> None:
    printed = fold(*words).stdout.strip()
    match = json.loads(printed)["match"] if "--json" in words else printed
    conn = sqlite3.connect(archive)
    rows = conn.execute(f"SELECT rowid FROM articles_fts WHERE articles_fts MATCH '{match}' ORDER BY rowid").fetchall()
    conn.close()
    assert [article_id for (article_id,) in rows] == ids


@pytest.mark.parametrize(
    ("words", "reason"), [(["。"], "give a word"), (["-扶贫"], "give a word"), (["扶贫", "从:2014"], "filters")]
)
def test_fold_says_what_the_index_cannot_be_asked(words: list[str], reason: str) -> None:
    run = fold(*words)
    assert run.returncode == 2
    assert reason in run.stderr
