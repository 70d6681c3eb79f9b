"""Several processes on one archive, and one that is killed in the middle."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from crawler.archive import writer
from crawler.archive.connection import open_archive
from crawler.archive.frontier import Queued
from crawler.archive.texts import text_of_version
from tests.support.archive import PORTAL, article, batch, begin, contents

ROOT = Path(__file__).parent.parent
WRITE = """
import sys
from pathlib import Path
from crawler.archive import writer
from crawler.archive.connection import open_archive
from tests.support.archive import article, batch
conn = open_archive(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    url = f"https://lingyang.example/{sys.argv[2]}/{number}"
    writer.write(conn, batch(article("公共段落", f"{sys.argv[2]} {number}", url=url)))
"""
DIE = """
import os, signal, sys
from pathlib import Path
from crawler.archive import writer
from crawler.archive.connection import open_archive
from tests.support.archive import article, batch
conn = open_archive(Path(sys.argv[1]))
steps = 0
def step():
    global steps
    steps += 1
    if steps == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
conn.set_progress_handler(step, 20)
writer.write(conn, batch(*(article("段落" * 500, f"{n}", url=f"u{n}") for n in range(20))))
"""


def child(script: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)


def test_two_processes_write_at_once_and_nothing_is_lost_or_double(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    begin(open_archive(path)).close()
    children = [child(WRITE, path, name, 60) for name in ("a", "b")]
    for process in children:
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (0, b"")
    conn = open_archive(path)
    counts = [
        conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("articles", "versions", "sections")
    ]
    assert counts == [120, 120, 121]
    assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
    conn.close()


def test_a_reader_sees_whole_batches_while_another_process_writes(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    conn = begin(open_archive(path))
    seen: list[tuple[int, int]] = []
    stop = threading.Event()

    def read() -> None:
        reader = open_archive(path, readonly=True)
        while not stop.is_set():
            seen.append(reader.execute("SELECT count(*), count(version_id) FROM articles").fetchone())
        reader.close()

    thread = threading.Thread(target=read)
    thread.start()
    for number in range(0, 200, 10):
        writer.write(conn, batch(*(article(f"{n}", url=f"u{n}") for n in range(number, number + 10))))
    stop.set()
    thread.join()
    conn.close()
    assert seen
    assert all(articles == versions and articles % 10 == 0 for articles, versions in seen)


def test_a_writer_killed_in_mid_transaction_leaves_nothing_half_done(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    conn = begin(open_archive(path))
    waiting = Queued(portal_id=PORTAL, key="u0", seq=1, url="u0", kind="article")
    writer.write(conn, batch(frontier=(waiting,)))
    before = contents(conn)
    conn.close()
    for steps in (10, 300, 700):  # of about 730
        process = child(DIE, path, steps)
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (-signal.SIGKILL, b"")
        conn = open_archive(path)
        assert contents(conn) == before
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        conn.close()
    conn = open_archive(path)
    [written] = writer.write(conn, batch(article("第一段", url="u0")))
    assert (written.outcome, text_of_version(conn, written.version_id)) == ("new", "第一段")
    conn.close()


def test_a_full_disk_costs_the_batch_and_not_the_archive(tmp_path: Path) -> None:
    conn = begin(open_archive(tmp_path / "archive.db"))
    writer.write(conn, batch(article("第一段", url="u0")))
    before = contents(conn)
    [(pages,)] = conn.execute("PRAGMA page_count")
    conn.execute(f"PRAGMA max_page_count = {pages}")
    texts = [os.urandom(2000).hex() for _ in range(50)]
    with pytest.raises(sqlite3.OperationalError, match="full"):
        writer.write(conn, batch(article(*texts, url="u1")))
    assert not conn.in_transaction
    assert contents(conn) == before
    conn.execute("PRAGMA max_page_count = 100000")
    assert writer.write(conn, batch(article(*texts, url="u1")))[0].outcome == "new"
    conn.close()
