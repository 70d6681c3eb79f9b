"""How much the archive covers, and what it misses: numbers for the front page, and portals that are not well."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crawler.publish.site.asking import ask, cached

KEPT_FOR = 60.0
"""Seconds for which numbers may be old while a crawl writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What the archive has."""

    articles: int
    undated: int
    """Without a date, or with one in a year that cannot be: those that are in none of the `years`."""
    portals: int
    """Of the catalogue, whether or not they brought anything."""
    counties: int
    """Divisions that have an article."""
    years: Mapping[str, int]
    """Articles by the year of their dates; years that cannot be are left out."""
    provinces: Mapping[str, int]
    """Articles by the first two digits of the code."""
    edited: int
    gone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ill:
    """A portal that is not well."""

    portal_id: str
    name: str
    status: str
    """Of its last run that ended (``portal_runs.status``)."""
    last_good: str | None
    """Day (UTC) of the last run in which it was ``ok``; None where it never was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the crawl is going."""

    last_run: str | None
    """When the last run that ended began, UTC."""
    days_ago: int | None
    ill: tuple[Ill, ...]
    never: int
    """Portals that are crawled and never were yet."""
    unrepresented: tuple[str, ...]
    """Provinces (codes) without a portal."""


@cached(KEPT_FOR)
async def coverage(datasette: Any) -> Coverage:
    """Count the archive. By indexes, 0.3 µs an article."""
    return await ask(datasette, _coverage)


@cached(KEPT_FOR)
async def health(datasette: Any) -> Health:
    """Look at each portal's last run."""
    return await ask(datasette, _health)


def _coverage(conn: sqlite3.Connection) -> Coverage:
    by_place: dict[str, int] = {
        code: number
        for code, number in conn.execute("SELECT division_code, count(*) FROM articles GROUP BY division_code")
        if code
    }
    by_year = dict(
        conn.execute("SELECT substr(published, 1, 4) AS year, count(*) FROM articles GROUP BY year").fetchall()
    )
    [(this_year,)] = conn.execute("SELECT strftime('%Y', 'now', '+8 hours')").fetchall()
    [(portals,)] = conn.execute("SELECT count(*) FROM portals").fetchall()
    articles = sum(by_year.values())
    years = {year: number for year, number in by_year.items() if year and "1990" <= year <= this_year}
    return Coverage(
        articles=articles,
        undated=articles - sum(years.values()),
        portals=portals,
        counties=sum(1 for code in by_place if not code.endswith("00")),
        years=years,
        provinces=_summed(by_place),
        edited=_states(conn, "edited"),
        gone=_states(conn, "gone"),
    )


def _states(conn: sqlite3.Connection, state: str) -> int:
    """Articles that were ever seen so: the changes of state are few, the articles are not."""
    sql = "SELECT count(DISTINCT article_id) FROM article_states WHERE state = ?"
    number: int = conn.execute(sql, (state,)).fetchone()[0]
    return number


def _summed(by_place: Mapping[str, int]) -> dict[str, int]:
    provinces: dict[str, int] = {}
    for code, number in by_place.items():
        provinces[code[:2]] = provinces.get(code[:2], 0) + number
    return provinces


def _health(conn: sqlite3.Connection) -> Health:
    last = conn.execute(
        "SELECT started_at, CAST(julianday('now') - julianday(started_at) AS INTEGER) FROM runs"
        " WHERE status <> 'running' ORDER BY id DESC LIMIT 1"
    ).fetchone()
    portals = conn.execute(_STANDING).fetchall()
    codes = {code[:2] for (code,) in conn.execute("SELECT DISTINCT division_code FROM portals")}
    provinces = conn.execute("SELECT DISTINCT code FROM divisions WHERE level = 1 AND to_year IS NULL ORDER BY code")
    return Health(
        last_run=last[0] if last else None,
        days_ago=last[1] if last else None,
        ill=tuple(
            Ill(portal_id=portal_id, name=name, status=status, last_good=good)
            for portal_id, name, status, good in portals
            if status not in (None, "ok")
        ),
        never=sum(1 for _, _, status, _ in portals if status is None),
        unrepresented=tuple(code for (code,) in provinces if code[:2] not in codes),
    )


# A run that is under way says "interrupted" of every portal until it is over.
_STANDING = """
    SELECT id, name,
        (SELECT portal_runs.status FROM portal_runs JOIN runs ON runs.id = run_id
            WHERE portal_id = portals.id AND runs.status <> 'running' ORDER BY run_id DESC LIMIT 1),
        (SELECT substr(started_at, 1, 10) FROM portal_runs JOIN runs ON runs.id = run_id
            WHERE portal_id = portals.id AND portal_runs.status = 'ok' ORDER BY run_id DESC LIMIT 1)
    FROM portals WHERE enabled ORDER BY 4 IS NOT NULL, 4, id
"""
