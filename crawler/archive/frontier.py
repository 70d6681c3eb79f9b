"""The durable frontier: the requests of a portal, beside the articles that they bring.

A row is ``queued`` until the transaction that stores what its request brought; one in flight at a crash is therefore
still queued and is loaded again. ``seq`` is the order within a portal, given by the one worker that has the portal.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from crawler.archive.connection import transaction
from crawler.archive.runs import started_at
from crawler.archive.texts import storable
from crawler.records import CaptureKind, RecordRef

MAX_ATTEMPTS = 5
"""Nights on which a failing article or later list page is asked for."""
ROW = "portal_id, key, seq, url, kind"
"""Columns that tell what a request is."""
NOW = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A request that waits; as an operation: let it wait."""

    portal_id: str
    key: str
    """Its identity within the portal: the canonical address."""
    seq: int
    url: str
    kind: CaptureKind
    request: Mapping[str, Any] = field(default_factory=dict)
    """What is needed to make the request again; has to survive JSON."""
    attempts: int = 0
    """How often it failed since it last brought something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The operation: a request brought what it was for."""

    portal_id: str
    key: str
    record: RecordRef | None = None
    """The capture that it brought; it has to be stored before or with this."""
    note: str | None = None
    """What is to be said of it all the same: that it leads to another site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The operation: a request ended without what it was for."""

    portal_id: str
    key: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """The operation: the list page under a key, which is done, is only the shell of a program's list."""

    portal_id: str
    key: str
    program: Mapping[str, Any]
    """How the program is asked for; has to survive JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """What `retry_failed` did to a request, for the frontier's twin on PostgreSQL."""

    portal_id: str
    key: str


Operation = Queued | Done | Failed | Shell


def known(
    conn: sqlite3.Connection, portal_id: str, keys: Collection[str], *, run_id: str, tonight_only: bool = False
) -> set[str]:
    """Of *keys*, those that need no request in the run *run_id*: queued, done, or an article's address.

    What failed is not among them, but for articles that failed in this run. With *tonight_only*, only this run counts:
    what is queued, and what was done or failed in it.
    """
    wanted = json.dumps(list(keys))
    among = "key IN (SELECT value FROM json_each(:keys))"
    if tonight_only:
        sql = f"SELECT key FROM frontier WHERE portal_id = :portal AND (state = 'queued' OR run_id = :run) AND {among}"  # noqa: S608
    else:
        sql = f"""
            SELECT key FROM frontier
            WHERE portal_id = :portal AND (state <> 'failed' OR (run_id = :run AND kind = 'article')) AND {among}
            UNION ALL
            SELECT url FROM articles WHERE portal_id = :portal AND url IN (SELECT value FROM json_each(:keys))
        """  # noqa: S608
    return {key for (key,) in conn.execute(sql, {"portal": portal_id, "run": run_id, "keys": wanted})}


def next_queued(conn: sqlite3.Connection, portal_id: str, *, after_seq: int, limit: int) -> list[Queued]:
    """The oldest *limit* requests that wait behind *after_seq*."""
    rows = conn.execute(
        "SELECT key, seq, coalesce(url, key), kind, request, attempts FROM frontier"
        " WHERE portal_id = ? AND state = 'queued' AND seq > ? ORDER BY seq LIMIT ?",
        (portal_id, after_seq, limit),
    )
    return [
        Queued(
            portal_id=portal_id,
            key=key,
            seq=seq,
            url=url,
            kind=kind,
            request=json.loads(request) if request else {},
            attempts=attempts,
        )
        for key, seq, url, kind, request, attempts in rows
    ]


def retry_failed(conn: sqlite3.Connection, portal_id: str) -> list[Retried]:
    """Let what failed and nothing else asks for wait again, until it failed `MAX_ATTEMPTS` times; what that is.

    The list page that named an article, or leads to a later page, may never be looked at again; first pages are asked
    for every night. Commits by itself.
    """
    rows = conn.execute(
        "UPDATE frontier SET state = 'queued' WHERE portal_id = ? AND state = 'failed' AND attempts < ?"
        " AND (kind = 'article' OR (kind IN ('list', 'feed') AND json_extract(request, '$.number') > 1)) RETURNING key",
        (portal_id, MAX_ATTEMPTS),
    ).fetchall()
    return [Retried(portal_id=portal_id, key=key) for (key,) in rows]


def program_of(conn: sqlite3.Connection, portal_id: str, key: str) -> dict[str, Any] | None:
    """How the program is asked for that is known to be behind the list page under *key*; None for none."""
    row = conn.execute(
        "SELECT request FROM frontier WHERE portal_id = ? AND key = ? AND state = 'done'", (portal_id, key)
    ).fetchone()
    return json.loads(row[0]) if row and row[0] else None


