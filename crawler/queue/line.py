"""Connections to PostgreSQL: one that is made anew when it broke, and one for a single transaction."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from typing import Any

import psycopg

from crawler.archive.postgres import connect, conninfo

CONNECT_SECONDS = 3
ANSWER_SECONDS = 5.0
"""Nothing that a worker asks takes longer; what does is taken for a connection that broke."""


class QueueAway(Exception):  # noqa: N818 - a state of affairs that passes, like TimeoutError
    """PostgreSQL does not answer; another try may succeed."""


@contextmanager
def transaction(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection of its own in one transaction, for who asks now and then. Raises QueueAway."""
    try:
        with closing(connect(dsn)) as conn, conn.transaction():
            yield conn
    except psycopg.OperationalError as error:
        raise QueueAway(" ".join(str(error).split())) from error


class Line:
    """A connection for one asyncio loop, and for one user at a time; others wait."""

    def __init__(self, dsn: str) -> None:
        self._dsn = conninfo(dsn)
        self._lock = asyncio.Lock()
        self._conn: psycopg.AsyncConnection[Any] | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """The connection, in autocommit mode; procrastinate asks for it by this name, too. Raises QueueAway."""
        async with self._lock:
            try:
                async with asyncio.timeout(CONNECT_SECONDS + ANSWER_SECONDS):
                    if self._conn is None:
                        self._conn = await psycopg.AsyncConnection.connect(
                            self._dsn, autocommit=True, connect_timeout=CONNECT_SECONDS
                        )
                    yield self._conn
            except (psycopg.OperationalError, TimeoutError) as error:
                await self._drop()
                raise QueueAway(" ".join(str(error).split()) or "no answer in time") from error
            except asyncio.CancelledError:
                await self._drop()  # whatever it was about to answer is nobody's
                raise

    async def close(self) -> None:
        """Hang up."""
        async with self._lock:
            await self._drop()

    async def _drop(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            await conn.close()
