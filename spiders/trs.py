"""TRS WCM (拓尔思): lists that are folders (``/xwzx/zwyw/``), articles named ``t20240423_4604853.html``."""

import re
from collections.abc import Iterator

from spiders.base import PortalSpider
from spiders.listing import Link, Listing, dated_like
from spiders.pagers import count_page_variable, create_page_script, next_link

ARTICLE = re.compile(r"/t(?:\d{8}_\d+|\d{6,})\.s?html?(?:$|\?)")
"""With the day of its creation and a number; in Guangxi the number alone."""
LATER_PAGE = re.compile(r"_\d+\.s?html?(?:$|\?)")


class TrsSpider(PortalSpider):
    """``index.html``, ``index_1.html`` …: the second page is number 1."""

    name = "trs"

    def links(self, listing: Listing) -> Iterator[Link]:
        """The ``t…`` pages of the page's dated list."""
        return dated_like(listing, self.article_pattern or ARTICLE)

    def next_page(self, listing: Listing) -> str | None:
        """By what the pager's script is called with, or what it counts itself; some templates print links."""
        following = create_page_script(listing) or count_page_variable(listing) or next_link(listing)
        return following if following and LATER_PAGE.search(following) else None  # an arrow may be a side column's 更多
