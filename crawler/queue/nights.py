"""The archive's side of the queue: a night is put into it, and looked at until it has ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from procrastinate.sync_psycopg_connector import SyncPsycopgConnector

from crawler.archive.postgres import PostgresFrontier
from crawler.catalogue import Portal
from crawler.fetch.mirror import TAKEN_OVER_SECONDS
from crawler.fetch.options import Options
from crawler.fetch.tally import Tally
from crawler.queue.line import transaction
from crawler.queue.schema import LOCK
from crawler.queue.tasks import CRAWL, hosts_of, portal_of, sum_of, task_args

Group = tuple[Portal, ...]
KEEP_DAYS = 60
"""How long the queue remembers a night that has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalState:
    """How far a portal is in a night."""

    portal: Portal
    tally: Tally
    status: str | None
    """The verdict; None while it waits or runs."""
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """How far a night is."""

    portals: Sequence[PortalState]
    lost: Sequence[str]
    shards: Sequence[str]
    """Names of those that are in the store."""
    coming: Sequence[str]
    """Those that a worker works on, or is about to upload."""
    missing: Mapping[str, str]
    """Those that a worker left on its host, and the worker's name: the next one in its spool folder uploads them."""
    workers: int
    """How many are at work in the queue, on whatever."""
    seconds: float
    """Since it was put into the queue."""

    @property
    def has_ended(self) -> bool:
        """Whether every portal has; shards may still be on their way."""
        return all(line.status is not None for line in self.portals)

    @property
    def is_through(self) -> bool:
        """Whether that has, and no worker is about to bring a shard."""
        return self.has_ended and not self.coming


class UnknownNightError(Exception):
    """The queue knows no night of that name, be it no longer; the message says so."""


class Nights:
    """The nights in a queue. Every call raises QueueAway where PostgreSQL does not answer."""

    def __init__(self, dsn: str, *, queue: str) -> None:
        self._dsn = dsn
        self._queue = queue

    def free(self, groups: Sequence[Group]) -> list[Group]:
        """Of *groups*, those that ask no host that a task asks already: one that waits or runs, in whatever queue."""
        with transaction(self._dsn) as conn:
            return _free(conn, groups)

    def enqueue(self, run_id: str, groups: Sequence[Group], options: Options, seeds: Mapping[str, str]) -> list[Group]:
        """Put a night into the queue, and return what of *groups* is in it: all but those that are no longer `free`.

        *seeds*: portal's id → object of the store with its past.
        """
        with transaction(self._dsn) as conn:
            conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            groups = _free(conn, groups)
            if not groups:
                return []
            _forget_old(conn)
            conn.execute("INSERT INTO xianzhi.nights (run_id, queue) VALUES (%s, %s)", (run_id, self._queue))
            jobs = [self._job(task_args(run_id, group, options, seeds)) for group in groups]
            deferred = JobManager(SyncPsycopgConnector()).batch_defer_jobs(jobs, connection=conn)
            rows = [
                (run_id, portal.id, place, job.id)
                for group, job in zip(groups, deferred, strict=True)
                for place, portal in enumerate(group)
            ]
            with conn.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO xianzhi.portals (run_id, portal_id, place, job_id) VALUES (%s, %s, %s, %s)", rows
                )
        return groups

    def look(self, run_id: str) -> Night:
        """How far the night *run_id* is. Raises UnknownNightError where the queue knows none of that name."""
        with transaction(self._dsn) as conn:
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")  # all of it as it was at one moment
            portals = conn.execute(_PORTALS, (run_id,)).fetchall()
            if not portals:
                raise UnknownNightError(
                    f"the queue does not know the night {run_id}: PostgreSQL is another one, or was emptied."
                    " The next crawl asks for what is missing; xianzhi merge --store brings home what workers stored"
                )
            lost = conn.execute("SELECT reason FROM xianzhi.losses WHERE run_id = %s ORDER BY at", (run_id,)).fetchall()
            shards = conn.execute(_SHARDS, {"run": run_id, **_SILENCE}).fetchall()
            [(workers, seconds)] = conn.execute(_AROUND, {"run": run_id, **_SILENCE}).fetchall()
        return Night(
            portals=[
                PortalState(portal=portal_of(entry), tally=sum_of(tallies.values()), status=status, reason=reason)
                for entry, tallies, status, reason in portals
            ],
            lost=[reason for (reason,) in lost],
            shards=[name for name, _, place in shards if place == "store"],
            coming=[name for name, _, place in shards if place == "worker"],
            missing={name: worker for name, worker, place in shards if place == "host"},
            workers=workers,
            seconds=float(seconds),
        )

    def running(self) -> list[str]:
        """Nights that were not closed, the oldest first."""
        with transaction(self._dsn) as conn:
            rows = conn.execute(
                "SELECT run_id FROM xianzhi.nights WHERE queue = %s AND ended_at IS NULL ORDER BY run_id",
                (self._queue,),
            ).fetchall()
        return [run_id for (run_id,) in rows]

    def all_running(self) -> list[str]:
        """`running`, in whatever queue of this database."""
        with transaction(self._dsn) as conn:
            rows = conn.execute("SELECT run_id FROM xianzhi.nights WHERE ended_at IS NULL").fetchall()
        return [run_id for (run_id,) in rows]

    def depth(self) -> dict[str, int]:
        """How many tasks wait and run, and how many had to be given up for good."""
        with transaction(self._dsn) as conn:
            rows = dict(conn.execute(_DEPTH, (self._queue,)).fetchall())
        return {name: rows.get(status, 0) for status, name in _STATES.items()}

    def close(self, run_id: str) -> None:
        """A night is in the archive."""
        with transaction(self._dsn) as conn:
            conn.execute("UPDATE xianzhi.nights SET ended_at = now() WHERE run_id = %s", (run_id,))

    def lose_host(self, worker: str) -> int:
        """What the worker called so has fetched and not uploaded is lost: let it be asked for again; how much it is.

        Raises ValueError where it is at work.
        """
        with transaction(self._dsn) as conn:
            rows = conn.execute(_LEFT, {"worker": worker, **_SILENCE}).fetchall()
            if any(is_alive for _, is_alive in rows):
                raise ValueError(f"{worker} is at work, or was until seconds ago")
            frontier = PostgresFrontier(conn)
            asked = sum(frontier.ask_again(f"xianzhi-shard-{worker_id}-") for worker_id, _ in rows)
            conn.execute("DELETE FROM xianzhi.shards WHERE worker = %s AND archived_at IS NULL", (worker,))
        return asked

    def _job(self, args: dict[str, Any]) -> Job:
        lock = f"host {args['hosts'][0]}"
        return Job(queue=self._queue, task_name=CRAWL, lock=lock, queueing_lock=lock, task_kwargs=args)


