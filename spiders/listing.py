"""A list page as a spider sees it, and what its links look like."""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import groupby
from typing import Any

from lxml import etree, html

from crawler.text import dates
from crawler.text.urls import absolute

NEAR_CHARS = 200
"""A list item's own text is short; an ancestor with more is no longer the item."""
DATE_CHARS = 20
"""Where a link's own words hold its date, it ends them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An article that a list page names."""

    url: str
    title: str | None = None
    published: str | None = None
    """Day or time beside the link, ISO 8601."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """How the next list page is asked for, where an address alone does not say it."""

    url: str
    method: str = "GET"
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)
    """What the list's later pages must know of the earlier ones; has to survive JSON."""
    mark: str = ""
    """What tells pages apart that share address and body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The way through one list of the catalogue, as far as its pages must know of it."""

    start: str = ""
    """The catalogue's address of the list."""
    is_whole: bool = False
    """To the list's end, known articles or not: it was never walked before, or ``--full`` asks for it."""
    known: int = 0
    """Pages in a row before this one that brought nothing new."""
    program: Mapping[str, Any] | None = None
    """How the list's first page is asked for (a `Following`'s fields) where the catalogue's page is only its shell."""
    lost: str = ""
    """What the program answered that was known to be behind the shell, where that was no list any more."""

    def as_meta(self) -> dict[str, Any]:
        """What differs from the defaults, for a request's ``meta``; survives JSON."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name)) != each.default}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One fetched list page."""

    url: str
    """The address that answered; links are relative to it."""
    number: int
    """1 for a list's first page."""
    text: str = field(repr=False)
    tree: html.HtmlElement = field(repr=False)
    state: Mapping[str, Any] = field(default_factory=dict)
    """What an earlier page of the list left for this one (``Following.state``)."""
    walk: Walk = Walk()

    @classmethod
    def parse(
        cls, *, url: str, number: int, text: str, state: Mapping[str, Any] | None = None, walk: Walk = Walk()
    ) -> "Listing":
        """Parse *text*; an empty or unreadable page is an empty tree, never an exception."""
        # lxml refuses str with an encoding declaration in an XML prolog, and NUL ends a C string.
        markup = text.replace("\0", "").encode("utf-8", "replace")
        parser = html.HTMLParser(encoding="utf-8", no_network=True)
        try:
            tree = html.document_fromstring(markup, parser=parser, ensure_head_body=True)
        except etree.ParserError:  # nothing that makes an element: empty, or "</0"
            tree = html.Element("html")
        return cls(url=url, number=number, text=text, tree=tree, state=state or {}, walk=walk)

    @property
    def base(self) -> str:
        """What relative links on this page are relative to (its own address, or its ``<base>``)."""
        hrefs = self.tree.xpath("//base/@href")
        return (absolute(self.url, str(hrefs[0])) if hrefs else None) or self.url

    def anchors(self) -> Iterator[tuple[html.HtmlElement, str]]:
        """Every link of the page with its absolute http(s) address, in page order."""
        base = self.base
        for anchor in self.tree.iter("a"):
            url = absolute(base, anchor.get("href") or "")
            if url is not None:
                yield anchor, url


def label(anchor: html.HtmlElement) -> str:
    """What a link is called: its title attribute where its text is cut short, else its text."""
    text = " ".join(anchor.text_content().split())
    title = " ".join((anchor.get("title") or "").split())
    is_cut = text.endswith(("…", "...", "..")) or not text
    return title if title and (is_cut or len(title) > len(text)) else text


def item_of(anchor: html.HtmlElement, *, among: Container[str] | None = None) -> html.HtmlElement:
    """The list item around a link: its highest ancestor that holds no other link's text and stays short.

    Where it is known which links are articles, by their href (*among*), others may stand in the item: its column's.
    """
    item, own = anchor, anchor.get("href")
    for ancestor in anchor.iterancestors():
        if ancestor.tag in {"body", "ul", "ol", "table", "tbody"}:
            break
        hrefs = (a.get("href") for a in ancestor.iter("a"))
        has_others = any(href and href != own and (among is None or href in among) for href in hrefs)
        if has_others or len(ancestor.text_content()) > NEAR_CHARS + len(anchor.text_content()):
            break
        item = ancestor
    return item


