"""The whole chain against bare Scrapy: articles a second, CPU and peak memory, in one interleaved run.

    python bench/crawl.py [--portals 8] [--articles 375] [--rounds 3] [--growth]

Yardstick: ``bench/bare.py``, Scrapy with its defaults in one process, which downloads the same pages and drops them.
Ours crawls list pages too, and archives, reads, deduplicates and stores. CPU is that of all processes of a command,
without the server's; memory is the largest single process. ``--growth`` adds one run with ten times the articles.
"""

import argparse
import json
import os
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from generated import GeneratedPortal

HERE = pathlib.Path(__file__).parent


def timed(command, stdin=None):
    """(wall seconds, CPU seconds, peak MB of the largest process, stdout) of a command and its children."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        given.write((stdin or "").encode())
        given.seek(0)
        process = subprocess.Popen(command, stdin=given, stdout=out, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
        out.seek(0)
        said.seek(0)
        text, words = out.read().decode(), said.read().decode()
    if process.returncode:
        sys.exit(f"{command[:3]} ended with {process.returncode}: {text[-500:]}\n{words[-2000:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text


class Server:
    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, HERE / "server.py", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.urls = json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=10)


def catalogue(urls):
    return "".join(
        f'[[portal]]\nid = "bench{n}"\nname = "测试县{n}"\ndivision = "610424"\nhomepage = "{url}/"\n'
        f'lists = ["{url}/xwzx/jryw/"]\ncms = "trs"\n\n'
        for n, url in enumerate(urls)
    )


def ours(urls, articles, jobs):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="xianzhi-bench-"))
    try:
        (folder / "portals.toml").write_text(catalogue(urls), encoding="utf-8")
        command = [
            pathlib.Path(sys.executable).with_name("xianzhi"), "crawl", "--catalogue", folder / "portals.toml",
            "--db", folder / "a.db", "--warc", folder / "warc", "--jobs", str(jobs), "--delay", "0",
            "--allow-network", "127.0.0.0/8", "--json",
        ]  # fmt: skip
        wall, cpu, peak, text = timed(command)
        stored = sqlite3.connect(folder / "a.db").execute("SELECT count(*) FROM articles").fetchone()[0]
        if stored != articles:
            sys.exit(f"{stored} of {articles} articles stored: {text}")
        sizes = (folder / "a.db").stat().st_size, sum(f.stat().st_size for f in (folder / "warc").iterdir())
        return wall, cpu, peak, sizes
    finally:
        shutil.rmtree(folder)


def bare(urls, portals, articles):
    paths = [
        url + path
        for pages in zip(*(GeneratedPortal(seed=n + 1, articles=articles).paths() for n in range(portals)), strict=True)
        for url, path in zip(urls, pages, strict=True)
    ]
    return timed([sys.executable, HERE / "bare.py"], "\n".join(paths))


def row(name, walls, cpus, peaks, pages, against):
    wall = statistics.median(walls)
    ratio = f"{statistics.median(b / w for b, w in zip(against, walls, strict=True)):.2f}"
    print(
        f"{name:24} {pages / wall:8.0f} articles/s  {ratio:>5} x bare  "
        f"{1000 * statistics.median(cpus) / pages:6.2f} ms CPU/page  {max(peaks):6.0f} MB"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portals", type=int, default=8)
    parser.add_argument("--articles", type=int, default=375)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--growth", action="store_true")
    options = parser.parse_args()
    pages = options.portals * options.articles
    size = len(GeneratedPortal(seed=1, articles=1).article(0))
    print(
        f"{pages} articles of {size / 1000:.0f} kB on {options.portals} loopback addresses, {options.rounds} rounds, delay 0"
    )
    results = {"bare Scrapy": [], "xianzhi --jobs 2": [], "xianzhi --jobs 1": []}
    with Server(options.portals, options.articles) as server:
        for _ in range(options.rounds):
            results["bare Scrapy"].append(bare(server.urls, options.portals, options.articles))
            for jobs in (2, 1):
                results[f"xianzhi --jobs {jobs}"].append(ours(server.urls, pages, jobs))
    against = [wall for wall, *_ in results["bare Scrapy"]]
    for name, runs in results.items():
        row(name, *([run[i] for run in runs] for i in range(3)), pages, against)
    database, warc = results["xianzhi --jobs 2"][0][3]
    print(f"on disk: {database / pages:.0f} bytes of database and {warc / pages:.0f} bytes of WARC an article")
    if options.growth:
        many = options.articles * 10
        with Server(options.portals, many) as server:
            wall, _, peak, _ = ours(server.urls, options.portals * many, 2)
        few = max(run[2] for run in results["xianzhi --jobs 2"])
        print(
            f"{options.portals * many} articles: {options.portals * many / wall:.0f} articles/s, peak {peak:.0f} MB ({peak / few:.2f} x)"
        )


if __name__ == "__main__":
    main()
