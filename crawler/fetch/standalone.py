"""``scrapy crawl FAMILY -a portal=ID``: one portal in this process, into the same archive.

The settings ``XIANZHI_DB``, ``XIANZHI_WARC`` and ``XIANZHI_CATALOGUE`` stand for the options of ``xianzhi crawl``.
"""

from pathlib import Path

from scrapy import signals
from scrapy.crawler import Crawler

from crawler.archive import afterwards, custody, runs
from crawler.archive.connection import open_archive
from crawler.archive.lock import RunLock
from crawler.archive.recovery import recover
from crawler.archive.sink import Sink
from crawler.catalogue import Portal, load
from crawler.fetch.options import Options, default_db
from crawler.fetch.session import INFO, Session, log


class StandaloneSession(Session):
    """A session that is a run of its own: it holds the lock, and ends the run when its spider is closed."""

    def __init__(self, options: Options, run_id: str, lock: RunLock, portal: Portal) -> None:
        super().__init__(options, Sink(db=options.db, warc=options.warc, run_id=run_id, info=INFO))
        self._run_id = run_id
        self._lock = lock
        self.begin(portal)
        self._only = portal.id

    def end(self) -> None:
        """Store the rest, close the run, give the lock back."""
        tally = self.tally(self._only)
        tally.interrupted = tally.media.is_left or self.queued(self._only, limit=1) > 0
        self.finish(self._only)
        self.close()
        status, reason = tally.verdict()
        connection = open_archive(self.options.db)
        runs.finish(
            connection,
            self._run_id,
            status if status in {"ok", "interrupted"} else "failed",
            [(self._only, status, reason, tally)],
        )
        custody.seal_and_say(connection, db=self.options.db, warc=self.options.warc, say=log.log)
        afterwards.learn(connection)
        connection.close()
        self._lock.__exit__(None, None, None)
        log.info(
            "portal %s: %s, %d new, %d changed, %d failed", self._only, status, tally.new, tally.changed, tally.failed
        )


def session_for(crawler: Crawler, portal_id: str) -> Session:
    """The process's session; where no run was begun for us, one of its own.

    Raises LookupError, CatalogueError, ArchiveError, LockHeldError.
    """
    if Session.current is None:
        Session.current = _begin(crawler, portal_id)
    return Session.current


def _begin(crawler: Crawler, portal_id: str) -> StandaloneSession:
    settings = crawler.settings
    catalogue = settings.get("XIANZHI_CATALOGUE")
    portal = load(Path(catalogue) if catalogue else None).portal(portal_id)
    db = Path(settings.get("XIANZHI_DB") or default_db())
    options = Options(db=db, warc=Path(settings.get("XIANZHI_WARC") or db.with_name("warc")))
    lock = RunLock(db).__enter__()
    connection = open_archive(db)
    for line in recover(connection, options.warc):
        log.warning("%s", line)
    custody.seal_and_say(connection, db=db, warc=options.warc, say=log.log, late=True)
    run_id = runs.begin(connection, [portal])
    connection.close()
    session = StandaloneSession(options, run_id, lock, portal)
    crawler.signals.connect(session.end, signal=signals.engine_stopped, weak=False)
    return session
