"""``/search``: words in either script, narrowed by time, place, portal and state. Its address is all its state."""

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from markupsafe import Markup

from crawler.archive.search_query import Hit, best_of, hits, ordered_ids
from crawler.publish.site import charts, facets
from crawler.publish.site.asking import ask, rows
from crawler.publish.site.facts import Facts, facts
from crawler.publish.site.frame import Routes, absolute, here, link, page
from crawler.publish.site.language import Words, lang_of, words
from crawler.publish.site.names import division_name, full_name
from crawler.publish.site.narrowing import found_ids
from crawler.publish.site.selection import PAGES, PER_PAGE, SORTS, Selection, selection_of
from crawler.publish.site.titles import titles
from crawler.text.query import Query
from crawler.text.snippets import Snippet, Span, highlights, snippet

SNIPPET = 110
"""Characters: about three lines on a phone."""
COMMON = 20_000
"""Articles from which on relevance is the words in the title and then the day: BM25 over more takes too long, and tells
little of a word that is everywhere."""


async def search(datasette: Any, request: Any) -> Any:
    """The page."""
    chosen, t = selection_of(request), words(lang_of(request))
    known = await facts(datasette)
    ids, found = await ask(datasette, lambda conn: _found(conn, chosen, known))
    numbers = facets.breakdown(known, ids)
    names = await portal_names(datasette)
    pages = min(-(-numbers.total // PER_PAGE), PAGES)
    return await page(
        datasette,
        request,
        "search",
        title=t("search.title_of", words=chosen.typed) if chosen.typed else t("search.title"),
        data=_data(datasette, request, chosen, numbers, found),
        feed=link(datasette, request, "/search.atom", **chosen.parameters) if not chosen.is_empty else None,
        is_indexed=chosen.is_empty,
        chosen=chosen,
        total=numbers.total,
        items=[_item(hit, piece, chosen.query, names) for hit, piece in found],
        bars=charts.bars(facets.periods(numbers, lambda **changes: here(request, **changes)), title=t("search.bars")),
        facets=_facets(numbers, chosen, names, t),
        filters=[(name, filter_said(name, value, names, t)) for name, value in chosen.filters.items()],
        orders=[(order, here(request, sort=order, page=None)) for order in SORTS if order in _orders(chosen)],
        pages=pages,
        previous=here(request, page=chosen.page - 1) if chosen.page > 1 else None,
        next=here(request, page=chosen.page + 1) if chosen.page < pages else None,
        csv=link(datasette, request, "/export.csv", **chosen.parameters),
    )


def _found(
    conn: sqlite3.Connection, chosen: Selection, known: Facts
) -> tuple[list[int], list[tuple[Hit, Snippet | None]]]:
    """The ids of all that matches, rising, and the hits of the page with what they say."""
    ids = found_ids(conn, chosen.query, known)
    text_of = "SELECT body FROM article_texts WHERE article_id = ?"
    page_ids = _page_of(conn, ids, chosen, known)
    title_of = titles(conn, page_ids)
    found: list[tuple[Hit, Snippet | None]] = []
    for hit in hits(conn, page_ids):
        text = conn.execute(text_of, (hit.article_id,)).fetchone()
        said = snippet(text[0], chosen.query, width=SNIPPET) if text and text[0] else None
        found.append((replace(hit, title=title_of.get(hit.article_id)), said))
    return ids, found


def _page_of(conn: sqlite3.Connection, ids: list[int], chosen: Selection, known: Facts) -> list[int]:
    """The ids of the page, in their order."""
    first, last = (chosen.page - 1) * PER_PAGE, chosen.page * PER_PAGE
    if len(ids) <= first:  # SQLite would rank everything to find nothing
        return []
    if chosen.order == "newest":
        return known.newest(ids, last)[first:]
    if chosen.order == "oldest":
        return known.oldest(ids, last)[first:]
    if len(ids) <= COMMON:
        if chosen.query.filters:
            return best_of(conn, chosen.query, ids, limit=PER_PAGE, offset=first)
        return ordered_ids(conn, chosen.query, limit=PER_PAGE, offset=first)
    titled = found_ids(conn, in_titles(chosen.query), known)
    best = known.newest(titled, last)
    if len(best) < last:
        others = set(titled)
        best += known.newest([one for one in ids if one not in others], last - len(best))
    return best[first:]


def in_titles(query: Query) -> Query:
    """The same query with its words wanted in the title."""
    return replace(query, words=tuple(word if word.excluded else replace(word, in_title=True) for word in query.words))


def _orders(chosen: Selection) -> tuple[str, ...]:
    """Orders that make sense: without words nothing is more relevant than anything else."""
    return SORTS if chosen.query.wanted else SORTS[1:]


def _item(hit: Hit, piece: Snippet | None, query: Query, names: dict[str, str]) -> dict[str, Any]:
    """A hit as ``macros.html`` lists it."""
    return {
        "id": hit.article_id,
        "title": hit.title,
        "marked_title": _marked(hit.title or "", highlights(hit.title or "", query, title=True)),
        "snippet": _shown(piece) if piece else None,
        "day": (hit.published or "")[:10],
        "portal": names.get(hit.portal_id, hit.portal_id),
        "portal_id": hit.portal_id,
        "place": division_name(hit.division_code),
        "state": hit.state,
    }


def _shown(piece: Snippet) -> Markup:
    before, after = ("…" if piece.cut_before else ""), ("…" if piece.cut_after else "")
    return Markup("{}{}{}").format(before, _marked(piece.text, piece.marks), after)


def _marked(text: str, spans: Sequence[Span]) -> Markup:
    pieces, at = Markup(""), 0
    for start, end in spans:
        pieces += Markup("{}<mark>{}</mark>").format(text[at:start], text[start:end])
        at = end
    return pieces + text[at:]


def _facets(
    numbers: facets.Breakdown, chosen: Selection, names: dict[str, str], t: Words
) -> list[tuple[str, list[facets.Choice]]]:
    places, counties = facets.places(numbers, chosen), facets.counties(numbers, chosen)
    found = [
        (t("search.places"), places),
        (t("search.counties"), [] if counties == places else counties),
        (t("search.portals"), facets.portals(numbers, chosen, names)),
        (t("search.states"), facets.states(numbers, chosen, lambda state: t(f"frame.state.{state}"))),
    ]
    return [(name, choices) for name, choices in found if choices]


def filter_said(name: str, value: str, names: dict[str, str], t: Words) -> str:
    """A filter in words; *names*: of portals, as from `portal_names`."""
    if name == "division":
        said = full_name(value.ljust(6, "0")) or value
    elif name == "portal":
        said = names.get(value, value)
    elif name == "state":
        said = t(f"frame.state.{value}")
    else:
        said = value
    return t(f"search.filter.{name}", value=said)


async def portal_names(datasette: Any) -> dict[str, str]:
    """Of each portal, by its id."""
    return {one["id"]: one["name"] for one in await rows(datasette, "SELECT id, name FROM portals")}


def _data(
    datasette: Any,
    request: Any,
    chosen: Selection,
    numbers: facets.Breakdown,
    found: list[tuple[Hit, Snippet | None]],
) -> dict[str, Any]:
    return {
        "q": chosen.typed,
        **chosen.filters,
        "not_understood": list(chosen.unread),
        "sort": chosen.order,
        "page": chosen.page,
        "per_page": PER_PAGE,
        **asdict(numbers),
        "articles": [
            {
                **asdict(hit),
                "division": full_name(hit.division_code),
                "snippet": piece.text if piece else None,
                "page": absolute(datasette, request, link(datasette, request, f"/article/{hit.article_id}")),
            }
            for hit, piece in found
        ],
    }


ROUTES: Routes = [(r"/search(\.json)?$", search)]
