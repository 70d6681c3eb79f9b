"""A crawl on several hosts, in small: workers with spool folders of their own, one queue, one store."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from crawler.demo.site import Site
from tests.support.crawling import LOOPBACK, Archive, Crawled
from tests.support.wire import Step, WireServer


@dataclass
class Worker:
    """A process of ``xianzhi work``, the leader of a process group of its own."""

    process: subprocess.Popen[str]
    log: Path

    def kill(self) -> None:
        """Kill -9 it, and it alone."""
        self.process.kill()
        self.process.wait(10)

    def kill_host(self) -> None:
        """Kill -9 it and its children."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def drain(self) -> int:
        """SIGTERM, and its exit code."""
        self.process.terminate()
        return self.process.wait(60)

    @property
    def words(self) -> str:
        return self.log.read_text("utf-8")


@dataclass(frozen=True)
class Night:
    """A night that is waited for."""

    process: subprocess.Popen[str]

    def end(self, seconds: float = 100) -> Crawled:
        """Wait for its report."""
        report, words = self.process.communicate(timeout=seconds)
        return Crawled(self.process.returncode, json.loads(report) if report else {}, words)


@dataclass(frozen=True)
class Hosts:
    """An archive, and what its workers share with it."""

    archive: Archive
    dsn: str
    store: str
    workers: list[Worker] = field(default_factory=list)

    def work(self, name: str, *options: str) -> Worker:
        """Start a worker on the host *name*: its spool folder is there, whatever an earlier one left in it."""
        log = self.archive.folder / f"{name}-{len(self.workers)}.log"
        with log.open("w") as words:
            process = subprocess.Popen(
                [
                    sys.executable, "-m", "crawler", "work", "--queue", self.dsn, "--store", self.store,
                    "--spool", str(self.archive.folder / name), "--name", name, "--allow-network", LOOPBACK,
                    *options,
                ],
                stdout=subprocess.DEVNULL,
                stderr=words,
                start_new_session=True,
                text=True,
            )  # fmt: skip
        worker = Worker(process, log)
        self.workers.append(worker)
        return worker

    def command(self, *options: str) -> list[str]:
        return self.archive.command("--queue", self.dsn, "--store", self.store, *options)

    def crawl(self, *options: str) -> Crawled:
        """Run ``xianzhi crawl --queue`` to its end."""
        done = subprocess.run(
            self.command(*options), capture_output=True, text=True, encoding="utf-8", timeout=100, check=False
        )
        return Crawled(done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr)

    @contextmanager
    def night(self, *options: str) -> Iterator["Night"]:
        """Start ``xianzhi crawl --queue --wait``, and have it in the queue."""
        with subprocess.Popen(
            self.command("--wait", *options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                yield Night(process)
            finally:
                process.kill()

    @property
    def words(self) -> str:
        """What all workers said."""
        return "\n".join(f"{worker.log.stem}:\n{worker.words}" for worker in self.workers)


@contextmanager
def hosts(folder: Path, dsn: str, store: str | None = None) -> Iterator[Hosts]:
    """Hosts whose workers end with the context."""
    (folder / "store").mkdir(parents=True)
    farm = Hosts(Archive(folder), dsn, store or str(folder / "store"))
    try:
        yield farm
    finally:
        for worker in farm.workers:
            if worker.process.poll() is None:
                worker.kill_host()


def until(holds: Callable[[], object], *, seconds: float = 40) -> None:
    """Wait until it does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Watched:
    """A portal that takes its time with every answer, and is looked at meanwhile."""

    def __init__(self, host: str, site: Site, *, seconds: float) -> None:
        self.site = site
        self.asked: list[float] = []
        """When requests came."""
        self.seconds = seconds
        self.server = WireServer(self._script, host=host)

    @property
    def url(self) -> str:
        return self.server.url("")

    @property
    def longest_gap(self) -> float:
        """Seconds between two requests, at most."""
        return max(later - earlier for earlier, later in pairwise(self.asked))

    def _script(self, path: str) -> list[Step]:
        self.asked.append(time.monotonic())
        response = self.site.answer(path)
        head = f"HTTP/1.1 {response.status} -\r\nContent-Length: {len(response.body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in response.headers)
        return [self.seconds, head.encode() + b"\r\n" + response.body]


@contextmanager
def watched(sites: Mapping[str, Site], *, seconds: float = 0.05) -> Iterator[dict[str, Watched]]:
    """Serve each site on a host of its own; every answer takes *seconds*."""
    portals = {
        name: Watched(f"127.0.14.{number}", site, seconds=seconds)
        for number, (name, site) in enumerate(sites.items(), start=1)
    }
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        for portal in portals.values():
            asyncio.run_coroutine_threadsafe(portal.server.__aenter__(), loop).result(10)
        yield portals
    finally:
        asyncio.run_coroutine_threadsafe(_close(portals.values()), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _close(portals: Iterable[Watched]) -> None:
    for portal in portals:
        await portal.server.__aexit__()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def contents(archive: Archive) -> dict[str, list[tuple[object, ...]]]:
    """What an archive knows, without ids and times."""
    return {name: sorted(archive.query(sql), key=repr) for name, sql in _CONTENTS.items()}


def payloads(held: Mapping[str, list[tuple[Any, ...]]]) -> set[tuple[Any, ...]]:
    """What was captured, whatever for: nobody knows that of what was fetched a moment before its process was killed."""
    return {(portal, *rest) for portal, _, *rest in held["captures"]}


_CONTENTS = {
    "articles": "SELECT portal_id, url, title, published, state, body FROM articles JOIN article_texts ON article_id = id",
    "versions": "SELECT portal_id, url, count(*) FROM versions JOIN articles ON articles.id = article_id GROUP BY 1, 2",
    "sections": "SELECT text, chars FROM sections",
    "captures": "SELECT portal_id, kind, url, status, payload_sha256 FROM captures WHERE kind <> 'robots'",
    "frontier": "SELECT portal_id, key, kind, state FROM frontier",
    "states": "SELECT portal_id, url, s.state FROM article_states s JOIN articles a ON a.id = article_id",
    "portals": "SELECT portal_id, status, fetched, new, changed, unchanged, gone, failed FROM portal_runs",
    "reprints": "SELECT min(a.url, b.url), max(a.url, b.url), similarity, r.kind FROM reprints r JOIN articles a ON a.id = article_id JOIN articles b ON b.id = other_id",
}
