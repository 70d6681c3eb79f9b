"""What evidence costs: WARC bytes of a look at an unchanged portal, and CPU of capturing over crawling without it.

    python bench/evidence.py [--articles 600] [--rounds 7]

First figure: ``crawl --full`` of an unchanged portal whose server knows no conditional requests, against the first
crawl, in bytes of WARC. Goal: at most 10 %. Second figure: CPU a page of a first crawl, against one without tap and WARC
file (``bench/uncaptured.py``), in turn. Goal: at most 0.6 ms, on a machine that does nothing else: where cores are shared,
a second of CPU holds half as much.

The pages compress as real ones do: 43 real pages of 25 to 60 kB to .29 of their size (median, gzip members as we write
them), those of ``generated.py`` to .14.
"""

import argparse
import base64
import json
import pathlib
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass

import server
import uvloop
from crawl import Server, catalogue, timed
from generated import GeneratedPortal
from isal import igzip_lib
from uncaptured import SETTINGS

from crawler.catalogue import load
from crawler.fetch.options import Options
from crawler.run import Run
from crawler.warc.writer import LEVEL

KINDS = {"captured": (), "uncaptured": tuple(SETTINGS.items())}


@dataclass(slots=True)
class RealisticPortal(GeneratedPortal):
    """Its pages have a script where others have links."""

    def __post_init__(self):
        super(RealisticPortal, self).__post_init__()
        _, mark, footer = self._foot.partition(b'<div class="footer">')
        noise = base64.b64encode(random.Random(self.seed).randbytes(6_000))
        self._foot = b"</div><script>var state='" + noise + b"'</script>" + mark + footer


class RealisticServer(Server):
    def __init__(self, articles):
        command = [sys.executable, __file__, "--serve", str(articles)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.urls = json.loads(self.process.stdout.readline())


def child(folder, kind, full):
    """One crawl, in this process and one worker."""
    options = Options(
        db=folder / "a.db",
        warc=folder / "warc",
        full=full,
        delay=0,
        allow_networks=("127.0.0.0/8",),
        settings=KINDS[kind],
    )
    result = Run([(portal,) for portal in load(folder / "portals.toml")], options)()
    if result.status != "ok":
        sys.exit(f"{result.status}: {[(line.status, line.reason) for line in result.portals]} {result.lost}")


@contextmanager
def archive(urls):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="xianzhi-bench-"))
    try:
        (folder / "portals.toml").write_text(catalogue(urls), encoding="utf-8")
        yield folder
    finally:
        shutil.rmtree(folder)


def crawl(folder, articles, kind="captured", *, full=False):
    """(CPU seconds, bytes of WARC so far)."""
    command = [sys.executable, __file__, "--child", str(folder), kind, *(["--full"] if full else [])]
    _, cpu, _, _ = timed(command)
    stored = sqlite3.connect(folder / "a.db").execute("SELECT count(*) FROM articles").fetchone()[0]
    if stored != articles:
        sys.exit(f"{stored} of {articles} articles stored")
    return cpu, sum(file.stat().st_size for file in (folder / "warc").glob("*"))


def bytes_of_a_second_look(urls, articles):
    with archive(urls) as folder:
        _, first = crawl(folder, articles)
        _, both = crawl(folder, articles, full=True)
        sql = "SELECT count(*), count(revisit_of) FROM captures WHERE kind = 'article'"
        captures, revisits = sqlite3.connect(folder / "a.db").execute(sql).fetchone()
    print(
        f"crawl --full of an unchanged portal: {both - first:,} bytes of WARC after {first:,}, {(both - first) / first:.1%}"
        f" ({first / articles:.0f} and {(both - first) / articles:.0f} an article; {revisits} revisits in {captures})"
    )


def cost_of_capture(urls, articles, rounds):
    costs = {kind: [] for kind in KINDS}
    for number in range(rounds):
        for kind in sorted(KINDS, reverse=bool(number % 2)):
            with archive(urls) as folder:
                cpu, _ = crawl(folder, articles, kind)
            costs[kind].append(1000 * cpu / articles)
    differences = [one - other for one, other in zip(costs["captured"], costs["uncaptured"], strict=True)]
    for kind, values in costs.items():
        print(f"{kind:12} {statistics.median(values):.2f} ms CPU a page, rounds {' '.join(f'{v:.2f}' for v in values)}")
    print(
        f"capture costs {statistics.median(differences):.2f} ms a page (median of the rounds' differences,"
        f" {' '.join(f'{value:.2f}' for value in differences)}); least against least {min(costs['captured']) - min(costs['uncaptured']):.2f}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--child", nargs=2, metavar=("FOLDER", "KIND"), help=argparse.SUPPRESS)
    parser.add_argument("--serve", type=int, metavar="ARTICLES", help=argparse.SUPPRESS)
    parser.add_argument("--full", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(pathlib.Path(options.child[0]), options.child[1], options.full)
        return
    if options.serve:
        server.GeneratedPortal = RealisticPortal
        uvloop.run(server.main(1, options.serve, 0.0))
        return
    page = RealisticPortal(seed=1, articles=1).article(0)
    packed = len(igzip_lib.compress(page, LEVEL, igzip_lib.COMP_GZIP))
    print(
        f"{options.articles} articles of {len(page) / 1000:.0f} kB ({packed / len(page):.2f} of it compressed), one portal"
        " on loopback, --jobs 1, delay 0"
    )
    with RealisticServer(options.articles) as portal:
        bytes_of_a_second_look(portal.urls, options.articles)
        cost_of_capture(portal.urls, options.articles, options.rounds)


if __name__ == "__main__":
    main()
