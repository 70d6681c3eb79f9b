"""How a portal has been: what ``expect`` is judged by, and since when something has been wrong."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from crawler.archive.times import parse, to_second


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A portal's place in its row of runs, as one of them ends that is not well."""

    since: str
    """Start (UTC) of the first run of the unbroken row in which the portal was not ``ok``; at the latest this one's."""
    last_good: str | None
    """Start (UTC) of the last run before that was ``ok``; None where none ever was."""


def standing(conn: sqlite3.Connection, portal_id: str, run_id: str) -> Standing:
    """Where a portal stands that is not well in *run_id*; LookupError for an unknown run.

    Runs that were interrupted say nothing of a portal: they neither begin a row nor end it.
    """
    row = conn.execute(
        """
        WITH past AS (
            SELECT runs.id, started_at, portal_runs.status FROM portal_runs JOIN runs ON runs.id = run_id
            WHERE portal_id = :portal AND runs.id < :run),
        good AS (SELECT max(id) AS id, max(started_at) AS started_at FROM past WHERE status = 'ok')
        SELECT coalesce(
            (SELECT min(started_at) FROM past
                WHERE status <> 'interrupted' AND id > coalesce((SELECT id FROM good), '')),
            started_at), (SELECT started_at FROM good)
        FROM runs WHERE id = :run
        """,
        {"portal": portal_id, "run": run_id},
    ).fetchone()
    if row is None:
        raise LookupError(f"no run has the id {run_id!r}")
    return Standing(since=row[0], last_good=row[1])


def first_seen_since(conn: sqlite3.Connection, portal_id: str, moment: datetime) -> int:
    """How many of a portal's articles were first seen at *moment* or later."""
    sql = "SELECT count(*) FROM articles WHERE portal_id = ? AND first_seen >= ?"
    articles: int = conn.execute(sql, (portal_id, to_second(moment))).fetchone()[0]
    return articles


def last_successes(conn: sqlite3.Connection) -> dict[str, datetime]:
    """When each enabled portal was last ``ok`` (UTC): the start of that run, or of its first one where it never was.

    Portals that were never crawled are left out.
    """
    rows = conn.execute("""
        SELECT portals.id, coalesce(max(CASE WHEN portal_runs.status = 'ok' THEN started_at END), min(started_at))
        FROM portals JOIN portal_runs ON portal_id = portals.id JOIN runs ON runs.id = run_id
        WHERE enabled GROUP BY portals.id
    """)
    return {portal_id: parse(moment) for portal_id, moment in rows}
