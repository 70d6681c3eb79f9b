"""DedeCMS (织梦): lists ``/a/xw/list_3_2.html`` or ``/plus/list.php?tid=3``, articles ``/a/xw/2014/0603/123.html``."""

import re
from collections.abc import Iterator

from spiders.base import PortalSpider
from spiders.listing import Link, Listing, links_like
from spiders.pagers import next_link, numbered_link, query_link

ARTICLE = re.compile(
    r"/(?:19|20)\d{2}(?:/\d{4}|/\d{2}/\d{2}|/\d{2}|\d{4})/\d+\.html?$|/plus/view\.php\?(?:[^#]*&)?aid=\d+",
    re.IGNORECASE,
)
"""Further pages of an article (``123_2.html``) are not taken for articles."""


class DedecmsSpider(PortalSpider):
    """Its pager has links in both dialects; the dynamic ones carry the total along (``TotalResult=98&PageNo=2``)."""

    name = "dedecms"

    def links(self, listing: Listing) -> Iterator[Link]:
        """What leads to a number below a day, or to ``view.php``."""
        return links_like(listing, self.article_pattern or ARTICLE)

    def next_page(self, listing: Listing) -> str | None:
        """By link; dynamic lists count ``PageNo`` from 1."""
        if "list.php?" in listing.url:
            return query_link(listing, "PageNo")
        return next_link(listing) or numbered_link(listing)
