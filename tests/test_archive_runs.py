"""Runs, portals and divisions in the archive, and the questions a report asks of them."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import divisions
from crawler.archive import runs, writer
from crawler.archive.batch import StoredCapture
from crawler.archive.connection import open_archive
from crawler.archive.queries import find_original, gaps, report
from crawler.catalogue import Portal
from crawler.records import RecordRef
from tests.support.archive import article, batch, capture


@dataclass
class Counts:
    fetched: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    failed: int = 0


def portal(portal_id: str, **changes: Any) -> Portal:
    fields: dict[str, Any] = {
        "id": portal_id,
        "name": f"{portal_id} county",
        "division": "610424",
        "homepage": f"https://{portal_id}.example/",
        "lists": (f"https://{portal_id}.example/news/",),
    }
    return Portal(**(fields | changes))


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = open_archive(tmp_path / "archive.db")
    yield conn
    conn.close()


def statuses(conn: sqlite3.Connection, table: str = "runs", key: str = "id") -> dict[str, str]:
    return dict(conn.execute(f"SELECT {key}, status FROM {table}"))


def test_a_run_begins_and_ends_with_its_portals(conn: sqlite3.Connection) -> None:
    run_id = runs.begin(conn, [portal("lingyang"), portal("qiaoxi")])
    assert statuses(conn) == {run_id: "running"}
    assert statuses(conn, "portal_runs", "portal_id") == {"lingyang": "interrupted", "qiaoxi": "interrupted"}
    ended = [
        ("lingyang", "ok", None, Counts(fetched=9, new=5, changed=1, unchanged=2, gone=1)),
        ("qiaoxi", "failed", "list page answered 500", Counts(fetched=1, failed=1)),
    ]
    for _ in range(2):
        runs.finish(conn, run_id, "failed", ended)
    assert statuses(conn) == {run_id: "failed"}
    assert conn.execute("SELECT * FROM portal_runs ORDER BY portal_id").fetchall() == [
        (run_id, "lingyang", "ok", 9, 5, 1, 2, 1, 0, None),
        (run_id, "qiaoxi", "failed", 1, 0, 0, 0, 0, 1, "list page answered 500"),
    ]
    [(started, finished)] = conn.execute("SELECT started_at, finished_at FROM runs")
    assert run_id.startswith(started.replace("-", "").replace(":", "").removesuffix("Z"))
    assert started <= finished


def test_a_run_that_was_killed_is_interrupted_when_the_next_one_begins(conn: sqlite3.Connection) -> None:
    killed = runs.begin(conn, [portal("lingyang")])
    following = runs.begin(conn, [portal("lingyang")])
    assert killed < following
    assert statuses(conn) == {killed: "interrupted", following: "running"}


def test_the_catalogue_goes_into_the_table_and_portals_it_does_not_name_stay(conn: sqlite3.Connection) -> None:
    runs.begin(conn, [portal("lingyang"), portal("qiaoxi")])
    runs.begin(conn, [portal("lingyang", name="凌阳县人民政府", cms="trs", enabled=False)])
    assert conn.execute("SELECT * FROM portals ORDER BY id").fetchall() == [
        ("lingyang", "凌阳县人民政府", "610424", "https://lingyang.example/", "trs", 0),
        ("qiaoxi", "qiaoxi county", "610424", "https://qiaoxi.example/", None, 1),
    ]


def test_the_divisions_are_the_shipped_ones_and_written_once(conn: sqlite3.Connection) -> None:
    runs.load_divisions(conn)
    columns = "code, from_year, name, level, parent_code, to_year"
    stored = conn.execute(f"SELECT {columns} FROM divisions").fetchall()
    assert len(stored) == len(set(stored)) == len(list(divisions.rows()))
    before = conn.total_changes
    runs.load_divisions(conn)
    assert conn.total_changes == before
    conn.execute("UPDATE divisions SET name = 'x' WHERE code = '610424'")
    conn.execute("INSERT INTO divisions VALUES ('999999', 1980, 'y', 3, NULL, NULL)")
    runs.load_divisions(conn)
    assert set(conn.execute(f"SELECT {columns} FROM divisions")) == set(stored)


def test_the_report_has_a_line_for_every_portal(conn: sqlite3.Connection) -> None:
    first = runs.begin(conn, [portal("lingyang"), portal("qiaoxi"), portal("new")])
    items = [
        article(month, day=day, url=f"u{day}", run_id=first, published=f"{month}-03T08:00:00+08:00")
        for day, month in enumerate(["2023-11", "2024-02", "2024-03"])
    ]
    undated = article("无日期", day=5, url="u5", run_id=first)
    writer.write(conn, batch(*items, undated, run_id=first))
    runs.finish(
        conn, first, "ok", [("lingyang", "ok", None, Counts(fetched=4, new=4)), ("qiaoxi", "ok", None, Counts())]
    )
    second = runs.begin(conn, [portal("lingyang"), portal("qiaoxi")])
    runs.finish(
        conn, second, "failed", [("lingyang", "blocked", "412", Counts(failed=1)), ("qiaoxi", "ok", None, Counts())]
    )

    lingyang, new, qiaoxi = report(conn)
    assert (lingyang.portal_id, lingyang.name, lingyang.run_id, lingyang.status) == (
        "lingyang",
        "lingyang county",
        second,
        "blocked",
    )
    assert (lingyang.reason, lingyang.fetched, lingyang.failed) == ("412", 0, 1)
    [(started,)] = conn.execute("SELECT started_at FROM runs WHERE id = ?", (first,))
    assert (lingyang.last_success, lingyang.articles, lingyang.newest) == (started, 4, "2024-03-03T08:00:00+08:00")
    assert lingyang.gaps == ("2023-12", "2024-01")
    assert (new.status, new.last_success, new.articles, new.gaps) == ("interrupted", None, 0, ())
    assert qiaoxi.last_success is not None

    assert [(line.portal_id, line.status, line.new) for line in report(conn, second)] == [
        ("lingyang", "blocked", 0),
        ("qiaoxi", "ok", 0),
    ]
    assert [line.new for line in report(conn, first)] == [4, 0, 0]


def test_a_portal_that_was_never_crawled_is_in_the_report(conn: sqlite3.Connection) -> None:
    runs.sync_portals(conn, [portal("lingyang")])
    [line] = report(conn)
    assert (line.run_id, line.status, line.fetched, line.articles) == (None, None, 0, 0)
    assert report(conn, "no such run") == []


@given(st.sets(st.integers(1980 * 12, 2030 * 12), max_size=30))
def test_gaps_are_exactly_the_months_that_are_missing(numbers: set[int]) -> None:
    def month(number: int) -> str:
        return f"{number // 12:04}-{number % 12 + 1:02}"

    found = list(gaps([month(number) for number in sorted(numbers)]))
    inside = range(min(numbers, default=0), max(numbers, default=-1) + 1)
    assert found == [month(number) for number in inside if number not in numbers]


def test_an_original_is_whole_of_this_portal_and_no_revisit(conn: sqlite3.Connection) -> None:
    run_id = runs.begin(conn, [portal("lingyang"), portal("qiaoxi")])
    made = [
        capture(day=0, payload="p", run_id=run_id, truncated="length"),
        capture(day=1, payload="p", run_id=run_id, status=404),
        capture(day=2, payload="p", run_id=run_id, portal_id="qiaoxi"),
        capture(day=3, payload="p", run_id=run_id, url="https://lingyang.example/other"),
        capture(day=4, payload="p", run_id=run_id),
        capture(day=5, payload="p", run_id=run_id),
    ]
    made.append(capture(day=6, payload="p", run_id=run_id, revisit_of=made[4].record))
    writer.write(conn, batch(run_id=run_id, captures=tuple(StoredCapture(capture=one) for one in made)))
    digest = made[0].payload_sha256
    found = find_original(conn, digest, portal_id="lingyang", url=made[4].url)
    assert found is not None
    assert (found.record, found.url, found.fetched_at) == (made[4].record, made[4].url, made[4].fetched_at)
    other = find_original(conn, digest, portal_id="lingyang", url="https://lingyang.example/new")
    assert other is not None
    assert other.record == made[3].record
    assert find_original(conn, digest[:16] + "0" * 48, portal_id="lingyang", url=made[4].url) is None
    [plan] = conn.execute(
        "EXPLAIN QUERY PLAN SELECT id FROM captures WHERE substr(payload_sha256, 1, 16) = ? AND revisit_of IS NULL",
        ("x",),
    )
    assert "idx_captures_payload" in plan[3]
    assert isinstance(found.record, RecordRef)
