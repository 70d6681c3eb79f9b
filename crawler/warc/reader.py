"""Reading WARC files: one record by its place, or all of a file in order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isal import isal_zlib
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from crawler.records import RecordRef
from crawler.store import StoreError
from crawler.vectors import settle
from crawler.warc.files import OPEN, WarcError, open_for_reading, open_whole
from crawler.warc.http import Head, Response, parse_response
from crawler.warc.members import inflated
from crawler.warc.record import Original

_GZIP = b"\x1f\x8b"
_VERSION = re.compile(rb"WARC/\d[.\d]*\r?\n")
_HEADER_END = re.compile(rb"\r?\n\r?\n")
HEADER_LIMIT = 32_768
"""Bytes of a record's own header at most, as in FastWARC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as it is stored."""

    fields: dict[str, str]
    """Named fields with lower-case names; of a repeated one the first."""
    block: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What an index says of a record."""

    ref: RecordRef
    kind: str
    """``response``, ``revisit``, ``request``, ``metadata``, ``warcinfo`` …"""
    record_id: str
    """``urn:uuid:…``, without angle brackets."""
    url: str | None
    date: str
    payload_digest: str | None
    """As stated, for example ``sha256:…``."""
    status: int | None
    """HTTP status of a response or revisit."""
    content_type: str | None
    """The Content-Type header of a response or revisit; the content type of a resource."""


def read_record(folder: Path, ref: RecordRef) -> Record:
    """The record at *ref*, one gzip member or plain bytes, in a finished file or one still ``.open``.

    Raises WarcError, with file and offset, where there is no whole record there.
    """
    data = _read(folder, ref, ref.length)
    if data.startswith(_GZIP):
        try:
            data = inflated(data)
        except ValueError as error:
            raise _broken(ref, str(error)) from error
    return parse_record(data, ref)[0]


def parse_record(data: bytes, ref: RecordRef) -> tuple[Record, int]:
    """The record that *data*, inflated, begins with, and where its block ends. Raises WarcError that names *ref*."""
    fields, start = _header(data, ref)
    length = fields.get("content-length", "")
    block = data[start : start + int(length)] if length.isascii() and length.isdigit() else None
    if block is None or len(block) != int(length):
        raise _broken(ref, "its block is shorter than its Content-Length")
    return Record(fields=fields, block=block), start + len(block)


def read_capture(folder: Path, ref: RecordRef, original: RecordRef | None = None) -> Response:
    """The response at *ref*: status line, headers, entity with its content coding.

    Where it is a revisit, its head comes from itself and its entity from *original*. A resource is a page as a browser
    drew it, of an answer 200: its only header is its content type. Raises WarcError where the original is missing or
    none of these.
    """
    record = read_record(folder, ref)
    kind = record.fields.get("warc-type")
    if kind in {"response", "resource"}:
        return response_of(record)
    if kind != "revisit" or original is None:
        raise _broken(ref, "a revisit, read without its original" if kind == "revisit" else f"a {kind}, no response")
    first = read_record(folder, original)
    if first.fields.get("warc-type") not in {"response", "resource"}:
        raise _broken(original, "the original of a revisit must be a response or a resource")
    stored = response_of(first)
    return Response(head=parse_response(record.block).head, entity=stored.entity, whole=stored.whole)


def read_original(folder: Path, ref: RecordRef) -> Original:
    """What a revisit of the record at *ref* has to say of it; of a large record only the beginning is read.

    Raises WarcError where there is no record there.
    """
    fields = fields_of(_read(folder, ref, min(ref.length, HEADER_LIMIT)), ref)
    return Original(
        record_id=_bare(fields.get("warc-record-id", "")),
        url=_bare(fields.get("warc-target-uri", "")),
        date=fields.get("warc-date", ""),
        payload_digest=fields.get("warc-payload-digest"),
    )


def fields_of(data: bytes, ref: RecordRef) -> dict[str, str]:
    """Named fields of the record that *data* begins with, as it is stored; `HEADER_LIMIT` bytes of it are enough.

    Names are in lower case. Raises WarcError that names *ref* where there is no record.
    """
    if data.startswith(_GZIP):
        try:
            data = isal_zlib.decompressobj(wbits=31).decompress(data, HEADER_LIMIT)
        except isal_zlib.error as error:  # type: ignore[misc]  # isal's stub has an instance
            raise _broken(ref, str(error)) from error
        settle()
    return _header(data, ref)[0]


def entries(path: Path) -> Iterator[Entry]:
    """Every whole record of a WARC or ARC file in order; of a file that is still ``.open``, those that are there.

    Raises WarcError where there is no file, or what follows can't be read, unless it is a record cut short at the end.
    """
    name = path.name.removesuffix(OPEN)
    with open_whole(path.parent, name) as stream:
        iterator = ArchiveIterator(stream)
        try:
            for record in iterator:
                offset, length = iterator.get_record_offset(), iterator.get_record_length()
                if not _is_whole(record, iterator):
                    return
                yield _entry(record, RecordRef(file=name, offset=offset, length=length))
        except ArchiveLoadFailed as error:
            raise WarcError(f"{path}: {str(error).strip()}") from error


def response_of(record: Record) -> Response:
    """What a ``response`` or ``resource`` record holds; of any other record with HTTP in it, too."""
    if record.fields.get("warc-type") != "resource":
        return parse_response(record.block)
    content_type = record.fields.get("content-type", "").encode()
    head = Head(status_line=b"", status=200, headers=((b"Content-Type", content_type),), length=0)
    return Response(head=head, entity=record.block, whole=True)


def _read(folder: Path, ref: RecordRef, length: int) -> bytes:
    with open_for_reading(folder, ref.file) as stream:
        stream.seek(ref.offset)
        try:
            return stream.read(length)
        except StoreError as error:
            raise _broken(ref, str(error)) from error


def _header(data: bytes, ref: RecordRef) -> tuple[dict[str, str], int]:
    """Named fields of the record that *data* begins with, and where its block begins."""
    end = _HEADER_END.search(data, 0, HEADER_LIMIT)
    if end is None or not _VERSION.match(data):
        raise _broken(ref, "no WARC record")
    fields: dict[str, str] = {}
    for line in data[: end.start()].decode("utf-8", "replace").split("\n")[1:]:
        name, _, value = line.partition(":")
        fields.setdefault(name.lower(), value.strip())
    return fields, end.end()


def _entry(record: Any, ref: RecordRef) -> Entry:
    fields = record.rec_headers
    head = record.http_headers if record.rec_type in {"response", "revisit"} else None
    described = fields if record.rec_type == "resource" else head
    status = head.get_statuscode() if head else ""
    return Entry(
        ref=ref,
        kind=record.rec_type,
        record_id=_bare(fields.get_header("WARC-Record-ID") or ""),
        url=fields.get_header("WARC-Target-URI"),
        date=fields.get_header("WARC-Date") or "",
        payload_digest=fields.get_header("WARC-Payload-Digest"),
        status=int(status) if re.fullmatch("[0-9]{3}", status) else None,
        content_type=described.get_header("Content-Type") if described else None,
    )


def _is_whole(record: Any, iterator: Any) -> bool:
    # warcio takes a member without its end for a whole one.
    inflate = iterator.reader.decompressor
    return not getattr(record.raw_stream, "limit", 0) and (inflate is None or inflate.eof)


def _bare(value: str) -> str:
    return value.removeprefix("<").removesuffix(">")


def _broken(ref: RecordRef, why: str) -> WarcError:
    return WarcError(f"{ref.file} at byte {ref.offset}: {why}")
