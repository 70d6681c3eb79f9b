"""The site over an archive: as Datasette's own client asks it, or on loopback as a browser does."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from crawler.publish import server


@contextmanager
def opened(path: Path, *, sql: bool = False, **options: Any) -> Iterator[Any]:
    """A ``Datasette`` over the archive; its threads and connections end with the block."""
    site = server.open_site(path, sql=sql, **options)
    try:
        yield site
    finally:
        site.executor.shutdown()
        for database in site.databases.values():
            database.close()


@contextmanager
def served(path: Path, **options: Any) -> Iterator[str]:
    """Its address while it is served."""
    with opened(path, **options) as site, server.listen("127.0.0.1", 0) as listening:
        running = uvicorn.Server(uvicorn.Config(site.app(), log_level="critical", ws="none"))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield server.address_of(listening)
        finally:
            running.should_exit = True
            thread.join()


def get(site: Any, path: str, **options: Any) -> httpx.Response:
    """The answer to one request."""
    response: httpx.Response = asyncio.run(site.client.get(path.removeprefix("http://localhost"), **options))
    return response
