"""Making tables through sqlite-utils, whose methods join a transaction that is open (nested ones become savepoints).

What it has no words for (CHECK, AUTOINCREMENT, WITHOUT ROWID) is added to its SQL. Tables are not STRICT: SQLite before
3.37 could not open the file.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

UNREAD_ROLES = ("repeat", "boilerplate", "spam")
"""Roles that the reading text leaves out."""


def create(
    db: Any,
    name: str,
    columns: Mapping[str, type],
    *,
    pk: str | tuple[str, ...],
    nullable: Collection[str] = (),
    defaults: Mapping[str, Any] | None = None,
    foreign_keys: Mapping[str, str] | None = None,
    constraints: Iterable[str] = (),
    checks: Iterable[str] = (),
    autoincrement: bool = False,
    without_rowid: bool = False,
) -> None:
    """Create a table; columns are NOT NULL unless *nullable*. *foreign_keys*: column → table, whose key is ``id``."""
    sql = db.create_table_sql(
        name,
        dict(columns),
        pk=pk,
        not_null=[column for column in columns if column not in nullable],
        defaults=dict(defaults or {}),
        foreign_keys=[(column, table, "id") for column, table in (foreign_keys or {}).items()],
    )
    body = sql.rstrip().removesuffix(";").removesuffix(")").rstrip()
    for constraint in (*constraints, *(f"CHECK ({check})" for check in checks)):
        body += f",\n   {constraint}"
    if autoincrement:  # ids are never used again, also where the newest row was deleted by hand
        body = body.replace("PRIMARY KEY", "PRIMARY KEY AUTOINCREMENT", 1)
    db.execute(f"{body}\n)" + (" WITHOUT ROWID" if without_rowid else ""))


def one_of(column: str, values: Iterable[str]) -> str:
    """NULL passes a CHECK; NOT NULL is said elsewhere."""
    return f'"{column}" IN ({", ".join(repr(value) for value in values)})'
