"""Any site with a sitemap: the catalogue's ``sitemaps``, which every portal has read, and no list pages."""

from collections.abc import Iterator

import scrapy

from spiders.base import PortalSpider


class SitemapSpider(PortalSpider):
    """Reads the parts of an index that changed since they were read, and takes what looks like an article."""

    name = "sitemap"

    def first_pages(self) -> Iterator[scrapy.Request]:
        """None: ``lists`` are left alone."""
        if not self.portal.sitemaps:
            self.session.tally(self.portal.id).fail(self.portal.homepage, "no sitemaps in the catalogue", is_list=True)
        yield from ()
