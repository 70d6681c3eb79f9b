"""Reading against trafilatura: CPU and time a page, on the same pages and one core, interleaved in one run.

    python bench/extract.py [--corpus ../shared/corpus] [--encodings ../shared/encodings] [--rounds 3]

Yardstick: ``trafilatura.bare_extraction(page, with_metadata=True)``. It is given the decoded text; ours is given the
bytes, and decodes, extracts (metadata too), cleans and cuts into sections. CPU is ``process_time`` summed over the
pages; the ratio is the median of the rounds' ratios. Then charset work alone (``resolve``) by encoding, and
``xianzhi extract DIR`` as a whole process on all cores. Goals: 4 x trafilatura, 20 MB/s.
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from typing import NamedTuple

import trafilatura

from crawler.cli.extract import _chain
from crawler.reading import container, lines, tree
from crawler.text.encoding import resolve

SHARED = pathlib.Path(__file__).resolve().parents[2] / "shared"


class Saved(NamedTuple):
    path: pathlib.Path
    data: bytes
    text: str
    basis: str


def load(folder):
    for path in sorted(folder.glob("*.html")):
        data = path.read_bytes()
        text = resolve(data, content_type=None).text
        root = tree.parse(text)
        block = container.choose(lines.lay_out(root)) if root is not None else None
        yield Saved(path, data, text, block.basis if block else "none")


def ours(page):
    _chain(page.data, "")


def theirs(page):
    trafilatura.bare_extraction(page.text, with_metadata=True)


def cpu(read, page):
    began = time.process_time()
    read(page)
    return time.process_time() - began


def measured(pages, rounds):
    """Seconds by reader, round and page; the readers take turns page by page."""
    seconds = {ours: [], theirs: []}
    for read in seconds:  # vocabularies, models and caches load once
        read(pages[0])
    for _ in range(rounds):
        for times in seconds.values():
            times.append([])
        for page in pages:
            for read, times in seconds.items():
                times[-1].append(cpu(read, page))
    return seconds


def row(name, seconds, chosen):
    if not chosen:
        return
    sums = {read: [sum(times[i] for i in chosen) for times in rounds] for read, rounds in seconds.items()}
    ratio = statistics.median(b / a for a, b in zip(sums[ours], sums[theirs], strict=True))
    spread = []
    for read in (ours, theirs):
        typical = sorted(statistics.median(times[i] for times in seconds[read]) * 1000 for i in chosen)
        spread.append(f"{statistics.median(typical):6.2f} {typical[math.ceil(0.95 * len(typical)) - 1]:7.2f}")
    totals = "  ".join(f"{statistics.median(sums[read]):6.2f} s" for read in (ours, theirs))
    print(f"{name:28} {len(chosen):4} pages  {ratio:5.2f} x  {totals}   ours {spread[0]} ms   theirs {spread[1]} ms")


def charsets(folder, rounds):
    samples = defaultdict(list)
    for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        sample = json.loads(line)
        header = f"text/html; charset={sample['header']}" if sample["header"] else None
        samples[sample["codec"]].append(((folder / "samples" / sample["id"]).read_bytes(), header))
    total_bytes, total_rounds = 0, [0.0] * rounds
    print("\ncharset work alone: bytes to text, label and reasons")
    for codec, given in sorted(samples.items(), key=lambda item: -len(item[1])):
        size, taken = sum(len(data) for data, _ in given), []
        for _ in range(rounds):
            began = time.process_time()
            for data, header in given:
                resolve(data, content_type=header)
            taken.append(time.process_time() - began)
        print(
            f"  {codec:12} {len(given):4} samples {size / 1e6:6.2f} MB {size / 1e6 / statistics.median(taken):8.1f} MB/s"
        )
        total_bytes += size
        total_rounds = [a + b for a, b in zip(total_rounds, taken, strict=True)]
    speed = total_bytes / 1e6 / statistics.median(total_rounds)
    print(f"  {'all':12} {sum(map(len, samples.values())):4} samples {total_bytes / 1e6:6.2f} MB {speed:8.1f} MB/s")


def whole(folder, pages, rounds):
    walls = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run(
            [pathlib.Path(sys.executable).with_name("xianzhi"), "extract", folder],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        walls.append(time.perf_counter() - began)
    wall = statistics.median(walls)
    cores = len(os.sched_getaffinity(0))
    print(f"\nxianzhi extract DIR, {cores} cores, {pages} pages, its start included: {pages / wall:.0f} pages/s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=pathlib.Path, default=SHARED / "corpus")
    parser.add_argument("--encodings", type=pathlib.Path, default=SHARED / "encodings")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for folder in (options.corpus / "pages", options.encodings / "samples"):
        if not folder.is_dir():
            print(
                f"{folder} is not here: this bench needs the folder of real pages beside the project", file=sys.stderr
            )
            sys.exit(2)
    every = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, every[:1])
    pages = list(load(options.corpus / "pages"))
    seconds = measured(pages, options.rounds)
    print(f"{options.rounds} rounds; x: trafilatura's CPU over ours; sums; p50 and p95 a page")
    row("all pages", seconds, range(len(pages)))
    row("container known by name", seconds, [i for i, page in enumerate(pages) if page.basis in {"known", "family"}])
    row("container found", seconds, [i for i, page in enumerate(pages) if page.basis == "found"])
    row("25 to 60 kB", seconds, [i for i, page in enumerate(pages) if 25_000 <= len(page.data) <= 60_000])
    charsets(options.encodings, options.rounds)
    os.sched_setaffinity(0, every)
    whole(options.corpus / "pages", len(pages), options.rounds)


if __name__ == "__main__":
    main()
