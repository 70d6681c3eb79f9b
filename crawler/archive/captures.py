"""Rows of ``captures``: one a response, known by the place of its WARC record."""

import sqlite3
from collections.abc import Iterable

from crawler.archive.batch import StoredCapture
from crawler.archive.connection import ArchiveError
from crawler.archive.texts import storable
from crawler.archive.times import to_microsecond
from crawler.records import RecordRef

# A capture that is there already (a replay, or its list page was stored before its text was decoded) gains its codec.
_STORE = """
    INSERT INTO captures (warc_file, warc_offset, warc_length, run_id, portal_id, kind, url, fetched_at, status,
        content_type, encoding, encoding_basis, etag, last_modified, payload_sha256, revisit_of, truncated)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (warc_file, warc_offset) DO UPDATE SET encoding = coalesce(excluded.encoding, encoding),
        encoding_basis = coalesce(excluded.encoding_basis, encoding_basis)
    RETURNING id
"""


class Captures:
    """Writes captures, inside the caller's transaction; remembers the ids that it gave in it."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._ids: dict[RecordRef, int] = {}

    def store(self, items: Iterable[StoredCapture]) -> None:
        """Write *items* in their order. Raises ArchiveError for a revisit of a record that the archive has not."""
        for item in items:
            [(self._ids[item.capture.record],)] = self._conn.execute(_STORE, self._row(item)).fetchall()

    def id_of(self, record: RecordRef) -> int:
        """The capture's id. Raises ArchiveError where the archive has no such record."""
        known = self._ids.get(record)
        if known is not None:
            return known
        row = self._conn.execute(
            "SELECT id FROM captures WHERE warc_file = ? AND warc_offset = ?", (record.file, record.offset)
        ).fetchone()
        if row is None:
            raise ArchiveError(f"no capture lies in {record.file} at {record.offset}")
        self._ids[record] = row[0]
        return self._ids[record]

    def _row(self, item: StoredCapture) -> tuple[object, ...]:
        capture = item.capture
        return (
            capture.record.file,
            capture.record.offset,
            capture.record.length,
            capture.run_id,
            capture.portal_id,
            capture.kind,
            storable(capture.url),
            to_microsecond(capture.fetched_at),
            capture.status,
            capture.content_type and storable(capture.content_type),
            item.encoding,
            item.encoding_basis,
            capture.etag and storable(capture.etag),
            capture.last_modified and storable(capture.last_modified),
            capture.payload_sha256,
            self.id_of(capture.revisit_of) if capture.revisit_of else None,
            capture.truncated,
        )
