"""What cannot be answered: no address gives a 500, and no missing page fills the log.

Datasette 0.65 lets through what SQLite and Python say to odd parameters of its own pages (``_facet=nothing``,
``_next=x``, ``id__gt=99999999999999999999``): that is the address's fault, and says 400. A query that takes too long
says 503. A damaged file or a full disk, and a slip in our own pages, stay a 500 with its traceback in the log, and with
none of its words on the page: they may tell of the machine.
"""

import sqlite3
import sys
import traceback
from pathlib import Path
from typing import Any

from datasette.database import QueryInterrupted
from datasette.utils import InvalidSql
from datasette.utils.asgi import BadRequest, Base400, NotFound
from datasette.views.base import DatasetteError

from crawler.publish.metadata import archives
from crawler.publish.site.frame import bad_address, not_found, page
from crawler.publish.site.language import lang_of, words

_OF_VALUES = (ValueError, LookupError, ArithmeticError, TypeError, AttributeError, AssertionError, InvalidSql)
"""What Python says to values that Datasette's views did not expect."""
_OF_SQL = frozenset(
    {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_MISUSE,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_RANGE,
    }
)
"""SQLite's primary result codes where the query is at fault and not the file (sqlite.org/rescode.html)."""
_OURS = str(Path(__file__).parent / "site")


def take_over() -> None:
    """Answer for Datasette, which would print each missing page with the local variables of all its frames."""
    from datasette import handle_exception, plugins  # noqa: PLC0415 - plugins imports this package

    handle_exception.rich = None
    if plugins.pm.is_registered(handle_exception):
        plugins.pm.unregister(handle_exception)


async def answer(datasette: Any, request: Any, exception: Exception) -> Any:
    """The response to a request that ended in *exception*."""
    from datasette import handle_exception  # noqa: PLC0415 - plugins imports this package

    if archives(datasette):
        if isinstance(exception, NotFound):
            return await not_found(datasette, request)
        if isinstance(exception, QueryInterrupted):
            return await _sorry(datasette, request, "too_slow", status=503)
        if isinstance(exception, BadRequest) or _is_the_readers(exception):
            sys.stderr.write(f"400 {request.full_path[:300]!a}: {exception!r:.300}\n")
            return await bad_address(datasette, request)
        if not isinstance(exception, Base400 | DatasetteError):
            traceback.print_exception(exception)
            return await _sorry(datasette, request, "failed", status=500)
        if isinstance(exception, DatasetteError) and exception.status == 500:
            exception.status = 400  # what Datasette says itself of a parameter, without a status of its own
    return await handle_exception.handle_exception(datasette, request, exception)()


async def _sorry(datasette: Any, request: Any, what: str, *, status: int) -> Any:
    """What is no reader's fault, in words of ``frame.toml``."""
    t = words(lang_of(request))
    title, hint = t(f"frame.{what}.title"), t(f"frame.{what}.hint")
    data = {"ok": False, "error": title, "status": status}
    return await page(datasette, request, "error", title=title, data=data, status=status, hint=hint)


def _is_the_readers(exception: Exception) -> bool:
    """Whether the address is at fault."""
    if any(frame.filename.startswith(_OURS) for frame in traceback.extract_tb(exception.__traceback__)):
        return False
    if isinstance(exception, sqlite3.Error):
        code = getattr(exception, "sqlite_errorcode", None)
        return code is None or code & 0xFF in _OF_SQL
    return isinstance(exception, _OF_VALUES)
