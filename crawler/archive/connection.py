"""Opening the archive: a SQLite file in WAL mode, brought up to this version's schema.

``synchronous=NORMAL``: a killed process loses nothing that was committed. A power cut may lose the last transactions,
whole ones, never half of one: what they brought is then queued in the frontier again and fetched again, and their WARC
records, flushed before, stay as records that no row points at.
"""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from crawler.archive import normaliser, schema
from crawler.text.folding import FOLD_VERSION

BUSY_SECONDS = 60.0
"""How long a writer waits for another one."""
CACHE_KIB = 16 * 1024
"""Pages kept in memory by a connection: enough for the upper levels of every index, and flat."""
LARGE_CACHE_KIB = 256 * 1024
"""The same while shards come home: a night's paragraphs and keys lie everywhere in their indexes."""
WAL_LIMIT = 64 * 1024 * 1024
"""Bytes the WAL file is cut back to after a long reader let it grow."""

_NO_LOG = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
"""What a reader of a file in WAL mode is told who cannot make the WAL's index beside it (SQLite's documentation,
"Write-Ahead Logging", 5)."""
_SCHEMA_VERSION = "PRAGMA user_version"
_MIGRATES = "xianzhi crawl brings it up to date, and xianzhi verify --repair does without crawling"


class ArchiveError(Exception):
    """An archive that cannot be used; the message names the file and says what to do."""


def open_archive(path: Path, *, readonly: bool = False, make: bool = True) -> sqlite3.Connection:
    """Open the archive at *path*, in autocommit mode; a new one is made, unless *readonly* or not *make*.

    An older archive is migrated after a copy was made beside it, and so is one whose keys another fold made
    (`crawler.archive.normaliser`). Safe where several processes open at once. Raises ArchiveError for a file that is
    not an archive, is newer than this program, or cannot be opened.
    """
    try:
        _refuse_what_is_not_there(path, must_exist=readonly or not make)
    except OSError as error:
        raise ArchiveError(f"{path}: cannot be opened: {error.strerror}") from error
    uri = path.absolute().as_uri() + ("?mode=ro" if readonly else "")
    try:
        conn = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    except sqlite3.Error as error:
        raise ArchiveError(f"{path}: cannot be opened: {error}") from error
    try:
        _prepare(conn, path, readonly=readonly)
    except sqlite3.DatabaseError as error:
        conn.close()
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise ArchiveError(f"{path}: is not a SQLite file; name another one with --db") from error
        if readonly and error.sqlite_errorcode & 0xFF in _NO_LOG:
            raise ArchiveError(
                f"{path}: cannot be read: SQLite needs a log beside an archive, even to read it, and its folder cannot"
                f" be written ({error}); sqlite3's VACUUM INTO makes a copy without one (docs/operations.md)"
            ) from error
        raise ArchiveError(f"{path}: cannot be used: {error}") from error
    except BaseException:
        conn.close()
        raise
    return conn


def is_published(conn: sqlite3.Connection) -> bool:
    """Whether this is a copy of an archive that was made for the public: its reading texts are a table."""
    [(application_id,)] = conn.execute("PRAGMA application_id").fetchall()
    texts = conn.execute("SELECT type FROM sqlite_master WHERE name = 'article_texts'").fetchone()
    return bool(application_id == schema.APPLICATION_ID and texts == ("table",))


def refuse_published(conn: sqlite3.Connection, path: Path) -> None:
    """Raise ArchiveError for a copy that was made for the public: what only keepers need is not in it."""
    if is_published(conn):
        raise ArchiveError(f"{path}: is a published copy; name the archive it was made from")


@contextmanager
def transaction(conn: sqlite3.Connection) -> Iterator[None]:
    """One ``BEGIN IMMEDIATE``: all or nothing, and no other writer between its reads and its writes."""
    conn.execute("BEGIN IMMEDIATE")
    try:
        yield
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:  # SQLite rolls back by itself on a full disk
            conn.execute("ROLLBACK")
        raise


@contextmanager
def large_cache(conn: sqlite3.Connection) -> Iterator[None]:
    """Keep as many pages in memory as merging needs, until the end of the block."""
    [(before,)] = conn.execute("PRAGMA cache_size").fetchall()
    conn.execute(f"PRAGMA cache_size = -{LARGE_CACHE_KIB}")
    try:
        yield
    finally:
        conn.execute(f"PRAGMA cache_size = {before}")


