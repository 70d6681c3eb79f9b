"""What goes into a package: the captures of some portals and days that the public may see, and the pages in them.

A revisit brings the record that it stands for, of whatever day; without that record, because it is withheld, it is left
out too. So are the answers that a page of a withheld article was drawn from, and the originals of nothing else.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from crawler.archive.connection import open_archive
from crawler.archive.public import hide
from crawler.archive.texts import reading_text_of_version
from crawler.records import RecordRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which captures are wanted."""

    portals: tuple[str, ...] = ()
    """None stands for all."""
    first: date | None = None
    """Day of the capture, UTC."""
    last: date | None = None
    """The same, that day included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A capture that goes into the package."""

    id: int
    record: RecordRef
    fetched_at: str
    status: int
    content_type: str | None
    payload_sha256: str
    revisit_of: int | None
    stands_in: bool
    """It is what an answer 304 in the package stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenFile:
    """A WARC file of which something goes into the package."""

    name: str
    whole: bool
    """Everything that the archive knows of in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Something that a reader would open."""

    id: str
    url: str
    fetched_at: str
    title: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The package in numbers."""

    captures: int
    bytes: int
    """Of the captures' records."""
    portals: tuple[str, ...]
    first: str | None
    """Time of the first capture, UTC; None where there is none."""
    last: str | None
    withheld: int
    """Articles of these portals that are withheld."""


@contextmanager
def chosen(db: Path, selection: Selection) -> Iterator[sqlite3.Connection]:
    """A connection that has chosen, and sees the archive as it was at that moment until it commits.

    Raises ArchiveError for an archive that cannot be read, LookupError for an unknown portal.
    """
    conn = open_archive(db, readonly=True)
    try:
        conn.execute("PRAGMA query_only = OFF")  # temporary tables; the file itself is open for reading alone
        conn.execute("BEGIN")
        unknown = set(selection.portals) - {portal_id for (portal_id,) in conn.execute("SELECT id FROM portals")}
        if unknown:
            raise LookupError(f"no such portal: {', '.join(sorted(unknown))}")
        parameters = {
            "portals": json.dumps(selection.portals) if selection.portals else None,
            "first": selection.first.isoformat() if selection.first else "",
            "end": (selection.last + timedelta(days=1)).isoformat() if selection.last else "9999",
        }
        for sql in _TABLES:
            conn.execute(sql)
        for sql in _FROM_EVERYTHING:
            conn.execute(sql, parameters)
        hide(conn)
        for sql in _FROM_WHAT_IS_SHOWN:
            conn.execute(sql, parameters)
        yield conn
    finally:
        conn.close()


def overview(conn: sqlite3.Connection) -> Overview:
    """The package in numbers."""
    count, size, first, last = conn.execute(
        "SELECT count(*), coalesce(sum(warc_length), 0), min(fetched_at), max(fetched_at) FROM chosen"
    ).fetchone()
    portals = conn.execute("SELECT DISTINCT portal_id FROM chosen ORDER BY portal_id")
    [(withheld,)] = conn.execute("SELECT count(*) FROM held_back").fetchall()
    return Overview(
        captures=count, bytes=size, portals=tuple(id_ for (id_,) in portals), first=first, last=last, withheld=withheld
    )


def files(conn: sqlite3.Connection) -> Iterator[ChosenFile]:
    """The WARC files, by name."""
    rows = conn.execute(
        "SELECT warc_file, count(*) = files.captures FROM chosen JOIN files USING (warc_file)"
        " GROUP BY warc_file ORDER BY warc_file"
    )
    return (ChosenFile(name=name, whole=bool(whole)) for name, whole in rows)


def captures(conn: sqlite3.Connection, file: str) -> Iterator[Chosen]:
    """The captures of a WARC file, in its order."""
    rows = conn.execute(
        "SELECT id, warc_offset, warc_length, fetched_at, status, content_type, payload_sha256, revisit_of,"
        " id IN (SELECT revisit_of FROM chosen WHERE status = 304)"
        " FROM chosen WHERE warc_file = ? ORDER BY warc_offset",
        (file,),
    )
    for id_, offset, length, fetched_at, status, content_type, payload_sha256, revisit_of, stands_in in rows:
        yield Chosen(
            id=id_,
            record=RecordRef(file=file, offset=offset, length=length),
            fetched_at=fetched_at,
            status=status,
            content_type=content_type,
            payload_sha256=payload_sha256,
            revisit_of=revisit_of,
            stands_in=bool(stands_in),
        )


