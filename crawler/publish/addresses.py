"""Addresses on the web that a page of ours may lead to."""

import re


def is_web_address(url: str | None) -> bool:
    """Whether a reader may be sent there: http or https, nothing that runs."""
    return bool(url) and re.match(r"https?://[^\s/]", url or "", re.IGNORECASE) is not None


def replay_address(base: str | None, url: str | None, fetched_at: str | None) -> str | None:
    """Where a Wayback-style replay shows the capture: ``BASE/YYYYMMDDhhmmss/URL``; None where there is no replay."""
    if not (base and fetched_at and url and is_web_address(url)):
        return None
    return f"{base.rstrip('/')}/{re.sub('[^0-9]', '', fetched_at)[:14]}/{url}"


def contact_address(contact: str) -> str | None:
    """A link to a *contact* that is a web address or an e-mail address; None for other words."""
    if is_web_address(contact):
        return contact
    return f"mailto:{contact}" if re.fullmatch(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", contact) else None
