"""Small portals on classic ASP and ASP.NET, most of them written by hand: ``list.asp?s=8``, ``Show.aspx?id=12``."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

from lxml import html

from crawler.text.urls import absolute
from spiders.base import PortalSpider
from spiders.listing import Following, Link, Listing, label, links_like
from spiders.pagers import NEXT_WORDS, next_link, numbered_link

NO_ARTICLE = (
    "list|more|class|type|index|default|search|about|contact|login|register|vote|guest|message|down|sort|special"
    "|column|category|lanmu|print|rss|map"
)
"""Words in the names of programs that show something else."""
ARTICLE = re.compile(
    rf"/(?![\w-]*(?:{NO_ARTICLE}))[\w-]+\.aspx?\?(?=(?:[^#]*&)?(?:\w*id|n)=\w)"
    r"|/Article/(?:[\w-]+/)*(?:19|20)\d{4}/\d+\.(?:html?|s?html|asp)$",  # 动易: /Article/xwzx/201406/123.html
    re.IGNORECASE,
)
POSTBACK = re.compile(r"__doPostBack\('(?P<target>[^']*)','(?P<argument>[^']*)'\)")


class AspSpider(PortalSpider):
    """Reads lists whose articles are shown by another program than the list, by number."""

    name = "asp"

    def links(self, listing: Listing) -> Iterator[Link]:
        """What calls another program with an id; menus call the list's own."""
        own = urlsplit(listing.url).path.lower()
        for link in links_like(listing, self.article_pattern or ARTICLE):
            if self.article_pattern is not None or urlsplit(link.url).path.lower() != own:
                yield link

    def next_page(self, listing: Listing) -> str | Following | None:
        """By link, or as the form of an ASP.NET page posts itself."""
        return next_link(listing) or postback(listing) or numbered_link(listing)


def postback(listing: Listing) -> Following | None:
    """What ASP.NET's 下一页 posts: the page's form with its hidden state, and which control was clicked."""
    for anchor in listing.tree.iter("a"):
        called = POSTBACK.search(anchor.get("href") or "")
        if called and NEXT_WORDS.match(label(anchor)):
            form = next(anchor.iterancestors("form"), None)
            return _posted(listing, form, called["target"], called["argument"]) if form is not None else None
    return None


def _posted(listing: Listing, form: html.HtmlElement, target: str, argument: str) -> Following | None:
    url = absolute(listing.base, form.get("action") or listing.url)
    hidden = {
        str(field.get("name")): field.get("value") or ""
        for field in form.iter("input")
        if field.get("name") and (field.get("type") or "").lower() == "hidden"
    }
    body = urlencode({**hidden, "__EVENTTARGET": target, "__EVENTARGUMENT": argument})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return Following(url=url, method="POST", body=body, headers=headers) if url else None
