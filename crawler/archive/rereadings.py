"""What other rules read of archived pages, beside what was read before: the one to compare with, the other to write.

A capture that is read otherwise gets another version, whose ``replaces`` names the reading before, and its article says
what the newest one says. What is no part of a version (column, places, links) is brought up to date in its place.
Nothing that was read before is changed or deleted.
"""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crawler.archive.articles import ANSWERS, Articles
from crawler.archive.captures import Captures
from crawler.archive.connection import transaction
from crawler.archive.readings import Fields, Reading
from crawler.archive.search import Changes
from crawler.archive.spam import ADVERTISING, CERTAIN
from crawler.archive.times import parse, to_second
from crawler.archive.versions import NUMBER, Versions
from crawler.records import DivisionBasis, PublishedBasis, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSpan:
    """An injected run of a version, without its text."""

    position: int
    start: int
    end: int
    rule: str
    score: float
    cut: bool

    @property
    def was_raised(self) -> bool:
        """Whether other hosts made it certain: no single page tells that."""
        return self.cut and self.score == CERTAIN and self.rule in ADVERTISING


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What an article says besides its version."""

    published_basis: PublishedBasis | None
    column: str | None
    division: str | None
    division_basis: DivisionBasis | None
    mentions: dict[str, int]
    """How often each division is named, by code."""
    links: frozenset[str]
    """Addresses of attachments and pictures."""
    first_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReading:
    """A version, as far as another reading of its capture is compared with it."""

    version_id: int
    extractor: str
    fields: Fields
    meta_published: str | None
    roles: tuple[Role, ...]
    """Of its paragraphs, as the stages gave them: what was learned of the portal since is left aside."""
    shown_roles: tuple[Role, ...]
    """The same with what was learned."""
    spans: tuple[StoredSpan, ...]
    shown: Shown | None
    """None for a version that is not its article's newest."""

    def is_by(self, extractor: str) -> bool:
        """Whether these rules read it, whatever the catalogue said then."""
        return self.extractor.partition(NUMBER)[0] == extractor


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """When an article was there."""

    last_seen: str
    states: tuple[tuple[str, str], ...]
    """Since when it was in which, in the order of time."""

    def answered_at(self, moment: datetime) -> bool:
        """Whether the article was there at that moment, by what was observed of it.

        A portal may answer for a page that is gone, or for all of them, with one that reads like an article.
        """
        at = to_second(moment)
        state = next((state for since, state in reversed(self.states) if since <= at), None)
        return self.last_seen >= at and (state is None or state in ANSWERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """A capture that is read otherwise now."""

    article_id: int
    replaces: int
    reading: Reading
    is_shown: bool
    """It is what its article says today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEdit:
    """A capture that showed the portal's next version of an article, where older rules saw no difference."""

    article_id: int
    reading: Reading
    is_shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundArticle:
    """A capture that is an article by these rules, of a page that was none."""

    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """An article whose version stays, and which says something else besides."""

    article_id: int
    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Recoded:
    """A capture whose text is decoded otherwise, or for other reasons."""

    capture_id: int
    encoding: str
    encoding_basis: str | None


Found = Reread | FoundEdit | FoundArticle | Refreshed | Recoded


def stored_reading(conn: sqlite3.Connection, version_id: int) -> StoredReading:
    """A version by its id, which has to be there."""
    row = conn.execute(_STORED, {"version": version_id}).fetchone()
    fields, (extractor, meta_published, roles, spans, is_shown), shown = row[:6], row[6:11], row[11:]
    by_place: list[list[Role]] = json.loads(roles)
    return StoredReading(
        version_id=version_id,
        extractor=extractor,
        fields=Fields(*fields),
        meta_published=meta_published,
        roles=tuple(own for own, _ in by_place),
        shown_roles=tuple(role for _, role in by_place),
        spans=tuple(
            StoredSpan(position=position, start=start, end=end, rule=rule, score=score, cut=bool(cut))
            for position, start, end, rule, score, cut in json.loads(spans)
        ),
        shown=_shown(shown) if is_shown else None,
    )


def _shown(row: tuple[Any, ...]) -> Shown:
    published_basis, column, division, division_basis, mentions, attachments, images, first_seen = row
    return Shown(
        published_basis=published_basis,
        column=column,
        division=division,
        division_basis=division_basis,
        mentions=json.loads(mentions),
        links=frozenset(json.loads(attachments) + json.loads(images)),
        first_seen=parse(first_seen),
    )


def listed_day(conn: sqlite3.Connection, article_id: int) -> str | None:
    """The day that a list page gave an article, where its own page told none; lists are not read again."""
    [(published,)] = conn.execute(
        "SELECT iif(published_basis = 'list', published, NULL) FROM articles WHERE id = ?", (article_id,)
    ).fetchall()
    day: str | None = published
    return day


def observed(conn: sqlite3.Connection, article_id: int) -> Observed:
    """What was observed of an article, which has to be there."""
    [(last_seen,)] = conn.execute("SELECT last_seen FROM articles WHERE id = ?", (article_id,)).fetchall()
    states = conn.execute(
        "SELECT since, state FROM article_states WHERE article_id = ? ORDER BY since", (article_id,)
    ).fetchall()
    return Observed(last_seen=last_seen, states=tuple(states))


def write(conn: sqlite3.Connection, found: Iterable[Found], *, extractor: str) -> None:
    """Store what was found, all of it or nothing; of one page in the order of time.

    Raises sqlite3.Error. *conn* is in autocommit mode.
    """
    with transaction(conn):
        index, captures = Changes(conn), Captures(conn)
        articles = Articles(conn, extractor=extractor, captures=captures, index=index)
        versions = Versions(conn, extractor=extractor)
        for each in found:
            match each:
                case Reread():
                    capture_id = captures.id_of(each.reading.article.capture.record)
                    version_id = versions.add(each.article_id, capture_id, each.reading, replaces=each.replaces)
                    if each.is_shown:
                        articles.reread(each.article_id, each.reading, version_id)
                case FoundEdit():
                    version_id = articles.found_edited(each.article_id, each.reading)
                    if each.is_shown:
                        articles.reread(each.article_id, each.reading, version_id)
                case FoundArticle():
                    articles.store(each.reading)
                case Refreshed():
                    articles.reread(each.article_id, each.reading)
                case Recoded():
                    conn.execute(
                        "UPDATE captures SET encoding = ?, encoding_basis = ? WHERE id = ?",
                        (each.encoding, each.encoding_basis, each.capture_id),
                    )
        index.write()


_STORED = """
    SELECT own.title, own.published, own.source, own.author, own.editor, own.text_sha256,
        own.extractor, own.meta_published,
        (SELECT json_group_array(json_array(own_role, role)) FROM (
            SELECT coalesce(place.role, here.role) AS own_role, here.role FROM version_sections AS here
            LEFT JOIN boilerplate_places AS place
                ON place.version_id = here.version_id AND place.position = here.position
            WHERE here.version_id = :version ORDER BY here.position)),
        (SELECT json_group_array(json_array(position, start, "end", rule, score, cut)) FROM (
            SELECT * FROM spam_spans WHERE version_id = :version ORDER BY position, start)),
        articles.version_id = own.id, articles.published_basis, articles."column", articles.division_code,
        articles.division_basis,
        (SELECT json_group_object(division_code, count) FROM mentions WHERE article_id = articles.id),
        (SELECT json_group_array(url) FROM attachments WHERE article_id = articles.id),
        (SELECT json_group_array(url) FROM images WHERE article_id = articles.id),
        articles.first_seen
    FROM versions AS own JOIN articles ON articles.id = own.article_id WHERE own.id = :version
"""
