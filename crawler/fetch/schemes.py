"""Both schemes: a host that cannot be reached under one is asked under the other, and that is remembered.

Of 3,209 portals of Chinese governments 30 answered only so. robots.txt is the first thing that a host is asked for
under a scheme, so robots.txt tells; redirects are followed as the server says. An article's identity does not depend on
the scheme.
"""

from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadConnectionRefusedError
from twisted.internet.error import ConnectError

from crawler.fetch.errors import Blocked, ConnectTimeout, NoAnswer
from crawler.fetch.hosts import Place
from crawler.fetch.session import Session

NOT_REACHED = (DownloadConnectionRefusedError, ConnectError, ConnectTimeout, NoAnswer)
"""Errors after which the other scheme may do. A host without an address has none under either."""


class SchemesMiddleware:
    """Stands before the one for robots.txt, whose errors come back to it. Raises them with both schemes' reasons."""

    def __init__(self, session: Session) -> None:
        self._hosts = session.hosts
        self._failed: dict[Place, Blocked | None] = {}
        """What could not be reached in this run, and why, as soon as that is in words."""
        self._avoided: dict[Place, bool] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "SchemesMiddleware":
        """One a portal."""
        return cls(Session.of(crawler))

    def process_request(self, request: Request) -> Request | None:
        """Turn from a scheme that failed in this run, or lately."""
        place = Place.of(request.url)
        is_last_resort = place.other in self._failed
        if request.meta.get("kind") == "robots":
            if is_last_resort:
                request.meta["max_retry_times"] = 0  # the first scheme had them all
            return None
        if is_last_resort or request.meta.get("redirect_times"):
            return None
        return turned(request) if place in self._failed or self._is_avoided(place) else None

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Turn to the other scheme where this one cannot be reached, once."""
        place = Place.of(request.url)
        if request.meta.get("kind") == "robots":
            if isinstance(exception, NOT_REACHED):
                self._failed.setdefault(place, None)
            return None
        if not isinstance(exception, Blocked) or place not in self._failed or request.meta.get("redirect_times"):
            return None
        self._failed[place] = exception
        self._hosts.failed(place, exception.reason)
        if place.other not in self._failed:
            return turned(request)
        first = self._failed[place.other]
        if first is not None:
            raise type(first)(f"{first.reason}; {exception.reason}")
        return None

    def _is_avoided(self, place: Place) -> bool:
        if place not in self._avoided:
            self._avoided[place] = self._hosts.is_avoided(place)
        return self._avoided[place]


def turned(request: Request) -> Request:
    """*request* under the other scheme, standing in the queue where it stood."""
    host, scheme = Place.of(request.url).other
    url = urlsplit(request.url)._replace(scheme=scheme, netloc=host).geturl()
    return request.replace(url=url, meta={**request.meta, "is_turned": True}, dont_filter=True)
