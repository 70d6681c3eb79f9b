"""A store that is a folder of this host, or one that is mounted there."""

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from crawler.disk import sync_folder
from crawler.store.base import (
    STEP,
    ObjectMissingError,
    Store,
    Stored,
    StoreError,
    checked,
    checked_prefix,
    differs,
    is_name,
    part_of,
    sha256_of,
)


class FolderStore(Store):
    """Objects are files, on the disk when ``put`` returns.

    The folder must be there: a store that is not mounted is no empty store.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self.url = str(self._root)

    def put(self, path: Path, name: str) -> None:
        """Copy the file; see `Store.put`."""
        final = self._path(name)
        self._look()
        if final.exists():
            self._compare(path, name)
            return
        part = part_of(final)
        try:
            final.parent.mkdir(exist_ok=True)
            local = _copied(path, part)
            arrived = sha256_of(part)
            if arrived != local:
                raise StoreError(f"{self.url}: {name} arrived as SHA-256 {arrived}, sent was {local}")
            part.rename(final)
            for left in final.parent.glob(f".{final.name}.*.part"):
                left.unlink(missing_ok=True)  # by a killed process; a living one tries again, and compares
            sync_folder(final.parent)
            sync_folder(self._root)
        except OSError as error:
            if error.filename == str(path):
                raise
            raise StoreError(f"{self.url}: {name}: {error.strerror}") from error
        finally:
            part.unlink(missing_ok=True)  # of a full disk it would take the last of it

    def stat(self, name: str) -> Stored | None:
        """What the file system says."""
        path = self._path(name)
        self._look()
        try:
            return _stored(name, path)
        except FileNotFoundError:
            return None

    def sha256(self, name: str) -> str:
        """Read and hashed."""
        with self.open(name) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # it is a BufferedReader

    def open(self, name: str) -> BinaryIO:
        """The file itself."""
        try:
            return self._path(name).open("rb")
        except FileNotFoundError as error:
            raise ObjectMissingError(f"{self.url} has no {name}") from error
        except OSError as error:
            raise StoreError(f"{self.url}: {name}: {error.strerror}") from error

    def listed(self, prefix: str) -> Iterator[Stored]:
        """Files whose names are those of objects."""
        folder, _, start = checked_prefix(prefix).partition("/")
        self._look()
        pattern = f"{folder}/{start}*" if folder else "*/*"
        for path in sorted(self._root.glob(pattern)):
            name = f"{path.parent.name}/{path.name}"
            if is_name(name) and path.is_file():
                yield _stored(name, path)

    def _copy(self, name: str, part: Path) -> None:
        with self.open(name) as source, part.open("wb") as target:
            while data := source.read(STEP):
                target.write(data)
            target.flush()
            os.fsync(target.fileno())

    def _delete(self, name: str) -> None:
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{self.url}: {name}: {error.strerror}") from error

    def _path(self, name: str) -> Path:
        return self._root / checked(name)

    def _look(self) -> None:
        if not self._root.is_dir():
            raise StoreError(f"{self.url}: no such folder; make it or mount it")

    def _compare(self, path: Path, name: str) -> None:
        local, stored = sha256_of(path), self.sha256(name)
        if local != stored:
            raise differs(self.url, name, stored=stored, local=local)


def _copied(path: Path, part: Path) -> str:
    """Copy a file to the disk; the digest of what was read."""
    digest = hashlib.sha256()
    with path.open("rb") as source, part.open("wb") as target:
        while data := source.read(STEP):
            digest.update(data)
            target.write(data)
        target.flush()
        os.fsync(target.fileno())
    return digest.hexdigest()


def _stored(name: str, path: Path) -> Stored:
    status = path.stat()
    return Stored(name=name, bytes=status.st_size, changed_at=datetime.fromtimestamp(status.st_mtime, UTC))
