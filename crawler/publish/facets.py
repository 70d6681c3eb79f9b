"""Facets that Datasette does not have: by year, and of several columns in one pass."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from datasette.database import QueryInterrupted
from datasette.facets import Facet
from datasette.utils import escape_sqlite, path_with_added_args, path_with_removed_args

_YEAR = re.compile("[0-9]{4}")

Counted = Sequence[tuple[str, int]]
"""Values and how many rows have them, in the order in which they are shown."""


class _Facet(Facet):  # type: ignore[misc]
    """What both have in common."""

    async def _query(self, sql: str, *, columns: int = 1) -> list[Any]:
        """All rows; raises QueryInterrupted after what Datasette allows facets of so many columns."""
        counted = await self.ds.execute(
            self.database,
            sql,
            self.params,
            truncate=False,
            custom_time_limit=self.ds.setting("facet_time_limit_ms") * columns,
        )
        return list(counted.rows)

    def _result(self, column: str, kind: str, choices: list[dict[str, Any]], *, hideable: bool) -> dict[str, Any]:
        """Datasette's shape; *choices* may be one more than are shown."""
        size = self.get_facet_size()
        parameter = {"_facet" if kind == "column" else f"_facet_{kind}": column}
        return {
            "name": column,
            "type": kind,
            "hideable": hideable,
            "toggle_url": self._url(path_with_removed_args(self.request, parameter)),
            "results": choices[:size],
            "truncated": len(choices) > size,
        }

    def _years(self, column: str, counted: Counted) -> list[dict[str, Any]]:
        return [self._choice(f"{column}__startswith", year, year, number) for year, number in counted]

    def _choice(self, parameter: str, value: str, label: str, count: int) -> dict[str, Any]:
        selected = (parameter, value) in self.get_querystring_pairs()
        toggle: Callable[..., str] = path_with_removed_args if selected else path_with_added_args
        return {
            "value": value,
            "label": label,
            "count": count,
            "toggle_url": self._url(toggle(self.request, {parameter: value})),
            "selected": selected,
        }

    def _url(self, path: str) -> str:
        return str(self.ds.absolute_url(self.request, self.ds.urls.path(path)))


class YearFacet(_Facet):
    """Rows counted by the first four digits of an ISO 8601 column, newest year first.

    In metadata ``{"year": "published"}``, in an address ``_facet_year=published``; a year selects by ``__startswith``.
    """

    type = "year"

    async def facet_results(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Datasette's shape: results, and the columns that took too long."""
        results: list[dict[str, Any]] = []
        timed_out: list[str] = []
        for chosen in self.get_configs():
            column = chosen["config"].get("column") or chosen["config"]["simple"]
            try:
                counted = await self._count(column)
            except QueryInterrupted:
                timed_out.append(column)
                continue
            hideable = chosen["source"] != "metadata"
            results.append(self._result(column, self.type, self._years(column, counted), hideable=hideable))
        return results, timed_out

    async def _count(self, column: str) -> Counted:
        name = escape_sqlite(column)
        counted = await self._query(
            f"select substr({name}, 1, 4) as value, count(*) as count from ({self.sql})"  # noqa: S608 - name is escaped
            f" where {name} glob '[0-9][0-9][0-9][0-9]*' group by value order by value desc"
            f" limit {self.get_facet_size() + 1}"
        )
        return [(row["value"], row["count"]) for row in counted]


class TogetherFacet(_Facet):
    """Several columns counted in one pass, as Datasette's own facet and `YearFacet` would one after the other.

    In metadata alone: ``{"together": {"column": ["portal_id", "state"], "year": ["published"]}}``. Where a search
    found many rows, each pass asks the index and looks them up anew.
    """

    type = "together"

    async def facet_results(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Datasette's shape: results, and the columns that took too long."""
        results: list[dict[str, Any]] = []
        timed_out: list[str] = []
        configs = [chosen["config"] for chosen in self.get_configs() if chosen["source"] == "metadata"]
        kinds = {column: kind for config in configs for kind, columns in config.items() for column in columns}
        for columns in self._passes(kinds):
            try:
                counted = await self._count({column: kinds[column] for column in columns})
            except QueryInterrupted:
                timed_out += columns
                continue
            for column, numbers in counted.items():
                choices = await self._choices(column, kinds[column], numbers)
                results.append(self._result(column, kinds[column], choices, hideable=False))
        return results, timed_out

    def _passes(self, columns: Iterable[str]) -> list[list[str]]:
        """Of a whole table, columns are counted faster alone: by an index, and without telling many groups apart."""
        every = list(columns)
        return [every] if every and " where " in self.sql else [[column] for column in every]

    async def _count(self, kinds: Mapping[str, str]) -> dict[str, Counter[Any]]:
        names = [escape_sqlite(column) for column in kinds]
        values = [
            f"substr({name}, 1, 4)" if kind == "year" else name
            for name, kind in zip(names, kinds.values(), strict=True)
        ]
        groups = await self._query(
            f"select {', '.join(values)}, count(*) from ({self.sql})"  # noqa: S608 - names are escaped
            f" group by {', '.join(map(str, range(1, len(values) + 1)))}",
            columns=len(values),
        )
        counted: dict[str, Counter[Any]] = {column: Counter() for column in kinds}
        for *group, number in groups:
            for column, value in zip(kinds, group, strict=True):
                counted[column][value] += number
        return counted

    async def _choices(self, column: str, kind: str, numbers: Mapping[Any, int]) -> list[dict[str, Any]]:
        """One more than are shown, in the order of the facets that these stand for."""
        shown = self.get_facet_size() + 1
        if kind == "year":
            years = [(value, number) for value, number in numbers.items() if value and _YEAR.fullmatch(value)]
            return self._years(column, sorted(years, reverse=True)[:shown])
        known = [(value, number) for value, number in numbers.items() if value is not None]
        most = sorted(known, key=lambda one: (-one[1], one[0]))[:shown]
        labels = await self.ds.expand_foreign_keys(self.database, self.table, column, [value for value, _ in most])
        return [self._choice(column, value, labels.get((column, value), value), number) for value, number in most]
