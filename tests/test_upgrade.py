"""An archive that an older program left: commands that write bring it up to date, the others say which ones do."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from crawler.archive import schema
from crawler.archive.connection import bring_up_to_date
from crawler.cli import cli


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


@pytest.mark.parametrize("words", ["withhold --list", "reprocess", "verify --repair"])
def test_what_writes_needs_no_crawl_before_it(older: Path, words: str) -> None:
    done = CliRunner().invoke(cli, [*words.split(), "--db", str(older)])
    assert done.exit_code == 0, done.output
    assert schema_of(older) == schema.SCHEMA_VERSION
    assert schema_of(older.with_name(f"archive.db.v{schema.SCHEMA_VERSION - 1}-backup")) == schema.SCHEMA_VERSION - 1


@pytest.mark.parametrize("words", ["report", "verify", "reprocess --dry-run"])
def test_what_only_reads_leaves_it_alone_and_says_what_to_do(older: Path, words: str) -> None:
    done = CliRunner().invoke(cli, [*words.split(), "--db", str(older)])
    assert str(done.exception).endswith(
        "xianzhi crawl brings it up to date, and xianzhi verify --repair does without crawling"
    )
    assert schema_of(older) == schema.SCHEMA_VERSION - 1
