"""Keeping an article from the public: the decision, its reason, and the log of both.

Bytes and rows stay; what readers are shown instead of the tables is `crawler.archive.public`. The full-text index is
the one place that a withheld article leaves: whoever can ask the index would learn, word by word, what it says.
"""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from crawler.archive import search
from crawler.archive.connection import transaction
from crawler.archive.texts import storable
from crawler.archive.times import to_second
from crawler.text.canonical import canonical
from crawler.text.urls import parse

Action = Literal["withhold", "undo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """An article that is kept from the public."""

    article_id: int
    portal_id: str
    url: str
    title: str | None
    since: str
    """UTC."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A line of the log."""

    article_id: int
    at: str
    """UTC."""
    action: Action
    reason: str | None


def find(conn: sqlite3.Connection, named: str) -> list[int]:
    """The articles that *named* means: an id, or an address in any of its spellings; none where there is none.

    An address is several articles where portals share a host.
    """
    if named.isascii() and named.isdigit():
        row = conn.execute("SELECT id FROM articles WHERE id = ?", (int(named[:18]),)).fetchone()
        return list(row or ())
    url = named if parse(named) else f"http://{named}"
    rows = (
        conn.execute(
            "SELECT id FROM articles WHERE portal_id = ? AND url = ?", (portal_id, canonical(url, homepage=homepage))
        ).fetchone()
        for portal_id, homepage in conn.execute("SELECT id, homepage FROM portals")
    )
    return sorted(row[0] for row in rows if row)


def withhold(conn: sqlite3.Connection, article_id: int, reason: str) -> None:
    """Keep an article from the public from now on; where it is already, *reason* takes the place of the old one.

    One transaction of its own. Raises LookupError for an unknown article.
    """
    with transaction(conn):
        if conn.execute("SELECT 1 FROM articles WHERE id = ?", (article_id,)).fetchone() is None:
            raise LookupError(f"no article has the id {article_id}")
        with search.changing(conn, [article_id]):
            conn.execute(
                "INSERT INTO withheld (article_id, since, reason) VALUES (?, ?, ?)"
                " ON CONFLICT (article_id) DO UPDATE SET reason = excluded.reason",
                (article_id, to_second(datetime.now(UTC)), storable(reason)),
            )
        _log(conn, article_id, "withhold", reason)


def undo(conn: sqlite3.Connection, article_id: int, reason: str | None = None) -> None:
    """Give an article back to the public. One transaction of its own. Raises LookupError where it is not withheld."""
    with transaction(conn):
        with search.changing(conn, [article_id]):
            taken = conn.execute("DELETE FROM withheld WHERE article_id = ?", (article_id,)).rowcount
        if not taken:
            raise LookupError(f"the article {article_id} is not withheld")
        _log(conn, article_id, "undo", reason)


def is_withheld(conn: sqlite3.Connection, article_id: int) -> bool:
    """Whether an article is kept from the public."""
    return conn.execute("SELECT 1 FROM withheld WHERE article_id = ?", (article_id,)).fetchone() is not None


def withheld(conn: sqlite3.Connection) -> list[Withheld]:
    """Every article that is kept from the public, the latest first."""
    rows = conn.execute(
        "SELECT id, portal_id, url, title, since, reason FROM withheld JOIN articles ON id = article_id"
        " ORDER BY since DESC, id DESC"
    )
    return [
        Withheld(article_id=row[0], portal_id=row[1], url=row[2], title=row[3], since=row[4], reason=row[5])
        for row in rows
    ]


def log(conn: sqlite3.Connection) -> list[Decision]:
    """Every decision, in the order in which they were taken."""
    rows = conn.execute("SELECT article_id, at, action, reason FROM withheld_log ORDER BY id")
    return [Decision(article_id=row[0], at=row[1], action=row[2], reason=row[3]) for row in rows]


def still_shown(conn: sqlite3.Connection, article_id: int) -> list[int]:
    """Articles that tell the same story as a withheld one, or stand under its address, and are not withheld."""
    rows = conn.execute(
        "SELECT id FROM articles WHERE id IN ("
        " SELECT other_id FROM reprints WHERE article_id = :id AND kind <> 'excerpt'"
        " UNION SELECT article_id FROM reprints WHERE other_id = :id AND kind <> 'excerpt'"
        " UNION SELECT twin.id FROM articles AS this JOIN portals JOIN articles AS twin"
        "  ON twin.portal_id = portals.id AND twin.url = this.url WHERE this.id = :id)"
        " AND id <> :id AND id NOT IN (SELECT article_id FROM withheld) ORDER BY id",
        {"id": article_id},
    )
    return [other_id for (other_id,) in rows]


def _log(conn: sqlite3.Connection, article_id: int, action: Action, reason: str | None) -> None:
    conn.execute(
        "INSERT INTO withheld_log (article_id, at, action, reason) VALUES (?, ?, ?, ?)",
        (article_id, to_second(datetime.now(UTC)), action, None if reason is None else storable(reason)),
    )
