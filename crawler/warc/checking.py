"""A WARC file read record by record, as far as it can be, with everything in it that is not as it should be."""

import base64
import binascii
import hashlib
import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass

from crawler.records import RecordRef
from crawler.warc.files import WarcError
from crawler.warc.http import payload_start
from crawler.warc.members import LIMIT, MARK, OversizedError, read_member
from crawler.warc.reader import Record, parse_record, response_of
from crawler.warc.record import record_id

_GZIP = b"\x1f\x8b"
_BEGINNING = b"WARC/"
_END = b"\r\n\r\n"
_HEADER_LIMIT = 32_768
_LENGTH = re.compile(rb"\r\nContent-Length:[ \t]*(\d{1,15})[ \t]*\r\n", re.IGNORECASE)
_ALGORITHMS = frozenset({"md5", "sha1", "sha256", "sha512"})
_WITH_HTTP = frozenset({"response", "request"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A record that can be read."""

    ref: RecordRef
    record: Record
    faults: tuple[str, ...]
    """What is wrong with it, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A stretch of a file in which there is no whole record."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversized:
    """A record that is too large to be read (`crawler.warc.members.LIMIT`)."""

    start: int
    end: int
    why: str


def walk(data: mmap.mmap, name: str, *, is_ours: bool) -> Iterator[Found | Damage | Oversized]:
    """All of the file *name*, without a gap: its records, and what lies between them and behind the last one.

    *is_ours*: written by `crawler.warc.writer`, so that every record states its own place. In other files digests may
    be of any algorithm, and a payload digest is over the entity with or without its transfer coding. One record at a
    time is in memory.
    """
    at = 0
    while at < len(data):
        try:
            found = _record_at(data, at, name, is_ours=is_ours)
        except OversizedError as error:
            yield Oversized(start=at, end=error.end, why=f"a record of {error.size:,} bytes: more than {LIMIT:,}")
            at = error.end
            continue
        if found is None:
            after = _next_record(data, at, name, is_ours=is_ours)
            yield Damage(start=at, end=after)
            at = after
        else:
            yield found
            at += found.ref.length


def _record_at(data: mmap.mmap, at: int, name: str, *, is_ours: bool) -> Found | None:
    is_zipped = data[at : at + 2] == _GZIP
    text, end = _inflated(data, at) if is_zipped else _plain(data, at)
    if text is None:
        return None
    ref = RecordRef(file=name, offset=at, length=end - at)
    try:
        record, block_end = parse_record(text, ref)
    except WarcError:
        return None
    faults = [*_faults_of_frame(text, block_end), *_faults_of_digests(record, is_ours=is_ours)]
    if is_ours:
        if is_zipped and data[at : at + len(MARK)] != MARK:
            faults.append("the header of its gzip member was changed")
        if record.fields.get("warc-record-id") != f"<{record_id(name, at)}>":
            faults.append("its WARC-Record-ID is not that of its place")
    return Found(ref=ref, record=record, faults=tuple(faults))


def _inflated(data: mmap.mmap, at: int) -> tuple[bytes | None, int]:
    member = read_member(data, at, begins_well=lambda text: text.startswith(_BEGINNING))
    return (member.data, member.end) if member else (None, at)


def _plain(data: mmap.mmap, at: int) -> tuple[bytes | None, int]:
    """A record that is not compressed, with the two line ends behind it."""
    head = data[at : at + _HEADER_LIMIT].partition(_END)[0] + b"\r\n"
    length = _LENGTH.search(head)
    if not head.startswith(_BEGINNING) or length is None:
        return None, at
    size = len(head) + 2 + int(length[1])
    end = at + size + len(_END)
    if end > len(data):
        return None, at
    if size > LIMIT:
        raise OversizedError(start=at, end=end, size=size)
    return data[at:end], end


def _next_record(data: mmap.mmap, at: int, name: str, *, is_ours: bool) -> int:
    """Where the first whole record behind the damage at *at* begins, or the end of the file."""
    mark = MARK if is_ours else _GZIP if data[:2] == _GZIP else _BEGINNING
    while (at := data.find(mark, at + 1)) >= 0:
        try:
            found = _record_at(data, at, name, is_ours=is_ours)
        except OversizedError:
            if is_ours:
                continue
            return at
        # A WARC file that a portal served may lie in a damaged stretch: only ours states this very place.
        if found and (not is_ours or found.record.fields.get("warc-record-id") == f"<{record_id(name, at)}>"):
            return at
    return len(data)


def _faults_of_frame(text: bytes, block_end: int) -> Iterator[str]:
    if text[block_end:] != _END:
        yield "its block is not followed by two line ends and nothing else"


def _faults_of_digests(record: Record, *, is_ours: bool) -> Iterator[str]:
    fields = record.fields
    block_digest = fields.get("warc-block-digest")
    if block_digest is None and is_ours:
        yield "it has no WARC-Block-Digest"
    if block_digest is not None and not _is_digest_of(block_digest, record.block):
        yield "its block is not what WARC-Block-Digest says"
    payload_digest = fields.get("warc-payload-digest")
    # The payload of a revisit lies elsewhere.
    if payload_digest is None or fields.get("warc-type") == "revisit":
        return
    if not any(_is_digest_of(payload_digest, payload) for payload in _payloads(record, is_ours=is_ours)):
        yield "its payload is not what WARC-Payload-Digest says"


def _payloads(record: Record, *, is_ours: bool) -> Iterator[bytes]:
    """What the payload digest of a record may be over."""
    if record.fields.get("warc-type") not in _WITH_HTTP:
        yield record.block
        return
    start = payload_start(record.block)
    if start is not None:
        yield record.block[start:]
    if not is_ours:
        response = response_of(record)
        yield record.block[response.head.length :]
        yield response.entity


def _is_digest_of(stated: str, data: bytes) -> bool:
    """Whether a labelled digest, hexadecimal or base32, is that of *data*; yes where its algorithm is unknown."""
    algorithm, _, value = stated.partition(":")
    algorithm = algorithm.lower().replace("-", "")
    if algorithm not in _ALGORITHMS:
        return True
    digest = hashlib.new(algorithm, data, usedforsecurity=False).digest()
    try:
        is_hexadecimal = len(value) == 2 * len(digest)
        stated_digest = bytes.fromhex(value) if is_hexadecimal else base64.b32decode(value, casefold=True)
    except (ValueError, binascii.Error):
        return False
    return digest == stated_digest
