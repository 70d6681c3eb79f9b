"""The recorder stands nearest to the wire: every response is archived before anything looks at it."""

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.fetch.session import Session
from crawler.fetch.statuses import RETRY_STATUSES
from crawler.records import Capture, Exchange, Rendering

REDIRECTS = frozenset({301, 302, 303, 307, 308})


class RecorderMiddleware:
    """Writes the exchange to the portal's WARC file and leaves a Capture in ``request.meta["capture"]``.

    A spider yields that capture for what it asked for; what no spider sees (robots.txt, redirects, answers that are
    tried again, responses that broke off) gets its row from here.
    """

    def __init__(self, session: Session, crawler: Crawler) -> None:
        self._session = session
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "RecorderMiddleware":
        """All of a process share the session."""
        return cls(Session.of(crawler), crawler)

    def process_response(self, request: Request, response: Response) -> Response:
        """Archive a response as it came."""
        exchange: Exchange | None = request.meta.pop("exchange", None)
        if exchange is None:
            raise RuntimeError(f"{request.url}: a response without its bytes; is the download handler ours?")
        self._session.hosts.answered(exchange)
        rendering: Rendering | None = request.meta.pop("rendering", None)
        if rendering is None:
            capture = self._session.record(exchange, portal_id=self._portal_id, meta=request.meta)
        else:
            capture = self._record_drawn(rendering, exchange, request)
        request.meta["capture"] = capture
        if capture.kind == "robots" or response.status in REDIRECTS or response.status in RETRY_STATUSES:
            self._session.sink.add_capture(capture)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Archive what came before a response broke off."""
        exchange: Exchange | None = request.meta.pop("exchange", None)
        if exchange is not None and exchange.response:
            capture = self._session.record(exchange, portal_id=self._portal_id, meta=request.meta)
            self._session.sink.add_capture(capture)
            request.meta["capture"] = capture
        self._record_loaded(request)

    def _record_drawn(self, rendering: Rendering, document: Exchange, request: Request) -> Capture:
        """A page that was drawn stands for its document, which is a capture of its own, like all that it loaded."""
        via = request.meta.get("via")
        first = self._session.record_loaded(document, portal_id=self._portal_id, kind="other", via=via)
        self._record_loaded(request)
        return self._session.record_rendering(rendering, first.record, portal_id=self._portal_id, meta=request.meta)

    def _record_loaded(self, request: Request) -> None:
        for kind, exchange in request.meta.pop("loaded", ()):
            self._session.record_loaded(exchange, portal_id=self._portal_id, kind=kind, via=request.url)

    @property
    def _portal_id(self) -> str:
        portal_id: str = self._crawler.spider.portal.id  # type: ignore[union-attr]
        return portal_id
