"""Where Datasette's tables, rows and queries lead to our own pages, and the SQL functions of our queries."""

from typing import Any

from markupsafe import Markup

from crawler.publish.metadata import archives, is_archive, tables
from crawler.text.folding import fold_hash


def article_link(
    datasette: Any, *, database: str, table: str | None, column: str, value: Any, row: Any
) -> Markup | None:
    """A link to an article's page, or None for Datasette's own rendering.

    In ``articles`` the title leads there; in a query's result and in ``article_texts`` the column ``article_id`` does.
    """
    if table == "articles" and column == "title" and isinstance(value, str) and value.strip():
        article_id, text = row["id"], _cut(value.strip(), datasette.setting("truncate_cells_html"))
    elif table in (None, "article_texts") and column == "article_id" and isinstance(value, int):
        article_id, text = value, str(value)
    else:
        return None
    if not is_archive(datasette, database):
        return None
    return Markup('<a href="{}">{}</a>').format(_page(datasette, database, article_id), text)


def template_vars(
    datasette: Any, *, database: str | None, table: str | None, view_name: str, request: Any
) -> dict[str, Any]:
    """What our parts of Datasette's templates need: whether there is an archive, what is said of its tables, and an
    article's page on its row's."""
    found: dict[str, Any] = {"is_xianzhi": bool(archives(datasette))}
    if view_name == "database" and is_archive(datasette, database):
        found["described"] = tables()
    key = request.url_vars.get("pks", "") if request else ""
    if view_name == "row" and table == "articles" and is_archive(datasette, database) and key.isdecimal():
        found["article_path"] = _page(datasette, database, key)
    return found


def _page(datasette: Any, database: str | None, article_id: Any) -> str:
    """Our page of an article, for the first archive; of further ones, the row."""
    if database == archives(datasette)[0]:
        return str(datasette.urls.path(f"/article/{article_id}"))
    return str(datasette.urls.row(database, "articles", str(article_id)))


def fold_hash_of(value: Any) -> int | None:
    """The key of a paragraph as the archive stores it, signed 64 bit; None for what is not text."""
    return fold_hash(value) if isinstance(value, str) else None


def _cut(text: str, longest: int) -> str:
    return text if not longest or len(text) <= longest else text[:longest] + "…"
