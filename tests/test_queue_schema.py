"""The queue's tables: made once, whoever comes first, and brought up to date."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from crawler.queue.schema import prepare
from tests.support.postgres import Postgres


def test_workers_that_start_at_once_make_the_tables_once(dsn: str):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(prepare, [dsn] * 8))
    with psycopg.connect(dsn) as conn:
        assert conn.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)
        assert conn.execute("SELECT count(*) FROM xianzhi.nights").fetchone() == (0,)


def test_migrations_of_a_newer_procrastinate_are_applied(dsn: str):
    prepare(dsn)
    with psycopg.connect(dsn) as conn:
        conn.execute("DROP FUNCTION procrastinate_trigger_function_status_events_update_v1 CASCADE")
        conn.execute("UPDATE xianzhi.versions SET version = '03.04.00_02' WHERE part = 'procrastinate'")
    prepare(dsn)
    with psycopg.connect(dsn) as conn:
        name = "procrastinate_trigger_status_events_update_v1"
        assert conn.execute("SELECT count(*) FROM pg_trigger WHERE tgname = %s", (name,)).fetchone() == (1,)


def test_databases_outlive_a_stop(postgres: Postgres):
    dsn = postgres.database()
    with psycopg.connect(dsn) as conn:
        conn.execute("CREATE TABLE t AS SELECT 1 AS n")
    postgres.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn)
    postgres.start()
    with psycopg.connect(dsn) as conn:
        assert conn.execute("SELECT n FROM t").fetchone() == (1,)
