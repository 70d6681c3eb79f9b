"""Datasette over one archive, with the settings that suit it, and the socket it is served from."""

import hashlib
import ipaddress
import re
import socket
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from datasette.app import Datasette

from crawler.archive import published
from crawler.archive.connection import ArchiveError, is_published, open_archive
from crawler.publish.headers import Asgi
from crawler.publish.newest import NewestCopy
from crawler.publish.site.routes import ROUTES

SETTINGS: dict[str, Any] = {
    "allow_download": False,  # a live file copied byte for byte may be torn; publishing makes whole copies
    "suggest_facets": False,  # tries every column of every page: 20 times the cost of the page itself
    "sql_time_limit_ms": 1500,
    "default_page_size": 50,  # a hundred rows of articles take a tenth of a second to draw, and 230 kB
    "default_facet_size": 8,  # more would push the rows off the screen
    "truncate_cells_html": 120,
}
"""Datasette's settings for every archive, beside ``default_allow_sql``."""

_WAL_FORMAT = b"\x02\x02"
"""Read and write version in bytes 18 and 19 of a SQLite file in WAL mode (sqlite.org/fileformat.html §1.3)."""


def open_app(path: Path, *, sql: bool, replay_base: str | None = None, contact: str | None = None) -> Asgi:
    """The site over the archive at *path* as an ASGI application, as `open_site` opens it.

    It counts what takes long before a reader asks, and over a published copy it notices a newer one
    (`crawler.publish.newest`). Raises ArchiveError for what is no archive.
    """
    open_archive(path, readonly=True).close()
    reopen = partial(open_site, path, sql=sql, replay_base=replay_base, contact=contact)
    return NewestCopy(path, reopen, is_copy=not _is_live(path))


def open_site(path: Path, *, sql: bool, replay_base: str | None = None, contact: str | None = None) -> Any:
    """A ``Datasette`` over the archive at *path*; *sql* says whether readers may write SQL of their own.

    *replay_base* is where captures can be replayed, *contact* whom to ask for a correction or a take-down.

    A file in WAL mode is taken for a live archive, which a crawl may be writing; any other one for a published copy,
    which is opened as immutable. Raises ArchiveError for what is not an archive.
    """
    open_archive(path, readonly=True).close()
    file = str(path.resolve())
    if set(file) & set("?#%"):
        raise ArchiveError(f"{path}: Datasette cannot open a file whose path has ?, # or % in it; rename it")
    if any(re.match(pattern, f"/{path.stem}{table}") for pattern, _ in ROUTES for table in ("", "/articles")):
        raise ArchiveError(f"{path}: its tables would lie under /{path.stem}, where the site has pages; rename it")
    is_live = _is_live(path)
    return Datasette(
        [file] if is_live else [],
        immutables=[] if is_live else [file],
        inspect_data=None if is_live else _inspected(path.resolve()),
        settings={**SETTINGS, "default_allow_sql": sql},
        metadata={"plugins": {"xianzhi": {"replay_base": replay_base, "contact": contact}}},
    )


def _inspected(path: Path) -> dict[str, Any] | None:
    """What Datasette would find out of a published copy by counting every table and digesting the whole file."""
    with closing(open_archive(path, readonly=True)) as conn:
        if not is_published(conn):
            return None
        tables = {table: {"count": count} for table, count in published.row_counts(conn).items()}
    found = path.stat()
    digest = hashlib.sha256(f"{found.st_size} {found.st_mtime_ns}".encode()).hexdigest()  # tells copies apart
    return {path.stem: {"hash": digest, "size": found.st_size, "file": str(path), "tables": tables}}


def _is_live(path: Path) -> bool:
    with path.open("rb") as opened:
        return opened.read(20)[18:] == _WAL_FORMAT


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one. Raises OSError where that cannot be had."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server(address[:2], family=family)


def is_loopback(listening: socket.socket) -> bool:
    """Whether only this machine can reach it."""
    return ipaddress.ip_address(listening.getsockname()[0]).is_loopback


def address_of(listening: socket.socket) -> str:
    """``http://host:port/`` for a browser on this machine."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def run(app: Asgi, listening: socket.socket, *, has_own_log: bool = True) -> None:
    """Serve until a signal ends it; raises KeyboardInterrupt after a clean stop by Ctrl-C.

    *has_own_log*: warnings go to standard error as uvicorn writes them, not to whoever handles this process's log.
    """
    config = uvicorn.Config(
        app,
        log_config=uvicorn.config.LOGGING_CONFIG if has_own_log else None,
        log_level="warning",
        lifespan="on",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    uvicorn.Server(config).run(sockets=[listening])
