"""Hanweb's newer platform (jpaas): lists are pieces of markup inside JSON, from one address for all columns."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from lxml import html

from crawler.text.urls import absolute
from spiders.base import PortalSpider
from spiders.jcms import ARTICLE
from spiders.listing import Following, Link, Listing, dated_like
from spiders.pagers import next_link

PAIR = re.compile(r"['\"](\w+)['\"]\s*:\s*['\"]([^'\"]*)['\"]")
LIST_TAG = re.compile(r"列表|list|内容|信息", re.IGNORECASE)
"""The units of a template that were seen to hold its list are called so."""
COUNT = re.compile(r"[0-9]{1,9}")
UNIT_PATH = "/api-gateway/jpaas-publish-server/front/page/build/unit"
PER_PAGE = 15


class JpaasSpider(PortalSpider):
    """Columns as before (``/col/col1229187636/index.html``), often without an article in the page itself."""

    name = "jpaas"

    def behind(self, listing: Listing) -> Following | None:
        """A column page without articles is a shell: its first page is asked for like the later ones."""
        unit = {} if listing.state else unit_of(listing)
        return page_of(unit, 1) if unit else None

    def links(self, listing: Listing) -> Iterator[Link]:
        """The articles of the page's list, or of the piece of markup that the program sent."""
        return dated_like(markup_of(listing), self.article_pattern or ARTICLE)

    def next_page(self, listing: Listing) -> Following | str | None:
        """The unit's next page; its pager says how many articles there are (``count``), and how many a page has."""
        unit = listing.state or unit_of(listing)
        if not unit:
            return next_link(listing)
        markup = markup_of(listing)
        current = unit.get("number", 1)
        pager = next(iter(markup.tree.xpath("//*[@count and @rows]")), None)
        rows, count = (number_in(pager, name) for name in ("rows", "count"))
        if rows and count is not None and current * rows >= count:
            return None
        return page_of({**unit, "rows": rows or unit["rows"]}, current + 1)


def unit_of(listing: Listing) -> Mapping[str, Any]:
    """The unit that shows the column's list: where it is asked for, and its parameters; empty where there is none.

    They stand in an attribute ``queryData``, in single quotes that are no JSON: ``{'parseType':'bulidstatic', …}``
    (spelt so).
    """
    found = []
    for element in listing.tree.xpath("//*[@querydata]"):
        query = dict(PAIR.findall(element.get("querydata")))
        path = element.get("url") or element.get("uniturl") or UNIT_PATH
        address = absolute(listing.base, path)
        if address and query.keys() >= {"webId", "pageId", "tplSetId"}:
            is_list = element.get("count") is not None or LIST_TAG.search(query.get("tagId", "")) is not None
            found.append((is_list, {"address": address.partition("?")[0], "query": query}))
    best = max(found, key=lambda pair: pair[0], default=(False, None))[1]
    return {**best, "page": listing.url, "rows": PER_PAGE} if best else {}


def page_of(unit: Mapping[str, Any], number: int) -> Following:
    """How a unit's page is asked for: the number counts only inside ``paramJson``, and without Referer comes a 403."""
    wanted = json.dumps({"pageNo": number, "pageSize": unit["rows"]}, separators=(",", ":"))
    return Following(
        url=f"{unit['address']}?{urlencode({**unit['query'], 'paramJson': wanted})}",
        headers={"Referer": unit["page"], "X-Requested-With": "XMLHttpRequest"},
        state={**unit, "number": number},
    )


def markup_of(listing: Listing) -> Listing:
    """The page itself, or the markup inside the program's answer; empty where that is not what was agreed on."""
    if not listing.state:
        return listing
    try:
        data = json.loads(listing.text)["data"]
        markup = data if isinstance(data, str) else data["html"]
    except (ValueError, TypeError, KeyError, RecursionError):
        markup = ""
    text = markup if isinstance(markup, str) else ""
    return Listing.parse(url=listing.state["page"], number=listing.number, text=text)


def number_in(element: html.HtmlElement | None, name: str) -> int | None:
    """The attribute *name* as a number, or None."""
    value = (element.get(name) or "") if element is not None else ""
    return int(value) if COUNT.fullmatch(value) else None
