"""Trials with Scrapy's own parts: a coroutine of a test module runs in a fresh process under uvloop's reactor."""

import importlib
import pickle
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerRunner
from scrapy.http import Response
from scrapy.utils.reactor import install_reactor
from twisted.python.failure import Failure

from crawler.catalogue import Portal
from crawler.fetch.tap import DOWNLOAD_HANDLERS
from crawler.records import Exchange

T = TypeVar("T")
ROOT = Path(__file__).parent.parent.parent
SETTINGS: dict[str, Any] = {
    "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
    "ASYNCIO_EVENT_LOOP": "uvloop.Loop",
    "DOWNLOADER": "crawler.fetch.downloader.PoliteDownloader",
    "DOWNLOAD_HANDLERS": DOWNLOAD_HANDLERS,
    "DOWNLOADER_MIDDLEWARES_BASE": {},
    "SPIDER_MIDDLEWARES_BASE": {},
    "EXTENSIONS_BASE": {},
    "TELNETCONSOLE_ENABLED": False,
    "REMOTE_CONTROL_ENABLED": False,
    "DOWNLOAD_FAIL_ON_DATALOSS": False,
    "DOWNLOAD_DELAY": 0,
    "DOWNLOAD_TIMEOUT": 5,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
    "ROBOTSTXT_USER_AGENT": "Xianzhi",
    "USER_AGENT": "Xianzhi/0.1",
    "ALLOW_NETWORKS": ["127.0.0.0/8"],
}


@dataclass(kw_only=True)
class Outcome:
    """What a spider got for one request."""

    asked: str
    url: str
    status: int | None = None
    body: bytes = b""
    flags: tuple[str, ...] = ()
    error: str | None = None
    words: str = ""
    exchange: Exchange | None = None
    interim: bytes = b""
    retry_times: int = 0
    delay: float = 0.0
    """Of the host's slot, when the outcome arrived."""


class Asker(Spider):
    """Asks for a list of requests and notes what comes."""

    name = "asker"

    def __init__(self, requests: Sequence[Request], outcomes: list[Outcome], portal: Portal | None = None) -> None:
        super().__init__()
        self.requests = requests
        self.outcomes = outcomes
        self.portal = portal

    async def start(self) -> AsyncIterator[Request]:
        for number, request in enumerate(self.requests):
            meta = {**request.meta, "asked": request.url}
            yield request.replace(
                callback=self.came, errback=self.failed, meta=meta, priority=-number, dont_filter=True
            )

    def came(self, response: Response) -> None:
        assert response.request is not None
        outcome = self._note(response.request)
        outcome.status, outcome.body, outcome.flags = response.status, response.body, tuple(response.flags)

    def failed(self, failure: Failure) -> None:
        outcome = self._note(failure.request)  # type: ignore[attr-defined]
        outcome.error, outcome.words = type(failure.value).__name__, str(failure.value)

    def _note(self, request: Request) -> Outcome:
        assert self.crawler.engine is not None
        outcome = Outcome(
            asked=request.meta["asked"],
            url=request.url,
            exchange=request.meta.get("exchange"),
            interim=request.meta.get("interim", b""),
            retry_times=request.meta.get("retry_times", 0),
            delay=self.crawler.engine.downloader._get_slot(request)[1].delay,
        )
        self.outcomes.append(outcome)
        return outcome


async def ask(*requests: Request | str, portal: Portal | None = None, **settings: Any) -> list[Outcome]:
    """Crawl *requests* in order, as a spider of *portal*; what came, in the order in which it came."""
    outcomes: list[Outcome] = []
    wanted = [Request(request) if isinstance(request, str) else request for request in requests]
    await AsyncCrawlerRunner({**SETTINGS, **settings}).crawl(Asker, requests=wanted, outcomes=outcomes, portal=portal)
    return outcomes


def in_reactor(trial: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What *trial*, a coroutine function at the top of a test module, returns in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result"
        command = [sys.executable, "-W", "error", "-m", __name__, trial.__module__, trial.__qualname__, str(result)]
        process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
        assert process.returncode == 0, process.stderr
        value: T = pickle.loads(result.read_bytes())
        return value


def main(module: str, name: str, result: str) -> None:
    """The child's life."""
    install_reactor(SETTINGS["TWISTED_REACTOR"], SETTINGS["ASYNCIO_EVENT_LOOP"])

    from scrapy.utils.defer import deferred_from_coro
    from twisted.internet import reactor as installed

    reactor: Any = installed
    trial = getattr(importlib.import_module(module), name)
    ended: list[Any] = []
    deferred = deferred_from_coro(trial())
    deferred.addBoth(ended.append)
    deferred.addBoth(lambda _: reactor.stop())
    reactor.run()
    if isinstance(ended[0], Failure):
        ended[0].raiseException()
    Path(result).write_bytes(pickle.dumps(ended[0]))


if __name__ == "__main__":
    main(*sys.argv[1:])
