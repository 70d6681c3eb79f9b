"""Questions of our pages to the archive that is served: as the public sees it, in bounded time, numbers kept."""

import asyncio
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from datasette.database import QueryInterrupted
from datasette.utils import sqlite_timelimit
from datasette.utils.asgi import NotFound

from crawler.publish.metadata import archives
from crawler.publish.shown import reader_of

T = TypeVar("T")
P = ParamSpec("P")

KEPT = 1_000
"""Answers that are kept, an archive: addresses can be thought up without end."""

_kept: "WeakKeyDictionary[Any, OrderedDict[Any, tuple[Any, float, Any]]]" = WeakKeyDictionary()
"""For each running Datasette: question to (state of the file, when it was asked, answer), the last used at the end."""

_asked: "WeakKeyDictionary[Any, dict[Any, asyncio.Task[Any]]]" = WeakKeyDictionary()
"""For each running Datasette: what is being found out, by question and state of the file."""


def database_of(datasette: Any) -> Any:
    """The first archive that is served, as a Datasette ``Database``. Raises NotFound where there is none."""
    served = archives(datasette)
    if not served:
        raise NotFound("no archive is served here")
    return datasette.get_database(served[0])


async def ask(datasette: Any, question: Callable[[sqlite3.Connection], T], *, limit_ms: int | None = None) -> T:
    """What *question* finds on a connection that shows what the public sees (rows are ``sqlite3.Row``).

    Raises QueryInterrupted after *limit_ms*, or what Datasette allows a query (``sql_time_limit_ms``).
    """
    limit = limit_ms or datasette.setting("sql_time_limit_ms")

    def within_limit(conn: sqlite3.Connection) -> T:
        with sqlite_timelimit(conn, limit):
            try:
                return question(conn)
            except sqlite3.OperationalError as error:
                if error.args == ("interrupted",):
                    raise QueryInterrupted(error, "", None) from error
                raise

    answer: T = await reader_of(database_of(datasette)).execute_fn(within_limit)
    return answer


async def rows(datasette: Any, sql: str, params: Any = ()) -> list[dict[str, Any]]:
    """All rows of a query of ours, as dicts; bounded like `ask`."""
    return await ask(datasette, lambda conn: [dict(row) for row in conn.execute(sql, params)])


def cached(
    seconds: float,
) -> Callable[[Callable[Concatenate[Any, P], Awaitable[T]]], Callable[Concatenate[Any, P], Awaitable[T]]]:
    """Keep what ``async def f(datasette, *hashable)`` answers for *seconds*, and then on until the archive changes.

    Who asks while the answer is being found out waits for it: however many ask, the archive is asked once.

    For numbers: what names an article has to be asked anew each time, or it would be shown after it was withheld.
    """

    def decorate(function: Callable[Concatenate[Any, P], Awaitable[T]]) -> Callable[Concatenate[Any, P], Awaitable[T]]:
        async def kept(datasette: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
            answers = _kept.setdefault(datasette, OrderedDict())
            key = (function.__module__, function.__qualname__, args, tuple(sorted(kwargs.items())))
            state, now = _state_of(database_of(datasette)), time.monotonic()
            if key in answers:
                then, at, answer = answers[key]
                if then == state or now - at < seconds:
                    answers.move_to_end(key)
                    known: T = answer
                    return known

            async def find_out() -> T:
                new = await function(datasette, *args, **kwargs)
                answers[key] = (state, now, new)
                answers.move_to_end(key)
                if len(answers) > KEPT:
                    answers.popitem(last=False)
                return new

            return await _once(_asked.setdefault(datasette, {}), (key, state), find_out)

        return kept

    return decorate


async def _once(asked: "dict[Any, asyncio.Task[T]]", key: Any, find_out: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What *find_out* finds; where that is under way already, what comes of it."""
    if key not in asked:
        asked[key] = asyncio.create_task(find_out())
        asked[key].add_done_callback(lambda _: asked.pop(key))
    return await asyncio.shield(asked[key])  # who goes away takes nothing from those who wait


def _state_of(database: Any) -> tuple[Any, ...]:
    """What differs when the archive's file was written to or another one took its place.

    ``PRAGMA data_version`` tells as much, but of one connection only, and every thread has its own.
    """
    state: list[Any] = []
    for file in (Path(database.path), Path(f"{database.path}-wal")):
        try:
            found = file.stat()
        except FileNotFoundError:
            state.append(None)
        else:
            state.append((found.st_ino, found.st_mtime_ns, found.st_size))
    return tuple(state)
