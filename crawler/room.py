"""Whether there is room on a disk: a run ends cleanly before there is none."""

import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LOOK_SECONDS = 1.0
"""Between two looks: two hundred portals bring some megabytes meanwhile."""
MIN_FILES = 1_000
"""File names that have to be free, where a file system has a number of them: a night makes one file a portal."""
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kmgt]?)b?|(%))", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """What has to stay free of a disk: the least of what is given."""

    size: float = float("inf")
    """Bytes."""
    share: float = 1.0
    """Of the whole disk."""

    def bytes_of(self, total: int) -> float:
        """Bytes that have to stay free of a disk of *total* bytes."""
        return min(self.size, self.share * total)

    @property
    def half(self) -> "Reserve":
        """Where waiting helps no more."""
        return Reserve(size=self.size / 2, share=self.share / 2)


DEFAULT = Reserve(size=2e9, share=0.02)
"""The end of a run writes, too: its last batch, the index, the manifest; and SQLite's log of all that."""


def parse(text: str) -> Reserve:
    """``2GB``, ``500M``, ``1.5 %``; ``0`` is no reserve. Raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError("give bytes or a share of the disk, such as 2GB, 500MB or 5%")
    number, unit, percent = float(found[1]), found[2], found[3]
    if percent:
        return Reserve(share=min(number / 100, 1.0))
    return Reserve(size=number * _UNITS[unit.lower()])


def lack(folders: Iterable[Path], reserve: Reserve) -> str | None:
    """In words, where there is less room than *reserve*; None where there is enough. A folder may not be there yet.

    What only root may use does not count as free (statvfs(3)).
    """
    if reserve.size == 0:
        return None
    for folder in folders:
        disk = _disk_of(folder)
        free, needed = disk.f_bavail * disk.f_frsize, reserve.bytes_of(disk.f_blocks * disk.f_frsize)
        if free < needed:
            return f"the disk of {folder} has {in_words(free)} free, less than the {in_words(needed)} of --min-free"
        if disk.f_files and disk.f_favail < MIN_FILES:
            return f"the disk of {folder} has room for {disk.f_favail} more files only"
    return None


class NoRoomError(Exception):
    """A disk has too little room to begin."""


def check(folders: Iterable[Path], reserve: Reserve) -> None:
    """Raises NoRoomError, in words, where there is less room than *reserve*."""
    words = lack(folders, reserve)
    if words:
        raise NoRoomError(f"nothing was begun: {words}")


def free_of(folder: Path) -> int:
    """Bytes that are free on the disk of *folder*, which may not be there yet."""
    disk = _disk_of(folder)
    return disk.f_bavail * disk.f_frsize


def in_words(size: float) -> str:
    """Bytes as people say them: ``1.9 GB``."""
    for unit in ("GB", "MB", "kB"):
        factor = _UNITS[unit[0].lower()]
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size:.0f} bytes"


class Watch:
    """Looks at the room in *folders* now and then."""

    def __init__(self, folders: Iterable[Path], reserve: Reserve) -> None:
        self._folders = tuple(folders)
        self._reserve = reserve
        self._next = 0.0
        self._seen: str | None = None

    def lack(self) -> str | None:
        """As `lack`, looked at once a second."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + LOOK_SECONDS
            self._seen = lack(self._folders, self._reserve)
        return self._seen


def _disk_of(folder: Path) -> os.statvfs_result:
    return os.statvfs(next(path for path in (folder, *folder.absolute().parents) if path.exists()))
