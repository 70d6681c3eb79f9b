"""Many portals at once on two workers, each at its own pace, and what the queue costs.

    python bench/workers.py [--portals 200] [--articles 60] [--workers 2]

As `bench/pace.py`, whose table this is, too: 4 portals by ``xianzhi crawl``, all of them by it with as many processes, then
by ``xianzhi work``, one process each, from a queue on a real PostgreSQL on loopback. What the queue costs is the CPU of the
workers' parents, which talk to it, bring shards into the store and read what their processes say, and of the threads
``mirror`` in the processes, which keep the frontier there. PostgreSQL's own CPU, fsync off, is told apart.
"""

import argparse
import json
import os
import pathlib
import shutil
import sys
import tempfile
import threading
import time
from collections import defaultdict

import psycopg

HERE = pathlib.Path(__file__).parent
sys.path[1:1] = [str(HERE.parent)]

from crawl import Server, catalogue  # noqa: E402
from pace import ALONE, LATENCY, crawled, head, row  # noqa: E402

from tests.support.hosts import hosts  # noqa: E402
from tests.support.postgres import running  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
NAMING = """
import ctypes, threading
begin = threading.Thread._bootstrap_inner
def named(thread):
    ctypes.CDLL(None).prctl(15, thread.name.encode()[:15])
    begin(thread)
threading.Thread._bootstrap_inner = named
"""
"""Tells the kernel what Python's threads are called."""
GOAL = 0.05


class Meter:
    """CPU seconds of workers, their processes and all their threads, read twice a second; what starting took is left out."""

    def __init__(self, pids):
        self._pids = pids
        self._read, self._start = {}, {}
        self._began = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self):
        """(whether it is a child's, thread) → CPU seconds; seconds that was in; peak MB of the largest process."""
        self._stop.set()
        self._thread.join()
        spent = defaultdict(float)
        for place, (seconds, _) in self._read.items():
            is_child, _, _, name = place
            spent[is_child, name] += seconds - self._start.get(place, 0)
        return spent, time.monotonic() - self._began, max(peak for _, peak in self._read.values())

    def _run(self):
        while not self._stop.wait(0.5):
            for pid in self._pids:
                self._look(pid, is_child=False)
                for child in children(pid):
                    self._look(child, is_child=True)
            if self._began is None and all(children(pid) for pid in self._pids):
                self._began = time.monotonic()
                self._start = {place: seconds for place, (seconds, _) in self._read.items() if not place[0]}

    def _look(self, pid, *, is_child):
        folder = pathlib.Path(f"/proc/{pid}")
        try:
            status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
            for task in (folder / "task").iterdir():
                name = "main" if task.name == str(pid) else (task / "comm").read_text().strip()
                seconds = sum(times(task / "stat")[:2])
                self._read[is_child, pid, task.name, name] = seconds, int(status["VmHWM"].split()[0]) / 1024
        except OSError:
            return  # it ended meanwhile; what it had spent half a second ago counts


def children(pid):
    try:
        tasks = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def times(stat):
    """User, system; the same of children that ended: seconds, by proc(5)."""
    return [int(value) / TICKS for value in stat.read_text().rpartition(")")[2].split()[11:15]]


def spent_by(pid):
    """CPU seconds of a server and all its processes, ended ones too."""
    own = sum(times(pathlib.Path(f"/proc/{pid}/stat")))
    return own + sum(sum(times(pathlib.Path(f"/proc/{child}/stat"))[:2]) for child in children(pid))


def has_ended(dsn, portals):
    """Whether so many portals of the night in a queue have."""
    with psycopg.connect(dsn) as conn:
        try:
            return conn.execute("SELECT count(*) FROM xianzhi.portals WHERE status = 'ok'").fetchone() == (portals,)
        except psycopg.errors.UndefinedTable:
            return False


def worked(portals, articles, workers):
    """As `pace.crawled`, by workers; then CPU seconds by part, PostgreSQL's, and in how many seconds."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="xianzhi-bench-"))
    (folder / "sitecustomize.py").write_text(NAMING)
    os.environ["PYTHONPATH"] = str(folder)
    try:
        with (
            Server(portals, articles, LATENCY) as server,
            running() as postgres,
            hosts(folder, postgres.database()) as farm,
        ):
            farm.archive.write_catalogue(catalogue(server.urls))
            with farm.night():
                for number in range(workers):
                    farm.work(f"host{number}", "--jobs", "1")
                before = spent_by(postgres.pid)
                meter = Meter([worker.process.pid for worker in farm.workers])
                while not has_ended(farm.dsn, portals):
                    time.sleep(1)
                spent, seconds, peak = meter.end()
                postgres_cpu = spent_by(postgres.pid) - before
            server.process.stdin.close()
            asked = json.loads(server.process.stdout.readline())
            if min(len(times) for times, _ in asked) < articles:
                sys.exit(f"a portal was not asked for all of its articles: {farm.words[-2000:]}")
        wall = max(times[-1] for times, _ in asked) - min(times[0] for times, _ in asked)
        return asked, (wall, sum(spent.values()), peak), spent, postgres_cpu, seconds
    finally:
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portals", type=int, default=200)
    parser.add_argument("--articles", type=int, default=60)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    head(options.articles, f"{options.workers} workers")
    alone = row(ALONE, *crawled(ALONE, options.articles, options.workers))
    by_one = row(options.portals, *crawled(options.portals, options.articles, options.workers))
    asked, cost, spent, postgres, seconds = worked(options.portals, options.articles, options.workers)
    by_workers = row(options.portals, asked, cost)
    print(f"pace of {ALONE} portals alone kept: {by_one / alone:.1%} by crawl, {by_workers / alone:.1%} by workers")
    parents = sum(cpu for (is_child, _), cpu in spent.items() if not is_child)
    mirrors = spent[True, "mirror"]
    print(
        f"queue: {(parents + mirrors) / seconds:.1%} of a core, {(parents + mirrors) / cost[1]:.1%} of the workers' CPU"
        f" (parents {parents / seconds:.1%}, threads mirror {mirrors / seconds:.1%} of a core); goal {GOAL:.0%}"
    )
    print(f"PostgreSQL: {postgres / seconds:.1%} of a core; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for (is_child, name), cpu in sorted(spent.items(), key=lambda item: -item[1])[:6]:
        print(f"  {'process' if is_child else 'parent':8} {name:16} {cpu:7.1f} s")


if __name__ == "__main__":
    main()
