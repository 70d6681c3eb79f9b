"""A worker's side of the queue: taking tasks, keeping them, giving them back, and taking over from the dead.

A task is its worker's for as long as the worker's heartbeat is fresh. Every statement that ends a task or says
something of it asks in the same transaction whether it still is that worker's.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from procrastinate.psycopg_connector import PsycopgConnector
from psycopg.types.json import Jsonb

from crawler.fetch.mirror import HEARTBEAT_SECONDS, TAKEN_OVER_SECONDS
from crawler.fetch.tally import Tally
from crawler.queue.errands import ERRAND, Errand, errand_of, errands_of
from crawler.queue.line import Line
from crawler.queue.tasks import CRAWL, LIVES, Task, tally_data, task_of

BEAT_SECONDS = HEARTBEAT_SECONDS / 2
"""Between two heartbeats of a worker, and two looks at those of others."""
PAUSE_SECONDS = 60
"""Before a group under which two processes died is begun for the last time."""
HOSTS = 20
"""How often a group is begun where whole workers die, which is rarely the group's fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """How far a portal is."""

    task: Task
    portal_id: str
    shard: str
    """Where this worker stores what it brings: tallies are of one shard, and add up."""
    tally: Tally
    has_ended: bool

    @property
    def verdict(self) -> tuple[str | None, str | None]:
        """Status and reason; None, None for a portal that somebody has to go on with."""
        return self.tally.verdict() if self.has_ended and not self.tally.interrupted else (None, None)


_TELL: LiteralString = """
    UPDATE xianzhi.portals p SET tallies = p.tallies || said.tally, status = said.status, reason = said.reason
    FROM unnest(%(jobs)s::bigint[], %(holders)s::bigint[], %(portals)s::text[], %(tallies)s::jsonb[],
            %(statuses)s::text[], %(reasons)s::text[])
        AS said (job_id, holder, portal_id, tally, status, reason)
    JOIN procrastinate_jobs j ON j.id = said.job_id AND j.status = 'doing' AND j.worker_id = said.holder
    WHERE p.job_id = said.job_id AND p.portal_id = said.portal_id
"""
_STALE: LiteralString = """
    SELECT id FROM procrastinate_workers WHERE last_heartbeat < now() - make_interval(secs => %s)
    ORDER BY id FOR UPDATE SKIP LOCKED
"""
_ORPHANS: LiteralString = """
    SELECT id, task_name, args, attempts FROM procrastinate_jobs
    WHERE status = 'doing' AND (worker_id = ANY(%s) OR worker_id IS NULL) ORDER BY id FOR UPDATE
"""
_STRAYS: LiteralString = """
    UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL
    WHERE status = 'doing' AND task_name = ANY(%s) AND worker_id = %s AND NOT id = ANY(%s)
"""
_NOTE_REASON: LiteralString = """
    UPDATE procrastinate_jobs SET args = args || jsonb_build_object('reason', %s::text) WHERE id = %s
"""
_EMPTY: LiteralString = """
    SELECT NOT EXISTS (SELECT FROM procrastinate_jobs WHERE queue_name = ANY(%s) AND status IN ('todo', 'doing'))
"""


