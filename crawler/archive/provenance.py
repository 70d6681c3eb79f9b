"""Who printed a paragraph: the first article that had it, all of them, the counties and the months.

An article counts whichever of its versions has the paragraph, in whatever role; where an edit removed it, that is said.
A reading that better rules replaced does not count: what it had and they have not, the portal never said. Script, width
and punctuation do not count (`crawler.text.folding`); where an article's own letters differ, that is said too.

The answers take time and memory with the articles that have the paragraph, not with the archive: 0.3 s for 100,000.
Whoever shows them to the public leaves out what is withheld.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from crawler.text.folding import fold_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Printing:
    """An article that has, or had, a paragraph."""

    article_id: int
    portal_id: str
    division_code: str | None
    url: str
    title: str | None
    published: str | None
    first_seen: str
    """UTC."""
    since: str
    """When it stood there first: ``published`` (``first_seen``, UTC, where there is none); where an edit put it in,
    when that was seen (UTC)."""
    was_added: bool
    """An earlier version of the article is without it."""
    is_there: bool
    """The article's newest version has it."""
    differs: bool
    """Printed with other bytes than the section's: in the other script, other widths or marks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many articles of one division printed a paragraph first in one month."""

    division_code: str | None
    month: str
    """``YYYY-MM``."""
    articles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """A paragraph and who printed it."""

    section_id: int
    text: str
    """As first stored."""
    first: Printing | None
    """None where only replaced readings have it."""
    articles: int
    portals: int
    divisions: int
    still_there: int
    """Articles whose newest version has it."""
    differing: int
    """Articles that print it with other bytes."""


def section_of(conn: sqlite3.Connection, text: str) -> int | None:
    """The id of the section that a whole paragraph belongs to, however it is written; None where nobody printed it."""
    row = conn.execute("SELECT id FROM sections WHERE fold_hash = ?", (fold_hash(text),)).fetchone()
    return row[0] if row else None


def provenance(conn: sqlite3.Connection, section_id: int) -> Provenance:
    """Who printed a paragraph, in sum. Raises LookupError for an unknown section."""
    row = conn.execute("SELECT text FROM sections WHERE id = ?", (section_id,)).fetchone()
    if row is None:
        raise LookupError(f"no section has the id {section_id}")
    [sums] = conn.execute(
        f"{_PRINTED} SELECT count(*), count(DISTINCT portal_id), count(DISTINCT division_code),"  # noqa: S608 - constants of ours
        " coalesce(sum(is_there), 0), coalesce(sum(differs), 0) FROM printed",
        (section_id,),
    ).fetchall()
    names = ("articles", "portals", "divisions", "still_there", "differing")
    return Provenance(
        section_id=section_id,
        text=row[0],
        first=next(iter(printings(conn, section_id, limit=1)), None),
        **dict(zip(names, sums, strict=True)),
    )


def printings(
    conn: sqlite3.Connection, section_id: int, *, limit: int = 100, after: Printing | None = None
) -> list[Printing]:
    """The articles that printed a paragraph, those first that had it first (then by first sight, then id).

    *limit* of them, from the one behind *after* on: the last one of the page before.
    """
    begin = (after.since, after.first_seen, after.article_id) if after else ("", "", 0)
    rows = conn.execute(
        f"{_PRINTED} SELECT {', '.join(_FACTS)}, was_added, is_there, differs FROM printed"  # noqa: S608 - constants of ours
        " WHERE (since, first_seen, article_id) > (?2, ?3, ?4) ORDER BY since, first_seen, article_id LIMIT ?5",
        (section_id, *begin, limit),
    )
    return [
        Printing(
            **dict(zip(_FACTS, facts, strict=True)),
            was_added=bool(was_added),
            is_there=bool(is_there),
            differs=bool(differs),
        )
        for *facts, was_added, is_there, differs in rows
    ]


def counts(conn: sqlite3.Connection, section_id: int) -> Iterator[Count]:
    """How many articles printed a paragraph first in each month and division, by month and code."""
    rows = conn.execute(
        f"{_PRINTED} SELECT division_code, substr(since, 1, 7) AS month, count(*) FROM printed"  # noqa: S608 - constants of ours
        " GROUP BY month, division_code",
        (section_id,),
    )
    for division_code, month, articles in rows:
        yield Count(division_code=division_code, month=month, articles=articles)


_FACTS = ("article_id", "portal_id", "division_code", "url", "title", "published", "first_seen", "since")
# The condition on article_id lets SQLite find what replaced a reading by an index.
_PRINTED = """
    WITH printed_by AS (
        SELECT versions.article_id, min(seen_at) AS seen_at, max(here.text IS NOT NULL) AS differs,
            max(versions.id = articles.version_id) AS is_there
        FROM version_sections AS here
        JOIN versions ON versions.id = here.version_id JOIN articles ON articles.id = versions.article_id
        WHERE section_id = ?1 AND NOT EXISTS (
            SELECT 1 FROM versions AS newer
            WHERE newer.article_id = versions.article_id AND newer.replaces = versions.id)
        GROUP BY versions.article_id),
    seen AS (
        SELECT printed_by.*, EXISTS (
            SELECT 1 FROM versions AS older
            WHERE older.article_id = printed_by.article_id AND older.seen_at < printed_by.seen_at) AS was_added
        FROM printed_by),
    printed AS (
        SELECT article_id, portal_id, division_code, url, title, published, first_seen, was_added, is_there, differs,
            iif(was_added, seen.seen_at, coalesce(published, first_seen)) AS since
        FROM seen JOIN articles ON articles.id = article_id)
"""
