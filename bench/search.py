"""Search on a large archive: what it finds, how fast, how large the index is and what it costs to keep.

    python bench/search.py [--articles 100000] [--db FILE]

The articles are made of 40,000 words of our own, which are drawn from the 3,755 common characters as words in a language
are (few often, most of them seldom), about 1,600 characters each; every third one is in Traditional script. The queries
are words and pieces of these texts, ten of each length from 1 to 6 characters, half of them in Traditional script. Truth
is whether the folded query is a part of the folded title or text. Goals: recall .999, precision .99, all matching ids in 10 ms (p50)
and 40 ms (p95) at 100,000 articles.
"""

import argparse
import itertools
import random
import re
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import opencc

from crawler.archive import search, search_query, writer
from crawler.archive.batch import Batch, StoredArticle, StoredCapture
from crawler.archive.connection import open_archive, transaction
from crawler.records import Article, Capture, Paragraph, RecordRef
from crawler.text.folding import fold, fold_hash
from crawler.text.query import parse, site
from crawler.text.snippets import snippet

WORDS = 40_000
LENGTH = 1_600
MATTER = 100
"""Words that an article is about. With them it has 450 different characters, as real ones of its length have."""
BATCH = 1_000
PORTALS = 50
LENGTHS = range(1, 7)
QUERIES = 10
"""Of each length."""
ROUNDS = 5


def common_characters():
    codes = (bytes((lead, trail)) for lead in range(0xB0, 0xD8) for trail in range(0xA1, 0xFF))
    return [code.decode("gb2312") for code in codes if code < b"\xd7\xfa"]


class Language:
    """Words of which few are frequent and most are rare, and texts of them."""

    def __init__(self, seed=1):
        chance = random.Random(seed)
        characters = common_characters()
        chance.shuffle(characters)
        weights = list(itertools.accumulate(1 / (rank + 8) for rank in range(len(characters))))
        lengths = chance.choices(LENGTHS, weights=(2, 10, 5, 3, 1, 1), k=WORDS)
        words = ["".join(chance.choices(characters, cum_weights=weights, k=length)) for length in lengths]
        self._words = sorted(words, key=lambda word: len(word) * chance.random())  # the frequent ones are short
        self._weights = list(itertools.accumulate((rank + 20) ** -0.9 for rank in range(WORDS)))
        self._traditional = opencc.OpenCC("s2t").convert

    def article(self, number):
        """Title and paragraphs."""
        chance = random.Random(number)
        matter = self.words(chance, MATTER)
        paragraphs = []
        while sum(map(len, paragraphs)) < LENGTH:
            paragraphs.append("".join(self._sentence(chance, matter) for _ in range(chance.randint(1, 6))))
        title = "".join(chance.choices(matter, k=chance.randint(4, 9)))
        if number % 3 == 0:
            title, *paragraphs = map(self._traditional, (title, *paragraphs))
        return title, paragraphs

    def words(self, chance, count):
        return chance.choices(self._words, cum_weights=self._weights, k=count)

    def _sentence(self, chance, matter):
        clauses = (
            "".join(chance.choices(matter, k=chance.randint(1, 4)) + self.words(chance, chance.randint(1, 2)))
            for _ in range(chance.randint(1, 4))
        )
        return "，".join(clauses) + (f"{chance.randint(1, 9000)}户。" if chance.random() < 0.3 else "。")

    def queries(self, articles, seed=2):
        """Words as often as texts have them, and pieces of the texts that begin and end anywhere."""
        chance = random.Random(seed)
        found = []
        for length in LENGTHS:
            while len(found) < QUERIES * length:
                piece = self._word(chance) if len(found) % 4 < 2 else self._piece(chance, articles, length)
                if re.fullmatch(rf"[一-鿿]{{{length}}}", piece) and piece not in found:
                    found.append(self._traditional(piece) if len(found) % 2 else piece)
        return found

    def _word(self, chance):
        return self.words(chance, 1)[0]

    def _piece(self, chance, articles, length):
        _, paragraphs = self.article(chance.randrange(articles))
        text = chance.choice(paragraphs)
        start = chance.randrange(len(text))
        return text[start : start + length]


