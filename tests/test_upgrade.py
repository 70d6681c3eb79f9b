"""An archive that an older program left: commands that write bring it up to date, the others say which ones do."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from crawler.archive import schema
from crawler.archive.connection import bring_up_to_date


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """An archive of one schema before."""
    path = tmp_path / "archive.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        bring_up_to_date(conn, path, migrations=schema.MIGRATIONS[:-1])
    return path


def schema_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as conn:
        return conn.execute("PRAGMA user_version").fetchone()[0]


def run(words: str, older: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "crawler", *words.split(), "--db", str(older)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("words", ["withhold --list", "reprocess", "verify --repair"])
def test_what_writes_needs_no_crawl_before_it(older: Path, words: str) -> None:
    done = run(words, older)
    assert done.returncode == 0, done.stderr
    assert schema_of(older) == schema.SCHEMA_VERSION
    assert schema_of(older.with_name(f"archive.db.v{schema.SCHEMA_VERSION - 1}-backup")) == schema.SCHEMA_VERSION - 1


@pytest.mark.parametrize("words", ["report", "verify", "reprocess --dry-run"])
def test_what_only_reads_leaves_it_alone_and_says_what_to_do(older: Path, words: str) -> None:
    done = run(words, older)
    assert done.returncode == 2
    assert done.stderr.strip().endswith(
        "xianzhi crawl brings it up to date, and xianzhi verify --repair does without crawling"
    )
    assert schema_of(older) == schema.SCHEMA_VERSION - 1
