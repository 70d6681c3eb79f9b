"""Everything that the archive has of one article, on a connection that shows what the public sees."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crawler.archive.editions import Edition, State, editions, newest_readings, states
from crawler.archive.reprints import Member, cluster
from crawler.archive.texts import paragraphs_of_version
from crawler.publish.site.reading import Printed
from crawler.publish.site.titles import titles
from crawler.records import SpamSpan

CARRIERS = 200
"""Articles up to which those that carry a paragraph are counted; the paragraph's own page counts them all."""
CAPTURES = 200
REPRINTS = 100
"""What is listed of them; that there are more is said."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reprint:
    """Another article with the same story."""

    member: Member
    title: str | None
    portal: str
    similarity: float | None
    """To this article; None where both were compared with a third one only."""
    kind: str | None
    """``same``, ``edited``, ``excerpt``; None likewise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The articles that tell what one tells."""

    first: int
    """Id of the article that appeared first; perhaps this one."""
    articles: int
    """All of them, this one too."""
    reprints: Sequence[Reprint]
    """The others, those first that appeared first; not more than `REPRINTS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """An article, one of its versions in full, and all that is known around it."""

    article: Row
    """Columns of ``articles``, with ``portal`` for its name and ``homepage``."""
    title: str | None
    """The newest one, as it is read."""
    edition: Edition
    """The version that is shown."""
    history: Sequence[Edition]
    """Every version and reading."""
    states: Sequence[State]
    printed: Sequence[Printed]
    spans: Sequence[SpamSpan]
    carriers: dict[int, int]
    """Section to number of other articles that carry it, up to `CARRIERS`."""
    captures: Sequence[Row]
    """The latest first; not more than `CAPTURES`."""
    images: Sequence[Row]
    attachments: Sequence[Row]
    story: Story
    previous: Row | None
    following: Row | None

    @property
    def today(self) -> list[Edition]:
        """Each version of the portal, as it is read today."""
        return newest_readings(list(self.history))


def dossier(conn: sqlite3.Connection, article_id: int, version_id: int | None = None) -> Dossier | None:
    """Of an article, with the version of that id or the newest; None where the public knows no such thing."""
    found = _rows(conn, _ARTICLE, (article_id,))
    if not found or found[0]["version_id"] is None:
        return None
    article = found[0]
    history = editions(conn, article_id)
    wanted = article["version_id"] if version_id is None else version_id
    edition = next((one for one in history if one.version_id == wanted), None)
    if edition is None:
        return None
    return Dossier(
        article=article,
        title=titles(conn, [article_id]).get(article_id),
        edition=edition,
        history=history,
        states=states(conn, article_id),
        printed=_printed(conn, wanted),
        spans=_spans(conn, wanted),
        carriers={row["section_id"]: row["others"] for row in _rows(conn, _CARRIERS, (wanted, article_id, CARRIERS))},
        captures=_rows(conn, _CAPTURES, (article_id, CAPTURES)),
        images=_rows(conn, _FILES.format(table="images", said="caption"), (article_id,)),
        attachments=_rows(conn, _FILES.format(table="attachments", said="title"), (article_id,)),
        story=_story(conn, article_id),
        previous=_neighbour(conn, article, "<", "DESC"),
        following=_neighbour(conn, article, ">", "ASC"),
    )


def texts(conn: sqlite3.Connection, version_id: int) -> list[str]:
    """All paragraphs of a version, whatever their role; none of an unknown one."""
    try:
        return [paragraph.text for paragraph in paragraphs_of_version(conn, version_id)]
    except LookupError:
        return []


def _rows(conn: sqlite3.Connection, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
    cursor = conn.execute(sql, params)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _printed(conn: sqlite3.Connection, version_id: int) -> list[Printed]:
    return [Printed(**row) for row in _rows(conn, _PRINTED, (version_id,))]


def _spans(conn: sqlite3.Connection, version_id: int) -> list[SpamSpan]:
    rows = _rows(
        conn,
        'SELECT position, start, "end", text, rule, score, cut FROM spam_spans WHERE version_id = ?'
        " ORDER BY position, start",
        (version_id,),
    )
    return [SpamSpan(**{**row, "cut": bool(row["cut"])}) for row in rows]


def _story(conn: sqlite3.Connection, article_id: int) -> Story:
    members = cluster(conn, article_id)
    others = [member for member in members if member.article_id != article_id]
    first = next(member for member in members if not member.is_linked_by_excerpt)
    pairs = {row["id"]: row for row in _rows(conn, _PAIRS, {"id": article_id})}
    reprints = []
    title_of = titles(conn, [member.article_id for member in others[:REPRINTS]])
    for member in others[:REPRINTS]:
        [(portal,)] = conn.execute(_PORTAL, (member.article_id,)).fetchall()
        pair = pairs.get(member.article_id, {})
        reprints.append(
            Reprint(
                member=member,
                title=title_of.get(member.article_id),
                portal=portal,
                similarity=pair.get("similarity"),
                kind=pair.get("kind"),
            )
        )
    return Story(first=first.article_id, articles=len(members), reprints=reprints)


def _neighbour(conn: sqlite3.Connection, article: Row, than: str, order: str) -> Row | None:
    """The article of the same portal before or behind one, by day of publication; among those without, by id."""
    where = (
        f"published IS NULL AND id {than} :id"
        if article["published"] is None
        else f"(published, id) {than} (:published, :id)"
    )
    found = _rows(
        conn,
        f"SELECT id, published FROM articles WHERE portal_id = :portal_id AND {where}"  # noqa: S608 - written above
        f" ORDER BY published {order}, id {order} LIMIT 1",
        article,
    )
    if not found:
        return None
    return {**found[0], "title": titles(conn, [found[0]["id"]]).get(found[0]["id"])}


_ARTICLE = """
    SELECT articles.*, portals.name AS portal, portals.homepage
    FROM articles JOIN portals ON portals.id = portal_id WHERE articles.id = ?
"""
_PORTAL = "SELECT name FROM articles JOIN portals ON portals.id = portal_id WHERE articles.id = ?"
_PRINTED = """
    SELECT position, section_id, role, coalesce(version_sections.text, sections.text) AS text
    FROM version_sections JOIN sections ON sections.id = section_id WHERE version_id = ? ORDER BY position
"""
# As crawler.archive.provenance counts: whichever version has it, but for readings that better rules replaced.
_CARRIERS = """
    SELECT section_id, (
        SELECT count(DISTINCT article_id) FROM (
            SELECT versions.article_id FROM version_sections AS there JOIN versions ON versions.id = there.version_id
            WHERE there.section_id = here.section_id AND versions.article_id <> ?2 AND NOT EXISTS (
                SELECT 1 FROM versions AS newer
                WHERE newer.article_id = versions.article_id AND newer.replaces = versions.id)
            LIMIT ?3)) AS others
    FROM (SELECT DISTINCT section_id FROM version_sections WHERE version_id = ?1) AS here
"""
# Whatever spelling of its address was asked for, as far as a version came of it.
_CAPTURES = """
    WITH own AS (SELECT id, portal_id, url FROM articles WHERE id = ?1),
    addresses AS (
        SELECT url FROM own
        UNION SELECT captures.url FROM versions JOIN captures ON captures.id = capture_id WHERE article_id = ?1)
    SELECT captures.id, captures.url, fetched_at, status, warc_file, warc_offset, warc_length, payload_sha256,
        revisit_of, truncated
    FROM addresses JOIN captures ON captures.url = addresses.url
    WHERE captures.portal_id = (SELECT portal_id FROM own) AND kind = 'article'
    ORDER BY fetched_at DESC, captures.id DESC LIMIT ?2
"""
_FILES = """
    SELECT {table}.url, {said} AS said, captures.id AS capture_id, warc_file, warc_offset, payload_sha256, fetched_at
    FROM {table} LEFT JOIN captures ON captures.id = capture_id WHERE article_id = ? ORDER BY {table}.url
"""
_PAIRS = """
    SELECT other_id AS id, similarity, kind FROM reprints WHERE article_id = :id
    UNION ALL SELECT article_id, similarity, kind FROM reprints WHERE other_id = :id
"""
