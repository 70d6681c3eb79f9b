"""What every store can do, and what its objects may be called."""

import hashlib
import os
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

STEP = 1_048_576
"""Bytes that are read and hashed at a time."""
PASSING = ("tasks", "results")
"""Folders of what is deleted when it has served."""
_PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}"
_NAME = re.compile(rf"{_PART}/{_PART}")
_PREFIX = re.compile(rf"({_PART}/({_PART})?)?")


class StoreError(Exception):
    """The store cannot be reached, or refuses; the message names it. Another try may succeed."""


class ObjectMissingError(StoreError):
    """The store has no object of that name."""


class ObjectDiffersError(StoreError):
    """The store has another object under that name; no other try will succeed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object, as a listing tells of it."""

    name: str
    """``warc/…``, ``shards/…``, ``seeds/…``."""
    bytes: int
    changed_at: datetime
    """UTC."""


class Store(ABC):
    """Objects by name. Every call may be made from any thread.

    Raises ValueError for a name that is not one folder and one file of letters, digits, ``.``, ``_`` and ``-``, and
    StoreError where the store cannot be reached or refuses.
    """

    url: str
    """What `open_store` opens again."""

    @abstractmethod
    def put(self, path: Path, name: str) -> None:
        """Store the file *path* as *name*; when this returns, the store has been seen to have all its bytes.

        Again without harm. Raises ObjectDiffersError, which names both digests, where the store has something else
        under that name; OSError where *path* cannot be read.
        """

    @abstractmethod
    def stat(self, name: str) -> Stored | None:
        """What the store says of an object; None where it has none of that name."""

    @abstractmethod
    def sha256(self, name: str) -> str:
        """Digest of an object, in hexadecimal. Raises ObjectMissingError."""

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """An object for reading here and there; only what is read is transferred.

        Raises ObjectMissingError, here or with the first read.
        """

    @abstractmethod
    def listed(self, prefix: str) -> Iterator[Stored]:
        """Every object whose name begins with *prefix* (``warc/``, or ``""`` for all), sorted by name.

        Objects whose names this program would not give are left out.
        """

    @abstractmethod
    def _copy(self, name: str, part: Path) -> None:
        """Write an object to the file *part*. Raises ObjectMissingError."""

    def fetch(self, name: str, folder: Path) -> Path:
        """Copy an object into *folder*, whole or not at all; the copy's path, which has the name's last part.

        Raises ObjectMissingError; StoreError where something else arrived than the store says it has; OSError for a
        full disk.
        """
        checked(name)
        file = folder / name.partition("/")[2]
        part = part_of(file)
        try:
            self._copy(name, part)
            arrived, stored = sha256_of(part), self.sha256(name)
            if arrived != stored:
                raise StoreError(f"{self.url}: {name} arrived as SHA-256 {arrived}, the store has {stored}")
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
        return file

    def delete(self, name: str) -> None:
        """Delete an object of a folder in `PASSING`; one that is not there is no error.

        Raises ValueError for any other object: evidence is never deleted.
        """
        if checked(name).partition("/")[0] not in PASSING:
            raise ValueError(f"{name} is to stay")
        self._delete(name)

    @abstractmethod
    def _delete(self, name: str) -> None:
        """Delete an object, if it is there."""

    def names(self, prefix: str) -> list[str]:
        """Names of the objects that `listed` gives."""
        return [stored.name for stored in self.listed(prefix)]

    def has(self, name: str) -> bool:
        """Whether the store has an object of that name."""
        return self.stat(name) is not None


def checked(name: str) -> str:
    """*name*, where it is a name for an object: it becomes part of paths. Raises ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name for an object: {name!r}")
    return name


def is_name(name: str) -> bool:
    """Whether an object may have this name."""
    return _NAME.fullmatch(name) is not None


def checked_prefix(prefix: str) -> str:
    """*prefix*, where names can begin with it. Raises ValueError."""
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"no object's name begins with {prefix!r}")
    return prefix


def part_of(file: Path) -> Path:
    """Where this thread writes what *file* is to be, so that *file* is there whole or not at all."""
    return file.with_name(f".{file.name}.{os.getpid()}-{threading.get_ident()}.part")


def sha256_of(path: Path) -> str:
    """Digest of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def differs(url: str, name: str, *, stored: str, local: str) -> ObjectDiffersError:
    """The error for an object that is not the file that was to be stored under its name."""
    return ObjectDiffersError(
        f"{url} has another {name}: its SHA-256 is {stored}, that of the file here {local}; neither was changed"
    )
