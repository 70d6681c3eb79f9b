"""What a text prints a second time: later copies of a stretch of it, whole or cut short, exact or lightly changed.

Everything is over folded text (`crawler.text.folding`), so that script, width and punctuation do not count, and neither
do the borders of paragraphs: a copy may have them elsewhere.

Honest articles say things twice as well: captions, leads, refrains, forms filled in row by row. What they repeat is
short, or it is a small part of them, or it comes a third time, or it differs from row to row in names and numbers. In
102 real articles the longest stretch that recurs has 142 characters, a tenth of its article.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crawler.text.facts import contradict, facts

REPEAT_RULE = "repeat"
"""Rule of a cut span that was not injected: the article's own words, a second time, inside a paragraph that stays."""
LONG_REPEAT = 200
"""Characters that make a copy a repeat wherever it stands."""
SHORT_REPEAT = 40
"""Characters from which a copy is a repeat where it is `HALF` of the text, or begins with the text's beginning and is
a `THIRD` of it: a brief printed twice, the second time perhaps cut short."""
HALF = 1 / 2
THIRD = 1 / 3
HEADING = 40
"""Characters within which a copy begins with the text's beginning: a heading may stand above it once."""
UNBLEMISHED = 80
"""Characters of a copy for each place where it was changed or leaves something out; forms differ more often."""
EDIT = 6
"""Characters that a change replaces, adds or takes away at most; what is longer is news, and ends a copy."""
COMPARED = 40_000
"""Characters of a text that are looked at; the longest of 102 real articles has 19,000."""

