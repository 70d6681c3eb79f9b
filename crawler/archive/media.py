"""Files and pictures that stored articles link to: which wait to be fetched, and what was fetched for which rows.

What waits needs no queue: it is every row of ``attachments`` and ``images`` without a capture. The frontier keeps what
became of each request, under a key of its own (``key_of``).
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args
from urllib.parse import unquote

from crawler.archive.batch import Fetched
from crawler.archive.captures import Captures
from crawler.archive.frontier import MAX_ATTEMPTS, NOW
from crawler.archive.texts import storable
from crawler.records import MediaKind

MARK = "#media"
"""Behind an address in the frontier: as a page of its own, the same address has another row there."""
LAST = "\U0010ffff"
"""Sorts behind every address."""
MEDIA: tuple[MediaKind, ...] = get_args(MediaKind)
TABLES = {"attachment": "attachments", "image": "images"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """What a stored article links to and nobody fetched."""

    kind: MediaKind
    article: str
    """The article's canonical address."""
    url: str


def key_of(url: str) -> str:
    """The frontier's key of the file or picture at *url*."""
    return url + MARK


def due(
    conn: sqlite3.Connection,
    portal_id: str,
    kind: MediaKind,
    *,
    run_id: str,
    before: tuple[str, str] = (LAST, LAST),
    limit: int,
) -> list[Linked]:
    """The next *limit* of one kind that this run should ask for, by the addresses of article and file, backwards.

    Portals put the date into their addresses, so backwards begins with what is new. *before*: the last one of the call
    before. What failed is due again in a later run, until it failed `MAX_ATTEMPTS` times.
    """
    rows = conn.execute(
        _DUE.format(table=TABLES[kind]),
        {"portal": portal_id, "run": run_id, "article": before[0], "url": before[1], "limit": limit},
    )
    return [Linked(kind=kind, article=article, url=url) for article, url in rows]


def store(conn: sqlite3.Connection, run_id: str, captures: Captures, operations: Iterable[Fetched]) -> None:
    """Write what became of requests, and each capture into all rows of its portal that link to it, inside the caller's
    transaction. Carried out a second time, an operation changes nothing.
    """
    for operation in operations:
        capture_id = captures.id_of(operation.record) if operation.record else None
        values = {
            "portal": operation.portal_id,
            "url": storable(operation.url),
            "key": storable(key_of(operation.url)),
            "kind": operation.kind,
            "state": "done" if operation.record else "failed",
            "attempts": 0 if operation.record else 1,
            "reason": operation.reason and storable(operation.reason),
            "run": run_id,
            "capture": capture_id,
        }
        conn.execute(_ASKED, values)
        if capture_id is not None:
            for table in TABLES.values():
                conn.execute(_LINK.format(table=table), values)


def kind_at(conn: sqlite3.Connection, portal_id: str, url: str) -> MediaKind | None:
    """What an article of the portal links to at *url* (quoted or not) and has no capture yet; None for neither."""
    for kind in MEDIA:
        for spelling in (url, unquote(url)):
            sql = f"SELECT 1 FROM {TABLES[kind]} WHERE {_WAITS} LIMIT 1"  # noqa: S608 - names of ours
            if conn.execute(sql, {"portal": portal_id, "url": spelling}).fetchone():
                return kind
    return None


CAPTURE_OF = f"""
    SELECT capture_id FROM frontier WHERE portal_id = :portal AND key = :url || '{MARK}' AND state = 'done'
"""  # noqa: S608 - a constant of ours
"""The capture of what the portal has at ``:url``, where it was fetched for another article."""

_WAITS = """
    capture_id IS NULL AND url = :url
    AND EXISTS (SELECT 1 FROM articles WHERE id = article_id AND portal_id = :portal)
"""
_LINK = f"UPDATE {{table}} SET capture_id = :capture WHERE {_WAITS}"  # noqa: S608
_DUE = f"""
    SELECT articles.url, linked.url FROM articles JOIN {{table}} AS linked ON linked.article_id = articles.id
        LEFT JOIN frontier ON frontier.portal_id = articles.portal_id AND frontier.key = linked.url || '{MARK}'
    WHERE articles.portal_id = :portal AND linked.capture_id IS NULL
        AND articles.url <= :article AND (articles.url < :article OR linked.url < :url)
        AND (frontier.key IS NULL
            OR (frontier.state = 'failed' AND frontier.run_id <> :run AND frontier.attempts < {MAX_ATTEMPTS}))
    ORDER BY articles.url DESC, linked.url DESC LIMIT :limit
"""  # noqa: S608
_ASKED = f"""
    INSERT INTO frontier (portal_id, key, seq, url, kind, state, attempts, reason, run_id, capture_id, updated_at)
    VALUES (:portal, :key, 0, :url, :kind, :state, :attempts, :reason, :run, :capture, {NOW})
    ON CONFLICT (portal_id, key) DO UPDATE SET
        state = excluded.state, attempts = iif(excluded.attempts, attempts + 1, 0), reason = excluded.reason,
        run_id = excluded.run_id, capture_id = excluded.capture_id, updated_at = excluded.updated_at
    WHERE frontier.state <> 'done' AND frontier.run_id <> excluded.run_id
"""  # noqa: S608 - constants of ours
