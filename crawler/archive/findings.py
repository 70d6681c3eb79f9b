"""What a verification finds wrong, and the rows that it holds against the bytes."""

import sqlite3
from dataclasses import dataclass
from typing import Any, Literal

from crawler.records import RecordRef

Kind = Literal[
    "missing",
    "damaged",
    "changed",
    "unfinished",
    "unreadable",
    "disagrees",
    "unlisted",
    "revisit",
    "text",
    "search",
    "database",
    "reference",
    "orphan",
    "article",
    "run",
    "manifest",
    "unchecked",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not as it should be."""

    kind: Kind
    where: str
    """A file with the byte, or a table with the key."""
    what: str
    """In words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalRow:
    """The capture that a revisit points at."""

    record: RecordRef
    url: str
    fetched_at: str
    """As it stands there: an instant, unless somebody changed it."""
    payload_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRow:
    """What the archive says of a record."""

    id: int
    record: RecordRef
    url: str
    fetched_at: str
    status: int
    content_type: str | None
    etag: str | None
    last_modified: str | None
    payload_sha256: str
    original: OriginalRow | None


def captured_files(conn: sqlite3.Connection) -> dict[str, int]:
    """The WARC files that captures point into, with how many do."""
    return dict(conn.execute("SELECT warc_file, count(*) FROM captures GROUP BY warc_file"))


def rows_of(conn: sqlite3.Connection, file: str) -> list[CaptureRow]:
    """The captures in a WARC file, by their place."""
    rows = conn.execute(
        "SELECT own.id, own.warc_offset, own.warc_length, own.url, own.fetched_at, own.status, own.content_type,"
        " own.etag, own.last_modified, own.payload_sha256,"
        " first.warc_file, first.warc_offset, first.warc_length, first.url, first.fetched_at, first.payload_sha256"
        " FROM captures AS own LEFT JOIN captures AS first ON first.id = own.revisit_of"
        " WHERE own.warc_file = ? ORDER BY own.warc_offset",
        (file,),
    )
    return [_row(file, row[:10], row[10:]) for row in rows]


def _row(file: str, own: tuple[Any, ...], first: tuple[Any, ...]) -> CaptureRow:
    capture_id, offset, length, url, fetched_at, status, content_type, etag, last_modified, payload_sha256 = own
    return CaptureRow(
        id=capture_id,
        record=RecordRef(file=file, offset=offset, length=length),
        url=url,
        fetched_at=fetched_at,
        status=status,
        content_type=content_type,
        etag=etag,
        last_modified=last_modified,
        payload_sha256=payload_sha256,
        original=None if first[0] is None else _original(*first),
    )


def _original(file: str, offset: int, length: int, url: str, fetched_at: str, payload_sha256: str) -> OriginalRow:
    record = RecordRef(file=file, offset=offset, length=length)
    return OriginalRow(record=record, url=url, fetched_at=fetched_at, payload_sha256=payload_sha256)
