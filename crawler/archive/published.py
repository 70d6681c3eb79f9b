"""A copy of the archive for the public: what it may see and nothing else, in one file that nobody writes any more.

Rows are read through `crawler.archive.public`, all in one transaction, and written anew: so neither free pages nor old
segments of the index keep a word of what was deleted or withheld. ``article_texts``, a view in the archive, is a table
here. The tables that only a crawl needs are left out; ``withheld`` is there, empty, because searches ask it.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from crawler.archive.beside import file_beside
from crawler.archive.connection import ArchiveError, is_published, open_archive
from crawler.archive.public import OPEN, SHOWN, hide

FOR_CRAWLS = frozenset(
    {
        "boilerplate_mark",
        "boilerplate_pages",
        "boilerplate_places",
        "boilerplate_unsettled",
        "frontier",
        "merged_shards",
        "reprint_bands",
        "reprint_marks",
        "reprint_samples",
        "reprint_sketches",
        "seeded_articles",
        "seeded_portals",
        "spam_backlog",
        "withheld_log",
    }
)
"""Tables that are left out."""
INDEXES_FOR_CRAWLS = frozenset(
    {"idx_articles_unplaced", "idx_attachments_waiting", "idx_captures_payload", "idx_images_waiting"}
)
"""Indexes that are left out."""
INDEXES_FOR_READERS: Mapping[str, str] = {
    "idx_articles_version_id": "articles (version_id)",
    "idx_sections_first_version_id": "sections (first_version_id)",
    "idx_versions_replaces": "versions (replaces)",
}
"""Datasette's page of a version counts what points at it: 0.8 s of looking through 100,000 articles without these."""
CACHE_KIB = 64 * 1024
BATCH = 1_000
"""Rows in memory."""

_INDEX = "articles_fts"
_KEEPS_INDEX = ("articles_fts_data", "articles_fts_idx", "articles_fts_docsize", "articles_fts_config")
_TEXTS = "CREATE TABLE article_texts (article_id INTEGER PRIMARY KEY REFERENCES articles(id), body TEXT NOT NULL)"

Progress = Callable[[str, int], None]
"""Takes what is being written or checked, and how many rows of it were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy that was made."""

    articles: int
    bytes: int
    run_id: str | None
    """The newest run in it."""


def publish(db: Path, out: Path, *, progress: Progress) -> Copy:
    """Write a copy of the archive *db* for the public to *out*, checked; it takes the place of an older one at once.

    A crawl may go on meanwhile. Raises ArchiveError for an archive that cannot be read, a place that is not for a copy,
    or a copy that is not sound; LockHeldError where another process makes the same one; OSError and sqlite3.Error for a
    full disk.
    """
    _refuse_what_would_be_lost(db, out)
    with closing(open_archive(db, readonly=True)) as archive, file_beside(out) as part:
        archive.execute("PRAGMA query_only = OFF")  # for temporary views; the file itself is open for reading alone
        archive.execute("BEGIN")
        schema, indexes = _schema(archive), _indexes(archive)
        with closing(_open(part)) as copy:
            _write_index(archive, copy, schema, progress)
        hide(archive)
        with closing(_open(part)) as copy:  # again: FTS5 remembers the empty index that it made
            _write_tables(archive, copy, schema, progress)
            archive.execute("COMMIT")
            _write_what_helps_readers(copy, indexes, progress)
            progress("checks", 0)
            _check(copy, db)
            [(articles, run_id)] = copy.execute(
                "SELECT (SELECT count(*) FROM articles), (SELECT max(id) FROM runs)"
            ).fetchall()
        size = part.stat().st_size
    return Copy(articles=articles, bytes=size, run_id=run_id)


