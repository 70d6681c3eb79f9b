"""A WARC file compressed as a whole, or an ARC file, written anew: a WARC file with a gzip member for each record."""

import hashlib
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from isal import isal_zlib
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from crawler.records import Exchange
from crawler.vectors import settle
from crawler.version import SOFTWARE
from crawler.warc import record
from crawler.warc.http import parse_response
from crawler.warc.members import LIMIT
from crawler.warc.record import record_id

HEADER_LIMIT = 65_536
"""Bytes of a record's own header at most."""
LENGTH = re.compile(rb"\r?\nContent-Length:[ \t]*(\d{1,15})[ \t]*\r?\n", re.IGNORECASE)
"""The field of a record's header that tells the length of its block."""

_GZIP = b"\x1f\x8b"
_WARC = b"WARC/"
_END = b"\r\n\r\n"
_STEP = 1_048_576
_LEVEL = 3
_BETWEEN = 2 * HEADER_LIMIT
"""Bytes behind an ARC record in which the next one begins, with what its reader holds ready."""


def rewrite(source: Path, out: BinaryIO, *, name: str, is_arc: bool, digest: str) -> str | None:
    """Write the records of *source* to *out*, which will be called *name*; *digest* is the source's SHA-256.

    Returns, in words, which records of an ARC file were left out because they are too large, and where the source
    could not be read on. One megabyte at a time is in memory; of an ARC file, one record.
    """
    return _Rewriter(source, out, name, digest, is_arc=is_arc).rewrite()


class _Rewriter:
    def __init__(self, source: Path, out: BinaryIO, name: str, digest: str, *, is_arc: bool) -> None:
        self._source = source
        self._out = out
        self._name = name
        self._digest = digest
        self._is_arc = is_arc
        self._records = 0
        self._faults: list[str] = []

    def rewrite(self) -> str | None:
        what = "an ARC file" if self._is_arc else "a WARC file compressed as a whole; records as they were"
        fields = {
            "software": SOFTWARE,
            "format": "WARC file version 1.1",
            "description": f"rewritten from {self._source.name} (sha256:{self._digest}), {what};"
            " HTTP messages byte for byte",
        }
        identifier = record_id(self._name, 0)
        opening = record.warcinfo(identifier=identifier, date=datetime.now(UTC), file=self._name, fields=fields)
        self._write(iter([opening]))
        try:
            with self._source.open("rb") as file:
                if self._is_arc:
                    self._of_arc(_content(file), warcinfo=identifier)
                else:
                    stream = cast("BinaryIO", io.BufferedReader(_Inflated(file), _STEP))
                    while self._copied(stream):
                        self._records += 1
        except (_DamageError, ValueError, ArchiveLoadFailed) as error:
            why = " ".join(str(error).split())
            self._faults.append(f"{self._source}: cannot be read on behind record {self._records}: {why}")
        return "; ".join(self._faults) or None

    def _copied(self, stream: BinaryIO) -> bool:
        """Copy the next record as it is; False behind the last one."""
        header = _next_header(stream)
        if not header:
            return False
        length = LENGTH.search(header)
        if not header.startswith(_WARC) or length is None:
            raise ValueError("what follows is no WARC record")
        start = self._out.tell()
        try:
            self._write(_chunks(stream, header, int(length[1])))
        except _DamageError:
            self._out.seek(start)
            self._out.truncate()
            raise
        return True

    def _of_arc(self, stream: BinaryIO, *, warcinfo: str) -> None:
        rationed = _Rationed(stream)
        for found in ArchiveIterator(rationed, no_record_parse=True, arc2warc=True):
            length = int(found.rec_headers.get_header("Content-Length"))
            rationed.left = length + _BETWEEN
            fields = found.rec_headers
            url = fields.get_header("WARC-Target-URI") or ""
            if found.rec_type != "response" or not url.startswith(("http:", "https:")):
                continue
            if length > LIMIT:
                what = f"{self._source}: {url}: a record of {length:,} bytes, and more than {LIMIT:,} are not read"
                self._faults.append(what)
                continue
            block = found.raw_stream.read()
            if len(block) != length:
                raise _DamageError("it was cut short")
            payload = parse_response(block).entity
            exchange = Exchange(
                url=url,
                method="GET",
                started_at=datetime.fromisoformat(fields.get_header("WARC-Date")),
                ip=fields.get_header("WARC-IP-Address"),
                request=b"",
                response=block,
            )
            made = record.response(
                exchange,
                identifier=record_id(self._name, self._out.tell()),
                warcinfo=warcinfo,
                payload=payload,
                payload_sha256=hashlib.sha256(payload).hexdigest(),
            )
            self._write(iter([made]))
            self._records += 1

    def _write(self, chunks: Iterator[bytes]) -> None:
        deflate = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, 31)
        for chunk in chunks:
            self._out.write(deflate.compress(chunk))
        self._out.write(deflate.flush())
        settle()


class _DamageError(Exception):
    """A compressed file cannot be read on. (Readers of WARC take an EOFError for a good end.)"""


class _Rationed:
    """A stream of which *left* bytes at most can be read: the ARC reader takes any line, in quadratic time."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.left = _BETWEEN

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise _DamageError(f"no record begins within {HEADER_LIMIT:,} bytes")
        return data


class _Inflated(io.RawIOBase):
    """A compressed file's content as far as it can be read, over all of its gzip members."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._inflate = isal_zlib.decompressobj(wbits=31)
        self._data = b""
        self._is_between = True
        """Members: a good place for the file to end."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while True:
            self._data = self._data or self._file.read(_STEP)
            if self._is_between and not self._data:
                return 0
            is_over = not self._data
            piece = self._inflated(len(buffer))
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)
            if is_over:
                raise _DamageError("it was cut short")

    def _inflated(self, size: int) -> bytes:
        try:
            piece: bytes = self._inflate.decompress(self._data, size)
        except isal_zlib.error as error:  # type: ignore[misc]  # isal's stub has an instance
            raise _DamageError(str(error)) from error
        settle()
        self._is_between = self._inflate.eof
        if self._inflate.eof:
            self._data = self._inflate.unused_data
            self._inflate = isal_zlib.decompressobj(wbits=31)
        else:
            self._data = self._inflate.unconsumed_tail
        return piece


def _content(file: BinaryIO) -> BinaryIO:
    """What a file holds, without its compression."""
    is_zipped = file.read(2) == _GZIP
    file.seek(0)
    return cast("BinaryIO", _Inflated(file)) if is_zipped else file


def _next_header(stream: BinaryIO) -> bytes:
    """The next record's header with the blank line behind it; empty at the end."""
    line = stream.readline(HEADER_LIMIT)
    while line in {b"\r\n", b"\n"}:
        line = stream.readline(HEADER_LIMIT)
    header = line
    while line not in {b"", b"\r\n", b"\n"} and len(header) < HEADER_LIMIT:
        line = stream.readline(HEADER_LIMIT)
        header += line
    return header


def _chunks(stream: BinaryIO, header: bytes, length: int) -> Iterator[bytes]:
    yield header
    while length:
        chunk = stream.read(min(length, _STEP))
        if not chunk:
            raise _DamageError("it was cut short")
        length -= len(chunk)
        yield chunk
    yield _END
