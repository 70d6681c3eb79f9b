"""What a text is about in particular: its numbers and names, each in the frame in which it stands.

Public notices are forms: the same sentences with another name, date and sum. Their wording says that they are one
story, their facts say that they are not. A reworded report has the facts that it kept; a form filled in anew has others
in the same frames. So frames that two texts share are compared, and what stands in one of them alone says nothing.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from crawler.text.folding import fold
from crawler.vocabulary import table

Facts = Mapping[str, frozenset[str]]
"""Frame → the values that stand in it."""

CONFLICTS = 0.25
"""Share of conflicts among the common frames above which two texts are one form filled in twice. Measured on stories
and forms of ``bench/lineage.py``: at most .26 in 1,600 reprints with up to four sentences of ten edited, below .36 in
one of 1,000 pairs of forms."""

_NUMERALS = "〇零一二三四五六七八九十百千万亿两"
_DIGITS = "0123456789" + _NUMERALS
_NUMBER = re.compile(rf"\d+|[{_NUMERALS}]{{2,}}")
"""A numeral alone is often no number (一是)."""
_CONTEXT = 2
"""Characters before a number that are its frame, with the one behind: its unit."""
_PLACE_CHARS = 2
_BODY_CHARS = 4
_NAME_CHARS = 3


class _Words(NamedTuple):
    """The vocabulary, folded as the texts are."""

    endings: re.Pattern[str]
    places: frozenset[str]
    """Those endings that are of places."""
    general: frozenset[str]
    titles: re.Pattern[str]
    surnames: frozenset[str]


def facts(folded: str) -> Facts:
    """The numbers, places, bodies and persons that a folded text names."""
    found: dict[str, set[str]] = {}
    for reader in (_numbers, _places_and_bodies, _persons):
        for frame, value in reader(folded):
            found.setdefault(frame, set()).add(value)
    return {frame: frozenset(values) for frame, values in found.items()}


def contradict(one: Facts, other: Facts) -> bool:
    """Whether two texts of like wording are one form filled in twice, and not one story printed twice.

    A frame agrees where more than half of the values of the side that has fewer stand on the other side too. One
    conflict beside agreement is a corrected figure.
    """
    common = one.keys() & other.keys()
    conflicts = sum(2 * len(one[frame] & other[frame]) <= min(len(one[frame]), len(other[frame])) for frame in common)
    if conflicts == 1:
        return len(common) == 1
    return conflicts > CONFLICTS * len(common)


def _numbers(folded: str) -> Iterator[tuple[str, str]]:
    for number in _NUMBER.finditer(folded):
        start, end = number.span()
        before = folded[max(0, start - _CONTEXT) : start].lstrip(_DIGITS)
        yield f"{before}#{folded[end : end + 1]}", number[0]


def _places_and_bodies(folded: str) -> Iterator[tuple[str, str]]:
    words = _words()
    for ending in words.endings.finditer(folded):
        at, chars = ending.start(), _PLACE_CHARS if ending[0] in words.places else _BODY_CHARS
        if at and folded[at - 1] not in words.general:
            yield ending[0], folded[max(0, at - chars) : at]


def _persons(folded: str) -> Iterator[tuple[str, str]]:
    words = _words()
    for title in words.titles.finditer(folded):
        behind = folded[title.end() : title.end() + _NAME_CHARS - 1]
        if behind[:1] in words.surnames:
            yield f"{title[0]}+", behind
        before = folded[max(0, title.start() - _NAME_CHARS) : title.start()]
        if before[:1] not in words.surnames:
            before = before[1:]
        if before[:1] in words.surnames:
            yield f"+{title[0]}", before


@cache
def _words() -> _Words:
    words = table("facts")
    return _Words(
        endings=re.compile(_any_of([*words["places"], *words["bodies"]])),
        places=frozenset(map(fold, words["places"])),
        general=frozenset(fold(words["general"])),
        titles=re.compile(_any_of(words["titles"])),
        surnames=frozenset(fold(words["surnames"])),
    )


def _any_of(spellings: list[str]) -> str:
    return "|".join(sorted(map(fold, spellings), key=len, reverse=True))
