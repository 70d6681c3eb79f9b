"""One slot a host holds what it promises, counted at a real server."""

import asyncio
import contextlib
import time
from functools import cache
from itertools import pairwise

import pytest
from scrapy import Request, signals
from scrapy.core.downloader import Downloader

from crawler.catalogue import Portal
from crawler.fetch.downloader import PoliteDownloader
from crawler.fetch.session import Session
from crawler.fetch.tap import TapDownloadHandler
from tests.support.fetching import ask, in_reactor
from tests.support.wire import WireServer, page


class Slowed(PoliteDownloader):
    """Slows and pauses by the request's path, in place of the middlewares."""

    def __init__(self, crawler):
        super().__init__(crawler)
        crawler.signals.connect(self.treat, signal=signals.response_downloaded)

    def treat(self, request):
        match request.url.rsplit("/", 1)[1]:
            case "pause":
                self.pause(request, 0.5)
                self.pause(request, 0.01)
            case "slow":
                self.set_backoff(request, 0.2)
            case "well":
                self.set_backoff(request, 0.0)
            case "crawl-delay":
                self.set_delay(request, 0.15)
                self.set_delay(request, 0.05)


class SlowToConnect(TapDownloadHandler):
    """Its first request is on the wire 0.3 seconds after it was asked for."""

    async def download_request(self, request):
        if request.url.endswith("/first"):
            await asyncio.sleep(0.3)
        return await super().download_request(request)


async def most_at_once(downloader: str, limit: int, delay: float = 0.0) -> int:
    """Requests that the server holds at once, where it answers none before as many as the limit allows are there."""
    full = asyncio.Barrier(limit)
    async with WireServer(lambda _: [full, 0.02, page(b"x")]) as server:
        urls = [server.url(f"/{number}") for number in range(12)]
        await ask(*urls, DOWNLOADER=downloader, CONCURRENT_REQUESTS_PER_DOMAIN=limit, DOWNLOAD_DELAY=delay)
        assert len(server.heard) == 12
        return server.most_at_once


async def gaps(*names: str, **settings: object) -> list[float]:
    """Seconds between the arrivals of the requests."""
    arrived = []

    def script(_: str):
        arrived.append(time.monotonic())
        return [page(b"x")]

    async with WireServer(script) as server:
        await ask(
            *(Request(server.url(f"/{name}")) for name in names),
            **{"DOWNLOADER": f"{__name__}.Slowed", "DOWNLOAD_DELAY_JITTER": 0.5, **settings},
        )
    return [after - before for before, after in pairwise(arrived)]


class Lost(Session):
    """Of a process whose portal is another worker's."""

    mirror = None

    def __init__(self):
        """No archive, no evidence: nothing is fetched."""

    async def leave_to_ask(self, portal_id):
        await asyncio.sleep(0.15)  # as long as it was not known whose the portal is
        return False


async def ends_where_the_portal_is_lost() -> list[str | None]:
    portal = Portal(id="x", name="x", division="610000", homepage="http://127.0.0.1/", lists=("http://127.0.0.1/n/",))
    Session.current = Lost()
    try:
        async with WireServer(lambda _: [page(b"x")]) as server:
            urls = [server.url(f"/{number}") for number in range(3)]
            outcomes = await asyncio.wait_for(ask(*urls, portal=portal, DOWNLOAD_DELAY=0.05), 10)
            assert server.heard == []
            return [outcome.error for outcome in outcomes]
    finally:
        Session.current = None


class Doubtful(Lost):
    """Of a process that was not heard of for a while: it is its own mirror."""

    @property
    def mirror(self):
        return self

    async def leave_to_ask(self, portal_id):
        return True

    def is_unsafe(self, portal_id):
        return True


async def ends_what_is_on_the_wire_where_the_portal_may_be_lost() -> tuple[str | None, float]:
    portal = Portal(id="x", name="x", division="610000", homepage="http://127.0.0.1/", lists=("http://127.0.0.1/n/",))
    hung_up = asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionResetError):
            await reader.read()
        hung_up.set()
        writer.close()

    server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    Session.current = Doubtful()
    began = time.monotonic()
    try:
        url = "http://{}:{}/slow".format(*server.sockets[0].getsockname())
        [outcome] = await asyncio.wait_for(ask(url, portal=portal, DOWNLOAD_DELAY=0), 20)
        await asyncio.wait_for(hung_up.wait(), 5)
        return outcome.error, time.monotonic() - began
    finally:
        Session.current = None
        server.close()


async def trial():
    ours = f"{PoliteDownloader.__module__}.{PoliteDownloader.__name__}"
    stock = f"{Downloader.__module__}.{Downloader.__name__}"
    return {
        "ours, limit 1": await most_at_once(ours, 1),
        "ours, limit 3": await most_at_once(ours, 3),
        "ours, limit 1, delay": await most_at_once(ours, 1, 0.01),
        "stock, limit 1": await most_at_once(stock, 1),
        "lost": await ends_where_the_portal_is_lost(),
        "doubtful": await ends_what_is_on_the_wire_where_the_portal_may_be_lost(),
        "pause": await gaps("pause", *"abcdef"),
        "backoff": await gaps("slow", "next", "well", *"abcdef"),
        "crawl-delay": await gaps("crawl-delay", "slow", "next", "well", "after"),
        "slow to connect": await gaps(
            "first",
            "next",
            "after",
            DOWNLOAD_DELAY=0.4,
            DOWNLOAD_DELAY_JITTER=0,
            DOWNLOAD_HANDLERS={"http": f"{__name__}.SlowToConnect"},
        ),
    }


@cache
def found():
    return in_reactor(trial)


@pytest.mark.parametrize("limit", [1, 3])
def test_a_host_never_sees_more_requests_at_once_than_the_limit(limit):
    assert found()[f"ours, limit {limit}"] == limit


def test_the_limit_holds_with_a_delay_too():
    assert found()["ours, limit 1, delay"] == 1


def test_scrapys_own_downloader_still_breaks_the_limit():
    """When this fails, upstream holds its limit again: PoliteDownloader._wait_for_download can go."""
    assert found()["stock, limit 1"] > 1


def test_where_the_portal_is_another_worker_s_every_request_ends_without_being_sent():
    assert found()["lost"] == ["Dropped"] * 3


def test_a_pause_holds_the_next_request_back_and_a_shorter_one_does_not_end_it():
    first, *others = found()["pause"]
    assert first >= 0.49
    assert min(others) < 0.2


def test_a_backoff_spaces_requests_until_it_is_taken_back():
    spaced, also_spaced, _, *free = found()["backoff"]  # between them a timer that was set already runs out
    assert min(spaced, also_spaced) >= 0.2 * 0.5 - 0.02  # the jitter's lower end
    assert min(free) < 0.09


def test_the_delay_counts_from_when_a_request_was_sent():
    assert min(found()["slow to connect"]) > 0.39


def test_a_crawl_delay_is_never_undercut_by_jitter_or_by_recovery():
    assert min(found()["crawl-delay"]) >= 0.14


def test_an_answer_is_not_waited_for_where_another_worker_may_ask_in_a_moment():
    error, seconds = found()["doubtful"]
    assert error == "ConnectionLost"
    assert seconds < 5