def date_near(anchor: html.HtmlElement, *, among: Container[str] | None = None) -> str | None:
    """The date that stands in the link's own list item, outside the link's own words if there is one."""
    item = item_of(anchor, among=among)
    words = anchor.text_content()
    around = item.text_content().replace(words, " ", 1) if item is not anchor else ""
    found = dates.find(around) or dates.find(words[-DATE_CHARS:])
    return found.value if found else None


def shape(anchor: html.HtmlElement) -> tuple[str, ...]:
    """Where a link stands, as tags and classes up to the body: links of one list share it."""
    item = item_of(anchor)
    steps = [anchor, *anchor.iterancestors()]
    path = []
    for element in steps[steps.index(item) :]:
        if element.tag == "body":
            break
        classes = " ".join(sorted(str(element.get("class") or "").split()))
        path.append(str(element.tag) if element is item else f"{element.tag!s}.{classes}")
    return tuple(path)


def unique(links: list[Link]) -> list[Link]:
    """One link an address, in page order: a picture and a headline often lead to the same article."""
    ordered = sorted(enumerate(links), key=lambda pair: (pair[1].url, pair[0]))
    merged = []
    for _, group in groupby(ordered, key=lambda pair: pair[1].url):
        same = list(group)
        titles = [link.title for _, link in same if link.title]
        dates = [link.published for _, link in same if link.published]
        first, link = same[0]
        merged.append(
            (first, Link(url=link.url, title=max(titles, key=len, default=None), published=next(iter(dates), None)))
        )
    return [link for _, link in sorted(merged, key=lambda pair: pair[0])]


def links_like(listing: Listing, pattern: re.Pattern[str]) -> Iterator[Link]:
    """The links of a page in whose address *pattern* is found, with title and day, in page order."""
    found = _anchors_like(listing, pattern)
    articles = {anchor.get("href") or "" for anchor, _ in found}
    for anchor, url in found:
        yield Link(url=url, title=label(anchor) or None, published=date_near(anchor, among=articles))


def dated_like(listing: Listing, pattern: re.Pattern[str]) -> Iterator[Link]:
    """Like `links_like`, but only of `dated` lists."""
    return dated(_anchors_like(listing, pattern))


def dated(found: Sequence[tuple[html.HtmlElement, str]]) -> Iterator[Link]:
    """Of a page's article links, those of its dated lists; where no list has days, of the one with most words.

    The hot articles beside a list lie on the same portal, without their days.
    """
    articles = {anchor.get("href") or "" for anchor, _ in found}
    groups: dict[tuple[str, ...], list[Link]] = {}
    for anchor, url in found:
        link = Link(url=url, title=headline(anchor) or None, published=date_near(anchor, among=articles))
        groups.setdefault(shape(anchor), []).append(link)
    with_days = [links for links in groups.values() if 2 * sum(1 for link in links if link.published) > len(links)]
    wordiest = sorted(groups.values(), key=lambda links: -sum(len(link.title or "") for link in links))[:1]
    for links in with_days or wordiest:
        yield from links


def headline(anchor: html.HtmlElement) -> str:
    """Like `label`, without what follows the title inside the link where the attribute shows where it ends."""
    title = " ".join((anchor.get("title") or "").split())
    text = " ".join(anchor.text_content().split())
    return title if title and text.startswith(title) else label(anchor)


def _anchors_like(listing: Listing, pattern: re.Pattern[str]) -> list[tuple[html.HtmlElement, str]]:
    return [(anchor, url) for anchor, url in listing.anchors() if pattern.search(url) and url != listing.url]
