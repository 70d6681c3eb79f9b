"""Of every article its time, division, portal and state, in memory: 24 bytes an article.

A word that most articles have gets its facets and its newest articles from here in hundredths of a second. SQLite alone
would look up tens of thousands of rows, each in another place of the file. Nothing of this names an article: what is
shown of one is asked of the archive.
"""

import sqlite3
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from crawler.publish.site.asking import ask, cached

KEPT_FOR = 30.0
"""Seconds for which facts may be old while a crawl writes."""
LIMIT_MS = 60_000
"""What gathering them may take; it takes 0.3 s for 100,000 articles."""
FEW = 2_000
"""Articles up to which sorting them takes less time than walking through all articles for them."""

# A day to come is a slip of the page's; it would stand on top for ever.
_ROWS = """
    SELECT id, substr(coalesce(published, first_seen), 1, 7), coalesce(division_code, ''), portal_id, state
    FROM articles WHERE id <= ? ORDER BY min(coalesce(published, first_seen), first_seen) DESC, id DESC
"""


class Group(NamedTuple):
    """What many articles have in common; empty for what is not known."""

    division: str
    portal: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Columns by article id; 0 for ids that no article has. Of few different numbers: a list is read faster."""

    months: Sequence[int]
    """``YYYYMM`` of publication, else of the first sight; ``YYYY00`` where no more is known."""
    groups: Sequence[int]
    """Numbers of `Group`s."""
    group_names: Sequence[Group]
    """By their numbers; the first one is nobody's."""
    ranks: "array[int]"
    """Places in `order`."""
    order: "array[int]"
    """The ids of all articles, the newest first."""

    def known(self, ids: list[int]) -> list[int]:
        """Those of *ids*, which rise, that were there when the facts were gathered."""
        return ids if not ids or ids[-1] < len(self.ranks) else ids[: bisect_left(ids, len(self.ranks))]

    def newest(self, ids: Sequence[int], number: int) -> list[int]:
        """The *number* newest of *ids*."""
        if len(ids) <= FEW:
            return sorted(ids, key=self.ranks.__getitem__)[:number]
        return self._first(self.order, ids, number)

    def oldest(self, ids: Sequence[int], number: int) -> list[int]:
        """The *number* oldest of *ids*."""
        if len(ids) <= FEW:
            return sorted(ids, key=self.ranks.__getitem__, reverse=True)[:number]
        return self._first(reversed(self.order), ids, number)

    @staticmethod
    def _first(order: Iterable[int], ids: Sequence[int], number: int) -> list[int]:
        return list(islice(filter(set(ids).__contains__, order), number))


@cached(KEPT_FOR)
async def facts(datasette: Any) -> Facts:
    """Gather them."""
    return await ask(datasette, _facts, limit_ms=LIMIT_MS)


def _facts(conn: sqlite3.Connection) -> Facts:
    last: int = conn.execute("SELECT coalesce(max(id), 0) FROM articles").fetchone()[0]
    groups_of, months_of = {Group("", "", ""): 0}, _Months()
    months, groups = [0] * (last + 1), [0] * (last + 1)
    ranks, order = array("I", bytes(4 * (last + 1))), array("I")
    for article_id, month, *group in conn.execute(_ROWS, (last,)):
        months[article_id] = months_of[month]
        groups[article_id] = groups_of.setdefault(Group(*group), len(groups_of))
        ranks[article_id] = len(order)
        order.append(article_id)
    return Facts(months=months, groups=groups, group_names=tuple(groups_of), ranks=ranks, order=order)


class _Months(dict[str, int]):
    """Months as numbers, one object each."""

    def __missing__(self, month: str) -> int:
        digits = month.replace("-", "").ljust(6, "0")
        self[month] = int(digits) if digits.isdecimal() else 0
        return self[month]
