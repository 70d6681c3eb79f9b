"""Addresses: their parts, what a link leads to, whose they are.

Grammar and dot segments follow RFC 3986; where pages and browsers differ from it (white space inside, backslashes),
the WHATWG URL standard decides. Every function takes any string and raises nothing.
"""

import re
from collections.abc import Container
from typing import NamedTuple
from urllib.parse import urljoin

MAX_LENGTH = 2_000
"""Longer links are not followed (characters)."""

_ADDRESS = re.compile(r"(https?)://([^/?#]*)([^?#]*)(?:\?([^#]*))?", re.IGNORECASE)
_AUTHORITY = re.compile(r"([^@]*@)?(\[[0-9a-f:.]+\]|[^\[\]:@]*)(?::([0-9]{0,5}))?", re.IGNORECASE)
_HOST = re.compile(r"(?!-)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_LINE_BREAKS = str.maketrans("", "", "\t\n\r")
_C0_AND_SPACE = "".join(map(chr, range(0x21)))
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # lone surrogates: no database takes them
_DEFAULT_PORTS = {"http": 80, "https": 443}

_CATEGORY = re.compile(r"ac|com|edu|gov|mil|net|org")
_CN_PROVINCE = re.compile(
    r"ah|bj|cq|fj|gd|gs|gx|gz|ha|hb|he|hi|hk|hl|hn|jl|js|jx|ln|mo|nm|nx|qh|sc|sd|sh|sn|sx|tj|tw|xj|xz|yn|zj"
)
"""Second levels below which .cn names are registered (CNNIC); the categories are common elsewhere too."""


class Address(NamedTuple):
    """An http or https address in parts; the host in lower case and ASCII, a default port left out."""

    scheme: str
    has_credentials: bool
    host: str
    port: int | None
    path: str
    query: str

    def __str__(self) -> str:
        """The address again, without credentials and fragment."""
        port = f":{self.port}" if self.port is not None else ""
        return f"{self.scheme}://{self.host}{port}{self.path}{'?' if self.query else ''}{self.query}"


def parse(url: str) -> Address | None:
    """Return the parts of an http(s) address, or None for anything else."""
    found = _ADDRESS.match(_slashed(cleaned(url)))
    authority = _AUTHORITY.fullmatch(found[2]) if found else None
    if found is None or authority is None:
        return None
    scheme = found[1].lower()
    host = _ascii_host(authority[2])
    port = int(authority[3]) if authority[3] else None
    if host is None or (port is not None and port > 65_535):
        return None
    if port == _DEFAULT_PORTS[scheme]:
        port = None
    return Address(scheme, bool(authority[1]), host, port, found[3], found[4] or "")


def cleaned(url: str) -> str:
    """Strip what browsers strip: line breaks and tabs anywhere, control characters and spaces at both ends."""
    return url.translate(_LINE_BREAKS).strip(_C0_AND_SPACE)


def absolute(base: str, href: str) -> str | None:
    """Return the http(s) address that *href* on the page *base* leads to, or None.

    None for other schemes (``javascript:``, ``mailto:``, ``data:`` …), empty links and mere fragments, addresses that
    are malformed, hold credentials or control characters, or are longer than `MAX_LENGTH`.
    """
    link = cleaned(href)
    if not link or link[0] == "#" or len(link) > MAX_LENGTH or _CONTROL.search(link):
        return None
    link = _slashed(link)
    named = _SCHEME.match(link)
    if named and named[0].lower() not in {"http:", "https:"}:
        return None
    try:
        joined = urljoin(base, link).replace(" ", "%20")
    except ValueError:
        return None
    address = parse(joined)
    if address is None or address.has_credentials or len(joined) > MAX_LENGTH:
        return None
    return joined


def host_of(url: str) -> str:
    """Return the host of an http(s) address, in lower case and ASCII, without port; empty where there is none."""
    address = parse(url)
    return address.host if address else ""


def same_site(url: str, hosts: Container[str]) -> bool:
    """Tell whether *url* lies on one of *hosts*, ``www.`` or not.

    Other subdomains are other sites: a prefecture's counties are often hosts below its own domain.
    """
    host = host_of(url)
    if not host:
        return False
    twin = host[4:] if host.startswith("www.") else f"www.{host}"
    return host in hosts or twin in hosts


def registered_domain(host: str) -> str:
    """Return the part of *host* that its owner registered: ``zjk.gov.cn`` of ``xxgk.zjk.gov.cn``.

    By the rules of .cn (categories and provinces on the second level); elsewhere the last two labels, or three under a
    category. An IP address is its own.
    """
    labels = host.split(".")
    if host.startswith("[") or labels[-1].isdecimal():
        return host
    top, second = labels[-1], labels[-2] if len(labels) > 1 else ""
    is_category = len(top) == 2 and _CATEGORY.fullmatch(second)
    is_province = top == "cn" and _CN_PROVINCE.fullmatch(second)
    return ".".join(labels[-3 if is_category or is_province else -2 :])


def _slashed(url: str) -> str:
    """Turn the backslashes before query and fragment into slashes, as browsers do."""
    if "\\" not in url:
        return url
    end = min((i for i in (url.find("?"), url.find("#")) if i >= 0), default=len(url))
    return url[:end].replace("\\", "/") + url[end:]


def _ascii_host(host: str) -> str | None:
    """Return *host* in lower case, internationalised names in their ASCII form (RFC 3490), or None if malformed."""
    if len(host) > 254:  # 253 (RFC 1035) and a final dot
        return None
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    host = host.lower().removesuffix(".")
    return host if len(host) <= 253 and _HOST.fullmatch(host) else None
