"""The durable frontier behind Scrapy's scheduler interface: the queue is a table beside the articles.

Memory holds a window of the portal's queue; the rest waits in the table. A request is done in the transaction that
stores what it brought (``Session.store``, ``Session.failed``), so one in flight at a crash is still queued.
"""

from collections import deque
from typing import Any, Self

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler

from crawler.archive.frontier import Queued
from crawler.archive.media import MEDIA
from crawler.fetch.session import Session
from crawler.records import Listed

FOLLOW_UPS = ("redirect_times", "retry_times", "jump_times", "is_probe", "is_turned")
"""Marks of requests that belong to one in flight, or to this run alone: they stay in memory."""
WINDOW = 256
"""Requests of a portal held in memory."""


class FrontierScheduler(BaseScheduler):
    """First in, first out; redirects and retries go ahead of the queue and stand under their first request's key.

    Files and pictures of articles come last and are not counted by ``--max-articles``. That they wait is told by the
    articles' own rows, so they stay in memory.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._again: deque[Request] = deque()
        self._window: deque[tuple[int, Request]] = deque()
        self._media: deque[Request] = deque()
        self._taken = 0
        self._seq = 0
        self._is_longer = False
        self._articles_left: float = float("inf")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """One a portal; all of a process share the session."""
        return cls(Session.of(crawler))

    def open(self, spider: Spider) -> None:
        """Find what earlier runs left queued or failed to get."""
        self._spider = spider
        self._portal_id: str = spider.portal.id  # type: ignore[attr-defined]
        self._session.sink.retry_failed(self._portal_id)
        self._seq = self._session.sink.max_seq(self._portal_id)
        self._is_longer = self._seq > 0
        self._articles_left = self._session.options.max_articles or float("inf")

    def enqueue_request(self, request: Request) -> bool:
        """Queue *request* durably; follow-ups of one in flight stay in memory under its key."""
        if any(request.meta.get(name) for name in FOLLOW_UPS):
            self._again.append(request)
            return True
        if request.meta["kind"] in MEDIA:
            self._media.append(request)
            return True
        if request.meta["kind"] == "article" and not self._session.is_unasked(self._portal_id, request.meta["key"]):
            return False  # a list was read while another one's requests, which are taken one by one, still came
        self._seq += 1
        self._session.sink.enqueue(to_row(request, portal_id=self._portal_id, seq=self._seq))
        if self._is_longer or len(self._window) >= WINDOW:
            self._is_longer = True
        else:
            self._window.append((self._seq, request))
        return True

    def next_request(self) -> Request | None:
        """The oldest request, from memory or from the table; at the limit of ``--max-articles`` only media."""
        if self._again:
            return self._again.popleft()
        if not self._has_more():
            return self._media.popleft() if self._has_media else None
        self._taken, request = self._window.popleft()
        if request.meta["kind"] == "article":
            self._articles_left -= 1
        return request

    def has_pending_requests(self) -> bool:
        """False also where only what is over the limit is left: that waits for the next run."""
        return bool(self._again) or self._has_more() or self._has_media

    def _has_more(self) -> bool:
        """Whether the portal is asked for more of its queue in this run; the rest of it waits for the next one."""
        if self._articles_left <= 0 or not self._is_willing:
            return False
        if not self._window and self._is_longer:
            self._refill()
        return bool(self._window)

    @property
    def _has_media(self) -> bool:
        return bool(self._media) and self._is_willing and not self._session.tally(self._portal_id).media.stopped

    @property
    def _is_willing(self) -> bool:
        return not self._session.tally(self._portal_id).is_over and self._session.broken is None

    def _refill(self) -> None:
        self._session.flush()
        rows = self._session.sink.next_queued(self._portal_id, after_seq=self._taken, limit=WINDOW)
        self._window.extend((row.seq, from_row(row, self._spider)) for row in rows)
        self._is_longer = len(rows) == WINDOW


def to_row(request: Request, *, portal_id: str, seq: int) -> Queued:
    """A request as a row: what a later process needs to make it again."""
    meta = dict(request.meta)
    listed: Listed | None = meta.get("listed")
    details: dict[str, Any] = {
        "callback": request.callback.__name__ if request.callback else "parse",
        "method": request.method,
        "number": meta.get("number"),
        "via": meta.get("via"),
        "state": meta.get("state"),
        "walk": meta.get("walk"),
        "listed": [listed.title, listed.published] if listed else None,
        "headers": {key.decode("latin-1"): (request.headers[key] or b"").decode("latin-1") for key in request.headers},
        "body": request.body.decode("latin-1"),
    }
    return Queued(
        portal_id=portal_id,
        key=meta["key"],
        seq=seq,
        url=request.url,
        kind=meta["kind"],
        request={name: value for name, value in details.items() if value not in (None, {}, "", "GET")},
    )


def from_row(row: Queued, spider: Spider) -> Request:
    """The request that ``to_row`` wrote down."""
    details = row.request
    meta: dict[str, Any] = {"kind": row.kind, "key": row.key, "portal": row.portal_id}
    meta |= {name: details[name] for name in ("number", "via", "state", "walk") if name in details}
    if "listed" in details:
        title, published = details["listed"]
        meta["listed"] = Listed(title=title, published=published)
    return Request(
        row.url,
        callback=getattr(spider, details["callback"]),
        errback=spider.on_error,  # type: ignore[attr-defined]
        method=details.get("method", "GET"),
        headers=details.get("headers"),
        body=details.get("body", "").encode("latin-1"),
        meta=meta,
    )
