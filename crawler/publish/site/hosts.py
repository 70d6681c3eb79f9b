"""How a portal's host is reached, and what its TLS and its certificate are like: its row of ``hosts``."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from crawler.publish.site.asking import rows

_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host as it was met last."""

    host: str
    scheme: str
    checked_at: str
    other_failed_at: str | None
    other_failure: str | None
    tls_protocol: str | None
    tls_cipher: str | None
    certificate_problem: str | None
    certificate_subject: str | None
    certificate_issuer: str | None
    certificate_not_after: str | None
    certificate_sha256: str | None

    @property
    def other_scheme(self) -> str:
        """The one that was not used last."""
        return "http" if self.scheme == "https" else "https"


async def host_of(datasette: Any, homepage: str) -> Host | None:
    """The host of a portal's home page; None where it never answered, or the address is none."""
    found = await rows(datasette, "SELECT * FROM hosts WHERE host = ?", (_name(homepage),))
    return Host(**found[0]) if found else None


def _name(homepage: str) -> str:
    """As ``hosts`` has it: in lower case, with its port where that is not the scheme's own."""
    try:
        parts = urlsplit(homepage)
    except ValueError:
        return ""
    return parts.netloc.rpartition("@")[2].lower().removesuffix(_PORTS.get(parts.scheme, ""))
