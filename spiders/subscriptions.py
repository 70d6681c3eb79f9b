"""What a portal announces by itself: from its feeds and sitemaps to requests for articles, whatever its family."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import scrapy

from crawler.text import xml
from crawler.text.urls import same_site
from spiders import feeds, sitemaps
from spiders.addresses import may_be_article
from spiders.listing import Link

if TYPE_CHECKING:
    from spiders.base import PortalSpider

MAX_DEPTH = 3
"""Sitemap indexes in indexes: the standard has none, some sites have one."""


def follow_feed(spider: "PortalSpider", url: str, text: str) -> Iterator[scrapy.Request]:
    """Requests for the articles that the feed *text* names and no run has seen. Raises XmlError, TrapError."""
    own = [link for link in feeds.entries(url, text) if _is_own(spider, link.url, else_take=True)]
    spider.session.tally(spider.portal.id).seen.see_list(url, len(own))
    return _fresh(spider, {spider.identity(link.url): link for link in own if spider.is_wanted(link)}, via=url)


def follow_sitemap(spider: "PortalSpider", url: str, text: str, *, depth: int) -> Iterator[scrapy.Request]:
    """Requests for what the sitemap *text* names: parts, new articles, changed ones. Raises XmlError, TrapError."""
    sitemap = sitemaps.read(url, text)
    if sitemap.parts and depth > MAX_DEPTH:
        raise xml.XmlError(f"no sitemap: an index, {depth} deep")
    yield from _part_requests(spider, sitemap.parts, via=url, depth=depth + 1)
    entries = {spider.identity(entry.link.url): entry for entry in sitemap.entries if _is_wanted(spider, entry)}
    yield from _fresh(spider, {key: entry.link for key, entry in entries.items()}, via=url)
    yield from _changed(spider, {key: entry for key, entry in entries.items() if entry.changed}, via=url)


def _fresh(spider: "PortalSpider", links: Mapping[str, Link], *, via: str) -> Iterator[scrapy.Request]:
    for link in spider.session.unseen(spider.portal.id, dict(links)).values():
        spider.traps.count("article", link.url)
        yield spider.article_request(link, via=via)


def _part_requests(
    spider: "PortalSpider", parts: Iterable[sitemaps.Part], *, via: str, depth: int
) -> Iterator[scrapy.Request]:
    """Requests for an index's parts. The day of the last change is in their key: one that was read is known."""
    settled: dict[str, scrapy.Request] = {}
    for part in parts:
        if not same_site(part.url, spider.hosts):
            continue
        mark = str(part.changed) if part.is_settled else ""
        request = spider.feed_request(part.url, spider.parse_sitemap, mark=mark, number=depth, via=via)
        if mark:
            settled[request.meta["key"]] = request
        elif spider.session.is_unasked(spider.portal.id, request.meta["key"]):
            yield request
    yield from spider.session.unseen(spider.portal.id, settled).values()


def _changed(spider: "PortalSpider", entries: Mapping[str, sitemaps.Entry], *, via: str) -> Iterator[scrapy.Request]:
    """Requests for known articles that were changed since they were looked at."""
    looks = spider.session.sink.looked_at(spider.portal.id, entries)
    changes = {key: entry.changed or "" for key, entry in entries.items()}
    for key in sitemaps.changed_since(changes, {key: look.at for key, look in looks.items()}):
        link = Link(url=entries[key].link.url, published=looks[key].listed)
        request = spider.article_request(link, via=via)
        request.headers.update(spider.session.validators(spider.portal.id, key))
        yield request


def _is_wanted(spider: "PortalSpider", entry: sitemaps.Entry) -> bool:
    since = spider.session.options.since
    is_old = since is not None and entry.changed is not None and entry.changed[:10] < since
    return not is_old and _is_own(spider, entry.link.url, else_take=False) and spider.is_wanted(entry.link)


def _is_own(spider: "PortalSpider", url: str, *, else_take: bool) -> bool:
    """Whether *url* is an article of the portal's: by the catalogue's pattern, else by its looks or *else_take*."""
    if not same_site(url, spider.hosts):
        return False
    return bool(spider.article_pattern.search(url)) if spider.article_pattern else else_take or may_be_article(url)
