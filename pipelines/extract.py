"""Stage 2: a page becomes an article: its fields and its paragraphs, still with the furniture of its own block."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

from crawler import divisions
from crawler.reading import around, container, heading, kind, lines, media, metatags, prune, second, tree
from crawler.reading.lines import Line
from crawler.records import Article, Page, PageKind, Paragraph, PublishedBasis, Removal, Role
from crawler.text import bylines, dates, timestamps

if TYPE_CHECKING:
    from lxml import etree
    from scrapy.crawler import Crawler

    from crawler.fetch.session import Session

Item = TypeVar("Item")

MAX_FACT = 100
"""Longer lines of the text are no information lines (characters)."""
HEAD = 8
"""Lines at either end of the text in which credits and information lines are looked for."""

MUCH_MORE = 3
"""How many times longer trafilatura's text has to be to be taken for a page with hardly any prose."""
_HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A page on its way: what the parts of the reading agree on."""

    page: Page
    root: "etree._Element"
    tags: Mapping[str, str]
    layout: lines.Layout
    block: container.Container | None


def extract(page: Page, *, body: str | None = None, cms: str | None = None) -> Article:
    """Read a page.

    *body* is the catalogue's CSS selector of the block with the text, *cms* the portal's family. A page without text is
    an article of kind ``other`` with no paragraphs.

    Raises:
        LimitError: the page is beyond the limits of `crawler.reading.tree`.

    """
    root = tree.parse(page.text)
    if root is None:
        return Article(capture=page.capture, encoding=page.encoding, encoding_basis=page.encoding_basis, kind="other")
    layout = lines.lay_out(root)
    block = container.choose(layout, selector=body, family=cms)
    return _article(_Read(page=page, root=root, tags=metatags.read(root), layout=layout, block=block))


def _article(read: _Read) -> Article:
    tags, page, layout, block = read.tags, read.page, read.layout, read.block
    pruned = prune.prune(layout, block) if block else prune.Pruned([], [])
    start, end = (block.start, block.end) if block else (len(layout.lines), len(layout.lines))
    above = layout.lines[max(0, start - around.REACH_ABOVE) : start]
    below = layout.lines[end : end + around.REACH_BELOW]
    text = pruned.kept
    head, tail = text[:HEAD], text[-HEAD:] if len(text) > HEAD else []
    own = [line for line in layout.lines[start:end] if _tells(line)]
    title = heading.choose(tags, heading.of_page(read.root), layout.lines[:start], head)
    facts = around.read(_below_title(above, title), own[:HEAD], own[HEAD:][-3 * HEAD :], below, (head, tail))
    tagged = tags.get("pubdate") or tags.get("article:published_time", "")
    meta_published = _tagged(tagged, [title or "", *(line.text for line in head)])
    base = page.capture.url or tags.get("url", "")
    published, basis = _published(read, facts.published, meta_published, text)
    page_kind: PageKind = "list"
    refuses = _refuses(read, title)
    if not kind.is_feed(page.text):
        page_kind = "other" if refuses else kind.of(tags, kind.shape(layout, block), dated=published is not None)
    if page_kind == "list":  # what looks like its date is an item's
        published, basis = None, None
    if page_kind == "other" and basis == "visible" and title and not refuses:
        text = _second_opinion(page, text)
        page_kind = "article" if text else "other"
    site_id = tags.get("siteidcode") or around.site_code(layout.lines)
    element = block.element if block else None
    return Article(
        capture=page.capture,
        encoding=page.encoding,
        encoding_basis=page.encoding_basis,
        kind=page_kind,
        title=title,
        published=published,
        published_basis=basis,
        meta_published=meta_published,
        source=_source(facts.source, tags.get("contentsource")),
        author=facts.author,
        editor=facts.editor,
        column=around.column(tags, layout.lines[: start + HEAD], title),
        site_name=tags.get("sitename") or tags.get("og:site_name"),
        site_id=site_id,
        division=_division(site_id),
        paragraphs=tuple(Paragraph(text=line.text, role=_role(line)) for line in text),
        removed=tuple(Removal(text=line.text, reason="furniture", rule=rule) for line, rule in pruned.cut),
        attachments=media.attachments(element, base) if element is not None else (),
        images=media.images(element, base) if element is not None else (),
    )


def _refuses(read: _Read, title: str | None) -> bool:
    """Tell whether the page says that there is nothing to read; tagged articles and longer texts are spared."""
    if read.tags.get("articletitle") or kind.shape(read.layout, read.block).text > kind.MAX_REFUSAL:
        return False
    return kind.refuses(title, read.layout)


def _second_opinion(page: Page, own: list[Line]) -> list[Line]:
    """The text of a dated page with a title and hardly any prose: our own, unless trafilatura sees far more."""
    other = second.read(page.text)
    ours, theirs = (sum(len(line.text) for line in lines_) for lines_ in (own, other))
    return own if ours >= second.LEAST and MUCH_MORE * ours >= theirs else other


def _tells(line: Line) -> bool:
    """Tell whether a line inside the text's block may be an information line or a credit."""
    return len(line.text) <= MAX_FACT and not line.hidden


