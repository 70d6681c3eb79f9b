"""Verifying on several hosts: a WARC file of the store an errand; the rows, the manifests and the verdict stay here."""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from crawler.archive.connection import open_archive
from crawler.archive.custody_checks import SealedFile
from crawler.archive.findings import CaptureRow, Finding, rows_of
from crawler.queue import parcels
from crawler.queue.outstanding import Answer, Outstanding
from crawler.queue.parcels import ParcelError, as_type
from crawler.store import is_name
from crawler.verify.units import Outcome, Unit, checked_file
from crawler.warc.files import IN_STORE, is_at_hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line of a task; a capture a line follows."""

    file: str
    sealed: SealedFile | None
    is_awaited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The one line of a result."""

    findings: list[Finding]
    counts: dict[str, int]


class VerifyingElsewhere:
    """Hands out those WARC files that are in the store and not in the folder *warc*."""

    def __init__(self, outstanding: Outstanding, *, db: Path, warc: Path, restart: bool) -> None:
        self._outstanding = outstanding
        self._db = db
        self._warc = warc
        self._restart = restart
        self._units: dict[str, Unit] = {}
        """By file."""

    def hand_out(self, units: Collection[Unit], *, began_at: str) -> Collection[str]:
        """See `crawler.verify.verification.Elsewhere`. Raises QueueAway, StoreError."""
        stamp = "".join(filter(str.isdigit, began_at))
        self._outstanding.begin(stamp, anew=self._restart)
        with closing(open_archive(self._db, readonly=True)) as conn:
            for unit in units:
                if unit.subject == "file" and unit.bytes and self._is_away(unit.name):
                    try:
                        rows = rows_of(conn, unit.name)
                    except sqlite3.DatabaseError:
                        continue  # told by who checks it here
                    header = Header(file=unit.name, sealed=unit.sealed, is_awaited=unit.is_awaited)
                    self._outstanding.hand_out(unit.name, [header, *rows])
                    self._units[unit.name] = unit
        return {unit.key for unit in self._units.values()}

    def outcomes(self) -> Iterator[Outcome]:
        """See `crawler.verify.verification.Elsewhere`. Raises WithdrawnError."""
        for answer in self._outstanding.answers():
            unit = self._units[answer.file]
            checked = _checked(answer)
            yield Outcome(key=unit.key, mark=unit.mark, findings=checked.findings, counts=checked.counts)

    def _is_away(self, name: str) -> bool:
        return is_name(IN_STORE + name) and not is_at_hand(self._warc, name)


def perform(task: Path, warc: Path) -> Iterator[object]:
    """What a worker does: check the file of a *task*, which is in the folder *warc*, or should be; the result's lines.

    Raises ParcelError.
    """
    lines = parcels.read(task)
    header = as_type(next(lines, None), Header)
    rows = [as_type(line, CaptureRow) for line in lines]
    findings, counts = checked_file(
        warc, header.file, rows_of=lambda _: rows, sealed=header.sealed, is_awaited=header.is_awaited
    )
    yield Checked(findings=findings, counts=counts)


def _checked(answer: Answer) -> Checked:
    reason = answer.reason
    if answer.path is not None:
        try:
            return as_type(next(parcels.read(answer.path), None), Checked)
        except ParcelError as error:
            reason = str(error)
    what = f"no worker could check it: {reason}"
    return Checked(findings=[Finding(kind="unchecked", where=answer.file, what=what)], counts={})
