"""Known articles: which are due for another look, and what is known of one.

An article is looked at again `STEPS` days after it was first seen: most edits and deletions come early.
"""

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from crawler.archive.times import parse

STEPS = (1, 3, 7, 30, 90, 365)
"""Days after the first sight."""
SLACK = 0.25
"""Days: a night's run may begin some hours earlier than the night before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An article of the archive, as far as another look at it needs to know."""

    url: str
    """Its canonical address."""
    address: str
    """Where it was found last: the canonical one need not answer."""
    listed: str | None
    """The day that a list page gave it, where its own page tells none: without it the next version would differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The last look at an article, whatever it brought."""

    at: datetime
    """UTC."""
    listed: str | None
    """As in `Known`."""


def due(
    conn: sqlite3.Connection, portal_id: str, *, run_id: str, everything: bool = False, after: str = "", limit: int
) -> list[Known]:
    """The first *limit* articles of the portal behind the address *after* that this run should look at, by address.

    *everything*: whatever this run did not ask for yet, else what is due.
    """
    rows = conn.execute(
        _NOT_TONIGHT + f" AND articles.url > :after AND (:everything OR {_IS_DUE}) ORDER BY articles.url LIMIT :limit",
        {"portal": portal_id, "run": run_id, "everything": everything, "after": after, "limit": limit},
    )
    return [Known(url=url, address=address, listed=listed) for url, address, listed in rows]


def newest(conn: sqlite3.Connection, portal_id: str, *, run_id: str, limit: int) -> list[Known]:
    """The portal's newest articles that answered when they were last looked at and were not asked for in this run."""
    rows = conn.execute(
        _NOT_TONIGHT + " AND articles.state IN ('live', 'edited') ORDER BY articles.published DESC LIMIT :limit",
        {"portal": portal_id, "run": run_id, "limit": limit},
    )
    return [Known(url=url, address=address, listed=listed) for url, address, listed in rows]


def looked_at(conn: sqlite3.Connection, portal_id: str, keys: Collection[str]) -> dict[str, Look]:
    """Of the canonical addresses *keys*, the articles that do not wait to be asked for, with the last look at each."""
    rows = conn.execute(
        "SELECT articles.url, frontier.updated_at, iif(published_basis = 'list', published, NULL)"
        " FROM articles JOIN frontier ON frontier.portal_id = articles.portal_id AND frontier.key = articles.url"
        " WHERE articles.portal_id = :portal AND frontier.state <> 'queued'"
        " AND articles.url IN (SELECT value FROM json_each(:keys))",
        {"portal": portal_id, "keys": json.dumps(list(keys))},
    )
    return {url: Look(at=parse(at), listed=listed) for url, at, listed in rows}


def state_of(conn: sqlite3.Connection, portal_id: str, url: str) -> str | None:
    """``articles.state`` of the article at a canonical address; None where there is none."""
    row = conn.execute("SELECT state FROM articles WHERE portal_id = ? AND url = ?", (portal_id, url)).fetchone()
    return row[0] if row else None


_AGE = "julianday('now') - julianday(first_seen)"
_STEP = " ".join(f"WHEN {_AGE} >= {days - SLACK} THEN {days - SLACK}" for days in reversed(STEPS))
# The article's own frontier row tells of looks that brought no answer, too; one that came by a redirect has none.
_IS_DUE = f"""
    julianday(coalesce(frontier.updated_at, last_seen)) < julianday(first_seen) + CASE {_STEP} END
"""
_NOT_TONIGHT = """
    SELECT articles.url, coalesce(captures.url, articles.url), iif(published_basis = 'list', articles.published, NULL)
    FROM articles LEFT JOIN versions ON versions.id = version_id LEFT JOIN captures ON captures.id = versions.capture_id
        LEFT JOIN frontier ON frontier.portal_id = articles.portal_id AND frontier.key = articles.url
    WHERE articles.portal_id = :portal
        AND (frontier.key IS NULL OR (frontier.state <> 'queued' AND frontier.run_id <> :run))
"""
