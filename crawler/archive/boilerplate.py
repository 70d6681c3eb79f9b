"""A portal's boilerplate: paragraphs that stand on much of its pages, learned from counts and given up by them.

A paragraph is boilerplate of a portal where at least half of the portal's pages have it at the same end of the text,
over several months. What travels between counties is on few pages of each, what is a standing phrase of notices or of
one column on a smaller part of them. It is given up where the share falls to half of that, because the portal printed
enough without it, or took it out of its pages: between the two nothing flickers from night to night.

Counted is one page an article, its latest version, by the month of publication; not the article in which a paragraph
was first stored, so that what is printed once costs no row. The share is of the pages since the paragraph's first
month: what stood there before a template came counts neither way.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from crawler.archive import mentions, reprints, search
from crawler.archive.connection import transaction

LEARNED = 0.5
"""Share of a portal's pages from which a paragraph is boilerplate."""
GIVEN_UP = 0.25
"""Share below which it is none any more."""
PAGES = 20
"""Pages below which nothing is learned: a series of reports has so many with one and the same last line."""
MONTHS = 3
"""Months, the first and the last included, over which the pages are spread: a campaign's banner stays for weeks."""
EDGE = 5
"""Paragraphs at either end of a text among which boilerplate stands."""
CHARS = 6
"""Characters below which a paragraph is a form of words that many texts need (特此通知。, 附件：, 一、)."""
ROLES = frozenset({"body", "heading", "caption"})
"""Roles that boilerplate may have been given by the stages."""

BATCH = 200
"""Versions or articles a transaction: a tenth of a second, half of one where texts change."""


class _Fresh(NamedTuple):
    """A version that was not counted yet."""

    id: int
    article_id: int
    portal_id: str
    seen_at: str
    month: str
    before: int | None
    """The version of the same article that was counted until now."""


class _Counted(NamedTuple):
    """A section's row in ``boilerplate``."""

    section_id: int
    head: int
    tail: int
    first_month: str
    last_month: str
    edge: str | None
    """``head`` or ``tail``, where it was learned."""

    @property
    def months(self) -> int:
        """From the first to the last, both included."""
        return _ordinal(self.last_month) - _ordinal(self.first_month) + 1


class _Place(NamedTuple):
    """A paragraph of a version."""

    version_id: int
    article_id: int
    is_newest: bool
    position: int
    section_id: int
    role: str
    role_before: str | None
    """The one it had before it became boilerplate here; None where it did not."""

    @property
    def own_role(self) -> str:
        """What the stages gave it."""
        return self.role_before or self.role


def learn(conn: sqlite3.Connection) -> int:
    """Count the versions that were not counted yet, and give or take the role ``boilerplate`` by the counts.

    Returns how many versions there were. All versions of a portal's articles get the role, but those that would have no
    body left. Batches are transactions of their own; after a kill the next call goes on where it was. *conn* is in
    autocommit mode.
    """
    done = 0
    while True:
        with transaction(conn):
            fresh = _fresh(conn)
            for portal_id, versions in groupby(fresh, key=lambda version: version.portal_id):
                _take_in(conn, portal_id, list(versions))
            if fresh:
                conn.execute("UPDATE boilerplate_mark SET version_id = ?", (max(version.id for version in fresh),))
        if not fresh:
            break
        done += len(fresh)
    for (portal_id,) in conn.execute("SELECT portal_id FROM boilerplate_unsettled").fetchall():
        _settle_portal(conn, portal_id)
    return done


def _take_in(conn: sqlite3.Connection, portal_id: str, fresh: Sequence[_Fresh]) -> None:
    gained = _count(conn, portal_id, fresh)
    if _decide(conn, portal_id, gained, since=max(version.seen_at for version in fresh)):
        conn.execute(
            "INSERT INTO boilerplate_unsettled (portal_id, article_id) VALUES (?, 0)"
            " ON CONFLICT DO UPDATE SET article_id = 0",
            (portal_id,),
        )
    learned = _learned(conn, portal_id)
    if learned:
        _settle(conn, learned, {version.article_id for version in fresh})


# Counting.


def _fresh(conn: sqlite3.Connection) -> list[_Fresh]:
    """The next versions, by portal. Ids rise from commit to commit, as they are given inside the transactions."""
    rows = conn.execute(
        "SELECT versions.id, article_id, portal_id, seen_at,"
        " substr(iif(versions.published GLOB '[0-9][0-9][0-9][0-9]-[01][0-9]*', versions.published, seen_at), 1, 7),"
        " (SELECT max(older.id) FROM versions AS older"
        "  WHERE older.article_id = versions.article_id AND older.id < versions.id)"
        " FROM versions JOIN articles ON articles.id = article_id"
        " WHERE versions.id > (SELECT version_id FROM boilerplate_mark) ORDER BY versions.id LIMIT ?",
        (BATCH,),
    )
    return sorted((_Fresh(*row) for row in rows), key=lambda version: version.portal_id)


