"""Of every article its time, division, portal and state, in memory: 20 bytes an article.

A word that most articles have gets its facets and its newest articles from here in hundredths of a second. SQLite alone
would look up tens of thousands of rows, each in another place of the file. Nothing of this names an article: what is
shown of one is asked of the archive.
"""

import sqlite3
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest, nsmallest
from typing import Any

from crawler.publish.site.asking import ask, cached

KEPT_FOR = 30.0
"""Seconds for which facts may be old while a crawl writes."""
LIMIT_MS = 60_000
"""What gathering them may take; it takes 0.4 s for 100,000 articles."""
_SIGNS = str.maketrans("", "", "-T:")
_ROWS = """
    SELECT id, coalesce(published, first_seen), min(coalesce(published, first_seen), first_seen), division_code,
        portal_id, state FROM articles ORDER BY id DESC
"""  # the last id first: it says how long the columns are


class Names:
    """Names as small numbers; 0 is the empty one."""

    def __init__(self) -> None:
        self._numbers = {"": 0}
        self.all = [""]

    def number(self, name: str | None) -> int:
        """The number that stands for *name*."""
        if (name or "") not in self._numbers:
            self._numbers[name or ""] = len(self.all)
            self.all.append(name or "")
        return self._numbers[name or ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Columns by article id; 0 for what is not known, and for ids that no article has."""

    months: "array[int]"
    """``YYYYMM`` of publication, else of the first sight."""
    times: "array[int]"
    """``YYYYMMDDHHMMSS`` likewise, but no later than the first sight: a day to come would stand on top for ever."""
    divisions: "array[int]"
    """Codes."""
    portals: "array[int]"
    states: "array[int]"
    portal_names: Sequence[str]
    """Ids by the numbers in ``portals``."""
    state_names: Sequence[str]

    def known(self, ids: list[int]) -> list[int]:
        """Those of *ids*, which rise, that were there when the facts were gathered."""
        return ids if not ids or ids[-1] < len(self.times) else ids[: bisect_left(ids, len(self.times))]

    def newest(self, ids: Sequence[int], number: int) -> list[int]:
        """The *number* newest of *ids*, which rise."""
        return nlargest(number, reversed(ids), key=self.times.__getitem__)

    def oldest(self, ids: Sequence[int], number: int) -> list[int]:
        """The *number* oldest of *ids*, which rise."""
        return nsmallest(number, ids, key=self.times.__getitem__)


@cached(KEPT_FOR)
async def facts(datasette: Any) -> Facts:
    """Gather them."""
    return await ask(datasette, _facts, limit_ms=LIMIT_MS)


def _facts(conn: sqlite3.Connection) -> Facts:
    portals, states = Names(), Names()
    columns: tuple[array[int], ...] = tuple(array(kind) for kind in "iqiHH")
    for article_id, day, sorted_as, division, portal, state in conn.execute(_ROWS):
        if not columns[0]:
            for column in columns:
                column.frombytes(bytes(column.itemsize * (article_id + 1)))
        values = (
            _digits(day, 6),
            _digits(sorted_as, 14),
            int(division) if division and division.isdecimal() else 0,
            portals.number(portal),
            states.number(state),
        )
        for column, value in zip(columns, values, strict=True):
            column[article_id] = value
    months, times, divisions, portal_numbers, state_numbers = columns
    return Facts(
        months=months,
        times=times,
        divisions=divisions,
        portals=portal_numbers,
        states=state_numbers,
        portal_names=portals.all,
        state_names=states.all,
    )


def _digits(moment: str, places: int) -> int:
    """The first digits of an ISO 8601 day or time; what it leaves out is 0."""
    digits = moment[:19].translate(_SIGNS)[:places].ljust(places, "0")
    return int(digits) if digits.isdecimal() else 0
