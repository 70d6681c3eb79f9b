"""Files and folders that are made beside the one whose place they take: there whole, or not there."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crawler.archive.lock import LockHeldError
from crawler.disk import sync_folder
from crawler.warc.files import lock


@contextmanager
def file_beside(out: Path) -> Iterator[Path]:
    """An empty file that takes the place of *out* at the end, on the disk; gone where that is not reached.

    Raises LockHeldError where another process is making the same one.
    """
    part = _part(out)
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _claim(descriptor, part)
        try:
            os.ftruncate(descriptor, 0)  # what a killed process left
            yield part
            os.fsync(descriptor)
            part.replace(out)
            sync_folder(out.absolute().parent)
        finally:
            part.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


@contextmanager
def folder_beside(out: Path) -> Iterator[Path]:
    """An empty folder that takes the place of *out* at the end, with what is in it; gone where that is not reached.

    What stood in *out* is deleted. Raises LockHeldError where another process is making the same one.
    """
    part = _part(out)
    part.mkdir(exist_ok=True)
    descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _claim(descriptor, part)
        try:
            _empty(part)
            yield part
            sync_folder(part)
            _take_place(part, out)
            sync_folder(out.absolute().parent)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    finally:
        os.close(descriptor)


def _part(out: Path) -> Path:
    return out.with_name(f".{out.name}.xianzhi-part")


def _claim(descriptor: int, path: Path) -> None:
    """The claim ends with the descriptor. Another process may have taken the path away before it was there."""
    is_ours = lock(descriptor)
    if not is_ours or not path.exists() or not os.path.samestat(os.fstat(descriptor), path.stat()):
        raise LockHeldError(f"{path}: another process is writing it; wait for it to end")


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _take_place(part: Path, out: Path) -> None:
    if not out.exists():
        part.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    out.rename(old)  # no call puts one folder in the place of another that is not empty
    part.rename(out)
    shutil.rmtree(old)
