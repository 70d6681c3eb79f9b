"""Seeds and shards: what a worker on another host is given of a portal's past, and what it hands back.

A seed is a SQLite file with the rows that a crawl reads of one portal, without indexes and without texts. A worker
takes seeds up into its shard, an archive like any other, and crawls there with the very code that crawls here. What it
was given keeps the archive's ids; the shard's own rows begin at `OWN`, so that seeds can be taken up while it grows.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from crawler.archive import reprints, schema
from crawler.archive.connection import ArchiveError, open_archive, transaction

OWN = 1 << 40
"""Rows of a shard with greater ids are its own; no archive gives that many."""
SKETCHED = 200
"""Articles whose sketches are made in one transaction."""


def write(conn: sqlite3.Connection, portal_id: str, path: Path) -> None:
    """Write the seed of a portal to a new file at *path*; one that is there is replaced.

    *conn* is an archive's, open for writing, in autocommit mode. Takes about 60 µs an article of the portal. Raises
    LookupError for an unknown portal, sqlite3.Error.
    """
    if conn.execute("SELECT 1 FROM portals WHERE id = ?", (portal_id,)).fetchone() is None:
        raise LookupError(f"the archive has no portal {portal_id!r}")
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(part, isolation_level=None)) as seed:
        seed.execute("PRAGMA journal_mode = OFF")
        seed.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        seed.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION}")
        conn.execute("BEGIN")
        try:
            for table, rows in _rows(conn, portal_id):
                columns = ", ".join(f'"{column[0]}"' for column in rows.description)
                seed.execute(f"CREATE TABLE {table} ({columns})")
                seed.execute("BEGIN")
                places = ", ".join("?" * len(rows.description))
                seed.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608 - names of ours
                seed.execute("COMMIT")
        finally:
            conn.execute("ROLLBACK")
            for table in _SETS:
                conn.execute(f"DROP TABLE IF EXISTS temp.{table}")
    part.replace(path)


def take_up(shard: sqlite3.Connection, path: Path) -> None:
    """Take the seed at *path* up into a shard, whose connection is in autocommit mode. A second time nothing happens.

    Raises ArchiveError for a file that is no seed of this schema, sqlite3.Error.
    """
    with _attached(shard, path):
        [(application_id,)] = shard.execute("PRAGMA seed.application_id").fetchall()
        [(version,)] = shard.execute("PRAGMA seed.user_version").fetchall()
        if (application_id, version) != (schema.APPLICATION_ID, schema.SCHEMA_VERSION):
            raise ArchiveError(f"{path}: is no seed, or one of another xianzhi than this one")
        with transaction(shard):
            if shard.execute("SELECT 1 FROM seed.portals JOIN main.seeded_portals ON portal_id = id").fetchone():
                return
            for table in _SELECTS:
                names = [row[1] for row in shard.execute(f"PRAGMA main.table_info({table})")]
                columns = ", ".join(f'"{name}"' for name in names)
                # An article gets its version when that is there: deferred foreign keys take a millisecond an article.
                values = ", ".join("NULL" if name == "version_id" else f'"{name}"' for name in names)
                shard.execute(f"INSERT OR IGNORE INTO main.{table} ({columns}) SELECT {values} FROM seed.{table}")  # noqa: S608
            shard.execute(
                "UPDATE main.articles SET version_id = given.version_id FROM seed.articles AS given"
                " WHERE given.id = articles.id"
            )
            shard.execute("INSERT INTO main.seeded_portals (portal_id, cms) SELECT id, cms FROM seed.portals")
            shard.execute(
                "INSERT INTO main.seeded_articles (article_id, last_seen, state)"
                " SELECT id, last_seen, state FROM seed.articles"
            )
            begin_own_ids(shard)


def finish(path: Path) -> None:
    """Make a shard ready to travel: sketches for finding reprints made, what it was given and did not touch left out.

    Nobody else has it open. Afterwards it is one file, about 0.2 of its size where portals have a long past. Raises
    ArchiveError, sqlite3.Error. A shard that was not finished, because its worker was killed, can be merged as well.
    """
    with closing(open_archive(path)) as conn:
        _sketch(conn)
        conn.execute("PRAGMA foreign_keys = OFF")  # rows go before those that they point at
        with transaction(conn):
            for statement in _TRIM:
                conn.execute(statement, {"own": OWN})
        conn.execute("VACUUM")
        conn.execute("PRAGMA journal_mode = DELETE")


def _rows(conn: sqlite3.Connection, portal_id: str) -> Iterator[tuple[str, sqlite3.Cursor]]:
    """What a seed has of each table, all as it was at one moment."""
    for table, sql in _SETS.items():
        conn.execute(f"CREATE TEMP TABLE {table} (id INTEGER PRIMARY KEY)")
        conn.execute(f"INSERT OR IGNORE INTO temp.{table} {sql}", {"portal": portal_id})
    for table, sql in _SELECTS.items():
        yield table, conn.execute(sql, {"portal": portal_id})


def _sketch(conn: sqlite3.Connection) -> None:
    ids = [
        article_id for (article_id,) in conn.execute("SELECT id FROM articles WHERE version_id > ? ORDER BY id", (OWN,))
    ]
    for start in range(0, len(ids), SKETCHED):
        with transaction(conn):
            reprints.sketch_ahead(conn, ids[start : start + SKETCHED])


def begin_own_ids(shard: sqlite3.Connection) -> None:
    """Let a shard's own rows begin at `OWN`: before its first row, for a later seed brings rows with the ids below."""
    tables = ("captures", "articles", "versions", "sections")
    for table in tables:
        shard.execute("INSERT INTO main.sqlite_sequence (name, seq) SELECT ?1, 0 WHERE NOT EXISTS ("
                      " SELECT 1 FROM main.sqlite_sequence WHERE name = ?1)", (table,))  # fmt: skip
        shard.execute("UPDATE main.sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (OWN, table))


@contextmanager
def _attached(shard: sqlite3.Connection, path: Path) -> Iterator[None]:
    if not path.is_file():
        raise ArchiveError(f"{path}: there is no such seed")
    try:
        shard.execute("ATTACH ? AS seed", (f"{path.absolute().as_uri()}?mode=ro",))
        try:
            yield
        finally:
            shard.execute("DETACH seed")
    except sqlite3.DatabaseError as error:
        raise ArchiveError(f"{path}: is no seed that this shard can take up: {error}") from error


_OF_PORTAL = "article_id IN (SELECT id FROM articles WHERE portal_id = :portal)"
_SETS = {
    # What versions, states and the frontier point at; what a later payload may repeat. Of list pages the last one is
    # enough. There is no index by portal: files are named after theirs, and what was imported is pointed at.
    "seed_pointed_at": f"""
        SELECT capture_id FROM frontier WHERE portal_id = :portal AND capture_id IS NOT NULL
        UNION SELECT capture_id FROM versions WHERE {_OF_PORTAL}
        UNION SELECT capture_id FROM article_states WHERE {_OF_PORTAL} AND capture_id IS NOT NULL
        UNION SELECT id FROM captures WHERE warc_file >= 'xianzhi-' || :portal || '-'
            AND warc_file < 'xianzhi-' || :portal || '.' AND portal_id = :portal
            AND revisit_of IS NULL AND status = 200 AND truncated IS NULL AND kind NOT IN ('list', 'feed')
        UNION SELECT (SELECT max(+captures.id) FROM captures
                WHERE captures.url = articles.url AND captures.portal_id = :portal)
            FROM articles LEFT JOIN frontier ON frontier.portal_id = articles.portal_id AND frontier.key = articles.url
            WHERE articles.portal_id = :portal AND frontier.capture_id IS NULL
    """,  # noqa: S608 - a constant of ours
    "seed_captures": """
        SELECT id FROM temp.seed_pointed_at
        UNION SELECT revisit_of FROM temp.seed_pointed_at JOIN captures USING (id) WHERE revisit_of IS NOT NULL
    """,
}
_SELECTS = {
    "portals": "SELECT * FROM portals WHERE id = :portal",
    "runs": """
        SELECT * FROM runs WHERE status = 'running' OR id IN (
            SELECT run_id FROM portal_runs WHERE portal_id = :portal
            UNION SELECT run_id FROM frontier WHERE portal_id = :portal
            UNION SELECT run_id FROM temp.seed_captures JOIN captures USING (id))
        ORDER BY id
    """,
    "portal_runs": "SELECT * FROM portal_runs WHERE portal_id = :portal",
    "hosts": """
        SELECT * FROM hosts WHERE host IN (
            SELECT lower(substr(rest, 1, instr(rest || '/', '/') - 1)) FROM (
                SELECT substr(url, instr(url, '://') + 3) AS rest FROM temp.seed_captures JOIN captures USING (id)
                UNION SELECT substr(homepage, instr(homepage, '://') + 3) FROM portals WHERE id = :portal))
    """,
    "captures": "SELECT captures.* FROM temp.seed_captures JOIN captures USING (id) ORDER BY id",
    "articles": "SELECT * FROM articles WHERE portal_id = :portal ORDER BY id",
    "versions": f"SELECT * FROM versions WHERE {_OF_PORTAL} ORDER BY id",  # noqa: S608 - a constant of ours
    "article_states": f"SELECT * FROM article_states WHERE {_OF_PORTAL}",  # noqa: S608
    "attachments": f"SELECT * FROM attachments WHERE {_OF_PORTAL} AND capture_id IS NULL",  # noqa: S608
    "images": f"SELECT * FROM images WHERE {_OF_PORTAL} AND capture_id IS NULL",  # noqa: S608
    "frontier": "SELECT * FROM frontier WHERE portal_id = :portal",
}
_TRIM = (
    "DELETE FROM frontier WHERE run_id NOT IN (SELECT id FROM runs WHERE status = 'running')",
    # Run ids rise with time; a run of the archive's that died is for ever running, and was before this one.
    """
    DELETE FROM frontier
    WHERE (portal_id, run_id) NOT IN (SELECT portal_id, max(run_id) FROM frontier GROUP BY portal_id)
    """,
    """
    DELETE FROM articles WHERE EXISTS (SELECT 1 FROM seeded_articles AS seeded WHERE article_id = id
            AND seeded.state = articles.state AND seeded.last_seen = articles.last_seen)
        AND id NOT IN (SELECT article_id FROM attachments WHERE capture_id > :own)
        AND id NOT IN (SELECT article_id FROM images WHERE capture_id > :own)
    """,
    *(
        f"DELETE FROM {table} WHERE article_id NOT IN (SELECT id FROM articles)"  # noqa: S608 - names of ours
        for table in (
            "versions",
            "article_states",
            "attachments",
            "images",
            "mentions",
            "seeded_articles",
            "reprint_samples",
        )
    ),
    "CREATE TEMP TABLE kept (id INTEGER PRIMARY KEY)",
    """
    INSERT INTO temp.kept SELECT id FROM captures
    WHERE id > :own OR NOT EXISTS (SELECT 1 FROM seeded_portals)
    """,
    *(
        f"INSERT OR IGNORE INTO temp.kept SELECT capture_id FROM {table} WHERE capture_id IS NOT NULL"  # noqa: S608
        for table in ("versions", "article_states", "attachments", "images", "frontier")
    ),
    "INSERT OR IGNORE INTO temp.kept SELECT revisit_of FROM temp.kept JOIN captures USING (id) WHERE revisit_of > 0",
    "DELETE FROM captures WHERE id NOT IN (SELECT id FROM temp.kept)",
    "DROP TABLE temp.kept",
    "DELETE FROM portal_runs WHERE run_id NOT IN (SELECT id FROM runs WHERE status = 'running')",
    """
    DELETE FROM runs WHERE status <> 'running' AND id NOT IN (
        SELECT run_id FROM captures UNION SELECT run_id FROM portal_runs UNION SELECT run_id FROM frontier)
    """,
)
