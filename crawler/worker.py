"""One worker process: runs many portals at once, each by its family's spider, into one sink.

The parent sends groups of portals (those that share a host go one after the other) and reads progress. A worker
whose parent is gone stops by itself: its pipe ends.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader

from crawler import settings as project_settings
from crawler.archive import seeds
from crawler.archive.connection import ArchiveError
from crawler.archive.lock import WorkerMark
from crawler.catalogue import Portal
from crawler.detection.family import GENERIC
from crawler.detection.look import family_of, without_a_look
from crawler.fetch.chromium import BrowserMissing
from crawler.fetch.downloader import PoliteDownloader
from crawler.fetch.errors import Unreachable
from crawler.fetch.options import Options
from crawler.fetch.session import Session
from crawler.fetch.tally import Tally
from crawler.fetch.visitor import CutOff, NotHad, visit
from crawler.messages import Broken, Done, Progress, Said, Stop, Ticket, Work
from crawler.spool import Shard

if TYPE_CHECKING:
    from crawler.fetch.mirror import Mirror

PROGRESS_SECONDS = 0.5
STOP_SECONDS = 0.1
"""How often a worker that is told to stop looks for crawls that have only begun."""
SEGMENT_SECONDS = 900.0
"""Of a crawl on several hosts: bytes are in the store after a quarter of an hour, however long a portal takes."""


class PipeHandler(logging.Handler):
    """Sends log lines to the parent, which knows whether it is drawing on the terminal."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        """Send; a parent that is gone reads nothing."""
        with contextlib.suppress(OSError):
            self._pipe.send(
                Said(record.levelno, self.format(record), portal=_portal_of(record), url=getattr(record, "url", None))
            )


def _portal_of(record: logging.LogRecord) -> str | None:
    """Whom a line is about: ours say it themselves, Scrapy's name the spider."""
    spider: Any = getattr(record, "spider", None)
    portal_id: str | None = getattr(record, "portal", None) or getattr(getattr(spider, "portal", None), "id", None)
    return portal_id


@dataclass(slots=True)
class Worker:
    """The life of one worker process."""

    pipe: Connection
    process: AsyncCrawlerProcess
    session: Session
    loader: SpiderLoader
    is_stopping: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the parent has said stop, or is gone, or nothing more can be kept."""
    groups: set[asyncio.Task[None]] = field(default_factory=set)
    sent: dict[str, Tally] = field(default_factory=dict)

    async def main(self) -> None:
        """Work until the parent says stop or is gone."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self.pipe.fileno(), self._read)
        try:
            while not self.ended.is_set():
                self._report_progress()
                if self.session.broken:
                    break
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.ended.wait(), PROGRESS_SECONDS)
            await self._stop()
        finally:
            loop.remove_reader(self.pipe.fileno())
            self.session.close()
            if self.session.broken:
                self._send(Broken(self.session.broken))

    def _read(self) -> None:
        try:
            message = self.pipe.recv()
        except (EOFError, OSError):
            if self.session.mirror is not None:
                os._exit(1)  # nobody says any more that this worker lives: another one takes its portals
            message = Stop()
        loop = asyncio.get_running_loop()
        if isinstance(message, Work):
            task = loop.create_task(self._run_group(message))
            self.groups.add(task)
            task.add_done_callback(self.groups.discard)
        else:
            loop.remove_reader(self.pipe.fileno())  # an ended pipe is readable for ever
            self.ended.set()

    async def _stop(self) -> None:
        """End every crawl after the requests that are on the wire."""
        self.is_stopping = True
        self.ended.set()
        stops: set[asyncio.Task[None]] = set()
        while self.groups:
            # Scrapy never ends a crawl that was told to stop before its engine ran: those are told when it does.
            running = [crawler for crawler in self.process.crawlers if crawler.engine and crawler.engine.running]
            stops |= {asyncio.create_task(crawler.stop_async()) for crawler in running}
            for crawler in self.process.crawlers:
                if crawler.engine:
                    PoliteDownloader.of(crawler).drop_waiting()
            await asyncio.wait(self.groups, timeout=STOP_SECONDS)
        if stops:
            await asyncio.wait(stops)

    async def _run_group(self, work: Work) -> None:
        if work.ticket is not None:
            try:
                await self._take_up(work.portals, work.ticket)
            except (ArchiveError, sqlite3.Error) as error:  # nothing to do with these portals: others can have them
                self.session.broken = self.session.broken or f"portals cannot be taken up here: {error}"
                return
        for portal in work.portals:
            await self._run_portal(portal)
        if work.ticket is not None and self.session.mirror is not None:
            self.session.mirror.release(work.ticket.job_id)

    async def _take_up(self, portals: Sequence[Portal], ticket: Ticket) -> None:
        """Begin where the archive and other workers stand with *portals*."""
        mirror = self.session.mirror
        if mirror is None:
            raise RuntimeError("a ticket without a lease")
        mirror.hold(ticket.job_id, [portal.id for portal in portals])
        rows = [row for portal in portals for row in await mirror.rows(portal.id)]
        self.session.sink.take_up(portals, ticket.seeds, rows)

    async def _run_portal(self, portal: Portal) -> None:
        self.session.begin(portal)
        tally, is_crawled = self.session.tally(portal.id), False
        try:
            family = None if self.is_stopping else await self._family(portal)
            if family is not None and not self.is_stopping:
                self.session.learn(replace(portal, cms=family))
                await self.process.crawl(self.process.create_crawler(self.loader.load(family)), portal=portal.id)
                is_crawled = True
                self._doubt(portal)
        except NotHad as error:
            tally.block(str(error), is_down=isinstance(error.__cause__, Unreachable))
        except CutOff:
            pass  # said by the tally
        except BrowserMissing as error:
            tally.fail(portal.homepage, str(error), is_list=True)
        except Exception as error:
            logging.getLogger(__name__).exception("portal %s", portal.id, extra={"portal": portal.id})
            tally.fail(portal.homepage, f"{type(error).__name__}: {error}", is_list=True)
        is_cut_off = self.is_stopping or self.session.broken is not None or self.session.is_lost(portal.id)
        is_left = tally.media.is_left or self.session.queued(portal.id, limit=1) > 0
        tally.interrupted = is_cut_off and (not is_crawled or is_left)
        self.session.finish(portal.id)
        if self.session.mirror is not None:
            await self._hand_in(portal, self.session.mirror)
        self._send(Done(portal.id, tally))

    async def _hand_in(self, portal: Portal, mirror: "Mirror") -> None:
        """Nothing of the portal is known to this process alone any more, but for what lies in its spool."""
        await mirror.drain()
        if not mirror.is_lost(portal.id):
            tally = self.session.tally(portal.id)
            status, reason = tally.verdict()
            self.session.sink.save_portal(portal.id, status=status, reason=reason, counters=tally)

    async def _family(self, portal: Portal) -> str:
        """The family that the catalogue names, or the archive remembers, or a look at the portal's lists tells.

        Where no list can be had tonight nothing is remembered; the crawl will say why. Raises NotHad where the portal
        does not want us, CutOff.
        """
        known = portal.cms or self.session.sink.family(portal.id)
        if known in self.loader.list():
            return known
        family = without_a_look(portal) or await self._looked_at(portal)
        if family is not None:
            self.session.sink.remember_family(portal.id, family)
        return family or GENERIC

    async def _looked_at(self, portal: Portal) -> str | None:
        guess = await visit(self.process, lambda visitor: family_of(visitor, portal), portal)
        with contextlib.suppress(TimeoutError):  # the crawl's own clock begins anew
            await asyncio.wait_for(self.ended.wait(), self._delay(portal))
        if guess is None:
            return None
        reasons = f" ({'; '.join(guess.reasons)})" if guess.reasons else ""
        words = "portal %s: family %s%s"
        logging.getLogger(__name__).info(words, portal.id, guess.family, reasons, extra={"portal": portal.id})
        return guess.family

    def _delay(self, portal: Portal) -> float:
        """Seconds between two requests to the portal."""
        asked = self.session.options.delay if self.session.options.delay is not None else portal.delay
        return asked if asked is not None else self.process.settings.getfloat("DOWNLOAD_DELAY")

    def _doubt(self, portal: Portal) -> None:
        """Forget a family that was detected where its spider found lists without a single article."""
        named = self.session.tally(portal.id).seen.first_pages.values()
        if portal.cms is None and named and not any(named):
            self.session.sink.remember_family(portal.id, None)

    def _report_progress(self) -> None:
        moved = self.session.moved()
        if moved:
            self._send(Progress(moved))

    def _send(self, message: object) -> None:
        try:
            self.pipe.send(message)
        except OSError:
            self.is_stopping = True


