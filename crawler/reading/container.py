"""Which block of a page holds the article's text.

A line counts as prose by its length, its punctuation and its links; a block by the prose in it and by the share of
prose in all that it says. Containers known by name win where they hold text; else the best block does.
"""

import re
from functools import cache
from itertools import accumulate
from typing import Literal, NamedTuple

from lxml import etree

from crawler.reading.lines import BLOCKS, FURNITURE_TAGS, Layout, Line, Span
from crawler.vocabulary import table

Basis = Literal["catalogue", "family", "known", "found"]

_PARAGRAPHS = frozenset({"p", "li", "dd", "figcaption"})
"""Elements that hold one paragraph; an article of one paragraph has its captions beside it."""
FEW_LINES = 3
"""An element with so many lines holds more than a paragraph, whatever its tag."""
_HAN = re.compile(r"[\u3400-\u9fff]")
_HAN_STOP = re.compile(r"[。！？；，、：,!?;:“”]")
_LATIN_STOP = re.compile(r"[.,!?;:](?:\s|$|[\"'”])")
_SENTENCE = re.compile(r"[。！？]|[.!?](?:\s|$|[\"'”])")
_FOOTER = re.compile(
    r"版权所有|版權所有|Copyright|[Aa]ll [Rr]ights|ICP[备证備]|公网安备|网站标识码|主办单位|承办单位|技术支持|浏览器"
    r"|邮政编码|您访问的链接即将离开|[Cc]ookies?\b"
)

MAX_FOOTER = 120
"""Longer lines are prose, although they may speak of 技术支持 (characters)."""
TIGHT = 2.5
"""How much a block loses by what is no prose in it; measured on the development corpus."""
TEASER = 12
"""A list item with so long a link is another article's teaser, whatever it adds (characters)."""
HEADLINE = 8
"""So long a link by itself is a headline (characters)."""
TEASER_LINES = 5
MANY_TEASERS = 3
LIKELY = 1.15
"""How much a name that often holds the text counts for a block."""


LEAST = 30.0
"""A container known by name holds at least so much prose, or another block is chosen."""


class Container(NamedTuple):
    """The block that holds the text, as lines, half open."""

    element: etree._Element
    """The block, or the one around its parts."""
    start: int
    end: int
    basis: Basis
    prose: float
    """Weight of its prose, in characters."""
    share: float
    """Its part of all prose on the page, 0 to 1."""


def prose(line: Line) -> float:
    """Weigh a line as prose: its characters outside links, nothing for labels, menus and footers."""
    text = line.text
    size = len(text) - line.linked
    if size < 8 or line.linked > 0.5 * len(text) or (size <= MAX_FOOTER and _FOOTER.search(text)):
        return 0.0
    if _HAN.search(text):
        stops = len(_HAN_STOP.findall(text))
        weight = float(size) if size >= 40 or (stops and size >= 14) else 0.25 * size
        if not stops:
            weight *= 0.3
    else:
        weight = 0.4 * size if size >= 60 and _LATIN_STOP.search(text) else 0.05 * size
    if line.hidden:
        weight *= 0.3
    if line.tag == "li" and line.linked >= TEASER:
        weight *= 0.1
    return weight


def choose(layout: Layout, *, selector: str | None = None, family: str | None = None) -> Container | None:
    """Return the block with the article's text, or None on a page without prose.

    *selector* is the catalogue's CSS selector, *family* a CMS family of ``vocabulary/cms.toml``.
    """
    weights = [prose(line) for line in layout.lines]
    _damp_teasers(layout, weights)
    damped = _damped(layout.spans, weights)
    running = list(accumulate(damped, initial=0.0))
    plain = list(accumulate(weights, initial=0.0))
    sizes = list(accumulate((len(line.text) for line in layout.lines), initial=0))
    total = running[-1]
    if total <= 0:
        return None

    def made(first: Span, basis: Basis, *others: Span) -> Container:
        parent = first.element.getparent()
        element = first.element if parent is None or not others else parent
        end = _end_of_spill(layout, others[-1] if others else first, weights)
        weight = plain[end] - plain[first.start]
        return Container(element, first.start, end, basis, weight, weight / (plain[-1] or 1.0))

    if selector:
        chosen = _selected(layout.spans, selector)
        if chosen is not None and plain[chosen.end] > plain[chosen.start]:
            return made(chosen, "catalogue")

    def weight_of(span: Span) -> float:
        return running[span.end] - running[span.start]

    found = _best(layout.spans, running, sizes)
    ways: list[tuple[Basis, _Names]] = []
    if family and family in table("cms")["family"]:
        ways.append(("family", _names(("family", family, "body"))))
    ways.append(("known", _names(("body", "exact"))))
    for basis, names in ways:
        candidates = [span for span in layout.spans if weight_of(span) > 0 and names.match(span.element)]
        if candidates:
            known = max(candidates, key=lambda span: (weight_of(span), -(sizes[span.end] - sizes[span.start])))
            if weight_of(known) >= max(LEAST, 0.03 * weight_of(found)) and _is_dense(known, running, sizes):
                first, *others = _likes(known, candidates)
                return made(first, basis, *others)
    return made(found, "found")


