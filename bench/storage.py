"""What an article takes in the archive, by table and index, and what the knowledge about it costs, part by part.

    python bench/storage.py [--articles 20000] [--db FILE]

The articles are stories of `lineage` of about 1,600 characters, by 50 portals, over two years. Two of ten are reprints of
earlier ones of every kind, one of fifty is printed twice on its page, one of five carries a slogan; every page has the three
lines of its portal below it. Each is stored twice: in an archive, through the stages and the writer, and as plain text: the
same rows of captures, articles and versions, with the whole text in a column. Every text is read back and compared.

CPU is ``process_time`` an article. ``over plain text`` is what the archive costs and the plain one does not; goal 4 ms for
sections, reprints, places and index together. What the parts leave of it is SQLite's own: pages written, transactions.
"""

import argparse
import hashlib
import random
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import lineage

from crawler.archive import afterwards, mentions, search, spam, texts, writer
from crawler.archive.batch import Batch, StoredArticle, StoredCapture
from crawler.archive.connection import open_archive, transaction
from crawler.records import Article, Capture, Paragraph, RecordRef
from pipelines import places, sections
from pipelines import spam as spam_stage

RUN = "20240101T000000000Z-bench"
LENGTH = 1_600
PORTALS = 50
BATCH = 100
REPRINTED, TWICE = 0.2, 0.02
GOAL = 4.0
FTS = "articles_fts"
SMALL = 4
"""Bytes an article below which a table is not named."""

STAGES = (
    ("spam: stage", spam_stage.spam),
    ("sections: stage", sections.sections),
    ("places: stage", places.places),
)
STORING = (
    ("sections: storing", texts.Sections, "store"),
    ("spam: storing", spam, "store"),
    ("places: storing", mentions, "store"),
    ("index: storing", search.Changes, "expect"),
    ("index: storing", search.Changes, "write"),
)


class Corpus:
    """The articles, in the order in which they are found."""

    def __init__(self, seed=1):
        self._chance = random.Random(seed)
        self._told = []

    def article(self, number):
        chance = self._chance
        if self._told and chance.random() < REPRINTED:
            story, author = chance.choice(self._told)
            story = chance.choice(list(lineage.CHANGES.values()))(story, chance, author)
        else:
            story, author = self._new(number)
            self._told = [*self._told[-2000:], (story, author)]
        texts = story.texts * (2 if chance.random() < TWICE else 1)
        portal = chance.randrange(PORTALS)
        return self._record(number, portal, story.title, (*texts, *footer(portal, chance)))

    def _new(self, number):
        author = lineage.Author(random.Random(number))
        story = author.story(f"story {number}")
        while sum(map(len, story.texts)) < LENGTH:
            story = replace(story, paragraphs=(tuple(author.sentence() for _ in range(4)), *story.paragraphs))
        return story, author

    def _record(self, number, portal, title, texts):
        url = f"https://county{portal}.example/xwzx/jryw/t{number}.html"
        seen = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
        capture = Capture(
            run_id=RUN,
            portal_id=f"county{portal}",
            kind="article",
            url=url,
            fetched_at=seen,
            status=200,
            content_type="text/html; charset=utf-8",
            payload_sha256=hashlib.sha256(url.encode()).hexdigest(),
            record=RecordRef(
                file=f"xianzhi-county{portal}-20240101000000-0.warc.gz", offset=number * 9000, length=9000
            ),
        )
        day = datetime(2022, 1, 1, tzinfo=UTC) + timedelta(days=self._chance.randrange(730))
        return Article(
            capture=capture,
            encoding="utf-8",
            kind="article",
            title=title,
            published=f"{day:%Y-%m-%d}",
            published_basis="visible",
            source="县融媒体中心",
            paragraphs=tuple(Paragraph(text=text) for text in texts),
        )


def footer(portal, chance):
    return (
        f"责任编辑：{'王李张赵'[chance.randrange(4)]}编辑",
        f"第{portal}县人民政府主办 第{portal}县融媒体中心承办",
        f"地址：第{portal}县人民路{portal}号 未经许可不得转载本网内容",
    )


class Clock:
    """CPU seconds by part."""

    def __init__(self):
        self.spent = defaultdict(float)

    @contextmanager
    def on(self, part):
        began = time.process_time()
        yield
        self.spent[part] += time.process_time() - began

    def watch(self, part, owner, name):
        """Count what the calls of a function of the archive's cost, wherever they come from."""
        watched = getattr(owner, name)

        def counted(*args, **options):
            began = time.process_time()
            try:
                return watched(*args, **options)
            finally:
                self.spent[part] += time.process_time() - began

        setattr(owner, name, counted)


def begin(path):
    conn = open_archive(path)
    conn.execute("INSERT INTO runs (id, started_at, status) VALUES (?, '2024-01-01T00:00:00Z', 'running')", (RUN,))
    conn.executemany(
        "INSERT INTO portals (id, name, division_code, homepage, enabled) VALUES (?, ?, '610424', 'https://x.example/', 1)",
        [(f"county{n}", f"第{n}县人民政府") for n in range(PORTALS)],
    )
    return conn


