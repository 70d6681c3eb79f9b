"""``/portal/ID``: what a portal brought and when, what it changed, how its crawls went, how its host is reached."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from crawler.publish.site.asked import said
from crawler.publish.site.asking import ask, cached, rows
from crawler.publish.site.flows import flows
from crawler.publish.site.frame import Routes, not_found, page
from crawler.publish.site.holdings import COUNTING_MS, KEPT_FOR, charted, holdings, newest
from crawler.publish.site.hosts import host_of
from crawler.publish.site.language import lang_of, words
from crawler.publish.site.nights import nights
from crawler.publish.site.place import path_to
from crawler.publish.site.standing import defaced, standings
from crawler.publish.site.titles import with_titles

CHANGED = 6
"""Articles that were edited or deleted, the last ones."""
RUNS = 30
"""Runs of a portal that are shown, the last ones."""


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
    host, injected = await host_of(datasette, known["homepage"]), (await defaced(datasette)).get(portal_id)
    changed = await _changed(datasette, portal_id)
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
        **charted(datasette, request, "portal", portal_id, held),
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
    return await with_titles(datasette, await rows(datasette, _CHANGED, (ids,)))


@cached(KEPT_FOR)
async def _changed_ids(datasette: Any, portal_id: str) -> list[int]:
    params = {"portal": portal_id, "limit": CHANGED}
    return await ask(
        datasette,
        lambda conn: [article_id for (article_id,) in conn.execute(_CHANGED_IDS, params)],
        limit_ms=COUNTING_MS,
    )


_PORTAL = "SELECT id, name, division_code, homepage, cms, enabled FROM portals WHERE id = ?"
_CHANGED_IDS = """
    SELECT id FROM articles WHERE portal_id = :portal AND state IN ('edited', 'gone', 'redirected', 'blocked')
    ORDER BY (SELECT max(since) FROM article_states WHERE article_id = articles.id) DESC, id DESC LIMIT :limit
"""
_CHANGED = """
    SELECT articles.id, substr(published, 1, 10) AS day, state
    FROM json_each(?) AS one JOIN articles ON articles.id = one.value ORDER BY one.key
"""
# A run that is under way says "interrupted" of every portal until it is over.
_RUNS = """
    SELECT run_id, started_at, iif(runs.status = 'running', 'running', portal_runs.status) AS status, reason,
        fetched, new, changed, unchanged, gone, failed
    FROM portal_runs JOIN runs ON runs.id = run_id WHERE portal_id = :portal ORDER BY run_id DESC LIMIT :limit
"""
ROUTES: Routes = [(r"/portal/(?P<id>[^/]+?)(\.json)?$", portal)]
