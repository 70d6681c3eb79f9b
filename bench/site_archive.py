"""An archive as the site has it after some years, for `bench/site.py`: articles of about 1,600 characters in the language
of `bench/search.py`, of 300 real counties in all provinces, over sixteen years. One of five is a reprint of an earlier one,
one of twenty was edited, one of thirty is gone, one of a hundred had an advertisement injected; every portal has a line in
each of 120 runs.
"""

import random
import sys
from datetime import UTC, datetime, timedelta

import search as language

from crawler import divisions
from crawler.archive import runs, writer
from crawler.archive.batch import Batch, Observation, StoredArticle, StoredCapture
from crawler.archive.connection import open_archive, transaction
from crawler.records import Article, Capture, Paragraph, RecordRef
from crawler.text.folding import fold_hash

PORTALS = 300
RUNS = 120
BATCH = 500
REPRINTED, EDITED, GONE = 0.2, 0.05, 0.033
DEFACED = 100
"""One version of so many has an injected run."""
IMPRINTED = 10
"""One version of so many ends with a line that all portals print."""
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
        store(conn, items)
        later = [item for item in items if chance.random() < EDITED]
        store(conn, [changed(item, chance) for item in later])
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
    finish(conn)
    conn.close()


def finish(conn):
    """What a run learns at its end; no reading text is changed by it."""
    with transaction(conn):
        conn.execute(
            "UPDATE articles SET division_basis = 'portal',"
            " division_code = (SELECT division_code FROM portals WHERE id = portal_id)"
        )
        imprint = "主办：县人民政府　承办：县人民政府办公室　网站标识码"
        section = conn.execute(
            "INSERT INTO sections (fold_hash, text, chars, first_version_id) VALUES (?, ?, ?, 1) RETURNING id",
            (fold_hash(imprint), imprint, len(imprint)),
        ).fetchone()[0]
        conn.execute(
            "INSERT INTO version_sections (version_id, position, section_id, role)"
            " SELECT id, 999, ?, 'boilerplate' FROM versions WHERE id % ? = 1",
            (section, IMPRINTED),
        )
        conn.execute(
            'INSERT INTO spam_spans (version_id, position, start, "end", text, rule, score, cut)'
            " SELECT id, 0, 0, 10, '澳门赌场官网开户平台', 'phrase', 0.9, 0 FROM versions WHERE id % ? = 1",
            (DEFACED,),
        )
    conn.execute("ANALYZE")


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


def store(conn, items):
    captures = tuple(StoredCapture(capture=item.article.capture) for item in items)
    writer.write(conn, Batch(run_id="late", extractor="bench", captures=captures, articles=tuple(items)))
