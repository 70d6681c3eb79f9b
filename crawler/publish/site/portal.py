"""``/portal``: all portals and how they are; ``/portal/ID``: one portal's runs, articles by month, gaps, newest."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from crawler.publish.site import charts
from crawler.publish.site.asked import page_number, said
from crawler.publish.site.asking import ask, cached, rows
from crawler.publish.site.frame import Routes, here, link, not_found, page
from crawler.publish.site.holdings import COUNTING_MS, KEPT_FOR, bar_marks, holdings, newest, search_path
from crawler.publish.site.language import lang_of, words
from crawler.publish.site.names import division_name
from crawler.publish.site.place import path_to
from crawler.publish.site.standing import standings

PER_PAGE = 100
PAGES = 100
RUNS = 30
"""Runs of a portal that are shown, the last ones."""

_SORTS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "place": lambda one: one["division_code"],
    "name": lambda one: one["name"],
    "status": lambda one: (one["status"] == "ok", one["status"] or "", one["last_good"] or ""),
    "last_good": lambda one: one["last_good"] or "",
    "articles": lambda one: -one["articles"],
}
"""``?sort=``: the worst, the oldest and the most first."""


async def index(datasette: Any, request: Any) -> Any:
    """``/portal``."""
    t = words(lang_of(request))
    sort = next((one for one in _SORTS if one == request.args.get("sort")), "place")
    found = sorted(await standings(datasette), key=_SORTS[sort])
    pages = max(1, min(-(-len(found) // PER_PAGE), PAGES))
    turned_to = page_number(request.args.get("page"), most=pages)
    listed = found[(turned_to - 1) * PER_PAGE : turned_to * PER_PAGE]
    return await page(
        datasette,
        request,
        "portal_index",
        title=t("portal.title"),
        description=t("portal.lede"),
        data={"sort": sort, "page": turned_to, "per_page": PER_PAGE, "total": len(found), "portals": listed},
        is_indexed=sort == "place" and turned_to == 1,
        listed=listed,
        total=len(found),
        sort=sort,
        sorts=list(_SORTS),
        place_of=division_name,
        page=turned_to,
        pages=pages,
        previous=here(request, page=turned_to - 1) if turned_to > 1 else None,
        next=here(request, page=turned_to + 1) if turned_to < pages else None,
    )


async def portal(datasette: Any, request: Any) -> Any:
    """``/portal/ID``."""
    portal_id = request.url_vars["id"]
    found = await rows(datasette, "SELECT id, name, division_code, homepage FROM portals WHERE id = ?", (portal_id,))
    if not found:
        return await not_found(datasette, request)
    t, known = words(lang_of(request)), found[0]
    held, states = await holdings(datasette, "portal", portal_id), await _states(datasette, portal_id)
    standing = next((one for one in await standings(datasette) if one["id"] == portal_id), None)
    runs = await rows(datasette, _RUNS, {"portal": portal_id, "limit": RUNS})
    listed = await newest(datasette, "portal", portal_id)
    hrefs = {month: search_path(datasette, request, "portal", portal_id, month) for month in held.months}
    return await page(
        datasette,
        request,
        "portal",
        title=known["name"],
        description=t("portal.sum", n=held.articles),
        data={
            **known,
            "standing": standing,
            "states": states,
            **asdict(held),
            "runs": runs,
            "newest": listed,
        },
        feed=link(datasette, request, "/search.atom", portal=portal_id),
        portal=known,
        homepage=known["homepage"] if known["homepage"].startswith(("http://", "https://")) else None,
        crumbs=path_to(known["division_code"]),
        standing=standing,
        states=states,
        held=held,
        runs=runs,
        newest=listed,
        bars=charts.bars(bar_marks(datasette, request, "portal", portal_id, held.months), title=t("holdings.bars")),
        grid=charts.month_grid(held.months, title=t("holdings.grid"), hrefs=hrefs),
        search_path=search_path(datasette, request, "portal", portal_id),
        csv_path=link(datasette, request, "/export.csv", portal=portal_id),
        said=said,
    )


@cached(KEPT_FOR)
async def _states(datasette: Any, portal_id: str) -> Mapping[str, int]:
    """The portal's articles by the state in which they were seen last."""
    sql = "SELECT state, count(*) FROM articles WHERE portal_id = ? GROUP BY state"
    return await ask(datasette, lambda conn: dict(conn.execute(sql, (portal_id,)).fetchall()), limit_ms=COUNTING_MS)


# A run that is under way says "interrupted" of every portal until it is over.
_RUNS = """
    SELECT run_id, started_at, iif(runs.status = 'running', 'running', portal_runs.status) AS status, reason,
        fetched, new, changed, unchanged, gone, failed
    FROM portal_runs JOIN runs ON runs.id = run_id WHERE portal_id = :portal ORDER BY run_id DESC LIMIT :limit
"""
ROUTES: Routes = [(r"/portal/?(\.json)?$", index), (r"/portal/(?P<id>[^/]+?)(\.json)?$", portal)]
