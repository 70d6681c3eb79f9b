"""The front page: what this is, a search box, the newest articles, what is covered and what is missing."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from datasette.database import QueryInterrupted
from datasette.views.index import IndexView

from crawler.publish.metadata import archives
from crawler.publish.site import charts
from crawler.publish.site.asking import rows
from crawler.publish.site.charts import Mark, plain
from crawler.publish.site.coverage import Coverage, Health, coverage, health
from crawler.publish.site.frame import Routes, link, page
from crawler.publish.site.language import Words, lang_of, words
from crawler.publish.site.names import division_name, province_name
from crawler.publish.site.titles import with_titles

NEWEST = 12
ILL = 8
"""Portals that are named; the others are counted."""

# A day to come is a slip of the page's; it would stand on top for ever.
_NEWEST = """
    SELECT articles.id, substr(published, 1, 10) AS day, portal_id, portals.name AS portal,
        articles.division_code, state
    FROM articles LEFT JOIN portals ON portals.id = portal_id
    WHERE published < date('now', '+8 hours', '+1 day') ORDER BY published DESC, articles.id DESC LIMIT :limit
"""


async def home(datasette: Any, request: Any, send: Any) -> Any:
    """The page; Datasette's own where none of the databases is an archive."""
    if not archives(datasette):
        return await IndexView.as_view(datasette)(request, send)
    t = words(lang_of(request))
    covered, well = await _covered(datasette)
    newest = await with_titles(datasette, await rows(datasette, _NEWEST, {"limit": NEWEST}))
    return await page(
        datasette,
        request,
        "home",
        title=t("home.title"),
        description=t("home.lede"),
        data={
            "coverage": covered and asdict(covered),
            "health": well and asdict(well),
            "newest": newest,
        },
        feed=link(datasette, request, "/articles.atom"),
        newest=[{**one, "place": division_name(one["division_code"])} for one in newest],
        covered=covered,
        health=well,
        ill=well.ill[:ILL] if well else (),
        missing=[plain(province_name(code, t)) for code in well.unrepresented] if well else [],
        map=charts.tile_map(_provinces(datasette, request, covered, t), title=t("home.map")) if covered else "",
        years=charts.bars(_years(datasette, request, covered), title=t("home.years")) if covered else "",
        examples=_examples(t),
        this_year=_this_year(),
        others=[name for name in datasette.databases if name != "_internal" and name not in archives(datasette)[:1]],
    )


async def _covered(datasette: Any) -> tuple[Coverage | None, Health | None]:
    """None for what takes longer to count than a page may."""
    try:
        return await coverage(datasette), await health(datasette)
    except QueryInterrupted:
        return None, None


def _provinces(datasette: Any, request: Any, covered: Coverage, t: Words) -> dict[str, Mark]:
    """A mark for each of today's provinces, those without articles too."""
    return {
        place: Mark(
            label=province_name(place, t),
            value=covered.provinces.get(place, 0),
            href=link(datasette, request, f"/county/{place}0000"),
        )
        for place in charts.provinces()
    }


def _years(datasette: Any, request: Any, covered: Coverage) -> list[Mark]:
    if not covered.years:
        return []
    span = range(int(min(covered.years)), int(max(covered.years)) + 1)
    return [
        Mark(
            label=str(year),
            value=covered.years.get(str(year), 0),
            href=link(datasette, request, "/search", **{"from": str(year), "to": str(year)}),
        )
        for year in span
    ]


def _this_year() -> int:
    """In Beijing."""
    return (datetime.now(UTC) + timedelta(hours=8)).year


def _examples(t: Words) -> list[str]:
    """Searches to begin with."""
    return t("home.examples").split("|")


ROUTES: Routes = [(r"/$", home), (r"/index\.json$", home)]
