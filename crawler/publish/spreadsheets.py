"""Datasette's own CSV as spreadsheets take it, like our exports: in an encoding that they know, with no cell that they
would run. Datasette writes cells as is, and Excel takes a file without a byte order mark for one in its own encoding.
"""

import csv
from collections.abc import Awaitable, Sequence
from types import SimpleNamespace
from typing import Any

from crawler.publish.exports.csv_text import BOM, guarded


def take_over() -> None:
    """Let Datasette's views write CSV by us."""
    from datasette.views import base  # noqa: PLC0415 - datasette imports this package

    base.csv = SimpleNamespace(writer=_Writer)  # all that they use of the module


class _Writer:
    """A ``csv.writer`` to what is written to asynchronously."""

    def __init__(self, target: Any) -> None:
        self._target = target
        self._begin = BOM.decode()
        self._writer = csv.writer(self)

    def write(self, text: str) -> Awaitable[None]:
        """Write a row's text, and the byte order mark before the first one's."""
        begin, self._begin = self._begin, ""
        written: Awaitable[None] = self._target.write(begin + text)
        return written

    def writerow(self, row: Sequence[Any]) -> Awaitable[None]:
        """Write a row; what the target's ``write`` returns is to be awaited."""
        written: Awaitable[None] = self._writer.writerow(
            [guarded(cell) if isinstance(cell, str) else cell for cell in row]
        )
        return written
