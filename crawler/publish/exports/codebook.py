"""What the tables of an export are: columns with types, units, meanings, and where each value comes from."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from crawler.publish import metadata

Type = Literal["string", "integer", "number", "date", "datetime"]
"""As Table Schema names them (specs.frictionlessdata.io/table-schema)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of an exported table."""

    name: str
    type: Type
    meaning: str
    """Chinese, then English."""
    unit: str | None
    how: str
    """How its values came about, Chinese and English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as it is exported."""

    name: str
    title: str
    description: str
    columns: tuple[Column, ...]
    """In the order of the files."""
    key: tuple[str, ...]
    """Columns whose values together are those of one row only; empty where there are none."""
    refers: Mapping[str, str]
    """Column → the table whose ``id`` it has."""


@cache
def tables() -> Mapping[str, Table]:
    """Every table that can be exported, by name."""
    book = tomllib.loads((files("crawler.publish.exports") / "codebook.toml").read_text(encoding="utf-8"))
    how, described = book.pop("how"), metadata.tables()
    return {name: _table(name, entry, described.get(name, {}), how) for name, entry in book.items()}


def _table(name: str, entry: Mapping[str, Any], described: Mapping[str, Any], how: Mapping[str, str]) -> Table:
    meanings = described.get("columns", {})
    columns = (
        Column(
            name=column,
            type=said["type"],
            meaning=said.get("meaning") or meanings[column],
            unit=said.get("unit"),
            how=how[said["how"]],
        )
        for column, said in entry["columns"].items()
    )
    description = entry.get("description") or described["description"]
    return Table(
        name=name,
        title=entry.get("title") or described["title"],
        description=" ".join(filter(None, (description, entry.get("note")))),
        columns=tuple(columns),
        key=tuple(entry.get("key", ())),
        refers=entry.get("refers", {}),
    )
