"""Scrapy's downloader with the politeness that it promises: one slot a host, its limit, its delay, its pauses."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Self

from scrapy import Request, signals
from scrapy.core.downloader import Downloader, Slot
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.utils.asyncio import call_later
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost

from crawler.fetch.errors import Dropped
from crawler.fetch.session import Session

DROPPED = "another worker has the portal now"
STOPPED = "stopped before it was asked for"
CUT_OFF = "cut off: this worker may have been taken for dead"
LOOK_SECONDS = 0.5
"""Between two looks whether an answer may still be waited for."""


class PoliteDownloader(Downloader):
    """Holds ``CONCURRENT_REQUESTS_PER_DOMAIN``; a slot can be slowed down and paused.

    A slot's delay is the larger of what politeness asks (``set_delay``) and what the host's health asks
    (``set_backoff``). It counts from when a request was sent: looking up a name, connecting, or a busy process may take
    longer than the delay. Slots live as long as the crawler, so that nothing is forgotten over a quiet minute.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._polite: dict[str, float] = {}
        self._backoff: dict[str, float] = {}
        self._resume: dict[str, float] = {}
        crawler.signals.connect(self._count_from_sending, signal=signals.response_downloaded)

    @classmethod
    def of(cls, crawler: Crawler) -> Self:
        """The downloader of a running crawler. Raises TypeError where the setting DOWNLOADER names another."""
        downloader = crawler.engine.downloader if crawler.engine else None
        if not isinstance(downloader, cls):
            raise TypeError(f"DOWNLOADER is {type(downloader).__name__}, not {cls.__name__}")
        return downloader

    def set_delay(self, request: Request, seconds: float) -> None:
        """Keep at least *seconds* between two requests to the host of *request*: its Crawl-delay.

        Without jitter, which would go below what was asked. A longer delay that is set already stays.
        """
        key, slot = self._get_slot(request)
        if seconds > self._polite.setdefault(key, slot.delay):
            self._polite[key] = seconds
            slot.jitter = 0.0
            self._apply(key, slot)

    def set_backoff(self, request: Request, seconds: float) -> None:
        """Keep at least *seconds* between two requests to an unwell host; 0 ends it."""
        key, slot = self._get_slot(request)
        self._polite.setdefault(key, slot.delay)
        self._backoff[key] = seconds
        self._apply(key, slot)

    def backoff(self, request: Request) -> float:
        """What ``set_backoff`` set for the host of *request*, in seconds; 0 for a host that is well."""
        return self._backoff.get(self.get_slot_key(request), 0.0)

    def delay(self, request: Request) -> float:
        """Seconds between two requests to the host of *request* now, before jitter."""
        return self._get_slot(request)[1].delay

    def pause(self, request: Request, seconds: float) -> None:
        """Start no request to the host of *request* for *seconds* from now; a longer pause that runs already stays."""
        key, slot = self._get_slot(request)
        resume = monotonic() + seconds
        if resume <= self._resume.get(key, 0.0):
            return
        self._resume[key] = resume
        slot.close()
        slot.latercall = call_later(seconds, self._latercall, slot)

    def drop_waiting(self) -> None:
        """End the requests that wait for their turn, as a crawl that stops would wait a Crawl-delay for them."""
        for slot in self.slots.values():
            while slot.queue:
                slot.queue.popleft()[1].errback(Dropped(STOPPED))

    def _apply(self, key: str, slot: Slot) -> None:
        slot.delay = max(self._polite[key], self._backoff.get(key, 0.0))

    def _count_from_sending(self, request: Request) -> None:
        """Scrapy counts a slot's delay from when it took a request from the queue (2.19)."""
        exchange = request.meta.get("exchange")
        if exchange is not None:
            slot = self._get_slot(request)[1]
            ago = (datetime.now(UTC) - exchange.started_at).total_seconds()
            slot.lastseen = max(slot.lastseen, monotonic() - max(ago, 0.0))

    def _wait_for_download(
        self, slot: Slot, request: Request, queue_dfd: Deferred[Response]
    ) -> Coroutine[Any, Any, None]:
        # The coroutine runs as a task a turn later. Without the mark the queue sees a free slot until then and, at
        # delay 0, sends everything at once (Scrapy 2.14 to 2.19).
        slot.transferring.add(request)
        return super()._wait_for_download(slot, request, queue_dfd)

    async def _download(self, slot: Slot, request: Request) -> Response:
        session, portal = Session.current, getattr(self.crawler.spider, "portal", None)
        if session is not None and portal is not None and not await session.leave_to_ask(portal.id):
            slot.transferring.discard(request)
            self._process_queue(slot)  # the request behind it has to end, too, before the crawl can
            raise Dropped(DROPPED)
        mirror = session.mirror if session is not None else None
        if mirror is None or portal is None:
            return await super()._download(slot, request)
        return await _unless(lambda: mirror.is_unsafe(portal.id), super()._download(slot, request))

    def _start_slot_gc(self) -> None:
        """Keep every slot: a crawler asks one portal's hosts."""


async def _unless(is_unsafe: Callable[[], bool], answering: Coroutine[Any, Any, Response]) -> Response:
    """The answer; once *is_unsafe*, its connection is cut, and ConnectionLost raised: it may be tried again."""
    task = asyncio.ensure_future(answering)
    try:
        while not (await asyncio.wait({task}, timeout=LOOK_SECONDS))[0]:
            if is_unsafe():
                task.cancel()
    except asyncio.CancelledError:
        task.cancel()
        raise
    if task.cancelled():
        raise ConnectionLost(CUT_OFF)
    return task.result()
