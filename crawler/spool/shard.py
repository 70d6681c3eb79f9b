"""Folders of shards: ``xianzhi-shard-<worker>-<YYYYMMDDhhmmss>-<n>/``, each with one process's rows and bytes.

In it lie the shard, an archive of its own with the folder's name and ``.db``, and ``warc/``. The process that writes
there holds a lock on the folder for as long as it lives, so nobody has to ask who has died.
"""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from crawler.archive import seeds
from crawler.archive.connection import open_archive
from crawler.archive.recovery import adopt, recover
from crawler.disk import sync_folder
from crawler.store import Store, point
from crawler.warc.files import CUT, FILE_NAME, SUFFIX, lock, open_files

_NAME = re.compile(r"xianzhi-shard-(?P<worker>[0-9]{1,18})-[0-9]{14}-(?P<number>[0-9]{1,6})")
_SERIALS = 10_000
"""Numbers that a shard has for its WARC files, and behind which its own and its worker's stand."""
_OF_WORKERS = 1_000_000 * _SERIALS
"""The least number of a worker's WARC file: one machine's crawl counts from 1."""
_GONE = ".gone"
_TRIES = 50
_ROLLBACK = b"\x01\x01"
"""SQLite's file format versions, at byte 18, of a database that is not in WAL mode ("Database File Format", 1.3)."""


class SpoolError(Exception):
    """A folder of the spool cannot be used; the message names it."""


class NotNowError(Exception):
    """Who was to be told that an object is in the store cannot be told at the moment; the message says why."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A process's folder in the spool."""

    folder: Path

    @property
    def name(self) -> str:
        """The shard's, without a suffix."""
        return self.folder.name

    @property
    def db(self) -> Path:
        """The rows."""
        return self.folder / f"{self.name}.db"

    @property
    def warc(self) -> Path:
        """The folder of the bytes."""
        return self.folder / "warc"

    @property
    def first_serial(self) -> int:
        """What its WARC files are numbered from: no other process numbers any so, whatever its clock says."""
        serial = first_serial(self.name)
        assert serial is not None
        return serial

    def segments(self) -> list[Path]:
        """WARC files that are finished, sorted by name."""
        return sorted(self.warc.glob(f"*{SUFFIX}"))

    def cuts(self) -> list[Path]:
        """Half records that a crash left, set aside by the salvage."""
        return sorted(self.warc.glob(f"*{SUFFIX}{CUT}"))

    def is_empty(self) -> bool:
        """Whether its process died before it had opened anything."""
        return not self.db.exists() and not any(self.warc.glob("*"))

    @contextmanager
    def begun(self) -> Iterator[Self]:
        """Make the folder; it is this process's for as long as the context lasts, or the process.

        Raises ValueError for a name that `shard_name` does not make, SpoolError where it is another process's.
        """
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"not a shard's name: {self.name!r}")
        for _ in range(_TRIES):
            self.warc.mkdir(parents=True, exist_ok=True)
            sync_folder(self.folder.parent)
            with self.claimed() as is_ours:
                if is_ours:
                    yield self
                    return
            time.sleep(0.02)  # it was empty for a moment, and an uploader clears away what is empty
        raise SpoolError(f"{self.folder} is another process's")

    @contextmanager
    def claimed(self) -> Iterator[bool]:
        """Hold the folder; False where a living process has it, or it is gone."""
        try:
            descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            yield False
            return
        try:
            yield lock(descriptor) and self._is_at(descriptor)
        finally:
            os.close(descriptor)

    def finish(self, store: Store) -> Iterator[str]:
        """Make the shard of a dead process one file that does not change any more; a line about each file it left open.

        Only for who has it claimed; nothing happens where that was done before. Records without a row are adopted;
        originals that they refer to may be in the *store*. What the shard was given and did not touch is left out
        (`seeds.finish`). Raises SpoolError where a file stays open, ArchiveError,
        sqlite3.Error, OSError for a full disk.
        """
        if self._is_finished():
            return
        self.warc.mkdir(exist_ok=True)
        point(self.warc, store)
        was_killed = bool(self._beside())
        conn = open_archive(self.db)
        try:
            if was_killed:  # a file may have been full, and finished, a moment before its last rows were stored
                for segment in self.segments():
                    adopt(conn, segment)
            yield from recover(conn, self.warc)
            if left := open_files(self.warc):
                raise SpoolError(f"{left[0]} cannot be finished, so its shard stays here")
        finally:
            conn.close()
        seeds.finish(self.db)

    def remove(self) -> None:
        """Delete the folder. A crash in the middle leaves what `Spool.sweep` deletes."""
        gone = self.folder.with_name(self.name + _GONE)
        self.folder.rename(gone)  # a shard without its files would be taken for one that never had any
        shutil.rmtree(gone, ignore_errors=True)

    def _is_finished(self) -> bool:
        try:
            with self.db.open("rb") as file:
                file.seek(18)
                is_one_file = file.read(2) == _ROLLBACK
        except FileNotFoundError:
            return False
        return is_one_file and not self._beside() and not open_files(self.warc)

    def _beside(self) -> list[Path]:
        """What SQLite keeps beside a database that is in use, or was when its process was killed."""
        beside = (self.db.with_name(self.db.name + suffix) for suffix in ("-wal", "-journal"))
        return [path for path in beside if path.exists()]

    def _is_at(self, descriptor: int) -> bool:
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(descriptor), self.folder.stat())
        return False


