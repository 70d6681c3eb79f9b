"""Bringing shards home: one after the other into the archive, their WARC files into its folder, and what follows.

What the whole archive has to be known for is learned once, when all are there; a shard that cannot be merged is named,
and the others go on.
"""

import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from crawler.archive import afterwards, custody
from crawler.archive.connection import ArchiveError, large_cache, open_archive
from crawler.archive.lock import RunLock
from crawler.archive.merge import Merged, Stored, merge, merged_names
from crawler.disk import passing_folder, sync_folder
from crawler.store import Store, point

SHARD = "xianzhi-shard-*.db"
"""What shards are called."""
log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Brought:
    """What came home."""

    shards: list[Merged] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Shards that could not be merged, in words."""
    moved: list[str] = field(default_factory=list)
    """WARC files that were moved into the archive's folder."""
    elsewhere: list[str] = field(default_factory=list)
    """WARC files that are neither at hand nor in the store; the captures in them are ``archived``."""
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """The contract's: 0, or 1 where a shard could not be merged."""
        return 1 if self.failures else 0


def found(named: Iterable[Path]) -> list[Path]:
    """The shards that *named* files are, and those in named folders and below, by name: by the time they began."""
    shards: list[Path] = []
    for path in named:
        shards += path.rglob(SHARD) if path.is_dir() else [path]
    return sorted(shards, key=lambda path: path.name)


def bring_home(
    shards: Sequence[Path],
    *,
    db: Path,
    warc: Path,
    store: Store | None = None,
    on_progress: Callable[[str, int], None] = lambda *_: None,
    on_log: Callable[[int, str], None] = log.log,
) -> Brought:
    """Merge *shards* and those in *store* that were not merged yet into the archive *db*; learn what follows from them.

    WARC files that lie beside a shard, or in ``warc/`` beside it, are moved into the folder *warc*; those in the store
    stay there, and *warc* points to it. *on_progress* gets what is being done, and how many shards or articles that was
    done with. Interrupted, what was merged stays. Raises LockHeldError, ArchiveError for an archive that cannot be
    used, StoreError, sqlite3.Error, OSError for a full disk.
    """
    began, brought = time.monotonic(), Brought()
    with RunLock(db), closing(open_archive(db)) as conn, large_cache(conn):
        stored: frozenset[str] = frozenset()
        if store:
            stored = frozenset(name.partition("/")[2] for name in store.names("warc/"))
            warc.mkdir(parents=True, exist_ok=True)
            point(warc, store)
        with passing_folder(db) as folder:
            for shard in chain(shards, _fetched(conn, store, folder) if store else ()):
                on_progress(f"merging {shard.name}", len(brought.shards))
                _bring(conn, shard, warc, stored, brought)
        custody.seal_and_say(conn, db=db, warc=warc, say=on_log)
        on_progress("comparing with the rest of the archive", 0)
        afterwards.learn(conn, tell=on_progress)
    brought.seconds = time.monotonic() - began
    return brought


def _fetched(conn: sqlite3.Connection, store: Store, folder: Path) -> Iterator[Path]:
    """The shards in the store that were not merged yet, by name, each here until the next one is asked for."""
    known = merged_names(conn)
    for name in store.names("shards/"):
        if name.partition("/")[2] not in known:
            shard = store.fetch(name, folder)
            yield shard
            shard.unlink()


def _bring(conn: sqlite3.Connection, shard: Path, warc: Path, stored: Collection[str], brought: Brought) -> None:
    def place(names: Sequence[str]) -> Stored:
        away = [name for name in names if not _is_at_hand(name, warc)]
        moved = [name for name in away if _move(name, shard.parent, warc)]
        brought.moved += moved
        brought.elsewhere += [name for name in away if name not in moved and name not in stored]
        return "local" if set(away) == set(moved) else "archived"

    try:
        brought.shards.append(merge(conn, shard, place=place))
    except ArchiveError as error:
        brought.failures.append(str(error))


def _is_at_hand(name: str, warc: Path) -> bool:
    return (warc / name).exists()


def _move(name: str, beside: Path, warc: Path) -> bool:
    """Move a file that lies beside a shard into the folder *warc*, whole; whether there was one."""
    for folder in (beside, beside / "warc"):
        if (folder / name).is_file():
            warc.mkdir(parents=True, exist_ok=True)
            part = warc / f".{name}.part"
            shutil.move(folder / name, part)
            part.replace(warc / name)
            sync_folder(warc)
            return True
    return False
