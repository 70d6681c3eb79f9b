"""What every spider does with article pages: asks for them, follows those that lead elsewhere, hands them on."""

import re
from collections.abc import Iterator
from typing import Any, Self

import scrapy
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.catalogue import Portal
from crawler.fetch.challenge import challenge, is_walled
from crawler.fetch.chromium import rendering_settings
from crawler.fetch.errors import Blocked, Disallowed, Unreachable
from crawler.fetch.session import Session
from crawler.fetch.standalone import session_for
from crawler.records import Capture, CaptureKind, Listed
from crawler.text import jumps
from crawler.text.canonical import canonical
from crawler.text.coding import unpacked
from crawler.text.decoding import decode_page
from crawler.text.urls import same_site
from spiders.listing import Link
from spiders.traps import Traps

STUB_BYTES = 4_096
"""Article pages that long or shorter, as they were sent, are looked at for jumps and bot walls."""
MAX_JUMPS = 3
"""Pages that only lead to the next one, for one article."""


class ArticleSpider(scrapy.Spider):
    """One portal's articles, wherever their addresses come from."""

    portal: Portal
    session: Session
    traps: Traps

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
        if spider.portal.render:
            crawler.settings.setdict(rendering_settings(), priority="spider")
        spider.article_pattern = re.compile(spider.portal.article) if spider.portal.article else None
        spider.hosts = spider.portal.hosts
        limits = {kind: crawler.settings.getint(f"{kind.upper()}S_ALIKE") for kind in ("list", "article")}
        spider.traps = Traps(limits)
        return spider

    article_pattern: re.Pattern[str] | None = None
    hosts: frozenset[str] = frozenset()

    def article_request(self, link: Link, *, via: str) -> scrapy.Request:
        """A request for an article, with the validators of its last capture where it is known already."""
        listed = Listed(title=link.title, published=link.published)
        request = self.portal_request(link.url, kind="article", callback=self.parse_article, listed=listed, via=via)
        if self.session.options.full:
            request.headers.update(self.session.validators(self.portal.id, self.identity(link.url)))
        return request

    def parse_article(self, response: Response) -> Iterator[scrapy.Request | Capture]:
        """An article page is a capture; no links are taken from it, but one that only leads elsewhere is followed."""
        capture: Capture = response.meta["capture"]
        page = unpacked(capture.body, capture.content_encoding) if len(capture.body) <= STUB_BYTES else b""
        target = self._jump(response, page) if page else None
        wall = challenge(capture.status, page) if page and target is None else None
        if wall:
            self.session.store_wall(capture, wall)
        elif target is None:
            yield capture
        elif not same_site(target, self.hosts):
            self.session.store_capture(capture, note=f"leads to {target}")
        else:
            self.session.sink.add_capture(capture)
            meta = {**response.meta, "jump_times": response.meta.get("jump_times", 0) + 1, "via": capture.url}
            yield scrapy.Request(target, callback=self.parse_article, errback=self.on_error, meta=meta)

    def _jump(self, response: Response, page: bytes) -> str | None:
        """Where a page leads that shows nothing but a jump elsewhere; None also after too many of them."""
        capture: Capture = response.meta["capture"]
        is_last = response.meta.get("jump_times", 0) >= MAX_JUMPS
        if capture.status != 200 or capture.truncated or is_last or is_walled(page):
            return None
        decoded = decode_page(page, content_type=capture.content_type, hint=self.portal.encoding)
        target = jumps.target(decoded.text, base=capture.url)
        return target if target != capture.url else None

    def is_wanted(self, link: Link) -> bool:
        """False for what the list dates before ``--since``."""
        since = self.session.options.since
        return since is None or link.published is None or link.published[:10] >= since

    def identity(self, url: str) -> str:
        """The address under which this portal's article is one row."""
        return canonical(url, homepage=self.portal.homepage)

    def on_error(self, failure: Failure) -> None:
        """A request that brought no response: said in the report, tried again in the next run."""
        request: scrapy.Request = failure.request  # type: ignore[attr-defined]
        if isinstance(failure.value, Blocked):  # its host's trouble and not its own: it stays queued
            is_down = isinstance(failure.value, Unreachable)
            self.session.tally(self.portal.id).block(str(failure.value), is_down=is_down)
            return
        is_ours = isinstance(failure.value, Disallowed)
        self.session.failed(self.portal.id, request, reason_of(failure), is_ours=is_ours)

    def portal_request(self, url: str, *, kind: CaptureKind, callback: Any, **meta: Any) -> scrapy.Request:
        """A request in the portal's name; *meta* is what is to be known of it when it is answered."""
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
