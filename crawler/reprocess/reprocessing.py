"""The whole reprocessing: pages on all cores, one writer, and an interrupted one goes on where it was."""

import contextlib
import gc
import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Protocol

from crawler.archive import afterwards, rereadings, rules, runs
from crawler.archive.connection import open_archive, refuse_published, transaction
from crawler.archive.histories import Histories, History, known_portals
from crawler.archive.lock import RunLock
from crawler.archive.rereadings import Found
from crawler.catalogue import Catalogue, Portal
from crawler.processes import in_order, pool
from crawler.reprocess.changes import PageCounts, Summary
from crawler.reprocess.notes import Notes, Progress
from crawler.reprocess.page import PageReader, PageResult, with_excerpts
from crawler.reprocess.past import ArchivedPast
from crawler.version import EXTRACTOR

PIECE = 20
"""Pages that a process is given at once."""
AHEAD = 3
"""Pieces for each process that are read before the first of them is written."""
WRITTEN_AT_ONCE = 100
"""Rereadings stored in one transaction."""
NOTED_EVERY = 2.0
"""Seconds between two notes of how far it is, where nothing has to be written."""
STOP_EVERY = 100_000
"""SQLite's instructions between two looks at whether to stop: some milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is to be read again, and how."""

    db: Path
    warc: Path
    portals: frozenset[str] = frozenset()
    """Ids; none: all of the archive."""
    since: str | None = None
    until: str | None = None
    """Days (``YYYY-MM-DD``, UTC), both included: pages that were captured then."""
    jobs: int = 1
    dry_run: bool = False
    restart: bool = False
    """An interrupted one is not gone on with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What it came to."""

    summary: Summary
    """Of what an interrupted one had done, too."""
    pages_now: int
    captures_now: int
    seconds: float
    is_whole: bool
    """False where it was stopped before the end."""


class UnknownPortalError(LookupError):
    """A portal that the archive has not."""


class Elsewhere(Protocol):
    """Other hosts, which read pages whose WARC files are in a store."""

    def hand_out(
        self,
        conn: sqlite3.Connection,
        histories: Iterable[History],
        portals: Mapping[str, Portal],
        *,
        moved: Collection[str],
        done: Collection[str],
        restart: bool,
    ) -> tuple[list[History], int]:
        """Let them read what they can of *histories*, but for pieces that are *done*; the others, and how many went."""

    def pieces(self) -> Iterator["Piece"]:
        """What came of each piece of that work, until all is there, or `stop`."""

    def stop(self) -> None:
        """Wait no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Pages that were read elsewhere together."""

    name: str
    pages: int
    results: Iterator[PageResult]
    """To be taken before the next piece."""
    failure: str | None = None
    """Why there are none."""


