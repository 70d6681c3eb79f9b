"""One run: the lock, the workers, the report."""

import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import wait

from crawler.archive import afterwards, custody, rules, runs
from crawler.archive.connection import open_archive
from crawler.archive.lock import RunLock
from crawler.archive.recovery import recover
from crawler.catalogue import Portal
from crawler.children import Child
from crawler.fetch.options import Options
from crawler.fetch.tally import Tally
from crawler.messages import Broken, Done, Progress, Said, Say, Stop, Work, say
from crawler.room import Watch, check
from crawler.version import EXTRACTOR

PORTALS_AT_ONCE = 200
"""Groups of portals a worker process runs side by side: each waits for its host most of the time.

A portal costs 0.3 MB and two open files (of 1,024 that a process usually may have); 200 that all have news keep three
quarters of a core busy (``bench/pace.py``).
"""
LIVES = 2
"""How often a group is given to a worker: once more after a worker died under it."""
STOP_EVERY = 100_000
"""SQLite's instructions between two looks at whether the run should stop: some milliseconds."""
GRACE_SECONDS = 60.0
"""How long workers may take to end after they were told to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalResult:
    """A line of the run's report."""

    portal: Portal
    status: str
    reason: str | None
    tally: Tally


@dataclass(slots=True, kw_only=True)
class RunResult:
    """What a run came to."""

    run_id: str
    status: str
    """``ok``, ``failed`` or ``interrupted``."""
    portals: list[PortalResult]
    seconds: float
    lost: list[str] = field(default_factory=list)
    """What could not be kept, in words: dead workers, a full disk."""

    @property
    def exit_code(self) -> int:
        """The contract's: 0, 1 or 130."""
        return {"ok": 0, "interrupted": 130}.get(self.status, 1)


@dataclass(slots=True)
class _Child(Child):
    groups: list[tuple[Portal, ...]] = field(default_factory=list)

    def is_done_with(self, group: tuple[Portal, ...], ended: dict[str, Tally]) -> bool:
        return all(portal.id in ended for portal in group)


