"""The tables in PostgreSQL: procrastinate's own, those of our nights, and the frontier's."""

from contextlib import closing
from pathlib import Path
from typing import LiteralString

import psycopg
from procrastinate.schema import SchemaManager, migrations_path

from crawler.archive.postgres import PostgresFrontier, connect

LOCK = 0x7869616E7A6869
"""Of PostgreSQL's advisory locks the one that says that somebody is changing these tables."""
OURS: tuple[LiteralString, ...] = (
    """
    CREATE TABLE xianzhi.nights (
        run_id text PRIMARY KEY,
        queue text NOT NULL,
        begun_at timestamptz NOT NULL DEFAULT now(),
        ended_at timestamptz);
    CREATE TABLE xianzhi.portals (
        run_id text NOT NULL REFERENCES xianzhi.nights ON DELETE CASCADE,
        portal_id text NOT NULL,
        place integer NOT NULL,
        job_id bigint NOT NULL,
        tallies jsonb NOT NULL DEFAULT '{}',
        status text,
        reason text,
        PRIMARY KEY (run_id, portal_id));
    CREATE INDEX portals_job ON xianzhi.portals (job_id);
    CREATE TABLE xianzhi.shards (
        name text PRIMARY KEY,
        run_id text NOT NULL REFERENCES xianzhi.nights ON DELETE CASCADE,
        worker text NOT NULL,
        worker_id bigint NOT NULL,
        spool text NOT NULL,
        begun_at timestamptz NOT NULL DEFAULT now(),
        archived_at timestamptz);
    CREATE INDEX shards_run ON xianzhi.shards (run_id);
    CREATE TABLE xianzhi.losses (
        run_id text NOT NULL REFERENCES xianzhi.nights ON DELETE CASCADE,
        reason text NOT NULL,
        at timestamptz NOT NULL DEFAULT now());
    """,
)
"""What makes our tables, step by step; a step that was released never changes."""


def prepare(dsn: str) -> None:
    """Make the tables that are missing and bring old ones up to date, in one transaction.

    Safe where several do it at once. Raises psycopg.Error.
    """
    with closing(connect(dsn)) as conn, conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        conn.execute("CREATE SCHEMA IF NOT EXISTS xianzhi")
        conn.execute("CREATE TABLE IF NOT EXISTS xianzhi.versions (part text PRIMARY KEY, version text NOT NULL)")
        _bring_procrastinate_up_to_date(conn)
        done = int(_version(conn, "queue") or 0)
        for step in OURS[done:]:
            conn.execute(step)
        _note(conn, "queue", str(len(OURS)))
        PostgresFrontier(conn).create()


def _bring_procrastinate_up_to_date(conn: psycopg.Connection) -> None:
    """procrastinate keeps no version of its tables: the last migration that they hold is noted in ours."""
    migrations = sorted(Path(migrations_path).glob("*.sql"))
    if conn.execute("SELECT to_regclass('procrastinate_jobs')").fetchone() == (None,):
        conn.execute(SchemaManager.get_schema())
    else:
        known = _version(conn, "procrastinate")
        for migration in migrations:
            if known is not None and migration.stem > known:
                conn.execute(migration.read_bytes())
    _note(conn, "procrastinate", migrations[-1].stem)


def _version(conn: psycopg.Connection, part: str) -> str | None:
    row = conn.execute("SELECT version FROM xianzhi.versions WHERE part = %s", (part,)).fetchone()
    return row[0] if row else None


def _note(conn: psycopg.Connection, part: str, version: str) -> None:
    conn.execute(
        "INSERT INTO xianzhi.versions VALUES (%s, %s) ON CONFLICT (part) DO UPDATE SET version = excluded.version",
        (part, version),
    )
