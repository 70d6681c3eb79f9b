"""What readers type into a search box, read into words and filters. Anything can be typed; nothing is an error.

    扶贫 攻坚                   both words, anywhere, in either script
    "精准扶贫"  “精准 扶贫”     a phrase
    -煤矿                       not this one
    标题:脱贫                   in the title (title:)
    地区:610424  地区:乾县      of a division and what belongs to it (division:)
    网站:qianxian               of a portal (portal:)
    域名:qianxian.gov.cn        from a host and those below it (site:)
    从:2014  到:2014-06-30      published from … until, both included; a year, a month or a day (from:, to:)
    状态:已删                   live, edited, redirected, gone, blocked (state:)

A minus turns a filter around as well. What looks like a filter and is none (``from:here``) is a word.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, NamedTuple

from crawler.text.folding import fold
from crawler.text.tokens import tokens

LONGEST = 2_000
"""Characters of a query that are read; a pasted paragraph is shorter."""
NOTHING = '""'
"""An FTS5 expression that matches nothing."""

FilterKind = Literal["division", "portal", "site", "since", "before", "state"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word or a phrase."""

    tokens: tuple[str, ...]
    """As the index has them, at least one."""
    in_title: bool = False
    excluded: bool = False

    @property
    def match(self) -> str:
        """As FTS5 reads it."""
        phrase = f'"{" ".join(self.tokens)}"'
        return f"title : {phrase}" if self.in_title else phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A condition on an article's fields."""

    kind: FilterKind
    value: str
    """``division``: the beginning of a code, or a name; ``since`` and ``before``: the beginning of an ISO 8601 day,
    ``before`` the first one that is too late; ``site``: a host, perhaps with a port."""
    excluded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """All words have to occur, but the excluded ones; all filters have to hold."""

    words: tuple[Word, ...] = ()
    filters: tuple[Filter, ...] = ()

    def narrowed(self, *filters: Filter | None) -> "Query":
        """The same query under more filters; None among them is passed over."""
        return replace(self, filters=(*self.filters, *filter(None, filters)))

    @property
    def wanted(self) -> tuple[Word, ...]:
        """The words that have to occur."""
        return tuple(word for word in self.words if not word.excluded)

    @property
    def unwanted(self) -> tuple[Word, ...]:
        """The words that must not occur."""
        return tuple(word for word in self.words if word.excluded)

    @property
    def match(self) -> str:
        """The words as an FTS5 expression; NOTHING where none is wanted."""
        wanted = " AND ".join(word.match for word in self.wanted)
        if not wanted:
            return NOTHING
        return f"({wanted}) NOT ({self.match_unwanted})" if self.unwanted else wanted

    @property
    def match_unwanted(self) -> str:
        """An FTS5 expression for what has any of the excluded words; NOTHING where there are none."""
        return " OR ".join(word.match for word in self.unwanted) or NOTHING


def parse(text: str) -> Query:
    """Read what a reader typed (grammar above). Of a longer text than LONGEST the beginning counts."""
    words: list[Word] = []
    filters: list[Filter] = []
    for match in _ITEM.finditer(text[:LONGEST]):
        item = _Item(match)
        read = _filter(item)
        if read is not None:
            filters.append(read)
        elif found := tokens(item.value if item.in_title else item.whole):
            words.append(Word(tokens=tuple(found), in_title=item.in_title, excluded=item.excluded))
    return Query(words=tuple(words), filters=tuple(filters))


def division(value: str) -> Filter | None:
    """A filter by division: digits of a code (61, 6104, 610400: the division and all in it) or a name."""
    code = unicodedata.normalize("NFKC", value)
    if re.fullmatch(r"[0-9]{2,6}", code):
        return Filter(kind="division", value=code_prefix(code))
    return Filter(kind="division", value=value) if fold(value).isalpha() else None


def code_prefix(code: str) -> str:
    """What the codes of a division and all in it begin with: 6104 for 610400, 61 for 610000 (GB/T 2260)."""
    return re.sub(r"(?:00){1,2}\Z", "", code) if len(code) == 6 else code


