"""How fast an archive is verified, against what reading and hashing its WARC files alone takes.

    python bench/verify.py [--pages 3000] [--jobs 1]

The pages are those of `generated`, about 40 kB each, stored with their articles as a crawl stores them: captures, versions,
sections, index. Half of them are looked at a second time and are revisits. Every number is CPU time of this process and
its children, but for ``wall``; ``sha256`` is one digest over each file with the file in memory, as sha256sum computes it.
"""

import argparse
import hashlib
import resource
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from generated import GeneratedPortal

from crawler.archive import afterwards, custody, runs
from crawler.archive.connection import open_archive
from crawler.archive.sink import Sink
from crawler.catalogue import Portal
from crawler.records import Exchange
from crawler.verify import units
from crawler.verify.verification import verify
from pipelines.clean import clean
from pipelines.decode import decode
from pipelines.extract import extract
from pipelines.sections import sections

PORTALS = 4
HOST = "http://county{}.example"
START = datetime(2024, 1, 1, tzinfo=UTC)


def exchange(url, body, moment):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % len(body)
    request = f"GET {url} HTTP/1.1\r\nHost: county.example\r\n\r\n".encode()
    return Exchange(url=url, method="GET", started_at=moment, ip="192.0.2.1", request=request, response=head + body)


def fill(folder, pages):
    db, warc = folder / "archive.db", folder / "warc"
    conn = open_archive(db)
    portals = [
        Portal(id=f"county{n}", name=f"county{n}", division="610424", homepage=HOST.format(n), lists=(HOST.format(n),))
        for n in range(PORTALS)
    ]
    run_id = runs.begin(conn, portals)
    sink = Sink(db=db, warc=warc, run_id=run_id, info={})
    made = [GeneratedPortal(n, pages) for n in range(PORTALS)]
    moment = START
    for look in range(2):
        for number in range(pages // (look + 1) // PORTALS):
            for n, portal in enumerate(made):
                moment += timedelta(seconds=1)
                url = f"{HOST.format(n)}/2024/{number}.html"
                body = portal.article(number)
                capture = sink.record(exchange(url, body, moment), portal_id=f"county{n}", kind="article", key=url)
                if look == 0:
                    sink.add_article(sections(clean(extract(decode(capture)))), url)
                else:
                    sink.add_capture(capture)
            if number % 25 == 0:
                sink.flush()
        sink.flush()
    sink.close()
    runs.finish(conn, run_id, "ok", [])
    afterwards.learn(conn)
    custody.seal(conn, db=db, warc=warc)
    conn.close()
    return db, warc


def cpu():
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def by_subject(db, warc):
    """CPU seconds by kind of work, each piece in this process."""
    conn = open_archive(db, readonly=True)
    pieces = units.units_of(conn, db=db, warc=warc)
    conn.close()
    spent = defaultdict(float)
    for unit in pieces:
        began = cpu()
        outcome = units.check(unit, db=db, warc=warc)
        assert not outcome.findings, outcome.findings[:3]
        spent[unit.name if unit.subject == "archive" else unit.subject] += cpu() - began
    return spent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=3_000)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        db, warc = fill(Path(folder), options.pages)
        files = sorted(warc.glob("*.warc.gz"))
        contents = [path.read_bytes() for path in files]
        size = sum(map(len, contents))
        began = cpu()
        for content in contents:
            hashlib.sha256(content).hexdigest()
        hashing = cpu() - began
        print(f"{len(files)} files, {size / 1e6:.0f} MB, {options.pages} pages and {options.pages // 2} revisits")
        spent = by_subject(db, warc)
        print(f"\n{'sha256':12} {hashing:7.2f} s {size / 1e6 / hashing:7.0f} MB/s")
        for subject, seconds in sorted(spent.items(), key=lambda item: -item[1]):
            rate = (
                f"{size / 1e6 / seconds:7.0f} MB/s"
                if subject == "file"
                else f"{seconds / options.pages * 1000:7.2f} ms a page"
            )
            print(f"{subject:12} {seconds:7.2f} s {rate}")
        began, clock = cpu(), time.monotonic()
        result = verify(db=db, warc=warc, jobs=options.jobs)
        assert not result.findings
        whole, wall = cpu() - began, time.monotonic() - clock
        print(
            f"{'all':12} {whole:7.2f} s {size / 1e6 / whole:7.0f} MB/s; wall {wall:.2f} s,"
            f" {size / 1e6 / wall:.0f} MB/s with {options.jobs} jobs"
        )


if __name__ == "__main__":
    main()
