"""A crawl on several hosts, in small: workers with spool folders of their own, one queue, one store."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.crawling import LOOPBACK, Archive, Crawled


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

    def end(self) -> Crawled:
        """Wait for its report."""
        report, words = self.process.communicate(timeout=100)
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
    (folder / "store").mkdir()
    farm = Hosts(Archive(folder), dsn, store or str(folder / "store"))
    try:
        yield farm
    finally:
        for worker in farm.workers:
            if worker.process.poll() is None:
                worker.kill_host()


def until(holds: Callable[[], object], *, seconds: float = 60) -> None:
    """Wait until it does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
