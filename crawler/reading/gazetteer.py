"""The gazetteer: where a text spells the name of a division, whichever year it is of.

A text is folded for comparing (`crawler.text.folding`), but signs stay gaps: 省、市 is no name. Of the spellings that
overlap, the one that begins first counts, then the longest. Names of all years take part, so that 礼县 is not seen in
崇礼县 after there is no 崇礼县 any more; so do the words of ``vocabulary/places.toml``, which stand for nothing: 示范
takes the 范 from 范县. Short names of prefectures and words before counties give way to full names that begin inside.

An own scan: 0.17 ms for 1,600 characters, where pyahocorasick 2.3 takes 0.39 ms for the longest matches (``iter_long``)
and a compiled alternation 4.8 ms.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, NamedTuple

from crawler import divisions
from crawler.divisions import Division
from crawler.text.folding import fold, is_composed
from crawler.vocabulary import table

GAP = "|"
"""Stands for signs that are no letters."""
SPACE = " "

Form = Literal["name", "short"]
"""``name``: 陕西省, 甘南州; ``short``: 陕西, 咸阳, of provinces and prefectures only."""

_MEMO_LIMIT = 0x30000
_LEVEL_WORD = re.compile("(?:自治区|特别行政区|行政区|自治州|地区|[省市盟州])$")
_LEAST = 2
"""Characters of the shortest spelling."""


@dataclass(slots=True)
class _Entry:
    """What a spelling may stand for, in whatever years; for nothing where it is only a word."""

    names: list[Division] = field(default_factory=list)
    everyday: list[Division] = field(default_factory=list)
    """Names without the peoples in them: 大通县."""
    shorts: list[Division] = field(default_factory=list)
    yields: bool = True
    """It gives way to a full name that begins inside it: 自贡 in 来自贡山县."""


class _Found(NamedTuple):
    """An entry in a text."""

    entry: _Entry
    end: int


class _Gazetteer(NamedTuple):
    """All entries, and by their first two characters how long they are, the longest first."""

    lengths: Mapping[str, tuple[int, ...]]
    entries: Mapping[str, _Entry]
    heads: re.Pattern[str]
    """Where an entry may begin, by its first two characters each alone: a fifth of all places."""


class Spelling(NamedTuple):
    """A spelling in a text that `marked` made."""

    text: str
    start: int
    end: int
    form: Form
    divisions: tuple[Division, ...]
    """Those that it may stand for in the year, never empty."""


class _Marks(dict[int, str]):
    """``str.translate`` table of `marked`."""

    def __missing__(self, code_point: int) -> str:
        char = chr(code_point)
        mark = fold(char) or self._of_sign(char)
        if code_point < _MEMO_LIMIT:  # hostile text must not fill the memo
            self[code_point] = mark
        return mark

    @staticmethod
    def _of_sign(char: str) -> str:
        if char.isspace() and char != "\n":
            return SPACE
        return "" if unicodedata.category(char) == "Cf" else GAP  # what has no width parts no name


_MARKS = _Marks()


def marked(text: str) -> str:
    """*text* folded, with `GAP` for signs and ends of lines, and `SPACE` for white space."""
    return (text if is_composed(text) else unicodedata.normalize("NFKC", text)).translate(_MARKS)


def spellings(text: str, year: int) -> Iterator[Spelling]:
    """The divisions of *year* that *text*, as `marked` made it, may name, from the left; they don't overlap."""
    end = 0
    for head in _gazetteer().heads.finditer(text):
        start = head.start()
        found = _longest(text, start) if start >= end else None
        if found and not (found.entry.yields and _name_begins_inside(text, start, found.end, year)):
            end = found.end
            spelling = _meant(text[start:end], start, found.entry, year)
            if spelling:
                yield spelling


def _longest(text: str, start: int) -> _Found | None:
    """The longest entry that begins at *start*."""
    lengths, entries, _ = _gazetteer()
    for length in lengths.get(text[start : start + _LEAST], ()):
        spelled = text[start : start + length]
        entry = entries.get(spelled)
        if entry is not None and text[start + length : start + length + 1] not in _behind(spelled[-1]):
            return _Found(entry, start + len(spelled))
    return None


def _name_begins_inside(text: str, start: int, end: int, year: int) -> bool:
    for place in range(start + 1, end):
        found = _longest(text, place)
        if found and found.end - place > _LEAST and _valid(found.entry.names or found.entry.everyday, year):
            return True
    return False


def _meant(spelled: str, start: int, entry: _Entry, year: int) -> Spelling | None:
    choices: tuple[tuple[Form, list[Division]], ...] = (
        ("name", entry.names),
        ("name", entry.everyday),
        ("short", entry.shorts),
    )
    for form, rows in choices:
        valid = _valid(rows, year)
        if valid:
            return Spelling(spelled, start, start + len(spelled), form, valid)
    return None


def _valid(rows: list[Division], year: int) -> tuple[Division, ...]:
    return tuple(row for row in rows if row.from_year <= year <= (row.to_year or year))


@cache
def _behind(last: str) -> frozenset[str]:
    """The characters that may not stand behind a name that ends so."""
    return frozenset(table("places")["behind"].get(last, ""))


@cache
def _gazetteer() -> _Gazetteer:
    """Made in 60 ms; takes 3 MB."""
    entries: defaultdict[str, _Entry] = defaultdict(_Entry)
    provinces = {_short(row.name) for row in divisions.rows() if row.level == 1}
    for row in divisions.rows():
        _enter(entries[marked(row.name)], "names", row)
        everyday = _everyday(row.name)
        if everyday and not (row.level == 3 and everyday[:-1] in provinces):  # 河南县 is in 河南县域经济
            _enter(entries[marked(everyday)], "everyday", row)
        if row.level < 3 and len(_short(row.name)) >= _LEAST:
            _enter(entries[marked(_short(row.name))], "shorts", row)
    for kind, words in table("places")["words"].items():
        for word in words:
            entries[marked(word)].yields &= kind == "county"
    lengths: defaultdict[str, set[int]] = defaultdict(set)
    for spelled in entries:
        lengths[spelled[:_LEAST]].add(len(spelled))
    first, second = ("".join(sorted(chars)) for chars in zip(*lengths, strict=True))
    return _Gazetteer(
        lengths={head: tuple(sorted(found, reverse=True)) for head, found in lengths.items()},
        entries=dict(entries),
        heads=re.compile(f"[{first}](?=[{second}])"),
    )


def _enter(entry: _Entry, form: Literal["names", "everyday", "shorts"], row: Division) -> None:
    getattr(entry, form).append(row)
    entry.yields &= form == "shorts" and row.level > 1


def _everyday(name: str) -> str | None:
    """大通县 for 大通回族土族自治县, 甘南州, 鄂温克旗; None where there is no other form."""
    found = _autonomous().fullmatch(name)
    return found[1].removesuffix("族") + found[2] if found and found[2] != "区" else None


def _short(name: str) -> str:
    """陕西 for 陕西省, 广西 for 广西壮族自治区, 甘南 for 甘南藏族自治州."""
    found = _autonomous().fullmatch(name)
    return found[1] if found else _LEVEL_WORD.sub("", name)


@cache
def _autonomous() -> re.Pattern[str]:
    return re.compile(f"(.{{{_LEAST},}}?)(?:{'|'.join(table('places')['peoples'])})*自治([区州县旗])")
