"""The chain of custody verified: whether manifests hang together, and whether what they name is as it was."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler.archive.custody import (
    COLUMNS,
    FORMAT,
    ManifestError,
    Seal,
    portals_digest,
    read_manifest,
    rows_digest,
    seals,
)
from crawler.archive.findings import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """What a manifest says of a WARC file."""

    bytes: int
    sha256: str
    run_id: str
    """The manifest's."""


def sealed_files(conn: sqlite3.Connection, db: Path) -> dict[str, SealedFile]:
    """Every WARC file that a manifest names which can be believed."""
    found: dict[str, SealedFile] = {}
    for sealed in seals(conn):
        try:
            files = read_manifest(db, sealed)["files"]
        except ManifestError:
            continue
        for file in files:
            named = SealedFile(bytes=file["bytes"], sha256=file["sha256"], run_id=sealed.run_id)
            found.setdefault(file["name"], named)
    return found


def check_chain(conn: sqlite3.Connection, db: Path) -> Iterator[Finding]:
    """Each manifest but the first names one that is there, no two the same one, and no run is left out."""
    chain = seals(conn)
    known = {sealed.sha256 for sealed in chain}
    followers = Counter(sealed.previous_sha256 for sealed in chain)
    for sealed in chain:
        if sealed.previous_sha256 is not None and sealed.previous_sha256 not in known:
            yield _finding(sealed, "the manifest that it names as the one before is not there")
        if followers[sealed.previous_sha256] > 1:
            where = "as the one before" if sealed.previous_sha256 else "none before"
            yield _finding(sealed, f"it is not the only manifest that names this one {where}")
    if chain and not followers[None]:
        yield Finding(kind="manifest", where="manifests", what="the chain has no beginning")
    if chain:
        yield from _unsealed_runs(conn, db, chain)


def check_manifest(conn: sqlite3.Connection, db: Path, sealed: Seal) -> Iterator[Finding]:
    """One manifest: its file is what was sealed, and the rows that it is over are as they were."""
    try:
        manifest = read_manifest(db, sealed)
    except ManifestError as error:
        yield _finding(sealed, str(error))
        return
    if manifest.get("format") != FORMAT:
        yield _finding(sealed, f"its format {manifest.get('format')!r} is not known to this version of Xianzhi")
        return
    if (manifest["previous"] or {}).get("sha256") != sealed.previous_sha256:
        yield _finding(sealed, "its file and the table name different manifests as the one before")
    for table in COLUMNS:
        span = manifest[table]
        rows, sha256 = rows_digest(conn, table, span["from"], span["to"])
        if (rows, sha256) != (span["rows"], span["sha256"]):
            yield _finding(sealed, _changed_rows(table, span, rows))
    for run in manifest["runs"]:
        yield from _check_run(conn, sealed, run)


def _check_run(conn: sqlite3.Connection, sealed: Seal, run: dict[str, Any]) -> Iterator[Finding]:
    row = conn.execute("SELECT started_at, finished_at, status FROM runs WHERE id = ?", (run["id"],)).fetchone()
    if row != (run["started_at"], run["finished_at"], run["status"]):
        yield _finding(sealed, f"the row of run {run['id']} was changed since")
    if portals_digest(conn, run["id"]) != (run["portals"]["rows"], run["portals"]["sha256"]):
        yield _finding(sealed, f"what portal_runs says of run {run['id']} was changed since")


def _changed_rows(table: str, span: dict[str, Any], rows: int) -> str:
    which = f"{table} {span['from']} to {span['to']}"
    if rows != span["rows"]:
        return f"of the {span['rows']} rows of {which} there are {rows}"
    return f"a row of {which} was changed since"


def _unsealed_runs(conn: sqlite3.Connection, db: Path, chain: list[Seal]) -> Iterator[Finding]:
    named: set[str] = set()
    for sealed in chain:
        try:
            named.update(run["id"] for run in read_manifest(db, sealed)["runs"])
        except ManifestError:
            return  # which is a finding of its own, and leaves open what that manifest named
    for (run_id,) in conn.execute("SELECT id FROM runs WHERE finished_at IS NOT NULL ORDER BY rowid").fetchall():
        if run_id not in named:
            yield Finding(kind="manifest", where=f"run {run_id}", what="it has ended, and no manifest is over it")


def _finding(sealed: Seal, what: str) -> Finding:
    return Finding(kind="manifest", where=f"manifest {sealed.run_id}", what=what)