def articles(conn: sqlite3.Connection) -> Iterator[Page]:
    """Each article as each version showed it, with its reading text, the earliest first."""
    rows = conn.execute(
        "SELECT max(versions.id), versions.article_id, chosen.url, fetched_at, versions.title"
        " FROM chosen JOIN versions ON versions.capture_id = chosen.id"
        " GROUP BY chosen.id ORDER BY fetched_at, chosen.id"
    )
    for version_id, article_id, url, fetched_at, title in rows:
        text = reading_text_of_version(conn, version_id)
        yield Page(
            id=f"article-{article_id}-version-{version_id}", url=url, fetched_at=fetched_at, title=title, text=text
        )


def lists(conn: sqlite3.Connection) -> Iterator[Page]:
    """The list pages, each as it was last seen: ways to the articles, as the portal had them."""
    rows = conn.execute(
        "SELECT chosen.id, chosen.url, max(fetched_at), portals.name FROM chosen JOIN portals ON portals.id = portal_id"
        " WHERE kind = 'list' AND status = 200 GROUP BY portal_id, chosen.url ORDER BY portal_id, chosen.url"
    )
    return (Page(id=f"capture-{id_}", url=url, fetched_at=at, title=name) for id_, url, at, name in rows)


_WANTED = """
    (:portals IS NULL OR portal_id IN (SELECT value FROM json_each(:portals)))
    AND fetched_at >= :first AND fetched_at < :end
"""
_TABLES = (
    "CREATE TEMP TABLE files (warc_file TEXT PRIMARY KEY, captures INTEGER) WITHOUT ROWID",
    "CREATE TEMP TABLE held_back (article_id INTEGER PRIMARY KEY)",
    "CREATE TEMP TABLE drawn_from (capture_id INTEGER PRIMARY KEY)",
    "CREATE TEMP TABLE wanted (capture_id INTEGER PRIMARY KEY, revisit_of INTEGER)",
    """
    CREATE TEMP TABLE chosen (warc_file TEXT, warc_offset INTEGER, warc_length INTEGER, id INTEGER, portal_id TEXT,
        kind TEXT, url TEXT, fetched_at TEXT, status INTEGER, content_type TEXT, payload_sha256 TEXT,
        revisit_of INTEGER, PRIMARY KEY (warc_file, warc_offset)) WITHOUT ROWID
    """,
)
_FROM_EVERYTHING = (
    "INSERT INTO files SELECT warc_file, count(*) FROM captures GROUP BY warc_file",
    """
    INSERT INTO held_back SELECT article_id FROM withheld JOIN articles ON articles.id = article_id
    WHERE :portals IS NULL OR portal_id IN (SELECT value FROM json_each(:portals))
    """,
    # A drawn page lies behind its document, and between them what its scripts asked for: the article may be in that.
    # The scripts themselves stay, because other pages need them.
    """
    INSERT OR IGNORE INTO drawn_from SELECT loaded.id
    FROM withheld JOIN versions USING (article_id) JOIN captures AS drawn ON drawn.id = versions.capture_id
    JOIN captures AS document ON document.id = (
        SELECT id FROM captures AS before WHERE before.warc_file = drawn.warc_file
            AND before.warc_offset < drawn.warc_offset AND before.url = drawn.url AND before.kind = 'other'
        ORDER BY warc_offset DESC LIMIT 1)
    JOIN captures AS loaded ON loaded.warc_file = drawn.warc_file
        AND loaded.warc_offset >= document.warc_offset AND loaded.warc_offset < drawn.warc_offset
    WHERE coalesce(loaded.content_type, '') NOT LIKE '%javascript%'
    """,
)
_FROM_WHAT_IS_SHOWN = (
    f"""
    INSERT INTO wanted SELECT id, revisit_of FROM captures
    WHERE {_WANTED} AND id NOT IN (SELECT capture_id FROM drawn_from)
        AND coalesce(revisit_of, 0) NOT IN (SELECT capture_id FROM drawn_from)
    """,  # noqa: S608 - a condition of ours
    """
    DELETE FROM wanted WHERE revisit_of IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM captures WHERE captures.id = wanted.revisit_of)
    """,
    """
    INSERT INTO chosen SELECT warc_file, warc_offset, warc_length, id, portal_id, kind, url, fetched_at, status,
        content_type, payload_sha256, revisit_of
    FROM captures WHERE id IN (
        SELECT capture_id FROM wanted UNION SELECT revisit_of FROM wanted WHERE revisit_of IS NOT NULL)
    ORDER BY warc_file, warc_offset
    """,
)
