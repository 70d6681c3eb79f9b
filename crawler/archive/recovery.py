"""After a crash: WARC files that were left open are finished, and their records that have no row are adopted.

Bytes are written before the rows that point at them, so a crash may leave records without a row, never a row without
its record. What the records' requests were for stays queued in the frontier and is asked for again.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from crawler.archive import media, queries
from crawler.archive.batch import StoredCapture
from crawler.archive.captures import Captures
from crawler.archive.connection import transaction
from crawler.archive.queries import StoredRecord
from crawler.records import Capture, CaptureKind
from crawler.text.canonical import canonical
from crawler.warc.files import FILE_NAME, WarcError, open_files
from crawler.warc.reader import Entry, entries, read_capture, read_record
from crawler.warc.record import RENDERING
from crawler.warc.salvage import salvage

CAPTURED = frozenset({"response", "revisit", "resource"})


def recover(conn: sqlite3.Connection, warc: Path) -> Iterator[str]:
    """Finish every file in the folder *warc* that a dead process left open; a line for people about each.

    Only for the holder of the run lock. A file that cannot be salvaged is named and left as it is.
    """
    for opened in open_files(warc) if warc.is_dir() else []:
        try:
            saved = salvage(opened)
            adopted = adopt(conn, saved.file) if saved.file else 0
        except WarcError as error:
            yield f"not salvaged: {error}"
            continue
        yield (
            f"{opened.name}: a crash left it open; {saved.records} whole records kept, {adopted} of them had no row,"
            f" {saved.cut_bytes} bytes of a cut one set aside"
        )


def adopt(conn: sqlite3.Connection, file: Path) -> int:
    """Give every response and drawn page in *file* that has no row its row in ``captures``; how many there were."""
    name = FILE_NAME.fullmatch(file.name)
    run = name and conn.execute("SELECT max(run_id) FROM portal_runs WHERE portal_id = ?", (name["portal"],)).fetchone()
    if not name or not run or run[0] is None:
        return 0
    known = {offset for (offset,) in conn.execute("SELECT warc_offset FROM captures WHERE warc_file = ?", (file.name,))}
    orphans = [e for e in entries(file) if e.kind in CAPTURED and e.ref.offset not in known and e.url]
    with transaction(conn):
        rows = Captures(conn)
        for entry in orphans:
            rows.store(
                [StoredCapture(capture=_capture(conn, file.parent, entry, run_id=run[0], portal_id=name["portal"]))]
            )
    return len(orphans)


def _capture(conn: sqlite3.Connection, folder: Path, entry: Entry, *, run_id: str, portal_id: str) -> Capture:
    url = (entry.url or "").removeprefix(RENDERING)
    digest = (entry.payload_digest or "").removeprefix("sha256:")
    original = _original(conn, folder, entry, portal_id=portal_id) if entry.kind == "revisit" else None
    is_bodiless = entry.kind == "revisit" and original is None
    response = None if is_bodiless else read_capture(folder, entry.ref, original.record if original else None)
    head = response.head if response else None
    status = entry.status or (head and head.status) or 0
    entity = b"" if response is None or status == 304 else response.entity
    return Capture(
        run_id=run_id,
        portal_id=portal_id,
        kind=_kind(conn, portal_id, url),
        url=url,
        fetched_at=datetime.fromisoformat(entry.date),
        status=status,
        content_type=entry.content_type,
        content_encoding=head.get("Content-Encoding") if head else None,
        etag=head.get("ETag") if head else None,
        last_modified=head.get("Last-Modified") if head else None,
        payload_sha256=hashlib.sha256(entity).hexdigest() if response else digest,
        record=entry.ref,
        revisit_of=original.record if original else None,
        truncated=None if response is None or response.whole else "unspecified",
    )


def _original(conn: sqlite3.Connection, folder: Path, entry: Entry, *, portal_id: str) -> StoredRecord | None:
    """The capture that a revisit says it repeats: by address and time, for its digest may be over chunk framing."""
    fields = read_record(folder, entry.ref).fields
    url, date = fields.get("warc-refers-to-target-uri"), fields.get("warc-refers-to-date")
    if not url or not date:
        return None
    return queries.find_whole(conn, portal_id=portal_id, url=url, fetched_at=datetime.fromisoformat(date))


def _kind(conn: sqlite3.Connection, portal_id: str, url: str) -> CaptureKind:
    """What the frontier asked for at *url*, or an article links to there."""
    portal = conn.execute("SELECT homepage FROM portals WHERE id = ?", (portal_id,)).fetchone()
    key = canonical(url, homepage=portal[0] if portal else None)
    row = conn.execute("SELECT kind FROM frontier WHERE portal_id = ? AND key = ?", (portal_id, key)).fetchone()
    if row:
        kind: CaptureKind = row[0]
        return kind
    return "robots" if urlsplit(url).path == "/robots.txt" else media.kind_at(conn, portal_id, url) or "other"
