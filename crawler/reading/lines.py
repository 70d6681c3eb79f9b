"""A page as lines: what a reader sees one below the other, with what the markup tells of each.

One walk over the tree gives the lines in page order and, for every block element, which of them it spans. A row of a
data table is one line with tabs between its cells (as browsers copy it); a layout table is none.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

from crawler.reading import hints
from crawler.reading.tree import MAX_DEPTH

EDGE = "\x1f"
"""Stands in ``Line.marked`` where a link begins or ends, where the source breaks between two ideographs, and before an
inline element that parts what styles set apart: a label from the value before it, words from a date."""
MAX_CELL = 160
"""A longer cell makes its row a part of the layout (characters)."""

MAX_CARD = 200
MIN_OPEN = 3
"""A link around so many blocks and more than so many characters was never closed."""

BLOCKS = frozenset(
    (
        "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset "
        "figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr legend li main marquee menu nav ol p pre section "
        "summary table tbody td tfoot th thead tr ul founder-content ucapcontent"
    ).split()
)
_SILENT = frozenset(
    (
        "script style noscript template iframe object embed select option datalist textarea button input "
        "canvas svg math head title meta link audio video map area noframes applet param source track"
    ).split()
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_CELLS = frozenset({"td", "th"})
_TITLE_TAGS = frozenset({"p", "span", "div"})
FURNITURE_TAGS = frozenset({"nav", "footer", "aside", "marquee"})
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_CONCEALED = re.compile(
    r"(?<![\w-])(?:"
    r"(?:left|right|top|bottom|margin-left|margin-top|text-indent)\s*:\s*-\d{3,}"
    r"|(?:font-size|width|height|max-height)\s*:\s*[01](?:px|pt|em|%)?\s*(?:;|!|$)"
    r"|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)"
    r"|color\s*:\s*(?:#fff(?:fff)?|white)\b)",
    re.IGNORECASE,
)
_CONCEALED_BY_SCRIPT = re.compile(
    r"""getElementById\(\s*["']([^"'<>]{1,99})["']\s*\)\s*\.style\.(?:display|visibility)\s*=\s*["'](?:none|hidden)"""
)
_BROKEN_HAN = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])[ \t]*[\r\n][ \t\r\n]*(?=[\u3000-\u9fff\uff00-\uffef])")
_LABEL = re.compile(r"[\u4e00-\u9fff]{2,6}\s?[:：]")
_DATE_END = re.compile(r"[-/.:]\d\d\Z")
_WHITE = re.compile(r"[ \t\r\n\f\v]+")
_EDGES = " \t\r\n\f\v\xa0\u3000\u200b\ufeff\u2002\u2003"


@dataclass(slots=True, kw_only=True)
class Line:
    """One line of a page."""

    text: str
    marked: str
    """The text with its `EDGE`s."""
    linked: int
    """Characters inside links."""
    tag: str
    """The block element it stands in."""
    heading: bool = False
    titled: bool = False
    """Inside a block named like a title."""
    account: bool = False
    hidden: bool = False
    concealed: bool = False
    """Inside what readers may not see: off the screen, without a size, white, switched off by a script. Honest
    templates do so too, for screen readers and for the gaps between blocks."""
    furniture: bool = False
    """Inside a block named like furniture."""
    hrefs: tuple[str, ...] = ()

    @property
    def is_link(self) -> bool:
        """Whether the line is all link."""
        return self.linked >= 0.85 * len(self.text.replace(" ", ""))


class Span(NamedTuple):
    """The lines that a block element holds, half open."""

    element: etree._Element
    start: int
    end: int
    hints: hints.Hints
    hidden: bool


@dataclass(slots=True)
class Layout:
    """A page's lines, and the blocks over them in the order in which they end."""

    lines: list[Line] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)


class _State(NamedTuple):
    """What a block hands down to the blocks inside it."""

    tag: str = "body"
    heading: bool = False
    titled: bool = False
    account: bool = False
    hidden: bool = False
    concealed: bool = False
    furniture: bool = False


def lay_out(root: etree._Element) -> Layout:
    """Walk over *root* once."""
    walker = _Walker(_concealed_by_script(root))
    body = root.find("body")
    top = body if body is not None else root
    walker.block(top, str(top.tag), _State(), 0)
    return walker.layout