class Run:
    """The parent of the worker processes. *on_progress* gets all tallies as they move, and how many portals ended."""

    def __init__(
        self,
        groups: Iterable[tuple[Portal, ...]],
        options: Options,
        *,
        on_progress: Callable[[dict[str, Tally], int], None] = lambda *_: None,
        on_log: Say = say,
    ) -> None:
        self._waiting = deque((group, LIVES) for group in groups)
        self._portals = [portal for group, _ in self._waiting for portal in group]
        self._options = options
        self._on_progress = on_progress
        self._on_log = on_log
        self._disk = Watch((options.db.parent, options.warc), options.reserve)
        self._tallies: dict[str, Tally] = {}
        self._ended: dict[str, Tally] = {}
        self._lives: dict[tuple[Portal, ...], int] = {}
        self._children: list[_Child] = []
        self._lost: list[str] = []
        self._is_stopping = False
        self._is_over = False
        self._stop_by = float("inf")

    def stop(self) -> None:
        """Ask the workers to end cleanly; safe to call from a signal handler."""
        self._is_stopping = True

    def __call__(self) -> RunResult:
        """Run to the end. Raises LockHeldError, ArchiveError, NoRoomError."""
        began = time.monotonic()
        check((self._options.db.parent, self._options.warc), self._options.reserve)
        with RunLock(self._options.db):
            connection = open_archive(self._options.db)
            try:
                for line in recover(connection, self._options.warc):
                    self._on_log(logging.WARNING, line)
                advice = rules.warning(connection, self._options.db, EXTRACTOR)
                if advice:
                    self._on_log(logging.WARNING, advice)
                self._seal(connection, late=True)
                run_id = runs.begin(connection, self._portals)
                self._on_log = partial(self._on_log, run=run_id)
            finally:
                connection.close()
            try:
                self._work(run_id)
            finally:
                self._end_children()
                connection = open_archive(self._options.db)
                try:
                    for line in recover(connection, self._options.warc):
                        self._on_log(logging.WARNING, line)
                    result = self._result(run_id, time.monotonic() - began)
                    runs.finish(
                        connection,
                        run_id,
                        result.status,
                        [(line.portal.id, line.status, line.reason, line.tally) for line in result.portals],
                    )
                    self._seal(connection)
                    learn(connection, is_stopping=lambda: self._is_stopping, on_log=self._on_log)
                finally:
                    connection.close()
        return result

    def _seal(self, connection: sqlite3.Connection, *, late: bool = False) -> None:
        options = self._options
        custody.seal_and_say(connection, db=options.db, warc=options.warc, say=self._on_log, late=late)

    # The loop.

    def _work(self, run_id: str) -> None:
        while len(self._ended) < len(self._portals):
            self._watch_disk()
            if self._is_stopping and not self._tell_to_stop():
                break
            if not self._is_stopping:
                self._hand_out(run_id)
            if not self._children:
                break
            for pipe in wait([child.pipe for child in self._children], timeout=0.5):
                child = next(child for child in self._children if child.pipe is pipe)
                self._read(child)

    def _watch_disk(self) -> None:
        no_room = None if self._is_stopping else self._disk.lack()
        if no_room:
            self._on_log(logging.ERROR, f"stopping: {no_room}")
            self._lost.append(f"stopped early: {no_room}")
            self.stop()

    def _hand_out(self, run_id: str) -> None:
        jobs = max(1, min(self._options.jobs, len(self._waiting) + len(self._children)))
        while self._waiting and len(self._children) < jobs:
            self._children.append(_Child.start(self._options, run_id))
        while self._waiting:
            child = min(self._children, key=lambda child: len(child.groups), default=None)
            if child is None or len(child.groups) >= PORTALS_AT_ONCE:
                break
            group, lives = self._waiting.popleft()
            self._lives[group] = lives - 1
            child.groups.append(group)
            if not child.send(Work(tuple(portal for portal in group if portal.id not in self._ended))):
                break

    def _read(self, child: _Child) -> None:
        match child.receive():
            case None:
                self._bury(child)
            case Progress(tallies):
                self._tallies.update(tallies)
                self._on_progress(self._tallies, len(self._ended))
            case Done(portal_id, tally):
                self._tallies[portal_id] = self._ended[portal_id] = tally
                child.groups = [group for group in child.groups if not child.is_done_with(group, self._ended)]
                self._on_progress(self._tallies, len(self._ended))
            case Broken(reason):
                self._lost.append(reason)
                self.stop()
            case Said(level, text, portal, url):
                self._on_log(level, text, portal=portal, url=url)

    def _bury(self, child: _Child) -> None:
        how = child.bury()
        self._children.remove(child)
        unfinished = [group for group in child.groups if not child.is_done_with(group, self._ended)]
        if not unfinished or self._is_stopping or self._is_over:
            return
        for group in unfinished:
            names = ", ".join(portal.id for portal in group)
            if self._lives[group] > 0:
                self._on_log(logging.WARNING, f"{how}; {names} goes on with another one")
                self._waiting.append((group, self._lives[group]))
                continue
            self._lost.append(f"{how} twice at {names}")
            for portal in group:
                self._ended.setdefault(portal.id, Tally(interrupted=True))

    # The end.

    def _tell_to_stop(self) -> bool:
        """Tell every worker once; False when they have had their time."""
        if self._stop_by == float("inf"):
            self._stop_by = time.monotonic() + GRACE_SECONDS
            for child in self._children:
                child.send(Stop())
        return time.monotonic() < self._stop_by

    def _end_children(self) -> None:
        self._is_over = True
        for child in self._children:
            child.send(Stop())
        deadline = time.monotonic() + GRACE_SECONDS
        while self._children and time.monotonic() < deadline:
            for pipe in wait([child.pipe for child in self._children], timeout=0.5):
                child = next(child for child in self._children if child.pipe is pipe)
                self._read(child)
        for child in self._children:
            self._lost.append("a worker did not end and was killed")
            child.kill()

    def _result(self, run_id: str, seconds: float) -> RunResult:
        lines = []
        for portal in self._portals:
            tally = self._ended.get(portal.id) or self._tallies.get(portal.id) or Tally()
            tally.interrupted = tally.interrupted or portal.id not in self._ended
            status, reason = tally.verdict()
            lines.append(PortalResult(portal=portal, status=status, reason=reason, tally=tally))
        return RunResult(
            run_id=run_id, status=status_of(lines, self._lost), portals=lines, seconds=seconds, lost=self._lost
        )


def status_of(lines: Iterable[PortalResult], lost: Sequence[str]) -> str:
    """``runs.status`` of a run that has ended, by its portals and what could not be kept."""
    statuses = {line.status for line in lines if not (line.status == "blocked" and line.portal.expect.blocked)}
    if lost:
        return "failed"
    if "interrupted" in statuses:
        return "interrupted"
    return "failed" if statuses & {"failed", "below", "blocked"} else "ok"


def learn(
    connection: sqlite3.Connection, *, is_stopping: Callable[[], bool], on_log: Callable[[int, str], None]
) -> None:
    """What takes the whole archive to know; a stop leaves the rest of it to the next run."""
    if is_stopping():
        return

    def tell(step: str, articles: int) -> None:
        if articles:
            on_log(logging.INFO, f"{step}: {articles:,} articles")

    on_log(logging.INFO, "pages are stored; comparing them with the rest of the archive")
    connection.set_progress_handler(is_stopping, STOP_EVERY)
    try:
        afterwards.learn(connection, tell=tell)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        on_log(logging.INFO, "stopped while comparing; the next run goes on from here")
    finally:
        connection.set_progress_handler(None, 0)