class Spool:
    """A host's folder of shards, which outlives its workers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, name: str) -> AbstractContextManager[Shard]:
        """A new shard, this process's; see `Shard.begun`."""
        return Shard(self._folder / name).begun()

    def shards(self) -> list[Shard]:
        """Every shard that is here, the oldest first, whether its process lives or not."""
        if not self._folder.is_dir():
            return []
        found = [path for path in self._folder.iterdir() if _NAME.fullmatch(path.name) and path.is_dir()]
        return [Shard(path) for path in sorted(found, key=_age)]

    def sweep(self) -> None:
        """Delete what is left of shards whose deletion was interrupted."""
        for gone in self._folder.glob(f"xianzhi-shard-*{_GONE}"):
            shutil.rmtree(gone, ignore_errors=True)

    def oldest(self) -> datetime | None:
        """When the oldest shard was begun that is here (UTC)."""
        shards = self.shards()
        return datetime.strptime(_age(shards[0].folder)[0], "%Y%m%d%H%M%S").replace(tzinfo=UTC) if shards else None

    def bytes(self) -> int:
        """Length of all its files."""
        total = 0
        for folder, _, names in os.walk(self._folder):
            for name in names:
                with suppress(FileNotFoundError):
                    total += (Path(folder) / name).stat().st_size
        return total


def shard_name(worker: int, number: int, *, now: datetime | None = None) -> str:
    """Name of the *number*-th shard of a *worker*, whose number no other worker of the archive ever had."""
    return f"xianzhi-shard-{worker}-{now or datetime.now(UTC):%Y%m%d%H%M%S}-{number}"


def first_serial(name: str) -> int | None:
    """What the WARC files of the shard *name*, with or without its suffix, are numbered from; None for another name."""
    shard = _NAME.fullmatch(name.removesuffix(".db"))
    return int(f"{shard['worker']}{int(shard['number']):06}0001") if shard else None


def first_serial_beside(warc_file: str) -> int | None:
    """What the shard numbered its WARC files from whose process wrote this one; None where it was no worker's."""
    name = FILE_NAME.fullmatch(warc_file)
    serial = int(name["serial"]) if name else 0
    return serial - serial % _SERIALS + 1 if serial >= _OF_WORKERS else None


def _age(folder: Path) -> tuple[str, str]:
    return folder.name.rsplit("-", 2)[1], folder.name
