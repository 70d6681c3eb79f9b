"""What every response says to the browser, what a request may say, and which of Datasette's pages are closed."""

from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]

INLINE_SCRIPTS = (
    "sha256-DMtesc2dB3xCZhCWIkDIjRY30AJia2dU9R83J/BG2Y4=",  # every page: close open menus
    "sha256-uEjwHx6B6TylDkwnKXY5NeNNPyI38FvghD4BDhzZMRc=",  # pages of SQL: the editor
    "sha256-fyi5q99UcdjzV8X7vfr/UYD4dsV4ViDDhotcy8GQ6PM=",  # pages of tables
    "sha256-yVPefuQ6YSumwweHWL1Fw4YNWqWFG1ru4KxqhINGLlU=",  # the same, with allow_facet off
)
"""Datasette's own inline scripts, as CSP source expressions; a test recomputes them from served pages."""

_NOTHING_ELSE = (
    "img-src 'self' data:",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
PAGE_POLICY = "; ".join(("default-src 'none'", "style-src 'self'", *_NOTHING_ELSE))
"""The policy of our own pages, which have no script and no style but the one file."""
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' " + " ".join(f"'{digest}'" for digest in INLINE_SCRIPTS),
        "style-src 'self' 'unsafe-inline'",  # Datasette colours headings by style attributes
        "connect-src 'self'",
        *_NOTHING_ELSE,
    )
)
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", _POLICY.encode("ascii")),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),  # a portal need not learn who reads its archived pages
)
_NOT_LISTED = (b"x-robots-tag", b"noindex, nofollow")
"""For robots that came to a table, a file or data in spite of robots.txt: filters and sorts combine without end."""
_PAGE_HEADER = (b"content-security-policy", PAGE_POLICY.encode("ascii"))
_NAMES = frozenset(name for name, _ in HEADERS)
_ASKING = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods of a site on which nobody writes."""
_OPEN_BELOW_DASH = (b"/-/static/", b"/-/static-plugins/")


def guarded(app: Asgi, *, base_url: str) -> Asgi:
    """``app`` for requests that ask, HEADERS on every response, and everything under ``/-/`` closed but static files.

    Our own pages bring a stricter policy, which they keep.

    Those pages tell strangers about the machine: file paths, versions, plugins, settings, threads, tokens.
    ``base_url`` is the path that the site lies under, with slashes at both ends.
    """
    prefix = base_url.rstrip("/").encode()

    async def wrapped(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [(name.lower(), value) for name, value in message.get("headers", ())]
                kept = [header for header in given if header[0] not in _NAMES or header == _PAGE_HEADER]
                set_already = {name for name, _ in kept}
                ours = [header for header in HEADERS if header[0] not in set_already]
                if _PAGE_HEADER not in kept:  # our own pages say it themselves
                    ours.append(_NOT_LISTED)
                message = {**message, "headers": [*kept, *ours]}
            await send(message)

        if scope["method"] not in _ASKING:
            allow = (b"allow", ", ".join(sorted(_ASKING)).encode())
            await _refuse(send_with_headers, 405, b"Method not allowed\n", allow)
        elif _is_closed(scope, prefix):
            await _refuse(send_with_headers, 404, b"Not found\n")
        else:
            await app(_legible(scope), receive, send_with_headers)

    return wrapped


def _is_closed(scope: Message, prefix: bytes) -> bool:
    path: bytes = scope.get("raw_path") or scope["path"].encode()  # as Datasette's router reads it
    path = path.partition(b"?")[0]
    if not path.isascii():  # Datasette's router cannot read it
        return True
    if path != b"/" and not path.strip(b"/"):  # Datasette would take slash after slash away, and lead to nowhere
        return True
    if b"\\" in path:  # a redirect to /\host leads browsers to another host, and a proxy may decode %5C
        return True
    if prefix and path.startswith(prefix + b"/"):
        path = path[len(prefix) :]
    return path.startswith(b"/-/") and not path.startswith(_OPEN_BELOW_DASH)


def _legible(scope: Message) -> Message:
    """The request without cookies on which Datasette would fail: those of another site on this host, none are ours."""
    return {**scope, "headers": [(n, value) for n, value in scope["headers"] if n != b"cookie" or _is_cookie(value)]}


def _is_cookie(value: bytes) -> bool:
    try:
        SimpleCookie(value.decode())
    except (UnicodeDecodeError, CookieError):
        return False
    return True


async def _refuse(send: Send, status: int, said: bytes, *headers: tuple[bytes, bytes]) -> None:
    content_type = (b"content-type", b"text/plain; charset=utf-8")
    await send({"type": "http.response.start", "status": status, "headers": [content_type, *headers]})
    await send({"type": "http.response.body", "body": said})
