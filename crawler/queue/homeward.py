"""What goes between a worker and the store: seeds come, shards and their WARC files go."""

import asyncio
import shutil
import threading
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg

from crawler.archive.postgres import PostgresFrontier, connect
from crawler.queue.tasks import Task
from crawler.spool import NotNowError, Spool, Uploader
from crawler.store import Store

SEEDS = "seeds"
"""Folder in the spool for seeds that a task was begun with."""


class Homeward:
    """Uploads in a thread of its own what the spool has finished, and tells the queue of each shard."""

    def __init__(self, dsn: str, spool: Path, store: Store) -> None:
        self._dsn = dsn
        self._store = store
        self._folder = spool
        self._seeds = spool / SEEDS
        self._spool = Spool(spool)
        self._uploader = Uploader(self._spool, store, self._archived)
        self._stop = threading.Event()
        self._is_home = False
        self._thread = threading.Thread(target=self._run, name="homeward", daemon=True)

    def spool_id(self) -> str:
        """The name of the spool, which is no other's; given when it is first asked for."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / "id"
        if not path.exists() or not path.read_bytes().strip():  # a full disk, or a crash, left no more than the file
            path.write_text(f"{uuid4()}\n", encoding="ascii")
        return path.read_text(encoding="ascii").strip()

    def shards(self) -> list[str]:
        """What earlier workers left in the spool."""
        return [shard.name for shard in self._spool.shards() if not shard.is_empty()]

    def start(self) -> None:
        """Begin, with what earlier workers left in the spool, too."""
        shutil.rmtree(self._seeds, ignore_errors=True)
        self._seeds.mkdir(parents=True)
        self._thread.start()

    async def finish(self, seconds: float) -> bool:
        """Upload what is finished by now, but not for longer than *seconds*; whether nothing is left in the spool."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join, seconds)
        return self._is_home

    async def fetch_seeds(self, task: Task) -> tuple[Path, ...]:
        """What the archive knows of a task's portals. Raises StoreError."""
        return tuple([await asyncio.to_thread(self._store.fetch, name, self._seeds) for name in self._names(task)])

    def drop_seeds(self, task: Task) -> None:
        """A task has ended here."""
        for name in self._names(task):
            (self._seeds / name.partition("/")[2]).unlink(missing_ok=True)

    @staticmethod
    def _names(task: Task) -> list[str]:
        return [task.seeds[portal.id] for portal in task.portals if portal.id in task.seeds]

    def _run(self) -> None:
        self._is_home = self._uploader.run(self._stop)

    def _archived(self, name: str) -> None:
        """An object is in the store. Raises NotNowError while PostgreSQL is away."""
        folder, _, file = name.partition("/")
        if folder != "shards":
            return
        shard = file.removesuffix(".db")
        try:
            with closing(connect(self._dsn)) as conn, conn.transaction():
                PostgresFrontier(conn).archive(shard)
                conn.execute(
                    "UPDATE xianzhi.shards SET archived_at = coalesce(archived_at, now()) WHERE name = %s", (shard,)
                )
        except psycopg.OperationalError as error:
            raise NotNowError(f"PostgreSQL is away: {error}") from error
