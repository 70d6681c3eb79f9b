"""Reprints: what is found of stories whose lineage is known, and what a night costs in archives that grow.

    python bench/reprints.py [--stories 600] [--sizes 10000,100000,300000] [--night 5000]

Quality: base stories are stored, then on another night every kind of reprint of each (`lineage.CHANGES`) and 200 notices
of five forms with other names and numbers. A reprint counts as found where it is paired with its base story; a pair is
right where both have one lineage. Growth: an archive is filled up to each size with the rows that other nights would have
left (random bands, random text has no others), then a night of articles, three of ten reprints, is caught up with.
CPU is ``process_time``; memory the process's peak.
"""

import argparse
import hashlib
import itertools
import pathlib
import random
import re
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import lineage

from crawler.archive import reprints, writer
from crawler.archive.batch import Batch, StoredArticle, StoredCapture
from crawler.archive.connection import open_archive, transaction
from crawler.records import Article, Capture, Paragraph, RecordRef
from crawler.text.likeness import compare, wording
from pipelines.sections import sections

RUN = "20240101T000000000Z-bench"
GOALS = {"verbatim": 0.99, "format": 0.99, "script": 0.99, "light": 0.99, "heavy": 0.80, "excerpt": 0.70}
BANDS_AN_ARTICLE = 16


def begin(path):
    conn = open_archive(path)
    conn.execute("INSERT INTO runs (id, started_at, status) VALUES (?, '2024-01-01T00:00:00Z', 'running')", (RUN,))
    conn.executemany(
        "INSERT INTO portals (id, name, division_code, homepage, enabled) VALUES (?, ?, '990001', 'https://x.example/', 1)",
        [(f"county{n}", f"county {n}") for n in range(10)],
    )
    return conn


serial = itertools.count(1)


def stored(story):
    number = next(serial)
    url = f"https://county{number % 10}.example/t{number}.html"
    capture = Capture(
        run_id=RUN,
        portal_id=f"county{number % 10}",
        kind="article",
        url=url,
        fetched_at=datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=number),
        status=200,
        payload_sha256=hashlib.sha256(url.encode()).hexdigest(),
        record=RecordRef(file="bench.warc.gz", offset=number * 1000, length=900),
    )
    paragraphs = tuple(Paragraph(text=text) for text in story.texts)
    article = Article(capture=capture, encoding="utf-8", kind="article", title=story.title, paragraphs=paragraphs)
    return StoredArticle(article=sections(article), url=url)


def store(conn, stories):
    """Store *stories*; their article ids, in order."""
    ids = []
    for group in chunks(stories, 100):
        items = tuple(stored(story) for story in group)
        captures = tuple(StoredCapture(capture=item.article.capture) for item in items)
        batch = Batch(run_id=RUN, extractor="bench", articles=items, captures=captures)
        ids.extend(written.article_id for written in writer.write(conn, batch))
    return ids


def chunks(items, size):
    items = iter(items)
    while chunk := list(itertools.islice(items, size)):
        yield chunk


def quality(conn, count):
    chance = random.Random(7)
    written = list(lineage.stories(count, seed=1))
    base = [story for story, _ in written]
    base_ids = dict(zip((story.lineage for story in base), store(conn, base), strict=True))
    reprints.catch_up(conn)
    later = [new for story, author in written for new in lineage.reprints_of(story, author, seed=2)]
    later += lineage.notices(200, seed=3)
    chance.shuffle(later)
    ids = store(conn, later)
    reprints.catch_up(conn)

    tells = {article_id: line for line, article_id in base_ids.items()} | {
        article_id: story.lineage for article_id, story in zip(ids, later, strict=True)
    }
    pairs = {(one, other): kind for one, other, kind in conn.execute("SELECT article_id, other_id, kind FROM reprints")}
    found, of = Counter(), Counter()
    kinds = defaultdict(Counter)
    for article_id, story in zip(ids, later, strict=True):
        if story.change != "notice":
            kind = pairs.get((base_ids[story.lineage], article_id))
            of[story.change] += 1
            found[story.change] += kind is not None
            kinds[story.change][kind] += 1
    right = sum(tells[one] == tells[other] for one, other in pairs)
    notices = {article_id for article_id, story in zip(ids, later, strict=True) if story.change == "notice"}
    print(f"{count} stories of {statistics.mean(sum(map(len, story.texts)) for story in base):.0f} characters")
    for change, total in of.items():
        goal = f"goal {GOALS[change]:.2f}" if change in GOALS else ""
        print(f"  {change:15} recall {found[change] / total:.3f}  {goal:10} {dict(kinds[change])}")
    print(f"  precision {right / len(pairs):.4f} of {len(pairs)} pairs; goal .99")
    taken = {article_id for pair in pairs for article_id in pair} & notices
    print(f"  notices taken for reprints: {len(taken)} of {len(notices)}; goal 0")
    forms = [wording(story.title, "\n".join(story.texts)) for story in later if story.change == "notice"]
    alike = sum(compare(one, other) is not None for one, other in itertools.combinations(forms, 2))
    print(f"  the same, each with each: {alike} of {len(forms) * (len(forms) - 1) // 2} pairs")


