"""The whole verification: pieces on all cores, those of an interrupted one not again."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import as_completed
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

from crawler import processes
from crawler.archive.connection import open_archive, refuse_published
from crawler.archive.findings import Finding
from crawler.verify.notes import Notes
from crawler.verify.units import Outcome, Unit, check, units_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a verification is."""

    done: int
    units: int
    bytes: int
    """Of WARC files, looked at now."""
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a verification came to."""

    began_at: str
    """UTC; before now where an interrupted one went on."""
    seconds: float
    """Of this process."""
    counts: dict[str, int]
    findings: tuple[Finding, ...]
    bytes_now: int
    """Of WARC files, without those that an interrupted one had looked at."""


class Elsewhere(Protocol):
    """Other hosts, which check WARC files of a store."""

    def hand_out(self, units: Collection[Unit], *, began_at: str) -> Collection[str]:
        """Let them check what they can of *units*; the keys of these. *began_at* tells one verification from others."""

    def outcomes(self) -> Iterator[Outcome]:
        """What came of each of these."""


def verify(
    *,
    db: Path,
    warc: Path,
    jobs: int = 1,
    restart: bool = False,
    elsewhere: Elsewhere | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Result:
    """Verify the archive *db* with its WARC files; nothing is written but the notes of what is done.

    A crawl may go on meanwhile. What hosts *elsewhere* take is not read here. Raises ArchiveError where there is no
    archive that can be used, BrokenProcessPool where a process died, and what *elsewhere* does; after these, and after
    KeyboardInterrupt, the next call goes on unless told to *restart*.
    """
    began = time.monotonic()
    notes = Notes(db, warc=warc)
    if restart:
        notes.forget()
    units = _units(db, warc)
    marks = {unit.key: unit.mark for unit in units}
    outcomes = {key: outcome for key, outcome in notes.read().items() if marks.get(key) == outcome.mark}
    waiting = [unit for unit in units if unit.key not in outcomes]
    notes.begin(outcomes)
    bytes_now, is_done = 0, False
    try:
        away = elsewhere.hand_out(waiting, began_at=notes.began_at) if elsewhere else ()
        here = [unit for unit in waiting if unit.key not in away]
        for outcome in chain(_outcomes(here, db=db, warc=warc, jobs=jobs), elsewhere.outcomes() if elsewhere else ()):
            outcomes[outcome.key] = outcome
            if all(finding.kind != "unchecked" for finding in outcome.findings):
                notes.add(outcome)
            bytes_now += outcome.counts.get("bytes", 0)
            findings = sum(len(each.findings) for each in outcomes.values())
            on_progress(Progress(done=len(outcomes), units=len(units), bytes=bytes_now, findings=findings))
        is_done = True
    finally:
        notes.close(is_done=is_done)
    counts: Counter[str] = Counter()
    for outcome in outcomes.values():
        counts.update(outcome.counts)
    return Result(
        began_at=notes.began_at,
        seconds=time.monotonic() - began,
        counts=dict(counts),
        findings=tuple(finding for unit in units for finding in outcomes[unit.key].findings),
        bytes_now=bytes_now,
    )


def _units(db: Path, warc: Path) -> list[Unit]:
    conn = open_archive(db, readonly=True)
    try:
        refuse_published(conn, db)
        return units_of(conn, db=db, warc=warc)
    finally:
        conn.close()


def _outcomes(units: list[Unit], *, db: Path, warc: Path, jobs: int) -> Iterator[Outcome]:
    if jobs == 1 or len(units) < 2:
        yield from (check(unit, db=db, warc=warc) for unit in units)
        return
    executor = processes.pool(min(jobs, len(units)))
    try:
        for future in as_completed([executor.submit(check, unit, db=db, warc=warc) for unit in units]):
            yield future.result()
    finally:
        executor.shutdown(cancel_futures=True)
