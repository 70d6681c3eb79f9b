"""What the templates ``index.html`` and ``row.html`` show beside Datasette's own."""

import re
from typing import Any

from datasette.database import QueryInterrupted

from crawler.publish.metadata import archives, is_archive, queries

_NEWEST = """
select articles.id, articles.title, substr(articles.published, 1, 10) as day, portals.name as portal
from articles join portals on portals.id = articles.portal_id
where articles.published < date('now', '+8 hours', '+1 day')
order by articles.published desc limit 15
"""  # a date in the future is a slip of the page's; it would stand on top for ever
_COUNTS = """
select (select count(*) from articles) as articles, (select count(distinct portal_id) from articles) as portals,
  (select max(finished_at) from runs) as last_run
"""
_ARTICLE = """
select articles.*, portals.name as portal, versions.seen_at, captures.url as captured_url, captures.fetched_at,
  captures.warc_file, captures.warc_offset,
  (select count(*) from versions as others where others.article_id = articles.id) as versions,
  (select body from article_texts where article_id = articles.id) as body
from articles
join portals on portals.id = articles.portal_id
left join versions on versions.id = articles.version_id
left join captures on captures.id = versions.capture_id
where articles.id = :id
"""


async def template_vars(
    datasette: Any, database: str | None, table: str | None, view_name: str, request: Any
) -> dict[str, Any]:
    """Variables of the page that is about to be rendered; empty for all but the two pages that are ours."""
    if view_name == "index":
        return {"archives": [await _front(datasette, name) for name in archives(datasette)]}
    if view_name == "row" and table == "articles" and is_archive(datasette, database):
        return {"article": await _article(datasette, database, request.url_vars["pks"])}
    return {}


async def _front(datasette: Any, database: str) -> dict[str, Any]:
    counts = await _rows(datasette, database, _COUNTS)
    return {
        "name": database,
        "counts": counts[0] if counts else None,
        "newest": await _rows(datasette, database, _NEWEST),
        "queries": [(name, query["title"]) for name, query in queries().items()],
    }


async def _article(datasette: Any, database: str | None, article_id: str) -> dict[str, Any] | None:
    rows = await _rows(datasette, database, _ARTICLE, {"id": article_id})
    if not rows:
        return None
    found = rows[0]
    return {
        **found,
        "original": found["url"] if is_web_address(found["url"]) else None,
        "replay": replay_address(
            (datasette.plugin_config("xianzhi") or {}).get("replay_base"), found["captured_url"], found["fetched_at"]
        ),
        "paragraphs": (found["body"] or "").split("\n"),
    }


async def _rows(datasette: Any, database: str | None, sql: str, params: Any = None) -> list[dict[str, Any]]:
    """The rows as dicts; none where the query takes longer than a page may."""
    try:
        return [dict(row) for row in (await datasette.execute(database, sql, params)).rows]
    except QueryInterrupted:
        return []


def is_web_address(url: str | None) -> bool:
    """Whether a reader may be sent there: http or https, nothing that runs."""
    return bool(url) and re.match(r"https?://[^\s/]", url or "", re.IGNORECASE) is not None


def replay_address(base: str | None, url: str | None, fetched_at: str | None) -> str | None:
    """Where a Wayback-style replay shows the capture: ``BASE/YYYYMMDDhhmmss/URL``; None where there is no replay."""
    if not (base and fetched_at and url and is_web_address(url)):
        return None
    return f"{base.rstrip('/')}/{re.sub('[^0-9]', '', fetched_at)[:14]}/{url}"
