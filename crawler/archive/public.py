"""What the public sees of an archive: every table without what is withheld, under the table's own name.

`hide` lays temporary views over the tables of one connection. SQLite looks a name up among temporary ones first, so
every query on that connection, whoever wrote it, reads the views, and what is withheld from this moment on is gone from
them in the next query. The tables themselves, which a reader's SQL could name as ``main.articles``, are closed by an
authorizer: they are read from inside our views alone. SQLite tells it the innermost view that reads, and takes the name
of a reader's WITH for one; so names of ours begin with what nobody can guess, and no reader's SQL may have (`forged`).
"""

import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote_to_bytes

from crawler.archive.connection import open_archive
from crawler.archive.knowledge_tables import ARTICLE_TEXTS
from crawler.text.canonical import canonical

_SETS: Mapping[str, str] = {
    # Paragraphs that no other article has.
    "@sections": """(
        SELECT section_id FROM main.version_sections AS here WHERE version_id IN @versions AND NOT EXISTS (
            SELECT 1 FROM main.version_sections AS there
            WHERE there.section_id = here.section_id AND there.version_id NOT IN @versions))""",
    # What an article that is shown links to, in portals that have something to hide: addresses, and captures.
    "@linked": """(
        SELECT portal_id, unquoted(files.url) FROM main.articles AS page JOIN (
            SELECT article_id, url FROM main.attachments UNION ALL SELECT article_id, url FROM main.images
        ) AS files ON files.article_id = page.id
        WHERE page.portal_id IN @portals AND page.id NOT IN @withheld)""",
    "@had": """(
        SELECT capture_id FROM main.articles AS page JOIN (
            SELECT article_id, capture_id FROM main.attachments UNION ALL SELECT article_id, capture_id FROM main.images
        ) AS files ON files.article_id = page.id
        WHERE page.portal_id IN @portals AND page.id NOT IN @withheld AND capture_id IS NOT NULL)""",
    "@read": "(SELECT capture_id FROM main.versions WHERE article_id IN @withheld)",
    "@portals": "(SELECT portal_id FROM main.articles WHERE id IN @withheld)",
    "@addresses": "(SELECT url FROM main.articles WHERE id IN @withheld)",
    "@versions": "(SELECT id FROM main.versions WHERE article_id IN @withheld)",
    "@withheld": "(SELECT article_id FROM main.withheld)",
}
"""What the rules below speak of; a set stands before those that it is made of."""
_OF_ARTICLE = "article_id NOT IN @withheld"
_OF_VERSION = "version_id NOT IN @versions"
# A page is hidden under whatever spelling of its address it was fetched: 11 µs, of portals that have something to hide.
# Of their files those are shown that something shown links to, since what nothing links to was linked once: nobody
# knows by which article.
_OF_CAPTURE = """
    id NOT IN @read AND CASE
        WHEN portal_id NOT IN @portals THEN 1
        WHEN kind IN ('attachment', 'image') THEN id IN @had OR (portal_id, unquoted(url)) IN @linked
        ELSE NOT EXISTS (
            SELECT 1 FROM main.articles AS page
            WHERE page.portal_id = captures.portal_id AND page.url = canonical_address(captures.url, (
                SELECT homepage FROM main.portals WHERE id = captures.portal_id)) AND page.id IN @withheld)
    END
"""
_OF_REQUEST = """
    CASE
        WHEN portal_id NOT IN @portals THEN 1
        WHEN kind IN ('attachment', 'image') THEN (portal_id, unquoted(url)) IN @linked
        ELSE NOT EXISTS (
            SELECT 1 FROM main.articles AS page
            WHERE page.portal_id = frontier.portal_id AND page.url = frontier.key AND page.id IN @withheld)
    END
"""
SHOWN: Mapping[str, str] = {
    "articles": "id NOT IN @withheld",
    "article_states": _OF_ARTICLE,
    "attachments": _OF_ARTICLE,
    "boilerplate": "section_id NOT IN @sections",
    "boilerplate_places": _OF_VERSION,
    "captures": _OF_CAPTURE,
    "frontier": _OF_REQUEST,
    "images": _OF_ARTICLE,
    "mentions": _OF_ARTICLE,
    "portal_runs": "1",
    "reprint_bands": _OF_ARTICLE,
    "reprint_marks": _OF_ARTICLE,
    "reprint_samples": _OF_ARTICLE,
    "reprint_sketches": _OF_ARTICLE,
    "reprints": "article_id NOT IN @withheld AND other_id NOT IN @withheld",
    "sections": "id NOT IN @sections",
    "seeded_articles": _OF_ARTICLE,
    "spam_backlog": _OF_VERSION,
    "spam_spans": _OF_VERSION,
    "version_sections": _OF_VERSION,
    "versions": _OF_ARTICLE,
    # Reasons are written for the archive's keeper.
    "withheld": "0",
    "withheld_log": "0",
}
"""Which rows of a table are shown."""
_REASON = """
    iif(reason IS NULL OR NOT EXISTS (SELECT 1 FROM @addresses AS hidden WHERE instr(reason, hidden.url)), reason, NULL)
"""
_COLUMNS: Mapping[tuple[str, str], str] = {
    ("articles", "redirect_to"): "iif(redirect_to IN @addresses, NULL, redirect_to)",
    ("frontier", "reason"): _REASON,
    ("portal_runs", "reason"): _REASON,
    # A number also to who compares it with text, as addresses do: what an expression gives has no affinity but by CAST.
    ("sections", "first_version_id"): """
        CAST(iif(first_version_id NOT IN @versions, first_version_id, (
            SELECT version_id FROM main.version_sections AS here
            WHERE here.section_id = sections.id AND version_id NOT IN @versions ORDER BY version_id LIMIT 1
        )) AS INTEGER)
    """,
}
"""Columns that could name what is withheld in a row that is shown, and what they show instead."""
OPEN = frozenset(
    {
        "articles_fts",
        "articles_fts_config",
        "articles_fts_docsize",
        "articles_fts_idx",
        "boilerplate_mark",
        "boilerplate_pages",
        "boilerplate_unsettled",
        "divisions",
        "hosts",
        "manifests",
        "merged_shards",
        "normaliser",
        "portals",
        "runs",
        "seeded_portals",
        "sqlite_master",
        "sqlite_sequence",
        "sqlite_stat1",
        "json_each",
        "json_tree",
    }
)
"""Tables that say nothing of a single article. FTS5 itself reads those of the index; ``articles_fts_data``, where words
that were taken out may linger, it reads without being asked for leave."""
_PREFIX = secrets.token_hex(16)
"""Names of the inner views begin so, in this process. EXPLAIN may show it to a reader."""
_SCHEMA = "pragma_"
"""What the names of functions begin with that tell of tables and columns."""


