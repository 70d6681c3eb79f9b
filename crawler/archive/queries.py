"""Questions to the archive that a run and its report ask."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

from crawler.archive.health import standing
from crawler.archive.times import parse, to_microsecond
from crawler.records import RecordRef
from crawler.warc.files import FILE_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """A capture, as far as a revisit points at it."""

    id: int
    record: RecordRef
    url: str
    fetched_at: datetime
    """UTC, to the microsecond: its WARC-Date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalReport:
    """The health of one portal."""

    portal_id: str
    name: str
    run_id: str | None
    """The run that the status and the counters are of: the last one of the portal, or the one asked for."""
    status: str | None
    """None where the portal was never crawled."""
    reason: str | None
    fetched: int
    new: int
    changed: int
    unchanged: int
    gone: int
    failed: int
    is_expected: bool
    """Blocked, as its catalogue entry expected (``expect.blocked``): its run was ``ok`` all the same."""
    since: str | None
    """Start of the first run of the unbroken row in which the portal was not ``ok``; UTC, None where it is or was
    interrupted."""
    last_success: str | None
    """Start of the last run in which the portal was ``ok``; UTC."""
    articles: int
    """In the archive, from all runs."""
    newest: str | None
    """``published`` of the newest article."""
    gaps: tuple[str, ...]
    """Months (``YYYY-MM``) without an article between the first one and the last one."""


def find_original(conn: sqlite3.Connection, payload_sha256: str, *, portal_id: str, url: str) -> StoredRecord | None:
    """The record that a revisit with this payload should point at: whole, status 200, and no revisit itself.

    One of the same *url* goes before others of the portal, an older before a younger.
    """
    row = conn.execute(
        "SELECT id, warc_file, warc_offset, warc_length, url, fetched_at FROM captures"
        # The plus: SQLite would put the known digest into substr() too, and the index would not fit any more.
        " WHERE substr(payload_sha256, 1, 16) = substr(:digest, 1, 16) AND +payload_sha256 = :digest"
        " AND revisit_of IS NULL AND portal_id = :portal AND status = 200 AND truncated IS NULL"
        " ORDER BY url <> :url, id LIMIT 1",
        {"digest": payload_sha256, "portal": portal_id, "url": url},
    ).fetchone()
    return _stored(row) if row else None


def find_archived(conn: sqlite3.Connection, ref: RecordRef) -> StoredRecord | None:
    """The capture at *ref*, where its file is known to be in the object store, and is one of ours."""
    row = conn.execute(
        "SELECT id, warc_file, warc_offset, warc_length, url, fetched_at FROM captures"
        " WHERE warc_file = ? AND warc_offset = ? AND stored = 'archived'",
        (ref.file, ref.offset),
    ).fetchone()
    return _stored(row) if row and FILE_NAME.fullmatch(ref.file) else None


def find_whole(conn: sqlite3.Connection, *, portal_id: str, url: str, fetched_at: datetime) -> StoredRecord | None:
    """The capture of that moment that is no revisit itself; *url* as its record has it, or unquoted."""
    row = conn.execute(
        "SELECT id, warc_file, warc_offset, warc_length, url, fetched_at FROM captures"
        " WHERE url IN (?, ?) AND portal_id = ? AND fetched_at = ? AND revisit_of IS NULL",
        (url, unquote(url), portal_id, to_microsecond(fetched_at)),
    ).fetchone()
    return _stored(row) if row else None


def validators(conn: sqlite3.Connection, portal_id: str, key: str) -> dict[str, str]:
    """Request headers that ask whether something changed since it was last fetched; empty where nothing is known.

    *key* is the frontier's key, for an article its canonical address.
    """
    row = conn.execute(
        f"SELECT coalesce(last.etag, whole.etag), coalesce(last.last_modified, whole.last_modified) {_LAST_BROUGHT}",
        {"portal": portal_id, "key": key},
    ).fetchone()
    names = ("If-None-Match", "If-Modified-Since")
    return {name: value for name, value in zip(names, row or (None, None), strict=True) if value}


