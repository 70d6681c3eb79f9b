"""UCAP (开普云): ``/{site}/c104060/list.shtml`` counted from 1, or lists that the site's search answers as JSON."""

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from crawler.text import dates
from crawler.text.urls import absolute
from spiders.base import PortalSpider
from spiders.listing import Following, Link, Listing, dated_like
from spiders.pagers import CREATE_PAGE, create_page_script, next_link, with_parameter

ARTICLE = re.compile(
    r"/20\d\d(?:\d\d|/\d{1,2}(?:/\d{1,2})?)/(?:[0-9a-f]{32}|c\d+_\d+|t\d{8}_\d+|content_\d+)\.s?html?(?:$|\?)"
)
"""In a folder named by month or day: a hash, column and number, or (湖南) a name like TRS's."""
LATER_PAGE = re.compile(r"_\d+\.s?html?(?:$|\?)")
SEARCH = re.compile(
    r"(?P<path>/(?:common/search|searchList|search)/)(?:(?P<channel>[0-9a-f]{32})|['\"]\s*\+\s*channelId\b)"
)
"""The program in a page's script, with the channel's id or a variable in its place."""
CHANNEL = re.compile(r"\bchannelId['\"]?\s*[:=]\s*['\"](?P<channel>[0-9a-f]{32})['\"]")
ANSWER = "_isAgg=true&_isJson=true&_template=index"
PAGE_SIZE = 15
"""Results a page where the site's own list has none to count."""
TAG = re.compile(r"<[^<>]{0,200}>")


class UcapSpider(PortalSpider):
    """``list.shtml``, ``list_2.shtml`` …; a list may also be the search's own address."""

    name = "ucap"

    def links(self, listing: Listing) -> Iterator[Link]:
        """What the page's dated list or the search's answer names."""
        answer = _answer(listing)
        if answer is not None:
            yield from _results(listing, answer)
            return
        shown = list(dated_like(listing, self.article_pattern or ARTICLE))
        # Where a script fills the list, links without days are the side columns'.
        if any(link.published for link in shown) or not self._program(listing):
            yield from shown

    def next_page(self, listing: Listing) -> str | None:
        """By the pager's script, by link, by the search that the page's script asks."""
        answer = _answer(listing)
        if answer is not None:
            return _next_answer(listing, answer)
        following = create_page_script(listing) or next_link(listing)
        if following and LATER_PAGE.search(following):  # an arrow may be a side column's 更多
            return following
        return self._search(listing)

    def behind(self, listing: Listing) -> Following | None:
        """The search that fills a page without a list of its own."""
        search = self._search(listing) if _answer(listing) is None and listing.number == 1 else None
        return Following(url=search) if search else None

    def _search(self, listing: Listing) -> str | None:
        """The search's page behind what *listing* shows: the second of that many results, or the first."""
        program = self._program(listing)
        shown = sum(1 for _ in self.links(listing))
        page, size = (2, shown) if shown else (1, PAGE_SIZE)
        return urljoin(listing.url, f"{program}?{ANSWER}&_pageSize={size}&page={page}") if program else None

    @staticmethod
    def _program(listing: Listing) -> str | None:
        """Path of the search that fills this column's list; None where the page was made with its list."""
        search = None if CREATE_PAGE.search(listing.text) else SEARCH.search(listing.text)
        named = search if search is None or search["channel"] else CHANNEL.search(listing.text)
        return f"{search['path']}{named['channel']}" if search and named else None


def _answer(listing: Listing) -> dict[str, Any] | None:
    """The search's ``data``, or None where *listing* is a page."""
    if not listing.text.lstrip("\ufeff \r\n\t").startswith("{"):
        return None
    try:
        answer = json.loads(listing.text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return {}
    data = answer.get("data")
    return data if isinstance(data, dict) else {}


def _found(answer: dict[str, Any]) -> list[dict[str, Any]]:
    results = answer.get("results")
    return [each for each in results if isinstance(each, dict)] if isinstance(results, list) else []


def _results(listing: Listing, answer: dict[str, Any]) -> Iterator[Link]:
    for result in _found(answer):
        url = absolute(listing.url, str(result.get("url") or ""))
        title = unescape(TAG.sub("", str(result.get("title") or "")))  # what was searched for is marked
        day = dates.find(str(result.get("publishedTimeStr") or ""))
        if url:
            yield Link(url=url, title=" ".join(title.split()) or None, published=day.value if day else None)


def _next_answer(listing: Listing, answer: dict[str, Any]) -> str | None:
    """The search's next page, as long as fewer results were shown than it counts."""
    query = parse_qs(urlsplit(listing.url).query)
    page, size = (_number(query.get(name, [""])[0]) for name in ("page", "_pageSize"))
    total, shown = _number(str(answer.get("total"))), (page or 1) * (size or len(_found(answer)))
    return with_parameter(listing.url, "page", (page or 1) + 1) if shown < total else None


def _number(text: str) -> int:
    """*text* as a number; 0 where it is none, or longer than any count of articles."""
    return int(text) if text.isdecimal() and len(text) < 10 else 0
