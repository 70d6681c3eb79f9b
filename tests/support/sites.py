"""The site over an archive: as Datasette's own client asks it, or on loopback as a browser does."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from html.parser import HTMLParser
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
        close(site)


def close(site: Any) -> None:
    """End a site's threads and connections."""
    site.executor.shutdown()
    for database in site.databases.values():
        database.close()


def vacuum_into(archive: Path, copy: Path) -> None:
    """Copy an archive in SQLite's own way."""
    with closing(sqlite3.connect(archive)) as conn:
        conn.execute("VACUUM INTO ?", (str(copy),))


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


class Links(HTMLParser):
    """Every address that a page leads to or loads, every element's name, and every inline script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.elements: set[str] = set()
        self.handlers: list[str] = []
        self.scripts: list[str] = []
        self._is_script = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "action"}]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self._is_script = tag == "script" and "src" not in dict(attrs)

    def handle_data(self, data: str) -> None:
        if self._is_script:
            self.scripts.append(data)
            self._is_script = False
