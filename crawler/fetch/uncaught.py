"""Sees to it that no request is left without an end when our own code fails on its response."""

from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.fetch.session import Session
from crawler.records import Capture


class UncaughtExtension:
    """Ends the requests on whose responses a spider or a stage failed."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "UncaughtExtension":
        """Listen for errors in spiders and stages."""
        extension = cls(crawler)
        crawler.signals.connect(extension.spider_error, signal=signals.spider_error)
        crawler.signals.connect(extension.item_error, signal=signals.item_error)
        return extension

    def spider_error(self, failure: Failure, response: Response | None) -> None:
        """A spider failed on a response: its bytes are archived, the page counts as failed."""
        if response is None:  # it failed before its first request
            portal = self._crawler.spider.portal  # type: ignore[union-attr]
            words = f"{failure.type.__name__}: {failure.value}" if failure.type else str(failure.value)
            Session.of(self._crawler).tally(portal.id).fail(portal.homepage, words, is_list=True)
        elif "capture" in response.meta:
            self._fail(response.meta["capture"], failure)

    def item_error(self, item: Any, failure: Failure) -> None:
        """A stage failed on a capture: its bytes are archived, the page counts as failed."""
        self._fail(item if isinstance(item, Capture) else item.capture, failure)

    def _fail(self, capture: Capture, failure: Failure) -> None:
        words = " ".join(str(failure.value).split())[:200]
        Session.of(self._crawler).store_failure(capture, f"{failure.type.__name__}: {words}" if failure.type else words)
