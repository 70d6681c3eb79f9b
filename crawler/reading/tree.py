"""From text to a tree, within limits: C code cannot be stopped halfway, so the text is checked before it is parsed."""

import re
from functools import cache

from lxml import etree

from crawler.vocabulary import table

MAX_CHARS = 8_000_000
"""Longer pages are not read (characters)."""
MAX_TAGS = 400_000
"""Pages with more tags are not read."""
MAX_DEPTH = 250
"""Deeper elements are not entered; libxml2 itself stops at 255."""

# Included fragments bring ends of their own, and libxml2 drops what follows the first; both are implied anyway.
_PAGE_ENDS = (b"</body>", b"</html>", b"</BODY>", b"</HTML>")
_XML_DECLARATION = re.compile(rb"\A\s*<\?xml[^>]{0,400}\?>")


class LimitError(ValueError):
    """The page is beyond a documented limit; the message names it."""


def parse(text: str) -> etree._Element | None:
    """Parse a page; None where there is nothing to parse.

    Raises:
        LimitError: the text is longer than `MAX_CHARS` or holds more than `MAX_TAGS` tags.

    """
    if len(text) > MAX_CHARS:
        raise LimitError(f"the page has {len(text)} characters; the limit is {MAX_CHARS}")
    page = text.encode("utf-8", "replace")  # bytes are searched several times faster
    tags = page.count(b"<")
    if tags > MAX_TAGS:
        raise LimitError(f"the page has {tags} tags; the limit is {MAX_TAGS}")
    for begin, end in _comment_pairs():
        if begin in page:
            page = page.replace(begin, b'<div class="xianzhi-body">').replace(end, b"</div>")
    for unwanted in (b"\x00", *_PAGE_ENDS):
        if unwanted in page:
            page = page.replace(unwanted, b"")
    page = _XML_DECLARATION.sub(b"", page, count=1)
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(page, parser)
    except etree.XMLSyntaxError:  # nothing but white space or comments
        return None


@cache
def _comment_pairs() -> tuple[tuple[bytes, bytes], ...]:
    """Comments that some systems put around the text."""
    pairs = table("cms")["body"]["comments"]
    return tuple((pair["begin"].encode(), pair["end"].encode()) for pair in pairs)
