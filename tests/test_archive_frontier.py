"""The durable frontier: what waits, what is known, and that a request's end is stored with what it brought."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crawler.archive import frontier, writer
from crawler.archive.connection import open_archive
from crawler.archive.frontier import Done, Failed, Operation, Queued, Shell, known, max_seq, next_queued
from crawler.archive.queries import last_record, validators
from crawler.records import RecordRef
from tests.support.archive import PORTAL, RUN, article, batch, begin, contents

NEXT_RUN = "20240102T000000Z-000002"
THIRD_RUN = "20240103T000000Z-000003"


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = begin(open_archive(tmp_path / "archive.db"), PORTAL, "qiaoxi")
    for run_id in (NEXT_RUN, THIRD_RUN):
        conn.execute("INSERT INTO runs (id, started_at, status) VALUES (?, '2024-01-02T00:00:00Z', 'ok')", (run_id,))
    yield conn
    conn.close()


def queued(key: str, seq: int, **changes: Any) -> Queued:
    fields: dict[str, Any] = {"portal_id": PORTAL, "key": key, "seq": seq, "url": f"https://{key}", "kind": "article"}
    return Queued(**(fields | changes))


def done(key: str, record: RecordRef | None = None) -> Done:
    return Done(portal_id=PORTAL, key=key, record=record)


def failed(key: str) -> Failed:
    return Failed(portal_id=PORTAL, key=key, reason="timeout")


def apply(conn: sqlite3.Connection, *operations: Operation, run_id: str = RUN) -> None:
    writer.write(conn, batch(run_id=run_id, frontier=operations))


def keys(conn: sqlite3.Connection, *, after_seq: int = 0, limit: int = 100) -> list[str]:
    return [row.key for row in next_queued(conn, PORTAL, after_seq=after_seq, limit=limit)]


def test_a_request_comes_back_as_it_was_queued(conn: sqlite3.Connection) -> None:
    request = {
        "callback": "parse_article",
        "number": 3,
        "listed": ["县长下乡 \ud800", None],
        "headers": {"Referer": "é"},
    }
    items = [queued("a", 1, request=request), queued("b", 2, url="b", kind="list")]
    apply(conn, *items)
    assert next_queued(conn, PORTAL, after_seq=0, limit=10) == items


def test_requests_come_in_their_order_a_window_at_a_time_and_by_portal(conn: sqlite3.Connection) -> None:
    apply(conn, queued("c", 3), queued("a", 1), queued("x", 2, portal_id="qiaoxi"), queued("b", 2))
    assert keys(conn) == ["a", "b", "c"]
    assert keys(conn, after_seq=1, limit=1) == ["b"]
    assert (max_seq(conn, PORTAL), max_seq(conn, "qiaoxi"), max_seq(conn, "none")) == (3, 2, 0)


def test_what_is_done_or_failed_waits_no_longer(conn: sqlite3.Connection) -> None:
    apply(conn, queued("a", 1), queued("b", 2), queued("c", 3), done("a"), failed("b"))
    assert keys(conn) == ["c"]
    assert conn.execute("SELECT key, state, reason, attempts, request FROM frontier ORDER BY key").fetchall() == [
        ("a", "done", None, 0, None),
        ("b", "failed", "timeout", 1, None),
        ("c", "queued", None, 0, None),
    ]


def test_a_request_in_flight_at_a_crash_is_still_queued(conn: sqlite3.Connection) -> None:
    apply(conn, queued("a", 1))
    [in_flight] = next_queued(conn, PORTAL, after_seq=0, limit=1)
    broken = article("第一段", published_basis="guess")
    with pytest.raises(sqlite3.IntegrityError):
        writer.write(conn, batch(broken, frontier=(done(in_flight.key, broken.article.capture.record),)))
    assert keys(conn) == ["a"]


def test_a_list_page_waits_again_every_night_under_a_new_place(conn: sqlite3.Connection) -> None:
    apply(conn, queued("list", 900), queued("late", 950), done("list"))
    apply(conn, queued("list", 951, request={"number": 1}), run_id=NEXT_RUN)
    assert keys(conn) == ["late", "list"]
    apply(conn, done("list"), done("late"), run_id=NEXT_RUN)
    apply(conn, queued("list", 1), run_id=THIRD_RUN)
    assert keys(conn) == ["list"]


def test_what_failed_waits_again_and_keeps_count_of_its_tries(conn: sqlite3.Connection) -> None:
    apply(conn, queued("a", 1), failed("a"))
    apply(conn, queued("a", 2))
    assert next_queued(conn, PORTAL, after_seq=0, limit=1)[0].attempts == 1
    apply(conn, failed("a"))
    assert conn.execute("SELECT attempts FROM frontier").fetchone() == (2,)
    apply(conn, queued("a", 3), done("a"))
    assert conn.execute("SELECT attempts FROM frontier").fetchone() == (0,)


def test_what_nothing_else_asks_for_waits_again_in_the_next_run_for_some_nights(conn: sqlite3.Connection) -> None:
    later = {"kind": "list", "request": {"number": 2}}
    items = [queued("article", 1), queued("first", 2, kind="list", request={"number": 1}), queued("later", 3, **later)]
    apply(conn, *items, *(failed(item.key) for item in items))
    for night in range(1, frontier.MAX_ATTEMPTS):
        assert [item.key for item in frontier.retry_failed(conn, PORTAL)] == ["article", "later"], night
        assert keys(conn) == ["article", "later"]
        assert next_queued(conn, PORTAL, after_seq=2, limit=1)[0].request == {"number": 2}
        apply(conn, failed("article"), failed("later"))
    assert frontier.retry_failed(conn, PORTAL) == []


def test_of_a_shell_the_program_is_kept_until_the_shell_is_asked_for_again(conn: sqlite3.Connection) -> None:
    shell = Shell(portal_id=PORTAL, key="shell", program={"url": "http://a.example/api?page=1", "state": {"seen": 0}})
    apply(conn, queued("shell", 1, kind="list"), shell)
    assert frontier.program_of(conn, PORTAL, "shell") is None
    apply(conn, done("shell"), shell)
    assert frontier.program_of(conn, PORTAL, "shell") == shell.program
    apply(conn, queued("shell", 1, kind="list", request={"number": 1}), run_id=NEXT_RUN)
    assert frontier.program_of(conn, PORTAL, "shell") is None
    apply(conn, done("shell"), run_id=NEXT_RUN)
    assert frontier.program_of(conn, PORTAL, "shell") is None


def test_what_waits_keeps_its_place(conn: sqlite3.Connection) -> None:
    apply(conn, queued("a", 1), queued("b", 2), queued("a", 3))
    assert keys(conn) == ["a", "b"]


def test_the_same_operations_again_change_nothing(conn: sqlite3.Connection) -> None:
    operations = (queued("a", 1), queued("b", 2), queued("c", 3), done("a"), failed("b"))
    apply(conn, *operations)
    once = contents(conn)
    apply(conn, *operations)
    assert contents(conn) == once


def test_known_is_what_waits_what_is_done_and_what_is_an_article_but_not_what_failed(conn: sqlite3.Connection) -> None:
    apply(conn, queued("queued", 1), queued("done", 2), queued("failed", 3), done("done"), failed("failed"))
    writer.write(conn, batch(article("第一段", url="imported"), article("第一段", url="failed", day=1)))
    asked = {"queued", "done", "failed", "imported", "new"}
    assert known(conn, PORTAL, asked, run_id=NEXT_RUN) == {"queued", "done", "failed", "imported"}
    assert known(conn, "qiaoxi", asked, run_id=NEXT_RUN) == set()
    assert known(conn, PORTAL, [], run_id=NEXT_RUN) == set()
    conn.execute("PRAGMA foreign_keys = OFF")
    conn.execute("DELETE FROM articles WHERE url = 'failed'")
    assert known(conn, PORTAL, asked, run_id=NEXT_RUN) == {"queued", "done", "imported"}


def test_an_article_that_failed_is_not_asked_for_a_second_time_in_the_same_night(conn: sqlite3.Connection) -> None:
    apply(conn, queued("article", 1), queued("list", 2, kind="list"), failed("article"), failed("list"))
    assert known(conn, PORTAL, ["article", "list"], run_id=RUN) == {"article"}
    assert known(conn, PORTAL, ["article", "list"], run_id=NEXT_RUN) == set()


def test_known_tonight_is_what_waits_and_what_this_run_has_ended(conn: sqlite3.Connection) -> None:
    apply(conn, queued("old", 1), queued("left", 2), queued("taken over", 3), done("old"))
    apply(conn, done("taken over"), queued("new", 4), queued("failed", 5), failed("failed"), run_id=NEXT_RUN)
    asked = ["old", "left", "taken over", "new", "failed", "never"]
    assert known(conn, PORTAL, asked, run_id=NEXT_RUN, tonight_only=True) == {"left", "taken over", "new", "failed"}


def test_thousands_of_keys_are_asked_for_at_once(conn: sqlite3.Connection) -> None:
    many = [f"https://lingyang.example/{number}" for number in range(5000)]
    apply(conn, *(queued(key, number + 1) for number, key in enumerate(many[::2])))
    assert known(conn, PORTAL, many, run_id=NEXT_RUN) == set(many[::2])


def test_the_queue_is_found_by_its_index(conn: sqlite3.Connection) -> None:
    sql = "SELECT max(seq) FROM frontier WHERE portal_id = 'p' AND state = 'queued'"
    [(*_, step)] = conn.execute("EXPLAIN QUERY PLAN " + sql).fetchall()
    assert "idx_frontier_queued" in step


def test_validators_and_the_bytes_they_stand_for_are_of_what_the_request_brought_last(conn: sqlite3.Connection) -> None:
    first = article(
        "第一段", url="https://lingyang.example/a?x=1", etag='"1"', last_modified="Mon, 01 Jan 2024 00:00:00 GMT"
    )
    record = first.article.capture.record
    apply(conn, queued("https://lingyang.example/a", 1))
    assert validators(conn, PORTAL, "https://lingyang.example/a") == {}
    writer.write(conn, batch(first, frontier=(done("https://lingyang.example/a", record),)))
    both = {"If-None-Match": '"1"', "If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"}
    assert validators(conn, PORTAL, "https://lingyang.example/a") == both
    assert validators(conn, PORTAL, "https://lingyang.example/a?x=1") == both
    assert validators(conn, "qiaoxi", "https://lingyang.example/a") == {}
    assert last_record(conn, PORTAL, "https://lingyang.example/a") == record

    not_modified = article("", day=1, url=first.url, status=304, revisit_of=record, kind="other")
    second = not_modified.article.capture.record
    writer.write(conn, batch(not_modified, frontier=(done("https://lingyang.example/a", second),)))
    assert validators(conn, PORTAL, "https://lingyang.example/a") == both
    assert last_record(conn, PORTAL, "https://lingyang.example/a") == record

    cut = article("", day=2, url=first.url, truncated="length", etag='"3"', kind="other")
    writer.write(conn, batch(cut, frontier=(done("https://lingyang.example/a", cut.article.capture.record),)))
    assert validators(conn, PORTAL, "https://lingyang.example/a") == {}
    assert last_record(conn, PORTAL, "https://lingyang.example/a") is None


def test_an_operation_belongs_to_the_run_of_its_batch(conn: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        apply(conn, queued("a", 1), run_id="unknown")
    frontier.apply(conn, RUN, [replace(queued("a", 1), request={})])
    assert conn.execute("SELECT run_id FROM frontier").fetchone() == (RUN,)
