"""What one worker process shares between its portals: options, tallies, and the sink into the archive."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from crawler.archive.batch import ArticleState, Fetched, Observation
from crawler.archive.looks import Known
from crawler.archive.media import MEDIA, Linked
from crawler.archive.sink import Sink
from crawler.catalogue import Portal
from crawler.fetch.challenge import STATUSES as CHALLENGE_STATUSES
from crawler.fetch.expectations import judge
from crawler.fetch.hosts import Hosts
from crawler.fetch.options import Options
from crawler.fetch.statuses import OVERLOAD_STATUSES
from crawler.fetch.tally import Tally
from crawler.fetch.vanishing import Missed, Vanishing
from crawler.records import Article, Capture, CaptureKind, Exchange, MediaKind, RecordRef, Rendering
from crawler.version import USER_AGENT
from crawler.warc.files import WarcError

if TYPE_CHECKING:
    from crawler.fetch.mirror import Mirror

LISTS = frozenset({"list", "feed"})
"""Kinds of captures without which a portal's news is not found: one that fails fails its portal."""
BATCH = 100
"""Results stored in one transaction (38,000 rows/s in batches, 9,300 one at a time)."""
BATCH_SECONDS = 1.0
INFO = {
    "robots": "obey",
    "http-header-user-agent": USER_AGENT,
    "description": "Nightly crawl of local-government news; responses exactly as on the wire",
}
"""What each WARC file says of how it came to be."""

log = logging.getLogger(__name__)


