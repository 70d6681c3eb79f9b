"""The frontier's twin on PostgreSQL, for a crawl on several hosts: it outlives every worker.

A worker reads and writes the frontier of its own shard as ever; what it wrote there is then written here, so that
another worker can go on with the portal. A request that was done is ``fetched`` while its bytes and rows lie in a spool
on some host, and ``archived`` once both are in the object store; to a shard both are ``done``.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import psycopg
from psycopg.conninfo import make_conninfo

from crawler.archive.frontier import ROW, Done, Failed, Operation, Queued, Retried, Shell, as_json
from crawler.archive.texts import storable

TABLES = """
CREATE SCHEMA IF NOT EXISTS xianzhi;
CREATE TABLE IF NOT EXISTS xianzhi.frontier (
    portal_id text NOT NULL,
    key text NOT NULL,
    seq bigint NOT NULL,
    url text,
    kind text NOT NULL,
    state text NOT NULL CHECK (state IN ('queued', 'fetched', 'archived', 'failed')),
    request json,
    program json,
    run_id text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    reason text,
    shard text,
    warc_file text,
    warc_offset bigint,
    updated_at text NOT NULL,
    PRIMARY KEY (portal_id, key)
);
CREATE INDEX IF NOT EXISTS frontier_spooled ON xianzhi.frontier (shard) WHERE state = 'fetched';
"""
"""``request`` stays when it is done, unlike in a shard: a host that is lost with its spool has it asked for again."""


class Standing(NamedTuple):
    """How a worker stands with the queue."""

    heartbeat_age: float
    """Seconds since the worker's last sign of life; infinite where the queue knows it no more."""
    jobs: frozenset[int]
    """Of its tasks, those that are still its own."""


def conninfo(dsn: str) -> str:
    """The address *dsn* with what every connection of ours needs: a lost one is noticed within seconds.

    Tables are looked for where they are, whatever the account is called: one called ``xianzhi`` would find the schema
    of that name first, and make the queue's tables there.
    """
    return make_conninfo(
        dsn,
        application_name="xianzhi",
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=10_000,
        options="-c search_path=public -c statement_timeout=60s",
    )


def connect(dsn: str) -> "psycopg.Connection[Any]":
    """A connection in autocommit mode."""
    return psycopg.connect(conninfo(dsn), autocommit=True, connect_timeout=5)


class PostgresFrontier:
    """The twin, over one connection in autocommit mode. Every method raises psycopg.Error."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self._conn = conn

    def create(self) -> None:
        """Make the tables where there are none; safe where several do at once."""
        with self._conn.transaction():
            self._conn.execute("SELECT pg_advisory_xact_lock(hashtext('xianzhi.frontier'))")
            self._conn.execute(TABLES)

    # A worker's part.

    def rows(self, portal_id: str) -> list[tuple[Any, ...]]:
        """All rows of a portal, as `frontier.take_up` wants them."""
        return self._conn.execute(_ROWS, (portal_id,)).fetchall()

    def standing(self, worker_id: int, jobs: Collection[int]) -> Standing:
        """How *worker_id* stands, and which of *jobs* are its own; inside a transaction they stay so to its end."""
        age = self._conn.execute(_HEARTBEAT, (worker_id,)).fetchone()
        own = self._conn.execute(_OWN_JOBS, (list(jobs), worker_id)).fetchall()
        return Standing(float(age[0]) if age else float("inf"), frozenset(job for (job,) in own))

    def apply(self, run_id: str, shard: str, operations: Iterable[Operation | Retried]) -> None:
        """Carry out *operations* in their order, in the caller's transaction; a second time they change nothing."""
        with self._conn.cursor() as cursor:
            for sql, rows in _in_groups(operations, run_id, shard):
                cursor.executemany(sql, rows)

    # The spools' part.

    def archive(self, shard: str) -> int:
        """What *shard* brought is in the store, segments and rows; how many requests that were."""
        return self._conn.execute(_ARCHIVE, (shard,)).rowcount

    def ask_again(self, shard_prefix: str) -> int:
        """Let everything wait again that was fetched into shards named *shard_prefix*…, which are lost; how much."""
        prefix = shard_prefix.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        return self._conn.execute(_ASK_AGAIN, (f"{prefix}%",)).rowcount

    # The archive's part.

    def waiting(self) -> dict[str, int]:
        """Queued requests by portal."""
        return dict(self._conn.execute(_WAITING).fetchall())

    def bring(self, archive: sqlite3.Connection, portal_ids: Iterable[str]) -> None:
        """Give portals of which nothing is known here the frontier that *archive* has of them."""
        known = {portal for (portal,) in self._conn.execute("SELECT DISTINCT portal_id FROM xianzhi.frontier")}
        for portal_id in portal_ids:
            if portal_id in known:
                continue
            with self._conn.transaction(), self._conn.cursor() as cursor:
                cursor.executemany(_BRING, archive.execute(_OF_ARCHIVE, (portal_id,)).fetchall())


