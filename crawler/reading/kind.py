"""What a page is: an article, a list of links, or something else."""

from collections.abc import Mapping
from typing import NamedTuple

from crawler.reading.container import Container
from crawler.reading.lines import Layout
from crawler.records import PageKind


class Shape(NamedTuple):
    """What tells lists from articles."""

    text: int
    """Characters of the article's own block that are no link."""
    prose: float
    items: int
    """Lines that are a link as long as a headline."""
    typical: int
    """Median length of the block's lines."""


MIN_PROSE = 60.0
"""Less prose is an article only where the page's tags say so."""


FEW = 20
PROSE_FOR_ITEM = 15
"""An article without a date has so many characters of prose for each headline-like link around it."""
SHORT_LINE = 12
"""Where half of the lines are shorter, an undated page is a board or a menu."""


def shape(layout: Layout, container: Container | None) -> Shape:
    """Measure a page."""
    items = sum(1 for line in layout.lines if line.linked >= 12 and line.linked >= 0.6 * len(line.text))
    if container is None:
        return Shape(0, 0.0, items, 0)
    lines = layout.lines[container.start : container.end]
    lengths = sorted(len(line.text) for line in lines)
    return Shape(sum(lengths) - sum(line.linked for line in lines), container.prose, items, lengths[len(lengths) // 2])


def of(tags: Mapping[str, str], measured: Shape, *, dated: bool) -> PageKind:
    """Return the kind of a page from its tags, its shape, and whether it shows when it was published."""
    tagged = bool(tags.get("articletitle")) or tags.get("og:type", "").lower() == "article"
    if tagged and measured.text >= 10:
        return "article"
    if dated and measured.prose >= (MIN_PROSE if measured.items < FEW else 2 * MIN_PROSE):
        return "article"
    if measured.typical >= SHORT_LINE and measured.prose >= max(4 * MIN_PROSE, PROSE_FOR_ITEM * measured.items):
        return "article"
    return "list" if measured.items >= 3 else "other"
