"""Questions to the full-text index: which articles match a query (`crawler.text.query`), in what order, how many.

What is withheld is not found.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from crawler.text.folding import fold
from crawler.text.query import Filter, Query, code_prefix

TITLE_WEIGHT = 10.0
"""What a word in the title counts against one in the text, for BM25: titles are a hundredth of the texts' length."""

Order = Literal["relevance", "newest", "oldest", "added"]
"""``added``: what came into the archive last."""
Group = Literal["year", "division", "portal", "state"]

_DAY = "coalesce(articles.published, articles.first_seen)"
"""An article without a date counts for the day on which it was first seen."""
_HOST = "substr(articles.url, instr(articles.url, '://') + 3)"
_HOST = f"substr({_HOST}, 1, instr({_HOST} || '/', '/') - 1)"
_ORDERS: Mapping[Order, str] = {
    "relevance": f"bm25(articles_fts, 1.0, {TITLE_WEIGHT}), {{id}}",
    # A day to come is a slip of the page's; it would stand on top for ever.
    "newest": f"min({_DAY}, articles.first_seen) DESC, {{id}} DESC",
    "oldest": f"{_DAY}, {{id}}",
    "added": "{id} DESC",
}
_GROUPS: Mapping[Group, str] = {
    "year": f"substr({_DAY}, 1, 4)",
    "division": "articles.division_code",
    "portal": "articles.portal_id",
    "state": "articles.state",
}
_CONDITIONS = {
    "division": "articles.division_code GLOB :{}",
    "portal": "articles.portal_id = :{}",
    "site": f"'.' || {_HOST} || ':' LIKE :{{}} ESCAPE '\\'",
    "since": f"{_DAY} >= :{{}}",
    "before": f"{_DAY} < :{{}}",
    "state": "articles.state = :{}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An article that matches."""

    article_id: int
    portal_id: str
    url: str
    title: str | None
    published: str | None
    division_code: str | None
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of an answer."""

    total: int
    """How many articles match."""
    hits: tuple[Hit, ...]


def search(
    conn: sqlite3.Connection, query: Query, *, order: Order = "relevance", limit: int = 20, offset: int = 0
) -> Found:
    """The articles that match *query*: *limit* of them from *offset* on. A query that asks nothing finds nothing.

    ``relevance`` is BM25; for filters without words it is ``newest``.
    """
    ids = ordered_ids(conn, query, order=order, limit=limit, offset=offset)
    return Found(total=count(conn, query), hits=tuple(hits(conn, ids)))


def ordered_ids(
    conn: sqlite3.Connection, query: Query, *, order: Order = "relevance", limit: int = 20, offset: int = 0
) -> list[int]:
    """The ids of the articles that `search` finds, in its order."""
    by: Order = "newest" if order == "relevance" and not query.wanted else order
    key = _key(query)
    tail = f"ORDER BY {_ORDERS[by].format(id=key)} LIMIT :limit OFFSET :offset"
    return [one for (one,) in _select(conn, query, key, tail, limit=limit, offset=offset)]


def hits(conn: sqlite3.Connection, ids: Sequence[int]) -> list[Hit]:
    """The articles *ids*, in their order; those that there are not (any more) are left out."""
    names = ("article_id", "portal_id", "url", "title", "published", "division_code", "state")
    sql = f"SELECT id, {', '.join(names[1:])} FROM articles WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608
    found = {row[0]: Hit(**dict(zip(names, row, strict=True))) for row in conn.execute(sql, (json.dumps(ids),))}
    return [found[one] for one in ids if one in found]


def best_of(conn: sqlite3.Connection, query: Query, ids: Sequence[int], *, limit: int, offset: int = 0) -> list[int]:
    """Those of *ids*, which all have the words of *query*, the best first: *limit* of them from *offset* on.

    What `ordered_ids` finds under filters that leave *ids*, without looking up a row.
    """
    sql = f"""
        SELECT articles_fts.rowid FROM articles_fts
        WHERE articles_fts MATCH :match AND +articles_fts.rowid IN (SELECT value FROM json_each(:ids))
        ORDER BY {_ORDERS["relevance"].format(id="articles_fts.rowid")} LIMIT :limit OFFSET :offset
    """  # noqa: S608 - words of ours; the plus keeps SQLite from asking the index anew for each id
    values = {"match": query.match, "ids": json.dumps(ids), "limit": limit, "offset": offset}
    return [one for (one,) in conn.execute(sql, values)]


def matching_ids(conn: sqlite3.Connection, query: Query) -> list[int]:
    """The ids of all articles that match *query*, rising."""
    # One value, not a row for each id: half the time where there are many.
    found = _select(conn, query, f"json_group_array({_key(query)})")
    return sorted(chain.from_iterable(json.loads(ids) for (ids,) in found))


def count(conn: sqlite3.Connection, query: Query) -> int:
    """How many articles match *query*."""
    return sum(total for (total,) in _select(conn, query, "count(*)"))


def counts(conn: sqlite3.Connection, query: Query, by: Group) -> list[tuple[str | None, int]]:
    """How many articles match *query* of each year, division, portal or state: its value and the number, by value."""
    return _select(conn, query, f"{_GROUPS[by]} AS value, count(*)", "GROUP BY value ORDER BY value")


def conditions(conn: sqlite3.Connection, filters: Iterable[Filter]) -> tuple[list[str], dict[str, str]]:
    """SQL conditions on rows of ``articles``, one for each filter, and the values of their named parameters."""
    found: list[str] = []
    values: dict[str, str] = {}
    for one in filters:
        alternatives = []
        for value in _compared(conn, one):
            name = f"filter_{len(values)}"
            values[name] = value
            alternatives.append(_CONDITIONS[one.kind].format(name))
        condition = " OR ".join(alternatives) or "0"
        found.append(f"NOT coalesce({condition}, 0)" if one.excluded else f"({condition})")
    return found, values


def code_prefixes(conn: sqlite3.Connection, condition: Filter) -> list[str]:
    """What the codes begin with that a filter by division lets through."""
    return [condition.value] if condition.value.isdigit() else _codes_of(conn, condition.value)


def _select(conn: sqlite3.Connection, query: Query, columns: str, tail: str = "", **values: Any) -> list[Any]:
    if not (query.words or query.filters):
        return []
    where, filter_values = conditions(conn, query.filters)
    if query.wanted:
        where.append("articles_fts MATCH :match")
    else:
        where.append("articles.id NOT IN (SELECT article_id FROM withheld)")  # nor is that in the index
        if query.unwanted:
            where.append("articles.id NOT IN (SELECT rowid FROM articles_fts WHERE articles_fts MATCH :match)")
    values |= {**filter_values, "match": query.match if query.wanted else query.match_unwanted}
    source = _source(query, fields="articles." in columns + tail)
    return conn.execute(f"SELECT {columns} FROM {source} WHERE {' AND '.join(where)} {tail}", values).fetchall()  # noqa: S608 - words of ours


def _key(query: Query) -> str:
    """Where an article's id is read; from the index alone where it says enough."""
    return "articles_fts.rowid" if query.wanted else "articles.id"


def _source(query: Query, *, fields: bool) -> str:
    """Where the answer is read from: the index alone where it says enough, which is many times faster.

    CROSS JOIN: the index is asked once. SQLite would rather ask it anew for each article that a filter lets through.
    """
    if not query.wanted:
        return "articles"
    if not (fields or query.filters):
        return "articles_fts"
    return "articles_fts CROSS JOIN articles ON articles.id = articles_fts.rowid"


def _compared(conn: sqlite3.Connection, condition: Filter) -> list[str]:
    """What the filter's column is compared with; any of them is enough."""
    if condition.kind == "division":
        return [f"{prefix}*" for prefix in code_prefixes(conn, condition)]
    if condition.kind == "site":
        host = condition.value.replace("_", "\\_")
        return [f"%.{host}:%"]
    return [condition.value]


def _codes_of(conn: sqlite3.Connection, name: str) -> list[str]:
    """What the codes begin with of divisions whose name, today or once, begins so, in either script."""
    folded = fold(name)
    rows = conn.execute("SELECT DISTINCT code, name FROM divisions ORDER BY code")
    return [code_prefix(code) for code, called in rows if fold(called).startswith(folded)]
