"""What a verification may mend by itself: what a crash left half done, and what can be made anew from what is there.

Only for the holder of the run lock. Nothing that was found damaged or changed is touched.
"""

import dataclasses
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from crawler.archive import custody, search
from crawler.archive.connection import open_archive, transaction
from crawler.archive.findings import Finding
from crawler.archive.recovery import adopt, recover
from crawler.verify.units import check, units_of
from crawler.verify.verification import Result


def finish_what_a_crash_left(db: Path, warc: Path) -> Iterator[str]:
    """Before a verification: finish open files, adopt their records, seal the run; a line for people about each."""
    conn = open_archive(db)
    try:
        yield from recover(conn, warc)
        sealed = custody.seal(conn, db=db, warc=warc, late=True)
        if sealed:
            yield f"run {sealed.run_id} had no manifest: written now"
    finally:
        conn.close()


def mend(result: Result, *, db: Path, warc: Path) -> tuple[Result, list[str]]:
    """After a verification: what is left of its findings when all was mended that can be; and a line about each."""
    conn = open_archive(db)
    try:
        said = [*_adopt(conn, warc, result.findings), *_index(conn, result.findings)]
        touched = [unit for unit in units_of(conn, db=db, warc=warc) if unit.key in _touched(result.findings)]
    finally:
        conn.close()
    again = [finding for unit in touched for finding in check(unit, db=db, warc=warc).findings]
    files = tuple(unit.name for unit in touched if unit.subject == "file")
    kept = [finding for finding in result.findings if finding.kind != "search" and not finding.where.startswith(files)]
    return dataclasses.replace(result, findings=(*kept, *again)), said


def _adopt(conn: sqlite3.Connection, warc: Path, findings: tuple[Finding, ...]) -> Iterator[str]:
    for name in _unlisted(findings):
        adopted = adopt(conn, warc / name)
        if adopted:
            yield f"{name}: {adopted} records had no row, and have one now"


def _index(conn: sqlite3.Connection, findings: tuple[Finding, ...]) -> Iterator[str]:
    if any(finding.kind == "search" for finding in findings):
        with transaction(conn):
            search.clear(conn)
        yield f"the full-text index was made anew: {search.catch_up(conn)} articles"


def _touched(findings: tuple[Finding, ...]) -> set[str]:
    """Keys of the pieces that are to be checked again."""
    files = {f"file {name}" for name in _unlisted(findings)}
    return files | {"archive search" for finding in findings if finding.kind == "search"}


def _unlisted(findings: tuple[Finding, ...]) -> list[str]:
    return sorted({finding.where.partition(" at byte ")[0] for finding in findings if finding.kind == "unlisted"})