def fill(conn, upto):
    """Articles that other nights would have left, up to *upto*: rows, marks and bands."""
    chance = random.Random(upto)
    [(have,)] = conn.execute("SELECT count(*) FROM articles").fetchall()
    conn.execute("PRAGMA foreign_keys = OFF")
    [(first,)] = conn.execute("SELECT coalesce(max(id), 0) + 1 FROM articles").fetchall()
    for group in chunks(range(first, first + upto - have), 20_000):
        with transaction(conn):
            conn.executemany(
                "INSERT INTO articles (id, portal_id, url, title, published, source, editor, chars, state, first_seen,"
                " last_seen, version_id) VALUES (?, 'county0', ?, ?, '2014-06-03', '县报', '王芳', 1200, 'live',"
                " '2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z', ?)",
                (
                    (n, f"https://county0.example/xw/201406/t20140603_{n}.html", f"县里的第{n}件新鲜事有了结果", -n)
                    for n in group
                ),
            )
            conn.executemany(
                "INSERT INTO reprint_marks (article_id, version_id) VALUES (?, ?)", ((n, -n) for n in group)
            )
            bands = sorted((chance.getrandbits(32) - 2**31, n) for n in group for _ in range(BANDS_AN_ARTICLE))
            conn.executemany("INSERT OR IGNORE INTO reprint_bands (band, article_id) VALUES (?, ?)", bands)
    conn.execute("PRAGMA foreign_keys = ON")
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def night(count, *, seed):
    """A night's articles: seven of ten new, the others reprints of these."""
    chance = random.Random(seed)
    written = list(lineage.stories(count * 7 // 10, seed=seed))
    copies = [
        change(story, chance, author)
        for (story, author), change in zip(
            chance.choices(written, k=count - len(written)), itertools.cycle(lineage.CHANGES.values())
        )
    ]
    return [story for story, _ in written] + copies


def size_of(conn, *tables):
    marks = ", ".join("?" * len(tables))
    names = f"SELECT name FROM sqlite_master WHERE tbl_name IN ({marks})"
    return conn.execute(f"SELECT sum(pgsize) FROM dbstat WHERE name IN ({names})", tables).fetchone()[0]


def growth(conn, sizes, count):
    print(f"\na night of {count} articles, three of ten reprints")
    for size in sizes:
        fill(conn, size)
        store(conn, night(count, seed=size))
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
        began, cpu = time.perf_counter(), time.process_time()
        done = reprints.catch_up(conn)
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        peak = int(re.search(r"VmHWM:\s*(\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024
        print(
            f"  {size:9,} articles before: {done} in {wall:6.1f} s, {cpu / done * 1000:.2f} ms CPU an article, peak {peak:.0f} MB"
        )
    [(articles,)] = conn.execute("SELECT count(*) FROM articles").fetchall()
    bands, all_of_it = (
        size_of(conn, "reprint_bands"),
        size_of(conn, "reprint_bands", "reprint_marks", "reprints", "reprint_samples"),
    )
    print(
        f"  {bands / articles:.0f} bytes an article for bands, {all_of_it / articles:.0f} with marks, pairs and samples"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stories", type=int, default=600)
    parser.add_argument("--sizes", default="10000,100000,300000")
    parser.add_argument("--night", type=int, default=5000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        conn = begin(pathlib.Path(folder) / "quality.db")
        quality(conn, options.stories)
        conn.close()
        conn = begin(pathlib.Path(folder) / "growth.db")
        growth(conn, [int(size) for size in options.sizes.split(",") if size], options.night)
        conn.close()


if __name__ == "__main__":
    main()
