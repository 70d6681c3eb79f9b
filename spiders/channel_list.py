"""Hebei's platform (张家口 and others): ``/channel/list/11.html``, articles ``/single/{channel}/{id}.html``."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from spiders.base import PortalSpider
from spiders.listing import Link, Listing, dated_like
from spiders.pagers import next_link, numbered_link

ARTICLE = re.compile(r"/single/\d+/\d+\.html(?:$|\?)|/content/(?:19|20)\d\d/\d+\.html(?:$|\?)")
"""The second form is of the software before, whose articles are still listed."""
CHANNEL = re.compile(r"^/(?:channel/(?:list/)?|list/)(\d+)(?=[/_.])")


class ChannelListSpider(PortalSpider):
    """Pages that the server prints with their pager, a ``ul.pagination``."""

    name = "channel_list"

    def links(self, listing: Listing) -> Iterator[Link]:
        """The ``single`` pages of the page's dated list."""
        return dated_like(listing, self.article_pattern or ARTICLE)

    def next_page(self, listing: Listing) -> str | None:
        """By the pager's links, within the channel. On its last page 下一页 leads to that page itself."""
        following = next_link(listing) or numbered_link(listing)
        is_next = following and following != listing.url and _channel(following) == _channel(listing.url)
        return following if is_next else None


def _channel(url: str) -> str | None:
    found = CHANNEL.match(urlsplit(url).path)
    return found[1] if found else None