def scrapy_settings(options: Options) -> Settings:
    """The project's settings with what the user asked for."""
    settings = Settings()
    settings.setmodule(project_settings, priority="project")
    given: dict[str, Any] = {
        "ALLOW_NETWORKS": list(options.allow_networks),
        "LOG_INSTALL_ROOT_HANDLER": False,  # a worker's lines go to its parent
        **({"DOWNLOAD_DELAY": options.delay} if options.delay is not None else {}),
        **dict(options.settings),
    }
    settings.setdict(given, priority="cmdline")
    return settings


def log_to(pipe: Connection) -> None:
    """Send our own lines and everybody's warnings to the parent; after Scrapy has set up its logging."""
    logging.getLogger().handlers[:] = [PipeHandler(pipe)]
    for name, level in ((None, logging.WARNING), ("scrapy", logging.WARNING), ("crawler", logging.INFO)):
        logging.getLogger(name).setLevel(level)


@contextlib.contextmanager
def _own_ground(options: Options) -> Iterator[Options]:
    """In a crawl on several hosts, hold this process's folder of the spool; the options with what that says."""
    if options.lease is None:
        yield options
        return
    with Shard(options.db.parent).begun() as shard:
        yield replace(options, first_serial=shard.first_serial, segment_seconds=SEGMENT_SECONDS)


def main(pipe: Connection, options: Options, run_id: str) -> None:
    """Entry of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which says stop
    with _own_ground(options) as own, WorkerMark(own.db):
        settings = scrapy_settings(own)
        process = AsyncCrawlerProcess(settings)
        log_to(pipe)
        session = Session.open(own, run_id=run_id)
        worker = Worker(pipe, process, session, SpiderLoader.from_settings(settings))

        from twisted.internet import reactor  # noqa: PLC0415 - importing it earlier would install the wrong one

        async def run() -> None:
            try:
                await worker.main()
            except Exception:
                logging.getLogger(__name__).exception("worker")
                session.broken = session.broken or "the worker failed, see the log"
            finally:
                reactor.stop()  # type: ignore[misc]

        # Trees and records come and go by thousands a page; looking through all modules each time costs a tenth.
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        reactor.callWhenRunning(lambda: asyncio.ensure_future(run()))
        process.start(stop_after_crawl=False, install_signal_handlers=False)
        if options.lease is not None and session.broken is None:
            try:
                seeds.finish(options.db)
            except (sqlite3.Error, OSError) as error:  # on a full disk; whoever uploads the shard finishes it first
                logging.getLogger(__name__).warning("%s is not ready to travel yet: %s", options.db.name, error)
    sys.exit(1 if session.broken else 0)