def open_public(path: Path) -> sqlite3.Connection:
    """The archive at *path*, read-only, as the public sees it. Raises ArchiveError."""
    conn = open_archive(path, readonly=True)
    hide(conn)
    return conn


def is_anything_withheld(conn: sqlite3.Connection) -> bool:
    """Whether there is anything to `hide`."""
    return _has_table(conn) and conn.execute("SELECT 1 FROM withheld LIMIT 1").fetchone() is not None


def hide(conn: sqlite3.Connection) -> None:
    """Show nothing on this connection, from now on, of what is withheld.

    An archive that has no table ``withheld`` yet is left as it is. Queries cost a look at ``withheld`` (nothing as long
    as it is empty); counting a whole table takes a scan.
    """
    if not _has_table(conn):
        return
    tables = dict(conn.execute("SELECT name, type FROM main.sqlite_master WHERE type IN ('table', 'view')").fetchall())
    conn.create_function("canonical_address", 2, _canonical, deterministic=True)
    conn.create_function("unquoted", 1, _unquoted, deterministic=True)
    with _allowing_temporary_views(conn):
        for name, sql in _views(conn, tables):
            conn.execute(f'CREATE TEMP VIEW "{_PREFIX} {name}" AS {sql}')
            conn.execute(f'CREATE TEMP VIEW "{name}" AS SELECT * FROM temp."{_PREFIX} {name}"')  # noqa: S608 - ours
    conn.set_authorizer(_allow)


def forged(sql: str) -> bool:
    """Whether *sql* pretends to be a view of ours. No SQL that a reader wrote may be run that does."""
    return _PREFIX in sql


def _has_table(conn: sqlite3.Connection) -> bool:
    return conn.execute("SELECT 1 FROM main.sqlite_master WHERE name = 'withheld'").fetchone() is not None


def _views(conn: sqlite3.Connection, tables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for table, shown in SHOWN.items():
        if table in tables:
            names = [row[1] for row in conn.execute(f'PRAGMA main.table_info("{table}")')]
            columns = ", ".join(f'{_COLUMNS.get((table, name), _quoted(name))} AS "{name}"' for name in names)
            yield table, _spelled_out(f'SELECT {columns} FROM main."{table}" WHERE {shown}')  # noqa: S608 - ours
    if tables.get("article_texts") == "view":
        yield "article_texts", ARTICLE_TEXTS  # over the views above
    elif "article_texts" in tables:
        yield "article_texts", _spelled_out(f"SELECT * FROM main.article_texts WHERE {_OF_ARTICLE}")  # noqa: S608


def _spelled_out(sql: str) -> str:
    for name, meaning in _SETS.items():
        sql = sql.replace(name, meaning)
    return sql


def _quoted(name: str) -> str:
    return f'"{name}"'


def _allow(action: int, table: str | None, column: str | None, database: str | None, view: str | None) -> int:
    """SQLite's authorizer."""
    if action != sqlite3.SQLITE_READ or not column or (view or "").startswith(_PREFIX):
        return sqlite3.SQLITE_OK
    name = table or ""
    if database == "temp":
        is_open = not name.startswith("sqlite_")
    else:
        is_open = database != "main" or name in OPEN or name.startswith(_SCHEMA)
    return sqlite3.SQLITE_OK if is_open else sqlite3.SQLITE_DENY


def _canonical(url: str, homepage: str | None) -> str:
    return canonical(url, homepage=homepage)


def _unquoted(url: str | None) -> bytes | None:
    """Links may be quoted or not, requests are."""
    return None if url is None else unquote_to_bytes(url)


@contextmanager
def _allowing_temporary_views(conn: sqlite3.Connection) -> Iterator[None]:
    """``query_only`` forbids them."""
    [(query_only,)] = conn.execute("PRAGMA query_only").fetchall()
    conn.execute("PRAGMA query_only = OFF")
    try:
        yield
    finally:
        conn.execute(f"PRAGMA query_only = {query_only}")
