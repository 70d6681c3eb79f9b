"""Portals as the catalogue describes them, one and all."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

from crawler.text.urls import host_of

FAMILIES = (
    "trs",
    "ucap",
    "jcms",
    "jpaas",
    "vsb",
    "nfcms",
    "longtech",
    "epoint",
    "easysite",
    "channel_list",
    "uuid_list",
    "num_html",
    "founder_epaper",
    "founder",
    "ilist",
    "dedecms",
    "phpcms",
    "empirecms",
    "asp",
    "wordpress",
    "feed",
    "sitemap",
    "generic",
)
"""CMS families by their names in the catalogue; a family's spider is the file of that name in ``spiders/``."""

Tls = Literal["modern", "legacy"]
ExpectedField = Literal["title", "published", "source", "author", "editor", "column", "body"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What a healthy portal yields; a run with less is reported as ``below``."""

    week: int | None = None
    """New articles in seven days, at least."""
    first_page: int | None = None
    """Articles that the first page of each list names, at least."""
    filled: tuple[ExpectedField, ...] = ()
    """Fields that every article has."""
    blocked: bool = False
    """The portal is known to refuse us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """One entry of the catalogue, valid in itself."""

    id: str
    """Stable slug; names the portal everywhere."""
    name: str
    division: str
    """Six digits of GB/T 2260: county, prefecture or province."""
    homepage: str
    lists: tuple[str, ...] = ()
    """First pages of the news lists."""
    cms: str | None = None
    """One of `FAMILIES`; None: to be detected."""
    expect: Expect = Expect()
    feeds: tuple[str, ...] = ()
    """RSS or Atom."""
    sitemaps: tuple[str, ...] = ()
    article: str | None = None
    """Regular expression that is found in the addresses of articles."""
    body: str | None = None
    """CSS selector of the element that holds an article's text."""
    delay: float | None = None
    """Seconds between two requests; None: the setting for all."""
    encoding: str | None = None
    """Python codec name; a hint where a page's bytes leave a choice."""
    tls: Tls | None = None
    """``legacy``: the server speaks only old ciphers or renegotiates."""
    render: bool = False
    """Its pages are drawn by scripts: a browser draws lists and articles."""
    media: bool = False
    """The files and pictures of its articles are fetched too."""
    enabled: bool = True
    note: str | None = None
    """Where the entry comes from, and what to know about it."""

    @property
    def hosts(self) -> frozenset[str]:
        """Hosts that the portal's own addresses name, without port."""
        return frozenset(host_of(url) for url in (self.homepage, *self.lists, *self.feeds, *self.sitemaps))


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The portals, in the order of the files and of their entries; no id twice."""

    portals: tuple[Portal, ...]
    _by_id: Mapping[str, Portal] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {portal.id: portal for portal in self.portals})

    def __iter__(self) -> Iterator[Portal]:
        return iter(self.portals)

    def __len__(self) -> int:
        return len(self.portals)

    def portal(self, portal_id: str) -> Portal:
        """Return the portal called *portal_id*.

        Raises:
            LookupError: there is none; the message suggests the nearest id.

        """
        found = self._by_id.get(portal_id)
        if found is None:
            near = get_close_matches(portal_id, self._by_id, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise LookupError(f"no portal in the catalogue is called {portal_id!r}{hint}")
        return found

    def groups(self) -> tuple[tuple[Portal, ...], ...]:
        """Return the portals in groups that share a host (``www.`` or not), directly or by way of another portal.

        A group is the unit of politeness: one worker, one slot, one lock.
        """
        hosts = [{host.removeprefix("www.") for host in portal.hosts} for portal in self.portals]
        group_at: dict[str, frozenset[int]] = {}
        for number, own in enumerate(hosts):
            members = frozenset({number}).union(*(group_at.get(host, ()) for host in own))
            group_at.update((host, members) for member in members for host in hosts[member])
        groups = sorted(set(group_at.values()), key=min)
        return tuple(tuple(self.portals[number] for number in sorted(members)) for members in groups)
