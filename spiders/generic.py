"""The spider for portals whose software is unknown: links by their shape, pages by numbers or 下一页."""

from collections.abc import Iterator

from spiders.addresses import may_be_article
from spiders.base import PortalSpider
from spiders.listing import Link, Listing, dated, label
from spiders.pagers import create_page_script, next_link, numbered_link

MIN_TITLE = 4
"""Shorter link texts are 首页, 更多, page numbers."""


class GenericSpider(PortalSpider):
    """Reads list pages of any portal."""

    name = "generic"

    def links(self, listing: Listing) -> Iterator[Link]:
        """The links of the page's dated lists; where no list has dates, those of its wordiest one."""
        return dated(
            [(anchor, url) for anchor, url in listing.anchors() if self._may_be_article(listing, url, label(anchor))]
        )

    def next_page(self, listing: Listing) -> str | None:
        """By script call, by number, by 下一页."""
        return create_page_script(listing) or numbered_link(listing) or next_link(listing)

    def _may_be_article(self, listing: Listing, url: str, title: str) -> bool:
        if self.article_pattern is not None:
            return self.article_pattern.search(url) is not None
        is_other_page = url.split("#", maxsplit=1)[0] != listing.url
        return len(title) >= MIN_TITLE and is_other_page and may_be_article(url)
