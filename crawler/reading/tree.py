"""From text to a tree, within limits: C code cannot be stopped halfway, so the text is checked before it is parsed.

A page of up to 2 MB is read within 2 s; what is larger or denser is read or refused within 3 s and 300 MB. Refused,
with an error that names the limit, are:

- a body of more than 32 MiB, as it came or unpacked, or packed too often (``MAX_DECODED``, ``MAX_CODINGS`` and
  ``MAX_MEMBERS`` of `crawler.text.coding`);
- a page of more than `MAX_CHARS`, without the files that are written into it;
- a page of more than `MAX_ELEMENTS`;
- tags with too many attributes (`MAX_CROWDING`).

Elements below `MAX_DEPTH` are not read, which is no error. The largest of 124 real pages has 1.3 MB and 5,000 elements.
"""

import re
from functools import cache

from lxml import etree

from crawler.vocabulary import table

MAX_CHARS = 2_500_000
"""Longer pages are not read (characters, of which 2 MB have at most 2,000,000 in any encoding)."""
MAX_ELEMENTS = 50_000
"""Pages with more start tags, or with more end tags, are not read: each may make a line, of 20 to 70 µs."""
MAX_CROWDING = 200_000_000
"""Sum over a page's tags of the square of their words: libxml2 takes some 3 ns × n² for n attributes of a tag."""
MAX_DEPTH = 250
"""Deeper elements are not entered; libxml2 itself stops at 255."""

_CROWDED = 1_000
"""Bytes from which a tag is counted for `MAX_CROWDING`; shorter ones cannot make up much of it."""
_BEHIND = 40_000
"""Bytes of tags behind a quoted ``>`` that a page may have; 20,000 were the most on real pages."""

# Included fragments bring ends of their own, and libxml2 drops what follows the first; both are implied anyway.
_PAGE_ENDS = (b"</body>", b"</html>", b"</BODY>", b"</HTML>")
_XML_DECLARATION = re.compile(rb"\A\s*<\?xml[^>]{0,400}\?>")
_INLINE_FILE = re.compile(r"data:[\w.+/-]{0,80};base64,[\w+/=%\s]*+", re.ASCII)
_LONG_TAG = re.compile(rb"<[A-Za-z][^>]{%d,}+" % _CROWDED)
_QUOTED_END = re.compile(rb"=\s*+(?:\"([^\">]*+)|'([^'>]*+))>")
"""An attribute's value up to a ``>`` in it, which does not end its tag."""


_SINCE_HTML5 = frozenset("article aside details dialog figure footer header main nav section".split())
"""Blocks younger than libxml2's rules, by which they do not end a page's head where the tags for it are missing."""
_PARTING = bytes(0x20 if byte in b"/\"'" else byte for byte in range(256))


class LimitError(ValueError):
    """The page is beyond a documented limit; the message names it."""


def parse(text: str) -> etree._Element | None:
    """Parse a page; None where there is nothing to parse.

    Raises:
        LimitError: the text is longer than `MAX_CHARS`, has more than `MAX_ELEMENTS`, or tags so full of attributes
            that they are beyond `MAX_CROWDING`.

    """
    page = _parsable(_encoded(text))
    elements = _elements(page)
    if elements > MAX_ELEMENTS:
        raise LimitError(f"the page has {elements:,} elements; the limit is {MAX_ELEMENTS:,}")
    if len(page) > 2 * _BEHIND:  # fewer bytes cannot hold too many attributes: each has a name of its own
        page = _uncrowded(page)
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(page, parser)
    except etree.XMLSyntaxError:  # nothing but white space or comments
        return None
    if root is not None:
        _empty_head(root)
    return root


def _empty_head(root: etree._Element) -> None:
    """Put blocks that libxml2 left in the head at the beginning of the body."""
    head = root.find("head")
    blocks = [child for child in head if child.tag in _SINCE_HTML5] if head is not None else []
    if blocks:
        body = root.find("body")
        body = etree.SubElement(root, "body") if body is None else body
        body[:0] = blocks


def _encoded(text: str) -> bytes:
    """The page in UTF-8, whose bytes are searched several times faster."""
    if len(text) > MAX_CHARS:
        text = _INLINE_FILE.sub("data:,", text)
        if len(text) > MAX_CHARS:
            raise LimitError(f"the page has {len(text):,} characters; the limit is {MAX_CHARS:,}")
    return text.encode("utf-8", "replace")


def _parsable(page: bytes) -> bytes:
    """*page* without what libxml2 would end at; checks come after this, or what is cut would hide tags from them."""
    for begin, end in _comment_pairs():
        if begin in page:
            page = page.replace(begin, b'<div class="xianzhi-body">').replace(end, b"</div>")
    for unwanted in (b"\x00", *_PAGE_ENDS):
        if unwanted in page:
            page = page.replace(unwanted, b"")
    return _XML_DECLARATION.sub(b"", page, count=1)


def _elements(page: bytes) -> int:
    """At least half of the elements that *page* makes: a start or an end without the other makes one too."""
    ends = page.count(b"</")
    return max(page.count(b"<") - ends, ends)


def _uncrowded(page: bytes) -> bytes:
    """*page* with tags of as many attributes as can be parsed in time. Raises LimitError where there are more.

    A tag is taken to end at its first ``>``. Where that hides much of the page's tags, which end behind a quoted one,
    they are made to end there.
    """
    if sum(_to_next_end(page, found.end()) for found in _QUOTED_END.finditer(page)) > _BEHIND:
        page = _QUOTED_END.sub(rb"=-\1\2>", page)  # the sign keeps what follows from being a quote again
    crowding = sum(_words(tag) ** 2 for tag in _LONG_TAG.findall(page))
    if crowding > MAX_CROWDING:
        raise LimitError(f"the page's tags have too many attributes: {crowding:,}; the limit is {MAX_CROWDING:,}")
    return page


def _to_next_end(page: bytes, start: int) -> int:
    end = page.find(b">", start)
    return (end if end >= 0 else len(page)) - start


def _words(tag: bytes) -> int:
    """At least as many as *tag* has attributes: white space, slashes and quotes part them."""
    return len(tag.translate(_PARTING).split())


@cache
def _comment_pairs() -> tuple[tuple[bytes, bytes], ...]:
    """Comments that some systems put around the text."""
    pairs = table("cms")["body"]["comments"]
    return tuple((pair["begin"].encode(), pair["end"].encode()) for pair in pairs)
