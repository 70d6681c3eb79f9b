"""RSS (0.9 to 2.0) and Atom: the entries of a feed, with the times that they tell."""

import re
from collections.abc import Iterator
from html import unescape

from lxml import etree

from crawler.text import timestamps, xml
from crawler.text.urls import absolute
from spiders.listing import Link

ROOTS = {"rss", "RDF", "feed"}
ENTRIES = {"item", "entry"}
DATES = ("pubDate", "published", "date", "issued", "updated", "modified")
"""The elements that date an entry, the best first; ``date`` is Dublin Core's."""
MARKUP = re.compile(r"</?[A-Za-z][^<>]*>")


def entries(url: str, text: str) -> Iterator[Link]:
    """The pages that the feed *text* at *url* names, in its order. Raises XmlError for what is no feed."""
    root = xml.parse(text)
    if xml.local_name(root) not in ROOTS:
        raise xml.XmlError(f"no feed: the root is called {xml.local_name(root)[:40]}")
    for element in root.iter(etree.Element):
        if xml.local_name(element) in ENTRIES:
            yield from _entry(url, element)


def _entry(feed: str, entry: etree._Element) -> Iterator[Link]:
    parts: dict[str, etree._Element] = {}
    for child in entry.iterchildren(etree.Element):
        parts.setdefault(xml.local_name(child), child)
    base = absolute(feed, entry.base or "") or feed  # xml:base, which Atom's links may be relative to
    url = absolute(base, _address(entry, parts))
    if url:
        times = (timestamps.read(xml.words(parts[name])) for name in DATES if name in parts)
        yield Link(url=url, title=_title(parts.get("title")), published=next(filter(None, times), None))


def _address(entry: etree._Element, parts: dict[str, etree._Element]) -> str:
    """The page of an entry: RSS's link, Atom's alternate link, else an identifier that is an address."""
    for child in entry.iterchildren(etree.Element):
        href = child.get("href")
        if xml.local_name(child) == "link" and href and child.get("rel", "alternate") == "alternate":
            return str(href)
    link = xml.words(parts.get("link"))
    guid = parts.get("guid")
    if link or guid is None or guid.get("isPermaLink") == "false":
        return link
    return xml.words(guid)


def _title(element: etree._Element | None) -> str | None:
    """A title in words: feeds escape markup inside it, some of them twice."""
    return " ".join(MARKUP.sub("", unescape(xml.words(element))).split()) or None
