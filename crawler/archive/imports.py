"""What an import asks of the archive: which records it has already, and the originals that revisits name."""

import sqlite3
from datetime import datetime

from crawler.archive.times import to_microsecond
from crawler.records import RecordRef


def known_offsets(conn: sqlite3.Connection, file: str) -> set[int]:
    """Where the records of a WARC file begin that are captures already."""
    return {offset for (offset,) in conn.execute("SELECT warc_offset FROM captures WHERE warc_file = ?", (file,))}


def original_of(conn: sqlite3.Connection, portal_id: str, *, url: str, fetched_at: datetime) -> RecordRef | None:
    """The portal's stored capture, no revisit itself, of *url* at that instant."""
    row = conn.execute(
        "SELECT warc_file, warc_offset, warc_length FROM captures"
        " WHERE url = ? AND fetched_at = ? AND portal_id = ? AND revisit_of IS NULL",
        (url, to_microsecond(fetched_at), portal_id),
    ).fetchone()
    return RecordRef(file=row[0], offset=row[1], length=row[2]) if row else None
