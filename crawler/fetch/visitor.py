"""Single pages asked for one by one, with a crawl's manners: robots, guard, back-off, delay.

Inside a run, what comes is archived like everything else; where no archive is open it is only looked at.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import scrapy
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response

from crawler.catalogue import Portal
from crawler.fetch.challenge import STUB_BYTES, challenge, is_walled
from crawler.fetch.chromium import rendering_settings
from crawler.fetch.errors import AddressRefused, Blocked, Disallowed, Unreachable
from crawler.fetch.robots import RobotsMiddleware, origin_of
from crawler.fetch.session import Session
from crawler.text import jumps
from crawler.text.coding import DecodeError, unpacked
from crawler.text.decoding import decode_page
from crawler.text.urls import same_site

T = TypeVar("T")

MAX_JUMPS = 3
"""Pages that only lead to the next one: front pages often do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """A page that was answered with status 200."""

    url: str
    """The address that answered, after redirects and jumps."""
    text: str = field(repr=False)


class NotHad(Exception):  # noqa: N818 - says what happened
    """A page that could not be had; ``str()`` says why, in a line for people."""

    def __init__(self, reason: str, *, is_blocked: bool = False, is_silent: bool = False) -> None:
        super().__init__(reason)
        self.is_blocked = is_blocked
        """The portal does not want us: a bot wall, a failing robots.txt, too many requests."""
        self.is_silent = is_silent
        """Nothing came at all, so another scheme may do."""


class CutOff(Exception):  # noqa: N818 - says what happened
    """The process was asked to stop while a visit was under way."""


class Visitor(scrapy.Spider):
    """Runs one errand: a coroutine that gets pages of one site. ``visit`` makes it."""

    name = "visitor"
    custom_settings: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "SCHEDULER": "scrapy.core.scheduler.Scheduler",  # asked for beside the frontier
        "EXTENSIONS": {},
        "ITEM_PIPELINES": {},
    }

    def __init__(
        self, errand: "Callable[[Visitor], Awaitable[Any]]", outcome: "asyncio.Future[Any]", portal: Portal
    ) -> None:
        super().__init__()
        self.portal = portal
        self.hosts = portal.hosts
        self._errand = errand
        self._outcome = outcome

    async def start(self) -> AsyncIterator[Any]:
        """Run the errand, which asks by itself."""
        left: tuple[scrapy.Request, ...] = ()
        try:
            self._outcome.set_result(await self._errand(self))
        except Exception as error:
            self._outcome.set_exception(error)
        for request in left:
            yield request

    async def get(
        self, url: str, *, method: str = "GET", body: str = "", headers: Mapping[str, str] | None = None
    ) -> Visited:
        """The page at *url*, or the one that it only leads to, if it stays on the site. Raises NotHad."""
        page = await self._get(url, method, body, headers or {})
        for _ in range(MAX_JUMPS):
            target = None if is_walled(_stub(page)) else jumps.target(page.text, base=page.url)
            if target is None or target == page.url:
                break
            if not same_site(target, self.hosts):
                raise NotHad(f"{url} only leads to {target}, another site")
            page = await self._get(target, "GET", "", {})
        wall = challenge(200, _stub(page))
        if wall:
            raise NotHad(f"{page.url} {wall}", is_blocked=True)
        return page

    def sitemaps(self, url: str) -> list[str]:
        """The sitemaps that the robots.txt read for *url* names, whatever they are."""
        robots = self.crawler.get_downloader_middleware(RobotsMiddleware)
        return robots.sitemaps(origin_of(scrapy.Request(url))) if robots else []

    async def _get(self, url: str, method: str, body: str, headers: Mapping[str, str]) -> Visited:
        request = scrapy.Request(url, method=method, body=body, headers=dict(headers), meta={"kind": "list"})
        assert self.crawler.engine is not None
        try:
            response = await self.crawler.engine.download_async(request)
        except (AddressRefused, Disallowed) as error:
            raise NotHad(str(error)) from error
        except Exception as error:
            is_silent = isinstance(error, Unreachable)
            words = " ".join(str(error).split()) or type(error).__name__
            reason = words if isinstance(error, Blocked) else f"{url}: {words}"
            is_blocked = isinstance(error, Blocked) and not is_silent
            raise NotHad(reason[:300], is_blocked=is_blocked, is_silent=is_silent) from error
        return self._read(response)

    def _read(self, response: Response) -> Visited:
        if "capture" in response.meta:
            Session.of(self.crawler).store_capture(response.meta["capture"])
        try:
            page = unpacked(response.body, _header(response, "Content-Encoding"))
        except DecodeError as error:
            raise NotHad(f"{response.url}: {error}") from error
        if response.status != 200:
            raise _refusal(response, page)
        if "dataloss" in response.flags:
            raise NotHad(f"{response.url}: the answer was cut short")
        try:
            decoded = decode_page(page, content_type=_header(response, "Content-Type"), hint=self.portal.encoding)
        except DecodeError as error:
            raise NotHad(f"{response.url}: {error}") from error
        return Visited(url=response.url, text=decoded.text)


async def visit(process: AsyncCrawlerProcess, errand: Callable[[Visitor], Awaitable[T]], portal: Portal) -> T:
    """What *errand* returns after it has got its pages of *portal*; raises what it raises, CutOff, BrowserMissing."""
    outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    crawler = process.create_crawler(Visitor)
    if portal.delay is not None:  # --delay has a higher priority
        crawler.settings.set("DOWNLOAD_DELAY", portal.delay, priority="spider")
    if portal.render:
        crawler.settings.setdict(rendering_settings(), priority="spider")
    await process.crawl(crawler, errand=errand, outcome=outcome, portal=portal)
    if not outcome.done():
        outcome.cancel()
        raise CutOff("stopped before the end")
    return outcome.result()


def _stub(page: Visited) -> bytes:
    """The beginning of a page, long enough to tell that it is no bot wall's."""
    return page.text[: STUB_BYTES + 1].encode("utf-8", "replace")


def _refusal(response: Response, page: bytes) -> NotHad:
    target = _header(response, "Location")
    if target and 300 <= response.status < 400:
        return NotHad(f"{response.url} leads to {target}, another site")
    wall = challenge(response.status, page)
    return NotHad(
        f"{response.url} {wall or f'answered {response.status}'}",
        is_blocked=wall is not None or response.status in {403, 429, 503},
    )


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value is not None else None
