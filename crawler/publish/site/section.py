"""``/section/ID``: a paragraph's life: who had it first, when and where it was printed, all the articles."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from datasette.database import QueryInterrupted

from crawler import divisions
from crawler.archive import provenance
from crawler.archive.provenance import Count, Printing, Provenance
from crawler.publish.site import charts
from crawler.publish.site.asked import EARLIEST, number, page_number, said, this_month
from crawler.publish.site.asking import ask, cached, rows
from crawler.publish.site.charts import Mark
from crawler.publish.site.frame import Routes, here, not_found, page
from crawler.publish.site.language import Words, lang_of, words
from crawler.publish.site.names import division_name, province_name
from crawler.publish.site.titles import titles

PER_PAGE = 50
PAGES = 100
MONTHS = 48
"""A life that is longer is shown by year."""
KEPT_FOR = 60.0
"""Seconds for which numbers may be old while a crawl writes."""
HEADING = 40
"""Characters of the paragraph in the page's title."""
SLOW_MS = 5_000
"""A paragraph that all portals print every day takes a second or two, once in a while."""


async def section(datasette: Any, request: Any) -> Any:
    """The page."""
    section_id = number(request.url_vars["id"])
    found = await rows(datasette, "SELECT text FROM sections WHERE id = ?", (section_id,)) if section_id else []
    if section_id is None or not found:
        return await not_found(datasette, request)
    t, text = words(lang_of(request)), found[0]["text"]
    turned_to = page_number(request.args.get("page"), most=PAGES)
    try:
        sums, counts = await _life(datasette, section_id)
        first, listed = await ask(
            datasette, lambda conn: _printings(conn, section_id, page_number=turned_to), limit_ms=SLOW_MS
        )
    except QueryInterrupted:
        return await _unfinished(datasette, request, text)
    if first is None:
        return await not_found(datasette, request)
    pages = min(-(-sums.articles // PER_PAGE), PAGES)
    names = {row["id"]: row["name"] for row in await rows(datasette, "SELECT id, name FROM portals")}
    return await page(
        datasette,
        request,
        "section",
        title=t("section.title_of", text=_short(text)),
        data=_data(section_id, text, sums, counts, listed),
        is_indexed=turned_to == 1,
        text=text,
        sums=sums,
        first=first,
        listed=[(one, names.get(one.portal_id, one.portal_id), division_name(one.division_code)) for one in listed],
        names=names,
        months=charts.bars(marks_by_time(counts), title=t("section.bars")),
        map=charts.tile_map(marks_by_province(counts, t), title=t("section.map")),
        by_province=sorted(
            (mark for mark in marks_by_province(counts, t).values() if mark.value), key=lambda mark: -mark.value
        ),
        page=turned_to,
        pages=pages,
        previous=here(request, page=turned_to - 1) if turned_to > 1 else None,
        next=here(request, page=turned_to + 1) if turned_to < pages else None,
        said=said,
    )


async def _unfinished(datasette: Any, request: Any, text: str) -> Any:
    """The page of a paragraph that stands in more articles than can be counted in time."""
    t = words(lang_of(request))
    data = {"text": text, "unfinished": True}
    title = t("section.title_of", text=_short(text))
    return await page(datasette, request, "section", title=title, data=data, is_indexed=False, text=text, sums=None)


def _printings(
    conn: sqlite3.Connection, section_id: int, *, page_number: int
) -> tuple[Printing | None, list[Printing]]:
    """The first one, and those of a page, with their titles as they are read."""
    found = provenance.printings(conn, section_id, limit=page_number * PER_PAGE)
    shown = [*found[:1], *found[(page_number - 1) * PER_PAGE :]]
    title_of = titles(conn, [one.article_id for one in shown])
    named = [replace(one, title=title_of.get(one.article_id)) for one in shown]
    return next(iter(named), None), named[1:]


@cached(KEPT_FOR)
async def _life(datasette: Any, section_id: int) -> tuple[Provenance, tuple[Count, ...]]:
    """Numbers alone are used of it: what names an article is asked for anew."""

    def counted(conn: Any) -> tuple[Provenance, tuple[Count, ...]]:
        return provenance.provenance(conn, section_id), tuple(provenance.counts(conn, section_id))

    return await ask(datasette, counted, limit_ms=SLOW_MS)


def marks_by_time(counts: Sequence[Count]) -> list[Mark]:
    """Articles by month, or by year where the months are many; those without are there, too."""
    by_month = Counter[str]()
    for one in counts:
        by_month[one.month] += one.articles
    known = sorted(month for month in by_month if _is_month(month))
    if not known:
        return []
    months = list(_months(known[0], known[-1]))
    if len(months) <= MONTHS:
        return [Mark(label=month, value=by_month[month]) for month in months]
    years = [f"{year:04}" for year in range(int(known[0][:4]), int(known[-1][:4]) + 1)]
    return [Mark(label=year, value=sum(by_month[m] for m in known if m[:4] == year)) for year in years]


def _is_month(month: str) -> bool:
    return re.fullmatch("[0-9]{4}-(0[1-9]|1[0-2])", month) is not None and EARLIEST <= month <= this_month()


def _months(first: str, last: str) -> Iterator[str]:
    begin, end = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (first, last))
    return (f"{n // 12:04}-{n % 12 + 1:02}" for n in range(begin, end + 1))


def marks_by_province(counts: Sequence[Count], t: Words) -> dict[str, Mark]:
    """A mark a province of today, by its code."""
    by_province = Counter[str]()
    for one in counts:
        if one.division_code:
            by_province[one.division_code[:2]] += one.articles
    return {
        row.code: Mark(
            label=province_name(row.code, t),
            value=by_province[row.code[:2]],
        )
        for row in divisions.rows()
        if row.level == 1 and row.to_year is None
    }


def _short(text: str) -> str:
    return text if len(text) <= HEADING else f"{text[:HEADING]}…"


def _data(
    section_id: int, text: str, sums: Provenance, counts: Sequence[Count], listed: Sequence[Printing]
) -> dict[str, Any]:
    return {
        "id": section_id,
        "text": text,
        **{name: getattr(sums, name) for name in ("articles", "portals", "divisions", "still_there", "differing")},
        "counts": [asdict(one) for one in counts],
        "printings": [asdict(one) for one in listed],
    }


ROUTES: Routes = [(r"/section/(?P<id>[^/]+?)(\.json)?$", section)]
