"""Many portals at once, each at its own pace: what 200 portals see at one request a second each.

    python bench/pace.py [--portals 200] [--articles 60] [--jobs 2]

Measured at the portals, which take LATENCY seconds an answer. Yardstick: ALONE portals under the same settings while
nothing else runs. A portal's pace is its requests a second; a gap is the time between two requests to one portal, and
none may be shorter than the delay less its jitter. On a machine that does nothing else: 200 portals need half of two
cores, and another program's load shows as lost pace. CPU is that of all processes of the crawl; memory is the largest
single process, a worker.
"""

import argparse
import itertools
import json
import os
import pathlib
import shutil
import sqlite3
import statistics
import sys
import tempfile

from crawl import Server, catalogue, timed

from crawler import settings

ALONE = 4
LATENCY = 0.2
SHORTEST = settings.DOWNLOAD_DELAY * (1 - settings.DOWNLOAD_DELAY_JITTER)


def crawled(portals, articles, jobs):
    """Per portal (times of its requests, most requests at once), and (wall, CPU, peak MB) of the crawl."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="xianzhi-bench-"))
    try:
        with Server(portals, articles, LATENCY) as server:
            (folder / "portals.toml").write_text(catalogue(server.urls), encoding="utf-8")
            command = [
                pathlib.Path(sys.executable).with_name("xianzhi"), "crawl", "--catalogue", folder / "portals.toml",
                "--db", folder / "a.db", "--warc", folder / "warc", "--jobs", str(jobs),
                "--allow-network", "127.0.0.0/8", "--json",
            ]  # fmt: skip
            *cost, text = timed(command)
            server.process.stdin.close()
            asked = json.loads(server.process.stdout.readline())
        stored = sqlite3.connect(folder / "a.db").execute("SELECT count(*) FROM articles").fetchone()[0]
        if stored != portals * articles:
            sys.exit(f"{stored} of {portals * articles} articles stored: {text[-2000:]}")
        return asked, cost
    finally:
        shutil.rmtree(folder)


def row(name, asked, cost):
    """Print a line of the table; the median pace."""
    wall, cpu, peak = cost
    paces = sorted((len(times) - 1) / (times[-1] - times[0]) for times, _ in asked)
    gaps = sorted(late - early for times, _ in asked for early, late in itertools.pairwise(times))
    begun = max(times[0] for times, _ in asked) - min(times[0] for times, _ in asked)
    requests = sum(len(times) for times, _ in asked)
    print(
        f"{name:>7} {statistics.median(paces):8.3f} {paces[0]:8.3f} {gaps[0]:9.3f} {gaps[len(gaps) // 2]:8.3f}"
        f" {gaps[len(gaps) * 99 // 100]:8.3f} {gaps[-1]:8.3f} {sum(gap < SHORTEST for gap in gaps):9}"
        f" {max(most for _, most in asked):8} {begun:8.1f} {wall:7.1f} {100 * cpu / wall / os.cpu_count():5.0f} %"
        f" {1000 * cpu / requests:8.2f} {peak:6.0f}"
    )
    return statistics.median(paces)


def head(articles, by):
    print(
        f"{articles} articles a portal, delay {settings.DOWNLOAD_DELAY:g} s ± {settings.DOWNLOAD_DELAY_JITTER:.0%},"
        f" {LATENCY:g} s an answer, {by}"
    )
    print(
        "portals   pace/s  slowest  gap least   median      p99     most"
        f"  < {SHORTEST:g} s  at once   all in    wall    CPU   ms/req     MB"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portals", type=int, default=200)
    parser.add_argument("--articles", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    head(options.articles, f"--jobs {options.jobs}")
    alone = row(ALONE, *crawled(ALONE, options.articles, options.jobs))
    together = row(options.portals, *crawled(options.portals, options.articles, options.jobs))
    print(f"pace kept: {together / alone:.1%} of that of {ALONE} portals alone")


if __name__ == "__main__":
    main()
