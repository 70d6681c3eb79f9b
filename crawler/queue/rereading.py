"""Reading pages again on several hosts: those of a WARC file an errand; what is read is written here alone."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from crawler.archive.histories import History
from crawler.archive.rereadings import Found, FoundArticle, FoundEdit, Recoded, Refreshed, Reread
from crawler.catalogue import Portal
from crawler.queue import parcels
from crawler.queue.outstanding import Answer, Outstanding
from crawler.queue.parcels import ParcelError, as_type
from crawler.reprocess.changes import Change, PageCounts
from crawler.reprocess.page import PageReader, PageResult
from crawler.reprocess.past import PackedPast
from crawler.reprocess.reprocessing import Piece
from crawler.store import Store
from crawler.warc.files import IN_STORE

KINDS: Mapping[str, type[Found]] = {
    each.__name__: each for each in (Reread, FoundEdit, FoundArticle, Refreshed, Recoded)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line of a task; a page a line follows."""

    portal: Portal
    is_moved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is known of a page."""

    history: History
    past: PackedPast


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPage:
    """A line of a result: a `PageResult` whose findings say what they are."""

    portal_id: str
    url: str
    counts: PageCounts
    found: tuple[tuple[str, Any], ...]
    changes: tuple[Change, ...]
    failures: tuple[str, ...]


class RereadingElsewhere:
    """Hands out the pages whose every capture lies in a file of the *store*, those of a file together."""

    def __init__(self, outstanding: Outstanding, store: Store) -> None:
        self._outstanding = outstanding
        self._store = store
        self._pages: dict[str, tuple[str, int]] = {}
        """By errand: the piece's name, and how many pages there are."""

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
        """See `crawler.reprocess.reprocessing.Elsewhere`. Raises QueueAway, StoreError."""
        self._outstanding.begin("", anew=restart)
        there = frozenset(name.removeprefix(IN_STORE) for name in self._store.names(IN_STORE))
        here: list[History] = []
        for portal_id, pages in groupby(histories, key=lambda history: history.portal_id):
            header = Header(portal=portals[portal_id], is_moved=portal_id in moved)
            by_file: dict[str, list[History]] = {}
            for history in pages:
                if _files(history) <= there:
                    by_file.setdefault(_file(history), []).append(history)
                else:
                    here.append(history)
            for file, together in by_file.items():
                piece = f"{portal_id}/{file}"
                if piece not in done and not self._outstanding.is_stopping():
                    self._hand_out(conn, piece, file, header, together)
        return here, sum(pages for _, pages in self._pages.values())

    def pieces(self) -> Iterator[Piece]:
        """See `crawler.reprocess.reprocessing.Elsewhere`. Raises WithdrawnError."""
        for answer in self._outstanding.answers():
            piece, pages = self._pages[answer.name]
            try:
                results = _results(answer)
            except ParcelError as error:
                failure = f"{answer.file}: no worker could read it: {error}"
                yield Piece(name=piece, pages=pages, results=iter(()), failure=failure)
            else:
                yield Piece(name=piece, pages=pages, results=results)

    def stop(self) -> None:
        """Wait no longer."""
        self._outstanding.stop()

    def _hand_out(
        self, conn: sqlite3.Connection, piece: str, file: str, header: Header, histories: list[History]
    ) -> None:
        pages = (Page(history=history, past=PackedPast.pack(conn, history)) for history in histories)
        name = self._outstanding.hand_out(file, (each for part in ((header,), pages) for each in part))
        self._pages[name] = piece, len(histories)


def perform(task: Path, warc: Path) -> Iterator[object]:
    """What a worker does: read the pages of a *task* again; the result's lines. Raises ParcelError."""
    lines = parcels.read(task)
    header = as_type(next(lines, None), Header)
    portal = header.portal
    reader = PageReader(warc, {portal.id: portal}, {portal.id} if header.is_moved else ())
    for line in lines:
        page = as_type(line, Page)
        result = reader.read(page.history, page.past)
        yield ReadPage(
            portal_id=result.portal_id,
            url=result.url,
            counts=result.counts,
            found=tuple((type(found).__name__, found) for found in result.found),
            changes=result.changes,
            failures=result.failures,
        )


def _results(answer: Answer) -> Iterator[PageResult]:
    """What was read. Raises ParcelError before the first where any is no result: half of a piece is not written."""
    if answer.path is None:
        raise ParcelError(answer.reason)
    path = answer.path
    for line in parcels.read(path):
        _result(line)
    return map(_result, parcels.read(path))


def _result(line: Any) -> PageResult:
    page = as_type(line, ReadPage)
    unknown = {name for name, _ in page.found} - KINDS.keys()
    if unknown:
        raise ParcelError(f"found {', '.join(sorted(unknown))}")
    return PageResult(
        portal_id=page.portal_id,
        url=page.url,
        counts=page.counts,
        found=tuple(as_type(found, KINDS[name]) for name, found in page.found),
        changes=page.changes,
        failures=page.failures,
    )


def _file(history: History) -> str:
    """Where the page's first capture has its bytes."""
    first = history.sightings[0].capture
    return (first.revisit_of or first.record).file


def _files(history: History) -> set[str]:
    captures = (sighting.capture for sighting in history.sightings)
    places = (place for capture in captures for place in (capture.record, capture.revisit_of))
    return {place.file for place in places if place is not None}