def bring_up_to_date(
    conn: sqlite3.Connection, path: Path, *, migrations: Sequence[schema.Migration] = schema.MIGRATIONS
) -> None:
    """Run the migrations that the archive lacks; before the first one on a used archive, copy it.

    Raises ArchiveError where the archive is newer than *migrations*, or no archive.
    """
    is_copied = False
    while (version := _version(conn, path, newest=len(migrations))) < len(migrations):
        if version and not is_copied:
            is_copied = True
            _copy(conn, path.with_name(f"{path.name}.v{version}-backup"), _SCHEMA_VERSION, version)
        schema.migrate(conn, from_version=version, migrations=migrations)


def _refuse_what_is_not_there(path: Path, *, must_exist: bool) -> None:
    if path.is_dir():
        raise ArchiveError(f"{path}: is a folder; name a file in it with --db")
    if must_exist and not path.exists():
        raise ArchiveError(f"{path}: there is no archive; xianzhi crawl makes one, --db FILE names another")
    if not path.parent.is_dir():
        raise ArchiveError(f"{path}: its folder does not exist; make it, or name another file with --db")


def _prepare(conn: sqlite3.Connection, path: Path, *, readonly: bool) -> None:
    version = _version(conn, path, newest=schema.SCHEMA_VERSION)
    conn.execute("PRAGMA foreign_keys = ON")
    conn.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    if readonly:
        conn.execute("PRAGMA query_only = ON")
        if version < schema.SCHEMA_VERSION:
            raise ArchiveError(f"{path}: has an older schema ({version}); {_MIGRATES}")
        if (fold := _fold_version(conn, path)) < FOLD_VERSION:
            raise ArchiveError(f"{path}: was keyed by an older fold ({fold}); {_MIGRATES}")
    else:
        refuse_published(conn, path)
        _enter_wal(conn)
        conn.execute("PRAGMA synchronous = NORMAL")
        conn.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
        bring_up_to_date(conn, path)
        _bring_fold_up_to_date(conn, path)


def _bring_fold_up_to_date(conn: sqlite3.Connection, path: Path) -> None:
    if (version := _fold_version(conn, path)) == FOLD_VERSION:
        return
    if conn.execute("SELECT 1 FROM sections LIMIT 1").fetchone():
        _copy(conn, path.with_name(f"{path.name}.fold{version}-backup"), normaliser.STORED_VERSION, version)
    with transaction(conn):
        if normaliser.fold_version(conn) == version:  # else another process was faster
            normaliser.refold(conn)


def _fold_version(conn: sqlite3.Connection, path: Path) -> int:
    version = normaliser.fold_version(conn)
    if version > FOLD_VERSION:
        raise ArchiveError(
            f"{path}: is of a newer xianzhi (fold {version}, this one knows {FOLD_VERSION}); update xianzhi"
        )
    return version


def _version(conn: sqlite3.Connection, path: Path, *, newest: int) -> int:
    # In this order: another process may be making the tables and the mark, in one transaction, at this moment.
    is_empty = conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    is_ours = conn.execute("PRAGMA application_id").fetchone()[0] == schema.APPLICATION_ID
    version: int = conn.execute("PRAGMA user_version").fetchone()[0]
    if not is_ours and not is_empty:
        raise ArchiveError(f"{path}: is a SQLite file, but not an archive; name another one with --db")
    if version > newest:
        raise ArchiveError(f"{path}: is of a newer xianzhi (schema {version}, this one knows {newest}); update xianzhi")
    return version


def _enter_wal(conn: sqlite3.Connection) -> None:
    """Changing the mode does not wait for other processes by itself."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            conn.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _copy(conn: sqlite3.Connection, backup: Path, asked: str, version: int) -> None:
    """A consistent copy of an archive that, *asked*, is at *version*; in place only when it is whole."""
    part = backup.with_name(f"{backup.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    try:
        conn.execute("VACUUM INTO ?", (str(part),))
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        copy = sqlite3.connect(part)
        try:
            is_whole = copy.execute(asked).fetchone()[0] == version
        finally:
            copy.close()
        if is_whole:  # else another process has migrated meanwhile, and has made its copy
            part.replace(backup)
    finally:
        part.unlink(missing_ok=True)
