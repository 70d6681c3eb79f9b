"""PostgreSQL under the tests: it can go away and come back."""

import psycopg
import pytest

from tests.support.postgres import Postgres


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
