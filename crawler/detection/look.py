"""The first look of a crawl: of which family a portal is whose entry names none."""

from crawler.catalogue import Portal
from crawler.detection.family import GENERIC, Guess, recognise, together
from crawler.detection.survey import list_page
from crawler.fetch.visitor import NotHad, Visitor

LISTS_LOOKED_AT = 2
"""Of a portal: one software makes them all, but one of them may be empty."""


def without_a_look(portal: Portal) -> str | None:
    """The family of a portal that names no lists, but feeds or sitemaps; None where its lists have to be looked at."""
    if portal.lists:
        return None
    return "feed" if portal.feeds else "sitemap"


async def family_of(visitor: Visitor, portal: Portal) -> Guess | None:
    """The likeliest family of *portal* by the first pages of its lists; None where none of them can be had.

    Raises NotHad where the portal does not want us.
    """
    pages = []
    for url in portal.lists[:LISTS_LOOKED_AT]:
        try:
            pages.append(await list_page(visitor, GENERIC, url))
        except NotHad as error:
            if error.is_blocked:
                raise
    return together(recognise(page) for page in pages)[0] if pages else None