def _damp_teasers(layout: Layout, weights: list[float]) -> None:
    """Prose that shares a small block with the linked headline before it introduces another article.

    Once or twice that may be chance; a page that does it again and again shows a stream of news.
    """
    lines = layout.lines
    teasers = {
        index
        for span in layout.spans
        if 2 <= span.end - span.start <= TEASER_LINES
        for index in range(span.start + 1, span.end)
        if weights[index] and lines[index - 1].linked >= HEADLINE and lines[index - 1].is_link
    }
    if len(teasers) >= MANY_TEASERS:
        for index in teasers:
            weights[index] *= 0.1


def _damped(spans: list[Span], weights: list[float]) -> list[float]:
    """Weights in blocks that are named like furniture count a tenth, where these are not most of the page."""
    damped = list(weights)
    running = list(accumulate(weights, initial=0.0))
    total = running[-1] or 1.0
    for span in spans:
        if span.hints.furniture or span.hints.maybe_furniture or span.element.tag in FURNITURE_TAGS:
            share = (running[span.end] - running[span.start]) / total
            if 0 < share < (0.4 if span.hints.furniture else 0.25):
                for index in range(span.start, span.end):
                    damped[index] = weights[index] * 0.1
    return damped


def _best(spans: list[Span], running: list[float], sizes: list[int]) -> Span:
    """The block with most prose among little else; of equal ones the innermost (blocks come as they end)."""
    likely = _names(("body", "likely"))

    def score(span: Span) -> float:
        weight = running[span.end] - running[span.start]
        size = sizes[span.end] - sizes[span.start]
        if not weight or not size or (span.element.tag in _PARAGRAPHS and span.end - span.start < FEW_LINES):
            return 0.0
        bonus = LIKELY if likely.match(span.element) else 1.0
        return bonus * weight * float(min(1.0, weight / size) ** TIGHT)

    return max(spans, key=score)


def _likes(known: Span, candidates: list[Span]) -> list[Span]:
    """*known* and the blocks beside it that have such a name too: some editors put each part of a text into one."""
    parent = known.element.getparent()
    return [span for span in candidates if span.element.getparent() is parent and span.hidden == known.hidden]


def _end_of_spill(layout: Layout, span: Span, weights: list[float]) -> int:
    """Where the text ends that stands behind its block because a stray tag ended that too early.

    That is at the next block that is no paragraph, where there is prose before it.
    """
    after = following = span.element.getnext()
    while after is not None and (after.tag == "p" or after.tag not in BLOCKS):
        after = after.getnext()
    if after is following and not (span.element.tail or "").strip():
        return span.end
    parent = span.element.getparent()
    limit = next((other.start for other in layout.spans if other.element is after), None)
    if limit is None:
        limit = next((other.end for other in layout.spans if other.element is parent), span.end)
    spill = zip(layout.lines[span.end : limit], weights[span.end : limit], strict=True)
    return limit if any(weight >= LEAST and _SENTENCE.search(line.text) for line, weight in spill) else span.end


def _is_dense(span: Span, running: list[float], sizes: list[int]) -> bool:
    """A container that is known by name and yet mostly menus is another site's use of the name."""
    return running[span.end] - running[span.start] >= 0.2 * (sizes[span.end] - sizes[span.start])


class _Names(NamedTuple):
    """Simple selectors, taken apart."""

    ids: frozenset[str]
    prefixes: tuple[str, ...]
    classes: frozenset[str]
    tags: frozenset[str]

    def match(self, element: etree._Element) -> bool:
        """Tell whether one of them names *element*."""
        identity = element.get("id")
        if identity and (identity in self.ids or (self.prefixes and identity.startswith(self.prefixes))):
            return True
        names = element.get("class")
        return (names is not None and not self.classes.isdisjoint(names.split())) or element.tag in self.tags


@cache
def _names(path: tuple[str, ...]) -> _Names:
    node = table("cms")
    for key in path:
        node = node[key]
    selectors: list[str] = list(node)
    return _Names(
        ids=frozenset(s[1:] for s in selectors if s[0] == "#" and s[-1] != "*"),
        prefixes=tuple(s[1:-1] for s in selectors if s[0] == "#" and s[-1] == "*"),
        classes=frozenset(s[1:] for s in selectors if s[0] == "."),
        tags=frozenset(s for s in selectors if s[0] not in "#."),
    )


def _selected(spans: list[Span], selector: str) -> Span | None:
    """The first block that the CSS *selector* matches."""
    from cssselect import GenericTranslator  # noqa: PLC0415 - only where a catalogue asks for it

    path = GenericTranslator().css_to_xpath(selector)
    root = spans[-1].element.getroottree()
    hits = root.xpath(path)
    wanted = set(hits) if isinstance(hits, list) else set()
    return next((span for span in reversed(spans) if span.element in wanted), None)