def _count(conn: sqlite3.Connection, portal_id: str, fresh: Sequence[_Fresh]) -> set[int]:
    """Count versions in the place of those before them; return the sections that are on more pages now."""
    edges = _edges(conn, {version_id for version in fresh for version_id in (version.id, version.before) if version_id})
    pages = Counter(version.month for version in fresh if version.before is None)
    gained: Counter[tuple[int, str, str]] = Counter()
    lost: Counter[tuple[int, str]] = Counter()
    for version in fresh:
        had, has = edges[version.before or 0], edges[version.id]
        gained.update((section_id, end, version.month) for section_id, end in has - had)
        lost.update(had - has)
    conn.executemany(
        "INSERT INTO boilerplate_pages (portal_id, month, pages) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET pages = pages + excluded.pages",
        [(portal_id, month, count) for month, count in sorted(pages.items())],
    )
    conn.executemany(
        "INSERT INTO boilerplate (portal_id, section_id, head, tail, first_month, last_month)"
        " VALUES (?1, ?2, iif(?3 = 'head', ?5, 0), iif(?3 = 'tail', ?5, 0), ?4, ?4) ON CONFLICT DO UPDATE"
        " SET head = head + excluded.head, tail = tail + excluded.tail,"
        " first_month = min(first_month, excluded.first_month), last_month = max(last_month, excluded.last_month)",
        [(portal_id, *key, count) for key, count in sorted(gained.items())],
    )
    conn.executemany(
        "UPDATE boilerplate SET head = head - iif(?3 = 'head', ?4, 0), tail = tail - iif(?3 = 'tail', ?4, 0)"
        " WHERE portal_id = ?1 AND section_id = ?2",
        [(portal_id, *key, count) for key, count in sorted(lost.items())],
    )
    return {section_id for section_id, _, _ in gained}


def _edges(conn: sqlite3.Connection, version_ids: Collection[int]) -> defaultdict[int, set[tuple[int, str]]]:
    """By version, its sections and the ends where they stand, but for those first stored with the same article."""
    edges: defaultdict[int, set[tuple[int, str]]] = defaultdict(set)
    for version_id, section_id, is_head, is_tail in conn.execute(_EDGES, {"ids": json.dumps(list(version_ids))}):
        edges[version_id].update((section_id, end) for end, is_it in (("head", is_head), ("tail", is_tail)) if is_it)
    return edges


_EDGES = f"""
    WITH sized AS (
        SELECT versions.id, article_id,
            (SELECT max(position) FROM version_sections WHERE version_id = versions.id) AS last
        FROM json_each(:ids) JOIN versions ON versions.id = value)
    SELECT sized.id, section_id, position < {EDGE}, position > last - {EDGE}
    FROM sized JOIN version_sections ON version_id = sized.id JOIN sections ON sections.id = section_id
        JOIN versions AS first ON first.id = first_version_id
    WHERE (position < {EDGE} OR position > last - {EDGE}) AND role <> 'byline' AND sections.chars >= {CHARS}
        AND first.article_id <> sized.article_id
"""  # noqa: S608 - constants of ours


# Deciding.


def _decide(conn: sqlite3.Connection, portal_id: str, gained: Collection[int], *, since: str) -> bool:
    """Learn and give up what the counts of a portal say; return whether anything changed."""
    pages = conn.execute("SELECT month, pages FROM boilerplate_pages WHERE portal_id = ?", (portal_id,)).fetchall()
    decisions: list[tuple[str | None, str | None, str, int]] = []
    for counted in _to_be_judged(conn, portal_id, gained):
        base = sum(count for month, count in pages if month >= counted.first_month)
        edge = counted.edge or ("tail" if counted.tail >= counted.head else "head")
        on = counted.tail if edge == "tail" else counted.head
        if counted.edge is None and on >= PAGES and counted.months >= MONTHS and on >= LEARNED * base:
            decisions.append((edge, since, portal_id, counted.section_id))
        elif counted.edge is not None and on < GIVEN_UP * base:
            decisions.append((None, None, portal_id, counted.section_id))
    conn.executemany("UPDATE boilerplate SET edge = ?, since = ? WHERE portal_id = ? AND section_id = ?", decisions)
    return bool(decisions)


def _to_be_judged(conn: sqlite3.Connection, portal_id: str, gained: Collection[int]) -> list[_Counted]:
    columns = "SELECT section_id, head, tail, first_month, last_month, edge FROM boilerplate"
    learned = conn.execute(f"{columns} {_LEARNED_OF_PORTAL}", (portal_id,)).fetchall()
    others = conn.execute(
        f"{columns} WHERE portal_id = ? AND since IS NULL AND max(head, tail) >= ?"  # noqa: S608 - the line above
        " AND section_id IN (SELECT value FROM json_each(?))",
        (portal_id, PAGES, json.dumps(list(gained))),
    )
    return [_Counted(*row) for row in (*learned, *others)]


