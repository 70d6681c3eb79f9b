"""Which characters a page's bytes are: decided by the bytes; what the page is said to be only helps where they leave
a choice.

In this order: a byte order mark; UTF-16 by its zero bytes; strict UTF-8; UTF-8 with some damage (a cut page, a summary
cut inside a character); GB18030 against Big5-HKSCS by plausibility; the label of something rarer; charset-normalizer.
Labels are right on two thirds of the pages measured, and Python's own ``gb2312`` and ``big5`` codecs lack characters
that pages with these labels use, so their supersets are always taken.
"""

import codecs
import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product

from crawler.text.labels import codec_of, header_label, page_label

_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be", b"\x84\x31\x95\x33": "gb18030"}
_ASCII = bytes(range(0x80))
_LATER_ROWS = bytes(range(0xC9, 0xD8))
_BEYOND_TWO_BYTES = re.compile("[\u0800-\U0010ffff]")
_HEAD = 4_096
"""Bytes in which zeros are looked for."""
_EXPECTED = re.compile(r"[\t\n\r -~\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
"""What a Chinese page is mostly made of."""

_PAIRS = re.compile(rb"(?:[\x81-\xfe][\x40-\x7e\x80-\xfe])+")
"""Runs of double-byte characters: GB18030 and Big5 have the same lead and trail bytes."""
_QUADS = re.compile(rb"[\x81-\xfe][0-9][\x81-\xfe][0-9]")
"""GB18030's characters of four bytes."""
_FEW_PAIRS = 200
_FIRST_LOOK = 16_384
"""Bytes that are looked at first; the rest only where they hold less than `_FEW_PAIRS`."""
_SAMPLE = 1_000
"""Pairs that are judged, at most."""
_PLAUSIBLE = 0.85
"""Share of everyday characters from which a reading is believed. Measured: at least .98 on 186 pages in their right
encoding, at most .64 in the wrong one."""
_TELLING = 20
"""Pairs from which their distribution says something."""

_RARE = ("cp1252", "cp1251", "koi8_r", "cp932", "euc_jp", "cp949", "gb18030", "big5hkscs")
"""What charset-normalizer may choose from."""
_GUESSED = 32_768
"""Bytes that it is given, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A page's text, and why its bytes were read so."""

    text: str = field(repr=False)
    """Without byte order mark; undecodable bytes are U+FFFD."""
    encoding: str
    """Python codec name: ``utf-8``, ``gb18030``, ``big5hkscs``, ``cp1252`` …"""
    basis: str
    """Why, in words."""
    header_label: str | None
    """The charset in the Content-Type header, as it stands there."""
    page_label: str | None
    """The charset that the page gives itself, as it stands there."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """An encoding decided upon."""

    encoding: str
    basis: str
    text: str | None = None
    """Where deciding needed it already."""


def resolve(data: bytes, *, content_type: str | None, hint: str | None = None) -> Decoded:
    """Decode the bytes of a page; any bytes have a result.

    Args:
        data: the page without content coding.
        content_type: the HTTP header.
        hint: an encoding from elsewhere (the catalogue), of the same weight as the labels.

    """
    header, page = header_label(content_type), page_label(data)
    labels = [codec for label in (hint, header, page) if (codec := codec_of(label))]
    bare = data.removeprefix(codecs.BOM_UTF8)
    reading = _by_mark(data) or _utf16(data) or _utf8(bare, labels, marked=bare is not data)
    reading = reading or _double_byte(bare, labels) or _labelled(bare, labels) or _guessed(bare, labels)
    text = bare.decode(reading.encoding, "replace") if reading.text is None else reading.text
    return Decoded(text=text, encoding=reading.encoding, basis=reading.basis, header_label=header, page_label=page)


def _by_mark(data: bytes) -> _Reading | None:
    """By a byte order mark other than UTF-8's."""
    for mark, codec in _BOMS.items():
        if data.startswith(mark):
            return _Reading(codec, "bom", data[len(mark) :].decode(codec, "replace"))
    return None


def _utf16(data: bytes) -> _Reading | None:
    """UTF-16 without a mark: the high byte of every ASCII character is zero, and no other encoding's text has zeros."""
    head = data[:_HEAD]
    characters = len(head) / 2
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) <= 0.01 * characters:
        return None
    codec = "utf-16-be" if even > odd else "utf-16-le"
    is_plausible = len(_EXPECTED.findall(head.decode(codec, "replace"))) >= _PLAUSIBLE * characters
    return _Reading(codec, "zero bytes") if is_plausible else None


def _utf8(data: bytes, labels: list[str], *, marked: bool) -> _Reading | None:
    """UTF-8: a mark alone proves nothing, since GB templates begin with that of an included file."""
    if data.isascii():
        return _Reading("utf-8", "ascii", data.decode("ascii"))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
        broken = text.count("\ufffd")
        characters = len(text) - broken - _count(data, _ASCII)
        if broken * 4 > characters:  # a GB page has 4 broken bytes for every accidental character
            return None
        return _Reading("utf-8", f"utf-8 but for {broken} broken bytes", text)
    is_cjk_labelled = any(codec in {"gb18030", "big5hkscs"} for codec in labels)
    if is_cjk_labelled and not _BEYOND_TWO_BYTES.search(text) and _double_byte(data, labels):
        return None  # 联通 and its like in GB bytes are valid UTF-8
    return _Reading("utf-8", "bom" if marked else "utf-8 strict", text)


