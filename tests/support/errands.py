"""An archive whose WARC files are in a store, and workers that are played by the test itself."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from crawler.catalogue import Portal
from crawler.queue.bench import perform
from crawler.queue.leases import Leases
from crawler.store import Store, open_store, point
from tests.conftest import ROOT
from tests.support.archive import PORTAL
from tests.support.rereading import Shelf, blind, page, without_author, without_last_paragraph

PAGES = ROOT / "tests" / "pages"
TEXTS = ("1月2日，凌阳县在城关镇启动年度防汛演练，全县26个部门的300多人参加。", "各乡镇要压实责任，备足物资。")


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
            shutil.rmtree(folder / str(errand.job_id), ignore_errors=True)
            await lease.finish(errand)
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


def read_by_older_rules(folder: Path) -> Portal:
    """An archive in which every kind of change is to be found, in three WARC files."""
    shelf = Shelf(folder)
    for number in range(6):
        shelf.see(page(f"第{number}次防汛演练"), rules=without_author, number=number)
    shelf.see(page("短了", *TEXTS), rules=without_last_paragraph, number=10)
    shelf.see(page("半个字&#xD83D;不是字"), rules=without_author, number=11)
    shelf.see(page("有编码", *TEXTS), rules=lambda article: replace(article, encoding="gbk"), number=12)
    shelf.see(page("栏目", *TEXTS), rules=lambda article: replace(article, column="旧栏目"), number=13)
    shelf.see(page(date=None), rules=without_author, listed="2024-01-05", number=14)
    listing = (PAGES / "list_page.html").read_text(encoding="utf-8")
    shelf.see(listing, rules=lambda article: replace(article, kind="article", title="新闻列表"), number=15)
    shelf.store([shelf.capture(page(), number=16)], rules=blind)
    for number in (20, 21):
        shelf.see(page(), rules=without_author, number=number)
    shelf._sink.close_warc(PORTAL)
    shelf.see(page(author="李卫民"), rules=without_author, day=3, number=20)
    gone = shelf.capture(page(author="李卫民", more="<!-- 已删 -->"), day=3, number=21)
    shelf.store([gone], rules=blind)
    shelf.observe("gone", day=3, number=21, capture=gone)
    shelf.store([shelf.capture(page(author="李卫民"), day=3, number=16)], rules=blind)
    shelf.see(page("第0次防汛演练", more="<!-- 2 -->"), rules=without_author, day=3, number=0)
    shelf._sink.close_warc(PORTAL)
    shelf.see(page(more="<!-- 3 -->"), rules=without_author, day=5, number=21)
    shelf.see(page("第1次防汛演练", *TEXTS), rules=without_author, day=5, number=1)
    shelf.close()
    return shelf.portal
