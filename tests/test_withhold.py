"""Withholding: the decision, what search finds afterwards, and the command; what the public sees is in `test_withheld`."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crawler.archive import search, search_query, withholding, writer
from crawler.archive.connection import open_archive
from crawler.cli.withhold import withhold as command
from crawler.text.query import parse
from tests.support.archive import article, batch, begin, contents
from tests.support.withheld import HIDDEN_URL, SECRET, SHARED, TWIN_URL, stories


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "archive.db"
    conn = begin(open_archive(path))
    stories(conn)
    conn.close()
    return path


@pytest.fixture
def conn(path: Path) -> Iterator[sqlite3.Connection]:
    conn = open_archive(path)
    yield conn
    conn.close()


# The decision.


def test_what_is_withheld_stays_byte_for_byte_and_row_for_row(conn: sqlite3.Connection) -> None:
    before = contents(conn)
    withholding.withhold(conn, 1, "问过")
    after = contents(conn)
    changed = {table for table in after if after[table] != before[table]}
    assert {table for table in changed if not table.startswith("articles_fts")} == {"withheld", "withheld_log"}


def test_taking_it_back_leaves_nothing_but_the_log(conn: sqlite3.Connection) -> None:
    before = contents(conn)
    withholding.withhold(conn, 1, "问过")
    withholding.undo(conn, 1, "同意了")
    after = contents(conn)
    assert all(after[table] == before[table] for table in after if table != "withheld_log" and "_fts" not in table)
    assert [(one.action, one.reason) for one in withholding.log(conn)] == [("withhold", "问过"), ("undo", "同意了")]
    assert search.check(conn) == []
    assert search_query.matching_ids(conn, parse("改过")) == [1]


def test_a_new_reason_takes_the_place_of_the_old_one_and_the_log_keeps_both(conn: sqlite3.Connection) -> None:
    for reason in ("一", "二"):
        withholding.withhold(conn, 1, reason)
    [found] = withholding.withheld(conn)
    assert (found.article_id, found.url, found.reason) == (1, HIDDEN_URL, "二")
    assert [one.reason for one in withholding.log(conn)] == ["一", "二"]


def test_what_is_not_there_cannot_be_withheld_nor_given_back(conn: sqlite3.Connection) -> None:
    with pytest.raises(LookupError, match="99"):
        withholding.withhold(conn, 99, "无")
    with pytest.raises(LookupError, match="not withheld"):
        withholding.undo(conn, 1)
    assert withholding.log(conn) == []


@pytest.mark.parametrize(
    "named",
    [
        "1",
        HIDDEN_URL,
        TWIN_URL,
        HIDDEN_URL.removeprefix("https://"),
        HIDDEN_URL.upper().replace("ZQ7SECRET/T1.HTML", f"{SECRET}/t1.html") + "#top",
    ],
)
def test_an_article_is_found_by_its_id_and_by_every_spelling_of_its_address(
    conn: sqlite3.Connection, named: str
) -> None:
    assert withholding.find(conn, named) == [1]


@pytest.mark.parametrize("named", ["99", "9" * 40, "https://other.example/", "", "javascript:1", "-1"])
def test_nothing_is_found_by_what_is_none(conn: sqlite3.Connection, named: str) -> None:
    assert withholding.find(conn, named) == []


def test_what_still_tells_the_same_story_is_named(conn: sqlite3.Connection) -> None:
    withholding.withhold(conn, 1, "问过")
    assert withholding.still_shown(conn, 1) == [2]
    withholding.withhold(conn, 2, "问过")
    assert withholding.still_shown(conn, 1) == []


# Search.


def test_search_finds_nothing_of_what_is_withheld(conn: sqlite3.Connection) -> None:
    for typed in (SECRET, "从:2014 到:2014", "-没有的字", SHARED):
        assert 1 in search_query.matching_ids(conn, parse(typed)), typed
    withholding.withhold(conn, 1, "问过")
    for typed in (SECRET, "从:2014 到:2014", "-没有的字", SHARED):
        assert 1 not in search_query.matching_ids(conn, parse(typed)), typed
        assert search_query.count(conn, parse(typed)) == len(search_query.matching_ids(conn, parse(typed)))
    assert search.check(conn) == []
    assert search.catch_up(conn) == 0


def test_an_edit_of_a_withheld_article_does_not_bring_it_back_into_the_index(conn: sqlite3.Connection) -> None:
    withholding.withhold(conn, 1, "问过")
    writer.write(conn, batch(article("又改了", url=HIDDEN_URL, title="又改了", day=40)))
    assert search_query.matching_ids(conn, parse("又改了")) == []
    assert search.check(conn) == []
    withholding.undo(conn, 1)
    assert search_query.matching_ids(conn, parse("又改了")) == [1]
    assert search.check(conn) == []


# The command.


def run(path: Path, *words: str) -> Any:
    return CliRunner().invoke(command, [*words, "--db", str(path)])


def test_the_command_withholds_lists_and_gives_back(path: Path) -> None:
    done = run(path, TWIN_URL, "--reason", "法院 12/2026")
    assert (done.exit_code, done.output.splitlines()) == (
        0, ["withheld: 1", "still shown, with the same story or address: 2"],
    )  # fmt: skip
    [listed] = json.loads(run(path, "--list", "--json").output)
    assert (listed["article_id"], listed["reason"], listed["url"]) == (1, "法院 12/2026", HIDDEN_URL)
    assert "法院 12/2026" in run(path, "--list").output
    assert json.loads(run(path, "1", "--undo", "--json").output) == {
        "articles": [1],
        "withheld": False,
        "still_shown": [],
    }
    assert [one["action"] for one in json.loads(run(path, "--log", "--json").output)] == ["withhold", "undo"]
    assert "withhold" in run(path, "--log").output


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["1"], "--reason"),
        (["1", "--reason", " "], "--reason"),
        ([], "name an article"),
        (["1", "--list"], "name an article"),
        (["--list", "--log"], "name an article"),
        (["99", "--reason", "无"], "no article"),
        (["1", "--undo"], "not withheld"),
    ],
)
def test_wrong_usage_says_what_to_do(path: Path, words: list[str], reason: str) -> None:
    done = run(path, *words)
    assert done.exit_code == 2
    assert reason in done.output


def test_a_wrong_name_makes_no_archive(tmp_path: Path) -> None:
    assert run(tmp_path / "none.db", "1", "--reason", "无").exception is not None
    assert list(tmp_path.iterdir()) == []
