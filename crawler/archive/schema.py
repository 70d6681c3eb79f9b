"""The archive's tables: numbered migrations, each in one transaction with ``PRAGMA user_version``.

A migration is all there or not at all: sqlite-utils' methods join a transaction that is open.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, get_args

from crawler.archive.evidence_tables import evidence
from crawler.archive.knowledge_tables import knowledge
from crawler.archive.shard_tables import samples, shards
from crawler.archive.tables import UNREAD_ROLES, create, one_of
from crawler.records import CaptureKind, PublishedBasis, Role, Truncation

APPLICATION_ID = 0x585A4131
"""``XZA1`` in the file header tells an archive from any other SQLite file."""

RUN_STATUSES = ("running", "ok", "failed", "interrupted")
PORTAL_STATUSES = ("ok", "below", "blocked", "failed", "interrupted")
ARTICLE_STATES = ("live", "edited", "redirected", "gone", "blocked")
FRONTIER_STATES = ("queued", "done", "failed")

ARTICLE_TEXTS = f"""
SELECT articles.id AS article_id, coalesce((
    SELECT group_concat(paragraph, char(10)) FROM (
        SELECT coalesce(version_sections.text, sections.text) AS paragraph
        FROM version_sections JOIN sections ON sections.id = version_sections.section_id
        WHERE version_sections.version_id = articles.version_id AND version_sections.role NOT IN {UNREAD_ROLES}
        ORDER BY version_sections.position
    )
), '') AS body
FROM articles
"""  # noqa: S608 - constants of ours


def migrate(conn: sqlite3.Connection, *, from_version: int, migrations: "Sequence[Migration]") -> None:
    """Bring the archive from *from_version* to the next version, a new one to the last, in one transaction.

    Does nothing where another process was faster. *conn* is in autocommit mode.
    """
    import sqlite_utils  # noqa: PLC0415 - needed once in an archive's life, 50 ms to import

    steps = migrations[from_version : from_version + 1] if from_version else migrations
    conn.execute("BEGIN IMMEDIATE")
    try:
        if conn.execute("PRAGMA user_version").fetchone()[0] == from_version:
            for step in steps:
                step(sqlite_utils.Database(conn, recursive_triggers=False, execute_plugins=False))
            conn.execute(f"PRAGMA user_version = {from_version + len(steps)}")
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise


def first_tables(db: Any) -> None:
    """Migration 1: catalogue and runs, captures, articles and their text, the frontier."""
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    _catalogue_and_runs(db)
    _captures(db)
    _articles(db)
    _texts(db)
    _frontier(db)


def _catalogue_and_runs(db: Any) -> None:
    create(
        db,
        "divisions",
        {"code": str, "from_year": int, "name": str, "level": int, "parent_code": str, "to_year": int},
        pk=("code", "from_year"),
        nullable={"parent_code", "to_year"},
        checks=('"level" IN (1, 2, 3)',),
        without_rowid=True,
    )
    create(
        db,
        "portals",
        {"id": str, "name": str, "division_code": str, "homepage": str, "cms": str, "enabled": int},
        pk="id",
        nullable={"cms"},
        checks=('"enabled" IN (0, 1)',),
    )
    create(
        db,
        "runs",
        {"id": str, "started_at": str, "finished_at": str, "status": str},
        pk="id",
        nullable={"finished_at"},
        checks=(one_of("status", RUN_STATUSES),),
    )
    counters = dict.fromkeys(("fetched", "new", "changed", "unchanged", "gone", "failed"), int)
    create(
        db,
        "portal_runs",
        {"run_id": str, "portal_id": str, "status": str, **counters, "reason": str},
        pk=("run_id", "portal_id"),
        nullable={"reason"},
        defaults=dict.fromkeys(counters, 0),
        foreign_keys={"run_id": "runs", "portal_id": "portals"},
        checks=(one_of("status", PORTAL_STATUSES),),
        without_rowid=True,
    )
    db["portal_runs"].create_index(["portal_id", "run_id"])


def _captures(db: Any) -> None:
    create(
        db,
        "captures",
        {
            "id": int,
            "warc_file": str,
            "warc_offset": int,
            "warc_length": int,
            "run_id": str,
            "portal_id": str,
            "kind": str,
            "url": str,
            "fetched_at": str,
            "status": int,
            "content_type": str,
            "encoding": str,
            "encoding_basis": str,
            "etag": str,
            "last_modified": str,
            "payload_sha256": str,
            "revisit_of": int,
            "truncated": str,
            "stored": str,
        },
        pk="id",
        nullable={"content_type", "encoding", "encoding_basis", "etag", "last_modified", "revisit_of", "truncated"},
        defaults={"stored": "local"},
        foreign_keys={"run_id": "runs", "portal_id": "portals", "revisit_of": "captures"},
        checks=(
            one_of("kind", get_args(CaptureKind)),
            one_of("truncated", get_args(Truncation)),
            one_of("stored", ("local", "spooled", "archived")),
        ),
        autoincrement=True,
    )
    db["captures"].create_index(["warc_file", "warc_offset"], unique=True)
    db["captures"].create_index(["url"])
    # Originals only, and 64 bits of the digest: a quarter of the size; the query compares the whole digest.
    db.execute(
        'CREATE INDEX "idx_captures_payload" ON "captures" (substr("payload_sha256", 1, 16)) WHERE "revisit_of" IS NULL'
    )


def _articles(db: Any) -> None:
    create(
        db,
        "articles",
        {
            "id": int,
            "portal_id": str,
            "url": str,
            "title": str,
            "published": str,
            "published_basis": str,
            "source": str,
            "author": str,
            "editor": str,
            "column": str,
            "division_code": str,
            "chars": int,
            "state": str,
            "redirect_to": str,
            "first_seen": str,
            "last_seen": str,
            "version_id": int,
        },
        pk="id",
        nullable={
            "title",
            "published",
            "published_basis",
            "source",
            "author",
            "editor",
            "column",
            "division_code",
            "redirect_to",
            "version_id",
        },
        foreign_keys={"portal_id": "portals"},
        # Not written by sqlite-utils, which wants the other table first, and these two point at each other.
        constraints=('FOREIGN KEY ("version_id") REFERENCES "versions"("id")',),
        checks=(one_of("published_basis", get_args(PublishedBasis)), one_of("state", ARTICLE_STATES)),
        autoincrement=True,
    )
    db["articles"].create_index(["portal_id", "url"], unique=True)
    db["articles"].create_index(["portal_id", "published"])
    db["articles"].create_index(["division_code", "published"])
    db["articles"].create_index(["published"])
    create(
        db,
        "article_states",
        {"article_id": int, "since": str, "state": str, "capture_id": int},
        pk=("article_id", "since"),
        nullable={"capture_id"},
        foreign_keys={"article_id": "articles", "capture_id": "captures"},
        checks=(one_of("state", ARTICLE_STATES),),
        without_rowid=True,
    )
    for table, column in (("attachments", "title"), ("images", "caption")):
        create(
            db,
            table,
            {"article_id": int, "url": str, column: str, "capture_id": int},
            pk=("article_id", "url"),
            nullable={column, "capture_id"},
            foreign_keys={"article_id": "articles", "capture_id": "captures"},
            without_rowid=True,
        )


def _texts(db: Any) -> None:
    create(
        db,
        "versions",
        {
            "id": int,
            "article_id": int,
            "capture_id": int,
            "extractor": str,
            "seen_at": str,
            "title": str,
            "published": str,
            "meta_published": str,
            "source": str,
            "author": str,
            "editor": str,
            "text_sha256": str,
            "chars": int,
            "replaces": int,
        },
        pk="id",
        nullable={"title", "published", "meta_published", "source", "author", "editor", "replaces"},
        foreign_keys={"article_id": "articles", "capture_id": "captures", "replaces": "versions"},
        autoincrement=True,
    )
    db["versions"].create_index(["capture_id", "extractor"], unique=True)
    db["versions"].create_index(["article_id", "seen_at"])
    create(
        db,
        "sections",
        {"id": int, "fold_hash": int, "text": str, "chars": int, "first_version_id": int},
        pk="id",
        foreign_keys={"first_version_id": "versions"},
        autoincrement=True,
    )
    db["sections"].create_index(["fold_hash"], unique=True)
    create(
        db,
        "version_sections",
        {"version_id": int, "position": int, "section_id": int, "role": str, "text": str},
        pk=("version_id", "position"),
        nullable={"text"},
        foreign_keys={"version_id": "versions", "section_id": "sections"},
        checks=(one_of("role", get_args(Role)),),
        without_rowid=True,
    )
    db["version_sections"].create_index(["section_id"])
    db.create_view("article_texts", ARTICLE_TEXTS)


def _frontier(db: Any) -> None:
    create(
        db,
        "frontier",
        {
            "portal_id": str,
            "key": str,
            "seq": int,
            "url": str,
            "kind": str,
            "state": str,
            "request": str,
            "run_id": str,
            "attempts": int,
            "reason": str,
            "capture_id": int,
            "updated_at": str,
        },
        pk=("portal_id", "key"),
        nullable={"url", "request", "reason", "capture_id"},
        defaults={"attempts": 0},
        foreign_keys={"portal_id": "portals", "run_id": "runs", "capture_id": "captures"},
        checks=(one_of("state", FRONTIER_STATES),),
        without_rowid=True,
    )
    # Only what waits: an index of a WITHOUT ROWID table carries the whole key.
    db.execute('CREATE INDEX "idx_frontier_queued" ON "frontier" ("portal_id", "seq") WHERE "state" = \'queued\'')
    db.execute('CREATE INDEX "idx_frontier_failed" ON "frontier" ("portal_id", "seq") WHERE "state" = \'failed\'')


def host_table(db: Any) -> None:
    """Migration 2: how each host is reached, and its TLS."""
    certificate = [f"certificate_{name}" for name in ("problem", "subject", "issuer", "not_after", "sha256")]
    optional = ("other_failed_at", "other_failure", "tls_protocol", "tls_cipher", *certificate)
    create(
        db,
        "hosts",
        dict.fromkeys(("host", "scheme", "checked_at", *optional), str),
        pk="host",
        nullable=optional,
        checks=(one_of("scheme", ("http", "https")),),
        without_rowid=True,
    )


Migration = Callable[[Any], None]
"""Takes a ``sqlite_utils.Database`` with a transaction open."""

MIGRATIONS: tuple[Migration, ...] = (first_tables, host_table, knowledge, evidence, shards, samples)
SCHEMA_VERSION = len(MIGRATIONS)
