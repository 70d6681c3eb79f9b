"""How fast the site's pages are over a large archive: server time, as Datasette's own client sees it, warm.

    python bench/site.py [--articles 100000] [--db FILE] [--rounds 3] [--profile PAGE]

The archive is made once (``--db`` keeps it): articles of about 1,600 characters in the language of `bench/search.py`, of 300
real counties in all provinces, over sixteen years; one of five is a reprint of an earlier one, one of twenty was edited,
one of thirty is gone; every portal has a line in each of 120 runs. Each address is asked for once, which counts as ``at
first``, and then ``--rounds`` times; goals are p95 in milliseconds.
"""

import argparse
import asyncio
import cProfile
import pstats
import random
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import search as language

from crawler import divisions
from crawler.archive import runs, writer
from crawler.archive.batch import Batch, Observation, StoredArticle, StoredCapture
from crawler.archive.connection import open_archive, transaction
from crawler.archive.search_query import count
from crawler.publish.server import open_site
from crawler.records import Article, Capture, Paragraph, RecordRef
from crawler.text.folding import fold_hash
from crawler.text.query import parse

PORTALS = 300
RUNS = 120
BATCH = 500
REPRINTED, EDITED, GONE = 0.2, 0.05, 0.033
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


def counties(chance):
    """Codes and names of today's counties, from all provinces."""
    found = [(row.code, row.name) for row in divisions.rows() if row.level == 3 and row.to_year is None]
    return chance.sample(found, PORTALS)


def fill(path, articles):
    chance = random.Random(5)
    conn = open_archive(path)
    places = counties(chance)
    with transaction(conn):
        runs.load_divisions(conn)
        conn.executemany(
            "INSERT INTO portals (id, name, division_code, homepage, cms, enabled) VALUES (?, ?, ?, ?, 'trs', 1)",
            [
                (f"portal{n}", f"{name}人民政府", code, f"https://portal{n}.example/")
                for n, (code, name) in enumerate(places)
            ],
        )
        _runs(conn, chance)
    words = language.Language()
    told = []
    for first in range(0, articles, BATCH):
        numbers = range(first, min(first + BATCH, articles))
        items, pairs = [], []
        for number in numbers:
            portal = min(int(chance.paretovariate(0.7)) - 1, PORTALS - 1) if chance.random() < 0.3 else number % PORTALS
            if told and chance.random() < REPRINTED:
                original = chance.choice(told)
                pairs.append((original + 1, number + 1))
                title, texts = words.article(original)
            else:
                told = [*told[-3000:], number]
                title, texts = words.article(number)
            items.append(article(number, portal, title, texts, chance=chance))
        store(conn, items, f"20240101T00{number % 60:02}00.000Z-{number % RUNS:04}")
        later = [item for item in items if chance.random() < EDITED]
        store(conn, [changed(item, chance) for item in later], "late")
        gone = tuple(
            Observation(portal_id=item.article.capture.portal_id, url=item.url, seen_at=BEGIN + timedelta(days=400), state="gone")
            for item in items if chance.random() < GONE
        )  # fmt: skip
        writer.write(conn, Batch(run_id="late", extractor="bench", observations=gone))
        conn.executemany("INSERT OR IGNORE INTO reprints VALUES (?, ?, 0.95, 'same')", pairs)
        conn.executemany(
            "INSERT OR IGNORE INTO mentions VALUES (?, ?, 2)",
            [(number + 1, chance.choice(places)[0]) for number in numbers for _ in range(2)],
        )
        print(f"\r{numbers[-1] + 1} articles", end="", file=sys.stderr)
    print(file=sys.stderr)
    conn.execute("UPDATE articles SET division_basis = 'portal'")
    conn.execute("ANALYZE")
    conn.close()


def _runs(conn, chance):
    started = [BEGIN + timedelta(days=n) for n in range(RUNS)]
    ids = [f"{day:%Y%m%dT%H%M%S}.000Z-{n:04}" for n, day in enumerate(started)]
    conn.executemany(
        "INSERT INTO runs VALUES (?, ?, ?, 'ok')",
        [
            *((i, f"{d:%FT%TZ}", f"{d:%FT%TZ}") for i, d in zip(ids, started, strict=True)),
            ("late", "2025-02-04T00:00:00Z", None),
        ],
    )
    conn.executemany(
        "INSERT INTO portal_runs (run_id, portal_id, status, fetched, new, reason) VALUES (?, ?, ?, 9, 7, ?)",
        [
            (run, f"portal{n}", *(("ok", None) if chance.random() < 0.95 else ("failed", "no connection")))
            for run in ids
            for n in range(PORTALS)
        ],
    )


