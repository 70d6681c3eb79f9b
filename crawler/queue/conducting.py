"""A night on several hosts, from the archive's side: what to do goes out, what came of it comes home."""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from crawler.archive import custody, runs, seeds
from crawler.archive.connection import ArchiveError, open_archive
from crawler.archive.lock import RunLock
from crawler.archive.merge import merge, merged_names
from crawler.archive.postgres import PostgresFrontier, connect
from crawler.archive.recovery import recover
from crawler.catalogue import Portal
from crawler.disk import passing_folder
from crawler.fetch.options import Options
from crawler.fetch.tally import Tally
from crawler.messages import Say, say
from crawler.queue.line import QueueAway
from crawler.queue.nights import Group, Night, Nights
from crawler.room import check
from crawler.run import PortalResult, RunResult, learn, status_of
from crawler.store import Store, point

LOOK_SECONDS = 1.0
"""Between two looks at how far a night is."""
MISSING_SECONDS = 60.0
"""How long a night that is through waits for shards on hosts where no worker runs."""
LONELY_SECONDS = 30.0
"""After which it is said that nobody is at work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued:
    """A night that was put into the queue."""

    run_id: str | None
    """None where there was nothing to put there."""
    groups: Sequence[Group]
    refused: Sequence[Portal]
    """Portals that an earlier night still has."""


class Conductor:
    """Puts nights into a queue, waits for them, and brings them into the archive of *options*."""

    def __init__(
        self,
        options: Options,
        *,
        dsn: str,
        nights: Nights,
        store: Store,
        on_progress: Callable[[dict[str, Tally], int], None] = lambda *_: None,
        on_log: Say = say,
    ) -> None:
        self._options = options
        self._dsn = dsn
        self._nights = nights
        self._store = store
        self._on_progress = on_progress
        self._on_log = on_log
        self._is_stopping = False
        self._is_away = False

    def stop(self) -> None:
        """Wait no longer; safe to call from a signal handler."""
        self._is_stopping = True

    def enqueue(self, groups: Sequence[Group]) -> Enqueued:
        """Begin a run and put it into the queue, but for groups that an earlier night still has.

        Raises LockHeldError, ArchiveError, NoRoomError, QueueAway, StoreError; nothing of it is in the queue then.
        """
        options = self._options
        check([options.db.parent], options.reserve)
        with RunLock(options.db), closing(open_archive(options.db)) as archive:
            for line in recover(archive, options.warc):
                self._on_log(logging.WARNING, line)
            runs.end_forgotten(archive, self._nights.all_running())
            custody.seal_and_say(archive, db=options.db, warc=options.warc, say=self._on_log, late=True)
            free = self._nights.free(groups)
            refused = [portal for group in groups if group not in free for portal in group]
            if not free:
                return Enqueued(run_id=None, groups=(), refused=refused)
            portals = [portal for group in free for portal in group]
            run_id = runs.begin(archive, portals, is_on_queue=True)
            options.warc.mkdir(parents=True, exist_ok=True)
            point(options.warc, self._store)
            with closing(connect(self._dsn)) as conn:
                PostgresFrontier(conn).bring(archive, [portal.id for portal in portals])
            objects = {}
            with passing_folder(options.db) as folder:
                for portal in portals:
                    seed = folder / f"{run_id}-{portal.id}.db"
                    seeds.write(archive, portal.id, seed)
                    objects[portal.id] = f"seeds/{seed.name}"
                    self._store.put(seed, objects[portal.id])
                    seed.unlink()
            taken = self._nights.enqueue(run_id, free, options, objects)
        refused = [portal for group in groups if group not in taken for portal in group]
        return Enqueued(run_id=run_id if taken else None, groups=taken, refused=refused)

    def wait(self, run_id: str) -> Night:
        """Wait until every portal has ended and every shard is in the store, or has been waited for long enough.

        After `stop`: the night as it is by then. It goes on without us.
        """
        through_since = lonely_since = None
        while True:
            night = self._look(run_id)
            if night is not None:
                tallies = {line.portal.id: line.tally for line in night.portals}
                self._on_progress(tallies, sum(line.status is not None for line in night.portals))
                now = time.monotonic()
                lonely_since = (lonely_since or now) if not night.workers and not night.has_ended else None
                if lonely_since and now - lonely_since > LONELY_SECONDS:
                    self._on_log(logging.WARNING, "nobody is at work: start xianzhi work on some host")
                    lonely_since = float("inf")
                if night.is_through:
                    through_since = through_since or now
                    if not night.missing or now - through_since > MISSING_SECONDS:
                        return night
                if self._is_stopping:
                    return night
            time.sleep(LOOK_SECONDS)

    def catch_up(self) -> Iterator[RunResult]:
        """Bring home the nights that ended while nobody waited. Raises as `bring_home`, and QueueAway."""
        for run_id in self._nights.running():
            night = self._nights.look(run_id)
            if night.is_through:
                result = self.bring_home(run_id, night)
                self._on_log(logging.INFO, f"run {run_id}, which had ended: {result.status}", run=run_id)
                yield result

    def bring_home(self, run_id: str, night: Night) -> RunResult:
        """Merge a night's shards, and end its run as `crawler.run` does.

        Raises LockHeldError, ArchiveError, NoRoomError, StoreError, QueueAway; the next `catch_up` goes on with it
        then.
        """
        options = self._options
        check([options.db.parent], options.reserve)
        with RunLock(options.db), closing(open_archive(options.db)) as archive:
            lost = [*night.lost, *self._merge(archive, night.shards)]
            lost += [
                f"{shard} is still on the host of {worker}: start xianzhi work there, with the same --spool"
                for shard, worker in night.missing.items()
            ]
            lines = [
                PortalResult(
                    portal=line.portal, status=line.status or "interrupted", reason=line.reason, tally=line.tally
                )
                for line in night.portals
            ]
            status = status_of(lines, lost)
            ended = [(line.portal.id, line.status, line.reason, line.tally) for line in lines]
            if not custody.is_sealed(archive, run_id, db=options.db):  # else somebody was killed here before `close`
                runs.finish(archive, run_id, status, ended)
            custody.seal_and_say(archive, db=options.db, warc=options.warc, say=self._on_log)
            learn(archive, is_stopping=lambda: self._is_stopping, on_log=self._on_log)
        self._nights.close(run_id)
        return RunResult(run_id=run_id, status=status, portals=lines, seconds=night.seconds, lost=lost)

    def _merge(self, archive: sqlite3.Connection, shards: Sequence[str]) -> list[str]:
        """Bring *shards* into the archive, and what earlier nights ended without; those that cannot be, in words."""
        lost = []
        known = merged_names(archive)
        own = {f"{shard}.db" for shard in shards}
        with passing_folder(self._options.db) as folder:
            for name in (stored.rpartition("/")[2] for stored in self._store.names("shards/")):
                if name in known:
                    continue
                path = self._store.fetch(f"shards/{name}", folder)
                try:
                    merge(archive, path)
                except ArchiveError as error:
                    if name in own:
                        lost.append(str(error))
                    else:
                        self._on_log(logging.WARNING, f"still not merged: {error}")
                path.unlink()
        return lost

    def _look(self, run_id: str) -> Night | None:
        try:
            night = self._nights.look(run_id)
        except QueueAway as error:
            if not self._is_away:
                self._on_log(logging.WARNING, f"PostgreSQL is away ({error}); waiting for it")
            self._is_away = True
            return None
        self._is_away = False
        return night
