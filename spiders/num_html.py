"""Shaanxi's platform: lists ``/xw/xayw/1.html``, ``2.html`` …; articles named by a number of 17 to 20 digits."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from spiders.base import PortalSpider
from spiders.listing import Link, Listing, dated_like
from spiders.pagers import next_link, numbered_link, pages_in_words

ARTICLE = re.compile(r"/\d{17,20}\.html(?:$|\?)|/contents/\d+/\d+\.html(?:$|\?)")
"""A number that counts milliseconds; 宝丰 and others below ``contents``, the column and a short number."""
NUMBERED = re.compile(r"(?P<folder>.*/)(?P<number>\d{1,5})\.html")
CHANNEL = re.compile(r"/channels/\d+(?:_\d+)?\.html")
PAGE_COUNT = re.compile(r"\b(?:pageCount|countPage|totalPages?)['\"]?\s*[:=]\s*['\"]?(\d{1,5})\b", re.IGNORECASE)


class NumHtmlSpider(PortalSpider):
    """The list's pages are its folder's files."""

    name = "num_html"

    def links(self, listing: Listing) -> Iterator[Link]:
        """What the page's dated list names by such a number."""
        return dated_like(listing, self.article_pattern or ARTICLE)

    def next_page(self, listing: Listing) -> str | None:
        """By link; where the pager is a script, the next number as long as the page's own count allows it."""
        following = next_link(listing) or numbered_link(listing)
        if following and _is_of_list(listing.url, following):
            return following
        here = NUMBERED.fullmatch(urlsplit(listing.url).path)
        counted = PAGE_COUNT.search(listing.text)
        pages = int(counted[1]) if counted else pages_in_words(listing)
        if here is None or not int(here["number"]) == listing.number < pages:
            return None
        return urljoin(listing.url, f"{listing.number + 1}.html")


def _is_of_list(listing_url: str, url: str) -> bool:
    """Whether both addresses are numbered pages of one folder, or pages of channels."""
    here, there = urlsplit(listing_url).path, urlsplit(url).path
    first, second = NUMBERED.fullmatch(here), NUMBERED.fullmatch(there)
    if first and second and not CHANNEL.fullmatch(here):
        return first["folder"] == second["folder"]
    stem = here.removesuffix(".html").partition("_")[0]
    return bool(CHANNEL.fullmatch(here) and CHANNEL.fullmatch(there) and there.startswith(f"{stem}_"))
