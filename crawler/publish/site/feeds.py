"""Atom feeds (RFC 4287) of articles: `atom` writes one for any page; here those of a search and of all articles."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from datasette.utils.asgi import Response

from crawler.archive.search_query import ordered_ids
from crawler.publish.site.asking import ask, rows
from crawler.publish.site.frame import Routes, absolute, bad_address, headers_for, here, link, upright
from crawler.publish.site.language import lang_of, words
from crawler.publish.site.names import full_name
from crawler.publish.site.search import filter_said, portal_names
from crawler.publish.site.selection import selection_of
from crawler.publish.site.titles import with_titles
from crawler.text.xml import legal

ENTRIES = 50
SUMMARY = 300
"""Characters of an article's text."""
EPOCH = "1970-01-01T00:00:00Z"
"""When a feed without entries was last updated: Atom wants a time, and the same one as long as nothing came."""


ARTICLES = """
    SELECT articles.id, published, first_seen, portals.name AS portal, articles.division_code,
        (SELECT substr(body, 1, 400) FROM article_texts WHERE article_id = articles.id) AS text
    FROM articles LEFT JOIN portals ON portals.id = portal_id
"""
"""What `entry_of` needs of articles, beside their titles; a query puts its WHERE, ORDER BY and LIMIT behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a feed."""

    id: str
    """What never changes and no other entry of this archive has: ``article/17``, ``version/23`` …"""
    title: str
    path: str
    """Address of the page that it leads to, as `frame.link` gives it."""
    updated: str
    """ISO 8601, UTC: when the archive learned of it."""
    author: str | None = None
    summary: str = ""


def atom(datasette: Any, request: Any, *, title: str, path: str, entries: Iterable[Entry]) -> Response:
    """A feed of *entries*, the newest first; *path*: address of the page that shows the same, as from `frame.link`.

    Ids are tag URIs (RFC 4151) of the host. Characters that XML cannot have are left out.
    """
    lang = lang_of(request)
    shown = list(entries)
    host = str(request.host).partition(":")[0]
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang={quoteattr(lang)}>',
        _element("id", f"tag:{host},2024:{path}"),
        _element("title", f"{title} · {words(lang)('frame.name')}"),
        _element("updated", max((entry.updated for entry in shown), default=EPOCH)),
        f"<author>{_element('name', words(lang)('frame.name'))}</author>",
        _element("rights", words(lang)("frame.rights")),
        _link("self", absolute(datasette, request, here(request))),
        _link("alternate", absolute(datasette, request, path)),
        *(_entry(entry, host=host, address=absolute(datasette, request, entry.path)) for entry in shown),
        "</feed>",
    ]
    return Response(
        "\n".join(lines) + "\n",
        headers=headers_for(datasette, lang),
        content_type="application/atom+xml; charset=utf-8",
    )


def entry_of(datasette: Any, request: Any, row: Mapping[str, Any]) -> Entry:
    """A row of ARTICLES with its title as an entry, under the time at which the archive first saw it."""
    said = (row["published"] or "")[:10], row["portal"], full_name(row["division_code"])
    return Entry(
        id=f"article/{row['id']}",
        title=row["title"] or words(lang_of(request))("frame.untitled"),
        path=link(datasette, request, f"/article/{row['id']}"),
        updated=row["first_seen"],
        author=row["portal"],
        summary=f"{' · '.join(filter(None, said))}\n{(row['text'] or '')[:SUMMARY]}",
    )


async def newest(datasette: Any, request: Any) -> Response:
    """``/articles.atom``: what the archive saw last, of all portals."""
    found = await rows(datasette, f"{ARTICLES} ORDER BY articles.id DESC LIMIT ?", (ENTRIES,))
    entries = [entry_of(datasette, request, row) for row in await with_titles(datasette, found)]
    title = words(lang_of(request))("feeds.newest")
    return atom(datasette, request, title=title, path=link(datasette, request, "/"), entries=entries)


async def of_search(datasette: Any, request: Any) -> Response:
    """``/search.atom``: what matches a search, in the order in which the archive got it."""
    chosen, t = selection_of(request), words(lang_of(request))
    if chosen.unread:
        return await bad_address(datasette, request, unread=chosen.unread)
    ids = await ask(datasette, lambda conn: ordered_ids(conn, chosen.query, order="added", limit=ENTRIES))
    sql = f"{ARTICLES} WHERE articles.id IN (SELECT value FROM json_each(?)) ORDER BY articles.id DESC"  # noqa: S608
    found = await with_titles(datasette, await rows(datasette, sql, (json.dumps(ids),)))
    entries = [entry_of(datasette, request, row) for row in found]
    names = await portal_names(datasette)
    filters = [filter_said(name, value, names, t) for name, value in chosen.filters.items()]
    title = t("search.title_of", words=" ".join(filter(None, (chosen.typed, *filters))))
    path = link(datasette, request, "/search", **chosen.parameters)
    return atom(datasette, request, title=title, path=path, entries=entries)


def _entry(entry: Entry, *, host: str, address: str) -> str:
    parts = [
        _element("id", f"tag:{host},2024:{entry.id}"),
        _element("title", entry.title),
        _element("updated", entry.updated),
        _link("alternate", address),
        f"<author>{_element('name', entry.author)}</author>" if entry.author else "",
        _element("summary", entry.summary) if entry.summary else "",
    ]
    return f"<entry>{''.join(parts)}</entry>"


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(upright(legal(text)))}</{name}>"


def _link(relation: str, address: str) -> str:
    return f"<link rel={quoteattr(relation)} href={quoteattr(legal(address))}/>"


ROUTES: Routes = [(r"/articles\.atom$", newest), (r"/search\.atom$", of_search)]
