"""How fast the site is over a large archive: every kind of page, over a published copy and over the live archive.

    python bench/site.py [--articles 100000] [--db FILE] [--rounds 3] [--page NAME] [--profile]

The archive is that of `bench/site_archive.py`; ``--db`` keeps it, and the copy that is published of it beside it, and uses
what is there. Pages are asked for one after the other through Datasette's own client: server time, without the network.
The first request of a kind is ``cold``. Then every address is asked for ``--rounds`` times, in turns: p50, p95 and max are
over all of these, first visits included, in milliseconds, and so are the goals, which are for p95. ``cpu`` is the p95 of the
process's CPU time, which is less shaken where others use the machine. ``ratio`` is p95 over the yardstick's p50, measured
around each kind: Datasette's own page of ``select 1``, without a file. Sizes are in kB.

Then the copy is served by ``xianzhi serve`` in a process of its own, and asked over loopback: how long until its first
answer, memory after 1,000 and 2,000 different pages, rows of ``/export.csv`` with text a second, and memory after it.
``--page`` measures one kind alone, ``--profile`` says what its time went to. Swapping copies is in `bench/export.py`.
"""

import argparse
import asyncio
import cProfile
import itertools
import pstats
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import search as language
import site_archive
from datasette.app import Datasette

from crawler.archive.connection import open_archive
from crawler.archive.published import publish
from crawler.archive.search_query import count
from crawler.publish.server import open_site
from crawler.text.query import parse

VARIED = 2_000
"""Pages after which memory is looked at."""
EXPORT_GOAL = 7_000
"""Rows a second."""


def common_words(conn, chance):
    """Words of two characters that thousands of articles have, the most frequent first."""
    known = language.Language().words(chance, 3000)
    found = sorted({word for word in known if len(word) == 2})
    return sorted(found, key=lambda word: -count(conn, parse(word)))[:20]


def questions(path):
    """For each kind of page: its goal in ms (p95), and addresses."""
    conn = open_archive(path, readonly=True)
    chance = random.Random(3)
    (articles,) = conn.execute("SELECT max(id) FROM articles").fetchone()
    ids = [chance.randint(1, articles) for _ in range(60)]
    codes = [code for (code,) in conn.execute("SELECT division_code FROM portals LIMIT 20")]
    sections = [
        one for (one,) in conn.execute("SELECT section_id FROM version_sections WHERE version_id % 5003 = 1 LIMIT 20")
    ]
    (common_section,) = conn.execute("SELECT section_id FROM version_sections WHERE position = 999 LIMIT 1").fetchone()
    edits = conn.execute(
        "SELECT article_id, min(id), max(id) FROM versions GROUP BY article_id HAVING count(*) > 1 LIMIT 20"
    ).fetchall()
    words = common_words(conn, chance)
    conn.close()
    searches = [f"/search?q={quote(word)}" for word in words]
    table = f"/{path.stem}"
    wide = [f"/county/{code[:4]}00" for code in codes[:10]] + [f"/county/{code[:2]}0000" for code in codes[:10]]
    return {
        "home": (100, ["/", "/?_lang=en", "/index.json"]),
        "article": (30, [f"/article/{n}" for n in ids]),
        "article, compared": (100, [f"/article/{one}?compare={old}..{new}" for one, old, new in edits]),
        "search, common word": (150, searches),
        "search, several words": (150, [f"/search?q={quote(f'{a} {b}')}" for a, b in itertools.pairwise(words)]),
        "search, narrowed": (150, [f"{one}&from=2015&division=61" for one in searches]),
        "search, newest": (150, [f"{one}&sort=newest" for one in searches]),
        "search, page 50": (150, [f"{one}&page=50" for one in searches]),
        "search, filters only": (150, ["/search?from=2014&to=2015", "/search?division=61", "/search?state=gone"]),
        "county": (100, [f"/county/{code}" for code in codes]),
        "prefecture, province": (100, ["/county", *wide]),
        "portal": (100, [f"/portal/portal{n}" for n in range(20)]),
        "portals": (100, ["/portal", "/portal?sort=status&page=3"]),
        "section": (100, [f"/section/{one}" for one in sections]),
        "section of a tenth": (1000, [f"/section/{common_section}", f"/section/{common_section}?page=7"]),
        "changes": (100, ["/changes", "/changes?page=20", "/changes?kind=gone", f"/changes?division={codes[3][:2]}"]),
        "defaced": (100, ["/defaced", "/defaced?portal=portal1"]),
        "feeds": (100, [
            "/articles.atom", "/changes.atom", f"/search.atom?q={quote(words[0])}", "/search.atom?portal=portal7",
            f"/search.atom?division={codes[3]}",
        ]),
        "sitemap": (500, ["/sitemap.xml", "/sitemap-0.xml", "/sitemap-1.xml"]),
        "about": (100, ["/about", "/robots.txt"]),
        "table of articles": (300, [
            f"{table}/articles", f"{table}/articles?portal_id=portal7", f"{table}/articles?_search={quote(words[0])}",
            f"{table}/articles?published__startswith=2015", f"{table}/articles?state=gone",
        ]),
        "other tables": (300, [
            f"{table}/{name}" for name in
            ("versions", "sections", "version_sections", "captures", "portal_runs", "mentions", "reprints", "spam_spans")
        ]),
        "database, rows, queries": (300, [
            table, f"{table}/articles/{ids[0]}", f"{table}/versions/{ids[1]}", f"{table}/newest_articles",
            f"{table}/articles_of_a_county?county={codes[3]}&year=2015",
        ]),
    }  # fmt: skip


