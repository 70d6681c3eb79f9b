"""What an import asks of the archive, which records it has already and the originals that revisits name; and the files
and pictures of articles, found among what was imported."""

import sqlite3
from datetime import datetime

from crawler.archive.connection import transaction
from crawler.archive.media import TABLES
from crawler.archive.times import to_microsecond
from crawler.records import RecordRef
from crawler.warc.record import target_uri


def known_offsets(conn: sqlite3.Connection, file: str) -> set[int]:
    """Where the records of a WARC file begin that are captures already."""
    return {offset for (offset,) in conn.execute("SELECT warc_offset FROM captures WHERE warc_file = ?", (file,))}


def original_of(conn: sqlite3.Connection, portal_id: str, *, url: str, fetched_at: datetime) -> RecordRef | None:
    """The portal's stored capture, no revisit itself, of *url* at that instant."""
    row = conn.execute(
        "SELECT warc_file, warc_offset, warc_length FROM captures"
        " WHERE url = ? AND fetched_at = ? AND portal_id = ? AND revisit_of IS NULL",
        (url, to_microsecond(fetched_at), portal_id),
    ).fetchone()
    return RecordRef(file=row[0], offset=row[1], length=row[2]) if row else None


def link_files(conn: sqlite3.Connection, portal_id: str) -> int:
    """Let each file and picture of the portal's articles that waits point at its first whole capture; how many do now.

    One transaction of its own. A collection has files before and behind the pages that link to them, and in files that
    are imported on another day: so all that wait are looked through.
    """
    conn.create_function("as_archived", 1, target_uri, deterministic=True)
    with transaction(conn):
        return sum(conn.execute(_LINK.format(table=table), {"portal": portal_id}).rowcount for table in TABLES.values())


_FIRST = """
    SELECT id FROM captures
    WHERE url IN ({table}.url, as_archived({table}.url)) AND portal_id = :portal
        AND kind IN ('attachment', 'image') AND status = 200 AND truncated IS NULL
    ORDER BY fetched_at, id LIMIT 1
"""
_LINK = f"""
    UPDATE {{table}} SET capture_id = ({_FIRST})
    WHERE capture_id IS NULL AND article_id IN (SELECT id FROM articles WHERE portal_id = :portal)
        AND EXISTS ({_FIRST})
"""  # noqa: S608 - names of ours
