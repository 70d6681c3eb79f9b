"""Datasette's own pages over an archive: tables and facets in both languages, paging, questions, and what is served."""

import asyncio
import html
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from datasette.app import Datasette
from datasette.database import Database

from crawler.archive.connection import ArchiveError, open_archive
from crawler.publish import metadata, paging, server
from crawler.text.folding import fold_hash
from tests.support.printed import LONG, SEEN, SQLITES_OWN, add_article, add_portal, fill
from tests.support.sites import Links, close, get, opened, vacuum_into


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("publish") / "archive.db"
    fill(path)
    return path


@pytest.fixture(scope="module")
def site(archive: Path) -> Iterator[Any]:
    with opened(archive, sql=True) as site:
        yield site


@pytest.fixture(scope="module")
def public_site(archive: Path) -> Iterator[Any]:
    with opened(archive, replay_base="https://replay.example/xianzhi/") as site:
        yield site


@pytest.fixture(scope="module")
def crowded_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Forty articles of one day."""
    path = tmp_path_factory.mktemp("crowded") / "archive.db"
    conn = open_archive(path)
    add_portal(conn)
    for number in range(1, 41):
        add_article(conn, number)
    conn.close()
    with opened(path, sql=True) as site:
        yield site


def test_every_table_and_column_of_the_schema_is_described_and_nothing_else(archive: Path) -> None:
    conn = open_archive(archive, readonly=True)
    names = [row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
    made = {
        name: {column[1] for column in conn.execute(f"PRAGMA table_info({name})")}
        for name in names
        if not name.startswith(SQLITES_OWN)
    }
    conn.close()
    described = {
        name: set(table["columns"]) for name, table in metadata.tables().items() if not name.startswith(SQLITES_OWN)
    }
    assert described == made


def test_every_description_is_in_chinese_and_in_english() -> None:
    described = metadata.tables().values()
    texts = [table[key] for table in described for key in ("title", "description") if "columns" in table]
    texts += [text for table in described for text in table.get("columns", {}).values()]
    texts += [query[key] for query in metadata.queries().values() for key in ("title", "description")]
    for text in texts:
        assert re.search(r"[\u4e00-\u9fff]", text), text
        assert re.search(r"[A-Za-z]{3}", text), text


def test_the_list_of_tables_says_what_each_of_them_is_and_leads_there(site: Any, public_site: Any) -> None:
    page = html.unescape(get(site, "/archive").text)
    listed = re.findall(r'<dt><a href="/archive/(\w+)(?:\?[^"]*)?">(.+?)</a></dt>\s*<dd>(.+?) <code>', page)
    assert {"articles", "article_texts", "captures", "sections", "versions"} <= {name for name, _, _ in listed}
    for name, title, description in listed:
        assert (title, description) == (metadata.tables()[name]["title"], metadata.tables()[name]["description"])
        assert get(site, f"/archive/{name}").status_code == 200
    for query in metadata.queries().values():
        assert query["title"] in page
    assert "<textarea" in page
    assert "<textarea" not in get(public_site, "/archive").text


def test_the_page_of_a_version_counts_what_was_new_in_it_without_looking_through_all_paragraphs(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, execute = [], Database.execute

    async def noted(self: Any, sql: str, *args: Any, **options: Any) -> Any:
        asked.append(sql)
        return await execute(self, sql, *args, **options)

    monkeypatch.setattr(Database, "execute", noted)
    linked = get(site, "/archive/versions/2.json?_extras=foreign_key_tables").json()["foreign_key_tables"]
    counts = {(one["other_table"], one["other_column"]): one["count"] for one in linked}
    assert counts["sections", "first_version_id"] == 1  # the other one was in article 1 first
    assert counts["version_sections", "version_id"] == 2
    [counting] = [sql for sql in asked if "first_version_id" in sql]
    plan = site.get_database().reader.execute(f"explain query plan {counting}", {"id": "2"})
    assert not [step["detail"] for step in asyncio.run(plan).rows if "SCAN sections" in step["detail"]]


def test_paragraphs_are_found_by_the_version_that_was_the_first_to_have_them(site: Any) -> None:
    found = get(site, "/archive/sections.json?first_version_id=2&_shape=objects").json()["rows"]
    assert [row["text"] for row in found] == ["另一段"]


def test_facets_and_orders_name_columns_that_are_there() -> None:
    for table in metadata.tables().values():
        named = [facet for facet in table.get("facets", []) if isinstance(facet, str)]
        together = [facet["together"] for facet in table.get("facets", []) if isinstance(facet, dict)]
        named += [column for kinds in together for columns in kinds.values() for column in columns]
        named += [table[key] for key in ("sort_desc", "label_column") if key in table]
        assert set(named) <= set(table.get("columns", {}))


def test_the_front_page_says_what_this_is_and_leads_to_the_articles(site: Any) -> None:
    page = get(site, "/").text
    assert "新闻档案" in page
    assert '<html lang="en' in get(site, "/?_lang=en").text
    assert "/article/2" in Links(page).addresses
    assert "/archive" in Links(page).addresses
    tables = get(site, "/archive").text
    assert all(f"/archive/{name}" in Links(tables).addresses for name in metadata.queries())


def test_a_date_in_the_future_does_not_stand_on_top_of_the_front_page(site: Any) -> None:
    assert "日期写错的文章" not in get(site, "/").text


def test_articles_come_newest_first_with_their_facets(site: Any) -> None:
    found = get(site, "/archive/articles.json?_shape=objects").json()
    assert [row["id"] for row in found["rows"]] == [5, 2, 1, 3, 4]
    assert set(found["facet_results"]) == {"portal_id", "state", "published", "source"}
    years = found["facet_results"]["published"]["results"]
    assert [(year["value"], year["count"]) for year in years] == [("2999", 1), ("2015", 1), ("2014", 2)]


def test_a_year_of_the_facet_selects_its_articles_and_gives_them_back(site: Any) -> None:
    year = get(site, "/archive/articles.json").json()["facet_results"]["published"]["results"][1]
    chosen = get(site, year["toggle_url"] + "&_shape=objects").json()
    assert [row["id"] for row in chosen["rows"]] == [2]
    [selected] = chosen["facet_results"]["published"]["results"]
    assert selected["selected"]
    assert urlsplit(selected["toggle_url"]).query == "_shape=objects"


@pytest.mark.parametrize(
    "query", ["", "portal_id=qian", "_search=县", "state=live&_facet_size=1", "_search=没有这个词"]
)
def test_facets_that_are_counted_in_one_pass_are_those_of_datasette(site: Any, query: str) -> None:
    alone = "_facet=portal_id&_facet=state&_facet=source&_facet_year=published"
    both = get(site, f"/archive/articles.json?{query}").json()["facet_results"]
    theirs = get(site, f"/archive/articles.json?{query}&{alone}").json()["facet_results"]
    for name, facet in both.items():
        assert facet["type"] == theirs[f"{name}_2"]["type"]
        assert facet["truncated"] == theirs[f"{name}_2"]["truncated"]
        assert [without_address(one) for one in facet["results"]] == [
            without_address(one) for one in theirs[f"{name}_2"]["results"]
        ]


def without_address(choice: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in choice.items() if name != "toggle_url"}


def test_a_facet_of_several_columns_cannot_be_asked_for_in_an_address(site: Any) -> None:
    asked = quote('{"column": ["id"]}')
    found = get(site, f"/archive/articles.json?_facet_together={asked}&_facet_together=id").json()["facet_results"]
    assert set(found) == {"portal_id", "state", "published", "source"}


@pytest.mark.parametrize("query", ["", "portal_id=qian", "_sort=published", "_sort_desc=portal_id", "_sort_desc=chars"])
def test_turning_pages_meets_every_article_once(crowded_site: Any, query: str) -> None:
    address, met = f"/archive/articles.json?_size=10&_shape=objects&{query}", []
    while address:
        page = get(crowded_site, address).json()
        met += [row["id"] for row in page["rows"]]
        address = page["next_url"]
    assert sorted(met) == list(range(1, 41))


def test_a_streamed_csv_has_every_article_once(crowded_site: Any) -> None:
    lines = get(crowded_site, "/archive/articles.csv?_stream=1&_size=10&_col=id").text.split()
    assert sorted(int(line.partition(",")[0]) for line in lines[1:]) == list(range(1, 41))


@pytest.mark.parametrize(
    "sql",
    [
        "select title from articles order by title",
        "select title from articles a order by title limit 5",
        "select title from articles order by title, id limit 5",
        "select max(title) from articles where id > 1 order by title limit 5",
        "select title from articles where id = 1 union select name from portals order by title limit 5",
        "select body from article_texts order by body limit 5",
    ],
)
def test_other_sql_stays_as_it_was_written(sql: str) -> None:
    assert paging.with_tie_breaker(sql, {"articles": ["id"], "portals": ["id"]}) == sql


@pytest.mark.parametrize(
    "path",
    ["/archive/articles", "/archive/articles/2", "/archive/article_texts", "/archive?sql=select+2+as+article_id"],
)
def test_tables_rows_and_queries_lead_to_an_articles_page(site: Any, path: str) -> None:
    assert {"/article/2", "/", "/search"} <= set(Links(get(site, path).text).addresses)


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("newest_articles", [2, 1, 3]),
        ("articles_of_a_county?county=乾县&year=2014", [1, 3]),
        ("articles_of_a_county?county=610424&year=2015", [2]),
        ("articles_of_a_county?county=乾&year=1949", []),
        ("articles_of_a_county?county=&year=2025", [4]),
        ("articles_sharing_paragraphs?article=1", [2]),
        ("articles_sharing_paragraphs?article=4", []),
        ("articles_with_a_paragraph?section=1", [1, 2]),
        ("articles_with_a_paragraph?section=99", []),
        ("deleted_articles?county=", []),
    ],
)
def test_a_canned_query_answers_its_question(public_site: Any, question: str, answers: list[int]) -> None:
    name, _, parameters = question.partition("?")
    rows = get(public_site, f"/archive/{name}.json?_shape=array&{parameters}").json()
    assert sorted(row["article_id"] for row in rows) == sorted(answers)


def test_the_sources_of_a_county_are_counted(public_site: Any) -> None:
    rows = get(public_site, "/archive/sources_of_a_county.json?_shape=array&county=乾&year=2014").json()
    assert {"source": "陕西日报", "articles": 1, "first": "2014-06-03", "last": "2014-06-03"} in rows


def test_what_a_portal_deleted_is_listed_the_latest_first(archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    vacuum_into(archive, path)
    conn = sqlite3.connect(path)
    for number, since in ((1, "2025-02-01T00:00:00Z"), (2, "2025-03-01T00:00:00Z")):
        conn.execute("UPDATE articles SET state = 'gone' WHERE id = ?", (number,))
        conn.execute("INSERT INTO article_states (article_id, since, state) VALUES (?, ?, 'gone')", (number, since))
    conn.commit()
    conn.close()
    with opened(path, sql=True) as site:
        rows = get(site, "/archive/deleted_articles.json?_shape=array&county=610424").json()
        assert [(row["article_id"], row["gone_since"]) for row in rows] == [
            (2, "2025-03-01T00:00:00Z"),
            (1, "2025-02-01T00:00:00Z"),
        ]


def test_questions_and_tables_are_named_in_both_languages_and_fields_say_what_they_take(public_site: Any) -> None:
    tables = get(public_site, "/archive").text
    for name, query in metadata.queries().items():
        asked = get(public_site, f"/archive/{name}").text
        assert query["title"] in tables
        assert f"<title>{query['title']}</title>" in asked
        assert "select" not in asked
        parameters = set(re.findall(r":([a-z]+)", query["sql"]))
        assert set(query["labels"]) == parameters
        assert all(f">{label}</label>" in asked for label in query["labels"].values())
    shown = {name: table for name, table in metadata.tables().items() if f"<code>{name}</code>" in tables}
    assert {"articles", "versions", "sections", "article_texts"} <= set(shown)
    assert all(html.escape(table["title"]) in tables for table in shown.values())
    assert "temp" not in tables


def test_a_table_opens_with_the_columns_that_fit_a_screen(public_site: Any) -> None:
    for name, table in metadata.tables().items():
        assert set(table.get("shown", ())) <= set(table.get("columns", ()))
        if "shown" in table:
            [address] = [one for one in Links(get(public_site, "/archive").text).addresses if f"/{name}?" in one]
            keys = {"id"}
            assert set(get(public_site, address.replace("?", ".json?")).json()["columns"]) == {*table["shown"], *keys}


def test_a_pasted_paragraph_finds_its_articles_in_either_script(archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    vacuum_into(archive, path)
    conn = sqlite3.connect(path)
    conn.execute("UPDATE sections SET fold_hash = ? WHERE text = ?", (fold_hash(LONG), LONG))
    conn.commit()
    conn.close()
    pasted = LONG.replace("县", "縣").replace("，", "")
    with opened(path, sql=True) as site:
        rows = get(site, f"/archive/articles_with_a_paragraph.json?_shape=array&paragraph={quote(pasted)}").json()
        assert [(row["article_id"], row["since"], row["county"], row["still_there"]) for row in rows] == [
            (1, "2014-06-03", "乾县", 1),
            (2, "2015-01-02T08:00:00+08:00", "乾县", 1),
        ]


def test_the_text_of_the_newest_articles_comes_whole_in_csv(public_site: Any) -> None:
    assert LONG in get(public_site, "/archive/newest_articles.csv").text


def test_what_a_crawl_writes_is_read_at_once(tmp_path: Path) -> None:
    conn = open_archive(tmp_path / "archive.db")
    conn.execute("INSERT INTO runs VALUES ('a', ?, NULL, 'running')", (SEEN,))
    with opened(tmp_path / "archive.db", sql=True) as site:
        count = "/archive/runs.json?_shape=array"
        assert len(get(site, count).json()) == 1
        conn.execute("BEGIN IMMEDIATE")
        conn.execute("INSERT INTO runs VALUES ('b', ?, NULL, 'running')", (SEEN,))
        assert len(get(site, count).json()) == 1
        conn.execute("COMMIT")
        assert len(get(site, count).json()) == 2
    conn.close()


def test_a_published_copy_is_served_as_immutable_and_a_live_archive_is_not(archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    vacuum_into(archive, copy)
    for path, is_mutable in ((archive, True), (copy, False)):
        with opened(path, sql=True) as site:
            assert site.get_database().is_mutable is is_mutable
            assert get(site, f"/{path.stem}/articles/1").status_code == 200


def test_an_archive_under_any_name_gets_its_pages(archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "乾县 2014.v2.db"
    vacuum_into(archive, copy)
    with opened(copy, sql=True) as site:
        [address] = [link for link in Links(get(site, "/").text).addresses if link.endswith("/article/1")]
        assert LONG in get(site, address).text
        assert get(site, f"{site.urls.table(site.get_database().name, 'articles')}/1").status_code == 200


def test_what_is_not_an_archive_or_cannot_be_served_is_refused_by_name(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    conn = sqlite3.connect(other)
    conn.execute("CREATE TABLE articles (id)")
    conn.close()
    (tmp_path / "text.db").write_text("no database at all, only some text that is longer than a header\n" * 9)
    odd = [tmp_path / name for name in ("50%20.db", "search.db", "article.db")]
    for path in odd:
        open_archive(path).close()
    for path in (other, tmp_path / "text.db", tmp_path / "missing.db", tmp_path, *odd):
        with pytest.raises(ArchiveError, match=re.escape(path.name)):
            server.open_site(path, sql=True)


def test_a_database_of_others_is_left_alone() -> None:
    site = Datasette(memory=True)
    page = get(site, "/").text
    assert "县志" not in page
    assert get(site, "/search?q=扶贫").status_code == 404
    assert get(site, "/robots.txt").text == "User-agent: *\nDisallow: /\n"
    assert get(site, "/_memory?sql=select+2+as+article_id").text.count("/articles/2") == 0
    close(site)
