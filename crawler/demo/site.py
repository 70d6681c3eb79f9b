"""What a portal answers: paths to responses, exchanged at any time, with or without HTTP's caching validators."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import unquote

FIRST_PUBLISHED = datetime(2025, 1, 1, tzinfo=UTC)
"""Last-Modified of a page that was never changed; each change moves it on by a day, so runs are the same every time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(repr=False, default=b"")
    """As it goes over the wire, content coding included."""
    chunked: bool = False
    """Sent in chunks instead of with a Content-Length."""

    def header(self, name: str) -> str | None:
        """The first header called *name*, compared without case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, as far as a site's script looks at it."""

    method: str
    path: str
    query: str
    """Without the question mark, still quoted."""
    headers: Mapping[str, str]
    body: str


NOT_FOUND = Response(status=404, headers=(("Content-Type", "text/html"),), body=b"<html><h1>404 Not Found</h1></html>")


class Site:
    """The pages of one portal. Served from another thread: every change puts a whole new mapping in place."""

    def __init__(
        self,
        pages: Mapping[str, Response],
        *,
        validators: bool = False,
        missing: Response = NOT_FOUND,
        script: "Callable[[Asked], Response | None] | None" = None,
    ) -> None:
        self.validators = validators
        self.missing = missing
        self.script = script
        """Answers what no page does: programs behind an address, queries, posted forms."""
        self.hits: Counter[tuple[str, int]] = Counter()
        """How often a path was asked for, by path and answered status."""
        self._pages = dict(pages)
        self._changes: dict[str, int] = {}

    @property
    def pages(self) -> Mapping[str, Response]:
        """Path → response, as of now."""
        return self._pages

    def publish(self, pages: Mapping[str, Response]) -> None:
        """Let the site be exactly *pages* from now on; only what differs counts as changed."""
        for path, response in pages.items():
            if path in self._pages and self._pages[path] != response:
                self._changes[path] = self._changes.get(path, 0) + 1
        self._pages = dict(pages)

    def replace(self, path: str, response: Response) -> None:
        """Put *response* at *path*, new or changed."""
        self.publish({**self._pages, path: response})

    def remove(self, path: str) -> None:
        """Delete *path*: from now on 404. KeyError where there is nothing."""
        remaining = dict(self._pages)
        del remaining[path]
        self.publish(remaining)

    def run(self, asked: Asked) -> Response | None:
        """What the site's script answers; None where there is none, or it knows nothing."""
        response = self.script(asked) if self.script else None
        if response is not None:
            self.hits[asked.path, response.status] += 1
        return response

    def answer(self, path: str, *, if_none_match: str | None = None, if_modified_since: str | None = None) -> Response:
        """The response to a GET for the URL path *path*, 304 where a validator still holds (RFC 9110 §13.2.2)."""
        path = unquote(path)
        response = self._pages.get(path)
        if response is None:
            response = self.missing
        elif self.validators and response.status == 200:
            modified = FIRST_PUBLISHED + timedelta(days=self._changes.get(path, 0))
            response = _validated(response, modified, if_none_match, if_modified_since)
        self.hits[path, response.status] += 1
        return response


def _validated(response: Response, modified: datetime, none_match: str | None, modified_since: str | None) -> Response:
    etag = f'"{hashlib.sha256(response.body).hexdigest()[:16]}"'
    validators = (("ETag", etag), ("Last-Modified", format_datetime(modified, usegmt=True)))
    if none_match is not None:
        is_unchanged = none_match.strip() == "*" or etag in (
            tag.strip().removeprefix("W/") for tag in none_match.split(",")
        )
    else:
        is_unchanged = modified_since is not None and _is_since(modified_since, modified)
    if is_unchanged:
        return Response(status=304, headers=validators)
    return replace(response, headers=(*response.headers, *validators))


def _is_since(header: str, modified: datetime) -> bool:
    """Whether nothing changed since the date in *header*; a date that cannot be read is ignored."""
    try:
        since = parsedate_to_datetime(header)
    except ValueError:
        return False
    return modified <= (since if since.tzinfo else since.replace(tzinfo=UTC))
