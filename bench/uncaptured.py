"""A crawl that keeps no bytes, for ``bench/evidence.py`` alone: Scrapy's own download handler, and no WARC file.

A capture's row stays, because versions point at it; its record is made up.
"""

import itertools
from datetime import UTC, datetime

from crawler import settings
from crawler.fetch.recorder import RecorderMiddleware
from crawler.fetch.tap import DOWNLOAD_HANDLERS
from crawler.records import Capture, RecordRef

SCRAPYS = "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler"
SETTINGS = {
    "DOWNLOAD_HANDLERS": {**DOWNLOAD_HANDLERS, "http": SCRAPYS, "https": SCRAPYS},
    "DOWNLOADER_MIDDLEWARES": {
        **settings.DOWNLOADER_MIDDLEWARES,
        "crawler.fetch.recorder.RecorderMiddleware": None,
        "uncaptured.Uncaptured": 900,
    },
}
"""For ``Options.settings``."""


class Uncaptured(RecorderMiddleware):
    """Makes the capture that the stages need out of Scrapy's response."""

    _numbers = itertools.count()

    def process_response(self, request, response):
        number = next(self._numbers)
        capture = Capture(
            run_id=self._session.sink._run_id,  # noqa: SLF001 - a trial
            portal_id=self._portal_id,
            kind=request.meta.get("kind", "other"),
            url=response.url,
            fetched_at=datetime.now(UTC),
            status=response.status,
            content_type=(response.headers.get("Content-Type") or b"").decode("latin-1"),
            payload_sha256=f"{number:064x}",
            record=RecordRef(file=f"{self._portal_id}.warc.gz", offset=number, length=1),
            key=request.meta.get("key"),
            listed=request.meta.get("listed"),
            body=response.body,
        )
        request.meta["capture"] = capture
        self._session.tally(self._portal_id).fetched += 1
        if capture.kind == "robots":
            self._session.sink.add_capture(capture)
        return response
