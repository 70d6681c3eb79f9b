"""Rows of ``mentions``, and the division of an article: which places its reading text names, and where it belongs."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from crawler.archive.connection import transaction
from crawler.reading.places import Places, division_of, find, is_government
from crawler.records import DivisionBasis, Mention

CATCH_UP_BATCH = 200
"""Articles read in one transaction: about 150 ms, in which nobody else can write."""


class _Stored(NamedTuple):
    """An article as it is stored, and its portal."""

    id: int
    version_id: int
    title: str | None
    body: str
    day: str
    division_code: str | None
    division_basis: DivisionBasis | None
    own: str
    name: str
    homepage: str


def store(conn: sqlite3.Connection, article_id: int, mentions: Iterable[Mention]) -> None:
    """Make an article's mentions these, inside the caller's transaction."""
    conn.execute("DELETE FROM mentions WHERE article_id = ?", (article_id,))
    conn.executemany(
        "INSERT INTO mentions (article_id, division_code, count) VALUES (?, ?, ?)",
        [(article_id, mention.division_code, mention.count) for mention in mentions],
    )


def refresh(conn: sqlite3.Connection, article_ids: Iterable[int]) -> None:
    """Find the places of stored articles again, inside the caller's transaction.

    For whatever changes their reading text: roles that were learned, spans that were cut. About 0.6 ms an article.
    """
    ids = json.dumps(list(article_ids))
    cuts = _cuts_in_titles(conn, ids)
    rows = [
        _Stored(*row)
        for row in conn.execute(
            "SELECT articles.id, version_id, title, body, coalesce(published, first_seen), articles.division_code,"
            " division_basis, portals.division_code, name, homepage"
            " FROM articles JOIN article_texts ON article_id = articles.id JOIN portals ON portals.id = portal_id"
            " WHERE articles.id IN (SELECT value FROM json_each(?))",
            (ids,),
        )
    ]
    for row in rows:
        title = row.title or ""
        for start, end in cuts[row.version_id]:
            title = title[:start] + title[end:]
        _place(conn, row, find(title, row.body, year=int(row.day[:4]), home=row.own))


def catch_up(conn: sqlite3.Connection) -> int:
    """Find the places of every article that was stored before there was this table, in batches; how many there were."""
    done = 0
    while True:
        with transaction(conn):
            ids = [
                article_id
                for (article_id,) in conn.execute(
                    "SELECT id FROM articles WHERE division_basis IS NULL ORDER BY id LIMIT ?", (CATCH_UP_BATCH,)
                )
            ]
            refresh(conn, ids)
        if not ids:
            return done
        done += len(ids)


def _place(conn: sqlite3.Connection, row: _Stored, found: Places) -> None:
    store(conn, row.id, found.mentions)
    # An older program wrote the code of the page's own tag without saying so: it is another one than the portal's.
    is_of_site = row.division_basis == "site_id" or (row.division_basis is None and row.division_code != row.own)
    code, basis = division_of(
        own=row.own,
        is_government=is_government(name=row.name, homepage=row.homepage),
        site=row.division_code if is_of_site else None,
        about=found.about,
    )
    conn.execute("UPDATE articles SET division_code = ?, division_basis = ? WHERE id = ?", (code, basis, row.id))


def _cuts_in_titles(conn: sqlite3.Connection, ids: str) -> defaultdict[int, list[tuple[int, int]]]:
    """By version, the spans that are cut from its title, the last first: those before it stay where they are."""
    cuts: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for version_id, start, end in conn.execute(
        'SELECT spam_spans.version_id, start, "end" FROM spam_spans JOIN articles USING (version_id)'
        " WHERE articles.id IN (SELECT value FROM json_each(?)) AND position = -1 AND cut ORDER BY start DESC",
        (ids,),
    ):
        cuts[version_id].append((start, end))
    return cuts