def fill(conn, language, articles, truth):
    """Store the articles; note in *truth* which ones have each query. Bytes of text."""
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    folded = {query: fold(query) for query in truth}
    size = 0
    for first in range(0, articles, BATCH):
        items = []
        for number in range(first, min(first + BATCH, articles)):
            title, paragraphs = language.article(number)
            capture = Capture(
                run_id="r", portal_id=f"portal{number % PORTALS}", kind="article", fetched_at=begin + timedelta(minutes=number),
                url=f"https://portal{number % PORTALS}.example/{number}.html", status=200, payload_sha256=f"{number:064x}",
                record=RecordRef(file="bench.warc.gz", offset=number * 1000, length=900),
            )  # fmt: skip
            published = f"{2008 + number % 16}-{1 + number % 12:02}-{1 + number % 28:02}"
            texts = tuple(Paragraph(text=text, fold_hash=fold_hash(text)) for text in paragraphs)
            article = Article(
                capture=capture, encoding="utf-8", kind="article", title=title, published=published, paragraphs=texts
            )
            items.append(StoredArticle(article=article, url=capture.url))
            text = "\n".join(paragraphs)
            size += len((title + text).encode())
            forms = f"{fold(title)}\n{fold(text)}"
            for query, form in folded.items():
                if form in forms:
                    truth[query].add(number + 1)
        captures = tuple(StoredCapture(capture=item.article.capture) for item in items)
        writer.write(conn, Batch(run_id="r", extractor="bench", captures=captures, articles=tuple(items)))
        print(f"\r{first + len(items)} articles", end="", file=sys.stderr)
    print(file=sys.stderr)
    return size


def index_bytes(conn):
    tables = [f"articles_fts_{name}" for name in ("data", "idx", "docsize", "config")]
    return sum(
        conn.execute("SELECT sum(pgsize) FROM dbstat WHERE name = ?", (table,)).fetchone()[0] for table in tables
    )


def measured(ask, queries):
    """Milliseconds of each query, the best of some rounds."""
    return [min(_timed(ask, query) for _ in range(ROUNDS)) * 1000 for query in queries]


def _timed(ask, query):
    began = time.perf_counter()
    ask(query)
    return time.perf_counter() - began


def percentiles(values):
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return f"p50 {cuts[9]:8.2f}   p95 {cuts[18]:8.2f}   most {max(values):8.2f}"


def answer(conn, truth):
    found = {query: set(search_query.matching_ids(conn, parse(query))) for query in truth}
    right = sum(len(found[query] & truth[query]) for query in truth)
    print(f"recall {right / sum(map(len, truth.values())):.5f}   precision {right / sum(map(len, found.values())):.5f}")
    print(f"articles a query: {percentiles([len(ids) for ids in truth.values()])}")
    questions = {
        "all matching ids": lambda query: search_query.matching_ids(conn, parse(query)),
        "how many": lambda query: search_query.count(conn, parse(query)),
        "20 best": lambda query: search_query.search(conn, parse(query)),
        "20 newest": lambda query: search_query.search(conn, parse(query), order="newest"),
        "of one host": lambda query: search_query.matching_ids(conn, parse(query).narrowed(site("portal7.example"))),
        "by year": lambda query: search_query.counts(conn, parse(query), "year"),
    }
    for name, ask in questions.items():
        print(f"{name:16} ms: {percentiles(measured(ask, truth))}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--db", type=Path, help="Where to put the archive, to keep it.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(options.articles, options.db or Path(folder) / "archive.db")


def run(articles, path):
    language = Language()
    truth = {query: set() for query in language.queries(articles)}
    conn = open_archive(path)
    conn.execute("INSERT INTO runs (id, started_at, status) VALUES ('r', '2024-01-01T00:00:00Z', 'running')")
    conn.executemany(
        "INSERT INTO portals (id, name, division_code, homepage, enabled) VALUES (?, ?, '610424', ?, 1)",
        [(f"portal{n}", f"县{n}", f"https://portal{n}.example/") for n in range(PORTALS)],
    )
    size = fill(conn, language, articles, truth)
    with transaction(conn):
        search.clear(conn)
    began = time.process_time()
    search.catch_up(conn)
    print(
        f"{articles} articles, {size / 1e6:.0f} MB of text; indexed in {(time.process_time() - began) / articles * 1e3:.2f} ms CPU each"
    )
    answer(conn, truth)
    conn.execute("INSERT INTO articles_fts (articles_fts) VALUES ('optimize')")
    print("merged into one segment:")
    answer(conn, truth)
    print(f"index: {index_bytes(conn) / size:.2f} bytes a byte of text")
    _, paragraphs = language.article(7)
    asked = parse(" ".join(list(truth)[30:33]))
    text = "\n".join(paragraphs)
    print(f"snippet: {measured(lambda query: snippet(text, query), [asked])[0]:.1f} ms")


if __name__ == "__main__":
    main()
