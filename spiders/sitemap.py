"""Any site with a sitemap (sitemaps.org 0.9): indexes, gzip, Google's news extension; the catalogue's ``sitemaps``."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import scrapy
from lxml import etree

from crawler.text import timestamps, xml
from crawler.text.urls import absolute, same_site
from spiders.base import PortalSpider
from spiders.generic import ARTICLE_PATH, FILE_NAME, LIST_NAME
from spiders.listing import Following, Link, Listing

MAX_DEPTH = 3
"""Indexes in indexes: the standard has none, some sites have one."""
SETTLED = timedelta(days=2)
"""A part of an index that was changed longer ago is complete: its day has ended in every time zone."""


class SitemapSpider(PortalSpider):
    """Reads the parts of an index that changed since they were read, and takes what looks like an article."""

    name = "sitemap"

    async def start(self) -> AsyncIterator[Any]:
        """The catalogue's sitemaps."""
        if not self.portal.sitemaps:
            self.session.tally(self.portal.id).fail(self.portal.homepage, "no sitemaps in the catalogue", is_list=True)
        for url in self.portal.sitemaps:
            yield self.list_request(Following(url=url), number=1)

    def follow(self, listing: Listing) -> Iterator[scrapy.Request]:
        """What a sitemap leads to. Raises XmlError for what is none, which the report then says."""
        root = xml.parse(listing.text)
        kind = xml.local_name(root)
        if kind == "sitemapindex" and listing.number <= MAX_DEPTH:
            yield from self._parts(listing, root)
        elif kind == "urlset":
            links = {self.identity(link.url): link for link in self._entries(listing, root)}
            for link in self.session.unseen(self.portal.id, links).values():
                yield self.article_request(link, via=listing.url)
        else:
            raise xml.XmlError(f"no sitemap: the root is called {kind[:40]}, {listing.number} deep")

    def _parts(self, listing: Listing, index: etree._Element) -> Iterator[scrapy.Request]:
        """Requests for an index's parts. The date of the last change is in their key: one that was read is known."""
        requests: dict[str, scrapy.Request] = {}
        for part in _named(index, "sitemap"):
            url, changed = _address(listing, part), timestamps.read(_words(part, "lastmod"))
            if url is None or not same_site(url, self.hosts):
                continue
            request = self.list_request(Following(url=url), number=listing.number + 1, via=listing.url)
            if changed and changed[:10] < (timestamps.today() - SETTLED).isoformat():
                request.meta["key"] += f"#{changed}"
                requests[request.meta["key"]] = request
            elif self.session.unseen_list(self.portal.id, request.meta["key"]):
                yield request
        yield from self.session.unseen(self.portal.id, requests).values()

    def _entries(self, listing: Listing, urlset: etree._Element) -> Iterator[Link]:
        since = self.session.options.since
        for entry in _named(urlset, "url"):
            url = _address(listing, entry)
            changed = timestamps.read(_words(entry, "lastmod"))
            is_old = since is not None and changed is not None and changed[:10] < since
            if url and same_site(url, self.hosts) and not is_old and self._may_be_article(url):
                # Only news sitemaps tell the day of publication; lastmod is a change of any kind.
                news = next(_named(entry, "news"), None)
                published = timestamps.read(_words(news, "publication_date"))
                link = Link(url=url, title=_words(news, "title") or None, published=published)
                if self.is_wanted(link):
                    yield link

    def _may_be_article(self, url: str) -> bool:
        if self.article_pattern is not None:
            return self.article_pattern.search(url) is not None
        path = urlsplit(url).path
        return bool(ARTICLE_PATH.search(path)) and not LIST_NAME.search(path) and not FILE_NAME.search(path)


def _named(parent: etree._Element, name: str) -> Iterator[etree._Element]:
    """The children called *name*, in whatever namespace."""
    return (child for child in parent.iterchildren(etree.Element) if xml.local_name(child) == name)


def _words(parent: etree._Element | None, name: str) -> str:
    return next((xml.words(child) for child in _named(parent, name)), "") if parent is not None else ""


def _address(listing: Listing, entry: etree._Element) -> str | None:
    return absolute(listing.url, _words(entry, "loc"))
