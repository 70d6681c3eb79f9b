"""Opening the archive: what is made, what is migrated, what is refused."""

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crawler.archive import schema
from crawler.archive.connection import ArchiveError, bring_up_to_date, open_archive
from tests.support.archive import contents

OPEN = (
    "import sys, pathlib; from crawler.archive.connection import open_archive; open_archive(pathlib.Path(sys.argv[1]))"
)


def second_tables(db: Any) -> None:
    """A migration as the next version may bring it."""
    db.create_table("notes", {"id": int, "text": str}, pk="id")
    db["runs"].add_column("note", str)


def broken_migration(db: Any) -> None:
    """A migration that fails in the middle."""
    db.create_table("notes", {"id": int, "text": str}, pk="id")
    db["notes"].create_index(["text"])
    raise RuntimeError("in the middle")


def test_a_new_archive_is_in_wal_mode_with_foreign_keys_and_this_schema(tmp_path: Path) -> None:
    conn = open_archive(tmp_path / "archive.db")
    pragmas = ("journal_mode", "foreign_keys", "synchronous", "user_version", "busy_timeout")
    assert [conn.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas] == [
        "wal",
        1,
        1,
        schema.SCHEMA_VERSION,
        60_000,
    ]
    assert conn.isolation_level is None
    conn.close()


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    first = open_archive(path)
    before = list(first.execute("SELECT * FROM sqlite_master"))
    first.close()
    second = open_archive(path)
    assert list(second.execute("SELECT * FROM sqlite_master")) == before
    second.close()
    assert [file.name for file in tmp_path.iterdir()] == ["archive.db"]


@pytest.mark.parametrize("name", ["a b.db", "a?mode=ro#x.db", "归档%20.db", ":memory:"])
def test_any_file_name_is_a_file_name(tmp_path: Path, name: str) -> None:
    open_archive(tmp_path / name).close()
    assert (tmp_path / name).read_bytes().startswith(b"SQLite format 3")


def test_an_empty_file_becomes_an_archive(tmp_path: Path) -> None:
    (tmp_path / "archive.db").touch()
    conn = open_archive(tmp_path / "archive.db")
    assert conn.execute("PRAGMA user_version").fetchone() == (schema.SCHEMA_VERSION,)
    conn.close()


def test_a_file_that_is_not_sqlite_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"# not a database\n" * 100)
    with pytest.raises(ArchiveError, match=r"notes\.txt: is not a SQLite file"):
        open_archive(path)
    assert path.read_bytes() == b"# not a database\n" * 100


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(ArchiveError, match=r"other\.db: is a SQLite file, but not an archive"):
        open_archive(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("readonly", [False, True])
def test_a_newer_archive_is_refused_and_left_alone(tmp_path: Path, readonly: bool) -> None:
    path = tmp_path / "archive.db"
    conn = open_archive(path)
    conn.execute("PRAGMA user_version = 99")
    conn.close()
    before = path.read_bytes()
    with pytest.raises(ArchiveError, match=r"archive\.db: is of a newer xianzhi \(schema 99.*update xianzhi"):
        open_archive(path, readonly=readonly)
    assert path.read_bytes() == before


def test_what_cannot_be_opened_is_said_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"archive\.db: there is no archive"):
        open_archive(tmp_path / "archive.db", readonly=True)
    with pytest.raises(ArchiveError, match="is a folder"):
        open_archive(tmp_path)
    with pytest.raises(ArchiveError, match="its folder does not exist"):
        open_archive(tmp_path / "nowhere" / "archive.db")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_who_may_not_write_in_the_folder_is_told_of_a_copy(tmp_path: Path) -> None:
    open_archive(tmp_path / "archive.db").close()
    (tmp_path / "archive.db-wal").mkdir()  # in the place of what SQLite makes, which root may make anywhere
    with pytest.raises(ArchiveError, match="VACUUM INTO"):
        open_archive(tmp_path / "archive.db", readonly=True)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    open_archive(tmp_path / "archive.db").close()
    conn = open_archive(tmp_path / "archive.db", readonly=True)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        conn.execute("DELETE FROM articles")
    conn.close()


def test_processes_that_open_a_new_archive_at_once_do_not_collide(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    children = [subprocess.Popen([sys.executable, "-c", OPEN, str(path)], stderr=subprocess.PIPE) for _ in range(6)]
    for child in children:
        _, said = child.communicate(timeout=60)
        assert (child.returncode, said) == (0, b"")
    conn = open_archive(path)
    assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    conn.close()


def test_an_older_archive_is_migrated_after_a_copy_was_made(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    conn = open_archive(path)
    conn.execute("INSERT INTO runs (id, started_at, status) VALUES ('r', '2024-01-01T00:00:00Z', 'ok')")
    before = contents(conn)
    bring_up_to_date(conn, path, migrations=(*schema.MIGRATIONS, second_tables))
    assert conn.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS) + 1,)
    assert conn.execute("SELECT id, note FROM runs").fetchall() == [("r", None)]
    conn.close()
    copy = open_archive(tmp_path / f"archive.db.v{schema.SCHEMA_VERSION}-backup")
    assert contents(copy) == before
    copy.close()


def test_a_migration_that_fails_leaves_nothing_behind_but_the_copy(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    conn = open_archive(path)
    before = conn.execute("SELECT * FROM sqlite_master").fetchall()
    with pytest.raises(RuntimeError, match="in the middle"):
        bring_up_to_date(conn, path, migrations=(*schema.MIGRATIONS, broken_migration))
    assert conn.execute("SELECT * FROM sqlite_master").fetchall() == before
    assert conn.execute("PRAGMA user_version").fetchone() == (schema.SCHEMA_VERSION,)
    conn.close()
    backup = f"archive.db.v{schema.SCHEMA_VERSION}-backup"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["archive.db", backup]


def test_an_archive_is_only_made_whole(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    conn = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(RuntimeError, match="in the middle"):
        bring_up_to_date(conn, path, migrations=(broken_migration,))
    assert conn.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    bring_up_to_date(conn, path)
    assert conn.execute("PRAGMA user_version").fetchone() == (schema.SCHEMA_VERSION,)
    conn.close()


def test_a_damaged_archive_is_said_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    open_archive(path).close()
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 8000)
    with pytest.raises(ArchiveError, match=r"archive\.db: cannot be used"):
        open_archive(path)
