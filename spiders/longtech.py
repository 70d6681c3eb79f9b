"""Longtech (龙讯, Anhui and others): columns page by ``?pageIndex=``, disclosure lists as markup from one program."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qsl, urlencode, urlsplit

from crawler.text.urls import absolute
from spiders.base import PortalSpider
from spiders.listing import Following, Link, Listing, dated_like
from spiders.pagers import next_link, with_parameter

ARTICLE = re.compile(
    r"^[^?#]*/(?:public/\d+/\d+\.html|content/article/\d+|(?!public/|column/)[A-Za-z][\w-]*/\d{5,}\.html)(?:[?#]|$)"
)
LOCATION = re.compile(r"location\.href\s*=\s*['\"]([^'\"]{1,500}[?&]pageIndex=)['\"]\s*\+\s*pageIndex")
PAGE_COUNT = re.compile(r"pageCount['\"]?\s*:\s*['\"]?(\d{1,6})")
LABEL = re.compile(r"['\"]([^'\"\s]{0,500}/site/label/8888(?:\?[^'\"\s]{0,2000})?)['\"]")
OPTIONS = re.compile(r"\{[^{}]{0,3000}publicInfoList[^{}]{0,3000}\}")
OPTION = re.compile(r"['\"]?(\w+)['\"]?\s*:\s*(?:['\"]([^'\"]*)['\"]|(\d+|true|false)\b)")
LABEL_PATH = "/site/label/8888"


class LongtechSpider(PortalSpider):
    """``/zwyw/jryw/index.html``, ``/content/column/6791573``, ``/public/column/6617041?type=4&catId=…&action=list``."""

    name = "longtech"

    def behind(self, listing: Listing) -> Following | None:
        """A disclosure column without articles is a shell: its first page is asked for like the later ones."""
        label = label_of(listing)
        return page_of(label, 1, referer=listing.url) if label else None

    def links(self, listing: Listing) -> Iterator[Link]:
        """The articles of the page's dated lists."""
        return dated_like(listing, self.article_pattern or ARTICLE)

    def next_page(self, listing: Listing) -> Following | str | None:
        """By the page count in the pager's script: columns name the address beside it, disclosure lists the program."""
        count = PAGE_COUNT.search(listing.text)
        if count is None:
            return next_link(listing)
        wanted = listing.number + 1
        if wanted > int(count[1]):
            return None
        location = LOCATION.search(listing.text)
        if location:
            return absolute(listing.base, f"{unescape(location[1])}{wanted}")
        label = listing.url if LABEL_PATH in urlsplit(listing.url).path else label_of(listing)
        return page_of(label, wanted, referer=listing.state.get("referer", listing.url)) if label else None


def label_of(listing: Listing) -> str | None:
    """The address of the program that lists the column, from the shell's script: whole, or with its options apart."""
    if LABEL_PATH in urlsplit(listing.url).path:
        return None
    addresses = [unescape(found) for found in LABEL.findall(listing.text)]
    for address in addresses:
        if "publicInfoList" in address:
            return absolute(listing.base, address)
    options = OPTIONS.search(listing.text)
    if options is None:
        return None
    values = {name: text or plain for name, text, plain in OPTION.findall(options[0])}
    address = addresses[0] if addresses else LABEL_PATH
    query = {**dict(parse_qsl(urlsplit(address).query)), **values}
    query.pop("_", None)  # a random number against caches
    return absolute(listing.base, f"{address.partition('?')[0]}?{urlencode(query)}")


def page_of(label: str, number: int, *, referer: str) -> Following:
    """How the program is asked for a page; the first is 1."""
    return Following(
        url=with_parameter(label, "pageIndex", number),
        headers={"Referer": referer, "X-Requested-With": "XMLHttpRequest"},
        state={"referer": referer},
    )
