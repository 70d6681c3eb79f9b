"""Stage 6: the divisions that the reading text names, and the one that the article belongs to."""

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Self, TypeVar

from crawler.archive.tables import UNREAD_ROLES
from crawler.catalogue import Portal
from crawler.reading.places import division_of, find, is_government
from crawler.records import Article
from crawler.text.spam import without_cuts

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.fetch.session import Session

Item = TypeVar("Item")


def places(article: Article, *, portal: Portal | None = None) -> Article:
    """Give an article its ``mentions``, ``division`` and ``division_basis``.

    Names are those of the year in which it was published, else fetched. What readers are not shown (roles, cut spans)
    names nothing. Without a *portal* only the page's own site code tells the division.
    """
    if article.kind != "article":
        return article
    title, body = _read(article)
    year = int(article.published[:4]) if article.published else article.capture.fetched_at.year
    found = find(title, body, year=year, home=portal.division if portal else article.division)
    division, basis = division_of(
        own=portal.division if portal else None,
        is_government=portal is not None and is_government(name=portal.name, homepage=portal.homepage),
        site=article.division,
        about=found.about,
    )
    return replace(article, mentions=found.mentions, division=division, division_basis=basis)


def _read(article: Article) -> tuple[str, str]:
    """Title and reading text."""
    cuts: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for span in article.spam:
        if span.cut:
            cuts[span.position].append((span.start, span.end))
    body = "\n".join(
        without_cuts(paragraph.text, cuts.get(position, []))
        for position, paragraph in enumerate(article.paragraphs)
        if paragraph.role not in UNREAD_ROLES
    )
    return without_cuts(article.title or "", cuts.get(-1, [])), body


class PlacesPipeline:
    """Scrapy's item pipeline around `places`."""

    def __init__(self, session: "Session | None" = None) -> None:
        self._session = session

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> Self:
        """Take portals from the catalogue of the session."""
        from crawler.fetch.session import Session  # noqa: PLC0415 - the stage itself needs no Scrapy

        return cls(Session.of(crawler))

    def process_item(self, item: Item) -> Item | Article:
        """Find the places of an article; items of other kinds pass through."""
        if not isinstance(item, Article):
            return item
        return places(item, portal=self._session.portal(item.capture.portal_id) if self._session else None)
