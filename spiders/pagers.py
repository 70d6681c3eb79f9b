"""How list pages lead to their next page: the shapes that many families share."""

import re
from itertools import islice
from urllib.parse import parse_qsl, urljoin, urlsplit

from crawler.text.urls import absolute
from spiders.listing import Listing, label

NEXT_WORDS = re.compile(
    r"^[\s>›»\[【(（]*(?:下一?[页頁]|后一?[页頁]|後一?[页頁]|next(?:\s+page)?|older)[\s>›»\]】)）]*$", re.IGNORECASE
)
ARROWS = re.compile(r"^[>›»]+$")
"""Also how side columns write 更多: words win, wherever on the page they stand."""
CREATE_PAGE = re.compile(
    r"(?<!//)(?<!//\s)createPage(?:HTML)?\(\s*(?P<container>['\"][^'\"]*['\"]\s*,\s*)?"
    r"(?P<pages>\d{1,6})\s*,\s*(?P<current>\d{1,6})\s*,\s*['\"](?P<stem>[^'\"]+)['\"]\s*,\s*['\"](?P<ext>\w+)['\"]"
)
"""TRS counts from 0 (``createPageHTML(25, 0, "index", "html")``); UCAP names a container first and counts from 1."""
MAX_CALLS = 10
"""Calls of a page that are looked at."""
COMMENTS = (("<!--", "-->"), ("/*", "*/"))
PAGES_IN_WORDS = re.compile(r"共\s*(\d{1,5})\s*页|\d\s*/\s*(\d{1,5})\s*页")
DIGITS = re.compile(r"[0-9]{1,6}")


def next_link(listing: Listing) -> str | None:
    """The address behind ``rel=next`` or a link called 下一页, or None."""
    for rel in listing.tree.xpath("//link[@rel='next']/@href | //a[@rel='next']/@href"):
        return absolute(listing.base, str(rel))
    arrow = None
    for anchor, url in listing.anchors():
        text = label(anchor)
        named = [text, anchor.get("title") or "", *map(str, anchor.xpath(".//img/@alt | .//img/@title"))]
        if any(NEXT_WORDS.match(name) for name in named):
            return url
        if arrow is None and ARROWS.match(text):
            arrow = url
    return arrow


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
    """The next page by the numbers in TRS's and UCAP's ``createPageHTML`` script call.

    What the call says of the page it stands on tells whether its pages count from 0 or from 1; where that cannot be
    (the number is the same on every page), TRS's form counts from 0 and UCAP's from 1.
    """
    # An older template's call may be left in a comment; where all are, the comment is for browsers without scripts.
    calls = list(islice(CREATE_PAGE.finditer(listing.text), MAX_CALLS))
    found = next((call for call in calls if not _is_comment(listing.text, call.start())), calls[0] if calls else None)
    if found is None or listing.number >= int(found["pages"]):
        return None
    first = int(found["current"]) - listing.number + 1
    if first not in {0, 1}:
        first = 0 if found["container"] is None else 1
    return urljoin(listing.url, f"{found['stem']}_{listing.number + first}.{found['ext']}")


def _is_comment(text: str, place: int) -> bool:
    return any(text.rfind(begin, 0, place) > text.rfind(end, 0, place) for begin, end in COMMENTS)


def query_link(listing: Listing, name: str, *, first: int = 1) -> str | None:
    """The next page where the parameter *name* counts pages, beginning with *first*; None on the last one.

    Where the pager is a script, the page's own words (共12页) say whether there is a next one. A page beyond the last
    is never asked for: many portals answer it with an error, which would count as a broken list.
    """
    here = urlsplit(listing.url)
    own = {key: value for key, value in parse_qsl(here.query) if key != name}
    linked: dict[int, str] = {}
    for _, url in listing.anchors():
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        value = query.pop(name, "")
        if parts.path == here.path and DIGITS.fullmatch(value) and own.items() <= query.items():
            linked.setdefault(int(value), url)
    wanted = listing.number + first
    if wanted in linked:
        return linked[wanted]
    last = max([*linked, pages_in_words(listing) - 1 + first])
    return with_parameter(listing.url, name, wanted) if wanted <= last else None


def pages_in_words(listing: Listing) -> int:
    """How many pages the list says it has (共12页, 第1/12页); 1 where it says nothing."""
    found = PAGES_IN_WORDS.search(listing.tree.text_content())
    return int(found[1] or found[2]) if found else 1


def with_parameter(url: str, name: str, value: int) -> str:
    """*url* with the query parameter *name* set to *value*, the others as they are."""
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if pair and pair.partition("=")[0] != name]
    return parts._replace(query="&".join([*kept, f"{name}={value}"]), fragment="").geturl()


COUNT_PAGE = re.compile(r"\bcountPage\s*=\s*(?P<pages>\d{1,6})")
BUILT_NAME = re.compile(
    r"(?<![\w-])(?P<stem>[\w-]{1,60})['\"]\s*\+\s*['\"]_['\"]\s*\+[\w()\s-]{1,40}\+\s*['\"]\.['\"]\s*\+\s*['\"](?P<ext>\w{2,5})"
)
"""How the script puts a later page's name together: ``"index" + "_" + nextPage + "." + "html"``."""


def count_page_variable(listing: Listing) -> str | None:
    """The next page where TRS's script writes its pager itself, from ``var countPage = 25``; counted from 0."""
    found = COUNT_PAGE.search(listing.text)
    if found is None or listing.number >= int(found["pages"]):
        return None
    name = BUILT_NAME.search(listing.text)
    stem, ext = (name["stem"], name["ext"]) if name else ("index", "html")
    return urljoin(listing.url, f"{stem}_{listing.number}.{ext}")
