"""Files that a crash left ``.open``: whole records are kept, the cut one behind them is moved aside."""

import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crawler.disk import sync_folder
from crawler.warc.files import CUT, OPEN, WarcError, finish, lock
from crawler.warc.members import MARK, read_member
from crawler.warc.record import record_id

_STEP = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """What became of a file."""

    file: Path | None
    """Under its final name; None where not one whole record was in it."""
    records: int
    """Whole records, ``warcinfo`` among them."""
    kept_bytes: int
    """Length of the file now."""
    cut_bytes: int
    """Bytes behind the last whole record, moved to ``….cut`` beside it."""
    damaged_bytes: int
    """Unreadable bytes between whole records, left where they are because places in the file must not shift."""


def salvage(opened: Path) -> Salvaged:
    """Finish the file *opened* (``….warc.gz.open``) that nobody writes any more.

    Nothing is thrown away: the cut tail may be all that is left of a page that is gone tomorrow. Doing it again after
    a crash in the middle gives the same result. Raises WarcError where a living process writes the file, or where the
    disk refuses.
    """
    name = opened.name.removesuffix(OPEN)
    if name == opened.name:
        raise WarcError(f"{opened} is not an open WARC file")
    try:
        descriptor = os.open(opened, os.O_RDWR | os.O_CLOEXEC)
        try:
            if not lock(descriptor):
                raise WarcError(f"{opened} is being written by another process")
            return _salvage(opened, name, descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise WarcError(f"{opened}: {error.strerror}") from error


def _salvage(opened: Path, name: str, descriptor: int) -> Salvaged:
    size = os.fstat(descriptor).st_size
    records = kept = sound = 0
    if size:
        with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as data:
            for start, end in _whole_records(data, name):
                records, kept, sound = records + 1, end, sound + end - start
            if kept < size:
                _move_aside(data, kept, opened.with_name(name + CUT))
    if kept < size:
        os.ftruncate(descriptor, kept)
    os.fsync(descriptor)
    if records:
        file = finish(opened, name)
    else:
        file = None
        opened.unlink()
        sync_folder(opened.parent)
    return Salvaged(
        file=file, records=records, kept_bytes=kept, cut_bytes=size - kept, damaged_bytes=kept - sound if records else 0
    )


def _whole_records(data: mmap.mmap, name: str) -> Iterator[tuple[int, int]]:
    """Start and end of each whole record of the file *name*, in order, damaged stretches left out."""
    at = 0
    while at >= 0:
        end = _member_end(data, at, name)
        if end is not None:
            yield at, end
            at = end
        else:
            at = data.find(MARK, at + 1)


def _member_end(data: mmap.mmap, start: int, name: str) -> int | None:
    """Where the gzip member at *start* ends, if it is whole and a record of ours; else None.

    Only the record that was written to this very place states this place's identifier, so a WARC file that a portal
    served, lying uncompressed in a damaged stretch, is not taken for ours.
    """
    identifier = record_id(name, start)
    member = read_member(data, start, begins_well=lambda text: _begins_record(text, identifier))
    return member.end if member else None


def _begins_record(text: bytes, identifier: str) -> bool:
    # The first step is more than enough: our records state their identifiers within the first 120 bytes.
    return text.startswith(b"WARC/1.1\r\n") and f"\r\nWARC-Record-ID: <{identifier}>\r\n".encode() in text[:200]


def _move_aside(data: mmap.mmap, start: int, cut: Path) -> None:
    with cut.open("wb") as target:
        for at in range(start, len(data), _STEP):
            target.write(data[at : at + _STEP])
        target.flush()
        os.fsync(target.fileno())
    sync_folder(cut.parent)
