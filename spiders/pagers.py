"""How list pages lead to their next page: the shapes that many families share."""

import re
from urllib.parse import urljoin

from crawler.text.urls import absolute
from spiders.listing import Listing, label

NEXT_WORDS = re.compile(
    r"^[\s>›»]*(?:下一?[页頁]|后一?[页頁]|後一?[页頁]|next(?:\s+page)?|older)[\s>›»]*$|^[>›»]+$", re.IGNORECASE
)
CREATE_PAGE = re.compile(
    r"createPage(?:HTML)?\(\s*(?P<container>['\"][^'\"]*['\"]\s*,\s*)?(?P<pages>\d+)\s*,\s*(?P<current>\d+)\s*,"
    r"\s*['\"](?P<stem>[^'\"]+)['\"]\s*,\s*['\"](?P<ext>\w+)['\"]"
)
"""TRS counts from 0 (``createPageHTML(25, 0, "index", "html")``); UCAP names a container first and counts from 1."""


def next_link(listing: Listing) -> str | None:
    """The address behind ``rel=next`` or a link called 下一页, or None."""
    for rel in listing.tree.xpath("//link[@rel='next']/@href | //a[@rel='next']/@href"):
        return absolute(listing.base, str(rel))
    for anchor, url in listing.anchors():
        if NEXT_WORDS.match(label(anchor)) or NEXT_WORDS.match(anchor.get("title") or ""):
            return url
    return None


def numbered_link(listing: Listing) -> str | None:
    """The address behind the number of the next page, where at least one other page number stands beside it."""
    numbers: dict[int, str] = {}
    for anchor, url in listing.anchors():
        text = label(anchor).strip("[]【】()（）第页頁 \u3000")
        if text.isdecimal() and len(text) <= 4:
            numbers.setdefault(int(text), url)
    wanted = listing.number + 1
    neighbours = numbers.keys() & {1, listing.number, wanted + 1, wanted + 2}
    # The last page's pager may show only itself and the ones before it: then there is no link to wanted at all.
    return numbers[wanted] if wanted in numbers and (neighbours or len(numbers) == 1) else None


def create_page_script(listing: Listing) -> str | None:
    """The next page by the numbers in TRS's and UCAP's ``createPageHTML`` script call."""
    found = CREATE_PAGE.search(listing.text)
    if found is None:
        return None
    pages, current, stem, ext = int(found["pages"]), int(found["current"]), found["stem"], found["ext"]
    is_one_based = found["container"] is not None
    shown = current if is_one_based else current + 1
    if shown >= pages:
        return None
    suffix = shown + 1 if is_one_based else shown
    return urljoin(listing.url, f"{stem}_{suffix}.{ext}")
