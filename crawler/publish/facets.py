"""A facet by year, which Datasette does not have."""

from typing import Any

from datasette.database import QueryInterrupted
from datasette.facets import Facet
from datasette.utils import escape_sqlite, path_with_added_args, path_with_removed_args


class YearFacet(Facet):  # type: ignore[misc]
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
            size = self.get_facet_size()
            results.append(
                {
                    "name": column,
                    "type": self.type,
                    "hideable": chosen["source"] != "metadata",
                    "toggle_url": self._url(path_with_removed_args(self.request, {"_facet_year": column})),
                    "results": [self._choice(column, row["value"], row["count"]) for row in counted[:size]],
                    "truncated": len(counted) > size,
                }
            )
        return results, timed_out

    async def _count(self, column: str) -> list[Any]:
        name = escape_sqlite(column)
        counted = await self.ds.execute(
            self.database,
            f"select substr({name}, 1, 4) as value, count(*) as count from ({self.sql})"  # noqa: S608 - name is escaped
            f" where {name} glob '[0-9][0-9][0-9][0-9]*' group by value order by value desc"
            f" limit {self.get_facet_size() + 1}",
            self.params,
            truncate=False,
            custom_time_limit=self.ds.setting("facet_time_limit_ms"),
        )
        return list(counted.rows)

    def _choice(self, column: str, year: str, count: int) -> dict[str, Any]:
        condition = {f"{column}__startswith": year}
        selected = (f"{column}__startswith", year) in self.get_querystring_pairs()
        toggle = path_with_removed_args if selected else path_with_added_args
        return {
            "value": year,
            "label": year,
            "count": count,
            "toggle_url": self._url(toggle(self.request, condition)),
            "selected": selected,
        }

    def _url(self, path: str) -> str:
        return str(self.ds.absolute_url(self.request, self.ds.urls.path(path)))
