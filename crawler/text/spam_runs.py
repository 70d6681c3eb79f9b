"""Runs of a plain text that look like injected advertisements: chains, lists and single phrases, each with its edges.

An edge is sure where the text's own punctuation stands, or a word that begins or ends what is searched for. A name that
no vocabulary has is told by its coming back: 金鹄体育备用网站_金鹄彩票下载.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from crawler.text.spam_words import SELLERS, TAILS, Kind, Phrase, Word

Shape = Literal["chain", "phrase", "list"]

REACH = 25
"""Characters between two phrases of one list."""
LONGEST = 40
"""Characters of a chain's segment."""
NAME = 8
"""Characters of a name that no vocabulary has."""
FAR = 200
"""Characters before a list in which its sentence begins."""
LEAD_OUT = 14
"""Characters up to the sentence's end that belong to a list which began with the sentence."""
MOST_OF_ONE = 5
"""Score of a list with one word that stands for the trade, at most."""
MOST_OF_NAMES = 4
"""Score of a chain that has names and nothing that is looked for, at most."""
WITHIN = 4
"""Characters without a meaning to us inside what is searched for."""
COVERED = 0.6
"""Part of a segment at a chain's end that has to be known words, where none of them is the trade's."""

_STOP = re.compile(r"[。！？!?；;，,、：:“”\"‘’《》【】「」『』\[\]<>\n\t…]")
_SENTENCE_END = re.compile(r"[。！？!?；;\n]+[”’」』）)]?")
_CLAUSE_END = re.compile(r"[。！？!?；;，,、：:\n\t ]+")
_JOINT = re.compile(r" ?(?:[_＿|｜丨¦│]+|[-－–—~]+) ?")
_PLAIN_JOINTS = frozenset("_＿|｜丨¦│")
"""Joints that prose hardly has; dashes count where they part two phrases of the trade."""
_OPENERS: frozenset[Kind] = SELLERS | {"name", "opener", "contact", "promise"}
_TELLING: frozenset[Kind] = frozenset({"comparison", "question", "sharp", "version"})
_WITH = frozenset("和跟与像")
_BRACKETS = frozenset("【[(（")
_CLOSERS: frozenset[Kind] = SELLERS | TAILS | {"contact", "promise", "noun"}


class Edge(NamedTuple):
    """Where a run begins or ends, and whether that is sure."""

    place: int
    is_sure: bool


class Run(NamedTuple):
    """A part of a plain text."""

    start: Edge
    end: Edge
    shape: Shape
    score: int
    is_beyond_doubt: bool = False
    """No honest text has it, whatever it tells of."""


class _Segment(NamedTuple):
    """What stands between two joints."""

    start: int
    end: int
    phrases: tuple[Phrase, ...]
    joint: str
    """The joint before it; empty for the first one."""

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset(word.kind for phrase in self.phrases for word in phrase.words)

    @property
    def is_hot(self) -> bool:
        return any(phrase.is_hot for phrase in self.phrases)

    @property
    def is_warm(self) -> bool:
        """Whether it may be about the trade, where a name in it is that of a hot one."""
        return any(phrase.kinds & {"noun", "name"} and phrase.kinds & TAILS for phrase in self.phrases)

    @property
    def is_searched_for(self) -> bool:
        """Whether somebody may search for it: it belongs to a chain although it does not name the trade."""
        if self.is_hot or self.is_warm or {"name", "noun"} <= self.kinds or self.kinds & _TELLING:
            return True
        known = sum(phrase.end - phrase.start for phrase in self.phrases)
        return bool(self.kinds & {"noun", "tail"}) and known >= COVERED * (self.end - self.start)


def chains(text: str, phrases: Sequence[Phrase]) -> Iterator[Run]:
    """Phrases that are joined by ``_``, ``|`` or dashes: two of the trade, or one among others."""
    for block in _blocks(text, phrases):
        first, last = 0, len(block) - 1
        while first < last and not block[first].is_searched_for:
            first += 1
        while first < last and not block[last].is_searched_for:
            last -= 1
        segments = block[first : last + 1]
        hot = sum(segment.is_hot for segment in segments)
        are_plain = all(segment.joint[0] in _PLAIN_JOINTS for segment in segments[1:])
        if len(segments) >= 2 and (hot >= 2 or (hot and are_plain)):
            yield _chain(text, segments)


