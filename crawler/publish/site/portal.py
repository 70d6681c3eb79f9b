"""``/portal``: all portals and how they are; ``/portal/ID``: what one brought, what it changed, how its crawls went."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from crawler.archive.defacements import Defacement, defacements
from crawler.publish.site import charts
from crawler.publish.site.asked import page_number, said
from crawler.publish.site.asking import ask, cached, rows
from crawler.publish.site.charts import plain
from crawler.publish.site.flows import flows
from crawler.publish.site.frame import Routes, here, link, not_found, page
from crawler.publish.site.holdings import COUNTING_MS, KEPT_FOR, bar_marks, holdings, newest, search_path
from crawler.publish.site.hosts import host_of
from crawler.publish.site.language import lang_of, words
from crawler.publish.site.names import full_name, province_name
from crawler.publish.site.nights import nights
from crawler.publish.site.place import path_to
from crawler.publish.site.standing import standings
from crawler.text.query import division

PER_PAGE = 100
PAGES = 100
CHANGED = 6
"""Articles that were edited or deleted, the last ones."""
LONGEST = 100
"""Characters of a place that are read."""
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
    every = await standings(datasette)
    place = division((request.args.get("division") or "").strip()[:LONGEST])
    prefix = place.value if place and place.value.isdigit() else ""
    found = sorted((one for one in every if one["division_code"].startswith(prefix)), key=_SORTS[sort])
    defaced = await _defaced(datasette)
    pages = max(1, min(-(-len(found) // PER_PAGE), PAGES))
    turned_to = page_number(request.args.get("page"), most=pages)
    listed = found[(turned_to - 1) * PER_PAGE : turned_to * PER_PAGE]
    return await page(
        datasette,
        request,
        "portal_index",
        title=t("portal.title"),
        description=t("portal.lede"),
        data={
            "division": prefix or None,
            "sort": sort,
            "page": turned_to,
            "per_page": PER_PAGE,
            "total": len(found),
            "portals": listed,
        },
        is_indexed=sort == "place" and turned_to == 1 and not prefix,
        provinces=[
            (code, plain(province_name(code, t))) for code in sorted({one["division_code"][:2] for one in every})
        ],
        prefix=prefix,
        well=sum(1 for one in found if one["status"] == "ok"),
        defaced=defaced,
        listed=listed,
        total=len(found),
        sort=sort,
        sorts=list(_SORTS),
        place_of=full_name,
        page=turned_to,
        pages=pages,
        previous=here(request, page=turned_to - 1) if turned_to > 1 else None,
        next=here(request, page=turned_to + 1) if turned_to < pages else None,
    )


async def portal(datasette: Any, request: Any) -> Any:
    """``/portal/ID``."""
    portal_id = request.url_vars["id"]
    found = await rows(datasette, _PORTAL, (portal_id,))
    if not found:
        return await not_found(datasette, request)
    t, known = words(lang_of(request)), found[0]
    held, states = await holdings(datasette, "portal", portal_id), await _states(datasette, portal_id)
    standing = next((one for one in await standings(datasette) if one["id"] == portal_id), None)
    runs = await rows(datasette, _RUNS, {"portal": portal_id, "limit": RUNS})
    listed = await newest(datasette, "portal", portal_id)
    crawled = await nights(datasette, (portal_id,))
    shared = await flows(datasette, request, "portal", portal_id, (portal_id,))
    host, injected = await host_of(datasette, known["homepage"]), (await _defaced(datasette)).get(portal_id)
    changed = await _changed(datasette, portal_id)
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
            "nights": asdict(crawled),
            "runs": runs,
            "newest": listed,
            "changed": changed,
            "defaced": injected and {"articles": injected.articles, "still": injected.still},
            "host": host and asdict(host),
            "reprints": asdict(shared),
        },
        feed=link(datasette, request, "/search.atom", portal=portal_id),
        portal=known,
        homepage=known["homepage"] if known["homepage"].startswith(("http://", "https://")) else None,
        crumbs=path_to(known["division_code"]),
        standing=standing,
        states=states,
        held=held,
        nights=crawled,
        changed=changed,
        defaced=injected,
        host=host,
        flows=shared,
        runs=runs,
        newest=[{**one, "portal": None, "place": _elsewhere(one, known["division_code"])} for one in listed],
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


def _elsewhere(article: Mapping[str, Any], home: str) -> str | None:
    """The place of an article that is not the portal's own."""
    return article["place"] if article["division_code"] != home else None


async def _changed(datasette: Any, portal_id: str) -> list[dict[str, Any]]:
    """Articles that are edited or gone, as ``article_list`` takes them, those last that changed first."""
    ids = json.dumps(await _changed_ids(datasette, portal_id))
    return await rows(datasette, _CHANGED, (ids,))


@cached(KEPT_FOR)
async def _changed_ids(datasette: Any, portal_id: str) -> list[int]:
    params = {"portal": portal_id, "limit": CHANGED}
    return await ask(
        datasette,
        lambda conn: [article_id for (article_id,) in conn.execute(_CHANGED_IDS, params)],
        limit_ms=COUNTING_MS,
    )


@cached(KEPT_FOR)
async def _defaced(datasette: Any) -> Mapping[str, Defacement]:
    """By portal."""
    found = await ask(datasette, defacements, limit_ms=COUNTING_MS)
    return {one.portal_id: one for one in found}


_PORTAL = "SELECT id, name, division_code, homepage, cms, enabled FROM portals WHERE id = ?"
_CHANGED_IDS = """
    SELECT id FROM articles WHERE portal_id = :portal AND state IN ('edited', 'gone', 'redirected', 'blocked')
    ORDER BY (SELECT max(since) FROM article_states WHERE article_id = articles.id) DESC, id DESC LIMIT :limit
"""
_CHANGED = """
    SELECT articles.id, title, substr(published, 1, 10) AS day, state
    FROM json_each(?) AS one JOIN articles ON articles.id = one.value ORDER BY one.key
"""
# A run that is under way says "interrupted" of every portal until it is over.
_RUNS = """
    SELECT run_id, started_at, iif(runs.status = 'running', 'running', portal_runs.status) AS status, reason,
        fetched, new, changed, unchanged, gone, failed
    FROM portal_runs JOIN runs ON runs.id = run_id WHERE portal_id = :portal ORDER BY run_id DESC LIMIT :limit
"""
ROUTES: Routes = [(r"/portal/?(\.json)?$", index), (r"/portal/(?P<id>[^/]+?)(\.json)?$", portal)]
