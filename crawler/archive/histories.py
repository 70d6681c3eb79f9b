"""What was captured of each article page, in the order of time, with what was read of it: where re-reading begins."""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from crawler.archive.times import parse
from crawler.archive.versions import NEWEST_READING
from crawler.catalogue import Portal
from crawler.records import Capture, RecordRef
from crawler.text.canonical import canonical

BATCH = 200
"""Pages that are looked up together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A whole answer of an article page."""

    capture_id: int
    capture: Capture
    """Without its body, and without the coding that its header names."""
    encoding: str | None
    version_id: int | None
    """The newest reading of this very capture; None where it showed nothing new, or no article."""
    came_late: bool = False
    """It was stored after an answer 304 that was later in time, with no version between the two: what it shows came
    and went."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Everything that was captured of one page."""

    portal_id: str
    url: str
    """Its canonical address; the article's own where it is one."""
    article_id: int | None
    sightings: tuple[Sighting, ...]
    """By time."""


class Histories:
    """The pages of some portals, by portal and address; made once, in a table of this connection's own."""

    def __init__(
        self, conn: sqlite3.Connection, portal_ids: Collection[str], *, since: str | None, until: str | None
    ) -> None:
        """Take those captured on a day (``YYYY-MM-DD``, UTC) from *since* to *until*, both included.

        Takes 20 s for a million captures. *conn* may be read-only.
        """
        self._conn = conn
        # A file that was opened for reading only stays as it is: this permits temporary tables.
        conn.execute("PRAGMA query_only = OFF")
        conn.create_function("canonical_address", 2, _canonical, deterministic=True)
        conn.execute(_TABLE)
        conn.execute(_FILL, {"portals": json.dumps(list(portal_ids))})
        if since or until:
            conn.execute(_LEAVE_OUT, {"since": since or "", "until": f"{until or '9999-12-31'}T99"})

    def leave_out(self, done: Mapping[str, str]) -> None:
        """Leave out the pages of portals up to an address, that one included."""
        self._conn.executemany("DELETE FROM temp.pages WHERE portal_id = ? AND url <= ?", list(done.items()))

    def __len__(self) -> int:
        """How many pages there are."""
        pages: int = self._conn.execute("SELECT count(*) FROM (SELECT DISTINCT portal_id, url FROM pages)").fetchone()[
            0
        ]
        return pages

    def __iter__(self) -> Iterator[History]:
        """Each page. No query is open between two of them, so that the archive may be written meanwhile."""
        last = ("", "")
        while rows := self._conn.execute(_BATCH, (*last, BATCH)).fetchall():
            for (portal_id, url, article_id), captured in groupby(rows, key=lambda row: row[:3]):
                last = (portal_id, url)
                yield History(
                    portal_id=portal_id,
                    url=url,
                    article_id=article_id,
                    sightings=tuple(_sighting(portal_id, row[3:]) for row in captured),
                )


def known_portals(conn: sqlite3.Connection) -> dict[str, Portal]:
    """The portals of the archive by id, as far as it knows them: a catalogue may have lost some."""
    rows = conn.execute("SELECT id, name, division_code, homepage, cms FROM portals ORDER BY id")
    return {
        row[0]: Portal(**dict(zip(("id", "name", "division", "homepage", "cms"), row, strict=True))) for row in rows
    }


def _canonical(url: str, homepage: str | None) -> str:
    return canonical(url, homepage=homepage)


def _sighting(portal_id: str, row: Sequence[Any]) -> Sighting:
    capture_id, run_id, url, fetched_at, content_type, encoding, payload_sha256, version_id, came_late, *places = row
    own, original = places[:3], places[3:]
    return Sighting(
        capture_id=capture_id,
        capture=Capture(
            run_id=run_id,
            portal_id=portal_id,
            kind="article",
            url=url,
            fetched_at=parse(fetched_at),
            status=200,
            content_type=content_type,
            payload_sha256=payload_sha256,
            record=_place(own),
            revisit_of=None if original[0] is None else _place(original),
        ),
        encoding=encoding,
        version_id=version_id,
        came_late=bool(came_late),
    )


def _place(columns: Sequence[Any]) -> RecordRef:
    file, offset, length = columns
    return RecordRef(file=file, offset=offset, length=length)


_TABLE = """
    CREATE TEMP TABLE pages (
        portal_id TEXT, url TEXT, fetched_at TEXT, capture_id INTEGER,
        PRIMARY KEY (portal_id, url, fetched_at, capture_id)
    ) WITHOUT ROWID
"""
# A page that was read is its article's, also where today's rules would name its address otherwise.
_FILL = """
    INSERT INTO temp.pages (portal_id, url, fetched_at, capture_id)
    SELECT own.portal_id, coalesce(
        (SELECT articles.url FROM versions JOIN articles ON articles.id = article_id
            WHERE versions.capture_id = own.id LIMIT 1),
        (SELECT articles.url FROM captures AS twin JOIN versions ON versions.capture_id = twin.id
            JOIN articles ON articles.id = article_id
            WHERE twin.url = own.url AND twin.portal_id = own.portal_id LIMIT 1),
        canonical_address(own.url, homepage)) AS address, own.fetched_at, own.id
    FROM captures AS own JOIN portals ON portals.id = own.portal_id
    WHERE own.kind = 'article' AND own.status = 200 AND own.truncated IS NULL
        AND own.portal_id IN (SELECT value FROM json_each(:portals))
    ORDER BY own.portal_id, address, own.fetched_at, own.id
"""
_LEAVE_OUT = """
    DELETE FROM temp.pages WHERE NOT EXISTS (
        SELECT 1 FROM temp.pages AS seen WHERE seen.portal_id = pages.portal_id AND seen.url = pages.url
            AND seen.fetched_at BETWEEN :since AND :until)
"""
_CAME_LATE = """
    EXISTS (SELECT 1 FROM captures AS answer
        WHERE answer.url = own.url AND answer.portal_id = own.portal_id AND answer.status = 304
            AND answer.fetched_at > own.fetched_at AND answer.id < own.id
            AND NOT EXISTS (SELECT 1 FROM versions WHERE article_id = articles.id AND replaces IS NULL
                AND seen_at > own.fetched_at AND seen_at <= answer.fetched_at))
"""
_BATCH = f"""
    SELECT page.portal_id, page.url, articles.id, own.id, own.run_id, own.url, own.fetched_at, own.content_type,
        own.encoding, own.payload_sha256, {NEWEST_READING.format(capture="own.id")}, {_CAME_LATE},
        own.warc_file, own.warc_offset, own.warc_length,
        original.warc_file, original.warc_offset, original.warc_length
    FROM (SELECT DISTINCT portal_id, url FROM temp.pages WHERE (portal_id, url) > (?, ?)
        ORDER BY portal_id, url LIMIT ?) AS page
    JOIN temp.pages AS seen ON seen.portal_id = page.portal_id AND seen.url = page.url
    JOIN captures AS own ON own.id = seen.capture_id
    LEFT JOIN captures AS original ON original.id = own.revisit_of
    LEFT JOIN articles ON articles.portal_id = page.portal_id AND articles.url = page.url
    ORDER BY page.portal_id, page.url, seen.fetched_at, seen.capture_id
"""  # noqa: S608 - constants of ours
