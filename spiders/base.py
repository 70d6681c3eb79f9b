"""What every spider does: list page → article links → captures.

A CMS family is a subclass that says where the links and the next page are (``links``, ``next_page``); everything
else (canonical addresses, staying on the portal, stopping where nothing is new, the frontier) happens here.
"""

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from hashlib import blake2b
from typing import Any, Self

import scrapy
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.catalogue import Portal
from crawler.fetch.challenge import challenge
from crawler.fetch.errors import Blocked, Disallowed
from crawler.fetch.session import Session
from crawler.fetch.standalone import session_for
from crawler.records import Capture, CaptureKind, Listed
from crawler.text.coding import unpacked
from crawler.text.decoding import decode_page
from crawler.text.urls import canonical, same_site
from spiders.listing import Following, Link, Listing, unique

NOT_THERE = frozenset({404, 410})
MAX_PAGES = 5_000
"""Pages of one list looked at in one run: beyond every real archive, a wall for endless pagers."""


class PortalSpider(scrapy.Spider):
    """Crawls one portal of the catalogue: ``scrapy crawl FAMILY -a portal=ID``."""

    portal: Portal
    session: Session

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, portal: str | None = None, **kwargs: Any) -> Self:
        """Take the portal's entry from the session's catalogue."""
        if portal is None:
            raise ValueError(f"which portal? scrapy crawl {cls.name} -a portal=ID (xianzhi portals list shows the ids)")
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.session = session_for(crawler, portal)
        spider.portal = spider.session.portal(portal)
        if spider.portal.delay is not None:  # --delay has a higher priority
            crawler.settings.set("DOWNLOAD_DELAY", spider.portal.delay, priority="spider")
        spider.article_pattern = re.compile(spider.portal.article) if spider.portal.article else None
        spider.hosts = spider.portal.hosts
        return spider

    article_pattern: re.Pattern[str] | None = None
    hosts: frozenset[str] = frozenset()

    # What a family says.

    def links(self, listing: Listing) -> Iterable[Link]:
        """The articles that a list page names, in page order; double ones and foreign hosts may be among them."""
        raise NotImplementedError

    def next_page(self, listing: Listing) -> str | Following | None:
        """The address of the next list page, or how it is asked for, or None on the last one."""
        raise NotImplementedError

    # What all of them do.

    async def start(self) -> AsyncIterator[Any]:
        """The list pages of the catalogue; what an earlier run left undone is in the frontier already."""
        for url in self.portal.lists:
            yield self.list_request(Following(url=url), number=1)

    def list_request(self, page: Following, *, number: int, via: str | None = None) -> scrapy.Request:
        """A request for a list page, the *number*th of its list, found on the page *via*."""
        request = self._request(
            page.url, kind="list", callback=self.parse_list, number=number, via=via, state=dict(page.state)
        )
        if page.body:  # pages behind one address differ by what is posted to it
            request.meta["key"] += "#" + blake2b(page.body.encode(), digest_size=8).hexdigest()
        return request.replace(method=page.method, body=page.body.encode(), headers=dict(page.headers))

    def article_request(self, link: Link, *, via: str) -> scrapy.Request:
        """A request for an article, with the validators of its last capture where it is known already."""
        listed = Listed(title=link.title, published=link.published)
        request = self._request(link.url, kind="article", callback=self.parse_article, listed=listed, via=via)
        if self.session.options.full:
            request.headers.update(self.session.validators(self.portal.id, self.identity(link.url)))
        return request

    def parse_list(self, response: Response) -> Iterator[scrapy.Request | Capture]:
        """Requests for the articles that are new here and for the next page, then the list page's own capture."""
        capture: Capture = response.meta["capture"]
        if capture.status in NOT_THERE and response.meta["number"] > 1:  # pagers promise more pages than servers keep
            self.session.store_capture(capture)
            return
        page = unpacked(capture.body, capture.content_encoding)
        reason = challenge(capture.status, page)
        if reason:
            self.session.tally(self.portal.id).block(f"{capture.url} {reason}")
        elif capture.status == 200 and not capture.truncated:
            decoded = decode_page(page, content_type=capture.content_type, hint=self.portal.encoding)
            number, state = response.meta["number"], response.meta.get("state")
            yield from self.follow(Listing.parse(url=capture.url, number=number, text=decoded.text, state=state))
        yield capture

    def follow(self, listing: Listing) -> Iterator[scrapy.Request]:
        """What a list page leads to. A page that brings nothing new is the last one looked at."""
        links = [link for link in unique(list(self.links(listing))) if same_site(link.url, self.hosts)]
        links = [link for link in links if self.is_wanted(link)]
        fresh = self.session.unseen(self.portal.id, {self.identity(link.url): link for link in links})
        for link in fresh.values():
            yield self.article_request(link, via=listing.url)
        following = self.next_page(listing) if fresh and listing.number < MAX_PAGES else None
        following = Following(url=following) if isinstance(following, str) else following
        if following and same_site(following.url, self.hosts):
            request = self.list_request(following, number=listing.number + 1, via=listing.url)
            if self.session.unseen_list(self.portal.id, request.meta["key"]):
                yield request

    def parse_article(self, response: Response) -> Iterator[Capture]:
        """An article page is a capture; no links are taken from it."""
        yield response.meta["capture"]

    def is_wanted(self, link: Link) -> bool:
        """False for what the list dates before ``--since``."""
        since = self.session.options.since
        return since is None or link.published is None or link.published[:10] >= since

    def identity(self, url: str) -> str:
        """The address under which this portal's article is one row."""
        return canonical(url, scheme=self.portal.homepage.split(":")[0])

    def on_error(self, failure: Failure) -> None:
        """A request that brought no response: said in the report, tried again in the next run."""
        request: scrapy.Request = failure.request  # type: ignore[attr-defined]
        if isinstance(failure.value, Blocked):
            self.session.tally(self.portal.id).block(str(failure.value))
        is_ours = isinstance(failure.value, Disallowed)
        self.session.failed(self.portal.id, request, reason_of(failure), is_ours=is_ours)

    def _request(self, url: str, *, kind: CaptureKind, callback: Any, **meta: Any) -> scrapy.Request:
        return scrapy.Request(
            url,
            callback=callback,
            errback=self.on_error,
            meta={"kind": kind, "key": self.identity(url), "portal": self.portal.id, **meta},
        )


def reason_of(failure: Failure) -> str:
    """What went wrong, in a line for people."""
    words = " ".join(str(failure.value).split())
    return f"{failure.type.__name__}: {words}"[:300] if failure.type else words[:300]
