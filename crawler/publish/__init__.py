"""The public face of an archive: a Datasette plugin that every ``datasette`` in this environment loads.

It recognises the archives among the databases that are served. The first one gets the pages of ``site``; in Datasette's
own pages all of them get titles, descriptions, facets and canned queries. Every response gets its security headers, and
introspection pages are closed. Written for Datasette 0.65 against hooks that 1.0 keeps, but for ``get_metadata``: there
the same data goes to ``set_*_metadata`` in ``startup``.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from datasette import hookimpl as untyped_hookimpl
from markupsafe import Markup

from crawler.publish import cells, errors, metadata, search, spreadsheets
from crawler.publish.facets import TogetherFacet, YearFacet
from crawler.publish.headers import Asgi, guarded
from crawler.publish.paging import keep_order
from crawler.publish.shown import show_public_rows
from crawler.publish.site.frame import Routes
from crawler.publish.site.routes import ROUTES

hookimpl: Callable[[Any], Any] = untyped_hookimpl
first_hookimpl: Callable[[Any], Any] = untyped_hookimpl(tryfirst=True)
last_hookimpl: Callable[[Any], Any] = untyped_hookimpl(trylast=True)
"""For what has to come behind Datasette's own, which would win else."""


@hookimpl
async def startup(datasette: Any) -> None:
    """Find the archives among the databases, and keep from readers what is withheld."""
    errors.take_over()
    spreadsheets.take_over()
    await metadata.recognise(datasette)
    for name in metadata.archives(datasette):
        database = datasette.get_database(name)
        await show_public_rows(database)
        await keep_order(database)


@first_hookimpl
def register_routes() -> Routes:
    """Our pages, ``robots.txt`` among them."""
    return ROUTES


@hookimpl
def get_metadata(datasette: Any) -> dict[str, Any]:
    """Titles, descriptions, facets and default order."""
    return metadata.site_metadata(datasette)


@hookimpl
def canned_queries(datasette: Any, database: str) -> dict[str, dict[str, str]]:
    """Readers' questions."""
    return metadata.queries() if metadata.is_archive(datasette, database) else {}


@last_hookimpl
def prepare_connection(conn: sqlite3.Connection) -> None:
    """SQL functions ``fold_hash(text)``, the key under which a paragraph is stored, and ``escape_fts(text)``."""
    conn.create_function("fold_hash", 1, cells.fold_hash_of, deterministic=True)
    search.define_escape_fts(conn)


@hookimpl
def filters_from_request(datasette: Any, database: str, table: str, request: Any) -> Callable[[], Awaitable[Any]]:
    """What the search box says beside words."""
    return lambda: search.filters(datasette, database=database, table=table, typed=request.args.get("_search"))


@hookimpl
def register_facet_classes() -> list[type[YearFacet | TogetherFacet]]:
    """Facets by year, and of several columns in one pass."""
    return [YearFacet, TogetherFacet]


@hookimpl
def render_cell(row: Any, value: Any, column: str, table: str | None, database: str, datasette: Any) -> Markup | None:
    """Cells that lead to an article."""
    return cells.article_link(datasette, database=database, table=table, column=column, value=value, row=row)


@hookimpl
def extra_template_vars(
    datasette: Any, database: str | None, table: str | None, view_name: str, request: Any
) -> dict[str, Any]:
    """Ways from Datasette's pages to ours."""
    return cells.template_vars(datasette, database=database, table=table, view_name=view_name, request=request)


@hookimpl
def handle_exception(datasette: Any, request: Any, exception: Exception) -> Callable[[], Awaitable[Any]]:
    """The page that says what went wrong."""
    return lambda: errors.answer(datasette, request, exception)


@hookimpl
def extra_css_urls(datasette: Any) -> list[str]:
    """Our style sheet."""
    return [str(datasette.urls.static_plugins("xianzhi", "xianzhi.css"))]


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[[Asgi], Asgi]:
    """Security headers, and no introspection."""
    return lambda app: guarded(app, base_url=datasette.setting("base_url"))
