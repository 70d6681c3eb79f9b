"""What one worker process shares between its portals: options, tallies, and the sink into the archive."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.archive.batch import Observation
from crawler.archive.sink import Sink
from crawler.catalogue import Portal
from crawler.fetch.backoff import OVERLOAD_STATUSES
from crawler.fetch.challenge import STATUSES as CHALLENGE_STATUSES
from crawler.fetch.options import Options
from crawler.fetch.tally import Tally
from crawler.records import Article, Capture, Exchange
from crawler.version import USER_AGENT
from crawler.warc.files import WarcError

LISTS = frozenset({"list", "feed"})
"""Kinds of captures without which a portal's news is not found: one that fails fails its portal."""
BATCH = 100
"""Results stored in one transaction (38,000 rows/s in batches, 9,300 one at a time)."""
BATCH_SECONDS = 1.0
INFO = {
    "robots": "obey",
    "http-header-user-agent": USER_AGENT,
    "description": "Nightly crawl of local-government news; responses exactly as on the wire",
}
"""What each WARC file says of how it came to be."""

log = logging.getLogger(__name__)


class Session:
    """The process's one session; ``Session.of`` gives it to every component that Scrapy builds."""

    current: "Session | None" = None
    """The one that is open in this process."""

    def __init__(self, options: Options, sink: Sink) -> None:
        self.options = options
        self.sink = sink
        self.broken: str | None = None
        """Why nothing can be stored any more (a full disk); None while all is well."""
        self._portals: dict[str, Portal] = {}
        self._tallies: dict[str, Tally] = {}
        self._shown: dict[str, tuple[int, ...]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def open(cls, options: Options, *, run_id: str) -> "Session":
        """Open the archive for this process."""
        cls.current = cls(options, Sink(db=options.db, warc=options.warc, run_id=run_id, info=INFO))
        return cls.current

    @classmethod
    def of(cls, crawler: Crawler) -> "Session":
        """The process's session. Raises NotConfigured where none was opened."""
        if cls.current is None:
            raise NotConfigured("no archive is open: start crawls with xianzhi crawl")
        return cls.current

    # Portals.

    def begin(self, portal: Portal) -> None:
        """A portal starts."""
        self._portals[portal.id] = portal
        self._tallies[portal.id] = Tally()

    def portal(self, portal_id: str) -> Portal:
        """The catalogue's entry of a portal that has begun."""
        return self._portals[portal_id]

    def tally(self, portal_id: str) -> Tally:
        """The portal's counters in this run."""
        return self._tallies[portal_id]

    def moved(self) -> dict[str, Tally]:
        """The tallies that changed since the last call."""
        now = {name: tally.counts() for name, tally in self._tallies.items()}
        moved = {name: self._tallies[name] for name, counts in now.items() if self._shown.get(name) != counts}
        self._shown = now
        return moved

    def finish(self, portal_id: str) -> None:
        """A portal has ended: store what is left of it and close its WARC file."""
        self.flush()
        self.sink.close_warc(portal_id)
        self._shown.pop(portal_id, None)

    # The frontier.

    def unseen(self, portal_id: str, by_key: dict[str, Any]) -> dict[str, Any]:
        """Of addresses (by key), those that this run should fetch: never seen, or under ``--full`` not yet tonight."""
        seen = self.sink.seen(portal_id, by_key.keys(), tonight_only=self.options.full)
        return {key: value for key, value in by_key.items() if key not in seen}

    def unseen_list(self, portal_id: str, key: str) -> bool:
        """Whether a list page was not asked for in this run yet: a pager that turns in circles ends here."""
        return not self.sink.seen(portal_id, [key], tonight_only=True)

    def has_work_left(self, portal_id: str) -> bool:
        """Whether requests of the portal are still queued."""
        return bool(self.sink.next_queued(portal_id, after_seq=0, limit=1))

    def validators(self, portal_id: str, url: str) -> dict[str, str]:
        """Headers that make a request conditional, from the last capture of an article."""
        return self.sink.validators(portal_id, url)

    # What came.

    def record(self, exchange: Exchange, *, portal_id: str, meta: Mapping[str, Any]) -> Capture:
        """Write an exchange to the portal's WARC file; *meta* is its request's."""
        try:
            capture = self.sink.record(
                exchange,
                portal_id=portal_id,
                kind=meta.get("kind", "other"),
                key=meta.get("key"),
                listed=meta.get("listed"),
                via=meta.get("via"),
            )
        except WarcError as error:
            self.broken = self.broken or f"the evidence cannot be written: {error}"
            raise
        self.tally(portal_id).fetched += 1
        return capture

    def store_article(self, article: Article, url: str) -> None:
        """Queue an article page's rows, its request's end included."""
        self.sink.add_article(article, url)
        self.sink.done(article.capture)
        self._after_add()

    def store_unchanged(self, capture: Capture, url: str) -> None:
        """Queue a 304: the known article at *url* answered as before."""
        self.sink.add_capture(capture)
        self.sink.observe(
            Observation(
                portal_id=capture.portal_id, url=url, seen_at=capture.fetched_at, state="live", record=capture.record
            )
        )
        self.sink.done(capture)
        self.tally(capture.portal_id).unchanged += 1
        self._after_add()

    def store_capture(self, capture: Capture, *, encoding: str | None = None, basis: str | None = None) -> None:
        """Queue a capture's row and, where a request asked for it, the request's end."""
        self.sink.add_capture(capture, encoding=encoding, encoding_basis=basis)
        self.sink.done(capture)
        self._after_add()

    def store_failure(self, capture: Capture, reason: str) -> None:
        """Queue the row of a capture that is not what was asked for."""
        self.sink.add_capture(capture)
        if capture.key is not None:
            self.sink.failed(capture.portal_id, capture.key, reason)
        tally = self.tally(capture.portal_id)
        tally.fail(capture.url, reason, is_list=capture.kind in LISTS)
        if capture.status in OVERLOAD_STATUSES or capture.status in CHALLENGE_STATUSES:
            tally.block(f"{capture.url} {reason}")  # a host that says no all night is left alone until the next one
        self._after_add()

    def failed(self, portal_id: str, request: Request, reason: str, *, is_ours: bool = False) -> None:
        """A request brought nothing. *is_ours*: we chose not to make it, which is no failure of the portal's."""
        if self.broken:  # the fault is here, not there: it stays queued
            return
        key = request.meta.get("key")
        if key is not None:
            self.sink.failed(portal_id, key, reason)
        if not is_ours or request.meta.get("kind") in LISTS:
            self.tally(portal_id).unanswered += 1
            self.tally(portal_id).fail(request.url, reason, is_list=request.meta.get("kind") in LISTS)
        self._after_add()

    def flush(self) -> None:
        """Store what has gathered, in one transaction, after the WARC bytes it points at."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            written = self.sink.flush()
        except Exception as error:  # tried again with the next batch, and at the end
            self.broken = self.broken or f"the archive cannot be written: {error}"
            return
        for article in written:
            tally = self._tallies[article.portal_id]
            setattr(tally, article.outcome, getattr(tally, article.outcome) + 1)

    def close(self) -> None:
        """Store the rest and close the archive."""
        self.flush()
        self.sink.close()
        Session.current = None

    def _after_add(self) -> None:
        if self.sink.pending >= BATCH:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_SECONDS, self.flush)


class SessionExtension:
    """Sees to it that no request is left without an end when our own code fails on its response."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "SessionExtension":
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