class Leases:
    """The tasks that one worker holds. Every call raises QueueAway where PostgreSQL does not answer."""

    def __init__(self, dsn: str, *, queue: str, name: str) -> None:
        self._queue = queue
        self._name = name
        self._line = Line(dsn)
        connector = PsycopgConnector()
        self._connector = connector
        self._manager = JobManager(connector)
        self._beaten_since = float("inf")
        self._last_beat = float("-inf")
        self.worker_id = 0
        """procrastinate's number of this worker; 0: not registered."""

    async def register(self) -> None:
        """Begin to be a worker, with a first heartbeat."""
        await self._connector.open_async(self._line)  # type: ignore[arg-type]  # it asks for connections and no more
        self.worker_id = await self._manager.register_worker()
        self._last_beat = self._beaten_since = time.monotonic()

    async def leave(self) -> None:
        """Be no worker any more."""
        await self._manager.unregister_worker(self.worker_id)

    async def close(self) -> None:
        """Hang up."""
        await self._line.close()

    async def beat(self) -> bool:
        """Say that this worker lives. False where others have taken it for dead: none of its tasks is its own now."""
        async with self._line.connection() as conn:
            cursor = await conn.execute(
                "UPDATE procrastinate_workers SET last_heartbeat = now() WHERE id = %s", (self.worker_id,)
            )
        now = time.monotonic()
        if now - self._last_beat > 2 * HEARTBEAT_SECONDS:
            self._beaten_since = now
        self._last_beat = now
        return cursor.rowcount == 1

    @property
    def is_witness(self) -> bool:
        """Whether this worker may judge others: where PostgreSQL was away or stood still, everybody looks dead."""
        return self._last_beat - self._beaten_since >= TAKEN_OVER_SECONDS

    async def bury(self) -> list[str]:
        """Let the tasks of dead workers wait for others; a line for people about each."""
        if not self.is_witness:
            return []
        async with self._line.connection() as conn, conn.transaction():
            # A heartbeat waits for this, and then finds no row: so nobody goes on who was given up.
            cursor = await conn.execute(_STALE, (TAKEN_OVER_SECONDS,))
            dead = [worker_id for (worker_id,) in await cursor.fetchall()]
            cursor = await conn.execute(_ORPHANS, (dead,))
            orphans = await cursor.fetchall()
            for job_id, _, args, deaths in orphans:
                await _lose(conn, job_id, args.get("run_id"), deaths=deaths, lives=HOSTS, reason="its worker is gone")
            await conn.execute("DELETE FROM procrastinate_workers WHERE id = ANY(%s)", (dead,))
        names = [
            ", ".join(p["id"] for p in args.get("portals", ())) or args.get("file", name)
            for _, name, args, _ in orphans
        ]
        return [f"the worker of {name} is gone; the next free one goes on" for name in names]

    async def take(self) -> Task | None:
        """The oldest task that waits, now this worker's; None where none does. Raises ValueError as `task_of`."""
        job = await fetch(self._manager, self._queue, self.worker_id)
        if job is None or job.id is None:
            return None
        async with self._line.connection() as conn:
            cursor = await conn.execute(
                "SELECT portal_id FROM xianzhi.portals WHERE job_id = %s AND status IS NOT NULL", (job.id,)
            )
            ended = {portal_id for (portal_id,) in await cursor.fetchall()}
        try:
            return task_of(job.id, job.task_kwargs, holder=self.worker_id, deaths=job.attempts, ended=ended)
        except ValueError as error:
            async with self._line.connection() as conn, conn.transaction():
                if await _is_held(conn, job.id, self.worker_id):
                    run_id = str(job.task_kwargs.get("run_id"))
                    await _lose(conn, job.id, run_id, deaths=job.attempts, lives=LIVES, reason=str(error))
            raise

    async def take_errand(self) -> Errand | None:
        """The oldest errand that waits, now this worker's; None where none does."""
        job = await self._manager.fetch_job([errands_of(self._queue)], self.worker_id)
        if job is None or job.id is None:
            return None
        return errand_of(job.id, job.task_kwargs, holder=self.worker_id, deaths=job.attempts)

    async def return_strays(self, held: Sequence[int]) -> None:
        """Let wait what was taken in this worker's name without its knowing: the answer was lost on the way."""
        async with self._line.connection() as conn:
            await conn.execute(_STRAYS, ([CRAWL, ERRAND], self.worker_id, list(held)))

    async def begin_shard(self, run_id: str, shard: str, *, spool: str) -> None:
        """A shard is begun that the night will wait for; *spool*: in which folder of which host."""
        async with self._line.connection() as conn:
            await conn.execute(
                "INSERT INTO xianzhi.shards (name, run_id, worker, worker_id, spool) VALUES (%s, %s, %s, %s, %s)"
                " ON CONFLICT DO NOTHING",
                (shard, run_id, self._name, self.worker_id, spool),
            )

    async def forget_shards(self, *, spool: str, there: Sequence[str]) -> None:
        """Of the shards that earlier workers of a spool began, only those that are *there* have come to anything."""
        async with self._line.connection() as conn:
            await conn.execute(
                "DELETE FROM xianzhi.shards WHERE spool = %s AND archived_at IS NULL AND NOT name = ANY(%s)",
                (spool, list(there)),
            )

    async def forget_shard(self, shard: str) -> None:
        """A shard that was begun has come to nothing."""
        async with self._line.connection() as conn:
            await conn.execute("DELETE FROM xianzhi.shards WHERE name = %s AND archived_at IS NULL", (shard,))

    async def tell(self, news: Sequence[News]) -> None:
        """Say how far portals are; nothing is said of those that are not ours any more."""
        rows = [(*item.verdict, item) for item in news]
        async with self._line.connection() as conn:
            await conn.execute(
                _TELL,
                {
                    "jobs": [item.task.job_id for item in news],
                    "holders": [item.task.holder for item in news],
                    "portals": [item.portal_id for item in news],
                    "tallies": [Jsonb(_printable({item.shard: tally_data(item.tally)})) for item in news],
                    "statuses": [status for status, _, _ in rows],
                    "reasons": [_printable(reason) for _, reason, _ in rows],
                },
            )

    async def finish(self, task: Task | Errand) -> None:
        """A task has ended; nothing happens where it is not its holder's any more."""
        async with self._line.connection() as conn, conn.transaction():
            if await _is_held(conn, task.job_id, task.holder):
                await conn.execute("SELECT procrastinate_finish_job_v1(%s, 'succeeded', false)", (task.job_id,))

    async def give_back(self, task: Task | Errand, reason: str | None = None) -> None:
        """Let a task wait for another worker; nothing happens where it is not its holder's any more.

        *reason*: what went wrong here with it, which costs it one of its lives.
        """
        async with self._line.connection() as conn, conn.transaction():
            if not await _is_held(conn, task.job_id, task.holder):
                return
            if reason is None:
                await conn.execute(
                    "UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL WHERE id = %s", (task.job_id,)
                )
            else:
                await _lose(conn, task.job_id, task.run_id, deaths=task.deaths, lives=LIVES, reason=reason)

    async def is_empty(self) -> bool:
        """Whether no task waits or runs."""
        async with self._line.connection() as conn:
            cursor = await conn.execute(_EMPTY, ([self._queue, errands_of(self._queue)],))
            row = await cursor.fetchone()
        return bool(row and row[0])


