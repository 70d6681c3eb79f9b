"""robots.txt obeyed as RFC 9309 says: fetched once a run for each origin, before the first request to it.

A file that is there gives the rules; one that is not there (4xx) allows everything; a server that cannot say (5xx,
429, no answer) is left alone tonight.
"""

import asyncio
import copy
import re
import zlib

from protego import Protego
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    IgnoreRequest,
)
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.error import ConnectError

from crawler.fetch.downloader import PoliteDownloader
from crawler.fetch.errors import (
    AddressRefused,
    Blocked,
    ConnectTimeout,
    Disallowed,
    HandshakeFailed,
    NoAnswer,
    Unreachable,
)

MAX_BYTES = 500 * 1024
"""Read of a robots.txt; RFC 9309 section 2.5 asks for at least as much."""
LAST_LINE = re.compile(rb"[^\r\n]*\Z")
MAX_CRAWL_DELAY = 60.0
"""Seconds; a longer Crawl-delay counts as this."""


class RobotsMiddleware:
    """Asks robots.txt before every request. Raises Blocked, Disallowed, or AddressRefused in place of a download.

    The request for robots.txt passes all downloader middlewares (recorded, tried again, redirected) under
    ``meta["kind"] == "robots"``.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._token: str = crawler.settings["ROBOTSTXT_USER_AGENT"]
        self._origins: dict[str, asyncio.Future[Protego | Exception]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "RobotsMiddleware":
        """One a portal."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let an allowed request pass."""
        if request.meta.get("kind") == "robots":
            return
        origin = origin_of(request)
        if origin not in self._origins:
            self._origins[origin] = asyncio.ensure_future(self._ask(request, origin))
        answer = await asyncio.shield(self._origins[origin])
        if isinstance(answer, Exception):
            raise copy.copy(answer)
        if not answer.can_fetch(request.url, self._token):
            raise Disallowed(request.url)

    def sitemaps(self, origin: str) -> list[str]:
        """What the robots.txt of *origin* names as sitemaps; none where it was not asked for, or could not be had."""
        asked = self._origins.get(origin)
        answer = asked.result() if asked is not None and asked.done() else None
        return list(answer.sitemaps) if isinstance(answer, Protego) else []

    def known(self, request: Request) -> Protego | Exception | None:
        """What the origin of *request* answered in this run; None where it was not asked."""
        asked = self._origins.get(origin_of(request))
        return asked.result() if asked and asked.done() else None

    async def _ask(self, request: Request, origin: str) -> Protego | Exception:
        answer = await self._fetch(f"{origin}/robots.txt")
        if isinstance(answer, Protego):
            delay = answer.crawl_delay(self._token)
            if delay:
                PoliteDownloader.of(self._crawler).set_delay(request, min(delay, MAX_CRAWL_DELAY))
        return answer

    async def _fetch(self, url: str) -> Protego | Exception:
        request = Request(
            url,
            callback=NO_CALLBACK,
            headers={"Accept-Encoding": "identity"},
            meta={"kind": "robots"},
            dont_filter=True,
        )
        assert self._crawler.engine is not None
        try:
            response = await self._crawler.engine.download_async(request)
        except AddressRefused as error:
            return error
        except IgnoreRequest:
            return parse_rules(b"")  # more than five redirects: as if it were not there (RFC 9309 section 2.3.1.2)
        except Exception as error:
            return why_not(error, url.removesuffix("/robots.txt"))
        return judge(response)


def origin_of(request: Request) -> str:
    """Scheme, host and port of a request: what one robots.txt speaks for."""
    parts = urlparse_cached(request)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


def why_not(error: Exception, origin: str) -> Blocked:
    """What to say of *origin* where there is no answer to judge: nothing is asked of it (RFC 9309 section 2.3.1.4).

    Firewalls refuse by silence, so a host that is silent counts as one that does not want us.
    """
    match error:
        case CannotResolveHostError():
            return Unreachable(f"the host {origin.partition('://')[2]} cannot be resolved")
        case DownloadConnectionRefusedError():
            return Unreachable(f"{origin} refused the connection")
        case HandshakeFailed():
            return Unreachable(f"{origin}: {error}")
        case ConnectError():
            return Unreachable(f"{origin} cannot be reached: {error}")
        case ConnectTimeout():
            return Blocked(f"{origin} did not take a connection in time")
        case NoAnswer():
            return Blocked(f"{origin}: {error}")
        case DownloadTimeoutError():
            return Blocked("robots.txt did not answer in time")
        case DownloadCancelledError():
            return Blocked("robots.txt is endless")
    return Blocked(f"robots.txt could not be had: {type(error).__name__} {error}")


def judge(response: Response) -> Protego | Blocked:
    """What a host answered when asked for its robots.txt (RFC 9309 section 2.3.1)."""
    if response.status >= 500 or response.status == 429:
        return Blocked(f"robots.txt answered {response.status}")
    if not 200 <= response.status < 300:
        return parse_rules(b"")
    if "dataloss" in response.flags:
        return Blocked("robots.txt was cut short")
    return parse_rules(response.body)


def parse_rules(body: bytes) -> Protego:
    """The rules of a robots.txt, whatever it holds; what cannot be read as rules is none.

    Reads the first 500 KiB, gunzipped where a server compressed unasked. Without NUL bytes the ASCII rules of a
    UTF-16 file can be read.
    """
    if body.startswith(b"\x1f\x8b"):
        body = _gunzip(body)
    if len(body) > MAX_BYTES:
        body = LAST_LINE.sub(b"", body[:MAX_BYTES])  # half a rule would forbid more than the whole one
    return Protego.parse(body.replace(b"\0", b"").decode("utf-8-sig", errors="ignore"))


def _gunzip(body: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(body, MAX_BYTES + 1)
    except zlib.error:
        return b""