# By itself SQLite goes through all paragraphs that the portal ever repeated.
_LEARNED_OF_PORTAL = "INDEXED BY idx_boilerplate_learned WHERE portal_id = ? AND since IS NOT NULL"

# Roles.


def _settle_portal(conn: sqlite3.Connection, portal_id: str) -> None:
    """Make the roles of all articles of a portal agree with what is learned, from where a killed call had come."""
    ids = [
        article_id
        for (article_id,) in conn.execute(
            "SELECT articles.id FROM articles JOIN boilerplate_unsettled AS unsettled USING (portal_id)"
            " WHERE portal_id = ? AND articles.id > unsettled.article_id ORDER BY articles.id",
            (portal_id,),
        )
    ]
    learned = _learned(conn, portal_id)
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        with transaction(conn):
            _settle(conn, learned, batch)
            conn.execute("UPDATE boilerplate_unsettled SET article_id = ? WHERE portal_id = ?", (batch[-1], portal_id))
    conn.execute("DELETE FROM boilerplate_unsettled WHERE portal_id = ?", (portal_id,))


def _learned(conn: sqlite3.Connection, portal_id: str) -> dict[int, str]:
    """The sections that are boilerplate of a portal, and the ends where they are."""
    return dict(conn.execute(f"SELECT section_id, edge FROM boilerplate {_LEARNED_OF_PORTAL}", (portal_id,)))  # noqa: S608


def _settle(conn: sqlite3.Connection, learned: Mapping[int, str], article_ids: Iterable[int]) -> None:
    """Make the roles of articles of one portal agree with what is *learned*, in all their versions."""
    given: list[_Place] = []
    taken: list[_Place] = []
    for _, version in groupby(_places(conn, article_ids), key=lambda place: place.version_id):
        places = list(version)
        wanted = _boilerplate_of(places, learned)
        given += [place for place in places if place.role_before is None and place.position in wanted]
        taken += [place for place in places if place.role_before is not None and place.position not in wanted]
    changed = {place.article_id for place in (*given, *taken) if place.is_newest}
    with search.changing(conn, changed):
        _give(conn, given)
        _take_back(conn, taken)
    if changed:
        mentions.refresh(conn, changed)
        reprints.forget(conn, changed)


def _places(conn: sqlite3.Connection, article_ids: Iterable[int]) -> list[_Place]:
    rows = conn.execute(
        "SELECT versions.id, article_id, versions.id = articles.version_id, here.position, section_id, here.role,"
        " place.role FROM json_each(?) JOIN articles ON articles.id = value JOIN versions ON article_id = articles.id"
        " JOIN version_sections AS here ON here.version_id = versions.id LEFT JOIN boilerplate_places AS place"
        " ON place.version_id = here.version_id AND place.position = here.position ORDER BY versions.id, here.position",
        (json.dumps(list(article_ids)),),
    )
    return [_Place(*row) for row in rows]


def _boilerplate_of(places: Sequence[_Place], learned: Mapping[int, str]) -> set[int]:
    """The positions in one version that are boilerplate; none where nothing of its body would be left."""
    last = places[-1].position
    found = {
        place.position
        for place in places
        if place.own_role in ROLES
        and (place.position < EDGE if learned.get(place.section_id) == "head" else place.position > last - EDGE)
        and place.section_id in learned
    }
    has_body = any(place.own_role == "body" and place.position not in found for place in places)
    return found if has_body else set()


def _give(conn: sqlite3.Connection, places: Iterable[_Place]) -> None:
    keys = [(place.version_id, place.position) for place in places]
    conn.executemany(
        "INSERT INTO boilerplate_places (version_id, position, role)"
        " SELECT version_id, position, role FROM version_sections WHERE version_id = ? AND position = ?",
        keys,
    )
    conn.executemany("UPDATE version_sections SET role = 'boilerplate' WHERE version_id = ? AND position = ?", keys)


def _take_back(conn: sqlite3.Connection, places: Iterable[_Place]) -> None:
    """Another role that a paragraph was given since it became boilerplate stays."""
    conn.executemany(
        "UPDATE version_sections SET role = ? WHERE version_id = ? AND position = ? AND role = 'boilerplate'",
        [(place.role_before, place.version_id, place.position) for place in places],
    )
    conn.executemany(
        "DELETE FROM boilerplate_places WHERE version_id = ? AND position = ?",
        [(place.version_id, place.position) for place in places],
    )


def _ordinal(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:7])