class Yardstick:
    """Datasette's own page of ``select 1``."""

    def __init__(self):
        self._datasette = Datasette(memory=True)

    async def start(self):
        await self._datasette.invoke_startup()
        await self.measured()

    async def measured(self):
        """Milliseconds of some requests."""
        found = []
        for _ in range(10):
            began = time.perf_counter()
            (await self._datasette.client.get("/_memory?sql=select+1")).raise_for_status()
            found.append((time.perf_counter() - began) * 1e3)
        return found


async def measure(site, addresses, rounds):
    """Of each answer milliseconds, also of CPU time, and size; answers that were no 200."""
    taken, used, sizes, others = [], [], [], {}
    for _ in range(rounds):
        for address in addresses:
            began, used_before = time.perf_counter(), time.process_time()
            response = await site.client.get(address)
            taken.append((time.perf_counter() - began) * 1e3)
            used.append((time.process_time() - used_before) * 1e3)
            sizes.append(len(response.content))
            if response.status_code != 200:
                others[address] = response.status_code
    return taken, used, sizes, others


def percentile(values, percent):
    return statistics.quantiles([*values, *values], n=100, method="inclusive")[percent - 1]


COLUMNS = "{:24} {:>7} {:>7} {:>7} {:>7} {:>7} {:>6} {:>5} {:>5}  {}"


def report(name, goal, cold, taken, used, sizes, others, yard):
    p95 = percentile(taken, 95)
    ratio = p95 / statistics.median(yard)
    figures = [f"{one:.1f}" for one in (statistics.median(taken), p95, max(taken), cold, percentile(used, 95), ratio)]
    print(
        COLUMNS.format(name, *figures, f"{max(sizes) / 1e3:.0f}", goal, "ok" if p95 <= goal else "OVER"),
        *([others] if others else ()),
        flush=True,
    )


async def pages(path, rounds, only, profile):
    """Measure the kinds of pages over one file."""
    yardstick = Yardstick()
    await yardstick.start()
    site = open_site(path, sql=False)
    await site.invoke_startup()
    print(COLUMNS.format("page", "p50", "p95", "max", "cold", "cpu", "ratio", "kB", "goal", ""))
    for name, (goal, addresses) in questions(path).items():
        if only and only != name:
            continue
        yard = await yardstick.measured()
        [cold], *_ = await measure(site, addresses[:1], 1)
        watch = cProfile.Profile()
        if profile:
            watch.enable()
        figures = await measure(site, addresses, rounds)
        if profile:
            watch.disable()
        report(name, goal, cold, *figures, yard + await yardstick.measured())
        if profile:
            pstats.Stats(watch).sort_stats("cumulative").print_stats(40)
    site.executor.shutdown()


