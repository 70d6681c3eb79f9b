"""The search box of Datasette's own pages: words and filters as in crawler.text.query.

Datasette's own ``escape_fts`` quotes what is typed, and finds no Chinese word in an index of single characters.
"""

import sqlite3
from typing import Any

from datasette.filters import FilterArguments

from crawler.archive.schema import APPLICATION_ID
from crawler.archive.search_query import conditions
from crawler.publish.metadata import is_archive
from crawler.text.query import parse

SEARCHED = ("articles", "article_texts")
"""Tables with a search box."""


def define_escape_fts(conn: sqlite3.Connection) -> None:
    """Let ``escape_fts(text)`` read a query as the index of an archive needs it; other databases keep Datasette's."""
    [(application_id,)] = conn.execute("PRAGMA application_id").fetchall()
    if application_id == APPLICATION_ID:
        conn.create_function("escape_fts", 1, _escape_fts, deterministic=True)


async def filters(datasette: Any, *, database: str, table: str, typed: str | None) -> Any:
    """A query's filters as Datasette's ``FilterArguments``, or None; its words are Datasette's part."""
    wanted = parse(typed or "").filters
    if table not in SEARCHED or not wanted or not is_archive(datasette, database):
        return None
    clauses, values = await datasette.get_database(database).execute_fn(lambda conn: conditions(conn, wanted))
    if table == "article_texts":
        clauses = [f"article_id IN (SELECT id FROM articles WHERE {' AND '.join(clauses)})"]  # noqa: S608 - words of ours
    return FilterArguments(clauses, params=values)


def _escape_fts(typed: object) -> str:
    return parse(typed if isinstance(typed, str) else "").match
