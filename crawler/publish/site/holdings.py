"""What the archive has of a place or of a portal: articles by month, months without any, the newest ones."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from crawler.publish.site import charts
from crawler.publish.site.asked import EARLIEST, this_month
from crawler.publish.site.asking import ask, cached, rows
from crawler.publish.site.charts import Mark
from crawler.publish.site.frame import link
from crawler.publish.site.language import lang_of, words
from crawler.publish.site.names import division_name
from crawler.publish.site.titles import with_titles

Kind = Literal["division", "portal"]
"""Whose articles; also the parameter's name in ``/search``. A division is given by what its codes begin with."""

NEWEST = 12
MONTHS = 48
"""A longer time is shown by year."""
KEPT_FOR = 60.0
"""Seconds for which numbers may be old while a crawl writes."""
COUNTING_MS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Months without an article between months that have some; both ends belong to it."""

    first: str
    """YYYY-MM."""
    last: str
    months: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Articles counted."""

    articles: int
    undated: int
    """Without a date, or with one that cannot be."""
    months: Mapping[str, int]
    """By month (YYYY-MM), those without articles left out."""
    gaps: tuple[Gap, ...]


@cached(KEPT_FOR)
async def holdings(datasette: Any, kind: Kind, value: str) -> Holdings:
    """Count the articles of a place with all in it, or of a portal."""
    sql = f"SELECT substr(published, 1, 7), count(*) FROM articles WHERE {_OF[kind]} GROUP BY 1"  # noqa: S608 - ours

    def counted(conn: Any) -> dict[str | None, int]:
        return dict(conn.execute(sql, {"value": value}).fetchall())

    found = await ask(datasette, counted, limit_ms=COUNTING_MS)
    months = {month: found[month] for month in sorted(filter(None, found)) if _can_be(month)}
    total = sum(found.values())
    return Holdings(
        articles=total,
        undated=total - sum(months.values()),
        months=months,
        gaps=tuple(_gaps(list(months))),
    )


async def newest(datasette: Any, kind: Kind, value: str) -> list[dict[str, Any]]:
    """The newest articles, as ``article_list`` of ``site/macros.html`` takes them."""
    ids = await _newest_ids(datasette, kind, value)
    found = await with_titles(datasette, await rows(datasette, _NAMED, (json.dumps(ids),)))
    return [{**one, "place": division_name(one["division_code"])} for one in found]


@cached(KEPT_FOR)
async def _newest_ids(datasette: Any, kind: Kind, value: str) -> list[int]:
    # A day to come is a slip of the page's; it would stand on top for ever.
    sql = f"""
        SELECT id FROM articles WHERE {_OF[kind]} AND published < date('now', '+8 hours', '+1 day')
        ORDER BY published DESC, id DESC LIMIT {NEWEST}
    """  # noqa: S608 - constants of ours
    return await ask(
        datasette, lambda conn: [one for (one,) in conn.execute(sql, {"value": value})], limit_ms=COUNTING_MS
    )


def bar_marks(datasette: Any, request: Any, kind: Kind, value: str, months: Mapping[str, int]) -> list[Mark]:
    """Articles by month, or by year where the months are many, each leading to its articles in the search."""
    spans = list(_between(min(months), max(months))) if months else []
    counts = months
    if len(spans) > MONTHS:
        spans = [str(year) for year in range(int(spans[0][:4]), int(spans[-1][:4]) + 1)]
        counts = {year: sum(number for month, number in months.items() if month[:4] == year) for year in spans}
    return [
        Mark(
            label=span,
            value=counts.get(span, 0),
            href=search_path(datasette, request, kind, value, span) if counts.get(span) else None,
        )
        for span in spans
    ]


def charted(datasette: Any, request: Any, kind: Kind, value: str, held: Holdings) -> dict[str, Any]:
    """What `page` takes to show *held* by time and to lead to all of it: ``bars``, ``grid``, ``feed``, addresses."""
    t = words(lang_of(request))
    hrefs = {month: search_path(datasette, request, kind, value, month) for month in held.months}
    return {
        "bars": charts.bars(bar_marks(datasette, request, kind, value, held.months), title=t("holdings.bars")),
        "grid": charts.month_grid(held.months, title=t("holdings.grid"), hrefs=hrefs),
        "search_path": search_path(datasette, request, kind, value),
        "csv_path": link(datasette, request, "/export.csv", **{kind: value}),
        "feed": link(datasette, request, "/search.atom", **{kind: value}),
    }


def search_path(datasette: Any, request: Any, kind: Kind, value: str, span: str | None = None) -> str:
    """The address of the search for these articles, of a year or a month (ISO 8601) where *span* is one."""
    return link(datasette, request, "/search", **{kind: value}, from_=span, to=span)


def _can_be(month: str) -> bool:
    if len(month) != len(EARLIEST) + 3 or not EARLIEST <= month <= this_month():
        return False
    return month[:4].isdecimal() and month[4] == "-" and "01" <= month[5:] <= "12"


def _gaps(months: Sequence[str]) -> Iterator[Gap]:
    """*months* in order."""
    for before, after in pairwise(months):
        empty = list(_between(before, after))[1:-1]
        if empty:
            yield Gap(first=empty[0], last=empty[-1], months=len(empty))


def _between(first: str, last: str) -> Iterator[str]:
    """All months from *first* to *last*."""
    begin, end = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (first, last))
    return (f"{n // 12:04}-{n % 12 + 1:02}" for n in range(begin, end + 1))


_NAMED = """
    SELECT articles.id, substr(published, 1, 10) AS day, portal_id, portals.name AS portal,
        articles.division_code, state
    FROM json_each(?) AS one JOIN articles ON articles.id = one.value LEFT JOIN portals ON portals.id = portal_id
    ORDER BY one.key
"""
# A colon comes behind the digits, so that one range of the index has every code that begins so.
_OF: Mapping[Kind, str] = {
    "division": "division_code >= :value AND division_code < :value || ':'",
    "portal": "portal_id = :value",
}
