"""EmpireCMS (帝国): static columns with ``index_2.html``, or ``/e/action/ListInfo/?classid=3``, which counts from 0."""

import re
from collections.abc import Iterator

from spiders.base import PortalSpider
from spiders.listing import Link, Listing, links_like
from spiders.pagers import next_link, numbered_link, query_link

ARTICLE = re.compile(
    r"/e/action/ShowInfo(?:\.php|/)?\?(?=(?:[^#]*&)?id=\d)"
    r"|/(?:19|20)\d{2}-?\d{2}-?\d{2}/(?:\d+|[0-9a-f]{32})\.s?html?$"  # /xinwen/2014-06-03/123.html, as installed
    r"|/[a-z][\w-]*/(?:\d+|[0-9a-f]{32})\.s?html?$",  # /xinwen/123.html
    re.IGNORECASE,
)


class EmpirecmsSpider(PortalSpider):
    """Static and dynamic lists have the same pager: numbers, 下一页, 尾页."""

    name = "empirecms"

    def links(self, listing: Listing) -> Iterator[Link]:
        """What leads to a number or a hash in a column's folder, or to ``ShowInfo``."""
        return links_like(listing, self.article_pattern or ARTICLE)

    def next_page(self, listing: Listing) -> str | None:
        """The second page of a dynamic list is ``page=1``."""
        if "/e/action/" in listing.url:
            return query_link(listing, "page", first=0)
        return next_link(listing) or numbered_link(listing)
