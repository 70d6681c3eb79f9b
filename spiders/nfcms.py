"""Guangdong's provincial platform (NFCMS), and its disclosure platform (gkmlpt), whose lists are JSON."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urldefrag, urljoin

from crawler.text import dates
from crawler.text.urls import absolute, same_site
from spiders.base import PortalSpider
from spiders.listing import Following, Link, Listing, dated_like
from spiders.pagers import next_link, numbered_link, with_parameter

ARTICLE = re.compile(r"^[^?#]*/content/(?:\d+/\d+/)?m?post_\d+\.html(?:[?#]|$)")
INDEX = re.compile(r"^[^?#]*/gkmlpt/(?:index|policy)/?(?:[?#]|$)")
API = re.compile(r"^[^?#]*/gkmlpt/api/all/\d+\?")
SID = re.compile(r"\bSID['\"]?\s*:\s*['\"]?(\d{1,9})")
EPOCH = re.compile(r"[0-9]{9,10}")
COUNT = re.compile(r"[0-9]{1,9}")
NEWEST = "0"
"""The category that holds those of all others, newest first."""
CHINA = timezone(timedelta(hours=8))


class NfcmsSpider(PortalSpider):
    """``/xw/gzyw/index.html`` (next ``index_2.html``), and ``/gkmlpt/index#475`` or ``/gkmlpt/api/all/475?sid=…``."""

    name = "nfcms"

    def first_page(self, listed: str) -> Following:
        """A disclosure index is one page for all categories, told apart by fragment."""
        url, category = urldefrag(listed)
        if INDEX.search(url) and category.isdecimal():
            return Following(url=url, state={"category": category}, mark=category)
        return Following(url=listed)

    def behind(self, listing: Listing) -> Following | None:
        """The program behind a disclosure index."""
        sid = SID.search(listing.text) if INDEX.search(listing.url) else None
        if sid is None:
            return None
        category = listing.state.get("category", NEWEST)
        url = urljoin(listing.url, f"api/all/{category}?page=1&sid={sid[1]}")
        return Following(url=url, headers={"Referer": listing.url})

    def links(self, listing: Listing) -> Iterator[Link]:
        """What leads to a ``post_`` or its copy for telephones; a disclosure index names none."""
        if INDEX.search(listing.url):
            return
        pattern = self.article_pattern or ARTICLE
        named = self._from_api(listing, pattern) if API.search(listing.url) else dated_like(listing, pattern)
        yield from named

    def next_page(self, listing: Listing) -> Following | str | None:
        """By link or number; in the disclosure platform until the total is reached."""
        if not API.search(listing.url):
            return next_link(listing) or numbered_link(listing)
        data = answer_of(listing)
        classify = data.get("classify")
        total = str(data.get("total", classify.get("post_count") if isinstance(classify, dict) else None))
        seen = listing.state.get("seen", 0) + len(articles_of(data))
        if not COUNT.fullmatch(total) or seen >= int(total):
            return None
        return Following(url=with_parameter(listing.url, "page", listing.number + 1), state={"seen": seen})

    def _from_api(self, listing: Listing, pattern: re.Pattern[str]) -> Iterator[Link]:
        """The articles that the program names; one may lead elsewhere (``url``) and have a page here (``post_url``)."""
        for article in articles_of(answer_of(listing)):
            urls = [absolute(listing.url, str(article.get(name) or "")) for name in ("url", "post_url")]
            url = next((url for url in urls if url and pattern.search(url) and same_site(url, self.hosts)), None)
            if url:
                title = " ".join(re.sub(r"<[^>]{0,200}>", " ", str(article.get("title") or "")).split())
                yield Link(url=url, title=title or None, published=day_of(article))


def answer_of(listing: Listing) -> dict[str, Any]:
    """The program's answer; empty where it is no JSON object."""
    try:
        data = json.loads(listing.text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def articles_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The answer's entries."""
    articles = data.get("articles")
    return [article for article in articles if isinstance(article, dict)] if isinstance(articles, list) else []


def day_of(article: dict[str, Any]) -> str | None:
    """The day of an entry, which is either written out or in seconds since 1970."""
    for name in ("display_publish_time", "first_publish_time", "date", "created_at"):
        value = str(article.get(name) or "")
        if EPOCH.fullmatch(value):
            return datetime.fromtimestamp(int(value), tz=CHINA).date().isoformat()
        found = dates.find(value)
        if found:
            return found.value[:10]
    return None
