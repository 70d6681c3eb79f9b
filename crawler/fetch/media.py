"""Fetches the files and pictures of a portal's articles, when its articles are done.

They are evidence beside the pages: bytes in the same WARC files, a row in ``captures``, deduplicated like pages. What
was had once is not asked for again, under ``--full`` neither.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider, DownloadCancelledError
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.archive.batch import Fetched
from crawler.archive.media import LAST, MEDIA, Linked, key_of
from crawler.fetch.challenge import STUB_BYTES, challenge
from crawler.fetch.errors import Blocked, Disallowed
from crawler.fetch.session import Session
from crawler.fetch.statuses import OVERLOAD_STATUSES
from crawler.fetch.tally import MediaTally
from crawler.records import Capture, MediaKind
from crawler.text.coding import DecodeError, unpacked
from crawler.text.urls import same_site

BATCH = 256
"""Requests queued at once."""
RETRIES = 1
"""Tries after the first one: what broke off is asked for on later nights too."""
HTML_TYPE = re.compile(r"\s*(?:text/html|application/xhtml)", re.IGNORECASE)
MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<[!?a-z]", re.IGNORECASE)


class MediaExtension:
    """One a portal."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._session = Session.of(crawler)
        self._limits: dict[str, int] = crawler.settings.getdict("MEDIA_MAXSIZE")
        self._timeout = crawler.settings.getfloat("MEDIA_TIMEOUT")
        self._left = crawler.settings.getint("MEDIA_PER_RUN")
        self._batches = self._requests()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "MediaExtension":
        """Wait for the portal to be idle."""
        extension = cls(crawler)
        crawler.signals.connect(extension.opened, signal=signals.spider_opened)
        crawler.signals.connect(extension.idle, signal=signals.spider_idle)
        return extension

    def opened(self, spider: Spider) -> None:
        """Note whether there will be something to do."""
        self._portal_id: str = spider.portal.id  # type: ignore[attr-defined]
        self._hosts: frozenset[str] = spider.hosts  # type: ignore[attr-defined]
        self._tally.is_left = self._session.wants_media(self._portal_id)

    def idle(self) -> None:
        """Queue what is to be fetched next."""
        engine = self._crawler.engine
        if engine is None or not self._tally.is_left or not engine.spider_is_idle():
            return  # not idle: another extension just found something to do
        is_over = self._session.tally(self._portal_id).is_over or self._tally.stopped or self._session.broken
        batch = None if is_over else next(self._batches, None)
        if batch is None:
            self._tally.is_left = False
            return
        for request in batch:
            engine.crawl(request)
        raise DontCloseSpider

    # Requests.

    def _requests(self) -> Iterator[list[Request]]:
        for kind in MEDIA:
            for page in self._pages(kind):
                own = {linked.url: linked for linked in page if same_site(linked.url, self._hosts)}
                batch = [self._request(linked) for linked in own.values()][: self._left]
                self._left -= len(batch)
                if batch:
                    yield batch
                if self._left <= 0:
                    self._tally.stopped = "as many as one run asks for; the rest waits for the next one"
                    return

    def _pages(self, kind: MediaKind) -> Iterator[list[Linked]]:
        before = (LAST, LAST)
        while page := self._session.media_due(self._portal_id, kind, before=before, limit=BATCH):
            before = (page[-1].article, page[-1].url)
            yield page

    def _request(self, linked: Linked) -> Request:
        return Request(
            linked.url,
            callback=self._came,
            errback=self._failed,
            meta={
                "kind": linked.kind,
                "key": key_of(linked.url),
                "portal": self._portal_id,
                "via": linked.article,
                "linked": linked,
                "download_maxsize": self._limits[linked.kind],
                "download_timeout": self._timeout,
                "max_retry_times": RETRIES,
            },
        )

    # Answers.

    def _came(self, response: Response) -> None:
        capture: Capture = response.meta["capture"]
        linked: Linked = response.meta["linked"]
        is_stub = len(capture.body) <= STUB_BYTES and _is_called_html(capture)
        wall = challenge(capture.status, _page(capture) if is_stub else b"")
        reason = wall or _why_not(capture, response)
        if wall or capture.status in OVERLOAD_STATUSES:
            self._tally.stopped = f"{capture.url} {reason}"  # a host that says no is left alone until the next run
        if reason:
            self._fail(linked, reason, capture)
        else:
            self._tally.captured += 1
            self._session.store_media(self._fetched(linked, capture), capture)

    def _failed(self, failure: Failure) -> None:
        """A request that brought no response, or more than is taken."""
        request: Request = failure.request  # type: ignore[attr-defined]
        linked: Linked = request.meta["linked"]
        capture: Capture | None = request.meta.get("capture")
        if self._session.broken:  # the fault is here, not there
            return
        if isinstance(failure.value, Blocked):
            self._tally.stopped = str(failure.value)
        elif isinstance(failure.value, Disallowed):  # our choice, no failure
            self._session.store_media(replace(self._fetched(linked), reason=str(failure.value)))
        elif isinstance(failure.value, DownloadCancelledError) and capture and capture.status == 200:
            self._tally.captured += 1
            limit = f"more than {self._limits[linked.kind]:,} bytes: cut"
            self._session.store_media(replace(self._fetched(linked, capture), reason=limit))
        else:
            words = " ".join(str(failure.value).split())
            self._fail(linked, f"{type(failure.value).__name__}: {words}"[:300])

    def _fail(self, linked: Linked, reason: str, capture: Capture | None = None) -> None:
        self._tally.fail(linked.url, reason)
        self._session.store_media(replace(self._fetched(linked), reason=reason), capture)

    def _fetched(self, linked: Linked, capture: Capture | None = None) -> Fetched:
        record = capture.record if capture else None
        return Fetched(portal_id=self._portal_id, url=linked.url, kind=linked.kind, record=record)

    @property
    def _tally(self) -> MediaTally:
        return self._session.tally(self._portal_id).media


def _why_not(capture: Capture, response: Response) -> str | None:
    """Why an answer is not the file that was asked for, in words; None where it is."""
    if 300 <= capture.status < 400:
        target = response.headers.get("Location", b"") or b""
        return f"leads to {target.decode('latin-1')}"
    if capture.status != 200:
        return f"answered {capture.status}"
    if capture.truncated:
        return f"the answer was cut short ({capture.truncated})"
    if not capture.body:
        return "answered with nothing"
    # Some servers call everything HTML, and tables saved as .xls really are.
    return "answered with a web page" if _is_called_html(capture) and MARKUP.match(_page(capture)) else None


def _is_called_html(capture: Capture) -> bool:
    return HTML_TYPE.match(capture.content_type or "text/html") is not None


def _page(capture: Capture) -> bytes:
    """The body without content coding; as it came where that cannot be undone."""
    try:
        return unpacked(capture.body, capture.content_encoding)
    except DecodeError:
        return capture.body
