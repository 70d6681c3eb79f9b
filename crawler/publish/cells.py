"""Cells of Datasette's tables that say more than their value, and the SQL functions of our queries."""

from typing import Any

from markupsafe import Markup

from crawler.publish.metadata import is_archive
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
    return Markup('<a href="{}">{}</a>').format(datasette.urls.row(database, "articles", str(article_id)), text)


def fold_hash_of(value: Any) -> int | None:
    """The key of a paragraph as the archive stores it, signed 64 bit; None for what is not text."""
    return fold_hash(value) if isinstance(value, str) else None


def _cut(text: str, longest: int) -> str:
    return text if not longest or len(text) <= longest else text[:longest] + "…"
