"""What the tables mean, from metadata.toml and queries.toml, and which databases it holds for."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any
from weakref import WeakKeyDictionary

from crawler.archive.schema import APPLICATION_ID

_sites: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()
"""For each running Datasette its own copy of the metadata, because Datasette writes into what it is given."""


async def recognise(datasette: Any) -> None:
    """Look which databases of ``datasette`` are archives; call once, before the first page."""
    found = []
    for name, database in datasette.databases.items():
        if (await database.execute("pragma application_id")).single_value() == APPLICATION_ID:
            found.append(name)
    if found:
        site = _read("metadata.toml")
        tables = site.pop("tables")
        _sites[datasette] = {**site, "databases": {name: {"tables": tables} for name in found}}


def is_archive(datasette: Any, database: str | None) -> bool:
    """Whether that database was recognised."""
    return database in archives(datasette)


def archives(datasette: Any) -> list[str]:
    """Names of the databases that are archives, in the order they are served."""
    return list(site_metadata(datasette).get("databases", ()))


def site_metadata(datasette: Any) -> dict[str, Any]:
    """Datasette's metadata for the whole site; empty where no archive is served."""
    return _sites.get(datasette, {})


def tables() -> dict[str, dict[str, Any]]:
    """For each table and view: ``title``, ``description``, ``columns`` (name to description), ``facets`` …

    ``shown``: the columns that links of ours ask for, where all would not fit a screen.
    """
    described: dict[str, dict[str, Any]] = _read("metadata.toml")["tables"]
    return described


def site() -> dict[str, str]:
    """``title``, ``description`` and ``license`` of the whole, Chinese and English."""
    return {name: value for name, value in _read("metadata.toml").items() if isinstance(value, str)}


def queries() -> dict[str, dict[str, Any]]:
    """Canned queries by name: ``title``, ``description``, ``labels`` of parameters, ``sql``.

    A fresh copy: Datasette writes into it.
    """
    return {name: {**query, "hide_sql": True} for name, query in _parsed_queries().items()}


@cache
def _parsed_queries() -> dict[str, dict[str, Any]]:
    return _read("queries.toml")


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("crawler.publish") / name).read_text(encoding="utf-8"))
