"""From text to a tree, within limits: C code cannot be stopped halfway, so the text is checked before it is parsed."""

import re

from lxml import etree

from crawler.vocabulary import table

MAX_CHARS = 8_000_000
"""Longer pages are not read (characters)."""
MAX_TAGS = 400_000
"""Pages with more tags are not read."""
MAX_DEPTH = 250
"""Deeper elements are not entered; libxml2 itself stops at 255."""

# Included fragments bring ends of their own, and libxml2 drops what follows the first; both are implied anyway.
_PAGE_ENDS = ("</body>", "</html>", "</BODY>", "</HTML>")
_XML_DECLARATION = re.compile(r"\s*<\?xml[^>]{0,200}\?>")


class LimitError(ValueError):
    """The page is beyond a documented limit; the message names it."""


def parse(text: str) -> etree._Element | None:
    """Parse a page; None where there is nothing to parse.

    Raises:
        LimitError: the text is longer than `MAX_CHARS` or holds more than `MAX_TAGS` tags.

    """
    if len(text) > MAX_CHARS:
        raise LimitError(f"the page has {len(text)} characters; the limit is {MAX_CHARS}")
    tags = text.count("<")
    if tags > MAX_TAGS:
        raise LimitError(f"the page has {tags} tags; the limit is {MAX_TAGS}")
    for pair in table("cms")["body"]["comments"]:
        if pair["begin"] in text:
            text = text.replace(pair["begin"], '<div class="xianzhi-body">').replace(pair["end"], "</div>")
    clean = text.replace("\x00", "")
    for end in _PAGE_ENDS:
        clean = clean.replace(end, "")
    if clean.lstrip()[:5] == "<?xml":
        clean = _XML_DECLARATION.sub("", clean, count=1)
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(clean.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:  # nothing but white space or comments
        return None