def lists(text: str, phrases: Sequence[Phrase]) -> Iterator[Run]:
    """Phrases of the trade in neighbouring clauses, with what is promised and how the advertiser is reached."""
    groups: list[list[Phrase]] = []
    waiting: list[Phrase] = []
    has_begun = False
    for phrase in phrases:
        is_hot = phrase.is_hot
        if not is_hot and not phrase.kinds & {"contact", "promise"}:
            continue
        if waiting and phrase.start - waiting[-1].end > REACH:
            waiting, has_begun = [], False
        if is_hot and not has_begun:
            waiting = [one for one in waiting if not _SENTENCE_END.search(text, one.end, phrase.start)]
            groups.append(waiting)
            has_begun = True
        waiting.append(phrase)
    for group in groups:
        score = _score_of_list(group)
        if score:
            yield Run(*_edges_of_list(text, group), "list", score)


def singles(text: str, phrases: Sequence[Phrase]) -> Iterator[Run]:
    """Each phrase of the trade by itself."""
    for phrase in phrases:
        if phrase.is_hot:
            start = _opening(text, phrase, 0, "")
            end = _closing(text, phrase.words)
            if start.place < end.place:
                yield Run(start, end, "phrase", phrase.weight)


# Chains.


def _blocks(text: str, phrases: Sequence[Phrase]) -> Iterator[list[_Segment]]:
    """What stands between two stops and has joints, as its segments; one that is too long parts it."""
    for start, end, _ in _pieces(_STOP, text, 0, len(text)):
        inside = _inside(phrases, start, end)
        if not any(phrase.is_hot for phrase in inside):
            continue
        block: list[_Segment] = []
        for place, until, joint in _pieces(_JOINT, text, start, end):
            segment = _Segment(place, until, _inside(inside, place, until), joint)
            # The first and the last one may carry any length of honest text on their other side.
            if block and until < end and until - place > LONGEST:
                yield block
                block = [segment._replace(joint="")]
            else:
                block.append(segment)
        yield block


