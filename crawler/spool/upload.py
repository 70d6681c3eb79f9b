"""Bringing a spool into the store: a shard's WARC files first, then the shard, then its folder goes."""

import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from crawler.archive.connection import ArchiveError
from crawler.spool.shard import NotNowError, Shard, Spool, SpoolError
from crawler.store import ObjectDiffersError, Store, StoreError
from crawler.warc.files import IN_STORE

SHARDS_IN_STORE = "shards/"
POLL_SECONDS = 2.0
"""Between two looks at the spool."""
LONGEST_WAIT = 30.0
"""Seconds between two tries at most, while the store is away or a shard cannot be uploaded."""

log = logging.getLogger(__name__)


class Uploader:
    """Uploads what is finished in a spool, for as long as `run` does; for one thread.

    *on_archived* is told the name of every object (``warc/…``, ``shards/…``) when the store was seen to have it, before
    anything is deleted here; after a crash perhaps once more. Where it raises NotNowError, it is told again later.
    """

    def __init__(self, spool: Spool, store: Store, on_archived: Callable[[str], None]) -> None:
        self._spool = spool
        self._store = store
        self._on_archived = on_archived
        self._archived: set[str] = set()
        """Of shards that are still here."""
        self._is_away = False
        self._troubles: dict[str, str] = {}
        """Told already, by shard."""

    def run(self, stop: threading.Event) -> bool:
        """Upload until *stop* is set, and then what is finished by then; whether nothing is left in the spool.

        While the store is away everything waits here: told once in the log, tried again for ever; only at the end
        one try must do.
        """
        wait = POLL_SECONDS
        while True:
            is_last = stop.is_set()
            wait = POLL_SECONDS if self.once() else min(2 * wait, LONGEST_WAIT)
            if is_last:
                return not self._spool.shards()
            stop.wait(wait)

    def once(self) -> bool:
        """Upload what is finished now; whether all of it is in the store."""
        self._spool.sweep()
        troubles = {}
        for shard in self._spool.shards():
            try:
                self._bring(shard)
            except (SpoolError, ArchiveError, sqlite3.Error, OSError, ObjectDiffersError, ValueError) as error:
                troubles[shard.name] = str(error)
            except (StoreError, NotNowError) as error:
                self._tell_away(error)
                return False
        self._tell_back()
        self._tell(troubles)
        return not troubles

    def _bring(self, shard: Shard) -> None:
        with shard.claimed() as is_ours:
            if is_ours and shard.is_empty():
                shard.remove()
                return
            for segment in shard.segments():  # also where nothing can be done about the shard itself
                self._put(segment, IN_STORE)
            if is_ours:
                for line in shard.finish(self._store):
                    log.warning("%s: %s", shard.name, line)
                for file in (*shard.segments(), *shard.cuts()):
                    self._put(file, IN_STORE)
                self._put(shard.db, SHARDS_IN_STORE)
                self._forget(shard)
                shard.remove()

    def _put(self, path: Path, folder: str) -> None:
        name = folder + path.name
        if name not in self._archived:
            self._store.put(path, name)
            self._on_archived(name)
            self._archived.add(name)

    def _forget(self, shard: Shard) -> None:
        brought = {IN_STORE + path.name for path in (*shard.segments(), *shard.cuts())}
        self._archived -= brought | {SHARDS_IN_STORE + shard.db.name}

    def _tell(self, troubles: dict[str, str]) -> None:
        for name, said in troubles.items():
            if self._troubles.get(name) != said:
                log.error("%s stays in the spool: %s", name, said)
        self._troubles = troubles

    def _tell_away(self, error: Exception) -> None:
        if not self._is_away:
            self._is_away = True
            log.warning("not uploaded for now, and tried again: %s", error)

    def _tell_back(self) -> None:
        if self._is_away:
            self._is_away = False
            log.info("%s answers again; what waited in the spool is there now", self._store.url)
