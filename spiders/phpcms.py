"""PHPCMS v9 and its descendant Xunrui CMS (迅睿): dynamic, rewritten and static addresses."""

import re
from collections.abc import Iterator

from spiders.base import PortalSpider
from spiders.listing import Link, Listing, links_like
from spiders.pagers import next_link, numbered_link, query_link

ARTICLE = re.compile(
    r"\?(?=(?:[^#]*&)?[ac]=show(?:&|$))(?=(?:[^#]*&)?id=\d)"  # index.php?m=content&c=index&a=show&catid=9&id=12
    r"|/(?:show|content)-\d+-\d+-1\.html$"  # /show-9-12-1.html: column, article, its page
    r"|/(?:19|20)\d{2}(?:/\d{4}|/\d{2}/\d{2}|/?\d{2})/\d+\.s?html$",  # /html/xinwen/2014/0603/12.html
)


class PhpcmsSpider(PortalSpider):
    """``a=lists&catid=9&page=2``, ``list-9-2.html`` or ``/html/xinwen/2.html``: all have a pager of links."""

    name = "phpcms"

    def links(self, listing: Listing) -> Iterator[Link]:
        """What asks for ``show``, or for the first page of a static article."""
        return links_like(listing, self.article_pattern or ARTICLE)

    def next_page(self, listing: Listing) -> str | None:
        """By ``page``, which counts from 1; by link. On the last page 下一页 leads to the page itself."""
        if "?" in listing.url:
            return query_link(listing, "page")
        return numbered_link(listing) or next_link(listing)
