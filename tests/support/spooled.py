"""A process that fills a shard of a spool, to end well or to be killed (``python -m tests.support.spooled``)."""

import hashlib
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crawler.archive import writer
from crawler.archive.batch import Batch, StoredCapture
from crawler.archive.connection import open_archive
from crawler.spool import Shard, Spool
from crawler.warc.writer import WarcWriter
from tests.conftest import ROOT
from tests.support.archive import EXTRACTOR, PORTAL, RUN, begin, capture
from tests.support.warc import INFO, exchange, write

WITHOUT_ROWS = 2
"""Pages at the end whose rows had not been stored yet."""


@contextmanager
def filling(
    spool: Path, name: str, *, pages: int, page_bytes: int = 2_000, segment_bytes: int = 1_000_000
) -> Iterator[subprocess.Popen[bytes]]:
    """A living process that has written *pages* into the shard *name*, and is killed at the end if not before."""
    arguments = [spool, name, pages, page_bytes, segment_bytes]
    command = [sys.executable, "-m", "tests.support.spooled", *map(str, arguments)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"filled\n"
            yield process
        finally:
            process.kill()


def fill(spool: Path, name: str, *, pages: int, page_bytes: int = 2_000, segment_bytes: int = 1_000_000) -> None:
    """A shard of a process that ended well."""
    with Spool(spool).begin(name) as shard:
        for _ in _filled(shard, pages, page_bytes, segment_bytes):
            pass


def kill(process: subprocess.Popen[bytes]) -> None:
    """With no chance to do anything."""
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def end(process: subprocess.Popen[bytes]) -> None:
    """As a worker ends: files finished, rows stored."""
    process.communicate(timeout=30)
    assert process.returncode == 0


def _filled(shard: Shard, pages: int, page_bytes: int, segment_bytes: int) -> Iterator[None]:
    """Write pages that do not compress; stops before the last rows are stored and the files finished."""
    conn = begin(open_archive(shard.db))
    conn.execute("INSERT INTO portal_runs (run_id, portal_id, status) VALUES (?, ?, 'interrupted')", (RUN, PORTAL))
    with WarcWriter(shard.warc, PORTAL, info=INFO, max_bytes=segment_bytes, first_serial=shard.first_serial) as warc:
        rows = []
        for number in range(pages):
            body = random.Random(number).randbytes(page_bytes)
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            url = f"https://lingyang.example/{number}.html"
            place = write(warc, exchange(head + body, url=url))
            sha256 = hashlib.sha256(body).hexdigest()
            rows.append(StoredCapture(capture=capture(url=url, record=place, payload_sha256=sha256)))
        stored, late = rows[:-WITHOUT_ROWS], rows[-WITHOUT_ROWS:]
        writer.write(conn, Batch(run_id=RUN, extractor=EXTRACTOR, captures=tuple(stored)))
        yield
        writer.write(conn, Batch(run_id=RUN, extractor=EXTRACTOR, captures=tuple(late)))
    conn.close()


if __name__ == "__main__":
    folder, shard_name, *numbers = sys.argv[1:]
    with Spool(Path(folder)).begin(shard_name) as begun:
        for _ in _filled(begun, *map(int, numbers)):
            sys.stdout.write("filled\n")
            sys.stdout.flush()
            sys.stdin.read()
