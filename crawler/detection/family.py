"""Which CMS family made a list page: by the marks of ``vocabulary/cms.toml``, and by trying each family's own spider.

Marks alone would name a family whose lists its spider cannot read. So what counts most is what the spider finds: dated
articles on this page, and the way to the next one.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

from scrapy.utils.misc import walk_modules_iter
from scrapy.utils.spider import iter_spider_classes

import spiders
from crawler.text.urls import host_of, same_site
from crawler.vocabulary import table
from spiders.base import PortalSpider
from spiders.listing import Following, Link, Listing, unique

GENERIC = "generic"
BELIEVED = 2.0
"""Points of the generic spider, which reads any list: a family needs more."""
LEAST = 3
"""Dated articles that make a list."""
SOURCE_CHARS = 400_000
"""Of a page's markup that marks are looked for in: scripts and classes stand in it many times or at its head."""
TRIED_CHARS = 4_000_000
"""A longer page is judged by its marks alone: trying every spider on it would take minutes."""
SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A family that may have made a page."""

    family: str
    score: float
    """Above `BELIEVED` only where something speaks for the family."""
    reasons: tuple[str, ...] = ()
    """In words, with what was found; it comes from the page and may hold anything."""
    dated: int = 0
    """Articles with a day beside them that the family's spider finds on the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a family's spider makes of a list page."""

    links: Sequence[Link]
    """Articles of the page's own site, each once, in page order."""
    following: Following | None
    """How the next page is asked for."""
    behind: Following | None = None
    """How the list is asked for of which a page without articles is only the shell."""

    @property
    def dated(self) -> int:
        """Articles with a day beside them."""
        return sum(1 for link in self.links if link.published)


NOTHING = Trial(links=(), following=None)


@dataclass(frozen=True, slots=True)
class _Mark:
    place: str
    like: re.Pattern[str]
    points: float
    says: str


@dataclass(frozen=True, slots=True)
class _Sign:
    articles: float
    marks: tuple[_Mark, ...] = field(default=())


def families() -> tuple[str, ...]:
    """The families that have a spider."""
    return tuple(_classes())


def recognise(listing: Listing) -> list[Guess]:
    """The families that may have made *listing*, the likeliest first; ``generic`` is among them with `BELIEVED` points.

    Of families with as many points the one whose spider finds more comes first.
    """
    evidence = _evidence(listing)
    is_tried = len(listing.text) <= TRIED_CHARS
    generic = attempt(GENERIC, listing) if is_tried else NOTHING
    guesses = [Guess(family=GENERIC, score=BELIEVED, reasons=_in_words(generic), dated=generic.dated)]
    for family, sign in _signs().items():
        reasons, points = _marks_found(sign, evidence)
        trial = attempt(family, listing) if is_tried and sign.articles else NOTHING
        points = points + _worth(sign, trial, generic) if trial.dated >= LEAST else points / 2
        if points > 0:
            guesses.append(Guess(family=family, score=points, reasons=(*reasons, *_in_words(trial)), dated=trial.dated))
    return _ranked(guesses)


def together(pages: Iterable[Sequence[Guess]]) -> list[Guess]:
    """One ranking out of those of several pages of one portal: points a page, each reason once."""
    gathered: dict[str, list[Guess]] = defaultdict(list)
    count = 0
    for guesses in pages:
        count += 1
        for guess in guesses:
            gathered[guess.family].append(guess)
    return _ranked(
        Guess(
            family=family,
            score=sum(guess.score for guess in guesses) / count,
            reasons=tuple(dict.fromkeys(reason for guess in guesses for reason in guess.reasons)),
            dated=sum(guess.dated for guess in guesses),
        )
        for family, guesses in gathered.items()
    )


def attempt(family: str, listing: Listing, *, hosts: frozenset[str] | None = None, article: str | None = None) -> Trial:
    """What the spider of *family* finds on *listing*; nothing where it cannot read it.

    *hosts*: those of the portal; without them, the page's own. *article*: the catalogue's pattern for its articles.
    """
    spider = spider_of(family, hosts or frozenset({host_of(listing.url)}), article=article)
    try:
        links = [link for link in unique(list(spider.links(listing))) if same_site(link.url, spider.hosts)]
        following = spider.next_page(listing)
        behind = None if links else spider.behind(listing)
    except (ValueError, NotImplementedError):  # feeds and sitemaps are no lists
        return NOTHING
    following = Following(url=following) if isinstance(following, str) else following
    return Trial(links=links, following=_on_site(following, spider), behind=_on_site(behind, spider))


def spider_of(family: str, hosts: frozenset[str], *, article: str | None = None) -> PortalSpider:
    """A spider of *family* that reads pages outside of a crawl. KeyError where there is no such family."""
    spider = _classes()[family](name=family)
    spider.hosts = hosts
    spider.article_pattern = re.compile(article) if article else None
    return spider


def _on_site(page: Following | None, spider: PortalSpider) -> Following | None:
    return page if page is not None and same_site(page.url, spider.hosts) else None


def _ranked(guesses: Iterable[Guess]) -> list[Guess]:
    return sorted(guesses, key=lambda guess: (-guess.score, guess.family != GENERIC, -guess.dated))


def _evidence(listing: Listing) -> Mapping[str, str]:
    """What marks are looked for in, by place; links on lines of their own."""
    hosts = frozenset({host_of(listing.url)})
    links = dict.fromkeys(_address(url) for _, url in listing.anchors() if same_site(url, hosts))
    return {
        "address": _address(listing.url),
        "link": "\n".join(links)[:SOURCE_CHARS],
        "source": listing.text[:SOURCE_CHARS],
    }


def _address(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _marks_found(sign: _Sign, evidence: Mapping[str, str]) -> tuple[list[str], float]:
    reasons: list[str] = []
    points = 0.0
    for mark in sign.marks:
        found = mark.like.search(evidence[mark.place])
        if found:
            reasons.append(f"{mark.says}: {' '.join(found[0].split())[:SHOWN_CHARS]}")
            points += mark.points
    return reasons, points


def _worth(sign: _Sign, trial: Trial, generic: Trial) -> float:
    """Points for what the family's spider finds, less where the generic one finds more; and one for the next page."""
    share = min(1.0, trial.dated / generic.dated) if generic.dated else 1.0
    return sign.articles * share + (1.0 if trial.following else 0.0)


def _in_words(trial: Trial) -> tuple[str, ...]:
    if not trial.dated:
        return ()
    following = f", next page {_address(trial.following.url)[:SHOWN_CHARS]}" if trial.following else ""
    return (f"its spider finds {trial.dated} dated articles{following}",)


@cache
def _classes() -> Mapping[str, type[PortalSpider]]:
    modules = walk_modules_iter(spiders.__name__)
    return {
        spider.name: spider
        for module in modules
        for spider in iter_spider_classes(module)
        if issubclass(spider, PortalSpider) and isinstance(spider.name, str)
    }


@cache
def _signs() -> Mapping[str, _Sign]:
    """The signs of the families that have a spider."""
    return {
        family: _Sign(
            articles=sign["articles"],
            marks=tuple(
                # "$" ends a line, for links; "." spans lines, for scripts
                _Mark(
                    mark["in"],
                    re.compile(mark["like"], re.IGNORECASE | re.DOTALL | (re.MULTILINE if mark["in"] == "link" else 0)),
                    mark["points"],
                    mark["says"],
                )
                for mark in sign["marks"]
            ),
        )
        for family, sign in table("cms")["sign"].items()
        if family in _classes()
    }
