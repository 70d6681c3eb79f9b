"""Hanweb JCMS (大汉): a list's first records lie in a data island, later ones come in batches from a program."""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode

from crawler.text import dates
from crawler.text.urls import absolute
from spiders.base import PortalSpider
from spiders.listing import Following, Link, Listing, dated_like, headline
from spiders.pagers import next_link

ARTICLE = re.compile(
    r"^[^?#]*/art/(?:\d{4}/\d{1,2}/\d{1,2}/art_\d+_\d+|\d{4}/art_(?:\d+_\d+|[0-9a-f]{32}))\.html(?:[?#]|$)"
)
NEXT_GROUP = re.compile(
    r"<nextgroup>\s*<!\[CDATA\[\s*<a\s[^>]*?href=['\"]?([^'\">\s]*dataproxy\.jsp\?[^'\">]+)", re.IGNORECASE
)
TOTAL = re.compile(r"totalRecord['\"]?\s*:\s*['\"]?(\d{1,9})|<totalrecord>\s*(\d{1,9})\s*<", re.IGNORECASE)
PER_PAGE = re.compile(r"perPage['\"]?\s*:\s*['\"]?([1-9]\d{0,3})", re.IGNORECASE)
PROXY = re.compile(r"proxyUrl['\"]?\s*:\s*['\"]([^'\"]+)", re.IGNORECASE)
CDATA = "<![CDATA["
COLUMN = re.compile(r"/col/col(\d+)/")
SCRIPT_NAMES = ("webid", "path", "columnid", "unitid", "webname", "permissiontype")
PAGES_A_BATCH = 3
"""The portals' own script (jpage) asks for the records of three pages at once."""


class JcmsSpider(PortalSpider):
    """``/col/col1234/index.html``; a page number in the address is the browser's business and changes nothing."""

    name = "jcms"

    def links(self, listing: Listing) -> Iterator[Link]:
        """One article a record; on columns without a data island, what their dated lists name."""
        pattern = self.article_pattern or ARTICLE
        store = store_of(listing)
        if not store and not listing.state:
            yield from dated_like(listing, pattern)
        for record in records_of(store):
            link = link_of(record, page=listing.state.get("page", listing.url), pattern=pattern)
            if link:
                yield link

    def next_page(self, listing: Listing) -> Following | str | None:
        """The next batch of records, counted from 1, until the column's total is reached."""
        store = store_of(listing)
        unit = listing.state or unit_of(listing, store)
        if not unit:
            return None if store else next_link(listing)
        if not listing.state or unit["head"] not in {"", head_of(store, unit["page"])}:
            return page_after(unit) if unit.get("is_paged") else batch_after(unit)
        if unit.get("is_paged"):
            return None
        return page_after({**unit, "last": unit["last"] - PAGES_A_BATCH * unit["per_page"]})


def store_of(listing: Listing) -> str:
    """The list's records: of several islands, that of the page's own column, else the one with most records."""
    stores = [piece.partition("</datastore>")[0] for piece in listing.text.split("<datastore>")[1:]]
    column = COLUMN.search(listing.url)
    own = [store for store in stores if column and re.search(rf"columnid={column[1]}(?!\d)", store)]
    return max(own or stores, key=lambda store: len(records_of(store)), default="")


def records_of(store: str) -> list[str]:
    """The markup of each record, which is wrapped in CDATA."""
    pieces = (piece.lstrip() for piece in store.split("<record>")[1:])
    return [piece[len(CDATA) :].partition("]]>")[0] for piece in pieces if piece.startswith(CDATA)]


def unit_of(listing: Listing, store: str) -> Mapping[str, Any]:
    """What later batches are asked for with, from a column page; empty where its records are all there are.

    Which unit of the page's template shows the column stands in the island's ``nextgroup`` link only, and differs from
    column to column; some portals encrypt it, so its values are handed back as they are.
    """
    group = NEXT_GROUP.search(store)
    if group is None:
        return {}
    href = unescape(group[1])
    values = dict(parse_qsl(href.partition("?")[2], keep_blank_values=True))
    script = listing.text[listing.text.find(store) + len(store) :]
    total, per_page = TOTAL.search(store) or TOTAL.search(script), PER_PAGE.search(script)
    proxy = PROXY.search(script)
    address = absolute(listing.base, proxy[1] if proxy else href.partition("?")[0])
    if total is None or address is None or not {"columnid", "unitid"} <= values.keys():
        return {}
    given = {name: values[name] for name in SCRIPT_NAMES if name in values}
    return {
        "page": listing.url,
        "proxy": address.partition("?")[0],
        "form": {"col": "1", "appid": "1", "sourceContentType": "1", "permissiontype": "0", **given},
        "total": int(total[1] or total[2]),
        "per_page": int(per_page[1]) if per_page else 15,
        "last": len(records_of(store)),
        "head": head_of(store, listing.url),
    }


def batch_after(unit: Mapping[str, Any]) -> Following | None:
    """How the records behind the last ones are asked for, as the portals' own script does it."""
    first, last = unit["last"] + 1, unit["last"] + PAGES_A_BATCH * unit["per_page"]
    if first > unit["total"]:
        return None
    span = urlencode({"startrecord": first, "endrecord": last, "perpage": unit["per_page"]})
    return Following(
        url=f"{unit['proxy']}?{span}",
        method="POST",
        body=urlencode(unit["form"]),
        headers={
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "X-Requested-With": "XMLHttpRequest",
            "Referer": unit["page"],
        },
        state={**unit, "last": last},
    )


def page_after(unit: Mapping[str, Any]) -> Following | None:
    """How the page behind the last record is asked for from a program that answers every batch with its first one."""
    if unit["last"] >= unit["total"]:
        return None
    number = unit["last"] // unit["per_page"] + 1
    query = urlencode({"page": number, "perpage": unit["per_page"], **unit["form"]})
    headers = {"X-Requested-With": "XMLHttpRequest", "Referer": unit["page"]}
    state = {**unit, "last": number * unit["per_page"], "is_paged": True}
    return Following(url=f"{unit['proxy']}?{query}", headers=headers, state=state)


def head_of(store: str, page: str) -> str:
    """The address in the first record of *store*; empty where there is none."""
    parts = (Listing.parse(url=page, number=1, text=record) for record in records_of(store)[:1])
    return next((url for part in parts for _, url in part.anchors()), "")


def link_of(record: str, *, page: str, pattern: re.Pattern[str]) -> Link | None:
    """The article of one record (``<li>``, a table's row …), relative to *page*; None where there is none."""
    part = Listing.parse(url=page, number=1, text=f"<div>{record}</div>")
    for anchor, url in part.anchors():
        if pattern.search(url):
            words = anchor.text_content()
            around = part.tree.text_content().replace(words, " ", 1)
            day = dates.find(around) or dates.find(words[-20:])
            return Link(url=url, title=headline(anchor) or None, published=day.value if day else None)
    return None