def _pieces(pattern: re.Pattern[str], text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """The parts of a text between matches: where each begins and ends, and the match before it."""
    place, before = start, ""
    for found in pattern.finditer(text, start, end):
        yield place, found.start(), before
        place, before = found.end(), found[0].strip()
    yield place, end, before


def _inside(phrases: Sequence[Phrase], start: int, end: int) -> tuple[Phrase, ...]:
    first, after = (bisect_left(phrases, place, key=lambda phrase: phrase.start) for place in (start, end))
    return tuple(phrase for phrase in phrases[first:after] if phrase.end <= end)


def _chain(text: str, segments: Sequence[_Segment]) -> Run:
    hot = [segment for segment in segments if segment.is_hot]
    warm = sum(segment.is_warm for segment in segments if not segment.is_hot)
    kinds = frozenset().union(*(segment.kinds for segment in segments))
    first, last = segments[0], segments[-1]
    start = _start_of_chain(text, first, text[first.end : last.end])
    end = _end_of_chain(text, last, text[start.place : last.start])
    has_name = sum(bool(segment.kinds & SELLERS) for segment in hot) >= 2 or (
        start.is_sure and _comes_back(text, start.place, first.end, last.end)
    )
    score = 2 * len(hot) + warm + ("version" in kinds) + (len(segments) >= 3) + ("question" in kinds) + has_name
    # Names alone are joined in honest titles too.
    is_searched = any(_is_strong(phrase) for segment in hot for phrase in segment.phrases)
    return Run(
        start, end, "chain", score if is_searched else min(score, MOST_OF_NAMES), is_searched and len(hot) + warm >= 2
    )


def _is_strong(phrase: Phrase) -> bool:
    """Whether a phrase says more than a name, which may be part of an honest word or be told of."""
    return phrase.is_hot and (phrase.weight >= 3 or "trade" in phrase.kinds)


def _comes_back(text: str, start: int, end: int, chain_end: int) -> bool:
    """Whether the name with which a chain begins is in its later segments."""
    start += text[start] in _WITH
    return text.find(text[start : start + 2], end, chain_end) >= 0


def _start_of_chain(text: str, segment: _Segment, rest: str) -> Edge:
    """Where the first segment's honest text ends: its last phrase touches the joint, or a hot one is the nearest."""
    touching = [phrase for phrase in segment.phrases[-1:] if phrase.end == segment.end]
    chosen = [*touching, *(phrase for phrase in reversed(segment.phrases) if phrase.is_hot), *segment.phrases]
    return _opening(text, chosen[0], segment.start, rest)


def _opening(text: str, phrase: Phrase, floor: int, rest: str) -> Edge:
    """Where a phrase begins, not before *floor*; a name that no vocabulary has stands before it and in *rest*."""
    at_floor = _after_stop(text, phrase.start, floor)
    if at_floor and "question" in phrase.kinds:
        return Edge(phrase.start, is_sure=True)
    opener = _opener(phrase)
    if opener is not None:
        return Edge(_with_comparison(text, opener.start, phrase), is_sure=True)
    first = next((word for word in phrase.words if word.kind != "connector"), phrase.words[0])
    before = text[floor : first.start]
    for size in range(min(NAME, len(before)), 1, -1):
        if before[-size:] in rest:
            return Edge(_with_comparison(text, first.start - size, phrase), is_sure=True)
    if _after_stop(text, first.start, floor):
        return Edge(first.start, is_sure=True)
    if rest and len(before) <= WITHIN:
        return Edge(floor, is_sure=False)
    return Edge(first.start, is_sure=False)


def _opener(phrase: Phrase) -> Word | None:
    """The word with which a phrase begins, where it is known that it does: not a noun, whose name may stand before it.

    A number opens a phrase where it is a name; before a name it is the honest text's.
    """
    for index, (word, after) in enumerate(zip(phrase.words, [*phrase.words[1:], None], strict=True)):
        if word.kind in {"number", "latin"}:
            if after is not None and after.kind in {"noun", "sharp", "comparison"}:
                return word
        elif word.kind in _OPENERS and (word.kind != "opener" or index == 0):
            return word
    return None


def _with_comparison(text: str, start: int, phrase: Phrase) -> int:
    """和 … 差不多的平台 begins with its preposition."""
    return start - 1 if "comparison" in phrase.kinds and text[start - 1 : start] in _WITH else start


def _after_stop(text: str, place: int, floor: int) -> bool:
    return place <= floor or _STOP.match(text, place - 1) is not None


def _end_of_chain(text: str, segment: _Segment, before: str) -> Edge:
    """Where the last segment's honest text begins: words follow each other up to what completes the phrase."""
    followed: list[Word] = []
    place, is_complete = segment.start, False
    for phrase in segment.phrases:
        gap = text[place : phrase.start]
        room = NAME if not followed or gap in before else WITHIN
        if phrase.start > segment.start + LONGEST or (gap and (is_complete or len(gap) > room)):
            break
        followed += phrase.words
        place = phrase.end
        is_complete = bool(phrase.kinds & TAILS)
    return _closing(text, followed) if followed else Edge(segment.end, is_sure=False)


def _closing(text: str, words: Sequence[Word]) -> Edge:
    """Where words end that end a phrase; a question ends it in any case."""
    last, is_number = words[0], False
    for before, word in pairwise([words[0], *words]):
        if word.kind in _CLOSERS:
            last, is_number = word, False
        elif word.kind in {"number", "latin"} and before is last and before.kind in SELLERS:
            last, is_number = word, True
        if word.kind == "question":
            break
    end = last.end
    if last.kind == "question" and text[end : end + 1] in {"?", "？"}:
        end += 1
    is_known = is_number or last.kind in SELLERS | TAILS | {"contact"}
    return Edge(end, is_known or end == len(text) or _STOP.match(text, end) is not None)


# Lists.


def _score_of_list(group: Sequence[Phrase]) -> int:
    """0 for what is none: names alone are named in honest texts too."""
    hot = [phrase for phrase in group if phrase.is_hot]
    found = Counter(word.kind for phrase in group for word in phrase.words)
    has_contact, has_promise = bool(found["contact"]), bool(found["promise"])
    strong = [phrase for phrase in hot if _is_strong(phrase)]
    sellers = sum(max(1, sum(word.kind in SELLERS for word in phrase.words)) for phrase in strong)
    if sellers < (1 if has_contact else 2 if has_promise else 3):
        return 0
    if not (has_contact or has_promise or any(phrase.kinds & TAILS for phrase in strong)):
        return 0
    weight = min(3 * sellers, sum(phrase.weight for phrase in strong))
    score = weight + min(2, found["promise"]) + 2 * has_contact
    return score if sellers >= 2 else min(score, MOST_OF_ONE)


def _edges_of_list(text: str, group: Sequence[Phrase]) -> tuple[Edge, Edge]:
    first, last = group[0], group[-1]
    start = _opening(text, first, _last_end(_CLAUSE_END, text, first.start), "")
    if text[start.place - 1 : start.place] in _BRACKETS and start.is_sure:
        start = Edge(start.place - 1, is_sure=True)
    end = _closing(text, last.words)
    following = _SENTENCE_END.search(text, end.place, end.place + LEAD_OUT + 1)
    sentence_end = following.end() if following else len(text)
    goes_on = last.words[-1].kind in TAILS | {"contact"} and not _CLAUSE_END.match(text, end.place)
    if start.place > _last_end(_SENTENCE_END, text, first.start) or goes_on or sentence_end - end.place > LEAD_OUT:
        return start, end
    return start, Edge(sentence_end, is_sure=True)


def _last_end(pattern: re.Pattern[str], text: str, before: int) -> int:
    """Where the last match before a place ends, as far as that is near."""
    floor = max(0, before - FAR)
    return max((found.end() for found in pattern.finditer(text, floor, before)), default=floor)