async def _is_held(conn: psycopg.AsyncConnection[Any], job_id: int, holder: int) -> bool:
    """Whether a task still is that worker's; it stays so to the end of the transaction."""
    cursor = await conn.execute(
        "SELECT FROM procrastinate_jobs WHERE id = %s AND status = 'doing' AND worker_id = %s FOR UPDATE",
        (job_id, holder),
    )
    return cursor.rowcount == 1


async def fetch(manager: JobManager, queue: str, worker_id: int) -> Job | None:
    """The oldest task of *queue* that waits, now *worker_id*'s; None also for a worker that others took for dead."""
    try:
        return await manager.fetch_job([queue], worker_id)
    except ConnectorException as error:
        if isinstance(error.__cause__, psycopg.errors.ForeignKeyViolation):
            return None  # there is no such worker any more; its next heartbeat will notice
        raise


async def _lose(
    conn: psycopg.AsyncConnection[Any], job_id: int, run_id: str | None, *, deaths: int, lives: int, reason: str
) -> None:
    """Let a task wait for another worker, or end it where it has had its *lives*."""
    if deaths + 1 < lives:
        pause = PAUSE_SECONDS if deaths and lives == LIVES else 0
        await conn.execute(
            "SELECT procrastinate_retry_job_v2(%s, now() + make_interval(secs => %s), NULL, NULL, NULL)",
            (job_id, pause),
        )
        return
    await conn.execute("SELECT procrastinate_finish_job_v1(%s, 'failed', false)", (job_id,))
    if run_id is None:
        await conn.execute(_NOTE_REASON, (_printable(f"{reason} ({lives} times)"), job_id))
        return
    cursor = await conn.execute(
        "UPDATE xianzhi.portals SET status = 'interrupted', reason = %s WHERE job_id = %s AND status IS NULL"
        " RETURNING portal_id",
        (f"begun {lives} times, in vain: {reason}", job_id),
    )
    names = ", ".join(portal_id for (portal_id,) in await cursor.fetchall())
    await conn.execute(
        "INSERT INTO xianzhi.losses (run_id, reason) VALUES (%s, %s)", (run_id, f"{names}: {reason} ({lives} times)")
    )


def _printable(data: Any) -> Any:
    """PostgreSQL takes no NUL in JSON, and failures quote pages."""
    return json.loads(json.dumps(data).replace("\\u0000", "\\ufffd"))
