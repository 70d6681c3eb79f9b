"""Any site with RSS or Atom: the catalogue's ``feeds``, which every portal has read, and no list pages."""

from collections.abc import Iterator

import scrapy

from spiders import feeds
from spiders.base import PortalSpider
from spiders.listing import Link, Listing


class FeedSpider(PortalSpider):
    """One request a feed and night; a feed names its newest articles only."""

    name = "feed"

    def first_pages(self) -> Iterator[scrapy.Request]:
        """None: ``lists`` are left alone."""
        if not self.portal.feeds:
            self.session.tally(self.portal.id).fail(self.portal.homepage, "no feeds in the catalogue", is_list=True)
        yield from ()

    def links(self, listing: Listing) -> Iterator[Link]:
        """The entries of a page that is a feed. Raises XmlError for what is none."""
        return feeds.entries(listing.url, listing.text)

    def next_page(self, listing: Listing) -> None:
        """A feed has none."""
