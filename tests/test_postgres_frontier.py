"""The frontier's twin on PostgreSQL says what the frontier beside the articles says, whatever is done to both."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.archive import frontier
from crawler.archive.connection import open_archive, transaction
from crawler.archive.frontier import Done, Failed, Operation, Queued, Shell
from crawler.archive.postgres import PostgresFrontier, connect
from crawler.queue.schema import prepare
from crawler.records import RecordRef
from tests.support.archive import PORTAL, RUN, begin

RUNS = (RUN, *(f"2024010{day}T000000.000Z-00000{day}" for day in (2, 3, 4)))
SHARD = "xianzhi-shard-1-20240101000000-1"
KEYS = ("https://a.example/1", "https://a.example/2", "https://a.example/乾")
REQUEST = {"callback": "read_list", "number": 2, "body": "\x00\xff'\\", "listed": ["题", None]}

reasons = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
ends = st.one_of(
    st.none(),
    st.builds(lambda note: ("done", note), st.none() | reasons),
    st.builds(lambda reason: ("failed", reason), reasons),
    st.just(("shell", None)),
)
asked = st.tuples(st.sampled_from(("article", "list")), st.sampled_from(({}, REQUEST)), ends)
nights = st.lists(st.dictionaries(st.sampled_from(KEYS), asked, max_size=3), max_size=4)
"""What each of some nights asks for, by key: its kind, its request, and what becomes of it."""


def operations(night: dict[str, Any], first_seq: int) -> list[Operation]:
    """In one night each key is asked for once, and ends after that."""
    found: list[Operation] = [
        Queued(portal_id=PORTAL, key=key, seq=seq, url=key, kind=kind, request=request)
        for seq, (key, (kind, request, _)) in enumerate(night.items(), first_seq)
    ]
    for key, (_, _, end) in night.items():
        match end:
            case ("done", note):
                found.append(Done(portal_id=PORTAL, key=key, note=note))
            case ("failed", reason):
                found.append(Failed(portal_id=PORTAL, key=key, reason=reason))
            case ("shell", _):
                found += [Done(portal_id=PORTAL, key=key), Shell(portal_id=PORTAL, key=key, program=REQUEST)]
    return found


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = begin(open_archive(tmp_path / "shard.db"), PORTAL)
    conn.executemany(
        "INSERT INTO runs (id, started_at, status) VALUES (?, '2024-01-02T00:00:00Z', 'ok')", zip(RUNS[1:])
    )
    yield conn
    conn.close()


@pytest.fixture(scope="module")
def twin(postgres: Any) -> Iterator[PostgresFrontier]:
    dsn = postgres.database()
    prepare(dsn)
    with connect(dsn) as server:
        yield PostgresFrontier(server)


def carry_out(conn: sqlite3.Connection, twin: PostgresFrontier, run_id: str, done: list[Operation]) -> None:
    with transaction(conn):
        frontier.apply(conn, run_id, done)
    twin.apply(run_id, SHARD, done)


def rows(conn: sqlite3.Connection) -> list[Any]:
    """All but the place of what does not wait, and the minute."""
    found = conn.execute(
        "SELECT key, iif(state = 'queued', seq, 0), url, kind, state, run_id, attempts, request, reason"
        " FROM frontier ORDER BY key"
    ).fetchall()
    return [
        (*rest, request and json.loads(request), reason and reason.replace("\0", "\ufffd"))
        for *rest, request, reason in found
    ]


def taken_up(twin: PostgresFrontier, folder: Path) -> list[Any]:
    """The rows of another worker's shard, which knows nothing but the twin."""
    (folder / "other.db").unlink(missing_ok=True)
    other = begin(open_archive(folder / "other.db"), PORTAL)
    try:
        frontier.take_up(other, twin.rows(PORTAL))
        return rows(other)
    finally:
        other.close()


