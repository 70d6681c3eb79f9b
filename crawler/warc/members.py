"""gzip members of a WARC file, each of which is a record (WARC 1.1, annex D), found in a file that may be damaged."""

import mmap
from collections.abc import Callable
from dataclasses import dataclass, field

from isal import isal_zlib

from crawler.vectors import settle
from crawler.warc.files import WarcError

LIMIT = 128 * 1_048_576
"""Bytes of a record at most, inflated: four times what a crawl takes of a response. A member may inflate to a thousand
times its length, and records are read in memory."""
MARK = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
"""The whole header of a member as the writer makes it: shorter marks are frequent in a hostile body."""
_FIRST_STEP = 1_024
_STEP = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A whole gzip member."""

    start: int
    end: int
    """Behind its last byte."""
    data: bytes = field(repr=False)
    """What it holds, inflated."""


class OversizedError(WarcError):
    """A record of more than `LIMIT` bytes; *end* is behind it in the file."""

    def __init__(self, *, start: int, end: int, size: int) -> None:
        super().__init__(f"at byte {start}: a record of {size:,} bytes, and more than {LIMIT:,} are not read")
        self.start = start
        self.end = end
        self.size = size


def read_member(data: mmap.mmap, start: int, *, begins_well: Callable[[bytes], bool]) -> Member | None:
    """The member at *start*, if it is whole, checksum and all; else None.

    *begins_well* judges it by its first kilobyte, so that what is not wanted is not inflated to its end. Raises
    OversizedError for a whole one that is too large.
    """
    try:
        return _read_member(data, start, begins_well)
    finally:
        settle()


def inflated(member: bytes) -> bytes:
    """What a whole gzip member holds. Raises ValueError, in words, for one that is broken or larger than `LIMIT`."""
    inflate = isal_zlib.decompressobj(wbits=31)
    try:
        text: bytes = inflate.decompress(member, LIMIT)
    except isal_zlib.error as error:  # type: ignore[misc]  # isal's stub has an instance
        raise ValueError(str(error)) from error
    finally:
        settle()
    if not inflate.eof:
        raise ValueError(f"more than {LIMIT:,} bytes" if len(text) == LIMIT else "incomplete or truncated stream")
    return text


def _read_member(data: mmap.mmap, start: int, begins_well: Callable[[bytes], bool]) -> Member | None:
    inflate = isal_zlib.decompressobj(wbits=31)
    at, step, size = start, _FIRST_STEP, 0
    parts: list[bytes] = []
    while at < len(data) and not inflate.eof:
        chunk = data[at : at + step]
        try:
            part: bytes = inflate.decompress(chunk)
        except isal_zlib.error:  # type: ignore[misc]  # isal's stub has an instance
            return None
        if at == start and not begins_well(part):
            return None
        size += len(part)
        if size <= LIMIT:
            parts.append(part)
        else:
            parts.clear()  # its end has to be found: what lies inside may look like records, too
        at += len(chunk)
        step = min(step * 2, _STEP)
    if not inflate.eof:
        return None
    end = at - len(inflate.unused_data)
    if size > LIMIT:
        raise OversizedError(start=start, end=end, size=size)
    return Member(start=start, end=end, data=b"".join(parts))
