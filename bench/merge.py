"""Merging shards into an archive that is large already: rows alone, and with all that follows from them.

The archive is filled with generated articles (``bench/lineage.py``: three of ten are reprints) by the writer, whose pace
is the yardstick, in the same process. Shards are made as workers make them: seeded with the portals' past, written
without an index, finished with sketches. Rows are what `crawler.archive.merge` brings; joined is that and
`crawler.archive.afterwards`. CPU is ``process_time``.
"""

import argparse
import itertools
import os
import pathlib
import random
import shutil
import tempfile
import time
from dataclasses import replace

import reprints as generated

from crawler.archive import afterwards, seeds, writer
from crawler.archive.batch import Batch, StoredCapture
from crawler.archive.connection import large_cache, open_archive
from crawler.archive.merge import merge

GOALS = {"rows": 5_000, "joined": 600}
CHUNK = 5_000


def batches(stories):
    for group in generated.chunks(stories, 100):
        items = tuple(placed(generated.stored(story)) for story in group)
        captures = tuple(StoredCapture(capture=item.article.capture) for item in items)
        yield Batch(run_id=generated.RUN, extractor="bench", articles=items, captures=captures)


def placed(item):
    """As the stage ``places`` leaves it: that is done where an article is read."""
    return replace(item, article=replace(item.article, division="990001", division_basis="portal"))


def timed(work):
    """What *work* returned, and the seconds and the CPU seconds that it took."""
    began, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - began, time.process_time() - cpu


def filled(path, count):
    """An archive of *count* articles, known and compared."""
    conn = generated.begin(path)
    for number, size in enumerate(itertools.repeat(CHUNK, count // CHUNK)):
        for batch in batches(generated.night(size, seed=number)):
            writer.write(conn, batch)
        afterwards.learn(conn)
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return conn


def made(conn, path, stories):
    """A shard, and its size before and after it was finished."""
    shard = open_archive(path)
    for (portal_id,) in conn.execute("SELECT id FROM portals").fetchall():
        seed = path.with_suffix(".seed")
        seeds.write(conn, portal_id, seed)
        seeds.take_up(shard, seed)
    for batch in batches(stories):
        writer.write(shard, batch, is_shard=True)
    shard.close()
    before = path.stat().st_size
    _, _, cpu = timed(lambda: seeds.finish(path))
    return before, path.stat().st_size, cpu


def say(what, articles, wall, cpu):
    goal = f"   goal {GOALS[what]:,}" if what in GOALS else ""
    print(
        f"  {what:12} {articles / cpu:8,.0f} articles/s of CPU, {articles / wall:8,.0f} by the clock{goal}", flush=True
    )


def measure(folder, base, shards, size):
    home = folder / "home.db"
    shutil.copy(base, home)
    conn = open_archive(home)
    [(articles,)] = conn.execute("SELECT count(*) FROM articles").fetchall()
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"{articles:,} articles, {shards} shards of {size:,}; load {load} on {os.cpu_count()} cores")
    paths = []
    for number in range(shards):
        path = folder / f"xianzhi-shard-1-20260101000000-{number}.db"
        before, after, cpu = made(conn, path, generated.night(size, seed=10_000 + number))
        print(
            f"  a shard: {before / 1e6:.1f} MB, finished {after / 1e6:.1f} MB, {cpu / size * 1000:.2f} ms CPU an article"
        )
        paths.append(path)
    bare = folder / "bare.db"
    shutil.copy(base, bare)
    yardstick = open_archive(bare)
    prepared = list(batches(generated.night(size, seed=20_000)))
    _, wall, cpu = timed(lambda: [writer.write(yardstick, batch, is_shard=True) for batch in prepared])
    say("writer.write", size, wall, cpu)
    yardstick.close()

    with large_cache(conn):
        _, wall, cpu = timed(lambda: [merge(conn, path) for path in paths])
        say("rows", shards * size, wall, cpu)
        steps = []
        for name, step in afterwards.STEPS:
            _, step_wall, step_cpu = timed(lambda step=step: step(conn))
            steps.append(f"{name} {step_cpu / (shards * size) * 1000:.2f}")
            wall, cpu = wall + step_wall, cpu + step_cpu
    say("joined", shards * size, wall, cpu)
    print(f"  of it, ms CPU an article: {', '.join(steps)}")
    _, wall, cpu = timed(lambda: [merge(conn, path) for path in paths])
    print(f"  again: {cpu / shards:.2f} s a shard")
    conn.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=int, default=100_000, help="articles before")
    parser.add_argument("--shards", type=int, default=3)
    parser.add_argument("--size", type=int, default=3_000, help="articles a shard")
    parser.add_argument("--keep", type=pathlib.Path, help="the filled archive, made where it is not there yet")
    options = parser.parse_args()
    random.seed(1)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        base = options.keep or folder / "base.db"
        if not base.exists():
            filled(base, options.archive).close()
        generated.serial = itertools.count(10_000_000)
        measure(folder, base, options.shards, options.size)


if __name__ == "__main__":
    main()
