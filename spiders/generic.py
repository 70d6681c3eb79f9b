"""The spider for portals whose software is unknown: links by their shape, pages by numbers or 下一页."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from spiders.base import PortalSpider
from spiders.listing import Link, Listing, date_near, label, shape
from spiders.pagers import create_page_script, next_link, numbered_link

ARTICLE_PATH = re.compile(
    r"""(?:^|[/_=-])(?:
        t?(?:19|20)\d{2}[-/_]?\d{1,2}[-/_]?\d{0,2}   # a date
      | \w*[0-9a-f]{32}                              # a hash
      | [0-9a-f]{8}-[0-9a-f-]{27}                    # a uuid
      | [a-z_]*\d{2,}                                # a number
    )[\w-]*(?:\.\w{2,6})?/?$""",
    re.IGNORECASE | re.VERBOSE,
)
LIST_NAME = re.compile(
    r"(?:^|/)(?:index|list|default|node|channel|col|more|search|tag|page)[\w-]*(?:\.\w{2,6})?/?$", re.IGNORECASE
)
FILE_NAME = re.compile(
    r"\.(?:pdf|docx?|xlsx?|pptx?|zip|rar|7z|jpe?g|png|gif|bmp|mp[34]|avi|exe|apk|css|js)$", re.IGNORECASE
)
MIN_TITLE = 4
"""Shorter link texts are 首页, 更多, page numbers."""


class GenericSpider(PortalSpider):
    """Reads list pages of any portal."""

    name = "generic"

    def links(self, listing: Listing) -> Iterator[Link]:
        """The links of the page's dated lists; where no list has dates, those of its largest one."""
        candidates = [
            (anchor, url) for anchor, url in listing.anchors() if self._may_be_article(listing, url, label(anchor))
        ]
        groups: dict[tuple[str, ...], list[Link]] = {}
        for anchor, url in candidates:
            link = Link(url=url, title=label(anchor) or None, published=date_near(anchor))
            groups.setdefault(shape(anchor), []).append(link)
        dated = [links for links in groups.values() if 2 * sum(1 for link in links if link.published) > len(links)]
        wordiest = sorted(groups.values(), key=lambda links: -sum(len(link.title or "") for link in links))[:1]
        for links in dated or wordiest:
            yield from links

    def next_page(self, listing: Listing) -> str | None:
        """By script call, by number, by 下一页."""
        return create_page_script(listing) or numbered_link(listing) or next_link(listing)

    def _may_be_article(self, listing: Listing, url: str, title: str) -> bool:
        if self.article_pattern is not None:
            return self.article_pattern.search(url) is not None
        parts = urlsplit(url)
        address = f"{parts.path}?{parts.query}" if parts.query else parts.path
        is_other_page = url.split("#", maxsplit=1)[0] != listing.url
        looks_right = ARTICLE_PATH.search(parts.path) or re.search(
            r"(?:id|aid|newsid|articleid)=\d+", parts.query, re.IGNORECASE
        )
        looks_wrong = LIST_NAME.search(parts.path) or FILE_NAME.search(parts.path)
        return bool(len(title) >= MIN_TITLE and is_other_page and address != "/" and looks_right and not looks_wrong)
