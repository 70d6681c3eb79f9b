"""What other people's WARC readers, warcio and FastWARC, say of a file: others must be able to read it without us."""

import io
import mmap
from collections.abc import Callable, Iterator

import fastwarc.warc
from warcio.archiveiterator import ArchiveIterator

_PIECE = 1 << 20
_BUFFER = 1 << 16


def complaints(data: mmap.mmap, *, records: int, with_digests: bool) -> Iterator[str]:
    """What the readers find wrong with a file of so many *records*, in words, at most one complaint each.

    *with_digests*: they recompute the digests, too (of files of ours, whose digests are such that both agree).
    """
    for name, read in _READERS.items():
        complaint = _complaint(read, data, records, with_digests=with_digests)
        if complaint:
            yield f"{name}: {complaint}"


class _Stream(io.RawIOBase):
    """A mapped file as a stream of its own."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        piece = self._data[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def _complaint(
    read: Callable[..., Iterator[str | None]], data: mmap.mmap, records: int, *, with_digests: bool
) -> str | None:
    stream = io.BufferedReader(_Stream(data), _BUFFER)
    seen = 0
    try:
        for seen, fault in enumerate(read(stream, with_digests=with_digests), start=1):  # noqa: B007
            if fault:
                return fault
    except Exception as error:  # whatever a reader raises is what it says of the file
        return f"cannot read on behind record {seen}: {' '.join(str(error).split())[:200]}"
    return None if seen == records else f"finds {seen} records where there are {records}"


def _warcio(stream: io.BufferedReader, *, with_digests: bool) -> Iterator[str | None]:
    iterator = ArchiveIterator(stream, check_digests=with_digests)
    for record in iterator:
        # As it was sent: warcio 1.8 breaks off at Brotli (its issue 73), and at what a portal packed wrongly.
        while record.raw_stream.read(_PIECE):
            pass
        is_wrong = with_digests and record.digest_checker.passed is False
        yield (
            f"record at byte {iterator.get_record_offset()}: {record.digest_checker.problems[0]}" if is_wrong else None
        )


def _fastwarc(stream: io.BufferedReader, *, with_digests: bool) -> Iterator[str | None]:
    for record in fastwarc.warc.ArchiveIterator(stream, parse_http=False):
        fault = None
        if with_digests and not record.verify_block_digest():
            fault = "block digest failed"
        elif with_digests and "WARC-Payload-Digest" in record.headers and record.record_type != fastwarc.warc.revisit:
            record.parse_http()
            fault = None if record.verify_payload_digest() else "payload digest failed"
        yield f"record {record.record_id}: {fault}" if fault else None


_READERS: dict[str, Callable[..., Iterator[str | None]]] = {"warcio": _warcio, "FastWARC": _fastwarc}
