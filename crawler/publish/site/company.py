"""Places that are named together with a place, and ``/county/CODE/with/OTHER``: the articles that name both."""

from dataclasses import dataclass
from typing import Any

from crawler import divisions
from crawler.publish.site.asked import page_number
from crawler.publish.site.asking import ask, cached, rows
from crawler.publish.site.frame import Routes, here, link, not_found, page
from crawler.publish.site.holdings import COUNTING_MS, KEPT_FOR
from crawler.publish.site.language import lang_of, words
from crawler.publish.site.names import division_name, full_name
from crawler.publish.site.titles import with_titles

SHOWN = 12
LOOKED_AT = 20_000
"""Articles that name a place, the newest in the archive; more would say the same, and take longer."""
PER_PAGE = 30
PAGES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """A place that articles name together with another one."""

    code: str
    name: str
    hint: str
    """Its full name."""
    articles: int


async def companions(datasette: Any, code: str) -> list[Companion]:
    """Places of the same level that most articles name together with *code*; what lies in it or around it is none."""
    level = _level(code)
    found = [(other, number) for other, number in await _counted(datasette, code) if _level(other) == level]
    return [
        Companion(code=other, name=division_name(other) or other, hint=full_name(other) or "", articles=number)
        for other, number in found[:SHOWN]
    ]


async def together(datasette: Any, request: Any) -> Any:
    """``/county/CODE/with/OTHER``."""
    codes = (request.url_vars["code"], request.url_vars["other"])
    if codes[0] == codes[1] or not all(map(divisions.exists, codes)):
        return await not_found(datasette, request)
    t = words(lang_of(request))
    names = [division_name(code) or code for code in codes]
    total = await _number(datasette, *sorted(codes))
    pages = max(1, min(-(-total // PER_PAGE), PAGES))
    turned_to = page_number(request.args.get("page"), most=pages)
    found = await rows(datasette, _LISTED, (*codes, PER_PAGE, (turned_to - 1) * PER_PAGE))
    listed = await with_titles(datasette, found)
    listed = [{**one, "place": division_name(one["division_code"])} for one in listed]
    return await page(
        datasette,
        request,
        "together",
        title=t("place.both", one=names[0], other=names[1]),
        data={"codes": codes, "total": total, "page": turned_to, "per_page": PER_PAGE, "articles": listed},
        is_indexed=False,
        places=[(full_name(code), link(datasette, request, f"/county/{code}")) for code in codes],
        total=total,
        listed=listed,
        page=turned_to,
        pages=pages,
        previous=here(request, page=turned_to - 1) if turned_to > 1 else None,
        next=here(request, page=turned_to + 1) if turned_to < pages else None,
    )


@cached(KEPT_FOR)
async def _counted(datasette: Any, code: str) -> list[tuple[str, int]]:
    return await ask(datasette, lambda conn: conn.execute(_COUNTED, (code, LOOKED_AT)).fetchall(), limit_ms=COUNTING_MS)


@cached(KEPT_FOR)
async def _number(datasette: Any, one: str, other: str) -> int:
    sql = f"SELECT count(*) {_BOTH}"
    [(number,)] = await ask(datasette, lambda conn: conn.execute(sql, (one, other)).fetchall(), limit_ms=COUNTING_MS)
    return int(number)


def _level(code: str) -> int:
    """1 province, 2 prefecture, 3 county (GB/T 2260)."""
    return 3 - (code.endswith("00") + code.endswith("0000"))


_COUNTED = """
    SELECT other.division_code, count(*) FROM (
        SELECT article_id FROM mentions WHERE division_code = ?1 ORDER BY article_id DESC LIMIT ?2
    ) AS here CROSS JOIN mentions AS other ON other.article_id = here.article_id
    WHERE other.division_code <> ?1 GROUP BY 1 ORDER BY 2 DESC, 1
"""
_BOTH = """
    FROM mentions AS one JOIN mentions AS other ON other.article_id = one.article_id
    WHERE one.division_code = ? AND other.division_code = ?
"""
_LISTED = f"""
    SELECT articles.id, substr(published, 1, 10) AS day, portal_id, portals.name AS portal,
        articles.division_code, state
    FROM articles JOIN portals ON portals.id = portal_id WHERE articles.id IN (SELECT one.article_id {_BOTH})
    ORDER BY min(coalesce(published, first_seen), first_seen) DESC, articles.id DESC LIMIT ? OFFSET ?
"""  # noqa: S608 - constants of ours
ROUTES: Routes = [(r"/county/(?P<code>[0-9]{6})/with/(?P<other>[0-9]{6})(\.json)?$", together)]
