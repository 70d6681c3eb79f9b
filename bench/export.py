"""Files for others on a large archive: how fast a study is written, how fast a copy is published, what memory both take,
and whether a running site shows new copies to four readers without losing a request.

    python bench/export.py [--articles 100000] [--db FILE]

The articles are those of `bench/search.py`, of about 1,600 characters; ``--db`` takes an archive that is there, or keeps the
one that is made. Goals: CSV with text at 7,000 rows a second, flat memory; no request lost, new data seen within 5 s.
"""

import argparse
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import search

from crawler.archive.connection import open_archive

SWAPS = 4
READERS = 4
# The kernel counts the parent's memory into a child's ru_maxrss; VmHWM is the process's own.
MEASURED = """
import atexit, re, sys, time
from crawler.cli import main
peak = lambda: re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]
atexit.register(lambda: print(peak(), time.process_time(), file=sys.stderr))
main()
"""


def make(path, articles):
    conn = open_archive(path)
    conn.execute("INSERT INTO runs (id, started_at, status) VALUES ('r', '2024-01-01T00:00:00Z', 'ok')")
    conn.executemany(
        "INSERT INTO portals (id, name, division_code, homepage, enabled) VALUES (?, ?, '610424', ?, 1)",
        [(f"portal{n}", f"县{n}", f"https://portal{n}.example/") for n in range(search.PORTALS)],
    )
    search.fill(conn, search.Language(), articles, {})
    conn.close()


def measured(articles, name, *command):
    """Run a command and say what it cost."""
    began = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, command)], capture_output=True, text=True, check=True
    )
    seconds = time.perf_counter() - began
    peak, cpu = ended.stderr.split()[-2:]
    print(
        f"{name:24} {articles / seconds:8,.0f} rows/s {seconds:7.1f} s {float(cpu):7.1f} s CPU {int(peak) / 1000:6.0f} MB"
    )


@contextmanager
def served(path):
    command = [sys.executable, "-m", "crawler", "serve", str(path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield re.search(r"http://\S+", process.stdout.readline())[0]
        finally:
            process.terminate()


class Readers:
    """Ask for pages without a break, until they are told to stop."""

    def __init__(self, address, name):
        self.waited, self.failed, self.counts = [], [], []
        self._paths = ("/", "/article/1", f"/{name}/articles.json?_size=1")
        self._address = address
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read, args=(number,)) for number in range(READERS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read(self, turn):
        with httpx.Client(base_url=self._address, timeout=60) as client:
            while not self._stop.is_set():
                turn += 1
                began = time.perf_counter()
                try:
                    answer = client.get(self._paths[turn % len(self._paths)]).raise_for_status()
                    if answer.headers["content-type"].startswith("application/json"):
                        self.counts.append(answer.json()["filtered_table_rows_count"])
                except httpx.HTTPError as error:
                    self.failed.append(error)
                self.waited.append(time.perf_counter() - began)


def swap(copy, folder):
    """Put two copies, of which one is short of an article, in turns in the place of the one that is served."""
    shorter = folder / "shorter.db"
    shutil.copy(copy, shorter)
    copies = {count_after(file, sql): file for file, sql in ((copy, "SELECT 1"), (shorter, _SHORTEN))}
    seen = []
    site = folder / "site.db"
    shutil.copy(copies[max(copies)], site)
    with served(site) as address, Readers(address, "site") as readers:
        time.sleep(2)
        for number in range(SWAPS):
            articles = sorted(copies)[number % 2]
            shutil.copy(copies[articles], folder / "next.db")
            (folder / "next.db").replace(site)
            began = time.perf_counter()
            while readers.counts[-1] != articles and time.perf_counter() - began < 60:
                time.sleep(0.01)
            seen.append(time.perf_counter() - began)
    waited = sorted(readers.waited)
    print(
        f"{SWAPS} swaps under {READERS} readers: {len(waited)} requests, {len(readers.failed)} failed; seen after "
        f"{max(seen):.1f} s at most; p50 {waited[len(waited) // 2] * 1e3:.0f} ms, longest {waited[-1] * 1e3:.0f} ms"
    )


_SHORTEN = "DELETE FROM articles WHERE id = (SELECT max(id) FROM articles); ANALYZE"


def count_after(copy, sql):
    conn = sqlite3.connect(copy, isolation_level=None)
    conn.executescript(sql)
    [(articles,)] = conn.execute("SELECT count(*) FROM articles").fetchall()
    conn.close()
    return articles


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--db", type=Path, help="An archive to measure; it is made where there is none.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        db = options.db or folder / "archive.db"
        if not db.exists():
            make(db, options.articles)
        conn = open_archive(db, readonly=True)
        [(articles,)] = conn.execute("SELECT count(*) FROM articles").fetchall()
        conn.close()
        for format_ in ("csv", "jsonl", "parquet"):
            out = folder / format_
            measured(articles, f"export {format_}", "export", out, "--db", db, "--format", format_)
            shutil.rmtree(out)
        measured(articles, "publish", "publish", folder / "news.db", "--db", db)
        swap(folder / "news.db", folder)


if __name__ == "__main__":
    main()