def _double_byte(data: bytes, labels: list[str]) -> _Reading | None:
    """GB18030 or Big5 by the share of everyday characters; None where neither is plausible.

    Few characters leave a choice, in which the labels vote, and without labels GB wins: portals are of the mainland.
    """
    pairs, strays = _double_byte_sample(data)
    if not pairs:
        return None
    gb, big5 = (sum(map(table.__getitem__, pairs)) / (len(pairs) + strays) for table in _everyday())
    if len(pairs) >= _TELLING:
        gb *= _looks_chinese(pairs)
        big5 *= _has_low_trails(pairs)
    vote = 2 / len(pairs) * (labels.count("gb18030") - labels.count("big5hkscs"))
    name, share, other = ("gb18030", gb, big5) if gb + vote >= big5 else ("big5hkscs", big5, gb)
    if share < _PLAUSIBLE:
        return None
    return _Reading(name, f"plausibility {share:.2f}, against {other:.2f}")


def _double_byte_sample(data: bytes) -> "tuple[array[int], int]":
    """The first double-byte characters of *data* as 16-bit numbers in the machine's order, and the bytes of 0x80 and
    more between them that are no part of one, as single-byte encodings have them.
    """
    for end in (_FIRST_LOOK, len(data)):
        runs = b"".join(_PAIRS.findall(data, 0, end))
        if len(runs) >= 2 * _FEW_PAIRS:
            break
    strays = _high_bytes(data[:end]) - _high_bytes(runs) - 2 * len(_QUADS.findall(data, 0, end))
    sample = runs[: 2 * _SAMPLE]
    return array("H", sample), strays * len(sample) // max(1, len(runs))


def _high_bytes(data: bytes) -> int:
    return len(data) - _count(data, _ASCII)


def _count(data: bytes, wanted: bytes) -> int:
    """How many bytes of *data* are among the *wanted* ones."""
    return len(data) - len(data.translate(None, wanted))


def _looks_chinese(pairs: "array[int]") -> bool:
    """Whether level 1 goes on after row C8: Korean's does not, and Chinese has a third of its characters there."""
    return _count(pairs.tobytes()[0::2], _LATER_ROWS) >= 0.1 * len(pairs)


def _has_low_trails(pairs: "array[int]") -> bool:
    """Whether trail bytes are below 0x80: a third to a half of Big5's are, and none of the EUC encodings'."""
    return _count(pairs.tobytes()[1::2], _ASCII) >= 0.1 * len(pairs)


@lru_cache(maxsize=1)
def _everyday() -> tuple[bytes, bytes]:
    """For every pair 1 where it is an everyday character, in GB18030 and in Big5.

    Both standards put them first: GB 2312's level 1 (rows B0 to D7) and Big5's (A4 to C6), each with the punctuation
    before them. A mainland page in Traditional needs GBK's characters for Big5's level 1 too.
    """
    big5_level_1 = _rows(range(0xA4, 0xC7), (*range(0x40, 0x7F), *range(0xA1, 0xFF)))
    big5 = big5_level_1 + _rows(range(0xA1, 0xA4), (*range(0x40, 0x7F), *range(0xA1, 0xFF)))
    gb = _rows((*range(0xA1, 0xA4), *range(0xB0, 0xD8)), range(0xA1, 0xFF))
    gb += big5_level_1.decode("big5", "ignore").encode("gbk", "ignore")
    return _table(gb), _table(big5)


def _rows(leads: Iterable[int], trails: Iterable[int]) -> bytes:
    """All characters of the given lead and trail bytes."""
    return bytes(byte for lead, trail in product(leads, trails) for byte in (lead, trail))


def _table(characters: bytes) -> bytes:
    """A table by 16-bit number: 1 for each of the double-byte *characters*."""
    table = bytearray(0x10000)
    for pair in array("H", characters):
        table[pair] = 1
    return bytes(table)


def _labelled(data: bytes, labels: list[str]) -> _Reading | None:
    """Something rarer, by the first label under which every byte is valid."""
    for codec in labels:
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        return _Reading(codec, "declared", text)
    return None


def _guessed(data: bytes, labels: list[str]) -> _Reading:
    """What charset-normalizer takes it for, else the first label, else what every byte has a place in."""
    from charset_normalizer import from_bytes  # noqa: PLC0415 - few pages need it, and it takes 30 ms to load

    best = from_bytes(_excerpt(data), cp_isolation=list(_RARE)).best()
    if best is not None and best.encoding in _RARE:
        return _Reading(best.encoding.replace("_", "-"), "plausibility (charset-normalizer)")
    return _Reading(labels[0] if labels else "cp1252", "nothing fits")


def _excerpt(data: bytes) -> bytes:
    """*data* from its first character beyond ASCII on, ended between two characters where there is white space or
    markup to see that by.
    """
    excerpt = data[len(data) - len(data.lstrip(_ASCII)) :]
    if len(excerpt) <= _GUESSED:
        return excerpt
    end = max(excerpt.rfind(mark, 0, _GUESSED) for mark in (b"<", b" ", b"\n"))
    return excerpt[: end if end > 0 else _GUESSED]
