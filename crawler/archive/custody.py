"""The chain of custody: at its end each run is sealed by a manifest, which names the one before.

A manifest is ``manifests/RUN.json`` beside the archive: which runs have ended since the manifest before, the length and
SHA-256 of each WARC file finished since, and a digest of the rows written since; its own SHA-256 stands in the table
``manifests`` and in the next manifest. So whoever knows the SHA-256 of one manifest can tell whether anything that it
and those before it name has been changed. What that proves, and what it does not: ``docs/evidence.md``.

The canonical form of a manifest is JSON without blanks, its keys sorted, in UTF-8 (RFC 8785, for texts and integers). A
row is the JSON array of the columns that the manifest lists, a line feed behind it; rows come by their ids.
"""

import hashlib
import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crawler.archive import runs
from crawler.archive.times import to_second
from crawler.version import SOFTWARE
from crawler.warc.files import WarcError, digest_of

FORMAT = "xianzhi-manifest/1"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    # What is learned later (encoding, stored) stays out.
    "captures": (
        "id", "warc_file", "warc_offset", "warc_length", "run_id", "portal_id", "kind", "url", "fetched_at", "status",
        "content_type", "etag", "last_modified", "payload_sha256", "revisit_of", "truncated",
    ),
    "versions": (
        "id", "article_id", "capture_id", "extractor", "seen_at", "title", "published", "meta_published", "source",
        "author", "editor", "text_sha256", "chars", "replaces",
    ),
}  # fmt: skip
"""The tables of which rows are only ever added, and what of a row never changes."""
PORTAL_COLUMNS = ("portal_id", "status", "fetched", "new", "changed", "unchanged", "gone", "failed", "reason")
"""What a manifest's digest of a run's portals is over."""


class ManifestError(Exception):
    """A manifest that cannot be believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A manifest as the table has it."""

    run_id: str
    sha256: str
    previous_sha256: str | None


def folder_of(db: Path) -> Path:
    """Where the manifests of an archive are."""
    return db.with_name("manifests")


def seal(conn: sqlite3.Connection, *, db: Path, warc: Path, late: bool = False) -> Seal | None:
    """Write the manifest of the runs that have ended since the last one; None where none has.

    Only for the holder of the run lock. *late*: before the next run, those that were killed before they had one. Files
    are read once. A predecessor that cannot be read leaves the chain whole, but its numbers unknown: the new manifest
    is then over everything. Raises OSError, sqlite3.Error.
    """
    if late:
        runs.end_killed(conn)
    before = last_seal(conn)
    known = _known(db, before)
    ended = _ended(conn, known.get("running", []))
    if not ended:
        return None
    spans = {table: _span(conn, table, 1 + known.get(table, {}).get("to", 0)) for table in COLUMNS}
    files, unfinished = _files(warc, [*_files_of(conn, spans["captures"]), *known.get("unfinished", [])])
    manifest = {
        "format": FORMAT,
        "software": SOFTWARE,
        "made_at": to_second(datetime.now(UTC)),
        "late": late,
        "previous": {"run": before.run_id, "sha256": before.sha256} if before else None,
        "runs": [_run(conn, run_id) for run_id in ended],
        "running": [
            run_id for (run_id,) in conn.execute("SELECT id FROM runs WHERE status = 'running' ORDER BY rowid")
        ],
        "files": files,
        "unfinished": unfinished,
        **spans,
    }
    data = canonical(manifest)
    made = Seal(
        run_id=ended[-1],
        sha256=hashlib.sha256(data).hexdigest(),
        previous_sha256=before.sha256 if before else None,
    )
    _write(folder_of(db) / f"{made.run_id}.json", data)
    conn.execute(
        "INSERT INTO manifests (run_id, made_at, sha256, previous_sha256) VALUES (?, ?, ?, ?)",
        (made.run_id, manifest["made_at"], made.sha256, made.previous_sha256),
    )
    return made


def is_sealed(conn: sqlite3.Connection, run_id: str, *, db: Path) -> bool:
    """Whether a manifest names the run *run_id*, whose rows must never change then."""
    known = _known(db, last_seal(conn))
    rows = conn.execute("SELECT 1 FROM runs WHERE id = ? AND status <> 'running'", (run_id,)).fetchall()
    return bool(rows) and run_id not in _ended(conn, known.get("running", []))


def seal_and_say(
    conn: sqlite3.Connection, *, db: Path, warc: Path, say: Callable[[int, str], None], late: bool = False
) -> None:
    """`seal`, with a line for the log; where the disk refuses, the next manifest is over these runs, too."""
    try:
        sealed = seal(conn, db=db, warc=warc, late=late)
    except OSError as error:
        say(logging.WARNING, f"no manifest was written, so the next one will be over this run, too: {error}")
    else:
        if sealed:
            say(logging.INFO, f"manifest {sealed.run_id}.json: SHA-256 {sealed.sha256}")


def seals(conn: sqlite3.Connection) -> list[Seal]:
    """Every manifest that the archive knows, in the order in which they were made."""
    rows = conn.execute("SELECT run_id, sha256, previous_sha256 FROM manifests ORDER BY made_at, run_id")
    return [Seal(run_id=run_id, sha256=sha256, previous_sha256=before) for run_id, sha256, before in rows]


