"""WARC files by name: ``xianzhi-<portal>-<YYYYMMDDhhmmss>-<serial>.warc.gz``, ``….open`` while being written."""

import fcntl
import os
import re
from io import BufferedReader
from pathlib import Path

OPEN = ".open"
CUT = ".cut"
_PORTAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class WarcError(Exception):
    """A WARC file could not be written or read; the message names it."""


def file_name(portal_id: str, stamp: str, serial: int) -> str:
    """Name of a portal's file opened at *stamp* (``YYYYMMDDhhmmss``, UTC).

    Raises ValueError for a *portal_id* that is no slug: it becomes part of a path.
    """
    if not _PORTAL.fullmatch(portal_id):
        raise ValueError(f"not a portal's id: {portal_id!r}")
    return f"xianzhi-{portal_id}-{stamp}-{serial:05}.warc.gz"


def open_files(folder: Path) -> list[Path]:
    """Files in *folder* that are being written, or were when a crash came; sorted by name."""
    return sorted(path for path in folder.glob(f"*.warc.gz{OPEN}") if path.is_file())


def open_for_reading(folder: Path, name: str) -> BufferedReader:
    """Open a file by the name that a record's place has, whether it is finished or still ``.open``.

    Raises WarcError where there is neither, or where *name* is more than a name.
    """
    if Path(name).name != name:
        raise WarcError(f"{name!r} is not the name of a WARC file")
    for candidate in (name, name + OPEN, name):  # again: it may have been finished in between
        try:
            return (folder / candidate).open("rb")
        except FileNotFoundError:
            continue
        except OSError as error:
            raise WarcError(f"{folder / candidate}: {error.strerror}") from error
    raise WarcError(f"{folder / name}: no such WARC file")


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


def sync_folder(folder: Path) -> None:
    """Make names just given or removed in *folder* survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
