"""Archives, seeds and shards of small worlds, and what an archive says whoever gave its rows their ids."""

import sqlite3
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from crawler.archive import seeds, writer
from crawler.archive.batch import Batch
from crawler.archive.connection import open_archive

_SAYS = {
    "captures": """
        SELECT own.warc_file, own.warc_offset, own.warc_length, own.run_id, own.portal_id, own.kind, own.url,
            own.fetched_at, own.status, own.encoding, own.etag, own.payload_sha256, first.warc_file, first.warc_offset
        FROM captures AS own LEFT JOIN captures AS first ON first.id = own.revisit_of
    """,
    "articles": """
        SELECT own.portal_id, own.url, own.title, own.published, own.published_basis, own.source, own.author,
            own.editor, own."column", own.division_code, own.division_basis, own.chars, own.state, own.redirect_to,
            first_seen, last_seen, text_sha256, extractor
        FROM articles AS own JOIN versions ON versions.id = version_id
    """,
    "versions": """
        SELECT portal_id, url, row_number() OVER (PARTITION BY url ORDER BY seen_at, own.id), text_sha256, own.title,
            own.published, own.meta_published, own.source, own.author, own.editor, own.chars, extractor, replaces
        FROM versions AS own JOIN articles ON articles.id = article_id
    """,
    "texts": """
        SELECT url, number, place.position, role, fold_hash, coalesce(place.text, sections.text)
        FROM (SELECT versions.id, url, row_number() OVER (PARTITION BY url ORDER BY seen_at, versions.id) AS number
            FROM versions JOIN articles ON articles.id = article_id) AS own
        JOIN version_sections AS place ON place.version_id = own.id JOIN sections ON sections.id = section_id
    """,
    "sections": "SELECT fold_hash FROM sections",
    "article_states": """
        SELECT portal_id, url, row_number() OVER (PARTITION BY url ORDER BY since), article_states.state
        FROM article_states JOIN articles ON articles.id = article_id
    """,
    "spam_spans": """
        SELECT articles.url, text_sha256, position, start, "end", text, rule, score, cut
        FROM spam_spans JOIN versions ON versions.id = spam_spans.version_id JOIN articles ON articles.id = article_id
    """,
    "mentions": "SELECT url, mentions.division_code, count FROM mentions JOIN articles ON articles.id = article_id",
    "attachments": """
        SELECT articles.url, linked.url, linked.title, payload_sha256 FROM attachments AS linked
        JOIN articles ON articles.id = article_id LEFT JOIN captures ON captures.id = capture_id
    """,
    "images": """
        SELECT articles.url, linked.url, caption, payload_sha256 FROM images AS linked
        JOIN articles ON articles.id = article_id LEFT JOIN captures ON captures.id = capture_id
    """,
    "frontier": """
        SELECT frontier.portal_id, key, frontier.url, frontier.kind, state, frontier.run_id, attempts, reason,
            payload_sha256
        FROM frontier LEFT JOIN captures ON captures.id = capture_id
    """,
    "reprints": """
        SELECT min(one.url, other.url), max(one.url, other.url), similarity, kind FROM reprints
        JOIN articles AS one ON one.id = article_id JOIN articles AS other ON other.id = other_id
    """,
    "portal_runs": "SELECT * FROM portal_runs",
    "hosts": "SELECT * FROM hosts",
    "portals": "SELECT * FROM portals",
}


def says(conn: sqlite3.Connection, *, without: Iterable[str] = ()) -> dict[str, list[Any]]:
    """What an archive says, table by table, with addresses in the place of ids."""
    return {name: sorted(map(repr, conn.execute(sql))) for name, sql in _SAYS.items() if name not in set(without)}


@cache
def _empty() -> bytes:
    """An archive without a row: making its tables takes longer than what most tests put into them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        open_archive(path).close()
        return path.read_bytes()


def shard(home: sqlite3.Connection, path: Path, *batches: Batch, finished: bool = True) -> Path:
    """A shard of what *batches* hold, by a worker that was given the past of their portals; closed."""
    path.write_bytes(_empty())
    conn = open_archive(path)
    try:
        for (portal_id,) in home.execute("SELECT id FROM portals").fetchall():
            seed = path.with_name(f"{path.stem}-{portal_id}.seed")
            seeds.write(home, portal_id, seed)
            seeds.take_up(conn, seed)
        for batch in batches:
            writer.write(conn, batch, is_shard=True)
    finally:
        conn.close()
    if finished:
        seeds.finish(path)
    return path
