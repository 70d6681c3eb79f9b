"""Nights in which nothing was fetched from a portal, or from any portal of a place, as it should have been."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from crawler.publish.site.asking import ask, cached
from crawler.publish.site.holdings import COUNTING_MS, KEPT_FOR

LONGEST = 10
"""Silences that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Nights in a row without a run that was well; both ends belong to it."""

    first: str
    """Day on which the run would have begun, UTC."""
    last: str
    nights: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Nights:
    """Nights from the first run that asked these portals to the archive's last one."""

    first: str | None
    """Day; None where no run ever asked them."""
    last: str | None
    all: int
    missed: int
    silences: tuple[Silence, ...]
    """The longest first; not more than `LONGEST`."""


@cached(KEPT_FOR)
async def nights(datasette: Any, portals: tuple[str, ...]) -> Nights:
    """Nights in which any of *portals* (ids) was fetched well, and those in which none was."""

    def question(conn: sqlite3.Connection) -> tuple[dict[str, str], list[tuple[str, int]]]:
        days = dict(conn.execute("SELECT id, substr(started_at, 1, 10) FROM runs WHERE status <> 'running'").fetchall())
        return days, conn.execute(_ASKED, (json.dumps(portals),)).fetchall()

    days, asked = await ask(datasette, question, limit_ms=COUNTING_MS)
    asked_on = [days[run] for run, _ in asked if run in days]
    if not asked_on:
        return Nights(first=None, last=None, all=0, missed=0, silences=())
    first, last = date.fromisoformat(min(asked_on)), date.fromisoformat(max(days.values()))
    well = {date.fromisoformat(days[run]) for run, was_well in asked if was_well and run in days}
    silences = sorted(_silences(first, last, sorted(well)), key=lambda one: (one.nights, one.first), reverse=True)
    return Nights(
        first=first.isoformat(),
        last=last.isoformat(),
        all=(last - first).days + 1,
        missed=sum(one.nights for one in silences),
        silences=tuple(silences[:LONGEST]),
    )


def _silences(first: date, last: date, well: list[date]) -> Iterator[Silence]:
    """What lies between the days of *well*, and before and behind them."""
    night = timedelta(days=1)
    for before, after in pairwise([first - night, *well, last + night]):
        if missed := (after - before).days - 1:
            begin, end = before + night, after - night
            yield Silence(first=begin.isoformat(), last=end.isoformat(), nights=missed)


_ASKED = """
    SELECT run_id, max(status = 'ok') FROM portal_runs
    WHERE portal_id IN (SELECT value FROM json_each(?)) GROUP BY run_id
"""
