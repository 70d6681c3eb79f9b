"""Boda VSB (博达网站群): ``xwzx/zqyw.htm``, articles ``/info/1002/1234.htm``; page numbers run backwards."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from spiders.base import PortalSpider
from spiders.listing import Link, Listing, dated_like
from spiders.pagers import next_link, numbered_link

ARTICLE = re.compile(r"/info/\d+/\d+\.htm(?:$|\?)|[?&]urltype=news\.NewsContentUrl(?:&|$)")
"""As a file, or by the program behind it (``content.jsp?urltype=news.NewsContentUrl&wbtreeid=…&wbnewsid=…``)."""


class VsbSpider(PortalSpider):
    """Page 2 of ``zqyw.htm`` with N pages is ``zqyw/{N-1}.htm``, the last one ``zqyw/1.htm``."""

    name = "vsb"

    def links(self, listing: Listing) -> Iterator[Link]:
        """The ``info`` pages of the page's dated list."""
        return dated_like(listing, self.article_pattern or ARTICLE)

    def next_page(self, listing: Listing) -> str | None:
        """By the pager's links, which know the numbers; only within the column."""
        following = next_link(listing) or numbered_link(listing)
        return following if following and _is_of_column(listing, urlsplit(following).path) else None


def _is_of_column(listing: Listing, path: str) -> bool:
    """Whether *path* is a numbered page below the column's own name, or the program that the list itself comes from."""
    here = urlsplit(listing.url).path
    stem = here.removesuffix(".htm")
    column = stem if listing.number == 1 else stem.rpartition("/")[0]
    below = path.removeprefix(f"{column}/").removesuffix(".htm")
    return below.isdecimal() or (path == here and here.endswith(".jsp"))
