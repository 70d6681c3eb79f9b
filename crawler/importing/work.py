"""An import from beginning to end: files brought in, records found, read in the order of their dates, and stored."""

import logging
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from crawler.archive import afterwards, custody, imports, rules, runs, writer
from crawler.archive.batch import Batch
from crawler.archive.connection import open_archive, transaction
from crawler.archive.lock import RunLock
from crawler.archive.recovery import recover
from crawler.catalogue import Portal
from crawler.importing.collection import Elsewhere, Held, Originals, Unreadable, held
from crawler.importing.reading import Outcome, Task, read
from crawler.processes import in_order, pool
from crawler.version import EXTRACTOR
from crawler.warc.files import WarcError
from crawler.warc.foreign import Brought, bring

BATCH = 100
"""Records stored in one transaction, as in a crawl."""
READ_AHEAD = 8
"""Records for each process that are read before the first of them is stored."""
TOLD = 1_000
"""Records between two words about a file that is being looked through."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an import is."""

    step: str
    """What it is doing, in words."""
    done: int
    total: int | None
    """None where nobody knows yet."""


@dataclass(slots=True, kw_only=True)
class Imported:
    """What an import came to."""

    run_id: str
    status: str = "interrupted"
    """``ok``, ``failed`` or ``interrupted``."""
    files: list[Brought] = field(default_factory=list)
    elsewhere: int = 0
    """Captures of other hosts."""
    known: int = 0
    """Captures that an earlier import or crawl stored."""
    stored: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """Of those stored, how many of each kind."""
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    linked: int = 0
    """Files and pictures of articles that were found."""
    failures: list[str] = field(default_factory=list)
    """Pages that could not be read; their bytes are archived."""
    damage: list[str] = field(default_factory=list)
    """Files, or what of them cannot be read, with file and offset."""
    unresolved: list[str] = field(default_factory=list)
    """Revisits whose original is neither in the files nor in the archive."""
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """The contract's: 0, 1 or 130."""
        return {"ok": 0, "interrupted": 130}.get(self.status, 1)


