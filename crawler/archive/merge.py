"""Bringing a shard into the archive: what a worker on another host stored, as if it had been stored here.

A shard is an archive in small, and holds what its worker was given of the past (`crawler.archive.seeds`) beside what is
new; by the contract's keys the one is told from the other. Shards may come in any order and any number of times. Ids
that were given stay. What takes the whole archive to know is left to `crawler.archive.afterwards`.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from crawler.archive.connection import ArchiveError, large_cache, transaction
from crawler.archive.merging import contested, rows
from crawler.archive.merging.checking import checked
from crawler.archive.times import to_second

Stored = Literal["local", "archived"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What one shard brought."""

    name: str
    captures: int = 0
    articles: int = 0
    """New ones."""
    versions: int = 0
    """Of new articles and of known ones."""
    was_known: bool = False
    """This very file was merged before, and was not read again."""


def merge(
    conn: sqlite3.Connection, path: Path, *, place: Callable[[Sequence[str]], Stored] = lambda _: "archived"
) -> Merged:
    """Bring the shard at *path* into the archive, all of it or nothing.

    *place* is called before a row is written, with the names of the shard's WARC files: it brings them where they are
    to be, and says where that is (``captures.stored``). For the holder of the run lock; *conn* is in autocommit mode.
    Raises ArchiveError where the file is no shard, is damaged, of a newer program or another archive; sqlite3.Error.
    """
    digest = _sha256(path)
    known = conn.execute("SELECT 1 FROM merged_shards WHERE (name, sha256) = (?, ?)", (path.name, digest)).fetchone()
    if known:
        return Merged(name=path.name, was_known=True)
    with checked(path) as shard, _attached(conn, shard):
        files = conn.execute("SELECT DISTINCT warc_file FROM shard.captures ORDER BY warc_file").fetchall()
        stored = place([file for (file,) in files])
        try:
            with transaction(conn):
                merged = _bring(conn, path.name, stored=stored)
                _note(conn, merged, digest)
        except sqlite3.IntegrityError as error:
            raise ArchiveError(f"{path}: {error}: it is another archive's shard, or was tampered with") from error
        except ArchiveError as error:
            raise ArchiveError(f"{path}: {error}") from error
        finally:
            rows.forget_numbers(conn)
    return merged


def merged_names(conn: sqlite3.Connection) -> set[str]:
    """The names of the shards that were merged."""
    return {name for (name,) in conn.execute("SELECT name FROM merged_shards")}


def _bring(conn: sqlite3.Connection, name: str, *, stored: str) -> Merged:
    rows.number(conn)
    rows.refuse_what_has_no_text(conn)
    rows.bring_catalogue(conn)
    rows.bring_captures(conn, stored=stored)
    rows.bring_articles(conn)
    rows.follow_sightings(conn)
    versions = contested.join(conn)
    rows.bring_frontier(conn)
    rows.bring_links(conn)
    return Merged(
        name=name,
        captures=rows.count_own(conn, "capture_ids"),
        articles=rows.count_own(conn, "article_ids"),
        versions=rows.count_own(conn, "version_ids") + versions,
    )


def _note(conn: sqlite3.Connection, merged: Merged, digest: str) -> None:
    conn.execute(
        "INSERT INTO merged_shards (name, sha256, merged_at, captures, articles, versions) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, merged_at = excluded.merged_at,"
        " captures = captures + excluded.captures, articles = articles + excluded.articles,"
        " versions = versions + excluded.versions",
        (merged.name, digest, to_second(datetime.now(UTC)), merged.captures, merged.articles, merged.versions),
    )


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArchiveError(f"{path}: cannot be read: {error.strerror}") from error


@contextmanager
def _attached(conn: sqlite3.Connection, shard: Path) -> Iterator[None]:
    conn.execute("ATTACH ? AS shard", (f"{shard.absolute().as_uri()}?mode=ro",))
    try:
        with large_cache(conn):
            yield
    finally:
        conn.execute("DETACH shard")
