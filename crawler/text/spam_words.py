"""The words of injected advertisements in a plain text (`crawler.text.disguise`), and the phrases that they make.

A word weighs little by itself: honest news prints 彩票, 官网, 下载 and tells of 百家乐. What betting sites, forgers and
escorts are looked for by is a phrase: a name of theirs, what they sell and 官网, 下载, a version, all without a gap.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Literal, NamedTuple

from crawler.text.disguise import plain
from crawler.vocabulary import table

Kind = Literal[
    "site",
    "brand",
    "name",
    "game",
    "trade",
    "noun",
    "tail",
    "entry",
    "sharp",
    "comparison",
    "question",
    "version",
    "number",
    "latin",
    "contact",
    "promise",
    "opener",
    "modifier",
    "connector",
]

SELLERS: frozenset[Kind] = frozenset({"site", "brand", "game", "trade"})
"""Words that stand for the trade by themselves."""
TAILS: frozenset[Kind] = frozenset({"tail", "entry", "sharp", "comparison", "question", "version"})
"""Words that end a phrase."""
_MAY_NAME: frozenset[Kind] = frozenset({"name", "number", "latin"})
_NAMED: frozenset[Kind] = frozenset({"noun", "entry", "sharp", "brand"})
_WEIGHTS: dict[Kind, tuple[int, int]] = {
    "site": (2, 6),
    "brand": (2, 6),
    "game": (2, 6),
    "trade": (2, 6),
    "noun": (1, 2),
    "tail": (1, 2),
    "entry": (2, 4),
    "sharp": (2, 4),
    "comparison": (2, 2),
    "question": (1, 1),
    "version": (1, 1),
}
"""What a word adds to its phrase, and what all of its kind add at most."""
_LISTS: tuple[tuple[str, Kind], ...] = (
    ("brands", "brand"),
    ("latin_brands", "brand"),
    ("games", "game"),
    ("trades", "trade"),
    ("sharp_tails", "sharp"),
    ("entries", "entry"),
    ("comparisons", "comparison"),
    ("questions", "question"),
    ("contacts", "contact"),
    ("promises", "promise"),
    ("names", "name"),
    ("nouns", "noun"),
    ("tails", "tail"),
    ("openers", "opener"),
    ("modifiers", "modifier"),
    ("connectors", "connector"),
)
"""Where two lists have a word, the first one counts."""
_HOOKS = ("brands", "games", "trades", "sharp_tails", "comparisons", "latin_brands")
"""One of these words is in whatever is an advertisement, or a version, or a noun of the trade behind a name."""

FULL_NAME = 4
"""Characters of a brand that say what it is: 开云体育 is as much as 必威 and 体育."""
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_LATIN = re.compile(r"[a-z0-9]+(?:\.[a-z0-9]+)*")
_RUN = re.compile(
    r"(1[3-9]\d{9})(?!\d)|(v\d+(?:\.\d+){1,3}|\d+(?:\.\d+){2,3})|(\d+(?:\.\d+)?)|([a-z][a-z0-9]*(?:\.[a-z0-9]+)*)"
)
_VERSIONED = re.compile(r"[0-9]\.[0-9]+\.[0-9]")
_RUNS: tuple[Kind, ...] = ("latin", "contact", "version", "number", "latin")
"""What the groups of `_RUN` are: a mobile telephone's number, a version, any number, any word."""
_NUMBER_AFTER = re.compile(r"\s?[:：]?\s?(?:1[3-9]\d{9}|[a-z0-9][a-z0-9_\-]{4,19})")


class Word(NamedTuple):
    """A word, and where it stands."""

    start: int
    end: int
    kind: Kind


class Phrase(NamedTuple):
    """Words without a gap."""

    words: tuple[Word, ...]

    @property
    def start(self) -> int:
        """Where the first word begins."""
        return self.words[0].start

    @property
    def end(self) -> int:
        """Where the last word ends."""
        return self.words[-1].end

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of its words."""
        return frozenset(word.kind for word in self.words)

    @property
    def weight(self) -> int:
        """How much it is an advertisement's: 3 is a name of the trade and what is looked for there."""
        kinds = self.kinds
        is_full = "site" in kinds and bool(kinds & TAILS)
        return sum(self._weighed(kinds)) + is_full + self._has_name

    @property
    def is_hot(self) -> bool:
        """Whether it names somebody of the trade, known or not."""
        kinds = self.kinds
        if kinds & SELLERS:
            return True
        if "noun" in kinds and kinds & {"sharp", "version"}:
            return True
        return {"comparison", "question"} <= kinds or (self._has_name and bool(kinds & TAILS))

    @property
    def _has_name(self) -> bool:
        """Whether an honest word, a number or letters stand where a site's name would: before a noun of the trade."""
        meaning = [word.kind for word in self.words if word.kind != "connector"]
        return any(one in _MAY_NAME and other in _NAMED for one, other in pairwise(meaning))

    def _weighed(self, kinds: frozenset[Kind]) -> Iterator[int]:
        for kind in kinds & _WEIGHTS.keys():
            each, most = _WEIGHTS[kind]
            yield min(most, each * sum(word.kind == kind for word in self.words))


