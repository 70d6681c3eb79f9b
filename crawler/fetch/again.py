"""Looks at known articles again when a portal's new ones are done, and judges those that do not answer any more.

Everything happens while the portal is idle, in this order: articles that are due; addresses that cannot exist, to know
what the portal answers there; further articles to compare with; the verdict.
"""

from collections.abc import Iterator

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider

from crawler.archive.looks import Known
from crawler.fetch.session import Session
from crawler.records import Listed

BATCH = 256
"""Looks queued at once."""


class LookAgainExtension:
    """One a portal."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._session = Session.of(crawler)
        self._batches = self._requests()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "LookAgainExtension":
        """Wait for the portal to be idle."""
        extension = cls(crawler)
        crawler.signals.connect(extension.idle, signal=signals.spider_idle)
        return extension

    def idle(self, spider: Spider) -> None:
        """Queue what is to be looked at next, or settle what came."""
        self._spider = spider
        self._portal_id: str = spider.portal.id  # type: ignore[attr-defined]
        if self._session.tally(self._portal_id).is_over or self._session.broken:
            return
        while not self._is_held_back():
            batch = next(self._batches, None)
            if batch is None:
                break
            for request in batch:
                self._crawler.engine.crawl(request)
            if batch:
                raise DontCloseSpider
        self._session.settle(self._portal_id)

    def _is_held_back(self) -> bool:
        """Whether requests wait that this run may not make (``--max-articles``)."""
        waiting = len(self._session.vanishing(self._portal_id))  # their requests end with the verdict
        return self._session.queued(self._portal_id, limit=waiting + 1) > waiting

    def _requests(self) -> Iterator[list[Request]]:
        after = ""
        while known := self._session.looks(self._portal_id, after=after, limit=BATCH):
            after = known[-1].url
            yield [self._look(article) for article in known]
        yield self._probes()
        yield [self._look(article) for article in self._session.controls(self._portal_id)]
        yield self._probes()  # a control may be missing, too

    def _probes(self) -> list[Request]:
        probes = self._session.vanishing(self._portal_id).new_probes()
        return [self._request(url, key=url, kind="other", is_probe=True) for url in probes]

    def _look(self, article: Known) -> Request:
        listed = Listed(published=article.listed)
        request = self._request(article.address, key=article.url, kind="article", listed=listed)
        request.headers.update(self._session.validators(self._portal_id, article.url))
        return request

    def _request(self, url: str, **meta: object) -> Request:
        return Request(
            url,
            callback=self._spider.parse_article,  # type: ignore[attr-defined]
            errback=self._spider.on_error,  # type: ignore[attr-defined]
            meta={"portal": self._portal_id, **meta},
        )
