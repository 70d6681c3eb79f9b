"""Sitemaps (sitemaps.org 0.9) with Google's news extension: what they name, and which changes of it are believed."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lxml import etree

from crawler.text import timestamps, xml
from crawler.text.urls import absolute
from spiders.listing import Link

SETTLED = timedelta(days=2)
"""A part of an index that was changed longer ago is complete: its day has ended in every time zone."""
STAMPED_SHARE = 2
"""Where more than half of the known entries were changed on one day, the sitemap stamps that day on all it prints."""
STAMPED_MIN = 5
"""Of fewer known entries, half may really have been changed on one day."""
MAX_CHANGED = 500
"""Changed articles that one sitemap may have looked at again in a night."""
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A sitemap that an index names."""

    url: str
    changed: str | None
    """Day or time of its last change, ISO 8601."""

    @property
    def is_settled(self) -> bool:
        """Whether it will not change any more without a new date."""
        return self.changed is not None and self.changed[:10] < (timestamps.today() - SETTLED).isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A page that a sitemap names."""

    link: Link
    """Titles and days are a news sitemap's: ``lastmod`` is a change of any kind."""
    changed: str | None
    """Day or time of its last change, ISO 8601."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitemap:
    """A sitemap, or an index of sitemaps."""

    parts: tuple[Part, ...] = ()
    entries: tuple[Entry, ...] = ()


def read(url: str, text: str) -> Sitemap:
    """Read the sitemap *text* at *url*. Raises XmlError for what is none."""
    root = xml.parse(text)
    kind = xml.local_name(root)
    if kind == "sitemapindex":
        return Sitemap(parts=tuple(_parts(url, root)))
    if kind == "urlset":
        return Sitemap(entries=tuple(_entries(url, root)))
    raise xml.XmlError(f"no sitemap: the root is called {kind[:40]}")


def changed_since(changes: Mapping[str, str], looks: Mapping[str, datetime]) -> list[str]:
    """The keys of what a sitemap says was changed on a later day than we looked at it, newest first.

    *changes*: key → ``lastmod`` of known articles; *looks*: key → last look, with its zone. Days that are still to come
    and days that are stamped on everything are not believed.
    """
    days = {key: date.fromisoformat(changed[:10]) for key, changed in changes.items() if key in looks}
    often = Counter(days.values())
    is_judged = len(days) >= STAMPED_MIN
    stamped = {day for day, count in often.items() if is_judged and count * STAMPED_SHARE > len(days)}
    tomorrow = timestamps.today() + ONE_DAY  # somewhere it has begun
    later = [
        key
        for key, day in days.items()
        if day - looks[key].astimezone(timestamps.CHINA).date() >= ONE_DAY and day <= tomorrow and day not in stamped
    ]
    return sorted(later, key=lambda key: changes[key], reverse=True)[:MAX_CHANGED]


def _parts(url: str, index: etree._Element) -> Iterator[Part]:
    for part in _named(index, "sitemap"):
        address = absolute(url, _words(part, "loc"))
        if address:
            yield Part(url=address, changed=timestamps.read(_words(part, "lastmod")))


def _entries(url: str, urlset: etree._Element) -> Iterator[Entry]:
    for entry in _named(urlset, "url"):
        address = absolute(url, _words(entry, "loc"))
        if address:
            news = next(_named(entry, "news"), None)
            published = timestamps.read(_words(news, "publication_date"))
            link = Link(url=address, title=_words(news, "title") or None, published=published)
            yield Entry(link=link, changed=timestamps.read(_words(entry, "lastmod")))


def _named(parent: etree._Element, name: str) -> Iterator[etree._Element]:
    """The children called *name*, in whatever namespace."""
    return (child for child in parent.iterchildren(etree.Element) if xml.local_name(child) == name)


def _words(parent: etree._Element | None, name: str) -> str:
    return next((xml.words(child) for child in _named(parent, name)), "") if parent is not None else ""
