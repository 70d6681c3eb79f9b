"""News sites on Founder's publishing system: channels ``node_12.htm``, articles ``2021-11/08/content_1182097.htm``."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin

from spiders.base import PortalSpider
from spiders.listing import Link, Listing, links_like
from spiders.pagers import next_link

ARTICLE = re.compile(r"/(?:19|20)\d{2}-\d{2}/\d{2}/(?:content_)?\d+\.s?html?$")
"""Further pages of an article (``content_1182097_2.htm``) are not taken for articles."""
NODE = re.compile(r"(?P<stem>node_\d+)(?:_\d+)?\.(?P<ext>s?html?)$")
COUNT = re.compile(r"\bcountPage\s*=\s*(\d{1,5})\b")
"""In the script that draws the pager: how many pages the channel has."""


class FounderSpider(PortalSpider):
    """The second page of ``node_12.htm`` is ``node_12_2.htm``."""

    name = "founder"

    def links(self, listing: Listing) -> Iterator[Link]:
        """What leads to a page below a day."""
        return links_like(listing, self.article_pattern or ARTICLE)

    def next_page(self, listing: Listing) -> str | None:
        """By link, or by the numbers in the pager's script."""
        node, count = NODE.search(listing.url), COUNT.search(listing.text)
        if node and count and listing.number < int(count[1]):
            return urljoin(listing.url, f"{node['stem']}_{listing.number + 1}.{node['ext']}")
        return None if count else next_link(listing)