@contextmanager
def served(path):
    """``xianzhi serve`` over a file: its address, its process, and when it was started."""
    command = [sys.executable, "-m", "crawler", "serve", str(path), "--port", "0", "--no-sql"]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield re.search(r"http://\S+", process.stdout.readline())[0], process, began
        finally:
            process.terminate()


def memory(process, peak=False):
    """Megabytes in memory that are the process's own."""
    found = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(re.search(rf"{'VmHWM' if peak else 'RssAnon'}:\s*(\d+)", found)[1]) / 1000


def varied(path):
    """Addresses that differ."""
    kinds = [addresses for _, addresses in questions(path).values()]
    yield from itertools.chain(*kinds)
    chance = random.Random(11)
    words = language.Language()
    while True:
        word = quote(words.words(chance, 1)[0])
        yield f"/article/{chance.randint(1, 90_000)}"
        yield f"/search?q={word}&from={chance.randint(2008, 2023)}"
        yield f"/portal/portal{chance.randrange(site_archive.PORTALS)}"
        yield f"/section/{chance.randint(1, 500_000)}"
        yield f"/changes?portal=portal{chance.randrange(site_archive.PORTALS)}&page={chance.randint(1, 9)}"


def serving(path):
    """A process of its own: cold start, memory, files."""
    with served(path) as (address, process, began), httpx.Client(base_url=address, timeout=120) as client:
        client.get("/").raise_for_status()
        print(f"first answer after {time.perf_counter() - began:.1f} s, {memory(process):.0f} MB", flush=True)
        for number, one in enumerate(itertools.islice(varied(path), VARIED), 1):
            if (status := client.get(one).status_code) >= 500:
                print(f"{status} {one}")
            if number in (VARIED // 2, VARIED):
                print(f"after {number} pages {memory(process):.0f} MB, at most {memory(process, peak=True):.0f} MB")
        for coding in ("identity", "gzip"):
            exported(client, coding)
            print(f"  then {memory(process):.0f} MB, at most {memory(process, peak=True):.0f} MB", flush=True)


def exported(client, coding):
    """Rows a second of a CSV, as it is written."""
    began, size = time.perf_counter(), 0
    with client.stream("GET", "/export.csv?from=2008", headers={"accept-encoding": coding}) as response:
        rows = int(response.headers["xianzhi-rows"])
        for piece in response.iter_raw():
            size += len(piece)
    rate = rows / (time.perf_counter() - began)
    verdict = "ok" if rate >= EXPORT_GOAL else "UNDER"
    print(f"export.csv, {coding}: {rows} rows, {size / 1e6:.0f} MB, {rate:,.0f} rows/s, goal {EXPORT_GOAL:,} {verdict}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--db", type=Path, help="Where to put the archive, to keep it; one that is there is used.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--page", help="Only this kind of page.")
    parser.add_argument("--profile", action="store_true", help="With --page: what its time went to.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        archive = options.db or Path(folder) / "archive.db"
        if not archive.exists():
            site_archive.fill(archive, options.articles)
        copy = archive.with_name(f"{archive.stem}-copy.db")
        if not copy.exists():
            publish(archive, copy, progress=lambda *_: None)
        for kind, path in (("published copy", copy), ("live archive", archive)):
            print(f"\n{kind}, {path.stat().st_size / 1e6:,.0f} MB")
            asyncio.run(pages(path, options.rounds, options.page, options.profile))
        if not options.page:
            print("\nserved by a process of its own:")
            serving(copy)


if __name__ == "__main__":
    main()
