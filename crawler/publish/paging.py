"""Paging through a sorted table without losing rows.

Datasette 0.65 continues after the last row by (column, primary key), but sorts its first page by the column alone.
Where SQLite walks an index backwards, equal values then come in the other order, and the next page skips rows: of 39
articles of one day, read 10 a page, 29 never appeared.
"""

import re
from typing import Any

_SORTED_PAGE = re.compile(
    r"(select [^()]+ from \[?(?P<table>\w+)\]? (?:where .+ )?order by \[?\w+\]?(?: desc)?)( limit \d+)", re.DOTALL
)
_COMPOUND = re.compile(r"\b(?:union|except|intersect)\b", re.IGNORECASE)


async def keep_order(database: Any) -> None:
    """Let every sorted first page of a table of *database* (a Datasette ``Database``) break ties by primary key."""
    keys = {table: await database.primary_keys(table) for table in await database.table_names()}
    execute = database.execute

    async def execute_in_order(sql: str, *args: Any, **options: Any) -> Any:
        return await execute(with_tie_breaker(sql, keys), *args, **options)

    database.execute = execute_in_order


def with_tie_breaker(sql: str, keys: dict[str, list[str]]) -> str:
    """*sql* with the table's primary key behind its one sort column, where it is a page as Datasette asks for it.

    *keys* has each table's primary key columns. Anything else comes back as it is.
    """
    page = _SORTED_PAGE.fullmatch(sql)
    key = keys.get(page["table"]) if page else None
    if not (page and key) or _COMPOUND.search(sql):
        return sql
    return f"{page[1]}, {', '.join(f'[{column}]' for column in key)}{page[3]}"