class Import:
    """Imports *sources* for *portal*; *on_progress* and *on_log* as they happen."""

    def __init__(
        self,
        sources: Sequence[Path],
        portal: Portal,
        *,
        db: Path,
        warc: Path,
        copy: bool = False,
        jobs: int = 1,
        on_progress: Callable[[Progress], None] = lambda _: None,
        on_log: Callable[[int, str], None] = log.log,
    ) -> None:
        self._sources = sources
        self._portal = portal
        self._db = db
        self._warc = warc
        self._copy = copy
        self._jobs = jobs
        self._on_progress = on_progress
        self._on_log = on_log

    def __call__(self) -> Imported:
        """Import to the end; Ctrl-C ends it cleanly. Raises LockHeldError, ArchiveError, sqlite3.Error.

        What is stored already is passed over, so an import that was interrupted is simply called again.
        """
        began = time.monotonic()
        with RunLock(self._db), closing(open_archive(self._db)) as conn:
            for line in recover(conn, self._warc):
                self._on_log(logging.WARNING, line)
            advice = rules.warning(conn, self._db, EXTRACTOR)
            if advice:
                self._on_log(logging.WARNING, advice)
            self._seal(conn, late=True)
            result = Imported(run_id=self._begin(conn))
            try:
                self._import(conn, result)
                result.status = "failed" if result.damage or result.unresolved or not _found(result) else "ok"
            except KeyboardInterrupt:
                self._on_log(logging.WARNING, "interrupted; the same command goes on from here")
            except BaseException:
                result.status = "failed"
                raise
            finally:
                result.seconds = time.monotonic() - began
                runs.finish(conn, result.run_id, result.status, [])
                self._seal(conn)
        return result

    def _begin(self, conn: sqlite3.Connection) -> str:
        """The run's row. It is no crawl: of a portal's health it says nothing, and ``portal_runs`` has none of it."""
        run_id = runs.begin(conn, [])
        with transaction(conn):
            runs.sync_portals(conn, [self._portal])
        return run_id

    def _seal(self, conn: sqlite3.Connection, *, late: bool = False) -> None:
        custody.seal_and_say(conn, db=self._db, warc=self._warc, say=self._on_log, late=late)

    def _import(self, conn: sqlite3.Connection, result: Imported) -> None:
        for number, source in enumerate(self._sources):
            self._on_progress(Progress(step=f"fetching {source.name}", done=number, total=len(self._sources)))
            try:
                brought = bring(source, self._warc, copy=self._copy)
            except WarcError as error:
                result.damage.append(str(error))
                continue
            result.files.append(brought)
            if brought.damage:
                result.damage.append(brought.damage)
        items = self._held(result)
        tasks = list(self._tasks(conn, items, result))
        self._store(conn, tasks, result)
        result.linked = imports.link_files(conn, self._portal.id)
        self._on_progress(Progress(step="comparing with the rest of the archive", done=0, total=None))
        afterwards.learn(conn)

    def _held(self, result: Imported) -> list[Held]:
        """The portal's records in all files, by date; revisits behind their originals."""
        items: list[Held] = []
        for name in dict.fromkeys(brought.name for brought in result.files):
            for number, part in enumerate(held(self._warc, name, self._portal.hosts)):
                if number % TOLD == 0:
                    self._on_progress(Progress(step=f"looking through {name}", done=number, total=None))
                match part:
                    case Held():
                        items.append(part)
                    case Elsewhere():
                        result.elsewhere += 1
                    case Unreadable():
                        result.damage.append(str(part))
        return sorted(items, key=lambda item: (item.date, item.kind == "revisit"))

    def _tasks(self, conn: sqlite3.Connection, items: Sequence[Held], result: Imported) -> Iterator[Task]:
        family = self._portal.cms or runs.family_of(conn, self._portal.id)
        portal = replace(self._portal, cms=family)
        known = {name: imports.known_offsets(conn, name) for name in {item.ref.file for item in items}}
        originals = Originals(
            items, lambda url, date: imports.original_of(conn, self._portal.id, url=url, fetched_at=date)
        )
        for item in items:
            if item.ref.offset in known[item.ref.file]:
                result.known += 1
                continue
            original = originals.of(item) if item.kind == "revisit" else None
            if item.kind == "revisit" and original is None:
                result.unresolved.append(f"{item.ref.file} at byte {item.ref.offset}: {item.url}")
            else:
                yield Task(item=item, original=original, portal=portal, run_id=result.run_id, folder=self._warc)

    def _store(self, conn: sqlite3.Connection, tasks: Sequence[Task], result: Imported) -> None:
        waiting: list[Outcome] = []
        for number, outcome in enumerate(outcomes(tasks, self._jobs), start=1):
            waiting.append(outcome)
            if len(waiting) == BATCH or number == len(tasks):
                self._write(conn, waiting, result)
                waiting.clear()
                self._on_progress(Progress(step="reading", done=number, total=len(tasks)))

    def _write(self, conn: sqlite3.Connection, outcomes_: Iterable[Outcome], result: Imported) -> None:
        outcomes_ = list(outcomes_)
        batch = Batch(
            run_id=result.run_id,
            extractor=EXTRACTOR,
            captures=tuple(outcome.capture for outcome in outcomes_ if outcome.capture),
            articles=tuple(outcome.article for outcome in outcomes_ if outcome.article),
            observations=tuple(outcome.observation for outcome in outcomes_ if outcome.observation),
        )
        for written in writer.write(conn, batch):
            setattr(result, written.outcome, getattr(result, written.outcome) + 1)
        result.unchanged += len(batch.observations)
        kinds = [item.capture.kind for item in batch.captures] + [item.article.capture.kind for item in batch.articles]
        result.kinds.update(kinds)
        result.stored += len(kinds)
        result.failures += [outcome.failure for outcome in outcomes_ if outcome.failure]


def outcomes(tasks: Sequence[Task], jobs: int) -> Iterator[Outcome]:
    """Read on *jobs* processes; results come in the order of *tasks*."""
    if jobs == 1 or len(tasks) < 2 * BATCH:
        yield from map(read, tasks)
        return
    yield from in_order(pool(jobs), read, tasks, ahead=READ_AHEAD * jobs)


def _found(result: Imported) -> int:
    """How many captures of the portal there were."""
    return result.stored + result.known