_ROWS = f"""
    SELECT {ROW}, CASE state WHEN 'fetched' THEN 'done' WHEN 'archived' THEN 'done' ELSE state END,
        CASE WHEN state IN ('fetched', 'archived') THEN program ELSE request END::text,
        run_id, attempts, reason, updated_at, warc_file, warc_offset
    FROM xianzhi.frontier WHERE portal_id = %s ORDER BY seq
"""  # noqa: S608 - constants of ours
_HEARTBEAT = "SELECT extract(epoch FROM now() - last_heartbeat) FROM procrastinate_workers WHERE id = %s"
_OWN_JOBS = """
    SELECT id FROM procrastinate_jobs WHERE id = ANY(%s) AND status = 'doing' AND worker_id = %s FOR SHARE
"""
_ARCHIVE = "UPDATE xianzhi.frontier SET state = 'archived', request = NULL WHERE state = 'fetched' AND shard = %s"
_ASK_AGAIN = """
    UPDATE xianzhi.frontier SET state = 'queued', warc_file = NULL, warc_offset = NULL, shard = NULL, program = NULL
    WHERE state = 'fetched' AND shard LIKE %s
"""
_WAITING = "SELECT portal_id, count(*) FROM xianzhi.frontier WHERE state = 'queued' GROUP BY portal_id"
_OF_ARCHIVE = f"""
    SELECT {", ".join(f"frontier.{name}" for name in ROW.split(", "))}, iif(state = 'done', 'archived', state),
        iif(state = 'done', NULL, request), iif(state = 'done', request, NULL), frontier.run_id, attempts, reason,
        updated_at, warc_file, warc_offset
    FROM frontier LEFT JOIN captures ON captures.id = capture_id WHERE frontier.portal_id = ?
"""  # noqa: S608
_BRING = f"""
    INSERT INTO xianzhi.frontier
        ({ROW}, state, request, program, run_id, attempts, reason, updated_at, warc_file, warc_offset)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""  # noqa: S608
_NOW = "to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

# As in crawler.archive.frontier, whose conditions make each of them harmless a second time.
_ENQUEUE = f"""
    INSERT INTO xianzhi.frontier AS old (portal_id, key, seq, url, kind, state, request, run_id, updated_at)
    VALUES (%(portal)s, %(key)s, %(seq)s, %(url)s, %(kind)s, 'queued', %(request)s, %(run)s, {_NOW})
    ON CONFLICT (portal_id, key) DO UPDATE SET
        seq = excluded.seq, url = excluded.url, kind = excluded.kind, state = 'queued', request = excluded.request,
        program = NULL, run_id = excluded.run_id, updated_at = excluded.updated_at
    WHERE old.state <> 'queued' AND (old.run_id <> excluded.run_id OR old.seq < excluded.seq)
"""  # noqa: S608
_DONE = f"""
    UPDATE xianzhi.frontier SET state = 'fetched', program = NULL, reason = %(note)s, attempts = 0, run_id = %(run)s,
        shard = %(shard)s, warc_file = coalesce(%(file)s, warc_file), warc_offset = coalesce(%(offset)s, warc_offset),
        updated_at = {_NOW}
    WHERE portal_id = %(portal)s AND key = %(key)s
"""  # noqa: S608
_FAILED = f"""
    UPDATE xianzhi.frontier SET state = 'failed', reason = %(reason)s, attempts = attempts + 1, run_id = %(run)s,
        updated_at = {_NOW}
    WHERE portal_id = %(portal)s AND key = %(key)s AND state <> 'failed'
"""  # noqa: S608
_SHELL = """
    UPDATE xianzhi.frontier SET program = %(program)s
    WHERE portal_id = %(portal)s AND key = %(key)s AND state IN ('fetched', 'archived')
"""
_RETRIED = """
    UPDATE xianzhi.frontier SET state = 'queued'
    WHERE portal_id = %(portal)s AND key = %(key)s AND state = 'failed'
"""


def _statement(operation: Operation | Retried, run_id: str, shard: str) -> tuple[str, Mapping[str, Any]]:
    row: dict[str, Any] = {"portal": operation.portal_id, "key": operation.key, "run": run_id}
    match operation:
        case Queued():
            url = operation.url if operation.url != operation.key else None
            request = as_json(operation.request) if operation.request else None
            return _ENQUEUE, row | {"seq": operation.seq, "url": url, "kind": operation.kind, "request": request}
        case Done():
            record = operation.record
            file, offset = (record.file, record.offset) if record else (None, None)
            return _DONE, row | {"file": file, "offset": offset, "note": _text(operation.note), "shard": shard}
        case Failed():
            return _FAILED, row | {"reason": _text(operation.reason)}
        case Shell():
            return _SHELL, row | {"program": as_json(operation.program)}
        case Retried():
            return _RETRIED, row


def _in_groups(
    operations: Iterable[Operation | Retried], run_id: str, shard: str
) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Neighbours of one kind together."""
    current, rows = "", list[Mapping[str, Any]]()
    for sql, row in (_statement(operation, run_id, shard) for operation in operations):
        if sql != current and rows:
            yield current, rows
            rows = []
        current = sql
        rows.append(row)
    if rows:
        yield current, rows


def _text(text: str | None) -> str | None:
    """PostgreSQL refuses U+0000 in text."""
    return storable(text).replace("\0", "\ufffd") if text else None