def last_seal(conn: sqlite3.Connection) -> Seal | None:
    """The newest manifest: the one that no other names as its predecessor."""
    row = conn.execute(
        "SELECT run_id, sha256, previous_sha256 FROM manifests AS own"
        " WHERE NOT EXISTS (SELECT 1 FROM manifests WHERE previous_sha256 = own.sha256)"
        " ORDER BY made_at DESC, run_id DESC LIMIT 1"
    ).fetchone()
    return Seal(run_id=row[0], sha256=row[1], previous_sha256=row[2]) if row else None


def read_manifest(db: Path, sealed: Seal) -> dict[str, Any]:
    """What a manifest says. Raises ManifestError where its file is not there, or is not what was sealed."""
    path = folder_of(db) / f"{sealed.run_id}.json"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ManifestError(f"{path.name} cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != sealed.sha256:
        raise ManifestError(f"{path.name} is not the file that was sealed: its SHA-256 is another one")
    content: dict[str, Any] = json.loads(data)
    return content


def rows_digest(conn: sqlite3.Connection, table: str, first: int, last: int) -> tuple[int, str]:
    """How many rows a table of `COLUMNS` has with ids from *first* to *last*, and the digest over them."""
    columns = ", ".join(f'"{column}"' for column in COLUMNS[table])
    rows = conn.execute(f"SELECT {columns} FROM {table} WHERE id BETWEEN ? AND ? ORDER BY id", (first, last))  # noqa: S608
    return _digest(rows)


def portals_digest(conn: sqlite3.Connection, run_id: str) -> tuple[int, str]:
    """How many portals a run was over, and the digest over its report of them, by portal."""
    columns = ", ".join(PORTAL_COLUMNS)
    rows = conn.execute(f"SELECT {columns} FROM portal_runs WHERE run_id = ? ORDER BY portal_id", (run_id,))  # noqa: S608
    return _digest(rows)


def canonical(manifest: Mapping[str, Any]) -> bytes:
    """A manifest as it is written and hashed."""
    return json.dumps(manifest, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


# What a manifest says.


def _ended(conn: sqlite3.Connection, ran_on: Sequence[str]) -> list[str]:
    """Runs that have ended and are in no manifest; *ran_on*: those that had not when the last one was made."""
    # Runs are numbered as they begin; their ids would go backwards with the clock.
    rows = conn.execute(
        "SELECT id FROM runs WHERE status <> 'running' AND (id IN (SELECT value FROM json_each(?)) OR rowid >"
        " coalesce((SELECT max(sealed.rowid) FROM manifests JOIN runs AS sealed ON sealed.id = run_id), 0))"
        " ORDER BY rowid",
        (json.dumps(ran_on),),
    )
    return [run_id for (run_id,) in rows]


def _known(db: Path, before: Seal | None) -> dict[str, Any]:
    """What the manifest before says; nothing where there is none, or it is not as it was."""
    try:
        return read_manifest(db, before) if before else {}
    except ManifestError:
        return {}


def _run(conn: sqlite3.Connection, run_id: str) -> dict[str, Any]:
    row = conn.execute("SELECT id, started_at, finished_at, status FROM runs WHERE id = ?", (run_id,)).fetchone()
    portals, sha256 = portals_digest(conn, run_id)
    return {
        **dict(zip(("id", "started_at", "finished_at", "status"), row, strict=True)),
        "portals": {"columns": PORTAL_COLUMNS, "rows": portals, "sha256": sha256},
    }


def _span(conn: sqlite3.Connection, table: str, first: int) -> dict[str, Any]:
    [(last,)] = conn.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchall()  # noqa: S608
    last = max(last, first - 1)
    rows, sha256 = rows_digest(conn, table, first, last)
    return {"columns": COLUMNS[table], "from": first, "to": last, "rows": rows, "sha256": sha256}


def _files_of(conn: sqlite3.Connection, span: Mapping[str, Any]) -> list[str]:
    rows = conn.execute("SELECT DISTINCT warc_file FROM captures WHERE id BETWEEN ? AND ?", (span["from"], span["to"]))
    return [file for (file,) in rows]


def _files(warc: Path, names: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Length and digest of the finished files among *names*, and the names of the others."""
    finished, unfinished = [], []
    for name in sorted(set(names)):
        try:
            said = digest_of(warc, name)
        except WarcError:
            said = None
        if said is None:
            unfinished.append(name)
        else:
            finished.append({"name": name, "bytes": said[0], "sha256": said[1]})
    return finished, unfinished


def _digest(rows: Iterator[tuple[Any, ...]] | sqlite3.Cursor) -> tuple[int, str]:
    count, digest = 0, hashlib.sha256()
    for row in rows:
        count += 1
        digest.update(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
    return count, digest.hexdigest()


def _write(path: Path, data: bytes) -> None:
    """Put a manifest in place, whole; one of that name that the archive does not know is kept beside it."""
    path.parent.mkdir(exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if path.exists() and path.read_bytes() != data:
        path.replace(path.with_name(f"{path.name}.before"))
    part.replace(path)