def batch_of(articles):
    items = tuple(StoredArticle(article=article, url=article.capture.url) for article in articles)
    captures = tuple(StoredCapture(capture=article.capture) for article in articles)
    return Batch(run_id=RUN, extractor="bench", articles=items, captures=captures)


def store_plain(conn, articles):
    """The same articles without paragraphs, and their text beside them."""
    bare = [replace(article, title=None, paragraphs=()) for article in articles]
    written = writer.write(conn, batch_of(bare))
    with transaction(conn):
        conn.executemany(
            "INSERT INTO plain (version_id, title, text) VALUES (?, ?, ?)",
            [
                (one.version_id, article.title, "\n".join(paragraph.text for paragraph in article.paragraphs))
                for one, article in zip(written, articles, strict=True)
            ],
        )


def in_batches(count):
    corpus = Corpus()
    for first in range(0, count, BATCH):
        yield [corpus.article(number) for number in range(first, min(first + BATCH, count))]


def fill_plain(path, count, clock):
    """The plain archive, and the bytes of all texts."""
    conn = begin(path)
    conn.execute("CREATE TABLE plain (version_id INTEGER PRIMARY KEY, title TEXT, text TEXT)")
    for found in in_batches(count):
        with clock.on("plain"):
            store_plain(conn, found)
    return conn, conn.execute("SELECT sum(length(CAST(text AS BLOB))) FROM plain").fetchone()[0]


def fill(path, count, clock):
    """The archive as a crawl leaves it."""
    conn = begin(path)
    for part, owner, name in STORING:
        clock.watch(part, owner, name)
    for found in in_batches(count):
        read = found
        for part, stage in STAGES:
            with clock.on(part):
                read = [stage(article) for article in read]
        with clock.on("writer"):
            written = writer.write(conn, batch_of(read))
        for one, article in zip(written, found, strict=True):
            text = "\n".join(paragraph.text for paragraph in article.paragraphs)
            assert texts.text_of_version(conn, one.version_id) == text
    stored = dict(clock.spent)
    for part, step in afterwards.STEPS:
        with clock.on(f"{part}: afterwards"):
            step(conn)
    clock.spent.update(stored)  # what the archive's functions took since then is in these parts
    return conn


def sizes(conn):
    """Bytes by table and index; FTS5's own tables are one."""
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    found = defaultdict(int)
    for name, size in conn.execute("SELECT name, pgsize FROM dbstat('main', 1)"):
        found[FTS if name.startswith(FTS) else name] += size
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def tell_sizes(conn, plain, count, text):
    held, bare = sizes(conn), sizes(plain)
    print(f"\nbytes an article; its text has {text / count:.0f} (UTF-8)")
    for name, size in held.items():
        if size / count >= SMALL:
            print(f"  {name:45} {size / count:8.0f}")
    of_text = sum(size for name, size in held.items() if "sections" in name)
    print(
        f"  {'texts (sections and their places)':45} {of_text / count:8.0f}  {of_text / bare['plain']:.2f} of a plain column"
    )
    print(
        f"  {'all':45} {sum(held.values()) / count:8.0f}  {sum(held.values()) / sum(bare.values()):.2f} of plain storage"
    )
    print(f"  {'plain storage: all':45} {sum(bare.values()) / count:8.0f}")
    stored = conn.execute(
        "SELECT (SELECT count(*) FROM sections), count(*), count(text) FROM version_sections"
    ).fetchone()
    print("  {} sections for {} places, {} of which have bytes of their own".format(*stored))


def tell_costs(spent, count):
    print("\nCPU an article, ms")
    cost = {part: seconds / count * 1000 for part, seconds in spent.items()}
    plain, whole = cost.pop("plain"), cost.pop("writer")
    cost["writer, the rest"] = whole - sum(cost[part] for part in {part for part, *_ in STORING})
    for part in sorted(cost):
        print(f"  {part:38} {cost[part]:6.2f}")
    over = sum(cost.values()) - plain
    print(f"  {'plain text: all':38} {plain:6.2f}")
    print(f"  {'over plain text':38} {over:6.2f}")
    others = sum(cost[part] for part in cost if part.startswith(("spam", "boilerplate")))
    print(f"  {'without spam and boilerplate':38} {over - others:6.2f}  goal {GOAL}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--db", type=Path, help="Where to put the archive, to keep it.")
    options = parser.parse_args()
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        plain, text = fill_plain(Path(folder) / "plain.db", options.articles, clock)
        conn = fill(options.db or Path(folder) / "archive.db", options.articles, clock)
        tell_sizes(conn, plain, options.articles, text)
        tell_costs(clock.spent, options.articles)


if __name__ == "__main__":
    main()
