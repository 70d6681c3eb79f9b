"""Portals whose lists come from ``/info/iList.jsp`` (绵竹, 广汉 and other counties of Sichuan, some of Xinjiang)."""

import re
from collections.abc import Iterator

from spiders.base import PortalSpider
from spiders.listing import Link, Listing, links_like
from spiders.pagers import next_link, query_link

ARTICLE = re.compile(r"//[^/?#]+/(?:[\w-]+/)+\d{3,}\.html?$")
"""The column's own path and a bare number: ``/zwgk/x/y/1234.htm``."""


class IlistSpider(PortalSpider):
    """``iList.jsp?cat_id=10015&cur_page=2``; articles are static pages."""

    name = "ilist"

    def links(self, listing: Listing) -> Iterator[Link]:
        """What leads to a numbered page in a column's folder."""
        return links_like(listing, self.article_pattern or ARTICLE)

    def next_page(self, listing: Listing) -> str | None:
        """``cur_page`` counts from 1."""
        return query_link(listing, "cur_page") or next_link(listing)
