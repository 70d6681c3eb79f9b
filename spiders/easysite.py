"""EasySite (汇蓝, Huilan): articles ``/web/ywdt/1545021/index.html``; the pager names its pages itself.

Known from public readers of the customs' and the central bank's sites: later pages are files beside the column
(``21892-2.html``, whose number follows from nothing), or come from ``/eportal/ui``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urljoin

from crawler.text.urls import absolute
from spiders.base import PortalSpider
from spiders.listing import Following, Link, Listing, label, links_like
from spiders.pagers import NEXT_WORDS, next_link

ARTICLE = re.compile(r"/\d{4,}/(?:index\.s?html?)?$")
QUERY = re.compile(r"queryArticleByCondition\(\s*this\s*,\s*'([^']+)'")
PROGRAM = "/eportal/ui"


class EasysiteSpider(PortalSpider):
    """A numbered folder is an article where it is dated or lies in the list's own folder: columns have numbers too."""

    name = "easysite"

    def links(self, listing: Listing) -> Iterator[Link]:
        """What leads to a numbered folder; links of later pages are relative to the column."""
        column = str(listing.state.get("column", listing.url))
        folder = urljoin(column, ".")
        for link in links_like(replace(listing, url=column), self.article_pattern or ARTICLE):
            if self.article_pattern is not None or link.published or link.url.startswith(folder):
                yield link

    def next_page(self, listing: Listing) -> Following | str | None:
        """Where 下一页 says; else by the numbers in the pager's hidden field."""
        state = {"column": str(listing.state.get("column", listing.url)), **page_of(listing)}
        url = _named(listing) or _numbered(listing, state)
        return Following(url=url, state=state) if url else next_link(listing)


def page_of(listing: Listing) -> Mapping[str, Any]:
    """The column's own number on this platform, which later pages no longer tell."""
    values = listing.tree.xpath("//input[@id='eprotalCurrentPageId']/@value")  # really spelt so
    return {"page": str(values[0])} if values else {"page": listing.state.get("page")}


def _named(listing: Listing) -> str | None:
    """The address in the script call or the attribute of 下一页."""
    for anchor in listing.tree.iter("a"):
        if NEXT_WORDS.match(label(anchor)):
            called = QUERY.search(anchor.get("onclick") or "")
            address = called[1] if called else anchor.get("tagname") or ""
            url = absolute(listing.base, address) if "[" not in address else None  # [NEXTPAGE]: there is none
            if url:
                return url
    return None


def _numbered(listing: Listing, state: Mapping[str, Any]) -> str | None:
    """The program's address of the next page, where the pager tells how many there are and whose they are."""
    for field in listing.tree.xpath("//input[@name='article_paging_list_hidden']"):
        total, module = field.get("totalpage") or "", field.get("moduleid") or ""
        if state["page"] and module and total.isdecimal() and listing.number < int(total[:6]):
            query = {"pageId": state["page"], "currentPage": listing.number + 1, "moduleId": module}
            return urljoin(listing.url, f"{PROGRAM}?{urlencode(query)}&staticRequest=yes")
    return None