def row_counts(conn: sqlite3.Connection) -> dict[str, int | None]:
    """How many rows each table of a copy has, as ``ANALYZE`` counted them when it was made; None of the index."""
    # The first number of a line counts a table's rows, or those in an index of some; an empty table has no line.
    first_number = "CAST(substr(stat, 1, instr(stat || ' ', ' ') - 1) AS INTEGER)"
    counted = dict(conn.execute(f"SELECT tbl, max({first_number}) FROM sqlite_stat1 GROUP BY tbl"))  # noqa: S608 - ours
    tables = [name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {table: None if table == _INDEX else counted.get(table, 0) for table in tables}


def _refuse_what_would_be_lost(db: Path, out: Path) -> None:
    if not out.parent.is_dir():
        raise ArchiveError(f"{out}: its folder does not exist")
    if out.exists() and (out.is_dir() or not _is_copy(out)):
        raise ArchiveError(f"{out}: is there already, and is no published copy; name another file")
    for log in (out.with_name(f"{out.name}-wal"), out.with_name(f"{out.name}-journal")):
        if log.exists():  # SQLite would take it for the new file's
            raise ArchiveError(f"{log}: is left of another file; delete it, or name another file than {out}")


def _is_copy(path: Path) -> bool:
    """Whatever version of this program made it."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as conn:
            return is_published(conn)
    except sqlite3.DatabaseError:
        return False


def _schema(archive: sqlite3.Connection) -> dict[str, str]:
    """What makes each table."""
    return dict(archive.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall())


def _indexes(archive: sqlite3.Connection) -> list[str]:
    """What makes each index of a table that is in the copy."""
    rows = archive.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    return [sql for name, table, sql in rows if name not in INDEXES_FOR_CRAWLS and table not in FOR_CRAWLS]


def _open(part: Path) -> sqlite3.Connection:
    """Without a journal: what does not come to its end is thrown away."""
    conn = sqlite3.connect(part, isolation_level=None)
    for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}", "secure_delete = ON"):
        conn.execute(f"PRAGMA {setting}")
    return conn


def _write_index(
    archive: sqlite3.Connection, copy: sqlite3.Connection, schema: Mapping[str, str], progress: Progress
) -> None:
    """The full-text index as it is; before the tables, which then take the room that merging it leaves free."""
    copy.execute(schema[_INDEX])
    for table in _KEEPS_INDEX:
        copy.execute(f"DELETE FROM {table}")  # noqa: S608 - ours
        _write(copy, table, archive.execute(f"SELECT * FROM main.{table}"), progress)  # noqa: S608


def _write_tables(
    archive: sqlite3.Connection, copy: sqlite3.Connection, schema: Mapping[str, str], progress: Progress
) -> None:
    progress(_INDEX, 0)
    # Into one segment: older ones keep words that were taken out of the index later.
    copy.execute(f"INSERT INTO {_INDEX} ({_INDEX}) VALUES ('optimize')")  # noqa: S608 - ours
    for table in _shown(schema):
        copy.execute(schema[table])
        _write(copy, table, archive.execute(f'SELECT * FROM "{table}"'), progress)  # noqa: S608 - ours
    copy.execute(_TEXTS)
    _write(copy, "article_texts", archive.execute("SELECT article_id, body FROM article_texts"), progress)
    for name in ("application_id", "user_version"):
        [(value,)] = archive.execute(f"PRAGMA {name}").fetchall()
        copy.execute(f"PRAGMA {name} = {value}")


def _shown(schema: Mapping[str, str]) -> list[str]:
    """The tables of the copy that are tables of the archive; one that nobody has decided upon is not among them."""
    of_sqlite = {name for name in schema if name.startswith(("sqlite_", _INDEX))}
    return sorted((SHOWN.keys() | OPEN) & schema.keys() - FOR_CRAWLS - of_sqlite)


def _write(copy: sqlite3.Connection, table: str, rows: sqlite3.Cursor, progress: Progress) -> None:
    places = ", ".join("?" * len(rows.description))
    written = 0
    copy.execute("BEGIN")
    while batch := rows.fetchmany(BATCH):
        copy.executemany(f'INSERT INTO "{table}" VALUES ({places})', batch)  # noqa: S608 - ours
        written += len(batch)
        progress(table, written)
    copy.execute("COMMIT")


def _write_what_helps_readers(copy: sqlite3.Connection, indexes: Iterable[str], progress: Progress) -> None:
    for_readers = (f"CREATE INDEX IF NOT EXISTS {name} ON {columns}" for name, columns in INDEXES_FOR_READERS.items())
    for number, sql in enumerate((*indexes, *for_readers)):
        progress("indexes", number)
        copy.execute(sql)
    copy.execute("ANALYZE")


def _check(copy: sqlite3.Connection, db: Path) -> None:
    """Raises ArchiveError."""
    copy.execute(f"INSERT INTO {_INDEX} ({_INDEX}) VALUES ('integrity-check')")  # noqa: S608 - ours
    [(said,), *_] = copy.execute("PRAGMA integrity_check").fetchall()
    if said != "ok":
        raise ArchiveError(f"{db}: the copy is not sound ({said}); xianzhi verify says what is wrong")
