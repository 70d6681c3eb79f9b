"""An object read like a file, by as few range requests as that takes."""

import io
from collections.abc import Callable

FIRST_AHEAD = 65_536
MAX_AHEAD = 8 * 1_048_576
"""Bytes that are read at once where reading goes straight on: the double of the time before, within these."""


class RemoteFile(io.BufferedIOBase):
    """Reads an object by ranges. For one thread.

    A read behind a ``seek`` transfers exactly what it asks for, so that a record is one request; reads that go on
    where the last one ended transfer more and more ahead.

    *get* gives the bytes from a start up to an end, fewer at the object's end; *size* its length. What they raise
    comes out of the call that needed them.
    """

    def __init__(self, name: str, get: Callable[[int, int], bytes], size: Callable[[], int]) -> None:
        self.name = name
        self._get = get
        self._ask_size = size
        self._size: int | None = None
        self._at = 0
        self._held = b""
        self._held_from = 0
        self._ahead = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go there, without a request but for ``SEEK_END``."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at}.get(whence)
        to = offset + (self._length() if base is None else base)
        if to < 0:
            raise ValueError(f"{self.name}: no byte {to}")
        self._at = to
        return to

    def read(self, size: int | None = -1, /) -> bytes:
        """*size* bytes, fewer only at the end; without a size, all that is left."""
        end = self._length() if size is None or size < 0 else self._at + size
        parts = []
        while self._at < end:
            data = self._some(end - self._at)
            if not data:
                break
            parts.append(data)
            self._at += len(data)
        return b"".join(parts)

    def read1(self, size: int = -1, /) -> bytes:
        """What one request brings at most."""
        data = self._some(FIRST_AHEAD if size < 0 else size)
        self._at += len(data)
        return data

    def _some(self, size: int) -> bytes:
        """Up to *size* bytes from here on: of what is held, else of what is asked for now."""
        within = self._at - self._held_from
        if not 0 <= within < len(self._held):
            self._fill(size)
            within = 0
        return self._held[within : within + size]

    def _fill(self, size: int) -> None:
        goes_on = bool(self._held) and self._at == self._held_from + len(self._held)
        self._ahead = min(max(self._ahead * 2, FIRST_AHEAD), MAX_AHEAD) if goes_on else 0
        end = self._at + max(size, self._ahead)
        if self._size is not None or goes_on:
            end = min(end, self._length())
        self._held_from = self._at
        self._held = self._get(self._at, end) if self._at < end else b""

    def _length(self) -> int:
        if self._size is None:
            self._size = self._ask_size()
        return self._size
