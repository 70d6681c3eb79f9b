"""What a shard is held to before a row of it is read: it is an archive of this schema, whole, and nothing but rows."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from crawler.archive import normaliser, schema
from crawler.archive.connection import ArchiveError, open_archive
from crawler.text.folding import FOLD_VERSION

LONGEST = 64 * 1024 * 1024
"""Bytes of one value, above which SQLite refuses to read it: a page has 32 MB at most."""
_TYPES = {"TEXT": "'text'", "INTEGER": "'integer'", "REAL": "'real', 'integer'", "BLOB": "'blob'"}
_VIRTUAL = "articles_fts"


@contextmanager
def checked(path: Path) -> Iterator[Path]:
    """A shard that can be attached: itself, or a migrated copy of it for as long as the block lasts.

    Raises ArchiveError, which names the file, where it is no shard, damaged, or of a newer program.
    """
    if not path.is_file():
        raise ArchiveError(f"{path}: there is no such shard")
    with tempfile.TemporaryDirectory(prefix="xianzhi-merge-") as folder:
        try:
            usable = path if _is_current(path) else _migrated(path, Path(folder))
            with closing(_open(usable)) as shard:
                _check_names(shard)
                _check_rows(shard)
        except sqlite3.DatabaseError as error:
            raise ArchiveError(f"{path}: is damaged, or no shard: {error}") from error
        except _UnfitError as error:
            raise ArchiveError(f"{path}: {error}") from error
        yield usable


class _UnfitError(Exception):
    """What is wrong with a shard, in words."""


def _open(path: Path) -> sqlite3.Connection:
    conn = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
    conn.execute("PRAGMA trusted_schema = OFF")
    return conn


def _is_current(path: Path) -> bool:
    with closing(_open(path)) as conn:
        [(application_id,)] = conn.execute("PRAGMA application_id").fetchall()
        if application_id != schema.APPLICATION_ID:
            raise _UnfitError("is no shard of an archive")
        [(version,)] = conn.execute("PRAGMA user_version").fetchall()
        return bool(version == schema.SCHEMA_VERSION and normaliser.fold_version(conn) == FOLD_VERSION)


def _migrated(path: Path, folder: Path) -> Path:
    """A copy of an older shard, brought up to date. Raises ArchiveError for a newer one."""
    copy = folder / path.name
    for suffix in ("", "-wal"):
        if path.with_name(path.name + suffix).exists():
            shutil.copyfile(path.with_name(path.name + suffix), copy.with_name(copy.name + suffix))
    try:
        open_archive(copy).close()
    except ArchiveError as error:
        raise _UnfitError(str(error).removeprefix(f"{copy}: ")) from error
    return copy


def _check_names(shard: sqlite3.Connection) -> None:
    """Its tables are ours, column for column, and there is no trigger: nothing in it can act."""
    found = _tables(shard)
    for table, columns in _expected().items():
        if found.get(table) != columns:
            raise _UnfitError(f"its table {table} is another one than an archive's")
    [(others,)] = shard.execute(
        "SELECT count(*) FROM sqlite_master WHERE type NOT IN ('table', 'index') AND name <> 'article_texts'"
    ).fetchall()
    if others:
        raise _UnfitError("it has triggers or views, which no shard has")


@cache
def _expected() -> dict[str, list[tuple[str, str]]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        schema.migrate(new, from_version=0, migrations=schema.MIGRATIONS)
        return _tables(new)


def _tables(conn: sqlite3.Connection) -> dict[str, list[tuple[str, str]]]:
    """Columns and types of every plain table; what is virtual or a view in its place has none of these."""
    names = conn.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE%' AND name NOT LIKE ? || '%'"
        " AND name NOT LIKE 'sqlite_%'",
        (_VIRTUAL,),
    ).fetchall()
    return {
        name: [(row[1], row[2]) for row in conn.execute(f'PRAGMA table_xinfo("{name}")') if row[6] == 0]
        for (name,) in names
    }


def _check_rows(shard: sqlite3.Connection) -> None:
    """The file is whole, references lead to rows, and values are of their columns' types and sizes."""
    [(line,), *_] = shard.execute("PRAGMA quick_check(1)").fetchall()
    if line != "ok":
        raise _UnfitError(f"is damaged: {line}")
    if orphan := shard.execute("PRAGMA foreign_key_check").fetchone():
        raise _UnfitError(f"a row of {orphan[0]} points at a row of {orphan[2]} that is not there")
    for table, columns in _expected().items():
        wrong = " OR ".join(f"typeof(\"{name}\") NOT IN ({_TYPES[kind]}, 'null')" for name, kind in columns)
        if shard.execute(f'SELECT 1 FROM "{table}" WHERE {wrong} LIMIT 1').fetchone():  # noqa: S608 - names of ours
            raise _UnfitError(f"its table {table} has a value of another type than its column")
    for what, sql in _RULES.items():
        if shard.execute(sql).fetchone():
            raise _UnfitError(what)


_RULES = {
    "a capture's file has a name that leads elsewhere": """
        SELECT 1 FROM captures WHERE warc_file = '' OR warc_file LIKE '%/%' OR warc_file LIKE '.%'
            OR instr(warc_file, char(0)) LIMIT 1
    """,
    "an article shows no version, or another article's": """
        SELECT 1 FROM articles LEFT JOIN versions ON versions.id = version_id
        WHERE versions.id IS NULL OR article_id <> articles.id LIMIT 1
    """,
    "a version is of another portal's capture": """
        SELECT 1 FROM versions JOIN captures ON captures.id = capture_id JOIN articles ON articles.id = article_id
        WHERE captures.portal_id <> articles.portal_id LIMIT 1
    """,
    "a sketch is no list of numbers": """
        SELECT 1 FROM reprint_sketches WHERE CASE WHEN json_valid(keys) THEN json_type(keys) <> 'array'
            OR EXISTS (SELECT 1 FROM json_each(keys) WHERE type <> 'integer' OR typeof(value) <> 'integer')
            ELSE 1 END LIMIT 1
    """,
    "a sample of an article's words is cut off": "SELECT 1 FROM reprint_samples WHERE length(sample) % 2 LIMIT 1",
    "a revisit leads to a revisit, or to another portal's capture": """
        SELECT 1 FROM captures AS own JOIN captures AS first ON first.id = own.revisit_of
        WHERE first.revisit_of IS NOT NULL OR first.portal_id <> own.portal_id LIMIT 1
    """,
}
