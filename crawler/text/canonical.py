"""Under which address an article is one row, however it is linked; the rules stand in ``vocabulary/addresses.toml``."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from crawler.text.urls import MAX_LENGTH, Address, cleaned, parse, registered_domain
from crawler.vocabulary import table

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986 section 2.3
_NOT_BARE = re.compile(r"%[0-9A-Fa-f]{2}|[^A-Za-z0-9._~!$&'()*+,;=:@/?-]")
"""An escape, or a character that stands in a path or query only escaped (RFC 3986 section 3.3 and 3.4)."""
_SCHEMES = {"80": "http", "443": "https"}


class _Copy(NamedTuple):
    """What the path of a copy looks like, and what its original has in that place."""

    path: re.Pattern[str]
    original: str


class _Rules(NamedTuple):
    """The vocabulary, compiled."""

    sessions: re.Pattern[str]
    default_documents: frozenset[str]
    visit: Mapping[str, re.Pattern[str]]
    """Values that are dropped, by the parameter's name in lower case."""
    copies: tuple[_Copy, ...]


def canonical(url: str, *, homepage: str | None = None) -> str:
    """Return the address under which an article is one row.

    Host in lower case, no default port, no fragment, dot segments resolved, escapes normalised (RFC 3986 section
    6.2.2), no marks of the visit, the original's address for a copy's; ``index.html`` and its like dropped at the end
    where no query follows (with one, the script is meant and not the folder's default page). What chooses a page stays
    as it is: every other parameter, their order, doubled slashes. What is no http address is returned stripped.
    Idempotent.

    *homepage* is the portal's. Its scheme replaces the address's own, because portals answer under both; an explicit
    port keeps the scheme it was given with. Its host replaces one that differs by ``www.`` alone: spiders take both for
    the portal, and of the two the homepage's is the one known to answer.
    """
    address = parse(url)
    if address is None:
        return cleaned(url)
    address = _original(_normal(address))
    rules = _rules()
    query = _without_visit(address.query, rules.visit)
    folder, slash, name = address.path.rpartition("/")
    path = folder + slash if not query and name in rules.default_documents else address.path
    scheme, host = _at_home(address, homepage)
    return str(Address(scheme, False, host, address.port, path, query))


def original(url: str) -> str:
    """Return the address of the page that *url* is a copy of (for telephones, in traditional characters), or *url*.

    This is the one to fetch: a copy's text was made by a machine.
    """
    address = parse(url)
    if address is None:
        return url
    normal = _normal(address)
    found = _original(normal)
    return url if found is normal else str(found)


@cache
def _rules() -> _Rules:
    words = table("addresses")
    values: dict[str, list[str]] = {}
    for parameters in words["parameters"]:
        for name in parameters["names"]:
            values.setdefault(name, []).append(parameters["value"])
    return _Rules(
        sessions=re.compile("|".join(words["sessions"]), re.IGNORECASE),
        default_documents=frozenset(words["default_documents"]),
        visit={name: re.compile("|".join(["", *patterns])) for name, patterns in values.items()},
        copies=tuple(_Copy(re.compile(copy["path"]), copy["original"]) for copy in words["copies"]),
    )


def _normal(address: Address) -> Address:
    """Path and query in their one spelling, without session ids."""
    sessions = _rules().sessions
    path = _without_dot_segments(sessions.sub("", _normal_escapes(address.path)) or "/")
    query = sessions.sub("", _normal_escapes(address.query)) if address.query else ""
    return Address(*address[:4], path, query)


def _original(address: Address) -> Address:
    """The page that *address* is a copy of, through several layers if need be; *address* itself where it is none."""
    copy = address if len(address.path) <= MAX_LENGTH else None
    while copy:  # each step shortens the path
        address, copy = copy, _behind(copy)
    return address


def _behind(address: Address) -> Address | None:
    """What the first rule that fits makes of a copy's address; None where none does."""
    for copy in _rules().copies:
        found = copy.path.search(address.path)
        behind = _replaced(address, found, copy.original) if found else None
        if behind:
            return behind
    return None


def _replaced(address: Address, found: re.Match[str], by: str) -> Address | None:
    """*address* with that part of its path replaced; None where the part names a host of another owner."""
    path = f"{address.path[: found.start()]}{by}{address.path[found.end() :]}" or "/"
    named = found.groupdict().get("host")
    if named is None:
        return address._replace(path=path)
    scheme = _SCHEMES.get(named.rpartition(":")[2], address.scheme)
    real = parse(f"{scheme}://{named}/")
    if real is None or real.has_credentials or _owner(real.host) != _owner(address.host):
        return None
    return real._replace(path=path, query=address.query)


def _owner(host: str) -> str:
    return registered_domain(_without_www(host))


def _without_www(host: str) -> str:
    return host.removeprefix("www.")


def _at_home(address: Address, homepage: str | None) -> tuple[str, str]:
    """Scheme and host as *homepage* has them, where they are only another way to say the same."""
    home = _home(homepage) if homepage else None
    if home is None:
        return address.scheme, address.host
    is_home = address.port == home.port and _without_www(address.host) == _without_www(home.host)
    return home.scheme if address.port is None else address.scheme, home.host if is_home else address.host


@lru_cache(maxsize=1_024)
def _home(homepage: str) -> Address | None:
    return parse(homepage)


def _normal_escapes(text: str) -> str:
    """Bring *text* (a path or a query) to one spelling: each character bare or escaped, hex digits upper case."""
    return _NOT_BARE.sub(_one_spelling, text)


def _one_spelling(found: re.Match[str]) -> str:
    piece = found[0]
    if len(piece) == 3:
        meant = chr(int(piece[1:], 16))
        return meant if meant in _UNRESERVED else piece.upper()
    return "".join(f"%{byte:02X}" for byte in piece.encode("utf-8", "surrogatepass"))


def _without_dot_segments(path: str) -> str:
    """Resolve ``.`` and ``..`` (RFC 3986 section 5.2.4); *path* begins with a slash."""
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _without_visit(query: str, visit: Mapping[str, re.Pattern[str]]) -> str:
    """Drop the parameters that change with the visit; the others keep their order."""
    if not query:
        return query
    kept = []
    for parameter in query.split("&"):
        name, _, value = parameter.partition("=")
        pattern = visit.get(name.lower())
        if parameter and not (pattern and pattern.fullmatch(value)):
            kept.append(parameter)
    return "&".join(kept)
