"""CDXJ: a line a capture, sorted by the address's key and its time, by which a replay finds the record.

The form is pywb's (https://specs.webrecorder.net/cdxj/0.1.0/); the compressed one, blocks of lines and an index of the
blocks, is what WACZ calls ``cdxj-gzip-1.0``.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from isal import igzip_lib

from crawler.vectors import settle
from crawler.warc.surt import surt

REVISIT = "warc/revisit"
"""Stands for the content type of a revisit, and tells a replay to look for the original with the same digest."""
BLOCK_LINES = 300
"""A look-up inflates one block: about 15 kB."""

_NOT_DIGIT = re.compile(r"\D")
_BLANK = re.compile(r"\s")
_TYPE = re.compile(r"[^\s;,]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What an index says of a record besides its address and time."""

    mime: str
    """Without parameters; `REVISIT` for a revisit."""
    status: int | None
    """None for what has none, such as a drawn page."""
    digest: str | None
    """Of the payload, with its algorithm: ``sha256:…``."""
    length: int
    """Bytes of the gzip member."""
    offset: int
    filename: str


def line(url: str, at: str, place: Place) -> bytes:
    """The line of a capture of *url*; *at* is its time in any ISO form, UTC."""
    said = {
        "url": url,
        "mime": place.mime,
        "status": None if place.status is None else str(place.status),
        "digest": place.digest,
        "length": str(place.length),
        "offset": str(place.offset),
        "filename": place.filename,
    }
    fields = json.dumps({name: value for name, value in said.items() if value is not None})
    return f"{_BLANK.sub('%20', surt(url))} {timestamp(at)} {fields}\n".encode("utf-8", "replace")


def timestamp(at: str) -> str:
    """``YYYYMMDDhhmmss`` of an ISO time, cut and not rounded, as every other indexer does."""
    return _NOT_DIGIT.sub("", at)[:14]


def media_type(content_type: str | None) -> str:
    """The type alone of a Content-Type header; ``unk`` where there is none, as in CDX files since there are any."""
    found = _TYPE.search(content_type or "")
    return found[0].lower() if found else "unk"


def compressed(lines: Iterable[bytes], *, name: str, index: BinaryIO) -> Iterator[bytes]:
    """Sorted *lines* as the gzip members of a file called *name*; its blocks' own lines go to *index*."""
    index.write(f"!meta 0 {json.dumps({'format': 'cdxj-gzip-1.0', 'filename': name})}\n".encode())
    remaining = iter(lines)
    offset = 0
    while block := list(islice(remaining, BLOCK_LINES)):
        member: bytes = igzip_lib.compress(b"".join(block), 3, igzip_lib.COMP_GZIP)
        settle()
        digest = f"sha256:{hashlib.sha256(member).hexdigest()}"
        said = json.dumps({"offset": offset, "length": len(member), "digest": digest, "filename": name})
        index.write(block[0].partition(b" {")[0] + f" {said}\n".encode())
        offset += len(member)
        yield member