def since(value: str) -> Filter | None:
    """A filter for what was published in or after a year, a month or a day; None for what is none of them."""
    span = _span(value)
    return Filter(kind="since", value=span.first) if span else None


def until(value: str) -> Filter | None:
    """A filter for what was published in or before a year, a month or a day; None for what is none of them."""
    span = _span(value)
    return Filter(kind="before", value=span.following) if span else None


def portal(value: str) -> Filter | None:
    """A filter by a portal's id."""
    return Filter(kind="portal", value=value) if value else None


def site(value: str) -> Filter | None:
    """A filter by host; of an address its host is taken."""
    host = re.match(r"(?:https?://)?([\w.-]+(?::\d{1,5})?)(?:/.*)?\Z", value.lower())
    return Filter(kind="site", value=host[1].strip(".")) if host else None


def state(value: str) -> Filter | None:
    """A filter by state, in English or Chinese; None for another word."""
    known = _STATES.get(value.lower())
    return Filter(kind="state", value=known) if known else None


_FILTERS: dict[str, Callable[[str], Filter | None]] = {
    **dict.fromkeys(("division", "地区", "地區", "区划", "區劃"), division),
    **dict.fromkeys(("portal", "网站", "網站"), portal),
    **dict.fromkeys(("site", "域名"), site),
    **dict.fromkeys(("from", "since", "从", "從", "自"), since),
    **dict.fromkeys(("to", "until", "到", "至"), until),
    **dict.fromkeys(("state", "状态", "狀態"), state),
}
_TITLE = ("title", "标题", "標題")
_STATES = {
    **dict.fromkeys(("live", "在线", "在線"), "live"),
    **dict.fromkeys(("edited", "改动", "改動"), "edited"),
    **dict.fromkeys(("redirected", "转走", "轉走"), "redirected"),
    **dict.fromkeys(("gone", "已删", "已刪"), "gone"),
    **dict.fromkeys(("blocked", "被拦", "被攔"), "blocked"),
}
# A quotation mark opens a phrase where an item begins and closes it where one ends: 推进“千帮千”活动 is a word.
_ITEM = re.compile(
    rf"""(?P<minus>[-－−])? (?P<whole> (?:(?P<key>{"|".join((*_FILTERS, *_TITLE))})[:：](?=\S))?
    (?: "(?P<quoted>[^"]*)(?:"(?=\s|\Z)|\Z) | “(?P<quoted2>[^”]*)(?:”(?=\s|\Z)|\Z)
      | 「(?P<quoted3>[^」]*)(?:」(?=\s|\Z)|\Z) | (?P<bare>\S+) ))""",
    re.VERBOSE | re.IGNORECASE,
)
_DAY = re.compile(r"((?:19|20)\d\d)(?:[-/.年]?(\d\d?)(?:[-/.月]?(\d\d?)日?|月)?|年)?")


class _Item:
    """One item of a query."""

    def __init__(self, match: re.Match[str]) -> None:
        self.key = (match["key"] or "").lower()
        self.whole: str = match["whole"]
        self.value: str = next(filter(None, match.group("quoted", "quoted2", "quoted3", "bare")), "")
        self.excluded = match["minus"] is not None
        self.in_title = self.key in _TITLE


class _Span(NamedTuple):
    first: str
    following: str


def _filter(item: _Item) -> Filter | None:
    read = _FILTERS.get(item.key)
    found = read(item.value) if read else None
    if found is None:
        return None
    return Filter(kind=found.kind, value=found.value, excluded=item.excluded)


def _span(value: str) -> _Span | None:
    """A year, month or day and the one after it, as beginnings of ISO 8601 days."""
    match = _DAY.fullmatch(unicodedata.normalize("NFKC", value))
    if not match:
        return None
    year, month, day = int(match[1]), match[2], match[3]
    if month is None:
        return _Span(f"{year}", f"{year + 1}")
    try:
        first = date(year, int(month), int(day or 1))
    except ValueError:
        return None
    if day:
        return _Span(f"{first}", f"{first + timedelta(days=1)}")
    return _Span(f"{first:%Y-%m}", f"{first.replace(day=28) + timedelta(days=4):%Y-%m}")
