"""A page being drawn: what the browser asks for is answered through the wire tap, or not at all.

The browser has no network (`crawler.fetch.chromium`). So the address guard, the limits of size and TLS are those of
every other request, each response is kept as it came, and the host is asked for one thing at a time. robots.txt holds
for what a page loads, too. Between the parts of one page there is no delay: they are one visit.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Route
from playwright.async_api import Request as Asked
from protego import Protego
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached

from crawler.fetch.robots import RobotsMiddleware, judge, origin_of
from crawler.records import CaptureKind, Exchange
from crawler.text.coding import DecodeError, unpacked
from crawler.text.urls import absolute, host_of, registered_domain

DRAW_SECONDS = 20.0
"""A page that is not quiet by then is taken as it is."""
QUIET_SECONDS = 0.5
"""So long nothing is asked for and nothing in the document changes: then a page is drawn."""
RESTLESS_SECONDS = 2.0
"""A document that never stops changing (a clock, a marquee) counts as quiet after so long without a request."""
MAX_LOADED = 60
"""Responses that one page may load."""
MAX_TIMES = 3
"""The same thing for one page; scripts that poll ask until somebody stops them."""
MAX_LOADED_BYTES = 32 * 1024 * 1024
MAX_KEPT_BYTES = 16 * 1024 * 1024
"""Scripts of a portal kept in memory: its pages share them, and they are asked for once a run."""
MAX_POSTED = 64 * 1024
"""Bytes."""
MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})

LOADABLE = frozenset({"script", "xhr", "fetch"})
"""What draws: neither pictures, fonts and styles, nor frames, beacons and streams."""
OURS = frozenset({"accept-encoding", "connection", "content-length", "cookie", "host"})
"""Request headers that are not the page's to say."""
PASSED_ON = (
    "Content-Type",
    "Content-Security-Policy",
    "Last-Modified",
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
)
"""Response headers that the browser gets to see."""

QUIET = """([quiet, restless]) => new Promise(done => {
    const wait = () => {
        let timer = setTimeout(done, quiet);
        setTimeout(done, restless);
        new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(done, quiet); })
            .observe(document, {childList: true, characterData: true, subtree: true});
    };
    document.readyState === "loading" ? addEventListener("DOMContentLoaded", wait) : wait();
})"""
"""Ends when the document was read and has not changed for a while."""


class LeftOut(Exception):  # noqa: N818 - says what happened
    """A page does not get what it asked for; the message is the reason in a word or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the browser is told."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)
    """Without content coding."""

    @classmethod
    def of(cls, response: Response) -> "Answer":
        """A response of the tap for the browser. Raises DecodeError."""
        said = {name: response.headers.get(name) for name in PASSED_ON}
        coding = response.headers.get("Content-Encoding")
        return cls(
            status=response.status,
            headers={name: value.decode("latin-1") for name, value in said.items() if value},
            body=unpacked(response.body, coding.decode("latin-1") if coding else None),
        )


STAY = Answer(status=204, headers={}, body=b"")
"""To a frame, and to a script that would go to another page: a refusal would show the browser's own error page."""


class Loader:
    """Loads for all pages of one portal, one thing after the other; *download* is the tap's."""

    def __init__(self, crawler: Crawler, download: Callable[[Request], Awaitable[Response]]) -> None:
        self._crawler = crawler
        self._download = download
        self._wire = asyncio.Lock()
        self._rules: dict[str, Protego | Exception] = {}
        self._scripts: dict[str, Answer] = {}
        self._kept = 0

    async def load(self, drawing: "Drawing", asked: Asked) -> Answer:
        """What comes of a request of a page. Raises LeftOut."""
        async with self._wire:
            kept = self._scripts.get(asked.url) if asked.resource_type == "script" else None
            return kept or await self._follow(drawing, asked)

    async def _follow(self, drawing: "Drawing", asked: Asked) -> Answer:
        """The answer at the end of the redirects."""
        headers = {name: value for name, value in asked.headers.items() if _is_the_pages(name)}
        request = Request(asked.url, method=asked.method, headers=headers, body=asked.post_data_buffer or b"")
        for _ in range(1 + MAX_REDIRECTS):
            drawing.permit(asked, request)
            await self._obey(drawing, request)
            response = await self._fetch(drawing, request, kind="other")
            target = _target(response)
            if target is None:
                return self._keep(asked, _answer(response))
            request = Request(target, headers=headers)  # a posted form is not sent elsewhere
        raise LeftOut("redirects")

    async def _obey(self, drawing: "Drawing", request: Request) -> None:
        """Raise LeftOut for what the robots.txt of its host forbids."""
        origin = origin_of(request)
        if origin not in self._rules:
            self._rules[origin] = self._known(request) or await self._ask(drawing, origin)
        rules = self._rules[origin]
        if isinstance(rules, LeftOut):
            raise rules
        token = self._crawler.settings["ROBOTSTXT_USER_AGENT"]
        if isinstance(rules, Exception) or not rules.can_fetch(request.url, token):
            raise LeftOut("robots.txt")

    def _known(self, request: Request) -> Protego | Exception | None:
        middleware = self._crawler.get_downloader_middleware(RobotsMiddleware)
        return middleware.known(request) if middleware else None

    async def _ask(self, drawing: "Drawing", origin: str) -> Protego | Exception:
        drawing.time_left()  # where there is none, nothing is learnt of the host
        try:
            return judge(await self._fetch(drawing, Request(f"{origin}/robots.txt"), kind="robots"))
        except LeftOut as reason:
            return reason

    async def _fetch(self, drawing: "Drawing", request: Request, *, kind: CaptureKind) -> Response:
        settings = self._crawler.settings
        request.headers.setdefault("User-Agent", settings["USER_AGENT"])
        request.headers["Accept-Encoding"] = "identity" if kind == "robots" else "gzip, deflate"
        request.meta["download_timeout"] = drawing.time_left()
        try:
            return await self._download(request)
        except Exception as error:
            raise LeftOut(type(error).__name__) from error
        finally:
            if "exchange" in request.meta:
                drawing.loaded.append((kind, request.meta["exchange"]))

    def _keep(self, asked: Asked, answer: Answer) -> Answer:
        is_kept = asked.resource_type == "script" and answer.status == 200
        if is_kept and self._kept + len(answer.body) <= MAX_KEPT_BYTES:
            self._kept += len(answer.body)
            self._scripts[asked.url] = answer
        return answer


