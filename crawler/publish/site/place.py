"""``/county``: the provinces; ``/county/CODE``: what the archive has of a county, a prefecture or a province."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from crawler import divisions
from crawler.divisions import Division
from crawler.publish.site import charts
from crawler.publish.site.asking import ask, cached
from crawler.publish.site.charts import Mark
from crawler.publish.site.company import companions
from crawler.publish.site.flows import flows
from crawler.publish.site.frame import Routes, link, not_found, page
from crawler.publish.site.holdings import COUNTING_MS, KEPT_FOR, charted, holdings, newest
from crawler.publish.site.language import lang_of, words
from crawler.publish.site.names import division_name, full_name, province_name
from crawler.publish.site.nights import nights
from crawler.publish.site.standing import standings
from crawler.text.query import code_prefix

_LATEST = 9_999
MOST_PORTALS = 20
"""On a province's page; all are on ``/portal``."""
EARLIEST = min(row.from_year for row in divisions.rows())
"""The table of divisions begins here; what is from this year on may be older."""
COUNTRY = ""
"""What all codes begin with."""


async def index(datasette: Any, request: Any) -> Any:
    """``/county``."""
    t = words(lang_of(request))
    listed = await _parts(datasette, COUNTRY)
    tiles = {
        one["code"]: Mark(
            label=province_name(one["code"], t),
            value=one["articles"],
            href=link(datasette, request, f"/county/{one['code']}"),
        )
        for one in listed
        if one["name"]
    }
    return await page(
        datasette,
        request,
        "county_index",
        title=t("place.title"),
        description=t("place.lede"),
        data={"provinces": listed},
        listed=listed,
        map=charts.tile_map(tiles, title=t("place.map")),
    )


async def place(datasette: Any, request: Any) -> Any:
    """``/county/CODE``."""
    code = request.url_vars["code"]
    if not re.fullmatch("[0-9]{6}", code) or code == "000000":
        return await not_found(datasette, request)
    t, prefix = words(lang_of(request)), code_prefix(code)
    held, portals = await holdings(datasette, "division", prefix), await standings(datasette, prefix)
    if not (divisions.exists(code) or held.articles or portals):
        return await not_found(datasette, request)
    listed = await newest(datasette, "division", prefix)
    own = tuple(one["id"] for one in portals)
    crawled = await nights(datasette, own)
    shared = await flows(datasette, request, "division", code, own)
    named = await companions(datasette, code)
    parts = await _parts(datasette, prefix) if code.endswith("00") else []
    before, after = divisions.predecessors(code), divisions.successor(code)
    return await page(
        datasette,
        request,
        "county",
        title=full_name(code) or code,
        description=t("place.sum", n=held.articles) + t("place.sum_portals", n=len(portals)),
        data={
            "code": code,
            "name": full_name(code),
            "spans": [asdict(one) for one in _spans(code)],
            "predecessors": [one.code for one in before],
            "successor": after and after.code,
            **asdict(held),
            "nights": asdict(crawled),
            "portals": portals,
            "parts": parts,
            "newest": listed,
            "reprints": asdict(shared),
            "named_together": [asdict(one) for one in named],
        },
        is_indexed=bool(held.articles or portals),
        code=code,
        heading=division_name(code) or code,
        crumbs=path_to(code)[:-1],
        spans=_spans(code),
        before=before,
        after=after,
        earliest=EARLIEST,
        held=held,
        nights=crawled,
        flows=shared,
        companions=named,
        portals=portals,
        most_portals=MOST_PORTALS,
        parts=parts,
        newest=[{**one, "place": one["place"] if one["division_code"] != code else None} for one in listed],
        **charted(datasette, request, "division", prefix, held),
    )


def path_to(code: str) -> list[tuple[str, str]]:
    """Code and name of the province, the prefecture and the county, as far as *code* goes; empty for what is none."""
    if not divisions.exists(code):
        return []
    found = divisions.resolve(code, _LATEST)
    return [(one.code, one.name) for one in (found.province, found.prefecture, found.county) if one]


async def _parts(datasette: Any, prefix: str) -> list[dict[str, Any]]:
    """Today's divisions right below, and older ones of which there is something: code, name, articles, portals."""
    articles = Counter[str]()
    for code, number in (await articles_by_code(datasette, prefix)).items():
        articles[divisions.part_of(code, prefix)] += number
    portals = Counter(divisions.part_of(one["division_code"], prefix) for one in await standings(datasette, prefix))
    codes = {*_today(prefix), *articles, *portals} - {prefix.ljust(6, "0")}
    return [
        {"code": code, "name": division_name(code), "articles": articles[code], "portals": portals[code]}
        for code in sorted(codes)
    ]


@cached(KEPT_FOR)
async def articles_by_code(datasette: Any, prefix: str) -> Mapping[str, int]:
    """Numbers of articles by the codes that begin with *prefix*."""
    sql = """
        SELECT division_code, count(*) FROM articles
        WHERE division_code >= :prefix AND division_code < :prefix || ':' GROUP BY division_code
    """
    return await ask(
        datasette, lambda conn: dict(conn.execute(sql, {"prefix": prefix}).fetchall()), limit_ms=COUNTING_MS
    )


@lru_cache(maxsize=1_024)
def _today(prefix: str) -> frozenset[str]:
    """The codes of today's divisions right below."""
    codes = (row.code for row in divisions.rows() if row.to_year is None)
    return frozenset(divisions.part_of(code, prefix) for code in codes if code.startswith(prefix))


@lru_cache(maxsize=8_192)
def _spans(code: str) -> tuple[Division, ...]:
    """What the code meant, the oldest first."""
    return tuple(row for row in divisions.rows() if row.code == code)


ROUTES: Routes = [(r"/county/?(\.json)?$", index), (r"/county/(?P<code>[^/]+?)(\.json)?$", place)]
