"""Content codings (RFC 9110 section 8.4) undone, whatever the label says.

Portals label plain pages ``gzip``, send gzip without a label, and break off in the middle of a stream: the bytes
decide, the label only helps, and of a cut or damaged stream what came is kept.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, cast

import brotli
from isal import isal_zlib

from crawler.vectors import settle

MAX_DECODED = 32 * 1024 * 1024
"""Bytes. A body of more, unpacked or as it came, is refused: no page is that long, a bomb is."""
MAX_CODINGS = 4
"""Codings on top of each other; more is no page either."""
MAX_MEMBERS = 64
"""Gzip members in one body; servers send one, and thousands of empty ones would cost minutes."""

_TOO_LONG = "the body is longer than {:,} bytes"
_GZIP = b"\x1f\x8b\x08"
_UNKNOWN = {b"\x28\xb5\x2f\xfd": "zstd", b"\x1f\x9d": "compress"}
"""First bytes of codings that we never ask for and don't undo."""
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<")
_STEPS = (1 << 62, 64, 1)
"""Bytes fed at once: everything; where that fails, ever less towards the damage, so that all before it is kept."""


class DecodeError(ValueError):
    """A body that cannot be unpacked; the message names the limit or the coding."""


_DAMAGE = cast("tuple[type[Exception], ...]", (isal_zlib.error, brotli.error))


class _Stream(Protocol):
    """A decompressor as zlib's are, with what of it is used here."""

    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Brotli:
    """Brotli's decompressor (RFC 7932) as a `_Stream`."""

    unused_data = b""

    def __init__(self) -> None:
        self._stream = brotli.Decompressor()
        self.eof = False

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        part: bytes = self._stream.process(data, output_buffer_limit=max_length)
        self.eof = self._stream.is_finished()
        return part


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unpacked:
    """What one stream unpacked to."""

    data: bytes = field(repr=False)
    """All of it, up to its end, its damage, or where it was cut."""
    rest: bytes = field(repr=False)
    """What follows the stream."""
    damaged: bool


def unpacked(body: bytes, content_encoding: str | None, *, limit: int = MAX_DECODED) -> bytes:
    """Return *body* without the content codings that are on it.

    Args:
        body: an entity as it came, transfer coding removed.
        content_encoding: the header; several codings are separated by commas, the last one applied last.
        limit: bytes that the body and each of its layers may have.

    Raises:
        DecodeError: a layer is longer than *limit*, there are more than `MAX_CODINGS` of them or
            `MAX_MEMBERS` in one, or one is zstd or compress.

    """
    labels = [label.strip().lower() for label in (content_encoding or "").split(",")]
    data = body
    for label in reversed(labels[-MAX_CODINGS:]):
        data = _without(label, data, limit)
    for _ in range(MAX_CODINGS):
        if not data.startswith(_GZIP):
            break
        data = _without("gzip", data, limit)
    else:
        raise DecodeError(f"the body has more than {MAX_CODINGS} content codings on top of each other")
    for magic, name in _UNKNOWN.items():
        if data.startswith(magic):
            raise DecodeError(f"content coding {name} is not supported")
    if len(data) > limit:
        raise DecodeError(_TOO_LONG.format(limit))
    return data


def _without(label: str, data: bytes, limit: int) -> bytes:
    """*data* without one coding, or as it is where that coding is not on it."""
    if data.startswith(_GZIP):
        return _members(data, limit)
    if label in {"deflate", "gzip", "x-gzip"} and _is_zlib(data):
        return _believed(lambda: isal_zlib.decompressobj(15), data, limit)
    if label == "deflate":  # some servers send it without zlib's frame
        return _believed(lambda: isal_zlib.decompressobj(-15), data, limit)
    if label == "br":
        return _believed(_Brotli, data, limit)
    return data


def _is_zlib(data: bytes) -> bool:
    """Whether *data* begins with zlib's two header bytes (RFC 1950 section 2.2)."""
    return len(data) >= 2 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0


def _members(data: bytes, limit: int) -> bytes:
    """Every member of a gzip file (RFC 1952 section 2.2); what follows the last one is padding."""
    parts: list[bytes] = []
    taken = 0
    while data.startswith(_GZIP):
        if len(parts) == MAX_MEMBERS:
            raise DecodeError(f"the body has more than {MAX_MEMBERS} gzip members")
        member = _unpack(lambda: isal_zlib.decompressobj(31), data, limit, taken=taken)
        parts.append(member.data)
        taken += len(member.data)
        data = member.rest
    return b"".join(parts)


def _believed(start: Callable[[], _Stream], data: bytes, limit: int) -> bytes:
    """*data* without a coding that has no sure mark; as it is where the label is wrong."""
    unpacked = _unpack(start, data, limit)
    is_wrong = unpacked.damaged and (not unpacked.data or _MARKUP.match(data))
    return data if is_wrong else unpacked.data


def _unpack(start: Callable[[], _Stream], data: bytes, limit: int, *, taken: int = 0) -> _Unpacked:
    """Feed *data* to a fresh stream. Raises DecodeError where more than *limit* bytes come out, *taken* among them."""
    good = 0
    """Bytes that went in without an error, in an earlier and coarser attempt too."""
    for step in _STEPS:
        stream = start()
        parts = [stream.decompress(data[:good], limit + 1)]
        size = taken + len(parts[0])
        damaged = False
        while good < len(data) and not stream.eof:
            try:
                part = stream.decompress(data[good : good + step], limit + 1 - size)
            except _DAMAGE:
                damaged = True
                break
            good += step
            size += len(part)
            parts.append(part)
            if size > limit:
                raise DecodeError(_TOO_LONG.format(limit))
        if not damaged:
            break
    settle()
    return _Unpacked(data=b"".join(parts), rest=stream.unused_data + data[good:], damaged=damaged)