def _concealed_by_script(root: etree._Element) -> frozenset[str]:
    """The ids of what the page's scripts switch off as soon as they run."""
    texts = (script.text for script in root.iter("script"))
    return frozenset(found for text in texts if text for found in _CONCEALED_BY_SCRIPT.findall(text))


@lru_cache(maxsize=4096)
def _told(items: tuple[tuple[str, str], ...]) -> tuple[hints.Hints, bool, bool]:
    """What its attributes tell of a block, whether they hide it, and whether they may conceal it."""
    attributes = dict(items)
    named = " ".join(filter(None, (attributes.get("class"), attributes.get("id"))))
    style = attributes.get("style")
    is_hidden = "hidden" in attributes or (style is not None and _HIDDEN.search(style) is not None)
    is_concealed = is_hidden or (style is not None and _CONCEALED.search(style) is not None)
    return hints.of(named) if named else hints.NONE, is_hidden, is_concealed


def _is_tiny(element: etree._Element) -> bool:
    """Whether a moving text (``<marquee width=1 height=1>``) has no room to be seen."""
    return any((element.get(name) or "").strip().removesuffix("px") in {"0", "1", "2"} for name in ("width", "height"))


def _is_card(lines: list[Line]) -> bool:
    """Whether blocks inside a link are another article's headline and teaser, and no text behind a link left open."""
    return len(lines) < MIN_OPEN or sum(len(line.text) for line in lines) <= MAX_CARD


def _names_account(element: etree._Element) -> bool:
    named = element.get("class") or element.get("id")
    return named is not None and hints.of(f"{named} {element.get('id') or ''}").account


def _is_set_apart(before: str, text: str) -> bool:
    """Whether inline elements are likely to stand apart although nothing is between them in the source.

    Pasted text is cut into inline elements anywhere, also within a word, so it takes a label or a date to tell.
    """
    return _LABEL.match(text) is not None or (_DATE_END.search(before[-3:]) is not None and text[0] > "\u3400")


