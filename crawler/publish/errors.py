"""Addresses that cannot be answered: never a 500 for what a reader wrote, and no traceback for it either.

Datasette 0.65 lets through what SQLite and Python say to odd parameters of its own pages (``_facet=nothing``,
``_next=x``, ``id__gt=99999999999999999999``). What they raise is the address's fault, and so is a query that takes too
long; a damaged file, a full disk or a slip in our own pages is not, and stays a 500.
"""

import datasette.handle_exception as datasettes_own
from datasette.utils import InvalidSql

_OF_VALUES = (ValueError, LookupError, OverflowError, TypeError, AttributeError, AssertionError, InvalidSql)
"""What Python says to values that Datasette's views did not expect; `UnicodeError` is a ValueError."""
_OF_SQL = (
    "no such",
    "syntax error",
    "unable to use",
    "wrong number",
    "malformed json",
    "unknown",
    "misuse",
    "fts5",
    "too",
)
"""How SQLite's messages begin, or what is in them, where the query is at fault and not the file."""


def quieten() -> None:
    """Keep Datasette from printing every missing page with its local variables, as it does where rich is installed."""
    datasettes_own.rich = None
