"""Of what kind a failure is: a few classes that figures for alerts can be kept by, from the words of the report."""

import re

OTHER = "page"
"""An answer came, and was not what was asked for."""
_CLASSES = {
    "http_4xx": r"answered 4\d\d",
    "http_5xx": r"answered 5\d\d",
    "robots": r"robots\.txt",
    "address": r"AddressRefused|UnsupportedURLSchemeError",
    "dns": r"CannotResolveHost|DNSLookup|cannot be resolved",
    "tls": r"HandshakeFailed|SSL|TLS|certificate",
    "timeout": r"Timeout|timed out|in time",
    "connection": r"NoAnswer|DownloadFailed|Connection|ConnectError|Response(NeverReceived|Failed|DataLoss)",
    "truncated": r"cut short",
}
_ANY = re.compile("|".join(f"(?P<{name}>{words})" for name, words in _CLASSES.items()))
CLASSES = (*_CLASSES, OTHER)


def class_of(reason: str) -> str:
    """One of `CLASSES`. What stands first in *reason* counts: an error's name, then what the other side said."""
    found = _ANY.search(reason)
    return found.lastgroup or OTHER if found else OTHER
