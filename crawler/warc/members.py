"""gzip members of a WARC file, each of which is a record (WARC 1.1, annex D), found in a file that may be damaged."""

import mmap
from collections.abc import Callable
from dataclasses import dataclass, field

from isal import isal_zlib

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


def read_member(data: mmap.mmap, start: int, *, begins_well: Callable[[bytes], bool]) -> Member | None:
    """The member at *start*, if it is whole, checksum and all; else None.

    *begins_well* judges it by its first kilobyte, so that what is not wanted is not inflated to its end.
    """
    inflate = isal_zlib.decompressobj(wbits=31)
    at, step = start, _FIRST_STEP
    parts: list[bytes] = []
    while at < len(data) and not inflate.eof:
        chunk = data[at : at + step]
        try:
            parts.append(inflate.decompress(chunk))
        except isal_zlib.error:  # type: ignore[misc]  # isal's stub has an instance
            return None
        if at == start and not begins_well(parts[0]):
            return None
        at += len(chunk)
        step = min(step * 2, _STEP)
    if not inflate.eof:
        return None
    return Member(start=start, end=at - len(inflate.unused_data), data=b"".join(parts))
