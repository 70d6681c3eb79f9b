"""Copying a WARC file whole, or some of its captures with what belongs to them, member by member as they are."""

import mmap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO, NoReturn

from crawler.records import RecordRef
from crawler.warc.files import WarcError
from crawler.warc.members import OversizedError, read_member
from crawler.warc.reader import HEADER_LIMIT, fields_of

CAPTURED = frozenset({"response", "revisit", "resource"})
_HEAD = 4_096
"""Bytes of a member that hold its record's header, but for a rare one."""
_PLAIN = b"WARC/"
_BLANK_LINE = b"\r\n\r\n"
_STEP = 1_048_576
_FORGOTTEN_AT_ONCE = 16 * 1_048_576


@contextmanager
def copying(stream: BinaryIO, write: Callable[[bytes], object], *, whole: bool) -> Iterator["Copier"]:
    """Copies captures of the WARC file *stream* to *write*.

    Not *whole*: of what is no capture only ``warcinfo`` and what states that it belongs to a copied one (request,
    metadata). Whole: everything, byte for byte.
    """
    with _mapped(stream) as data:
        copier = Copier(_Captures(data), write, whole=whole)
        yield copier
        copier.finish()


@contextmanager
def headers(stream: BinaryIO) -> Iterator[Callable[[RecordRef], Mapping[str, str]]]:
    """A function for the named fields, in lower case, of one capture after the other in the WARC file *stream*.

    It raises WarcError where there is no whole capture at a place.
    """
    with _mapped(stream) as data:
        yield _Captures(data).fields_at


class Copier:
    """Copies one capture after the other, in the order of their places."""

    def __init__(self, captures: "_Captures", write: Callable[[bytes], object], *, whole: bool) -> None:
        self._written = 0
        self._captures = captures
        self._data = captures.data
        self._write_out = write
        self._whole = whole
        self._at = 0
        self._last: Mapping[str, str] = {}
        """Fields of the capture that was copied last."""

    def copy(self, ref: RecordRef) -> tuple[int, Mapping[str, str]]:
        """Copy what comes before *ref* and is wanted, and the record itself.

        Gives its place in the copy and its named fields, in lower case. Raises WarcError where there is no whole
        capture at *ref*.
        """
        fields = self._captures.fields_at(ref)
        self._copy_between(ref.offset, fields)
        offset, end = self._written, ref.offset + ref.length
        is_plain = self._data[ref.offset : ref.offset + len(_PLAIN)] == _PLAIN
        if is_plain and self._data[end : end + len(_BLANK_LINE)] == _BLANK_LINE:
            end += len(_BLANK_LINE)  # a reader may have left out what ends it
        self._write(ref.offset, end)
        self._at, self._last = end, fields
        return offset, fields

    def finish(self) -> None:
        """Copy what is wanted of the rest."""
        self._copy_between(len(self._data), {})

    def _copy_between(self, end: int, following: Mapping[str, str]) -> None:
        """Of what lies before *end*, where a capture of the fields *following* begins."""
        if self._whole:
            self._write(self._at, end)
            return
        request: tuple[int, int, Mapping[str, str]] | None = None
        for start, stop, fields in self._members(end):
            kind = fields.get("warc-type")
            if kind == "warcinfo" or (kind not in CAPTURED and _are_of_one_exchange(fields, self._last)):
                self._write(start, stop)
            elif kind == "request":
                request = start, stop, fields
        if request and _are_of_one_exchange(request[2], following):  # wget writes the request first
            self._write(*request[:2])

    def _members(self, end: int) -> Iterator[tuple[int, int, Mapping[str, str]]]:
        """Start, end and fields of each record up to *end*, or to bytes that are none: a crash may have left some."""
        at = self._at
        while at < end:
            self._captures.forget(at)
            try:
                stop, fields = self._captures.record_at(at)
            except OversizedError as error:
                at = error.end
                continue
            except WarcError:
                return
            yield at, stop, fields
            at = stop

    def _write(self, start: int, end: int) -> None:
        for at in range(start, end, _STEP):
            self._write_out(self._data[at : min(at + _STEP, end)])
        self._written += end - start


def _mapped(stream: BinaryIO) -> mmap.mmap:
    try:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError as error:
        raise WarcError(f"{stream.name}: is empty") from error


class _Captures:
    """The captures of a file, read from its beginning to its end."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self._forgotten = 0

    def fields_at(self, ref: RecordRef) -> dict[str, str]:
        """Named fields of the capture at *ref*, which lies behind those asked for before. Raises WarcError."""
        self.forget(ref.offset)
        end = ref.offset + ref.length
        if end > len(self.data):
            raise WarcError(f"{ref.file} at byte {ref.offset}: the file ends before the record does")
        try:
            fields = fields_of(self.data[ref.offset : min(end, ref.offset + _HEAD)], ref)
        except WarcError:
            fields = fields_of(self.data[ref.offset : min(end, ref.offset + HEADER_LIMIT)], ref)
        if fields.get("warc-type") not in CAPTURED:
            raise WarcError(f"{ref.file} at byte {ref.offset}: a {fields.get('warc-type')}, no capture")
        return fields

    def record_at(self, start: int) -> tuple[int, dict[str, str]]:
        """Where any record ends, in a gzip member or plain, and its named fields. Raises WarcError."""
        ref = RecordRef(file="", offset=start, length=0)
        if self.data[start : start + len(_PLAIN)] != _PLAIN:
            member = read_member(self.data, start, begins_well=lambda _: True)
            return (member.end, fields_of(member.data, ref)) if member else _no_record(ref)
        head = self.data.find(_BLANK_LINE, start, start + HEADER_LIMIT) + len(_BLANK_LINE)
        fields = fields_of(self.data[start:head], ref)
        length = fields.get("content-length", "")
        if not (length.isascii() and length.isdigit()):
            _no_record(ref)
        return head + int(length) + len(_BLANK_LINE), fields

    def forget(self, end: int) -> None:
        """What was read is the system's to keep in memory, not ours: the file may be larger than it."""
        ready = min(end, len(self.data)) // _FORGOTTEN_AT_ONCE * _FORGOTTEN_AT_ONCE
        if ready > self._forgotten:
            self.data.madvise(mmap.MADV_DONTNEED, self._forgotten, ready - self._forgotten)
            self._forgotten = ready


def _no_record(ref: RecordRef) -> NoReturn:
    raise WarcError(f"at byte {ref.offset}: no record")


def _are_of_one_exchange(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether one of two records says so of the other."""
    return any(
        said.get(field) == meant["warc-record-id"]
        for said, meant in ((one, other), (other, one))
        for field in ("warc-concurrent-to", "warc-refers-to")
        if "warc-record-id" in meant
    )
