"""The stages that read a page, in the order of `crawler.settings`, for pages that come without Scrapy."""

from crawler.catalogue import Portal
from crawler.records import Article, Capture
from pipelines.clean import clean
from pipelines.decode import decode
from pipelines.extract import extract
from pipelines.places import places
from pipelines.sections import sections
from pipelines.spam import spam


def read(capture: Capture, portal: Portal | None = None) -> Article:
    """What the page in a *capture*'s body says, ready to be stored; of whatever kind it turns out to be.

    *portal*: whose page it is, where known. Raises ValueError (DecodeError, LimitError) for what cannot be read.
    """
    return places(read_text(capture, portal), portal=portal)


def read_text(capture: Capture, portal: Portal | None = None) -> Article:
    """The same without the places that it names: which of its text readers are shown may not be known yet."""
    page = decode(capture, hint=portal.encoding if portal else None)
    article = extract(page, body=portal.body, cms=portal.cms) if portal else extract(page)
    return sections(spam(clean(article)))
