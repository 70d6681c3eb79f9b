"""``/defaced``: portals into which advertisements were injected; ``?portal=ID``: the evidence, run by run."""

from dataclasses import asdict
from typing import Any

from crawler.archive.defacements import HONEST, Defacement, defacements
from crawler.publish.site.asked import page_number, said
from crawler.publish.site.asking import ask, cached, rows
from crawler.publish.site.frame import Routes, here, not_found, page
from crawler.publish.site.language import lang_of, words
from crawler.publish.site.titles import with_titles

PER_PAGE = 30
PAGES = 200
LONGEST = 300
"""Characters of an injected run that are shown; the article's page has it whole."""
SLOW_MS = 5_000


async def defaced(datasette: Any, request: Any) -> Any:
    """The page."""
    portal_id = (request.args.get("portal") or "").strip()
    if portal_id:
        return await _evidence(datasette, request, portal_id)
    t = words(lang_of(request))
    found = await _portals(datasette)
    return await page(
        datasette,
        request,
        "defaced",
        title=t("defaced.title"),
        data=[asdict(one) for one in found],
        portals=found,
        longest=LONGEST,
        said=said,
    )


@cached(0)
async def _portals(datasette: Any) -> list[Defacement]:
    """Kept as long as the archive stays as it is, not a moment longer, because it names articles."""
    return await ask(datasette, defacements, limit_ms=SLOW_MS)


async def _evidence(datasette: Any, request: Any, portal_id: str) -> Any:
    known = await rows(datasette, "SELECT id, name FROM portals WHERE id = ?", (portal_id,))
    [sums] = await rows(datasette, _SUMS, {"portal": portal_id})
    if not known or not sums["runs"]:
        return await not_found(datasette, request)
    t = words(lang_of(request))
    pages = min(-(-sums["runs"] // PER_PAGE), PAGES)
    turned_to = page_number(request.args.get("page"), most=pages)
    found = await rows(datasette, _RUNS, {"portal": portal_id, "limit": PER_PAGE, "offset": (turned_to - 1) * PER_PAGE})
    listed = await with_titles(datasette, found, key="article_id")
    return await page(
        datasette,
        request,
        "defaced_portal",
        title=t("defaced.title_of", portal=known[0]["name"]),
        data={"portal": known[0], **sums, "page": turned_to, "per_page": PER_PAGE, "evidence": listed},
        is_indexed=turned_to == 1,
        portal=known[0],
        sums=sums,
        listed=listed,
        longest=LONGEST,
        page=turned_to,
        pages=pages,
        previous=here(request, page=turned_to - 1) if turned_to > 1 else None,
        next=here(request, page=turned_to + 1) if turned_to < pages else None,
        said=said,
    )


_FOUND = f"""
    FROM spam_spans JOIN versions ON versions.id = spam_spans.version_id JOIN articles ON articles.id = article_id
    WHERE rule NOT IN {HONEST} AND portal_id = :portal
"""
_SUMS = f"SELECT count(*) AS runs, count(DISTINCT article_id) AS articles {_FOUND}"
_RUNS = f"""
    SELECT found.*, warc_file, warc_offset, payload_sha256 FROM (
        SELECT articles.id AS article_id, articles.url, articles.state, spam_spans.version_id,
            capture_id, seen_at, position, start, "end", spam_spans.text, rule, score, cut,
            articles.version_id = versions.id AS is_there, last_seen
        {_FOUND} ORDER BY seen_at DESC, article_id, position, start LIMIT :limit OFFSET :offset
    ) AS found JOIN captures ON captures.id = capture_id
    ORDER BY seen_at DESC, article_id, position, start
"""  # noqa: S608 - constants of ours
ROUTES: Routes = [(r"/defaced(\.json)?$", defaced)]