_ANCHOR = 12
"""Characters in which two stretches agree before they are compared further."""
_SAMPLE = re.compile(f"(?=([0-4a-e\u4e00-\u53ff].{{{_ANCHOR - 1}}}))")
"""Anchors that begin with one of these: a copy has the same ones. They are .17 to .45 of all, on 102 real articles."""
_SPARSE = 10
"""Characters for each sampled anchor in texts of another kind, where the sample tells nothing."""
_AGAIN = 5
"""Characters in which they agree again beyond a change."""
_CHANGES = sorted(((old, new) for old in range(EDIT + 1) for new in range(EDIT + 1) if old or new), key=sum)
"""Lengths that a change may have in the first copy and in the later one, small changes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of text that stood there before, to the letter: positions in the folded text, half open."""

    source: int
    start: int
    end: int

    @property
    def source_end(self) -> int:
        """Behind the first copy."""
        return self.source + self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Pieces, one behind the other, in the order in which they stood there before.

    What was changed between them belongs to none.
    """

    pieces: tuple[Piece, ...]
    is_changed: bool
    """Between pieces something else stands than did before; else something is left out."""

    @property
    def first(self) -> Piece:
        """Where it begins."""
        return self.pieces[0]

    @property
    def last(self) -> Piece:
        """Where it ends."""
        return self.pieces[-1]

    @property
    def size(self) -> int:
        """Its characters, changed ones too."""
        return self.last.end - self.first.start


def repeats(folded: str) -> list[Copy]:
    """The later copies of what was there before, by position.

    Takes 0.05 ms for 1,000 characters that repeat little.
    """
    text = folded[:COMPARED]
    if not _may_repeat(text):
        return []
    different = _different_chars(text, 0, len(text))
    if len(text) - different < _least(different):
        return []
    copies = [copy for copy in _copies(text) if _is_long(text, copy, different)]
    return [copy for copy in copies if not _is_a_form(text, copy, copies)]


def _may_repeat(text: str) -> bool:
    """Whether a sample says that the text may have a copy; most texts are done with at half the cost."""
    sample = _SAMPLE.findall(text)
    if len(sample) <= len(text) / _SPARSE:
        return True
    again = (len(sample) - len(set(sample))) * len(text) / len(sample)
    return 2 * again >= _least(len(text) - again)  # the sample may be wrong by half


def _least(different: float) -> float:
    """Characters that a text with a copy says again at the least: the anchors around each change are lost."""
    enough = _enough(different, THIRD)
    return enough - _ANCHOR * (2 + enough // UNBLEMISHED)


def _enough(different: float, share: float) -> float:
    return min(LONG_REPEAT, max(SHORT_REPEAT, share * different))


def _is_long(text: str, copy: Copy, different: int) -> bool:
    enough = _enough(different, THIRD if copy.first.source < HEADING else HALF)
    return copy.size >= enough and _different_chars(text, copy.first.start, copy.last.end) >= enough


def _different_chars(text: str, start: int, end: int) -> int:
    """Length of a stretch, what it says again counted once."""
    if end - start < _ANCHOR:
        return end - start
    return len({text[at : at + _ANCHOR] for at in range(start, end - _ANCHOR + 1)}) + _ANCHOR - 1


def _is_a_form(text: str, copy: Copy, copies: Sequence[Copy]) -> bool:
    """Whether it is not the same again, but a form filled in anew: rows of a table, notices, daily figures."""
    if len(copy.pieces) - 1 > copy.size / UNBLEMISHED:
        return True
    others = [other for other in copies if other is not copy and _have_one_source(copy, other)]
    if any(copy.is_changed or (copy.size < LONG_REPEAT and not _adjoin(copy, other)) for other in others):
        return True
    if not copy.is_changed:
        return False
    before = "".join(text[piece.source : piece.source_end + EDIT] for piece in copy.pieces)
    return contradict(facts(before), facts(text[copy.first.start : copy.last.end]))


def _have_one_source(one: Copy, other: Copy) -> bool:
    return one.first.source < other.last.source_end and other.first.source < one.last.source_end


def _adjoin(one: Copy, other: Copy) -> bool:
    return one.last.end == other.first.start or other.last.end == one.first.start


def _copies(text: str) -> Iterator[Copy]:
    """Every maximal stretch that stood there before, down to the length of an anchor."""
    first_at: dict[str, int] = {}
    at = end = 0
    while at <= len(text) - _ANCHOR:
        source = first_at.setdefault(text[at : at + _ANCHOR], at)
        if source == at:
            at += 1
            continue
        copy = _copy(text, source, at, first_at, after=end)
        yield copy
        at = end = copy.last.end


def _copy(text: str, source: int, start: int, first_at: dict[str, int], *, after: int) -> Copy:
    """The copy at the anchor at *start*, past light changes, and past what it leaves out; it begins behind *after*."""
    opening = _opening(text, source, start, after)
    pieces = [opening] if opening else []
    is_changed = bool(pieces)
    limit = start if opening is None else opening.start
    at = start
    while True:
        length = _common(text, source, at, min(limit - source, len(text) - at))
        pieces.append(Piece(source=source, start=at, end=at + length))
        source, at = source + length, at + length
        change = next((c for c in _CHANGES if _agree_again(text, source + c[0], at + c[1], limit)), None)
        if change is not None:
            source, at = source + change[0], at + change[1]
            is_changed = True
            continue
        later = first_at.get(text[at : at + _ANCHOR], -1)
        if not source <= later < limit:
            return Copy(pieces=tuple(pieces), is_changed=is_changed)
        source = later


def _agree_again(text: str, source: int, at: int, limit: int) -> bool:
    words = text[source : source + _AGAIN]
    return source + _AGAIN <= limit and len(words) == _AGAIN and text.startswith(words, at)


def _opening(text: str, source: int, start: int, after: int) -> Piece | None:
    """What stands before a change that is nearer to a copy's beginning than an anchor is long."""
    for old, new in _CHANGES:
        length = 0
        while (
            length < _ANCHOR
            and length < min(source - old, start - new - after)
            and text[source - old - length - 1] == text[start - new - length - 1]
        ):
            length += 1
        if length >= _AGAIN and source + _ANCHOR <= start - new - length:
            return Piece(source=source - old - length, start=start - new - length, end=start - new)
    return None


def _common(text: str, source: int, at: int, limit: int) -> int:
    """How many characters, up to *limit*, are the same from *source* and from *at* on."""
    length, step = 0, 64
    while step and length < limit:
        step = min(step, limit - length)
        if text[source + length : source + length + step] == text[at + length : at + length + step]:
            length += step
            step *= 2
        else:
            step //= 2
    return length