class Session:
    """The process's one session; ``Session.of`` gives it to every component that Scrapy builds."""

    current: "Session | None" = None
    """The one that is open in this process."""

    def __init__(self, options: Options, sink: Sink, mirror: "Mirror | None" = None) -> None:
        self.options = options
        self.sink = sink
        self.mirror = mirror
        """Of a worker of a crawl on several hosts."""
        self.hosts = Hosts(sink)
        self.broken: str | None = None
        """Why nothing can be stored any more (a full disk); None while all is well."""
        self._portals: dict[str, Portal] = {}
        self._tallies: dict[str, Tally] = {}
        self._vanishings: dict[str, Vanishing] = {}
        self._shown: dict[str, tuple[int, ...]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def open(cls, options: Options, *, run_id: str) -> "Session":
        """Open the archive for this process."""
        mirror = None
        if options.lease is not None:
            from crawler.fetch.mirror import Mirror  # noqa: PLC0415 - needs a package that other crawls do not

            mirror = Mirror(options.lease)
        sink = Sink(
            db=options.db,
            warc=options.warc,
            run_id=run_id,
            info=INFO,
            twin=mirror,
            first_serial=options.first_serial,
            max_age=timedelta.max if options.segment_seconds is None else timedelta(seconds=options.segment_seconds),
        )
        cls.current = cls(options, sink, mirror)
        return cls.current

    @classmethod
    def of(cls, crawler: Crawler) -> "Session":
        """The process's session. Raises NotConfigured where none was opened."""
        if cls.current is None:
            raise NotConfigured("no archive is open: start crawls with xianzhi crawl")
        return cls.current

    # Portals.

    def begin(self, portal: Portal) -> None:
        """A portal starts."""
        self._portals[portal.id] = portal
        self._tallies[portal.id] = Tally()
        self._vanishings[portal.id] = Vanishing()

    def learn(self, portal: Portal) -> None:
        """Take the entry of a portal that has begun, with what was found out about it."""
        self._portals[portal.id] = portal

    def portal(self, portal_id: str) -> Portal:
        """The catalogue's entry of a portal that has begun."""
        return self._portals[portal_id]

    def tally(self, portal_id: str) -> Tally:
        """The portal's counters in this run."""
        return self._tallies[portal_id]

    def vanishing(self, portal_id: str) -> Vanishing:
        """What the portal did not answer as it did before, in this run."""
        return self._vanishings[portal_id]

    def moved(self) -> dict[str, Tally]:
        """The tallies that changed since the last call."""
        now = {name: tally.counts() for name, tally in self._tallies.items()}
        moved = {name: self._tallies[name] for name, counts in now.items() if self._shown.get(name) != counts}
        self._shown = now
        return moved

    def finish(self, portal_id: str) -> None:
        """A portal has ended: store what is left of it, judge what came, and close its WARC file."""
        self.flush()
        tally = self.tally(portal_id)
        if tally.verdict()[0] == "ok" and not self.broken:
            is_cut_short = self.options.max_articles is not None and self.queued(portal_id, limit=1) > 0
            tally.below = judge(self.portal(portal_id), tally.seen, self.sink, self.options, is_cut_short=is_cut_short)
        self.sink.close_warc(portal_id)
        self._shown.pop(portal_id, None)

    # Whose portals these are.

    async def leave_to_ask(self, portal_id: str) -> bool:
        """Wait until a request may be sent to the portal; False where another worker has it by now."""
        return self.mirror is None or await self.mirror.leave(portal_id)

    def is_lost(self, portal_id: str) -> bool:
        """Whether another worker has the portal by now."""
        return self.mirror is not None and self.mirror.is_lost(portal_id)

    # The frontier.

    def unseen(self, portal_id: str, by_key: dict[str, Any]) -> dict[str, Any]:
        """Of addresses (by key), those that this run should fetch: never seen, or under ``--full`` not yet tonight."""
        seen = self.sink.seen(portal_id, by_key.keys(), tonight_only=self.options.full)
        return {key: value for key, value in by_key.items() if key not in seen}

    def is_unasked(self, portal_id: str, key: str) -> bool:
        """Whether a page was not asked for in this run yet: a pager that turns in circles ends here."""
        return not self.sink.seen(portal_id, [key], tonight_only=True)

    def queued(self, portal_id: str, *, limit: int) -> int:
        """How many requests of the portal are queued, counted up to *limit*."""
        self.flush()  # what was asked or answered a moment ago is not stored yet
        return len(self.sink.next_queued(portal_id, after_seq=0, limit=limit))

    def validators(self, portal_id: str, url: str) -> dict[str, str]:
        """Headers that make a request conditional, from the last capture of an article."""
        return self.sink.validators(portal_id, url)

    # Known articles.

    def looks(self, portal_id: str, *, after: str, limit: int) -> list[Known]:
        """Known articles that this run should look at again: what is due, or under ``--full`` all of them."""
        self.flush()
        return self.sink.due(portal_id, everything=self.options.full, after=after, limit=limit)

    def controls(self, portal_id: str) -> list[Known]:
        """Further articles to look at, so that the missed ones can be judged; none where they need no more."""
        self.flush()
        needed = self.vanishing(portal_id).controls_needed(self._looked(portal_id))
        found = self.sink.newest(portal_id, limit=needed) if needed else []
        return found if len(found) == needed else []

    def settle(self, portal_id: str) -> None:
        """Write what became of the portal's missed articles, or why nothing is said of them."""
        self.flush()
        tally, verdict = self.tally(portal_id), self.vanishing(portal_id).verdict(self._looked(portal_id))
        for missed in verdict.gone:
            self._observe(missed.capture, missed.url, "gone")
            self.sink.done(missed.capture)
            tally.gone += 1
        for missed in verdict.moved:
            self._observe(missed.capture, missed.url, "redirected", redirect_to=missed.final_url)
            self.sink.done(missed.capture)
        for missed, reason in verdict.unclear:
            self.sink.failed(portal_id, missed.url, reason)
            tally.fail(missed.url, reason, is_list=False)
        tally.doubt = tally.doubt or verdict.doubt
        self._vanishings[portal_id] = Vanishing()
        self.flush()

    def miss(self, capture: Capture, final_url: str, article: Article | None = None) -> bool:
        """Keep for the verdict what answered under a known article's address; False where there is no such article.

        Its request stays queued until then. *article*: what came under status 200; None for 404 and 410.
        """
        url = capture.key
        state = self.sink.state_of(capture.portal_id, url) if url else None
        if url is None or state is None:
            return False
        self.sink.add_capture(capture)
        if state == "gone" and (article is None or article.kind != "article"):  # as it was found before
            self.sink.done(capture)
        else:
            missed = Missed(url=url, capture=capture, article=article, final_url=final_url)
            self.vanishing(capture.portal_id).add(missed)
        self._after_add()
        return True

    def store_probe(self, capture: Capture, article: Article | None) -> None:
        """Queue what an address that cannot exist brought: a page under status 200, or None for an honest error."""
        self.sink.add_capture(capture)
        self.vanishing(capture.portal_id).answered(capture.key or "", article)
        self._after_add()

    # Files and pictures of articles.

    def wants_media(self, portal_id: str) -> bool:
        """Whether the portal's files and pictures are fetched in this run."""
        return self.options.media or self.portal(portal_id).media

    def media_due(self, portal_id: str, kind: MediaKind, *, before: tuple[str, str], limit: int) -> list[Linked]:
        """The next files or pictures that this run should ask for, on whatever host."""
        self.flush()
        return self.sink.media_due(portal_id, kind, before=before, limit=limit)

    # What came.

    def record(self, exchange: Exchange, *, portal_id: str, meta: Mapping[str, Any]) -> Capture:
        """Write an exchange to the portal's WARC file; *meta* is its request's."""
        with self._evidence():
            capture = self.sink.record(exchange, portal_id=portal_id, **_of_request(meta))
        self.tally(portal_id).fetched += 1
        self.tally(portal_id).received += len(exchange.response)
        if capture.kind in MEDIA:
            self.tally(portal_id).media.answers += 1
        return capture

    def record_rendering(
        self, rendering: Rendering, document: RecordRef, *, portal_id: str, meta: Mapping[str, Any]
    ) -> Capture:
        """Write a page as it was drawn from the record *document*; *meta* is its request's."""
        with self._evidence():
            capture = self.sink.record_rendering(rendering, document, portal_id=portal_id, **_of_request(meta))
        self.tally(portal_id).fetched += 1
        return capture

    def record_loaded(self, exchange: Exchange, *, portal_id: str, kind: CaptureKind, via: str | None) -> Capture:
        """Write what was loaded to draw a page, and queue its row; it does not count as a page of the run."""
        with self._evidence():
            capture = self.sink.record(exchange, portal_id=portal_id, kind=kind, via=via)
        self.tally(portal_id).received += len(exchange.response)
        self.sink.add_capture(capture)
        return capture

    @contextmanager
    def _evidence(self) -> Iterator[None]:
        try:
            yield
        except WarcError as error:
            self.broken = self.broken or f"the evidence cannot be written: {error}"
            raise

    def store_article(self, article: Article, url: str) -> None:
        """Queue an article page's rows, its request's end included.

        Where it came under the address of another known article, that one's verdict, and its request's end, wait.
        """
        self.sink.add_article(article, url)
        portal_id = article.capture.portal_id
        self.tally(portal_id).seen.see_article(article, self.portal(portal_id).expect.filled)
        if article.capture.key in (None, url) or not self.miss(article.capture, url, article):
            self.sink.done(article.capture)
        self._after_add()

    def store_unchanged(self, capture: Capture, url: str) -> None:
        """Queue a 304: the known article at *url* answered as before."""
        self.sink.add_capture(capture)
        self._observe(capture, url, "live")
        self.sink.done(capture)
        self.tally(capture.portal_id).unchanged += 1
        self._after_add()

    def store_capture(
        self, capture: Capture, *, encoding: str | None = None, basis: str | None = None, note: str | None = None
    ) -> None:
        """Queue a capture's row and, where a request asked for it, the request's end; *note* stays with the request."""
        self.sink.add_capture(capture, encoding=encoding, encoding_basis=basis)
        self.sink.done(capture, note=note)
        self._after_add()

    def store_media(self, operation: Fetched, capture: Capture | None = None) -> None:
        """Queue what became of a file or picture of an article: the row of its capture, and where that belongs."""
        if capture is not None:
            self.sink.add_capture(capture)
        self.sink.fetched(operation)
        self._after_add()

    def store_failure(self, capture: Capture, reason: str) -> None:
        """Queue the row of a capture that is not what was asked for."""
        self.sink.add_capture(capture)
        if capture.key is not None:
            self.sink.failed(capture.portal_id, capture.key, reason)
        tally = self.tally(capture.portal_id)
        tally.fail(capture.url, reason, is_list=capture.kind in LISTS)
        if capture.status in CHALLENGE_STATUSES:
            self._block(capture, reason)
        elif capture.status in OVERLOAD_STATUSES:
            tally.block(f"{capture.url} {reason}")  # a host that says no all night is left alone until the next one
        self._after_add()

    def store_stranger(self, capture: Capture, reason: str) -> None:
        """Queue the row of a list page that is not the portal's: nothing of it is stored or asked for any more tonight.

        *reason*: how the page contradicts the catalogue.
        """
        self.tally(capture.portal_id).raise_alarm(capture.url, reason)
        self.store_failure(capture, reason)

    def store_wall(self, capture: Capture, reason: str) -> None:
        """Queue the row of a bot wall's answer: never a text, and the portal is asked for nothing more tonight."""
        self.store_failure(capture, reason)
        self._block(capture, reason)

    def failed(self, portal_id: str, request: Request, reason: str, *, is_ours: bool = False) -> None:
        """A request brought nothing. *is_ours*: we chose not to make it, which is no failure of the portal's."""
        if self.broken or self.is_lost(portal_id):  # the fault is not the portal's: it stays queued
            return
        key = request.meta.get("key")
        if key is not None:
            self.sink.failed(portal_id, key, reason)
        if not is_ours or request.meta.get("kind") in LISTS:
            self.tally(portal_id).unanswered += 1
            self.tally(portal_id).fail(request.url, reason, is_list=request.meta.get("kind") in LISTS)
        self._after_add()

    def flush(self) -> None:
        """Store what has gathered, in one transaction, after the WARC bytes it points at."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            written = self.sink.flush()
        except Exception as error:  # tried again with the next batch, and at the end
            self.broken = self.broken or f"the archive cannot be written: {error}"
            return
        self.broken = self.broken or (self.mirror.broken if self.mirror else None)
        for article in written:
            tally = self._tallies[article.portal_id]
            setattr(tally, article.outcome, getattr(tally, article.outcome) + 1)

    def close(self) -> None:
        """Store the rest and close the archive."""
        self.flush()
        self.sink.close()
        if self.mirror is not None:
            self.mirror.close()
        Session.current = None

    def _block(self, capture: Capture, reason: str) -> None:
        self.tally(capture.portal_id).block(f"{capture.url} {reason}")
        if capture.kind == "article" and capture.key is not None:
            self._observe(capture, capture.key, "blocked")

    def _observe(self, capture: Capture, url: str, state: ArticleState, *, redirect_to: str | None = None) -> None:
        self.sink.observe(
            Observation(
                portal_id=capture.portal_id,
                url=url,
                seen_at=capture.fetched_at,
                state=state,
                redirect_to=redirect_to,
                record=capture.record,
            )
        )

    def _looked(self, portal_id: str) -> int:
        """Article pages of this run that were judged, or wait for it; after a flush."""
        tally = self.tally(portal_id)
        return tally.new + tally.changed + tally.unchanged + len(self.vanishing(portal_id))

    def _after_add(self) -> None:
        if self.sink.pending >= BATCH:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_SECONDS, self.flush)


def _of_request(meta: Mapping[str, Any]) -> dict[str, Any]:
    """What a capture keeps of its request."""
    return {"kind": meta.get("kind", "other"), **{name: meta.get(name) for name in ("key", "listed", "via")}}
