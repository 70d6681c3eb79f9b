"""An article through time: its versions, the readings of each, its states, and the records that show them."""

import sqlite3
from dataclasses import dataclass

from crawler.records import RecordRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A version as it was read."""

    version_id: int
    seen_at: str
    """UTC."""
    extractor: str
    replaces: int | None
    """The older reading of the same capture; None for a version of the portal."""
    capture_id: int
    record: RecordRef
    title: str | None
    published: str | None
    source: str | None
    author: str | None
    editor: str | None
    chars: int
    text_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What an article was from a moment on."""

    since: str
    """UTC."""
    state: str
    capture_id: int | None
    record: RecordRef | None
    """Where the answer lies that shows it; None where nothing was answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Which article it is."""

    id: int
    portal_id: str
    url: str
    title: str | None
    state: str
    first_seen: str
    """UTC."""
    last_seen: str


def subject(conn: sqlite3.Connection, article_id: int) -> Subject:
    """The article. Raises LookupError for an unknown one."""
    row = conn.execute(
        "SELECT id, portal_id, url, title, state, first_seen, last_seen FROM articles WHERE id = ?", (article_id,)
    ).fetchone()
    if row is None:
        raise LookupError(f"no article has the id {article_id}")
    return Subject(**dict(zip(Subject.__slots__, row, strict=True)))


def editions(conn: sqlite3.Connection, article_id: int) -> list[Edition]:
    """Every version of an article, in the order in which its portal showed them; readings of one capture by age."""
    rows = conn.execute(
        "SELECT versions.id, seen_at, extractor, replaces, capture_id, title, published, source, author, editor, chars,"
        " text_sha256, warc_file, warc_offset, warc_length"
        " FROM versions JOIN captures ON captures.id = capture_id WHERE article_id = ?"
        " ORDER BY fetched_at, capture_id, versions.id",
        (article_id,),
    )
    names = [name for name in Edition.__slots__ if name != "record"]
    return [
        Edition(
            **dict(zip(names, row[:12], strict=True)), record=RecordRef(file=row[12], offset=row[13], length=row[14])
        )
        for row in rows
    ]


def newest_readings(found: list[Edition]) -> list[Edition]:
    """Of *found*, each version of the portal as it is read today."""
    return list({edition.capture_id: edition for edition in found}.values())


def states(conn: sqlite3.Connection, article_id: int) -> list[State]:
    """Every state of an article, from when it was first seen."""
    rows = conn.execute(
        "SELECT since, state, capture_id, warc_file, warc_offset, warc_length"
        " FROM article_states LEFT JOIN captures ON captures.id = capture_id WHERE article_id = ? ORDER BY since",
        (article_id,),
    ).fetchall()
    # Nothing is written down of an article that is live from the beginning: its first version tells.
    first = conn.execute(
        "SELECT first_seen, 'live', captures.id, warc_file, warc_offset, warc_length FROM articles"
        " LEFT JOIN versions ON versions.id = (SELECT min(id) FROM versions WHERE article_id = articles.id"
        "  AND seen_at = first_seen)"
        " LEFT JOIN captures ON captures.id = versions.capture_id WHERE articles.id = ?",
        (article_id,),
    ).fetchall()
    return [
        State(
            since=since,
            state=state,
            capture_id=capture_id,
            record=RecordRef(file=file, offset=offset, length=length) if file else None,
        )
        for since, state, capture_id, file, offset, length in first + rows
    ]
