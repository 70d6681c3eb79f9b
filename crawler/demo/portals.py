"""From what was written to what is served: pages in their encoding, and the odd answers a real portal gives."""

import gzip
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urljoin

from crawler.demo import table, trs, vsb
from crawler.demo.files import document, picture
from crawler.demo.markup import escape, fill
from crawler.demo.site import Response, Site
from crawler.demo.stories import Block, ListLink, Portal, Story, load_all

DIVISION = "610000"
"""The counties are in no table; the code of a province stands for nothing but 'a valid code'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How a CMS family prints a portal, and how its web server answers."""

    pages: Callable[[Portal], dict[str, str]]
    article_path: Callable[[Story], str]
    server: str
    content_type: str
    """Of HTML pages."""
    robots: str | None = None
    """robots.txt; None: the portal has none."""
    validators: bool = False
    """Whether it sends ETag and Last-Modified and answers 304."""


FAMILIES: Mapping[str, Family] = {
    "trs": Family(
        pages=trs.pages,
        article_path=trs.article_path,
        server="nginx",
        content_type="text/html; charset=utf-8",
        robots="User-agent: *\nDisallow: /search\nDisallow: /zwgk/nbzl/\n",
        validators=True,
    ),
    "table": Family(
        pages=table.pages,
        article_path=table.article_path,
        server="Microsoft-IIS/6.0",
        content_type="text/html",
    ),
    "vsb": Family(
        pages=vsb.pages,
        article_path=vsb.article_path,
        server="VWebServer",
        content_type="text/html",
        robots="User-agent: *\nDisallow:\n",
    ),
}


def article_path(portal: Portal, story: Story) -> str:
    """Path of the article's page on its portal."""
    return FAMILIES[portal.family].article_path(story)


def file_path(portal: Portal, story: Story, block: Block) -> str:
    """Path of the picture or the file that a block of *story* shows."""
    return urljoin(article_path(portal, story), block.href or "")


def render(portal: Portal) -> dict[str, Response]:
    """Everything that *portal* answers, by path. UnicodeEncodeError where its encoding lacks a character."""
    family = FAMILIES[portal.family]
    html = (("Server", family.server), ("Content-Type", family.content_type))
    answers = {
        path: Response(headers=html, body=text.encode(portal.encoding)) for path, text in family.pages(portal).items()
    }
    for story in portal.stories:
        if story.gzip:
            path = family.article_path(story)
            answers[path] = _gzipped(answers[path])
        for block in story.blocks:
            if block.href:
                answers[file_path(portal, story, block)] = _file(family, block)
    for entry in portal.links:
        odd = _odd(portal, entry, html)
        if odd is not None:
            answers[entry.href] = odd
    if family.robots is not None:
        answers["/robots.txt"] = Response(
            headers=(("Server", family.server), ("Content-Type", "text/plain")), body=family.robots.encode()
        )
    return answers


def site(portal: Portal) -> Site:
    """A site that serves *portal*; ``Site.publish(render(...))`` shows it another night."""
    return Site(render(portal), validators=FAMILIES[portal.family].validators)


def sites(portals: Iterable[Portal] | None = None) -> dict[str, Site]:
    """Portal id → site (default: all bundled portals)."""
    return {portal.id: site(portal) for portal in (load_all() if portals is None else portals)}


def catalogue_toml(urls: Mapping[str, str], portals: Iterable[Portal] | None = None) -> str:
    """A catalogue of the demo portals: *urls* maps portal ids to where they are served (``http://127.0.11.1:8080``)."""
    known = {portal.id: portal for portal in (load_all() if portals is None else portals)}
    head = "# The demo's counties are invented; the division is only a valid code.\n[defaults]\ndelay = 0\n"
    return "\n".join([head, *(_entry(known[name], base) for name, base in urls.items())])


def _entry(portal: Portal, base: str) -> str:
    lists = ", ".join(f'"{base}{path}"' for path in portal.lists)
    return (
        "[[portal]]\n"
        f'id = "{portal.id}"\n'
        f'name = "{portal.name}"\n'
        f'division = "{DIVISION}"\n'
        f'homepage = "{base}/"\n'
        f"lists = [{lists}]\n"
    )


def _gzipped(response: Response) -> Response:
    headers = (*response.headers, ("Content-Encoding", "gzip"))
    return replace(response, headers=headers, body=gzip.compress(response.body, mtime=0), chunked=True)


def _file(family: Family, block: Block) -> Response:
    is_picture = block.kind == "picture"
    content_type = "image/png" if is_picture else "application/pdf"
    body = picture(shade=100 + len(block.text) * 3 % 150) if is_picture else document()
    return Response(headers=(("Server", family.server), ("Content-Type", content_type)), body=body)


def _odd(portal: Portal, entry: ListLink, html: tuple[tuple[str, str], ...]) -> Response | None:
    """What answers behind a list entry that is no article; None: nothing does."""
    if entry.kind == "moved" and isinstance(entry.target, int):
        to = article_path(portal, portal.story(entry.target))
        return Response(status=301, headers=(*html, ("Location", to)), body=b"<html><h1>301</h1></html>")
    if entry.kind == "jump":
        text = fill("table_jump", title=escape(entry.title), target=escape(str(entry.target)))
        return Response(headers=html, body=text.encode(portal.encoding))
    if entry.kind == "forbidden":
        text = f"<html><title>{escape(entry.title)}</title><p>{escape(entry.title)}</p></html>"
        return Response(headers=html, body=text.encode(portal.encoding))
    return None
