"""A site over a published copy that notices a newer one: from one request to the next, and none is lost.

SQLite goes on reading a file that another one took the place of. So a new file gets a ``Datasette`` of its own, made
ready beside the one that answers. Then requests go to the new one; the old one answers what it was asked before, and is
closed. No request meets two copies. What takes long to count is counted when requests go there already, one page after
the other: it would only keep the new copy from its readers.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from crawler.publish.headers import Asgi, Message, Receive, Send
from crawler.publish.shown import reader_of

LOOK_SECONDS = 1.0
"""Between two looks at the file."""
TRIES = 3
"""How often it is tried to serve a file, before the last one stays until there is another."""
CONNECT_SECONDS = 60.0
"""What connecting may take."""
WARMED = ("/search", "/reprints", "/county", "/portal", "/changes")
"""Pages that count what others need, too: the facts of all articles, all reprints, numbers by place and by portal."""

_log = logging.getLogger(__name__)
_Identity = tuple[int, int, int]


class NewestCopy:
    """An ASGI application: the site over the copy that lies at *path* now, as *open_site* opens it.

    Where *is_copy* is False, a live archive lies there, which is served alike but never looked for anew. Raises what
    *open_site* raises. Later, a file that cannot be served is logged, and the last good one stays.
    """

    def __init__(self, path: Path, open_site: Callable[[], Any], *, is_copy: bool = True) -> None:
        self._path = path
        self._is_copy = is_copy
        self._open_site = open_site
        self._seen = _identity(path)
        self._current = _Served(open_site())
        self._background: set[asyncio.Task[None]] = set()
        self._ends = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, or live as long as the server does."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        served = self._current
        served.requests += 1
        try:
            await served.app(scope, receive, send)
        finally:
            served.requests -= 1
            self._close_if_done(served)

    async def _live(self, receive: Receive, send: Send) -> None:
        """From the server's start to its end (asgi.readthedocs.io/en/latest/specs/lifespan.html)."""
        await receive()
        await self._current.start()
        await send({"type": "lifespan.startup.complete"})
        self._in_background(self._warm(self._current))
        watching = [asyncio.create_task(self._watch())] if self._is_copy else []
        await receive()
        self._ends = True
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        while self._background:  # the end of one may be the beginning of another
            await asyncio.gather(*self._background, return_exceptions=True)
        await self._current.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _watch(self) -> None:
        failures = 0
        while True:
            await asyncio.sleep(LOOK_SECONDS * 2**failures)
            found = _identity(self._path)
            if found in {None, self._seen}:
                continue
            newer = await self._opened()
            failures = 0 if newer else failures + 1
            if newer or failures == TRIES:  # on a crowded machine another try may find the time
                self._seen, failures = found, 0
            if newer and _identity(self._path) == found:
                self._hand_over_to(newer)
            elif newer:  # yet another one came meanwhile, and some connections may be to that
                await newer.close()

    async def _opened(self) -> "_Served | None":
        """The site over the file that is there now; None where it cannot be served."""
        site = None
        try:
            site = _Served(await asyncio.to_thread(self._open_site))
            await site.start()
        except Exception:
            _log.exception("%s: there is a new file, which cannot be served; the last one still is", self._path)
            if site:
                await site.close()
            return None
        return site

    def _hand_over_to(self, newer: "_Served") -> None:
        older, self._current = self._current, newer
        self._close_if_done(older)
        self._in_background(self._warm(newer))

    async def _warm(self, served: "_Served") -> None:
        """Ask for what is WARMED as a reader would; one at a time, since of its threads the others are for readers."""
        served.requests += 1
        try:
            for path in WARMED:
                if self._ends or served is not self._current:
                    break
                await served.get(path)
        finally:
            served.requests -= 1
            self._close_if_done(served)

    def _close_if_done(self, served: "_Served") -> None:
        if served is not self._current and not served.requests:
            self._in_background(served.close())

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


class _Served:
    """One ``Datasette``."""

    def __init__(self, site: Any) -> None:
        self.app: Asgi = site.app()
        self.requests = 0
        """How many it is answering."""
        self._site = site

    async def start(self) -> None:
        """What takes time before or in a first request; a connection for each thread, before the next file comes."""
        messages = iter(({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}))

        async def receive() -> Message:
            return next(messages)

        async def send(_message: Message) -> None:
            pass

        await self.app({"type": "lifespan"}, receive, send)
        for database in self._files():
            for reader in {database, reader_of(database)}:
                await self._connect(reader)
        await self.get("/")  # what the front page counts is kept

    async def get(self, path: str) -> None:
        """Ask for a page and forget it."""
        await self._site.client.get(path)

    async def _connect(self, reader: Any) -> None:
        threads = self._site.setting("num_sql_threads")
        meeting = threading.Barrier(threads)  # none of them can answer for another one
        await asyncio.gather(*(reader.execute_fn(lambda _: meeting.wait(CONNECT_SECONDS)) for _ in range(threads)))

    async def close(self) -> None:
        """Give back threads and connections. Nothing may be asked any more."""
        await asyncio.to_thread(self._site.executor.shutdown)
        for database in self._site.databases.values():
            if database.is_memory:  # it has a thread that waits for something to write, with no other way to end it
                await database.execute_write_fn(_end_thread, block=False)
            database.close()

    def _files(self) -> list[Any]:
        return [database for database in self._site.databases.values() if not database.is_memory]


def _end_thread(_conn: object) -> None:
    raise SystemExit


def _identity(path: Path) -> _Identity | None:
    """What differs when another file takes the place of one; None where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