def _below_title(above: Sequence[Line], title: str | None) -> Sequence[Line]:
    """The lines from the title on, where it stands above the text: what is before it is the site's."""
    squeezed = "".join((title or "").split())
    for index in range(len(above) - 1, -1, -1):
        if squeezed and "".join(above[index].text.split()).startswith(squeezed):
            return above[max(0, index - 3) :]
    return above


def _tagged(written: str, words: Sequence[str]) -> str | None:
    """The time in a tag: China's, but where the page's *words* are not Chinese, the day that its own readers see."""
    if any(map(_HAN.search, words)):
        return timestamps.read(written)
    dated = dates.find(written)
    return dated.value if dated else None


def _published(
    read: _Read, visible: str | None, tagged: str | None, text: Sequence[Line]
) -> tuple[str | None, PublishedBasis | None]:
    """The date that readers see; else the tag, the list, the address, the dateline."""
    capture = read.page.capture
    opening = "\n".join(line.text for line in text[:2])
    ways: tuple[tuple[str | None, PublishedBasis], ...] = (
        (visible, "visible"),
        (tagged, "meta"),
        (capture.listed.published if capture.listed else None, "list"),
        (dates.of_url(capture.url), "url"),
        (dates.of_dateline(opening + "\n".join(line.text for line in text[2:]), capture.url), "dateline"),
    )
    return next(((value, basis) for value, basis in ways if value), (None, None))


def _source(visible: str | None, tagged: str | None) -> str | None:
    """The visible source; the tag where there is none, or where the page shows the tag's beginning."""
    if visible and tagged and tagged.startswith(visible):
        return tagged
    if visible:
        return visible
    return tagged if tagged and len(tagged) <= 2 * bylines.MAX_SOURCE and not bylines.is_nobody(tagged) else None


def _division(site_id: str | None) -> str | None:
    """The division that a site code begins with (28 of 29 pages); ministries (bm…) have none."""
    code = (site_id or "")[:6]
    return code if code.isdigit() and divisions.exists(code) else None


def _role(line: Line) -> Role:
    if line.tag == "figcaption":
        return "caption"
    return "heading" if line.heading else "body"


class ExtractPipeline:
    """Scrapy's item pipeline around `extract`."""

    def __init__(self, session: "Session | None" = None) -> None:
        self._session = session

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> Self:
        """Take body selectors and families from the catalogue of the session."""
        from crawler.fetch.session import Session  # noqa: PLC0415 - `xianzhi extract` needs no Scrapy

        return cls(Session.of(crawler))

    def process_item(self, item: Item) -> Item | Article:
        """Read pages; other items pass."""
        if not isinstance(item, Page):
            return item
        if self._session is None:
            return extract(item)
        portal = self._session.portal(item.capture.portal_id)
        return extract(item, body=portal.body, cms=portal.cms)
