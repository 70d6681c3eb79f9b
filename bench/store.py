"""What it costs to bring WARC files into an S3 store and to read records there, on loopback.

    python -m bench.store [--megabytes 1000]

The server is moto's, a process of its own that keeps everything in memory; its CPU is most of the wall time. CPU and
memory are this process's. ``segments`` are WARC files as many portals leave them after a quarter of an hour, each
brought by itself; a ``record`` is one range request of 12 kB, in a file of 10 MB because the server copies the file for
each one. ``straight on`` reads a file from end to end through ranges, in pieces of 64 kB.
"""

import argparse
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path

from crawler.store import open_store
from tests.support.s3 import serving

RECORD = 12_000
MEGABYTE = 1_000_000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1_000)
    megabytes = parser.parse_args().megabytes
    with tempfile.TemporaryDirectory() as made, serving(Path(made)) as s3:
        os.environ.update(s3.environment)
        store = open_store(s3.bucket())
        folder = Path(made)
        small = written(folder / "small", 10)
        store.put(small, "warc/small")
        print(f"{'a file of':24} {'wall s':>8} {'CPU s':>8} {'MB/s':>8} {'MB of memory':>14}")
        for size in (megabytes // 10, megabytes):
            file = written(folder / "large", size)
            with Cost() as put:
                store.put(file, f"warc/large-{size}")
            print(f"{f'{size} MB':24} {put.wall:8.2f} {put.cpu:8.2f} {size / put.wall:8.0f} {memory():14.0f}")
            with Cost() as again:
                store.put(file, f"warc/large-{size}")
            print(f"{'  again':24} {again.wall:8.2f} {again.cpu:8.2f} {size / again.wall:8.0f} {memory():14.0f}")
        with Cost() as segments:
            for number in range(200):
                store.put(written(folder / "segment", 0.2), f"warc/segment-{number}")
        print(
            f"{'200 of 0.2 MB':24} {segments.wall:8.2f} {segments.cpu:8.2f} {40 / segments.wall:8.0f} {memory():14.0f}"
        )
        print(f"a record: {milliseconds_of_a_record(store):.1f} ms (median of 200)")
        with Cost() as straight, store.open("warc/small") as stream:
            while stream.read(65_536):
                pass
        print(f"10 MB straight on: {straight.wall:.2f} s")


def milliseconds_of_a_record(store):
    taken = []
    for number in range(200):
        began = time.perf_counter()
        with store.open("warc/small") as stream:
            stream.seek(number * 40_000)
            assert len(stream.read(RECORD)) == RECORD
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1_000


def written(path, megabytes):
    piece = os.urandom(MEGABYTE)
    with path.open("wb") as file:
        for _ in range(int(megabytes)):
            file.write(piece)
        file.write(os.urandom(int(megabytes % 1 * MEGABYTE)))
    return path


def memory():
    """The most that this process ever took, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000


class Cost:
    """Wall time and CPU of a block, in seconds."""

    def __enter__(self):
        self._began = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_):
        self.wall = time.perf_counter() - self._began[0]
        self.cpu = time.process_time() - self._began[1]


if __name__ == "__main__":
    main()