@given(nights)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_another_worker_goes_on_where_this_one_stands(
    conn: sqlite3.Connection, twin: PostgresFrontier, tmp_path: Path, done: list[dict[str, Any]]
) -> None:
    conn.execute("DELETE FROM frontier")
    twin._conn.execute("DELETE FROM xianzhi.frontier")
    for number, night in enumerate(done):
        for retried in frontier.retry_failed(conn, PORTAL):
            twin.apply(RUNS[number], SHARD, [retried])
        # A crawl asks for nothing twice.
        waiting = frontier.known(conn, PORTAL, list(night), run_id=RUNS[number], tonight_only=True)
        todo = operations({key: it for key, it in night.items() if key not in waiting}, 1 + 10 * number)
        carry_out(conn, twin, RUNS[number], todo)
        twin.apply(RUNS[number], SHARD, todo)  # the answer was lost: it is told once more
    assert taken_up(twin, tmp_path) == rows(conn)


def queued(key: str, seq: int) -> Queued:
    return Queued(portal_id=PORTAL, key=key, seq=seq, url=key, kind="article", request=REQUEST)


def states(twin: PostgresFrontier) -> dict[str, str]:
    return dict(twin._conn.execute("SELECT key, state FROM xianzhi.frontier").fetchall())


def fetched(twin: PostgresFrontier) -> None:
    twin._conn.execute("DELETE FROM xianzhi.frontier")
    twin.apply(RUN, SHARD, [queued(key, seq) for seq, key in enumerate(KEYS, 1)])
    record = RecordRef(file="xianzhi-lingyang-20240101000000-00001.warc.gz", offset=7, length=9)
    twin.apply(RUN, SHARD, [Done(portal_id=PORTAL, key=KEYS[0], record=record)])
    twin.apply(RUN, "xianzhi-shard-2-20240101000000-1", [Done(portal_id=PORTAL, key=KEYS[1], record=record)])


def test_what_was_fetched_is_archived_when_its_shard_is_in_the_store(twin: PostgresFrontier) -> None:
    fetched(twin)
    assert states(twin) == {KEYS[0]: "fetched", KEYS[1]: "fetched", KEYS[2]: "queued"}
    assert twin.archive(SHARD) == 1
    assert twin.archive(SHARD) == 0
    assert states(twin) == {KEYS[0]: "archived", KEYS[1]: "fetched", KEYS[2]: "queued"}


def test_what_a_lost_host_had_fetched_is_asked_for_again_as_it_was(twin: PostgresFrontier, tmp_path: Path) -> None:
    fetched(twin)
    twin.archive(SHARD)
    assert twin.ask_again("xianzhi-shard-2-") == 1
    assert twin.ask_again("xianzhi-shard_2") == 0, "a name is a name, and no pattern"
    assert states(twin) == {KEYS[0]: "archived", KEYS[1]: "queued", KEYS[2]: "queued"}
    again = {row[0]: row[7] for row in taken_up(twin, tmp_path)}
    assert again == {KEYS[0]: None, KEYS[1]: REQUEST, KEYS[2]: REQUEST}


def test_an_archive_s_frontier_is_brought_once(
    conn: sqlite3.Connection, twin: PostgresFrontier, tmp_path: Path
) -> None:
    twin._conn.execute("DELETE FROM xianzhi.frontier")
    with transaction(conn):
        frontier.apply(conn, RUN, [queued(key, seq) for seq, key in enumerate(KEYS, 1)])
        frontier.apply(
            conn, RUN, [Done(portal_id=PORTAL, key=KEYS[0]), Failed(portal_id=PORTAL, key=KEYS[1], reason="404")]
        )
    twin.bring(conn, [PORTAL])
    assert taken_up(twin, tmp_path) == rows(conn)
    twin.apply(RUN, SHARD, [Done(portal_id=PORTAL, key=KEYS[2])])
    twin.bring(conn, [PORTAL])
    assert states(twin)[KEYS[2]] == "fetched", "what is known here is newer"
    assert twin.waiting() == {}


def test_a_server_that_is_gone_is_an_error_within_seconds(tmp_path: Path) -> None:
    with pytest.raises(psycopg.OperationalError):
        connect("postgresql://xianzhi@127.0.0.1:1/nothing")
