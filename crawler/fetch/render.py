"""Pages drawn by scripts: the tap brings the document, scrapy-playwright and the system's Chromium draw it.

Only the handler of portals with ``render = true`` is here (`crawler.fetch.chromium.rendering_settings`); for all others
nothing of this is imported.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import HtmlResponse, Response
from scrapy_playwright.handler import Config, ScrapyPlaywrightDownloadHandler
from scrapy_playwright.page import PageMethod

from crawler.fetch.challenge import is_walled
from crawler.fetch.chromium import VIEWPORT, context_options
from crawler.fetch.drawing import DRAW_SECONDS, Answer, Drawing, Loader
from crawler.fetch.tap import TapDownloadHandler
from crawler.records import Rendering
from crawler.text.coding import DecodeError
from crawler.text.decoding import decode_page
from crawler.text.urls import host_of

DRAWN = frozenset({"article", "list"})
"""Kinds of captures that are drawn; feeds, sitemaps, robots.txt and attachments are as they came."""
CONDITIONS = ("If-None-Match", "If-Modified-Since")
GRACE_SECONDS = 15.0
"""For starting the browser and for what a page's own script may block, beyond `DRAW_SECONDS`."""
CLOSE_SECONDS = 5.0
MAX_WORDS = 200
"""Characters of what Playwright says of a failure."""
PAGES_AT_ONCE = 4
"""In one process; each takes some 100 MB."""
MAX_DRAWN = 32 * 1024 * 1024
"""Bytes of a drawn page, as of one that is fetched."""
HEAD_BYTES = 16_384
MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<")
DOCUMENT = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
"""In the beginning of a document: not of JSON or a fragment that is labelled as one."""
SCRIPT = re.compile(rb"<script|\son[a-z]+\s*=", re.IGNORECASE)
"""Without any, a page is what it came as."""
CONTENT_TYPE = "text/html; charset=utf-8"
LABELS = {"big5hkscs": "big5-hkscs"}
"""Codecs whose name in Python browsers don't know (https://encoding.spec.whatwg.org/#names-and-labels)."""
TOOLS = ("scrapy-playwright", "playwright")

logging.getLogger("scrapy-playwright").setLevel(logging.ERROR)  # a page that fails is said by the spider


class RenderingFailed(Exception):  # noqa: N818 - says what happened
    """The browser could not draw a page; the message says why."""


@dataclass(slots=True)
class _Shared:
    """What the portals of a process share."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    pages: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PAGES_AT_ONCE))
    users: int = 0
    driver: Playwright | None = None
    browser: Browser | None = None


_shared = _Shared()


class SharedBrowser:
    """scrapy-playwright's browser provider with one browser a process, started by the first portal that draws.

    It ends with the last one. Where the process is killed, Playwright's driver sees its pipe end and ends the browser.
    """

    def __init__(self, config: Config) -> None:
        self._options = config.launch_options

    async def start(self) -> None:
        """A portal may draw from now on."""
        _shared.users += 1

    async def launch_browser(self) -> Browser:
        """The process's browser; another one, and another driver, where it died."""
        async with _shared.lock:
            if _shared.browser is None or not _shared.browser.is_connected():
                await _end_shared()
                _shared.driver = await async_playwright().start()
                _shared.browser = await _shared.driver.chromium.launch(**self._options)
            return _shared.browser

    async def launch_persistent_context(self, context_kwargs: dict[str, Any]) -> BrowserContext:
        """Nothing is remembered between portals."""
        raise NotImplementedError

    async def close(self) -> None:
        """A portal has ended."""
        async with _shared.lock:
            _shared.users -= 1
            if not _shared.users:
                await _end_shared()


async def _end_shared() -> None:
    driver, browser = _shared.driver, _shared.browser
    _shared.driver = _shared.browser = None
    if browser is not None:
        await _bounded(browser.close())
    if driver is not None:
        await _bounded(driver.stop())


async def _bounded(ending: Awaitable[object]) -> bool:
    """Wait a little for the end of something that may be dead already; whether it ended."""
    try:
        await asyncio.wait_for(ending, CLOSE_SECONDS)
    except (PlaywrightError, TimeoutError):
        return False
    return True


