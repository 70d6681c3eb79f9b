"""``/portal``: all portals, how they are, and which of them print injected advertisements; of a province, or of all."""

from collections.abc import Callable, Mapping
from typing import Any

from crawler.publish.site.asked import page_number
from crawler.publish.site.charts import plain
from crawler.publish.site.frame import Routes, here, page
from crawler.publish.site.language import lang_of, words
from crawler.publish.site.names import full_name, province_name
from crawler.publish.site.standing import defaced, standings
from crawler.text.query import division

PER_PAGE = 100
PAGES = 100
LONGEST = 100
"""Characters of a place that are read."""

_SORTS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "place": lambda one: one["division_code"],
    "name": lambda one: one["name"],
    "status": lambda one: (one["status"] == "ok", one["status"] or "", one["last_good"] or ""),
    "last_good": lambda one: one["last_good"] or "",
    "articles": lambda one: -one["articles"],
}
"""``?sort=``: the worst, the oldest and the most first."""


async def portals(datasette: Any, request: Any) -> Any:
    """``/portal``."""
    t = words(lang_of(request))
    sort = next((one for one in _SORTS if one == request.args.get("sort")), "place")
    every = await standings(datasette)
    asked = (request.args.get("division") or "").strip()[:LONGEST]
    place = division(asked)
    prefix = place.value if place and place.value.isdigit() else ""
    unread = ["division"] if asked and not prefix else []
    found = sorted((one for one in every if one["division_code"].startswith(prefix)), key=_SORTS[sort])
    injected = await defaced(datasette)
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
            "not_understood": unread,
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
        unread=unread,
        well=sum(1 for one in found if one["status"] == "ok"),
        defaced=injected,
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


ROUTES: Routes = [(r"/portal/?(\.json)?$", portals)]
