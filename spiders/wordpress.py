"""WordPress and what imitates its markup: posts are marked as such (``hentry``), whatever their addresses look like."""

import re
from collections.abc import Iterator

from lxml import html

from crawler.text import timestamps
from crawler.text.urls import absolute
from spiders.base import PortalSpider
from spiders.listing import Link, Listing, date_near, label, links_like
from spiders.pagers import next_link, numbered_link

ARTICLE = re.compile(r"/(?:19|20)\d{2}/\d{2}/(?:\d{2}/)?[^/?#]+/?$|/archives/\d+(?:\.html)?/?$|[?&]p=\d+$")
"""Permalinks, for themes without marks: a slug below month or day, a number, ``?p=123``."""
HAS_CLASS = "contains(concat(' ', normalize-space(@class), ' '), ' {} ')"
POST = f"//*[{HAS_CLASS.format('hentry')} or {HAS_CLASS.format('type-post')}] | //article"
HEADLINE = (f".//*[{HAS_CLASS.format('entry-title')}]//a", ".//h1//a | .//h2//a | .//h3//a", ".//a[@rel='bookmark']")
"""A post's date and its 阅读全文 are links to it too."""
OLDER = f"//*[{HAS_CLASS.format('nav-previous')}]//a/@href"
"""In the archives of a blog, what came before stands on the next page."""


class WordpressSpider(PortalSpider):
    """Archives by category: ``/category/news/``, ``/category/news/page/2/``."""

    name = "wordpress"

    def links(self, listing: Listing) -> Iterator[Link]:
        """The headline of each post with the time that its markup gives; without posts, what looks like a permalink."""
        posts = [] if self.article_pattern is not None else list(headlines(listing))
        yield from posts or links_like(listing, self.article_pattern or ARTICLE)

    def next_page(self, listing: Listing) -> str | None:
        """By link: the archive's own pager, or 较早文章."""
        for href in listing.tree.xpath(OLDER):
            return absolute(listing.base, str(href))
        return next_link(listing) or numbered_link(listing)


def headlines(listing: Listing) -> Iterator[Link]:
    """The posts of an archive, in page order."""
    for post in listing.tree.xpath(POST):
        anchor = _headline(post)
        url = absolute(listing.base, anchor.get("href") or "") if anchor is not None else None
        if anchor is not None and url is not None:
            yield Link(url=url, title=label(anchor) or None, published=_published(post) or date_near(anchor))


def _headline(post: html.HtmlElement) -> html.HtmlElement | None:
    """The link of a post's title."""
    found: list[html.HtmlElement] = [anchor for path in HEADLINE for anchor in post.xpath(path) if label(anchor)]
    return found[0] if found else None


def _published(post: html.HtmlElement) -> str | None:
    """The time of publication in a post's markup; its last change is another ``time``."""
    times: list[html.HtmlElement] = post.xpath(".//time[@datetime]")
    times.sort(key=lambda element: "published" not in str(element.get("class") or "").split())
    return timestamps.read(str(times[0].get("datetime"))) if times else None
