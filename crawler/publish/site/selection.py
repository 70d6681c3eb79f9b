"""What an address asks of the archive: words, dates, place, portal, state. One reading for page, feed and files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crawler.archive.search_query import Order
from crawler.text import query as queries
from crawler.text.query import Filter, Query

PER_PAGE = 20
PAGES = 500
"""Beyond that nobody reads on, and every page costs more than the one before."""

_FILTERS: Mapping[str, Callable[[str], Filter | None]] = {
    "from": queries.since,
    "to": queries.until,
    "division": queries.division,
    "portal": queries.portal,
    "state": queries.state,
}
"""Parameters, and what reads them."""
SORTS: tuple[Order, ...] = ("relevance", "newest", "oldest")
LONGEST = 100
"""Characters of a filter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A search as an address has it."""

    typed: str
    """The words as the reader typed them."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """The filters that were understood, as given, by the parameter's name."""
    unread: tuple[str, ...] = ()
    """Names of filters that say nothing (``from=here``)."""
    query: Query
    order: Order
    page: int = 1
    """From 1."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked."""
        return not (self.query.words or self.query.filters)

    @property
    def parameters(self) -> dict[str, str]:
        """The address's parameters that say the same, without the page; for `frame.link`."""
        sort = {} if self.order == default_order(self.query) else {"sort": str(self.order)}
        return {**({"q": self.typed} if self.typed else {}), **self.filters, **sort}


def selection_of(request: Any) -> Selection:
    """Read the parameters ``q``, ``from``, ``to``, ``division``, ``portal``, ``state``, ``sort`` and ``page``.

    Anything can be in them; what says nothing is passed over, and of filters `Selection.unread` says which.
    """
    typed = (request.args.get("q") or "").strip()[: queries.LONGEST]
    given = {name: (request.args.get(name) or "").strip()[:LONGEST] for name in _FILTERS}
    read = {name: _FILTERS[name](value) for name, value in given.items() if value}
    query = queries.parse(typed).narrowed(*read.values())
    asked = request.args.get("sort")
    order = next((one for one in SORTS if one == asked), default_order(query))
    return Selection(
        typed=typed,
        filters={name: given[name] for name, found in read.items() if found},
        unread=tuple(name for name, found in read.items() if not found),
        query=query,
        order=order,
        page=_page(request.args.get("page")),
    )


def default_order(query: Query) -> Order:
    """The best first where there are words, else the newest."""
    return "relevance" if query.wanted else "newest"


def _page(given: str | None) -> int:
    number = int(given) if given and given.isascii() and given.isdigit() and len(given) < 6 else 1
    return min(max(number, 1), PAGES)
