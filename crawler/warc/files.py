"""WARC files by name: ``xianzhi-<portal>-<YYYYMMDDhhmmss>-<serial>.warc.gz``, ``….open`` while being written."""

import fcntl
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, NamedTuple

from crawler.disk import sync_folder
from crawler.store import Store, StoreError, is_name, store_behind

OPEN = ".open"
CUT = ".cut"
SUFFIX = ".warc.gz"
IN_STORE = "warc/"
"""Where a store has WARC files."""
FILE_NAME = re.compile(r"xianzhi-(?P<portal>.+)-\d{14}-(?P<serial>\d+)\.warc\.gz")
"""Of a file that was written by us: others were imported."""
_PORTAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class WarcError(Exception):
    """A WARC file could not be written or read; the message names it."""


class Listed(NamedTuple):
    """A WARC file that is there."""

    bytes: int
    changed_at: str
    """When it was changed last: another text than before means that it may be another file."""
    stored_at: datetime | None = None
    """When the store got it (UTC, by the store's clock); None where it is in the folder itself."""


def file_name(portal_id: str, stamp: str, serial: int) -> str:
    """Name of a portal's file opened at *stamp* (``YYYYMMDDhhmmss``, UTC).

    Raises ValueError for a *portal_id* that is no slug: it becomes part of a path.
    """
    if not _PORTAL.fullmatch(portal_id):
        raise ValueError(f"not a portal's id: {portal_id!r}")
    return f"xianzhi-{portal_id}-{stamp}-{serial:05}.warc.gz"


def open_files(folder: Path) -> list[Path]:
    """Files in *folder* that are being written, or were when a crash came; sorted by name."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}{OPEN}") if path.is_file())


def open_for_reading(folder: Path, name: str) -> BinaryIO:
    """Open a file by the name that a record's place has, for records here and there.

    Finished or still ``.open``; where the folder has neither, in the store that the folder points to
    (`crawler.store`), by range requests. Raises WarcError where there is none of these, or where *name* is more than a
    name; for a file in a store, reading raises StoreError.
    """
    file = _at_hand(folder, name)
    if file is not None:
        return file
    with _store_errors():
        return _store_with(folder, name).open(IN_STORE + name)


def open_whole(folder: Path, name: str) -> BufferedReader:
    """Open a file that is to be read from end to end, or mapped; one in a store is first copied to a temporary file.

    Its ``name`` ends as the file's does. Raises WarcError as `open_for_reading` does, and where there is no room for a
    copy.
    """
    file = _at_hand(folder, name)
    if file is not None:
        return file
    store = _store_with(folder, name)
    with _store_errors(), TemporaryDirectory(prefix="xianzhi-") as copies:
        return store.fetch(IN_STORE + name, Path(copies)).open("rb")


def digest_of(folder: Path, name: str) -> tuple[int, str] | None:
    """Length and SHA-256, in hexadecimal, of a finished file; None where it is still ``.open``.

    Of a file in a store, what the store says, so that no byte of it is transferred. Raises WarcError where there is
    no such file.
    """
    file = _at_hand(folder, name)
    if file is not None:
        with file:
            if file.name.endswith(OPEN):
                return None
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            return file.tell(), sha256
    store = _store_with(folder, name)
    with _store_errors():
        stored = store.stat(IN_STORE + name)
        if stored is None:
            raise WarcError(f"{folder / name}: no such WARC file, nor in {store.url}")
        return stored.bytes, store.sha256(stored.name)


def listed(folder: Path) -> dict[str, Listed]:
    """Every WARC file of ours in *folder*, finished or not, and in the store that it points to, by name.

    Raises StoreError where the store does not answer.
    """
    found = {}
    store = store_behind(folder)
    for stored in store.listed(IN_STORE) if store else ():
        if stored.name.endswith(SUFFIX):
            found[stored.name.removeprefix(IN_STORE)] = Listed(stored.bytes, str(stored.changed_at), stored.changed_at)
    for path in [*open_files(folder), *folder.glob(f"*{SUFFIX}")]:
        with suppress(FileNotFoundError):  # it may have been finished in between
            status = path.stat()
            found[path.name.removesuffix(OPEN)] = Listed(status.st_size, str(status.st_mtime_ns))
    return found


def is_at_hand(folder: Path, name: str) -> bool:
    """Whether a file is in *folder* itself, finished or not. Raises WarcError where *name* is more than a name."""
    file = _at_hand(folder, name)
    if file is not None:
        file.close()
    return file is not None


def _at_hand(folder: Path, name: str) -> BufferedReader | None:
    if Path(name).name != name:
        raise WarcError(f"{name!r} is not the name of a WARC file")
    for candidate in (name, name + OPEN, name):  # again: it may have been finished in between
        try:
            return (folder / candidate).open("rb")
        except FileNotFoundError:
            continue
        except OSError as error:
            raise WarcError(f"{folder / candidate}: {error.strerror}") from error
    return None


def _store_with(folder: Path, name: str) -> Store:
    with _store_errors():
        store = store_behind(folder)
    if store is None or not is_name(IN_STORE + name):
        raise WarcError(f"{folder / name}: no such WARC file")
    return store


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except (StoreError, OSError) as error:
        raise WarcError(str(error)) from error


def lock(descriptor: int) -> bool:
    """Claim an open file; False where a living process has it. The claim ends with the descriptor or the process."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def finish(opened: Path, name: str) -> Path:
    """Give a complete ``.open`` file its final *name*, so that it survives a power cut; the final path.

    Raises WarcError where a file of that name is there already: an archive's file is never replaced.
    """
    final = opened.with_name(name)
    if final.exists():
        raise WarcError(f"{final} exists already; {opened.name} stays as it is")
    opened.rename(final)
    sync_folder(final.parent)
    return final
