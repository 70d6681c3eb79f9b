"""How an archive grows: bytes, what a night's shards cost to merge, what a copy for the public costs; measured and drawn.

    python bench/sizing.py [--sizes 10000,40000,100000] [--results bench/sizing.csv] [--picture docs/sizing.svg]
    python bench/sizing.py --sizes ""                  only draws, from the results that are there

The articles are those of `bench/merge.py`: stories of about 1,600 characters, three of ten reprints, so the index, sections
and reprints grow as they do in a country whose counties print each other. At each size a copy for the public is
made, then three shards of 1,000 articles are merged and everything is learned that follows (`crawler.archive.afterwards`).
CPU is ``process_time``. A curve is ``a · articles ^ b``, fitted to all sizes in the results (least squares of the
logarithms), so its right end is on paper only.
"""

import argparse
import csv
import itertools
import math
import pathlib
import random
import shutil
import tempfile
from dataclasses import astuple, dataclass, fields
from xml.sax.saxutils import escape

import merge as merging
import reprints as generated

from crawler.archive import afterwards, published, writer
from crawler.archive.connection import open_archive
from crawler.archive.merge import merge
from crawler.archive.search_query import matching_ids
from crawler.text.query import parse

HERE = pathlib.Path(__file__).parent
SHARDS, SHARD = 3, 1_000
CHUNK = 5_000
FAR = (1_000_000, 10_000_000, 100_000_000)


@dataclass(frozen=True)
class Row:
    """One size; bytes, and CPU seconds."""

    articles: int
    database: int
    index: int
    copy: int
    rows: float
    joined: float
    publish: float
    search: float


BYTES = {"database": "archive.db", "index": "of it the full-text index", "copy": "copy for the public"}
SECONDS = {
    "rows": f"merging {SHARDS * SHARD:,} articles",
    "joined": "… with index, reprints and all",
    "publish": "publishing a copy",
    "search": "all articles with a word, p95",
}
COLOURS = ("#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad")
WORDS = 60


