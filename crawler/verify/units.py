"""A verification cut into pieces that processes share, and that are done once however often it is interrupted."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from crawler.archive import consistency, custody, custody_checks
from crawler.archive.connection import open_archive
from crawler.archive.custody_checks import SealedFile
from crawler.archive.findings import CaptureRow, Finding, captured_files, rows_of
from crawler.verify.awaited import awaited
from crawler.verify.files import check_file
from crawler.warc.files import Listed, listed

IDS = {"versions": 2_000, "sections": 20_000}
"""Ids that are checked in one piece: about a second."""
NOT_THERE = Listed(0, "0")
FINDINGS = 200
"""Findings that are told of one piece; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A piece of the work."""

    subject: str
    """``file``, ``manifest``, ``chain``, ``archive``, or a table whose rows are checked by spans of ids."""
    name: str = ""
    """Of the file, the manifest's run, or the check over the whole archive (`consistency.CHECKS`)."""
    first: int = 0
    last: int = 0
    """Ids."""
    seal: custody.Seal | None = None
    """Of a manifest."""
    sealed: SealedFile | None = None
    """What a manifest says of a file."""
    bytes: int = 0
    """Of a file."""
    is_awaited: bool = False
    """Whether a shard that was not merged yet brings a file's rows: that it has none is nothing wrong."""
    mark: str = ""
    """Another one than before means that the piece is not what it was, and is to be checked again."""

    @property
    def key(self) -> str:
        """Names the piece within a verification."""
        return " ".join(map(str, filter(None, (self.subject, self.name, self.first, self.last))))


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of a piece."""

    key: str
    mark: str
    findings: list[Finding]
    counts: dict[str, int] = field(default_factory=dict)
    """What was looked at: ``files``, ``awaited`` ones of them, ``bytes``, ``records``, ``captures``, ``versions`` …"""


def units_of(conn: sqlite3.Connection, *, db: Path, warc: Path) -> list[Unit]:
    """Everything that there is to verify: what takes longest first, so that no process waits for another at the end."""
    return [
        *(Unit(subject="archive", name=name) for name in consistency.CHECKS),
        *sorted(_files(conn, db, warc), key=lambda unit: -unit.bytes),
        *_spans(conn),
        Unit(subject="chain"),
        *(Unit(subject="manifest", name=seal.run_id, seal=seal) for seal in custody.seals(conn)),
    ]


def check(unit: Unit, *, db: Path, warc: Path) -> Outcome:
    """Do one piece. Raises ArchiveError where the archive cannot be opened."""
    conn = open_archive(db, readonly=True)
    try:
        findings, counts = _CHECKS[unit.subject](conn, unit, db, warc)
    except sqlite3.DatabaseError as error:
        what = f"cannot be read: {error}"
        findings, counts = [Finding(kind="database", where=unit.key, what=what)], {}
    finally:
        conn.close()
    return Outcome(key=unit.key, mark=unit.mark, findings=findings, counts=counts)


def _files(conn: sqlite3.Connection, db: Path, warc: Path) -> Iterator[Unit]:
    """Every file that is there, or that rows or manifests say should be."""
    captures = captured_files(conn)
    sealed = custody_checks.sealed_files(conn, db)
    there = listed(warc)
    on_their_way = awaited(conn, warc, {name: file for name, file in there.items() if name not in captures})
    for name in sorted(there.keys() | captures.keys() | sealed.keys()):
        size, changed_at, _ = there.get(name, NOT_THERE)
        is_awaited = name in on_their_way
        yield Unit(
            subject="file",
            name=name,
            sealed=sealed.get(name),
            bytes=size,
            is_awaited=is_awaited,
            mark=f"{size} bytes of {changed_at}, {'awaited' if is_awaited else captures.get(name, 0)} rows",
        )


def _spans(conn: sqlite3.Connection) -> Iterator[Unit]:
    for table, last in consistency.last_ids(conn).items():
        for first in range(1, last + 1, IDS[table]):
            yield Unit(subject=table, first=first, last=min(first + IDS[table] - 1, last))


def _check_file(conn: sqlite3.Connection, unit: Unit, _: Path, warc: Path) -> tuple[list[Finding], dict[str, int]]:
    return checked_file(warc, unit.name, rows_of=partial(rows_of, conn), sealed=unit.sealed, is_awaited=unit.is_awaited)


def checked_file(
    warc: Path,
    name: str,
    *,
    rows_of: Callable[[str], list[CaptureRow]],
    sealed: SealedFile | None,
    is_awaited: bool,
) -> tuple[list[Finding], dict[str, int]]:
    """Findings and counts of a WARC file, with what `check_file` asks for."""
    report = check_file(warc, name, rows_of=rows_of, sealed=sealed, is_awaited=is_awaited)
    counts = {"files": 1, "bytes": report.bytes, "records": report.records, "captures": report.captures}
    counts["awaited"] = int(is_awaited)
    return _told(iter(report.findings)), counts


def _check_span(conn: sqlite3.Connection, unit: Unit, *_: Path) -> tuple[list[Finding], dict[str, int]]:
    found = _told(consistency.PIECEWISE[unit.subject](conn, unit.first, unit.last))
    return found, {unit.subject: consistency.count(conn, unit.subject, unit.first, unit.last)}


def _check_manifest(conn: sqlite3.Connection, unit: Unit, db: Path, _: Path) -> tuple[list[Finding], dict[str, int]]:
    assert unit.seal is not None
    return _told(custody_checks.check_manifest(conn, db, unit.seal)), {"manifests": 1}


def _check_chain(conn: sqlite3.Connection, _: Unit, db: Path, __: Path) -> tuple[list[Finding], dict[str, int]]:
    return _told(custody_checks.check_chain(conn, db)), {}


def _check_archive(conn: sqlite3.Connection, unit: Unit, *_: Path) -> tuple[list[Finding], dict[str, int]]:
    return _told(consistency.CHECKS[unit.name](conn)), {}


_CHECKS: dict[str, Any] = {
    "file": _check_file,
    "versions": _check_span,
    "sections": _check_span,
    "manifest": _check_manifest,
    "chain": _check_chain,
    "archive": _check_archive,
}


def _told(findings: Iterator[Finding]) -> list[Finding]:
    told = list(islice(findings, FINDINGS))
    more = sum(1 for _ in findings)
    if more:
        last = told[-1]
        told.append(Finding(kind=last.kind, where=last.where, what=f"and {more} findings more like these"))
    return told
