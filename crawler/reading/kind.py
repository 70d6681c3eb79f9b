"""What a page is: an article, a list of links, or something else."""

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from crawler.reading.container import Container
from crawler.reading.lines import Layout
from crawler.records import PageKind
from crawler.vocabulary import table


class Shape(NamedTuple):
    """What tells lists from articles."""

    text: int
    """Characters of the article's own block that are no link."""
    prose: float
    items: int
    """Lines that are a link as long as a headline."""
    typical: int
    """Median length of the block's lines."""
    certain: bool = False
    """The block is known by its name and holds nearly all prose of the page."""
    latin: bool = False
    """Most lines of the block have no ideograph."""
    linked: int = 0
    """Lines of the block with a link in them."""


MIN_PROSE = 60.0
"""Less prose is an article only where the page's tags say so."""


FEWEST = 3
"""Links that make a list."""
FEW = 20
PROSE_FOR_ITEM = 15
"""An article without a date has so many characters of prose for each headline-like link around it."""
PROSE_FOR_LATIN_ITEM = 7
"""The same for a dated page without ideographs: boards that list meetings print dates in words as articles do."""
SHARE = 0.8
"""Part of a page's prose that a block known by its name has to hold to be certain."""
SHORT_LINE = 12
"""Where half of the lines are shorter, an undated page is a board or a menu."""


MAX_REFUSAL = 400
"""A page that refuses, asks for a login or sends elsewhere says no more than that (characters)."""
MAX_QUOTE = 200
"""Characters of what such a page says that a report quotes."""
FEED_HEAD = 2_000
"""Characters in which a feed's first tag stands."""

_FEED = re.compile(
    r"\s*(?:<\?[^>]*>\s*|<!--(?:[^-]|-(?!->))*-->\s*|<!DOCTYPE[^>]*>\s*)*<(?:rss|feed|rdf:RDF|urlset|sitemapindex)[\s>]",
    re.IGNORECASE,
)


def is_feed(text: str) -> bool:
    """Tell whether a page is a feed or a site map (RSS, Atom, RDF): a list in another form."""
    return "<" in text[:FEED_HEAD] and _FEED.match(text[:FEED_HEAD].lstrip("\ufeff")) is not None


@cache
def _refusals() -> tuple[re.Pattern[str], re.Pattern[str]]:
    words = table("refusals")
    return _any_of(*words["missing_titles"], *words["titles"]), _any_of(*words["missing_texts"], *words["texts"])


@cache
def _missing() -> tuple[re.Pattern[str], re.Pattern[str]]:
    words = table("refusals")
    return _any_of(*words["missing_titles"]), _any_of(*words["missing_texts"])


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


def is_refusal(title: str | None, text: str, *, whole: int) -> bool:
    """Tell whether a page says that there is nothing to read: an error, a challenge, a login, a jump.

    *text* is the article's own block, *whole* the characters of the page that are no link: news says more than that.
    """
    if whole > MAX_REFUSAL:
        return False
    titles, texts = _refusals()
    return bool((title and titles.fullmatch(title.strip())) or texts.search(text))


def refuses(title: str | None, layout: Layout) -> bool:
    """Tell whether a page called *title* says that there is nothing to read: `is_refusal` over what it shows."""
    said = [line for line in layout.lines if not line.is_link and not line.hidden]
    return is_refusal(
        title, "\n".join(line.text for line in said), whole=sum(len(line.text) - line.linked for line in said)
    )


def is_missing(title: str | None, text: str) -> bool:
    """Tell whether a page that is no article says that there is nothing at its address, or no longer."""
    titles, texts = _missing()
    return bool((title and titles.fullmatch(title.strip())) or (len(text) <= MAX_REFUSAL and texts.search(text)))


def shape(layout: Layout, container: Container | None) -> Shape:
    """Measure a page."""
    items = sum(1 for line in layout.lines if line.linked >= 12 and line.linked >= 0.6 * len(line.text))
    if container is None:
        return Shape(0, 0.0, items, 0)
    lines = layout.lines[container.start : container.end]
    lengths = sorted(len(line.text) for line in lines)
    return Shape(
        text=sum(lengths) - sum(line.linked for line in lines),
        prose=container.prose,
        items=items,
        typical=lengths[len(lengths) // 2],
        certain=container.basis != "found" and container.share >= SHARE,
        latin=2 * sum(line.text.isascii() for line in lines) > len(lines),
        linked=sum(1 for line in lines if line.hrefs),
    )


def of(tags: Mapping[str, str], measured: Shape, *, dated: bool) -> PageKind:
    """Return the kind of a page from its tags, its shape, and whether it shows when it was published."""
    tagged = bool(tags.get("articletitle")) or tags.get("og:type", "").lower() == "article"
    if tagged and measured.text >= 10:
        return "article"
    least = MIN_PROSE if measured.items < FEW else 2 * MIN_PROSE
    if dated and measured.prose >= max(least, PROSE_FOR_LATIN_ITEM * measured.items * measured.latin):
        return "article"
    least = (2 if measured.certain else 4) * MIN_PROSE
    if measured.typical >= SHORT_LINE and measured.prose >= max(least, PROSE_FOR_ITEM * measured.items):
        return "article"
    return "list" if measured.items >= FEWEST or measured.linked >= FEWEST else "other"
