"""Back-off: what failed for the moment is tried again, and a host that is unwell is asked less often."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
)
from scrapy.http import Response
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost

from crawler.fetch.downloader import PoliteDownloader
from crawler.fetch.errors import HandshakeFailed
from crawler.fetch.statuses import OVERLOAD_STATUSES, RETRY_STATUSES

RETRY_ERRORS = (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ConnectError,
    ConnectionDone,
    ConnectionLost,
)
MAX_RETRY_AFTER = 300.0
"""Seconds; a longer Retry-After counts as this."""
MAX_DELAY = 60.0
"""Seconds between two requests that doubling ends at."""
RECOVERY = 0.9
"""Part of the back-off that is left after an answer of a host that is well again."""


class BackoffMiddleware:
    """Tries again ``RETRY_TIMES`` times; slows the slot down at 429, 503 and timeouts, and lets it recover.

    The last answer, or the last error, passes on. A host without delay is slowed to ``BACKOFF_FLOOR`` seconds first.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._floor: float = crawler.settings.getfloat("BACKOFF_FLOOR", 1.0)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "BackoffMiddleware":
        """One a portal."""
        middleware = cls(crawler)
        crawler.signals.connect(middleware.answered, signal=signals.response_downloaded)
        return middleware

    def answered(self, request: Request, response: Response) -> None:
        """Heed an answer before the slot sends its next request, which is earlier than middlewares see it."""
        if response.status in OVERLOAD_STATUSES:
            wait = retry_after(response.headers.get("Retry-After"), asked_at=_sent_at(response))
            self._slow_down(request, wait or 0.0)
        elif response.status not in RETRY_STATUSES:
            self._recover(request)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Try an answer again that says *not now*."""
        if response.status in RETRY_STATUSES:
            return self._again(request, str(response.status)) or response
        return response

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Try again what broke on the way."""
        if not isinstance(exception, RETRY_ERRORS) or isinstance(exception, HandshakeFailed):
            return None
        if isinstance(exception, DownloadTimeoutError):
            self._slow_down(request, 0.0)
        return self._again(request, exception)

    def _again(self, request: Request, reason: str | Exception) -> Request | None:
        assert self._crawler.spider is not None
        return get_retry_request(request, spider=self._crawler.spider, reason=reason, give_up_log_level="INFO")

    def _slow_down(self, request: Request, wait: float) -> None:
        downloader = PoliteDownloader.of(self._crawler)
        backoff = min(max(self._floor, 2 * downloader.delay(request)), MAX_DELAY)
        downloader.set_backoff(request, backoff)
        # A delay counts from the request before; an answer that took longer has used it up.
        downloader.pause(request, max(backoff, wait))

    def _recover(self, request: Request) -> None:
        downloader = PoliteDownloader.of(self._crawler)
        backoff = downloader.backoff(request)
        if backoff:
            eased = RECOVERY * backoff
            downloader.set_backoff(request, eased if eased >= self._floor else 0.0)


def retry_after(value: bytes | None, *, asked_at: datetime) -> float | None:
    """Seconds that a Retry-After header asks to wait, at most 300; None without one, for garbage and for the past.

    A date is taken relative to *asked_at*, best the server's own clock (RFC 9110 section 10.2.3).
    """
    if value is None:
        return None
    text = value.strip().decode("latin-1")
    if text.isascii() and text.isdigit():
        seconds = float(text) if len(text) < 10 else MAX_RETRY_AFTER
    else:
        at = _parse_date(text)
        seconds = (at - asked_at).total_seconds() if at else 0.0
    return min(seconds, MAX_RETRY_AFTER) if seconds > 0 else None


def _sent_at(response: Response) -> datetime:
    stated = _parse_date((response.headers.get("Date") or b"").decode("latin-1"))
    return stated or datetime.now(UTC)


def _parse_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
