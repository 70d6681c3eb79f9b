"""Where a query's words stand in a text, and the piece of the text that shows them best: as it is printed."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from crawler.text.query import Query, Word
from crawler.text.tokens import PlacedTokens

LEAD = 0.25
"""Share of a snippet before the first word that it shows: enough to see whose sentence it is."""

BEGINNING = 4
"""Times a snippet's length that are read before the rest of a text."""

_IDEOGRAPH = re.compile("[\u4e00-\u9fff]")
_ONE_LINE = str.maketrans(dict.fromkeys("\r\n\v\f\x85\u2028\u2029", " "))

Span = tuple[int, int]
"""Code points of a text, half open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A piece of a text."""

    text: str
    """As printed, but for line breaks, which are spaces here."""
    marks: tuple[Span, ...]
    """The query's words in *text*, in order, apart."""
    cut_before: bool
    """The text begins earlier."""
    cut_after: bool
    """The text goes on."""


class _Place(NamedTuple):
    start: int
    end: int
    word: int
    """The word's number in the query."""


def highlights(text: str, query: Query, *, title: bool = False) -> list[Span]:
    """Every place in *text* where a wanted word of *query* stands, in order; places that touch are one.

    A word that is wanted in the title is looked for only where *text* is one.
    """
    return _merged(_places(text, _words(query, title=title)))


def snippet(text: str, query: Query, *, width: int = 120) -> Snippet:
    """The *width* characters of *text* with the most different words of *query*; its beginning where it has none.

    Takes 0.7 ms for 1,600 characters of Chinese, less where all words stand together early.
    """
    lead = round(width * LEAD)
    places, fullest = _fullest_of(text, _words(query, title=False), width - lead)
    start = max(0, min(fullest - lead, len(text) - width))
    end = min(start + width, len(text))
    return Snippet(
        text=text[start:end].translate(_ONE_LINE),
        marks=tuple(
            (max(first, start) - start, min(last, end) - start)
            for first, last in _merged(places)
            if first < end and last > start
        ),
        cut_before=start > 0,
        cut_after=end < len(text),
    )


def _fullest_of(text: str, words: Sequence[Word], reach: int) -> tuple[list[_Place], int]:
    """Places of *words*, and the first one from which *reach* characters hold the most different words.

    The beginning of the text is read first: where all words stand together there, the rest cannot show them better.
    """
    border = _IDEOGRAPH.search(text, BEGINNING * reach)  # tokens end there
    if border:
        places = _places(text[: border.start()], words)
        start, most = _fullest(places, reach)
        if most == len(words) and start + 2 * reach < border.start():
            return places, start
    places = _places(text, words)
    return places, _fullest(places, reach)[0]


def _words(query: Query, *, title: bool) -> list[Word]:
    return [word for word in query.wanted if title or not word.in_title]


def _places(text: str, words: Sequence[Word]) -> list[_Place]:
    """Every place of every word, by start."""
    if not words:
        return []
    found = PlacedTokens(text)
    # Every token between two spaces: a phrase is a substring, and a token's number is that of the spaces before it.
    spaced = f" {' '.join(found.tokens)} "
    places = []
    for number, word in enumerate(words):
        for at in _occurrences(f" {' '.join(word.tokens)} ", spaced):
            first = spaced.count(" ", 0, at)
            places.append(_Place(*found.span(first, first + len(word.tokens) - 1), number))
    return sorted(places)


def _occurrences(part: str, text: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def _merged(places: Sequence[_Place]) -> list[Span]:
    spans: list[Span] = []
    for start, end, _ in places:
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _fullest(places: Sequence[_Place], reach: int) -> tuple[int, int]:
    """Start of the first place from which *reach* characters hold the most different words, and how many these are.

    Both are 0 without places.
    """
    held: Counter[int] = Counter()
    start, most, last = 0, 0, 0
    for place in places:
        while last < len(places) and places[last].start < place.start + reach:
            held[places[last].word] += 1
            last += 1
        different = sum(1 for count in held.values() if count)
        if different > most:
            start, most = place.start, different
        held[place.word] -= 1
    return start, most