def max_seq(conn: sqlite3.Connection, portal_id: str) -> int:
    """The last place in the portal's queue; 0 where nothing waits."""
    sql = "SELECT coalesce(max(seq), 0) FROM frontier WHERE portal_id = ? AND state = 'queued'"
    highest: int = conn.execute(sql, (portal_id,)).fetchone()[0]
    return highest


def apply(conn: sqlite3.Connection, run_id: str, operations: Iterable[Operation]) -> None:
    """Carry out *operations* of one run in their order, inside the caller's transaction.

    A request that is queued already keeps its place; one that was done or failed waits again. Carried out a second
    time, an operation changes nothing, so a request that was done stays done.
    """
    for kind, group in groupby(operations, key=type):
        sql, row = _STATEMENTS[kind]
        conn.executemany(sql, (row(operation, run_id) for operation in group))


def take_up(conn: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Let the frontier in *conn*, a shard, say what *rows* of its twin say (`crawler.archive.postgres`).

    Runs that the shard does not know get a row that says ``running``, which a merge takes for the least that is known.
    """
    with transaction(conn):
        runs = {row[_RUN] for row in rows}
        conn.executemany(_ADD_RUN, [(run_id, started_at(run_id)) for run_id in runs])
        conn.executemany(_TAKE_UP, rows)


def as_json(request: Mapping[str, Any]) -> str:
    """What is needed to make a request, as it is stored."""
    return json.dumps(request, separators=(",", ":"))


def _queued_row(operation: Queued, run_id: str) -> dict[str, Any]:
    return {
        "portal": operation.portal_id,
        "key": operation.key,
        "seq": operation.seq,
        "url": operation.url
        if operation.url != operation.key
        else None,  # most are, and addresses are a third of the row
        "kind": operation.kind,
        "request": as_json(operation.request) if operation.request else None,
        "run": run_id,
    }


def _done_row(operation: Done, run_id: str) -> dict[str, Any]:
    record = operation.record
    return {
        "portal": operation.portal_id,
        "key": operation.key,
        "file": record.file if record else None,
        "offset": record.offset if record else None,
        "note": storable(operation.note) if operation.note else None,
        "run": run_id,
    }


def _shell_row(operation: Shell, run_id: str) -> dict[str, Any]:
    return {"portal": operation.portal_id, "key": operation.key, "request": as_json(operation.program)}


def _failed_row(operation: Failed, run_id: str) -> dict[str, Any]:
    return {"portal": operation.portal_id, "key": operation.key, "reason": storable(operation.reason), "run": run_id}


_RUN = 7
_TAKE_UP = f"""
    INSERT INTO frontier ({ROW}, state, request, run_id, attempts, reason, updated_at, capture_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT id FROM captures WHERE warc_file = ? AND warc_offset = ?))
    ON CONFLICT (portal_id, key) DO UPDATE SET
        seq = excluded.seq, url = excluded.url, kind = excluded.kind, state = excluded.state,
        request = excluded.request, run_id = excluded.run_id, attempts = excluded.attempts, reason = excluded.reason,
        updated_at = excluded.updated_at, capture_id = coalesce(excluded.capture_id, capture_id)
"""  # noqa: S608
_ADD_RUN = "INSERT INTO runs (id, started_at, status) VALUES (?, ?, 'running') ON CONFLICT DO NOTHING"
# seq orders what one run asked for: a row of the same run and no higher seq is this very operation, seen before.
_ENQUEUE = f"""
    INSERT INTO frontier (portal_id, key, seq, url, kind, state, request, run_id, updated_at)
    VALUES (:portal, :key, :seq, :url, :kind, 'queued', :request, :run, {NOW})
    ON CONFLICT (portal_id, key) DO UPDATE SET
        seq = excluded.seq, url = excluded.url, kind = excluded.kind, state = 'queued', request = excluded.request,
        run_id = excluded.run_id, updated_at = excluded.updated_at
    WHERE frontier.state <> 'queued' AND (frontier.run_id <> excluded.run_id OR frontier.seq < excluded.seq)
"""  # noqa: S608 - no value from outside
_DONE = f"""
    UPDATE frontier SET state = 'done', request = NULL, reason = :note, attempts = 0, run_id = :run, updated_at = {NOW},
        capture_id = coalesce(
            (SELECT id FROM captures WHERE warc_file = :file AND warc_offset = :offset), capture_id)
    WHERE portal_id = :portal AND key = :key
"""  # noqa: S608
_FAILED = f"""
    UPDATE frontier SET state = 'failed', reason = :reason, attempts = attempts + 1, run_id = :run, updated_at = {NOW}
    WHERE portal_id = :portal AND key = :key AND state <> 'failed'
"""  # noqa: S608
_SHELL = "UPDATE frontier SET request = :request WHERE portal_id = :portal AND key = :key AND state = 'done'"

_STATEMENTS: dict[type, tuple[str, Any]] = {
    Queued: (_ENQUEUE, _queued_row),
    Done: (_DONE, _done_row),
    Failed: (_FAILED, _failed_row),
    Shell: (_SHELL, _shell_row),
}
