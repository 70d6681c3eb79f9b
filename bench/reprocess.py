"""Reading everything again against reading saved pages: pages a second, and CPU, on the same pages in one interleaved run.

    python bench/reprocess.py [--pages 2000] [--rounds 3]

Yardstick: ``xianzhi extract --jobs 1 DIR`` over the pages as files. Ours is ``xianzhi reprocess --jobs 1`` over an
archive that has stored the very same pages, with nothing changed: it also reads records out of WARC files, checks their
digests, finds the places again, and holds everything against the archive. Then both on all cores, and a reprocessing in
which each page is read otherwise. The pages are generated, about 40 kB each. Goal: at least .9 of the yardstick.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from generated import GeneratedPortal

from crawler.archive import afterwards, writer
from crawler.archive.batch import Batch, StoredArticle, StoredCapture
from crawler.archive.connection import open_archive
from crawler.catalogue import Portal
from crawler.records import Capture, Exchange
from crawler.version import EXTRACTOR
from crawler.warc.writer import WarcWriter
from pipelines.chain import read

XIANZHI = Path(sys.executable).with_name("xianzhi")
HOST = "https://bench.example"
PORTAL = Portal(id="bench", name="柳溪县人民政府", division="610424", homepage=f"{HOST}/", cms="trs")
RUN = "20240101T000000000Z-bench"


def build(folder, count):
    """The pages as files, and an archive that a crawl of them would have left."""
    portal = GeneratedPortal(seed=1, articles=count)
    (folder / "pages").mkdir()
    (folder / "portals.toml").write_text(
        f'[[portal]]\nid = "{PORTAL.id}"\nname = "{PORTAL.name}"\ndivision = "{PORTAL.division}"\n'
        f'homepage = "{PORTAL.homepage}"\nlists = ["{HOST}/xwzx/jryw/"]\ncms = "trs"\n',
        encoding="utf-8",
    )
    conn = open_archive(folder / "archive.db")
    conn.execute("INSERT INTO runs (id, started_at, status) VALUES (?, '2024-01-01T00:00:00Z', 'ok')", (RUN,))
    conn.execute(
        "INSERT INTO portals (id, name, division_code, homepage, cms, enabled) VALUES (?, ?, ?, ?, 'trs', 1)",
        (PORTAL.id, PORTAL.name, PORTAL.division, PORTAL.homepage),
    )
    with WarcWriter(folder / "warc", PORTAL.id, info={}) as warc:
        for first in range(0, count, 100):
            found = [stored(warc, portal, folder, number) for number in range(first, min(first + 100, count))]
            captures = tuple(StoredCapture(capture=item.article.capture, encoding="utf-8") for item in found)
            writer.write(conn, Batch(run_id=RUN, extractor=EXTRACTOR, captures=captures, articles=tuple(found)))
    afterwards.learn(conn)
    conn.close()


def stored(warc, portal, folder, number):
    body = portal.article(number)
    (folder / "pages" / f"{number:06}.html").write_bytes(body)
    url = HOST + portal.path(number)
    seen = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % len(body)
    sent = b"GET /xwzx/ HTTP/1.1\r\nHost: bench.example\r\n\r\n"
    exchange = Exchange(url=url, method="GET", started_at=seen, ip="192.0.2.7", request=sent, response=head + body)
    digest = hashlib.sha256(body).hexdigest()
    capture = Capture(
        run_id=RUN,
        portal_id=PORTAL.id,
        kind="article",
        url=url,
        fetched_at=seen,
        status=200,
        content_type="text/html; charset=utf-8",
        payload_sha256=digest,
        record=warc.write_exchange(exchange, payload=body, payload_sha256=digest),
        body=body,
    )
    return StoredArticle(article=read(capture, PORTAL), url=url)


def timed(*command):
    """(wall seconds, CPU seconds, standard output) of a command and its children."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen([XIANZHI, *map(str, command)], stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
        out.seek(0)
        told = out.read()
    if process.returncode:
        sys.exit(f"{command[:2]} ended with {process.returncode}: {told[-500:]!r}")
    return wall, usage.ru_utime + usage.ru_stime, told


def extract(folder, jobs):
    return timed("extract", "--jobs", jobs, folder / "pages")


def reprocess(folder, jobs, *options):
    wall, cpu, told = timed(
        "reprocess", "--jobs", jobs, "--json", *options,
        "--db", folder / "archive.db", "--warc", folder / "warc", "--catalogue", folder / "portals.toml",
    )  # fmt: skip
    return wall, cpu, json.loads(told)


def compare(folder, count, jobs, rounds):
    """Both in turns; the medians."""
    taken = {extract: [], reprocess: []}
    for _ in range(rounds):
        for run, times in taken.items():
            wall, cpu, told = run(folder, jobs)
            times.append((wall, cpu))
            if run is reprocess:
                assert told["counts"]["captures"] == count, told
                assert told["counts"]["reread"] == told["counts"]["refreshed"] == 0, told
    for run, times in taken.items():
        wall, cpu = (statistics.median(column) for column in zip(*times, strict=True))
        print(
            f"  {run.__name__:10} --jobs {jobs}  {count / wall:6.0f} pages/s  {1000 * cpu / count:6.2f} ms CPU a page"
        )
    for column, what in ((0, "wall"), (1, "CPU")):
        pairs = zip(taken[extract], taken[reprocess], strict=True)
        ratio = statistics.median(theirs[column] / ours[column] for theirs, ours in pairs)
        print(f"  reprocess against extract, --jobs {jobs}, {what}: {ratio:.2f}")


def age(folder):
    """Let every version be of older rules that did not see the source."""
    conn = open_archive(folder / "archive.db")
    conn.execute("UPDATE versions SET extractor = 'xianzhi-0', source = NULL")
    conn.execute("UPDATE articles SET source = NULL")
    conn.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder, options.pages)
        print(f"{options.pages} pages, {options.rounds} rounds, medians, start of the program included")
        for jobs in sorted({1, cores}):
            compare(folder, options.pages, jobs, options.rounds)
        age(folder)
        wall, cpu, told = reprocess(folder, 1)
        assert told["counts"]["reread"] == options.pages, told
        print(
            f"  each page read otherwise, --jobs 1, with what is learned afterwards: {options.pages / wall:.0f} pages/s,"
            f" {1000 * cpu / options.pages:.2f} ms CPU a page"
        )


if __name__ == "__main__":
    main()
