"""What an operator asks of a queue: who is at work, and what is not in the store yet."""

from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerState:
    """One worker."""

    worker_id: int
    silent_seconds: float
    """Since its last heartbeat."""
    tasks: int
    """Groups of portals, and WARC files, that it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    """What workers of one name began and have not brought to the store."""

    name: str
    shards: int
    oldest: str
    """When the oldest of them was begun: ``YYYY-MM-DDThh:mm:ssZ``."""
    is_at_work: bool
    """Whether one of the workers is registered."""


def workers(conn: psycopg.Connection[Any]) -> list[WorkerState]:
    """Everybody who is registered, in whatever queue of this database."""
    return [
        WorkerState(worker_id=worker_id, silent_seconds=float(seconds), tasks=tasks)
        for worker_id, seconds, tasks in conn.execute(_WORKERS).fetchall()
    ]


def hosts(conn: psycopg.Connection[Any]) -> list[HostState]:
    """Hosts with shards that are not in the store."""
    return [
        HostState(name=name, shards=shards, oldest=oldest, is_at_work=is_at_work)
        for name, shards, oldest, is_at_work in conn.execute(_HOSTS).fetchall()
    ]


_WORKERS: LiteralString = """
    SELECT w.id, extract(epoch FROM now() - last_heartbeat),
        (SELECT count(*) FROM procrastinate_jobs j WHERE j.worker_id = w.id AND j.status = 'doing')
    FROM procrastinate_workers w ORDER BY w.id
"""
_HOSTS: LiteralString = """
    SELECT worker, count(*), to_char(min(begun_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        bool_or(w.id IS NOT NULL)
    FROM xianzhi.shards LEFT JOIN procrastinate_workers w ON w.id = worker_id
    WHERE archived_at IS NULL GROUP BY worker ORDER BY worker
"""