class Drawing:
    """The drawing of one *document* of a portal on *hosts*."""

    def __init__(self, document: Answer, loader: Loader, hosts: Collection[str]) -> None:
        self._document = document
        self._loader = loader
        self._domains = {registered_domain(host) for host in hosts}
        self.loaded: list[tuple[CaptureKind, Exchange]] = []
        """What was loaded, in order, with the capture's kind."""
        self.left_out: Counter[str] = Counter()
        """What was not loaded, by reason."""
        self.is_quiet = False
        """Whether the page had come to rest when it was taken."""
        self.html: str | None = None
        """The page as it was drawn; None: it was not."""
        self.page: Page | None = None

    async def begin(self, page: Page, _request: Request) -> None:
        """Stand between *page* and the network; scrapy-playwright calls this again where the browser died."""
        self.page = page
        self._is_opened = False
        self._pending = 0
        self._times: Counter[tuple[str, str, bytes]] = Counter()
        self._ends_at = monotonic() + DRAW_SECONDS
        page.on("popup", _dismiss)
        await page.route("**/*", self._answer)

    async def take(self, page: Page) -> None:
        """Wait until the page is drawn, at most `DRAW_SECONDS`, and take it; a script that never ends keeps it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._ends_at - monotonic()):
                await self._come_to_rest(page)
        self._ends_at = 0.0
        self.html = await page.content()

    def time_left(self) -> float:
        """Seconds. Raises LeftOut where the time is over."""
        left = self._ends_at - monotonic()
        if left <= 0:
            raise LeftOut("time")
        return left

    def permit(self, asked: Asked, request: Request) -> None:
        """Raise LeftOut for what this page may not load: scripts from anywhere, everything else from its own domain."""
        address = urlparse_cached(request)
        if address.scheme not in {"http", "https"} or request.method not in {"GET", "POST"}:
            raise LeftOut(address.scheme if request.method == "GET" else request.method)
        is_plain_script = asked.resource_type == "script" and request.method == "GET"
        if not is_plain_script and registered_domain(host_of(request.url)) not in self._domains:
            raise LeftOut("foreign")
        if len(request.body) > MAX_POSTED:
            raise LeftOut("long form")
        self._times[request.method, request.url, request.body] += 1
        if self._times[request.method, request.url, request.body] > MAX_TIMES:
            raise LeftOut("again")
        size = sum(len(exchange.response) for _, exchange in self.loaded)
        if len(self.loaded) >= MAX_LOADED or size >= MAX_LOADED_BYTES:
            raise LeftOut("limit")

    async def _come_to_rest(self, page: Page) -> None:
        limits = [1000 * QUIET_SECONDS, 1000 * RESTLESS_SECONDS]
        while not self.is_quiet:
            before = len(self.loaded)
            await page.evaluate(QUIET, limits)
            self.is_quiet = self._pending == 0 and len(self.loaded) == before

    async def _answer(self, route: Route, asked: Asked) -> None:
        """Tell the browser what came of one of its requests."""
        try:
            answer = await self._find(asked)
        except LeftOut as reason:
            self.left_out[str(reason)] += 1
            answer = None
        with suppress(PlaywrightError):  # the page is closed already
            if answer is None:
                await route.abort()
            else:
                await route.fulfill(status=answer.status, headers=answer.headers, body=answer.body)

    async def _find(self, asked: Asked) -> Answer:
        if asked.is_navigation_request():
            if self._is_opened:
                self.left_out["frame or jump"] += 1
                return STAY
            self._is_opened = True
            return self._document
        if asked.resource_type not in LOADABLE:
            raise LeftOut(asked.resource_type)
        self._pending += 1
        try:
            return await self._loader.load(self, asked)
        finally:
            self._pending -= 1


async def _dismiss(popup: Page) -> None:
    with suppress(PlaywrightError):
        await popup.close()


def _is_the_pages(name: str) -> bool:
    return name not in OURS and not name.startswith(("sec-", "proxy-"))


def _target(response: Response) -> str | None:
    """Where a redirect leads; None for everything else."""
    location = response.headers.get("Location") if response.status in REDIRECTS else None
    return absolute(response.url, location.decode("latin-1")) if location else None


def _answer(response: Response) -> Answer:
    if "dataloss" in response.flags:
        raise LeftOut("cut short")
    try:
        return Answer.of(response)
    except DecodeError as error:
        raise LeftOut("undecodable") from error
