"""``/export.csv``: every article that a search finds, with its text, as the file that ``xianzhi export`` writes.

Rows go out while they are read, so that memory stays flat whatever is found. A file that ends early shows it: the
connection is broken off without the end that HTTP/1.1 asks for, which browsers and programs report as a failed
download, and the header ``Xianzhi-Rows`` has said beforehand how many rows there are.
"""

import asyncio
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from datasette.utils.asgi import Response
from isal import isal_zlib

from crawler.publish.exports import csv_text, selection
from crawler.publish.exports.codebook import tables
from crawler.publish.exports.selection import Chosen, Filters
from crawler.publish.site.asking import database_of
from crawler.publish.site.frame import Routes, bad_address, link, not_found
from crawler.publish.site.selection import Selection, selection_of
from crawler.text.query import Query, parse

BATCH = 200
"""Rows in memory; a megabyte."""
AT_ONCE = 2
"""Files that are written at the same time; who comes then is asked to come again."""
LEVEL = 1
"""Of compression: 200 MB/s."""
LASTS = 600.0
"""Seconds after which a file is broken off: as long as it is read, a crawl's log cannot be folded into the archive."""
LONGEST_NAME = 60
"""Characters of a search in its file's name: file systems take 255 bytes."""
TABLE = tables()["articles"]
_TEXTS = frozenset(number for number, column in enumerate(TABLE.columns) if column.type == "string")

_underway: set["_Download"] = set()


async def export(datasette: Any, request: Any, receive: Any) -> Any:
    """The file; leads to the search page where nothing is asked for."""
    chosen = selection_of(request)
    if chosen.unread:  # a file says nowhere that it has more than was asked for
        return await bad_address(datasette, request, unread=chosen.unread)
    if chosen.is_empty:
        return Response.redirect(link(datasette, request, "/search"))
    if len(_underway) >= AT_ONCE:
        headers = {"Retry-After": "60"}
        return Response.text("Other files are being written; try again in a minute.\n", status=503, headers=headers)
    is_compressed = "gzip" in request.headers.get("accept-encoding", "")
    download = _Download(
        _pieces(Path(database_of(datasette).path), filters_of(chosen), is_compressed=is_compressed),
        name=" ".join(filter(None, (chosen.typed, *chosen.filters.values()))),
        is_compressed=is_compressed,
        receive=receive,
    )
    try:
        await download.begin()
    except LookupError:
        return await not_found(datasette, request)
    return download


def filters_of(chosen: Selection) -> Filters:
    """A search as ``xianzhi export`` takes it."""
    state = f"状态:{chosen.filters['state']}" if "state" in chosen.filters else ""
    words = f"{state} {chosen.typed}".strip()
    return Filters(
        search=words if parse(words) != Query() else None,
        division=chosen.filters.get("division"),
        first=chosen.filters.get("from"),
        last=chosen.filters.get("to"),
        portal=chosen.filters.get("portal"),
    )


def _pieces(db: Path, filters: Filters, *, is_compressed: bool) -> Generator[Any, None, None]:
    """First how many rows there are, then the file in pieces. Raises LookupError for an unknown portal."""
    deflate = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, 31) if is_compressed else None
    with selection.chosen(db, filters) as chosen:
        yield selection.articles(chosen)
        for plain in _lines(chosen):
            if piece := deflate.compress(plain) if deflate else plain:
                yield piece
    if deflate:
        yield deflate.flush()


def _lines(chosen: Chosen) -> Iterator[bytes]:
    yield csv_text.BOM + csv_text.lines([[column.name for column in TABLE.columns]])
    rows = selection.rows(chosen, TABLE)
    while batch := rows.fetchmany(BATCH):
        yield csv_text.lines(batch, texts=_TEXTS)


class _Download:
    """A response that is written while its rows are read, by a thread of its own: a connection stays in one."""

    def __init__(
        self,
        pieces: Generator[Any, None, None],
        *,
        name: str,
        is_compressed: bool,
        receive: Callable[[], Awaitable[Any]],
    ) -> None:
        self._pieces = pieces
        self._name = name
        self._is_compressed = is_compressed
        self._receive = receive
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._count = 0

    async def begin(self) -> None:
        """Ask for the rows."""
        _underway.add(self)
        try:
            self._count = await self._next()
        except BaseException:
            self._end()
            raise

    async def asgi_send(self, send: Callable[[Any], Awaitable[None]]) -> None:
        """Send the file. Where that fails the response is left without its end: its reader must know."""
        reader = asyncio.ensure_future(self._reader_is_gone())
        deadline = time.monotonic() + LASTS
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self._headers()})
            while piece := await self._next():
                await send(_body(piece, more=True))
                if reader.done() or time.monotonic() > deadline:
                    return
            await send(_body(b"", more=False))
        except (sqlite3.Error, OSError) as error:
            sys.stderr.write(f"export.csv was broken off: {error}\n")
        finally:
            reader.cancel()
            with suppress(asyncio.CancelledError):
                await reader
            self._end()

    async def _next(self) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, next, self._pieces, None)

    async def _reader_is_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def _headers(self) -> list[tuple[bytes, bytes]]:
        file_name = quote(f"xianzhi {self._name[:LONGEST_NAME]}.csv", safe="")
        disposition = f"attachment; filename=\"xianzhi.csv\"; filename*=UTF-8''{file_name}"
        # By Datasette's own gzip it would take ten times as long; what says that it is coded already is left alone.
        coding = [(b"content-encoding", b"gzip")] if self._is_compressed else []
        return [
            *coding,
            (b"content-type", csv_text.MEDIA_TYPE.encode()),
            (b"content-disposition", disposition.encode()),
            (b"vary", b"Accept-Encoding"),
            (b"xianzhi-rows", str(self._count).encode()),
            (b"cache-control", b"no-store"),
        ]

    def _end(self) -> None:
        """Close the connection in its own thread, and let the next one in."""
        self._thread.submit(self._pieces.close)
        self._thread.shutdown(wait=False)
        _underway.discard(self)


def _body(content: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": more}


ROUTES: Routes = [(r"/export\.csv$", export)]
