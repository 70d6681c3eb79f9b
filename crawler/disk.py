"""What a file system does not promise by itself."""

import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PASSING = ".passing-"


def sync_folder(folder: Path) -> None:
    """Make names just given or removed in *folder* survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def passing_folder(beside: Path) -> Iterator[Path]:
    """A folder beside a file for as long as the block lasts; what killed processes left of theirs is deleted.

    For one process at a time, such as the holder of the file's lock.
    """
    prefix = f"{beside.name}{PASSING}"
    for left in beside.parent.glob(f"{glob.escape(prefix)}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=beside.parent) as folder:
        yield Path(folder)
