"""What search engines ask for: ``/robots.txt`` and ``/sitemap.xml``.

Articles and places may be indexed. Searches, filters, tables and files may not: they combine without end, and whoever
followed every combination would keep the site busy for ever.
"""

from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

from datasette.utils.asgi import Response

from crawler import divisions
from crawler.publish.metadata import archives
from crawler.publish.site.asking import rows
from crawler.publish.site.frame import Routes, absolute, headers_for, not_found
from crawler.publish.site.place import COUNTRY, articles_by_code
from crawler.publish.site.standing import standings

PER_SITEMAP = 10_000
"""Ids of articles in one sitemap; sitemaps.org allows 50,000 addresses."""
_CLOSED = (
    "/search?",
    "/search.",
    "/export.csv",
    "/changes?",
    "/article/*?",
    "/portal?",
    "/reprints?",
    "/county/*/with/",
    "/section/",
    "/*.json",
    "/*.atom",
)
"""Below the site's own path; ``*`` and ``$`` as in RFC 9309 §2.2.3."""
_PAGES = ("/", "/about", "/search", "/county", "/portal", "/reprints", "/changes", "/defaced")


async def robots(datasette: Any, request: Any) -> Response:
    """Who may ask for what; nobody for anything where no archive is served."""
    if not archives(datasette):
        return Response.text("User-agent: *\nDisallow: /\n")
    base = str(datasette.urls.path("/")).rstrip("/")
    tables = [str(datasette.urls.database(name)) for name in datasette.databases if name != "_internal"]
    lines = [
        "User-agent: *",
        *(f"Disallow: {base}{path}" for path in _CLOSED),
        *(f"Disallow: {path}{end}" for path in tables for end in ("$", "/", "?")),
        f"Sitemap: {absolute(datasette, request, f'{base}/sitemap.xml')}",
    ]
    return Response.text("\n".join(lines) + "\n", headers=headers_for(datasette))


async def index(datasette: Any, request: Any) -> Response:
    """``/sitemap.xml``: the sitemaps."""
    [newest] = await rows(datasette, "SELECT max(id) AS id FROM articles")
    count = -(-(newest["id"] or 0) // PER_SITEMAP)
    addresses = [_address(datasette, request, f"/sitemap-{number}.xml") for number in range(count + 1)]
    return _xml(datasette, "sitemapindex", (f"<sitemap><loc>{escape(one)}</loc></sitemap>" for one in addresses))


async def sitemap(datasette: Any, request: Any) -> Any:
    """``/sitemap-N.xml``: 0 has the pages, places and portals, the others have PER_SITEMAP ids of articles each."""
    number, base = int(request.url_vars["number"]), _address(datasette, request, "/").removesuffix("/")
    if number == 0:
        return _xml(datasette, "urlset", (_url(f"{base}{path}") for path in await _places(datasette)))
    found = await rows(
        datasette,
        "SELECT articles.id, coalesce(versions.seen_at, first_seen) AS changed"
        " FROM articles LEFT JOIN versions ON versions.id = version_id"
        " WHERE articles.id > :after AND articles.id <= :last ORDER BY articles.id",
        {"after": (number - 1) * PER_SITEMAP, "last": number * PER_SITEMAP},
    )
    if not found:
        return await not_found(datasette, request)
    return _xml(datasette, "urlset", (_url(f"{base}/article/{one['id']}", one["changed"]) for one in found))


async def _places(datasette: Any) -> list[str]:
    """Every place that has an article or a portal, with the prefecture and the province around it."""
    codes = {*await articles_by_code(datasette, COUNTRY), *(one["division_code"] for one in await standings(datasette))}
    codes |= {divisions.part_of(code, above) for code in codes for above in (COUNTRY, code[:2])}
    portals = await rows(datasette, "SELECT id FROM portals ORDER BY id")
    return [
        *_PAGES,
        *(f"/county/{code}" for code in sorted(codes)),
        *(f"/portal/{one['id']}" for one in portals),
    ]


def _url(address: str, changed: str | None = None) -> str:
    day = f"<lastmod>{escape(changed[:10])}</lastmod>" if changed else ""
    return f"<url><loc>{escape(address)}</loc>{day}</url>"


def _address(datasette: Any, request: Any, path: str) -> str:
    return absolute(datasette, request, datasette.urls.path(path))


def _xml(datasette: Any, root: str, elements: Iterable[str]) -> Response:
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">',
        *elements,
        f"</{root}>",
    ]
    return Response(
        "\n".join(lines) + "\n", headers=headers_for(datasette), content_type="application/xml; charset=utf-8"
    )


ROUTES: Routes = [
    (r"/robots\.txt$", robots),
    (r"/sitemap\.xml$", index),
    (r"/sitemap-(?P<number>\d{1,6})\.xml$", sitemap),
]
