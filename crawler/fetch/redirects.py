"""Redirects are followed as long as they stay on the portal."""

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.http import Response

from crawler.text.urls import same_site

VALIDATORS = ("If-None-Match", "If-Modified-Since")


class PortalRedirectMiddleware(RedirectMiddleware):
    """Scrapy's redirects, without leaving the portal and without a Referer.

    A redirect to a foreign host stays what it is: a 3xx capture, counted as failed with its target as the reason.
    """

    def handle_referer(self, request: Request, response: Response) -> None:
        """Send no Referer: a portal learns nothing from us."""
        request.headers.pop("Referer", None)

    def _engine_started(self) -> None:
        """Scrapy warns here of a missing RefererMiddleware, which is meant."""

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """Follow a redirect of a robots.txt anywhere (RFC 9309 2.3.1.2), everything else on the portal's hosts."""
        result: Request | Response = super().process_response(request, response)
        if isinstance(result, Request) and request.meta.get("kind") != "robots":
            hosts: frozenset[str] = getattr(self.crawler.spider, "hosts", frozenset())
            if not same_site(result.url, hosts):
                return response
        if isinstance(result, Request):
            for name in VALIDATORS:  # they are of the address asked, and a copy elsewhere may bear the same ones
                result.headers.pop(name, None)
        return result