def may_advertise(text: str) -> bool:
    """Tell whether a plain *text* has a word without which nothing is an advertisement. Takes 20 µs for 1,600."""
    hooks = _hooks()
    if hooks.latin.search(text) or _VERSIONED.search(text):
        return True
    for pattern, listed in hooks.pairs:
        for found in pattern.finditer(text):
            place = found.start()
            if text.startswith(listed.get(text[place : place + 2], ()), place):
                return True
    return False


def phrases(text: str) -> list[Phrase]:
    """The phrases of a plain *text*, in order; a single space may stand between two words of one."""
    made: list[list[Word]] = []
    for word in words(text):
        last = made[-1][-1] if made else None
        if last is not None and (word.start == last.end or (word.start == last.end + 1 and text[last.end] == " ")):
            made[-1].append(word)
        else:
            made.append([word])
    return [Phrase(tuple(group)) for group in made]


def words(text: str) -> Iterator[Word]:
    """The words of a plain *text*, in order: the longest one at each place, numbers and Latin words among them."""
    lexicon, beginning = _lexicon()
    found = beginning.search(text)
    while found:
        place = found.start()
        word = _listed(lexicon.get(found[0], ()), text, place) or _run(text, place)
        if word is not None:
            yield word
        found = beginning.search(text, word.end if word is not None else place + 1)


def is_report(text: str) -> bool:
    """Tell whether a plain *text* speaks of police, courts, warnings or the lotteries of the state."""
    return _reports().search(text) is not None


def _listed(candidates: Sequence[tuple[str, Kind]], text: str, place: int) -> Word | None:
    for spelling, kind in candidates:
        if text.startswith(spelling, place):
            end = place + len(spelling)
            rest = _LATIN.match(text, end) if spelling[-1] in _LETTERS else None
            if kind == "contact":
                number = _NUMBER_AFTER.match(text, end)
                return Word(place, number.end(), kind) if number else Word(place, end, "tail")
            if rest is None:
                return Word(place, end, kind)
            if kind == "brand":  # bet365888.com
                return Word(place, rest.end(), kind)
    return None


def _run(text: str, place: int) -> Word | None:
    """The number or the Latin word that begins at a place."""
    found = _RUN.match(text, place)
    return Word(place, found.end(), _RUNS[found.lastindex or 0]) if found else None


_Pairs = tuple[re.Pattern[str], dict[str, tuple[str, ...]]]
"""A pattern for the first character of words with their second behind it, and the words by these two."""


class _Hooks(NamedTuple):
    """What a text has to have to be read at all; honest ones are told by it."""

    latin: re.Pattern[str]
    pairs: tuple[_Pairs, ...]
    """Of words of the trade; and of its nouns, behind what may end a name."""


@cache
def _hooks() -> _Hooks:
    words = _spelled(*_HOOKS)
    latin = [word for word in words if word[0] in _LETTERS]
    names = "".join(map(re.escape, sorted({name[-1] for name in _spelled("names")})))
    return _Hooks(
        latin=re.compile("|".join(map(re.escape, latin))),
        pairs=(
            _pairs(word for word in words if word[0] not in _LETTERS),
            _pairs(_spelled("nouns"), behind=f"(?<=[a-z0-9 ·•)）{names}].)"),
        ),
    )


def _pairs(spelled: Iterable[str], *, behind: str = "") -> _Pairs:
    found: dict[str, tuple[str, ...]] = {}
    for word in spelled:
        found[word[:2]] = (*found.get(word[:2], ()), word)
    first, second = ("".join(map(re.escape, sorted(set(chars)))) for chars in zip(*found, strict=True))
    return re.compile(f"[{first}](?=[{second}]){behind}"), found


def _spelled(*lists: str) -> list[str]:
    return [plain(word).text for name in lists for word in table("spam")[name]]


@cache
def _lexicon() -> tuple[dict[str, tuple[tuple[str, Kind], ...]], re.Pattern[str]]:
    """First character → words that begin with it, the longest first; and a pattern for what a word begins with."""
    kinds: dict[str, Kind] = {}
    for name, kind in _LISTS:
        for word in _spelled(name):
            is_full = kind == "brand" and len(word) >= FULL_NAME and word[0] not in _LETTERS
            kinds.setdefault(word, "site" if is_full else kind)
    lexicon: dict[str, list[tuple[str, Kind]]] = {}
    for word, kind in sorted(kinds.items(), key=lambda item: -len(item[0])):
        lexicon.setdefault(word[0], []).append((word, kind))
    beginning = re.compile(f"[{''.join(map(re.escape, lexicon))}a-z0-9]")
    return {first: tuple(found) for first, found in lexicon.items()}, beginning


@cache
def _reports() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, _spelled("reports"))))
