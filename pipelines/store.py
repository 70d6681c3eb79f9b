"""Stage 7: what was read goes into the archive, in the session's next transaction."""

from scrapy.crawler import Crawler

from crawler.fetch.session import Session
from crawler.fetch.vanishing import GONE_STATUSES
from crawler.reading import kind
from crawler.reading.identity import contradiction
from crawler.records import Article, Capture
from crawler.text.canonical import canonical


class StorePipeline:
    """Ends every request: an article with its rows, everything else with its capture's."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "StorePipeline":
        """All of a process share the session."""
        return cls(Session.of(crawler))

    def process_item(self, item: Article | Capture) -> Article | Capture:
        """Store *item*; a capture that reached this stage undecoded is no page to read."""
        capture = item if isinstance(item, Capture) else item.capture
        if self._session.vanishing(capture.portal_id).is_probe(capture.key):
            self._session.store_probe(capture, None if isinstance(item, Capture) else item)
        elif isinstance(item, Article):
            self._store_article(item)
        else:
            self._store_capture(item)
        return item

    def _store_article(self, article: Article) -> None:
        url, portal = self._identity(article.capture), self._session.portal(article.capture.portal_id)
        stranger = contradiction(article.site_id, article.site_name, division=portal.division, name=portal.name)
        if stranger:
            self._session.store_failure(article.capture, stranger)
        elif article.kind == "article":
            self._session.store_article(article, url)
        elif self._session.miss(article.capture, url, article):
            return
        elif trouble := _trouble(article, is_home=url == canonical(portal.homepage, homepage=portal.homepage)):
            self._session.store_failure(article.capture, trouble)
        else:
            self._session.store_capture(article.capture, encoding=article.encoding, basis=article.encoding_basis)

    def _store_capture(self, capture: Capture) -> None:
        if capture.status == 304:
            self._session.store_unchanged(capture, self._identity(capture))
        elif capture.status in GONE_STATUSES and self._session.miss(capture, self._identity(capture)):
            return
        elif capture.status != 200:
            self._session.store_failure(capture, f"answered {capture.status}")
        elif capture.truncated:
            self._session.store_failure(capture, f"the answer was cut short ({capture.truncated})")
        else:
            self._session.store_capture(capture)

    def _identity(self, capture: Capture) -> str:
        """The address under which the article is one row."""
        return canonical(capture.url, homepage=self._session.portal(capture.portal_id).homepage)


def _trouble(article: Article, *, is_home: bool) -> str | None:
    """Why a page is not what its link promised, which another night may bring; None for a list or a board.

    *is_home*: the portal's front page answered.
    """
    said = [paragraph.text for paragraph in article.paragraphs]
    if is_home:
        return "led to the front page"
    if kind.is_refusal(article.title, "\n".join(said), whole=sum(map(len, said))):
        return f"shows no article: {article.title or said[0]}"[: kind.MAX_QUOTE]
    is_blank = not (article.title or said or article.removed or article.images or article.attachments)
    return "shows nothing" if is_blank else None