def grown(conn, have, upto):
    """Let an archive grow, night by night."""
    for number in range(have // CHUNK, upto // CHUNK):
        for batch in merging.batches(generated.night(CHUNK, seed=number)):
            writer.write(conn, batch)
        afterwards.learn(conn)
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def measure(base, folder):
    """The row of the archive *base*, of which a copy is worked on."""
    home = folder / "home.db"
    shutil.copy(base, home)
    conn = open_archive(home)
    [(articles,)] = conn.execute("SELECT count(*) FROM articles").fetchall()
    [(database,)] = conn.execute("SELECT sum(pgsize) FROM dbstat").fetchall()
    [(index,)] = conn.execute("SELECT sum(pgsize) FROM dbstat WHERE name GLOB 'articles_fts*'").fetchall()
    copy, _, publish = merging.timed(lambda: published.publish(home, folder / "copy.db", progress=lambda *_: None))
    search = searched(conn)
    paths = []
    for number in range(SHARDS):
        path = folder / f"xianzhi-shard-1-20260101000000-{number}.db"
        merging.made(conn, path, generated.night(SHARD, seed=10_000_000 + articles + number))
        paths.append(path)
    _, _, rows = merging.timed(lambda: [merge(conn, path) for path in paths])
    _, _, learned = merging.timed(lambda: afterwards.learn(conn))
    conn.close()
    for path in (*paths, home, folder / "copy.db"):
        path.unlink()
    return Row(articles, database, index, copy.bytes, rows, rows + learned, publish, search)


def searched(conn):
    """p95 of finding every article with a word; words of two characters, taken from titles, so common ones more often."""
    chance, seconds = random.Random(1), []
    titles = [title for (title,) in conn.execute("SELECT title FROM articles WHERE id % 97 = 0") if len(title) > 3]
    for title in chance.choices(titles, k=WORDS):
        start = chance.randrange(len(title) - 1)
        query = parse(title[start : start + 2])
        seconds.append(min(merging.timed(lambda query=query: matching_ids(conn, query))[2] for _ in range(3)))
    return sorted(seconds)[WORDS * 95 // 100]


def measured(folder, sizes, archive):
    """A row for each size, or for an archive that is there."""
    if archive is not None:
        generated.serial = itertools.count(10_000_000)  # its own addresses begin with 1
        yield measure(archive, folder)
        return
    base, have = folder / "base.db", 0
    conn = generated.begin(base)
    for size in sizes:
        grown(conn, have, size)
        have = size
        yield measure(base, folder)


def known(path):
    """The results so far, by size."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Row(**{column.name: column.type(line[column.name]) for column in fields(Row)})
            for line in csv.DictReader(file)
        ]


def keep(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([column.name for column in fields(Row)])
        table.writerows(
            [[f"{value:.4g}" if isinstance(value, float) else value for value in astuple(row)] for row in rows]
        )


def curve(rows, name):
    """(a, b) of a · articles ^ b."""
    points = [(math.log(row.articles), math.log(getattr(row, name))) for row in rows]
    x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
    b = sum((px - x) * (py - y) for px, py in points) / sum((px - x) ** 2 for px, _ in points)
    return math.exp(y - b * x), b


def said(name, value):
    if name in BYTES:
        return f"{value / 1e9:,.2f} GB" if value >= 1e7 else f"{value / 1e6:,.1f} MB"
    if value < 1:
        return f"{1000 * value:,.1f} ms"
    return f"{value:,.1f} s" if value < 600 else f"{value / 3600:,.1f} h"


def tell(rows):
    print(
        f"{'articles':34} {''.join(f'{row.articles:>12,}' for row in rows)}   as articles ^ {''.join(f'{far:>15,}' for far in FAR)}"
    )
    for name, words in (BYTES | SECONDS).items():
        a, b = curve(rows, name)
        measured = "".join(f"{said(name, getattr(row, name)):>12}" for row in rows)
        print(f"{words:34} {measured}   {b:12.2f}  {''.join(f'{said(name, a * far**b):>15}' for far in FAR)}")


# The picture.

WIDTH, HEIGHT, LEFT, TOP, GAP = 400, 300, 70, 40, 110
X = (4, 8)


class Panel:
    """Curves over the number of articles, both axes logarithmic."""

    def __init__(self, left, title, y, ticks):
        self._left, self._title, self._y, self._ticks = left, title, y, ticks

    def place(self, articles, value):
        x = (math.log10(articles) - X[0]) / (X[1] - X[0]) * WIDTH
        y = (math.log10(value) - self._y[0]) / (self._y[1] - self._y[0]) * HEIGHT
        return f"{self._left + x:.1f},{TOP + HEIGHT - y:.1f}"

    def drawn(self, rows, names):
        yield f'<text x="{self._left}" y="{TOP - 16}" class="title">{escape(self._title)}</text>'
        for power in range(X[0], X[1] + 1):
            x, words = (
                self.place(10**power, 10 ** self._y[0]).split(",")[0],
                ("10k", "100k", "1M", "10M", "100M")[power - X[0]],
            )
            yield f'<path d="M{x},{TOP}V{TOP + HEIGHT}" class="grid"/>'
            yield f'<text x="{x}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{words}</text>'
        for value, words in self._ticks:
            y = self.place(10 ** X[0], value).split(",")[1]
            yield f'<path d="M{self._left},{y}h{WIDTH}" class="grid"/>'
            yield f'<text x="{self._left - 8}" y="{float(y) + 4:.1f}" text-anchor="end">{words}</text>'
        for number, (name, words) in enumerate(names.items()):
            yield from self._curve(rows, name, words, COLOURS[number], TOP + 16 + 18 * number)

    def _curve(self, rows, name, words, colour, y):
        a, b = curve(rows, name)
        first, last = rows[0].articles, rows[-1].articles
        yield f'<path d="M{self.place(first, a * first**b)}L{self.place(last, a * last**b)}" stroke="{colour}" class="curve"/>'
        yield (
            f'<path d="M{self.place(last, a * last**b)}L{self.place(10 ** X[1], a * 10 ** (X[1] * b))}" stroke="{colour}"'
            ' class="curve" stroke-dasharray="5 5"/>'
        )
        for row in rows:
            x, at = self.place(row.articles, getattr(row, name)).split(",")
            yield f'<circle cx="{x}" cy="{at}" r="4" fill="{colour}"/>'
        yield f'<circle cx="{self._left + 14}" cy="{y - 4}" r="4" fill="{colour}"/>'
        yield f'<text x="{self._left + 26}" y="{y}">{escape(words)}</text>'


def picture(rows):
    panels = (
        (Panel(LEFT, "bytes by articles", (7, 13), [(10**7, "10 MB"), (10**9, "1 GB"), (10**11, "100 GB"), (10**13, "10 TB")]), BYTES),
        (Panel(LEFT + WIDTH + GAP, "seconds of one core by articles", (-4, 6), [(0.001, "1 ms"), (1, "1 s"), (60, "1 min"), (3600, "1 h"), (86_400, "1 day")]), SECONDS),
    )  # fmt: skip
    width, height = LEFT + 2 * WIDTH + GAP + 40, TOP + HEIGHT + 50
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">',
        "<style>.grid{stroke:#ddd;fill:none}.curve{stroke-width:2;fill:none}.title{font-weight:bold}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *(line for panel, names in panels for line in panel.drawn(rows, names)),
        f'<text x="{LEFT}" y="{height - 8}">points are measured, dashed lines are on paper</text>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,40000,100000", help="articles")
    parser.add_argument("--results", type=pathlib.Path, default=HERE / "sizing.csv")
    parser.add_argument("--picture", type=pathlib.Path, default=HERE.parent / "docs" / "sizing.svg")
    parser.add_argument("--archive", type=pathlib.Path, help="instead of sizes: one that `bench/merge.py --keep` left")
    options = parser.parse_args()
    rows = {row.articles: row for row in known(options.results)}
    sizes = [int(size) for size in options.sizes.split(",") if size]
    with tempfile.TemporaryDirectory() as name:
        for row in measured(pathlib.Path(name), sizes, options.archive):
            rows[row.articles] = row
            keep(options.results, sorted(rows.values(), key=lambda row: row.articles))
            print(row, flush=True)
    results = sorted(rows.values(), key=lambda row: row.articles)
    if len(results) > 1:
        tell(results)
        options.picture.write_text(picture(results), encoding="utf-8")


if __name__ == "__main__":
    main()
