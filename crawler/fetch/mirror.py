"""A worker process's line to the queue's PostgreSQL: the frontier's twin is kept true, and the lease is watched.

A thread with a connection of its own, since a crawl must not wait for a database on another host. What the shard's own
transaction stored is carried out there afterwards, in its order, however long PostgreSQL is away.

A portal is on one worker only, because politeness is per host. So a worker whose parent did not tell the queue that it
lives for `SURE_SECONDS`, or that cannot ask, asks no portal anything until it is sure again: others take its tasks over
after `TAKEN_OVER_SECONDS`, and it drops what is no longer its own.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg

from crawler.archive.frontier import Operation, Retried
from crawler.archive.lease import Lease
from crawler.archive.postgres import PostgresFrontier, connect

HEARTBEAT_SECONDS = 2.0
"""How often a worker tells that it lives, and its processes look whether it did."""
SURE_SECONDS = 6.0
"""Age of the last sign of life up to which a worker may send requests."""
TAKEN_OVER_SECONDS = 10.0
"""Age of the last sign of life from which others take a worker's tasks; later than the last request it sends."""
CUT_SECONDS = 9.0
"""Age of the last sign of life up to which a worker waits for the answers to what it sent."""
AGAIN_SECONDS = 0.5
"""Between two tries to reach PostgreSQL."""
LEAVE_SECONDS = 0.05
"""Between two looks of a request at whether it may be sent."""
AT_ONCE = 5_000
"""Operations in one transaction."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Batch:
    run_id: str
    operations: tuple[Operation | Retried, ...]


@dataclass(slots=True)
class _Held:
    """A task of the queue, and whose portals it is."""

    portals: frozenset[str]
    is_confirmed: bool = False
    is_lost: bool = False


class Mirror:
    """Used by the event loop's thread; every method returns at once but `drain`."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._held: dict[int, _Held] = {}
        self._waiting: deque[_Batch] = deque()
        self._sure_until = 0.0
        self._broken: str | None = None
        self._is_away = False
        self._is_ending = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)
        self._thread.start()

    # Tasks.

    def hold(self, job_id: int, portal_ids: Sequence[str]) -> None:
        """This process has a task now; its portals wait until the queue says so, too."""
        with self._changed:
            self._held[job_id] = _Held(frozenset(portal_ids))
            self._changed.notify_all()

    def release(self, job_id: int) -> None:
        """A task has ended."""
        with self._changed:
            self._held.pop(job_id, None)

    def is_lost(self, portal_id: str) -> bool:
        """Whether another worker has the portal by now."""
        held = self._holding(portal_id)
        return held is not None and held.is_lost

    async def leave(self, portal_id: str) -> bool:
        """Wait until the portal may be asked; False where it is another worker's."""
        while not self._may_ask(portal_id):
            if self.is_lost(portal_id) or self._is_ending:
                return False
            await asyncio.sleep(LEAVE_SECONDS)
        return True

    def is_unsafe(self, portal_id: str) -> bool:
        """Whether another worker has the portal, or may take it in a moment: what is on the wire has to end."""
        return self.is_lost(portal_id) or time.monotonic() > self._sure_until + CUT_SECONDS - SURE_SECONDS

    def _may_ask(self, portal_id: str) -> bool:
        held = self._holding(portal_id)
        return held is not None and held.is_confirmed and not held.is_lost and time.monotonic() < self._sure_until

    def _holding(self, portal_id: str) -> _Held | None:
        return next((held for held in tuple(self._held.values()) if portal_id in held.portals), None)

    @property
    def broken(self) -> str | None:
        """Why the twin cannot be written, though PostgreSQL is there; None while all is well."""
        return self._broken

    # The frontier.

    async def rows(self, portal_id: str) -> list[tuple[Any, ...]]:
        """The portal's rows in the twin; waits while PostgreSQL is away."""
        while True:
            try:
                return await asyncio.to_thread(self._rows, portal_id)
            except psycopg.OperationalError:
                await asyncio.sleep(AGAIN_SECONDS)

    def add(self, run_id: str, operations: Sequence[Operation | Retried]) -> None:
        """Carry out *operations* soon."""
        if operations:
            with self._changed:
                self._waiting.append(_Batch(run_id, tuple(operations)))
                self._changed.notify_all()

    async def drain(self) -> None:
        """Wait until everything that was added is carried out, or never can be."""
        if self._waiting:
            await asyncio.to_thread(self._wait)

    def close(self) -> None:
        """End the thread; what was not drained is lost to the twin."""
        with self._changed:
            self._is_ending = True
            self._changed.notify_all()
        self._thread.join(timeout=5)

    # Threads.

    def _wait(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting or self._broken is not None or self._is_ending)

    def _rows(self, portal_id: str) -> list[tuple[Any, ...]]:
        with closing(connect(self._lease.dsn)) as conn:
            return PostgresFrontier(conn).rows(portal_id)

    def _run(self) -> None:
        while not self._is_ending:
            try:
                with closing(connect(self._lease.dsn)) as conn:
                    self._keep(conn)
            except psycopg.OperationalError as error:
                self._away(error)
                time.sleep(AGAIN_SECONDS)
            except Exception as error:
                log.exception("the frontier on PostgreSQL")
                with self._changed:
                    self._broken = f"the frontier on PostgreSQL cannot be written: {type(error).__name__}: {error}"
                    self._changed.notify_all()
                return

    def _keep(self, conn: psycopg.Connection[Any]) -> None:
        """Carry out and confirm until the end, or until the connection breaks."""
        next_look = 0.0
        while not self._is_ending:
            with self._changed:
                if not self._is_wanted(next_look):
                    self._changed.wait(max(0.01, next_look - time.monotonic()))
                if not self._is_wanted(next_look):
                    continue
                batches = self._next_batches()
            self._carry_out(conn, batches)
            next_look = time.monotonic() + HEARTBEAT_SECONDS
            with self._changed:
                for _ in batches:
                    self._waiting.popleft()
                self._changed.notify_all()
            self._back()

    def _is_wanted(self, next_look: float) -> bool:
        is_new = any(not held.is_confirmed for held in self._held.values())
        return bool(self._waiting) or is_new or time.monotonic() >= next_look

    def _next_batches(self) -> list[_Batch]:
        batches, operations = list[_Batch](), 0
        for batch in self._waiting:
            operations += len(batch.operations)
            if batches and operations > AT_ONCE:
                break
            batches.append(batch)
        return batches

    def _carry_out(self, conn: psycopg.Connection[Any], batches: Sequence[_Batch]) -> None:
        """In one transaction, in which no task can be taken away: only what belongs to our own tasks is written."""
        with self._changed:
            held = dict(self._held)
        frontier, asked_at = PostgresFrontier(conn), time.monotonic()
        with conn.transaction():
            standing = frontier.standing(self._lease.worker_id, held)
            for job_id, task in held.items():
                self._judge(task, is_ours=job_id in standing.jobs)
            for batch in batches:
                own = [operation for operation in batch.operations if not self.is_lost(operation.portal_id)]
                frontier.apply(batch.run_id, self._lease.shard, own)
        self._sure_until = asked_at + SURE_SECONDS - standing.heartbeat_age

    @staticmethod
    def _judge(held: _Held, *, is_ours: bool) -> None:
        held.is_confirmed = True
        if not is_ours and not held.is_lost:
            held.is_lost = True
            log.warning("%s: another worker has it now; dropped here", ", ".join(sorted(held.portals)))

    def _away(self, error: Exception) -> None:
        if not self._is_away:
            self._is_away = True
            log.warning("PostgreSQL is away (%.200s); the crawl waits until it is back", " ".join(str(error).split()))

    def _back(self) -> None:
        if self._is_away:
            self._is_away = False
            log.warning("PostgreSQL is back; the crawl goes on")
