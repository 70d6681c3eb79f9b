"""Portals that name columns and articles by UUID: the counties of 雅安, and 石家庄 with Hebei's own portal."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin

from spiders.base import PortalSpider
from spiders.listing import Link, Listing, links_like
from spiders.pagers import next_link, query_link, with_parameter

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ARTICLE = re.compile(rf"/show/{UUID}\.html|/columns/{UUID}/\d{{6}}/\d{{2}}/{UUID}\.html", re.IGNORECASE)
BLOCK = re.compile(rf"/columns/{UUID}/templates/{UUID}/blocks/{UUID}(?=\?)", re.IGNORECASE)
"""Hebei: the program that a column's list comes from, page by page (``?page=2&fix=0``)."""


class UuidListSpider(PortalSpider):
    """``/xinwen/list/{uuid}.html`` (雅安) and ``/columns/{uuid}/index.html`` (Hebei)."""

    name = "uuid_list"

    def links(self, listing: Listing) -> Iterator[Link]:
        """What leads to a ``show`` page, or to a page below a column and its day."""
        return links_like(listing, self.article_pattern or ARTICLE)

    def next_page(self, listing: Listing) -> str | None:
        """By link, by ``?page=``, or from the column's block, whose pages are bare list items."""
        return next_link(listing) or query_link(listing, "page") or self._of_block(listing)

    @staticmethod
    def _of_block(listing: Listing) -> str | None:
        """The block's next page: its address stands in the column's script, and later is the page's own."""
        found = BLOCK.search(listing.url) or BLOCK.search(listing.text)
        if found is None:
            return None
        block = listing.url if BLOCK.search(listing.url) else urljoin(listing.url, f"{found[0]}?fix=0")
        return with_parameter(block, "page", listing.number + 1)
