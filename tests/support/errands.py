"""An archive whose WARC files are in a store, and workers that are played by the test itself."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from crawler.queue.bench import perform
from crawler.queue.leases import Leases
from crawler.store import Store, open_store, point


def into_store(warc: Path, store: Path) -> Store:
    """Move all finished WARC files of a folder into a store, to which the folder points from then on."""
    (store / "warc").mkdir(parents=True)
    for path in sorted(warc.glob("*.warc.gz")):
        shutil.move(path, store / "warc" / path.name)
    point(warc, open_store(str(store)))
    return open_store(str(store))


def as_worker(dsn: str, *steps: Callable[[Leases], Awaitable[object]]) -> list[object]:
    """Let a worker take steps, and vanish without a word."""

    async def live() -> list[object]:
        lease = Leases(dsn, queue="xianzhi", name="a")
        await lease.register()
        try:
            return [await step(lease) for step in steps]
        finally:
            await lease.close()

    return asyncio.run(live())


def do_errands(dsn: str, store: Store, folder: Path, *, most: int = 1000) -> list[str]:
    """Do what waits, in this process; the files."""

    async def work(lease: Leases) -> list[str]:
        done: list[str] = []
        while len(done) < most and (errand := await lease.take_errand()) is not None:
            perform(errand, store.url, folder / str(errand.job_id))
            await lease.finish(errand.job_id)
            done.append(errand.file)
        return done

    [done] = as_worker(dsn, work)
    assert isinstance(done, list)
    return done


def jobs(dsn: str) -> list[tuple[str, str]]:
    """What is in the queue: the state of each errand, and its file."""
    with psycopg.connect(dsn) as conn:
        return conn.execute(
            "SELECT status::text, args ->> 'file' FROM procrastinate_jobs WHERE task_name = 'errand' ORDER BY id"
        ).fetchall()


@contextmanager
def silence(dsn: str) -> Iterator[None]:
    """No worker has been heard of for a while, and pauses are over."""
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '11 s'")
    yield
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE procrastinate_jobs SET scheduled_at = now()")