def article(number, portal, title, texts, *, chance, day=0):
    url = f"https://portal{portal}.example/xw/t{number}.html"
    capture = Capture(
        run_id="late", portal_id=f"portal{portal}", kind="article", url=url,
        fetched_at=BEGIN + timedelta(minutes=number, days=day), status=200, content_type="text/html",
        payload_sha256=f"{number:032x}{day:032x}",
        record=RecordRef(file=f"xianzhi-portal{portal}-2024.warc.gz", offset=(number * 2 + bool(day)) * 9000, length=9000),
    )  # fmt: skip
    year = chance.choices(range(2008, 2024), weights=range(4, 20))[0]
    return StoredArticle(
        url=url,
        article=Article(
            capture=capture, encoding="utf-8", kind="article", title=title, source="县融媒体中心",
            published=f"{year}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}", published_basis="visible",
            paragraphs=tuple(Paragraph(text=text, fold_hash=fold_hash(text)) for text in texts),
        ),
    )  # fmt: skip


def changed(item, chance):
    """The same article a month later with its second paragraph gone."""
    number = int(item.url.rpartition("/t")[2].removesuffix(".html"))
    portal = int(item.article.capture.portal_id.removeprefix("portal"))
    texts = [paragraph.text for paragraph in item.article.paragraphs]
    return article(number, portal, item.article.title, texts[:1] + texts[2:], chance=chance, day=30)


def store(conn, items, run):
    captures = tuple(StoredCapture(capture=item.article.capture) for item in items)
    writer.write(conn, Batch(run_id="late", extractor="bench", captures=captures, articles=tuple(items)))


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
    words = common_words(conn, chance)
    conn.close()
    searches = [f"/search?q={quote(word)}" for word in words]
    return {
        "article": (30, [f"/article/{n}" for n in ids]),
        "search, common word": (150, searches),
        "search, narrowed": (150, [f"{one}&from=2015&division=61" for one in searches]),
        "search, newest": (150, [f"{one}&sort=newest" for one in searches]),
        "search, filters only": (150, ["/search?from=2014&to=2015", "/search?division=61", "/search?state=gone"]),
        "home": (100, ["/", "/?_lang=en"]),
        "county": (100, [f"/county/{code}" for code in codes]),
        "prefecture, province": (100, [f"/county/{code[:4]}00" for code in codes[:5]] + [f"/county/{code[:2]}0000" for code in codes[:5]]),
        "portal": (100, [f"/portal/portal{n}" for n in range(20)]),
        "section": (100, [f"/section/{one}" for one in sections]),
        "changes": (100, ["/changes", "/changes.atom"]),
        "defaced": (100, ["/defaced"]),
        "feeds": (100, [f"/search.atom?q={quote(words[0])}", "/articles.atom"]),
    }  # fmt: skip


async def measure(site, addresses, rounds):
    """Milliseconds of each answer, and answers that were no 200."""
    taken, others = [], {}
    for _ in range(rounds):
        for address in addresses:
            began = time.perf_counter()
            response = await site.client.get(address)
            taken.append((time.perf_counter() - began) * 1e3)
            if response.status_code != 200:
                others[address] = response.status_code
    return taken, others


def report(name, goal, first, taken, others):
    cuts = statistics.quantiles([*taken, *taken], n=20, method="inclusive")
    verdict = "ok" if cuts[18] <= goal else "OVER"
    print(
        f"{name:24} p50 {cuts[9]:8.1f}   p95 {cuts[18]:8.1f}   goal {goal:4}   {verdict}   at first {max(first):7.1f} {others or ''}"
    )


async def streamed(site, address):
    """Rows a second of a CSV, as it is written."""
    began = time.perf_counter()
    response = await site.client.get(address)
    rows = response.text.count("\r\n")
    return rows, rows / (time.perf_counter() - began)


async def run(path, rounds, profile):
    site = open_site(path, sql=False)
    await site.invoke_startup()
    for name, (goal, addresses) in questions(path).items():
        if profile and profile != name:
            continue
        first, _ = await measure(site, addresses, 1)
        watch = cProfile.Profile()
        if profile:
            watch.enable()
        report(name, goal, first, *await measure(site, addresses, rounds))
        if profile:
            watch.disable()
            pstats.Stats(watch).sort_stats("cumulative").print_stats(40)
    if not profile:
        rows, rate = await streamed(site, "/export.csv?from=2008")
        print(f"{'export.csv with text':24} {rows} rows, {rate:.0f} rows/s, goal 7000")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--db", type=Path, help="Where to put the archive, to keep it; one that is there is used.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", metavar="PAGE", help="Only this kind of page, with what its time went to.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.db or Path(folder) / "archive.db"
        if not path.exists():
            fill(path, options.articles)
        asyncio.run(run(path, options.rounds, options.profile))


if __name__ == "__main__":
    main()