class Reprocessing:
    """Reads pages again by today's rules and *catalogue*. *on_progress*: pages done, all pages, what came of them.

    What hosts *elsewhere* take is not read here.
    """

    def __init__(
        self,
        options: Options,
        catalogue: Catalogue,
        *,
        elsewhere: Elsewhere | None = None,
        on_progress: Callable[[int, int, Summary], None] = lambda *_: None,
        on_log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._options = options
        self._catalogue = catalogue
        self._elsewhere = elsewhere
        self._is_whole = True
        self._on_progress = on_progress
        self._on_log = on_log
        self._is_stopping = False

    def stop(self) -> None:
        """End after what is being read; safe to call from a signal handler."""
        self._is_stopping = True
        if self._elsewhere is not None:
            self._elsewhere.stop()

    def __call__(self) -> Result:
        """Read everything; a dry run writes nothing, and a crawl may go on meanwhile.

        Raises LockHeldError, ArchiveError, UnknownPortalError, sqlite3.Error, BrokenProcessPool where a process died,
        and what *elsewhere* does.
        """
        options, began = self._options, time.monotonic()
        # A wrong name is no reason to make an archive, or a lock beside another file; an older archive is migrated.
        open_archive(options.db, readonly=options.dry_run, make=False).close()
        with contextlib.nullcontext() if options.dry_run else RunLock(options.db):
            conn = open_archive(options.db, readonly=options.dry_run)
            try:
                refuse_published(conn, options.db)
                return self._reprocess(conn, began)
            finally:
                conn.close()

    def _reprocess(self, conn: sqlite3.Connection, began: float) -> Result:
        options = self._options
        portals = chosen_portals(conn, self._catalogue, options.portals)
        notes = Notes(options.db, about(portals.values(), options))
        if options.restart and not options.dry_run:
            notes.forget()
        progress = Progress() if options.dry_run else notes.read()
        if progress.upto or progress.files:
            self._on_log(f"going on behind {progress.summary.counts.pages:,} pages that an interrupted run has read")
        progress.moved = sorted({*progress.moved, *moved_portals(conn, portals)})
        if not options.dry_run:
            notes.write(progress)
            with transaction(conn):
                runs.sync_portals(conn, [portal for portal in portals.values() if portal in self._catalogue.portals])
        histories = Histories(conn, portals, since=options.since, until=options.until)
        histories.leave_out(progress.upto)
        before = progress.summary.counts
        with _few_collections():
            self._go_through(conn, histories, portals, progress, notes)
        if not (options.dry_run or self._is_stopping):
            if self._is_whole:
                notes.forget()
            if self._is_whole and not (options.portals or options.since or options.until):
                rules.note(options.db, EXTRACTOR)
            self._learn(conn)
        counts = progress.summary.counts
        return Result(
            summary=progress.summary,
            pages_now=counts.pages - before.pages,
            captures_now=counts.captures - before.captures,
            seconds=time.monotonic() - began,
            is_whole=not self._is_stopping,
        )

    def _go_through(
        self,
        conn: sqlite3.Connection,
        histories: Histories,
        portals: Mapping[str, Portal],
        progress: Progress,
        notes: Notes,
    ) -> None:
        if self._elsewhere is None:
            total, results = len(histories), self._in_order(conn, histories, portals, progress)
        else:
            total, results = self._everywhere(conn, histories, portals, progress)
        waiting: list[Found] = []
        noted_at = time.monotonic()
        done = 0
        for done, result in enumerate(results, start=1):
            waiting += result.found
            progress.summary.add(result.counts, result.changes, result.failures)
            if len(waiting) >= WRITTEN_AT_ONCE or time.monotonic() - noted_at > NOTED_EVERY:
                self._write(conn, waiting, progress, notes)
                self._on_progress(done, total, progress.summary)
                waiting, noted_at = [], time.monotonic()
            if self._is_stopping:
                break
        self._write(conn, waiting, progress, notes)
        self._on_progress(done, total, progress.summary)

    def _write(self, conn: sqlite3.Connection, found: list[Found], progress: Progress, notes: Notes) -> None:
        if not self._options.dry_run:
            if found:
                rereadings.write(conn, found, extractor=EXTRACTOR)
            notes.write(progress)

    def _in_order(
        self, conn: sqlite3.Connection, histories: Histories, portals: Mapping[str, Portal], progress: Progress
    ) -> Iterator[PageResult]:
        """What becomes of each page, in their order, which tells how far it is."""
        for result in self._results(conn, histories, portals, progress.moved):
            progress.upto[result.portal_id] = result.url
            yield result

    def _everywhere(
        self, conn: sqlite3.Connection, histories: Histories, portals: Mapping[str, Portal], progress: Progress
    ) -> tuple[int, Iterator[PageResult]]:
        """How many pages there are, and what becomes of each, here and elsewhere, as it comes."""
        assert self._elsewhere is not None
        done = frozenset(progress.files)
        here, away = self._elsewhere.hand_out(
            conn, histories, portals, moved=progress.moved, done=done, restart=self._options.restart
        )
        return len(here) + away, chain(
            self._results(conn, here, portals, progress.moved), self._from_elsewhere(conn, self._elsewhere, progress)
        )

    def _from_elsewhere(
        self, conn: sqlite3.Connection, elsewhere: Elsewhere, progress: Progress
    ) -> Iterator[PageResult]:
        past = ArchivedPast(conn)
        for piece in elsewhere.pieces():
            if piece.failure is not None:
                self._is_whole = False
                progress.summary.add(PageCounts(failed=piece.pages), (), [piece.failure])
                continue
            for result in piece.results:
                yield with_excerpts(result, past)
            progress.files.append(piece.name)

    def _results(
        self,
        conn: sqlite3.Connection,
        histories: Iterable[History],
        portals: Mapping[str, Portal],
        moved: Collection[str],
    ) -> Iterator[PageResult]:
        """What becomes of each page, in their order."""
        options = self._options
        if options.jobs == 1:
            reader, past = PageReader(options.warc, portals, moved), ArchivedPast(conn)
            yield from (reader.read(history, past) for history in histories)
            return
        processes = pool(options.jobs, _begin_reading, options.db, options.warc, portals, moved)
        for piece in in_order(processes, _read_piece, _pieces(histories), ahead=AHEAD * options.jobs):
            yield from piece

    def _learn(self, conn: sqlite3.Connection) -> None:
        """Bring what takes the whole archive to know up to date; a stop leaves the rest of it to the next run."""
        conn.set_progress_handler(lambda: self._is_stopping, STOP_EVERY)
        try:
            afterwards.learn(conn)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            self._on_log("stopped while comparing; the next run goes on from here")
        finally:
            conn.set_progress_handler(None, 0)


def chosen_portals(conn: sqlite3.Connection, catalogue: Catalogue, wanted: Collection[str]) -> dict[str, Portal]:
    """The entries of the portals asked for, or of all that the archive has, by id.

    A family that was detected, and a portal that is in no catalogue any more, are taken from the archive. Raises
    UnknownPortalError.
    """
    known = known_portals(conn)
    unknown = sorted(set(wanted) - known.keys())
    if unknown:
        raise UnknownPortalError(f"no such portal in the archive: {', '.join(unknown)}")
    listed = {portal.id: portal for portal in catalogue}
    chosen: dict[str, Portal] = {}
    for portal_id, stored in known.items():
        if not wanted or portal_id in wanted:
            entry = listed.get(portal_id, stored)
            chosen[portal_id] = entry if entry.cms else replace(entry, cms=stored.cms)
    return chosen


def moved_portals(conn: sqlite3.Connection, portals: Mapping[str, Portal]) -> set[str]:
    """Those of *portals* whose articles may belong to another division, or name other places, than when last read."""
    known = known_portals(conn)
    return {
        portal.id
        for portal in portals.values()
        if (portal.name, portal.division, portal.homepage)
        != (known[portal.id].name, known[portal.id].division, known[portal.id].homepage)
    }


def about(portals: Iterable[Portal], options: Options) -> dict[str, object]:
    """What one reprocessing is told from another by: the rules, what the catalogue adds to them, the pages."""
    hints = [
        [p.id, p.cms, p.body, p.encoding, p.name, p.division, p.homepage] for p in sorted(portals, key=lambda p: p.id)
    ]
    return {
        "extractor": EXTRACTOR,
        "catalogue": hashlib.sha256(json.dumps(hints).encode()).hexdigest(),
        "since": options.since,
        "until": options.until,
        "warc": str(options.warc.resolve()),
    }


def _pieces(histories: Iterable[History]) -> Iterator[list[History]]:
    iterator = iter(histories)
    while piece := list(islice(iterator, PIECE)):
        yield piece


@contextlib.contextmanager
def _few_collections() -> Iterator[None]:
    """Trees and records come and go by thousands a page; looking through all modules each time costs a tenth."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


_reader: tuple[PageReader, ArchivedPast] | None = None
"""In a helping process, the one that reads, and whom it asks."""


def _begin_reading(db: Path, warc: Path, portals: Mapping[str, Portal], moved: Collection[str]) -> None:
    global _reader  # noqa: PLW0603 - a process of a pool has no other place
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    _reader = PageReader(warc, portals, moved), ArchivedPast(open_archive(db, readonly=True))


def _read_piece(piece: list[History]) -> list[PageResult]:
    assert _reader is not None
    reader, past = _reader
    return [reader.read(history, past) for history in piece]
