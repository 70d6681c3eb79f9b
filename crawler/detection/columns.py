"""The news columns that a homepage links to, by what its links are called (``vocabulary/columns.toml``)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from crawler.text.canonical import canonical
from crawler.text.urls import absolute, host_of, registered_domain
from crawler.vocabulary import table
from spiders.addresses import FILE_NAME
from spiders.listing import Listing, label

MAX_NAME = 12
"""Characters; a longer link is a headline."""
NOT_NAME = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\ufeff>›»·•|【】\[\]]+|(?:更多|more)$", re.IGNORECASE
)
FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A link that is called like a news list."""

    name: str
    url: str


def columns_of(homepage: Listing) -> list[Column]:
    """The columns that *homepage* links to on its own registered domain, the most telling first, each address once."""
    found: dict[str, tuple[int, int, Column]] = {}
    domain, own = registered_domain(host_of(homepage.url)), canonical(homepage.url, homepage=homepage.url)
    for place, (anchor, url) in enumerate(homepage.anchors()):
        name = NOT_NAME.sub("", label(anchor)) or NOT_NAME.sub("", anchor.get("title") or "")
        rank = _rank(name)
        key = canonical(url, homepage=homepage.url)
        if rank is None or key == own or registered_domain(host_of(url)) != domain or FILE_NAME.search(key):
            continue
        if key not in found or rank < found[key][0]:
            found[key] = (rank, place, Column(name=name, url=url))
    return [column for _, _, column in sorted(found.values(), key=lambda entry: entry[:2])]


def feeds_of(page: Listing) -> Iterator[str]:
    """The feeds that a page offers to browsers, on its own registered domain."""
    domain = registered_domain(host_of(page.url))
    for element in page.tree.iter("link"):
        is_feed = (element.get("type") or "").strip().lower() in FEED_TYPES
        if is_feed and "alternate" in (element.get("rel") or "").lower().split():
            url = absolute(page.base, element.get("href") or "")
            if url and registered_domain(host_of(url)) == domain:
                yield url


def _rank(name: str) -> int | None:
    """How telling a link's name is, 0 the most; None where it is no news list's."""
    if not name or len(name) > MAX_NAME:
        return None
    kinds, elsewhere = _patterns()
    rank = next((rank for rank, like in enumerate(kinds) if like.fullmatch(name)), None)
    return rank + len(kinds) if rank is not None and elsewhere.search(name) else rank


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], ...], re.Pattern[str]]:
    words = table("columns")
    kinds = tuple(re.compile("|".join(column["like"])) for column in words["column"])
    return kinds, re.compile(words["elsewhere"]["like"])