def last_record(conn: sqlite3.Connection, portal_id: str, key: str) -> RecordRef | None:
    """The record with the bytes that a 304 to the ``validators`` of *key* stands for; never a revisit itself."""
    row = conn.execute(
        f"SELECT whole.warc_file, whole.warc_offset, whole.warc_length {_LAST_BROUGHT}",
        {"portal": portal_id, "key": key},
    ).fetchone()
    return RecordRef(file=row[0], offset=row[1], length=row[2]) if row else None


# What the request under a key brought last, or the last capture of that address; and the record that has its bytes.
_LAST_BROUGHT = """
    FROM captures AS last JOIN captures AS whole ON whole.id = coalesce(last.revisit_of, last.id)
    WHERE last.truncated IS NULL AND last.status IN (200, 304) AND whole.truncated IS NULL AND whole.status = 200
        AND last.id = coalesce(
            (SELECT capture_id FROM frontier WHERE portal_id = :portal AND key = :key),
            (SELECT max(id) FROM captures WHERE portal_id = :portal AND url = :key))
"""


def report(conn: sqlite3.Connection, run_id: str | None = None) -> list[PortalReport]:
    """The health of every portal, by id; with *run_id*, of those that the run was over."""
    months = _months(conn)
    rows = conn.execute(
        """
        SELECT portals.id AS portal_id, portals.name, shown.run_id, shown.status, shown.reason,
            coalesce(fetched, 0) AS fetched, coalesce(new, 0) AS new, coalesce(changed, 0) AS changed,
            coalesce(unchanged, 0) AS unchanged, coalesce(gone, 0) AS gone, coalesce(failed, 0) AS failed,
            shown.status = 'blocked' AND (SELECT status FROM runs WHERE id = shown.run_id) = 'ok' AS is_expected,
            (SELECT max(started_at) FROM portal_runs JOIN runs ON runs.id = run_id
                WHERE portal_id = portals.id AND portal_runs.status = 'ok') AS last_success,
            (SELECT count(*) FROM articles WHERE portal_id = portals.id) AS articles,
            (SELECT max(published) FROM articles WHERE portal_id = portals.id) AS newest
        FROM portals LEFT JOIN portal_runs AS shown ON shown.portal_id = portals.id AND shown.run_id = coalesce(
            :run, (SELECT max(run_id) FROM portal_runs WHERE portal_id = portals.id))
        WHERE :run IS NULL OR shown.run_id IS NOT NULL
        ORDER BY portals.id
        """,
        {"run": run_id},
    )
    names = [column[0] for column in rows.description]
    portals = [dict(zip(names, row, strict=True)) for row in rows]
    return [
        PortalReport(
            **{**portal, "is_expected": bool(portal["is_expected"])},
            since=_since(conn, portal),
            gaps=tuple(gaps(months.get(portal["portal_id"], []))),
        )
        for portal in portals
    ]


def _stored(row: tuple[Any, ...]) -> StoredRecord:
    capture_id, file, offset, length, url, fetched_at = row
    record = RecordRef(file=file, offset=offset, length=length)
    return StoredRecord(id=capture_id, record=record, url=url, fetched_at=parse(fetched_at))


def _since(conn: sqlite3.Connection, portal: Mapping[str, Any]) -> str | None:
    is_ill = portal["status"] in {"below", "blocked", "failed"}
    return standing(conn, portal["portal_id"], portal["run_id"]).since if is_ill else None


def gaps(months: list[str]) -> Iterator[str]:
    """The months (``YYYY-MM``) that lie between the first and the last of *months*, sorted, and are not among them."""
    for month, following in pairwise(months):
        yield from (
            f"{number // 12:04}-{number % 12 + 1:02}" for number in range(_ordinal(month) + 1, _ordinal(following))
        )


def _ordinal(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:7]) - 1


def _months(conn: sqlite3.Connection) -> dict[str, list[str]]:
    """The months in which each portal published, sorted."""
    months: dict[str, list[str]] = {}
    rows = conn.execute(
        "SELECT DISTINCT portal_id, substr(published, 1, 7) AS month FROM articles"
        " WHERE published GLOB '[0-9][0-9][0-9][0-9]-[01][0-9]*' ORDER BY portal_id, month"
    )
    for portal_id, month in rows:
        months.setdefault(portal_id, []).append(month)
    return months