_SILENCE = {"silence": TAKEN_OVER_SECONDS}
_PORTALS: LiteralString = """
    SELECT entry, tallies, p.status, p.reason FROM xianzhi.portals p JOIN procrastinate_jobs j ON j.id = p.job_id,
        LATERAL (SELECT j.args -> 'portals' -> p.place AS entry) e
    WHERE run_id = %s ORDER BY p.job_id, p.place
"""
_SHARDS: LiteralString = """
    SELECT name, worker,
        CASE WHEN archived_at IS NOT NULL THEN 'store' WHEN w.id IS NOT NULL THEN 'worker' ELSE 'host' END
    FROM xianzhi.shards LEFT JOIN procrastinate_workers w
        ON w.id = worker_id AND w.last_heartbeat > now() - make_interval(secs => %(silence)s)
    WHERE run_id = %(run)s ORDER BY name
"""
_LEFT: LiteralString = """
    SELECT DISTINCT worker_id, w.id IS NOT NULL
    FROM xianzhi.shards LEFT JOIN procrastinate_workers w
        ON w.id = worker_id AND w.last_heartbeat > now() - make_interval(secs => %(silence)s)
    WHERE worker = %(worker)s AND archived_at IS NULL
"""
_AROUND: LiteralString = """
    SELECT count(w.id), extract(epoch FROM now() - min(begun_at))
    FROM xianzhi.nights LEFT JOIN procrastinate_workers w
        ON w.last_heartbeat > now() - make_interval(secs => %(silence)s)
    WHERE run_id = %(run)s
"""
_DEPTH: LiteralString = """
    SELECT status::text, count(*) FROM procrastinate_jobs WHERE queue_name = %s GROUP BY status
"""
_STATES = {"todo": "waiting", "doing": "running", "failed": "given_up"}
_BUSY: LiteralString = """
    SELECT DISTINCT host FROM procrastinate_jobs, jsonb_array_elements_text(args -> 'hosts') AS host
    WHERE task_name = %s AND status IN ('todo', 'doing')
"""
_OLD: LiteralString = """
    WITH old AS (
        DELETE FROM xianzhi.nights WHERE ended_at < now() - make_interval(days => %s) RETURNING run_id)
    DELETE FROM procrastinate_jobs
    WHERE status NOT IN ('todo', 'doing') AND args ->> 'run_id' IN (SELECT run_id FROM old)
"""


def _free(conn: psycopg.Connection[Any], groups: Sequence[Group]) -> list[Group]:
    busy = {host for (host,) in conn.execute(_BUSY, (CRAWL,)).fetchall()}
    return [group for group in groups if not hosts_of(group) & busy]


def _forget_old(conn: psycopg.Connection[Any]) -> None:
    conn.execute(_OLD, (KEEP_DAYS,))