class RenderDownloadHandler(ScrapyPlaywrightDownloadHandler, TapDownloadHandler):  # type: ignore[misc] # untyped
    """Downloads as the tap does; a whole HTML page of a list or an article is then drawn by the browser.

    The response then has the drawn document as its body, UTF-8. ``request.meta`` holds, beside the document's
    ``exchange``, the ``rendering`` and as ``loaded`` the exchanges of what the page loaded (pairs of the capture's kind
    and an Exchange). Other answers (redirects, errors, bot walls, JSON) stay as they came.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._loader = Loader(crawler, lambda request: TapDownloadHandler.download_request(self, request))

    async def download_request(self, request: Request) -> Response:
        """Download and draw. Raises what the tap raises, and RenderingFailed."""
        request.meta.pop("rendering", None)
        request.meta.pop("loaded", None)
        if request.meta.get("playwright"):
            return await super().download_request(request)
        is_drawn = request.meta.get("kind") in DRAWN or request.meta.get("is_probe")
        for name in CONDITIONS if is_drawn else ():  # under an unchanged document its scripts may load something new
            request.headers.pop(name, None)
        response = await TapDownloadHandler.download_request(self, request)
        portal = getattr(self._crawler.spider, "portal", None)
        document = _document(response, hint=portal and portal.encoding) if is_drawn else None
        return await self._draw(request, document) if document else response

    async def _draw(self, request: Request, document: Answer) -> Response:
        hosts: frozenset[str] = getattr(self._crawler.spider, "hosts", frozenset())
        drawing = Drawing(document, self._loader, {host_of(request.url), *hosts})
        request.meta["loaded"] = drawing.loaded
        words = await self._open(request.url, drawing)
        if drawing.html is None:
            raise RenderingFailed(f"the browser could not draw the page: {words}")
        html = drawing.html.encode("utf-8", "replace")
        if len(html) > MAX_DRAWN:
            raise RenderingFailed(f"the browser drew {len(html):,} bytes, and more than {MAX_DRAWN:,} are not taken")
        request.meta["rendering"] = Rendering(
            url=request.url, drawn_at=datetime.now(UTC), html=html, facts=tuple(self._facts(drawing).items())
        )
        return HtmlResponse(
            request.url, body=html, headers={"Content-Type": CONTENT_TYPE}, encoding="utf-8", request=request
        )

    async def _open(self, url: str, drawing: Drawing) -> str:
        """Let the browser open *url*; why it failed, where it did."""
        request = Request(
            url,
            meta={
                "playwright": True,
                "playwright_context_kwargs": context_options(self._crawler.settings),
                "playwright_page_init_callback": drawing.begin,
                "playwright_page_goto_kwargs": {"wait_until": "commit", "timeout": 1000 * GRACE_SECONDS},
                "playwright_page_methods": [PageMethod(drawing.take)],
            },
        )
        try:
            async with _shared.pages, asyncio.timeout(DRAW_SECONDS + GRACE_SECONDS):
                await self.download_request(request)
        except PlaywrightError as error:
            return " ".join(error.message.split())[:MAX_WORDS]
        except TimeoutError:
            if drawing.page is None or not await _bounded(drawing.page.close()):
                await self._let_go()
            return "it took too long"
        return ""

    async def _let_go(self) -> None:
        """Forget a browser that does not answer; the next page starts another one."""
        self.context_wrappers.clear()
        if hasattr(self, "browser"):
            self.browser.remove_listener("disconnected", self._browser_disconnected_callback)
            if _shared.browser is self.browser:
                await _end_shared()
            del self.browser

    async def _close(self) -> None:
        """End this portal's context; the browser is the process's."""
        for wrapper in list(self.context_wrappers.values()):
            await _bounded(wrapper.context.close())
        if hasattr(self, "browser_provider"):  # the engine had started
            await self.browser_provider.close()

    def _facts(self, drawing: Drawing) -> dict[str, str]:
        """For the page's ``metadata`` record."""
        return {
            "rendered-by": f"Chromium {self.browser.version}",
            "rendered-with": ", ".join(f"{name} {version(name)}" for name in TOOLS),
            "viewport": f"{VIEWPORT['width']}x{VIEWPORT['height']}",
            "at-rest": "yes" if drawing.is_quiet else f"no, taken after {DRAW_SECONDS:.0f} seconds",
            "loaded": str(len(drawing.loaded)),
            "left-out": ", ".join(f"{count} {reason}" for reason, count in drawing.left_out.items()) or "nothing",
        }


def _document(response: Response, *, hint: str | None) -> Answer | None:
    """A response as the document that the browser draws; None where there is nothing to draw."""
    content_type = (response.headers.get("Content-Type") or b"text/html").decode("latin-1")
    if response.status != 200 or "dataloss" in response.flags or "html" not in content_type.lower():
        return None
    try:
        answer = Answer.of(response)
        decoded = decode_page(answer.body, content_type=content_type, hint=hint)
    except DecodeError:
        return None
    is_document = MARKUP.match(answer.body) and DOCUMENT.search(answer.body[:HEAD_BYTES])
    if not is_document or not SCRIPT.search(answer.body) or is_walled(answer.body):
        return None
    # Without a declared charset Chromium takes Chinese for Latin; what a label says may be wrong.
    charset = LABELS.get(decoded.encoding, decoded.encoding)
    return replace(answer, headers={**answer.headers, "Content-Type": f"text/html; charset={charset}"})
