"""Injected advertisements in a text: which characters they are, how sure that is, and whether they may be cut.

Three shapes, each of phrases that honest prose does not make (`crawler.text.spam_runs`):

- ``chain``: what is searched for, joined by ``_`` or ``|`` as in the title of a page made for search engines;
- ``phrase``: a single one, spliced into a sentence;
- ``list``: several in neighbouring clauses, with promises and telephone numbers.

A span is cut from the reading text only where its score is high and both edges are sure. Honest news tells of gambling
as well: beside words of police, courts, warnings and lotteries a weak span is none, and a strong one has the rule
``report`` and is never cut. A chain of two phrases of the trade is an advertisement wherever it stands.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from crawler.records import SpamSpan
from crawler.text.disguise import plain
from crawler.text.spam_runs import Edge, Run, Shape, chains, lists, singles
from crawler.text.spam_words import Phrase, is_report, may_advertise, phrases

Rule = Literal["chain", "phrase", "list", "pinyin", "report"]

FLAGGED: dict[Shape, int] = {"chain": 4, "phrase": 3, "list": 5}
CUT: dict[Shape, int] = {"chain": 5, "phrase": 5, "list": 6}
"""Scores from which a span is told, and from which it may be cut."""
NEAR = 40
"""Characters around a span in which honest news says why it names such things."""
PINYIN_SHARE = 3 / 1000
"""Characters followed by their sound in brackets, of all characters: more of them make a page a clone in disguise
(國(guó)務院); schoolbooks and rare names have one here and there."""
PINYIN_LEAST = 5
PINYIN_SCORE = 4
TITLE = -1
"""The position of the title."""

_PINYIN = re.compile(r"[(（][a-zāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜüńňǹ]{1,6}[)）]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A run of a text: code points, half open."""

    start: int
    end: int
    rule: Rule
    score: int
    cut: bool


def spans(text: str, *, reporting: bool = False) -> list[Span]:
    """The advertisements in *text*, in order, none over another.

    *reporting*: what stands around the text is such news. Takes 30 µs for
    1,600 characters without a suspicious word, 0.5 ms with one.
    """
    bare = plain(text)
    if not may_advertise(bare.text):
        return []
    made = phrases(bare.text)
    if not any(phrase.is_hot for phrase in made):
        return []
    runs = _whole(_runs(bare.text, made), bare.text)
    found = [span for run in runs if (span := _judged(run, bare.text, reporting=reporting))]
    places = bare.places() if found else ()
    return [replace(span, start=places[span.start][0], end=places[span.end - 1][1]) for span in found]


def advertises(text: str) -> bool:
    """Tell whether something in *text* advertises, where no reporter would have written it."""
    return any(span.rule != "report" for span in spans(text))


def marks(title: str | None, texts: Sequence[str]) -> list[SpamSpan]:
    """The advertisements in an article's *title* and in the *texts* of its paragraphs, in order.

    Takes 0.09 ms for an honest article of 1,500 characters.
    """
    everything = "\n".join((title or "", *texts))
    if not may_advertise(plain(everything).text) and len(_PINYIN.findall(everything)) < PINYIN_LEAST:
        return []
    reporting = is_report(plain(title).text) if title else False
    found = [_as_record(TITLE, title, span) for span in spans(title, reporting=reporting)] if title else []
    for position, (text, clones) in enumerate(zip(texts, sounds(texts), strict=True)):
        own = spans(text, reporting=reporting) or clones
        found += (_as_record(position, text, span) for span in own)
    return found


def is_all_of(span: SpamSpan, text: str) -> bool:
    """Whether a cut *span* leaves nothing of its paragraph's *text*."""
    return span.cut and (span.start, span.end) == (0, len(text))


def sounds(texts: Sequence[str]) -> list[list[Span]]:
    """For each text of a page the span from its first to its last character with pinyin, where the page is a clone."""
    found = [list(_PINYIN.finditer(text)) for text in texts]
    total, chars = sum(map(len, found)), sum(map(len, texts))
    if total < PINYIN_LEAST or total <= PINYIN_SHARE * chars:
        return [[] for _ in texts]
    return [
        [Span(start=max(0, own[0].start() - 1), end=own[-1].end(), rule="pinyin", score=PINYIN_SCORE, cut=False)]
        if own
        else []
        for own in found
    ]


def without_cuts(text: str, cuts: Iterable[tuple[int, int]]) -> str:
    """*text* without the cut spans (start, end), which are in order."""
    kept, place = [], 0
    for start, end in cuts:
        kept.append(text[place:start])
        place = end
    return "".join(kept) + text[place:]


def _as_record(position: int, text: str, span: Span) -> SpamSpan:
    return SpamSpan(
        position=position,
        start=span.start,
        end=span.end,
        text=text[span.start : span.end],
        rule=span.rule,
        score=float(span.score),
        cut=span.cut,
    )


def _runs(text: str, made: Sequence[Phrase]) -> list[Run]:
    """Chains first, then lists, then single phrases: none of a phrase that another has."""
    found: list[Run] = []
    for shaped in (chains, lists, singles):
        taken = bytearray(len(text))
        for run in found:
            taken[run.start.place : run.end.place] = bytes([1]) * (run.end.place - run.start.place)
        free = [phrase for phrase in made if not any(taken[phrase.start : phrase.end])]
        found += (run for run in shaped(text, free) if run.score >= FLAGGED[run.shape])
    return sorted(found)


def _whole(runs: Sequence[Run], text: str) -> Sequence[Run]:
    """One run over all of *text*, where it says nothing else: that makes it surer, and its edges are."""
    said = without_cuts(text, ((run.start.place, run.end.place) for run in runs))
    if not runs or any(char.isalnum() for char in said):
        return runs
    best = max(runs, key=lambda run: run.score)
    return [best._replace(start=Edge(0, is_sure=True), end=Edge(len(text), is_sure=True), score=best.score + 1)]


def _judged(run: Run, text: str, *, reporting: bool) -> Span | None:
    start, end = run.start.place, run.end.place
    is_strong = run.score >= CUT[run.shape]
    if not run.is_beyond_doubt and (reporting or is_report(text[max(0, start - NEAR) : end + NEAR])):
        return Span(start=start, end=end, rule="report", score=run.score, cut=False) if is_strong else None
    is_cut = is_strong and run.start.is_sure and run.end.is_sure
    return Span(start=start, end=end, rule=run.shape, score=run.score, cut=is_cut)
