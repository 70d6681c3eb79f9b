"""Pages that only send the reader elsewhere, by a refresh or a script."""

import re
from html import unescape

from crawler.text.urls import absolute

MAX_DELAY = 10
"""Seconds: a page that refreshes later is there to be read."""
MAX_WORDS = 200
"""Characters that a page which only jumps may show."""

_REFRESH = re.compile(
    r"""<meta\b(?=[^>]*http-equiv\s*=\s*["']?refresh\b)[^>]*content\s*=\s*["']?\s*(\d+)[^>;,]{0,9}[;,]\s*(?:url\s*=)?\s*['"]?([^'">]+)""",
    re.IGNORECASE,
)
"""Attributes in either order, ``url=`` or not: as browsers do (HTML standard, "shared declarative refresh steps")."""
_SCRIPT = re.compile(
    r"""\blocation(?:\.href)?\s*=\s*["']([^"'\s]+)["']|\blocation\.(?:replace|assign)\(\s*["']([^"'\s]+)["']"""
)
_UNSHOWN = re.compile(r"<(script|style|title|head)\b.*?(?:</\1\s*>|$)|<!--.*?-->|<[^>]*>", re.IGNORECASE | re.DOTALL)


def target(markup: str, *, base: str) -> str | None:
    """The absolute address that a page without a text of its own jumps to; None for a page to be read.

    A jump that asks for the reader's browser first (to its mobile copy) is none.
    """
    if "userAgent" in markup or len("".join(_UNSHOWN.sub(" ", markup).split())) > MAX_WORDS:
        return None
    refresh = _REFRESH.search(markup)
    if refresh and int(refresh[1]) <= MAX_DELAY:
        return absolute(base, unescape(refresh[2].strip()))
    script = _SCRIPT.search(markup)
    return absolute(base, script[1] or script[2]) if script else None