class _Walker:
    """Collects inline text until a block begins or ends."""

    def __init__(self, concealed_ids: frozenset[str]) -> None:
        self.layout = Layout()
        self._concealed_ids = concealed_ids
        self._pieces: list[str] = []
        self._linked = 0
        self._hrefs: list[str] = []
        self._account = False

    def block(self, element: etree._Element, tag: str, outer: _State, depth: int) -> None:
        """Enter a block element: its text, its children, its end."""
        attributes = element.items()
        hinted, is_hidden, is_concealed = _told(tuple(attributes)) if attributes else (hints.NONE, False, False)
        if self._concealed_ids and element.get("id") in self._concealed_ids:
            is_concealed = True
        if tag == "marquee" and _is_tiny(element):
            is_concealed = True
        state = _State(
            tag,
            outer.heading or tag in _HEADINGS,
            (outer.titled and tag in _TITLE_TAGS) or hinted.title,
            hinted.account,
            outer.hidden or is_hidden,
            outer.concealed or is_concealed,
            outer.furniture or hinted.furniture or tag in FURNITURE_TAGS,
        )
        if self._pieces:
            self._flush(outer)
        start, first_span = len(self.layout.lines), len(self.layout.spans)
        if len(element) != 1 or self._account or not self._item(element, state):
            self._inside(element, state, depth)
            if self._pieces:
                self._flush(state)
        if tag == "tr":
            self._join_row(start, first_span)
        self.layout.spans.append(Span(element, start, len(self.layout.lines), hinted, state.hidden))

    def _inside(self, element: etree._Element, state: _State, depth: int) -> None:
        text = element.text
        if text:
            self._add(text)
        if depth < MAX_DEPTH:
            for child in element:
                tag = child.tag
                if tag in BLOCKS:
                    self.block(child, tag, state, depth + 1)
                elif isinstance(tag, str) and tag not in _SILENT:
                    self._inline(child, tag, state, depth + 1)
                tail = child.tail
                if tail:
                    self._add(tail)

    def _item(self, element: etree._Element, state: _State) -> bool:
        """Take a block that is one plain link as a line at once: on most pages most blocks are menu items."""
        link = element[0]
        label = link.text
        if link.tag != "a" or not label or len(link) or len(label.split()) != 1 or EDGE in label:
            return False
        href, around = link.get("href"), (element.text or "") + (link.tail or "")
        if href is None or (around and not around.isspace()) or label != label.strip(_EDGES):
            return False
        self.layout.lines.append(
            Line(
                text=label,
                marked=f"{EDGE}{label}{EDGE}",
                linked=len(label),
                tag=state.tag,
                heading=state.heading,
                titled=state.titled,
                account=state.account or _names_account(link),
                hidden=state.hidden,
                concealed=state.concealed,
                furniture=state.furniture,
                hrefs=(href,),
            )
        )
        return True

    def _add(self, text: str) -> None:
        # White space between blocks is no line; most of a page's text nodes are that.
        if self._pieces or self._account or not text.isspace():
            self._pieces.append(text)

    def _inline(self, child: etree._Element, tag: str, state: _State, depth: int) -> None:
        if tag == "br":
            self._flush(state)
        elif tag == "a":
            self._account = self._account or _names_account(child)
            self._link(child, state, depth)
        else:
            self._account = self._account or _names_account(child)
            style = child.get("style")
            inner = state
            if style and _HIDDEN.search(style):
                inner = state._replace(hidden=True, concealed=True)
            if inner is not state:
                self._flush(state)
            if self._pieces and child.text and _is_set_apart(self._pieces[-1], child.text):
                self._pieces.append(EDGE)
            self._inside(child, inner, depth)
            if inner is not state:
                self._flush(inner)

    def _link(self, child: etree._Element, state: _State, depth: int) -> None:
        href = child.get("href")
        before = len(self._pieces)
        lines = len(self.layout.lines)
        self._pieces.append(EDGE)
        if len(child):
            self._inside(child, state, depth)
        elif child.text:
            self._pieces.append(child.text)
        self._pieces.append(EDGE)
        if href is None:  # an anchor's name, no link
            return
        if len(self.layout.lines) == lines:
            self._linked += len("".join("".join(self._pieces[before + 1 : -1]).replace(EDGE, "").split()))
        elif _is_card(self.layout.lines[lines:]):
            for line in self.layout.lines[lines:]:
                line.linked = len(line.text)
        else:
            return
        self._hrefs.append(href)

    def _flush(self, state: _State) -> None:
        """End the line."""
        raw = "".join(self._pieces)
        self._pieces.clear()
        linked, hrefs, account = self._linked, tuple(self._hrefs), self._account
        self._linked, self._account = 0, False
        self._hrefs.clear()
        if "\n" in raw or "\r" in raw:
            raw = _BROKEN_HAN.sub(EDGE, raw)
        marked = _WHITE.sub(" ", raw).strip(_EDGES)
        text = marked.replace(EDGE, "").strip(_EDGES) if EDGE in marked else marked
        if not text:
            return
        self.layout.lines.append(
            Line(
                text=text,
                marked=marked,
                linked=linked,
                tag=state.tag,
                heading=state.heading,
                titled=state.titled,
                account=state.account or account,
                hidden=state.hidden,
                concealed=state.concealed,
                furniture=state.furniture,
                hrefs=hrefs,
            )
        )

    def _join_row(self, start: int, first_span: int) -> None:
        """Make one line of a data table's row: short cells, one line each, at least two."""
        lines = self.layout.lines[start:]
        if len(lines) < 2 or len(lines) > 40 or any(len(line.text) > MAX_CELL for line in lines):
            return
        inside = self.layout.spans[first_span:]
        cells = [span for span in inside if span.element.tag in _CELLS and span.end > span.start]
        if len(cells) != len(lines) or any(span.element.tag == "tr" for span in inside):
            return
        first = lines[0]
        first.text = "\t".join(line.text for line in lines)
        first.marked = "\t".join(line.marked for line in lines)
        first.linked = sum(line.linked for line in lines)
        first.hrefs = tuple(href for line in lines for href in line.hrefs)
        first.tag = "tr"
        del self.layout.lines[start + 1 :]
        del self.layout.spans[first_span:]
