"""Datasette's own CSV with no cell that a spreadsheet would run, as in our exports; Datasette writes cells as is."""

import csv
from collections.abc import Awaitable, Sequence
from types import SimpleNamespace
from typing import Any

from crawler.publish.exports.csv_text import guarded


def take_over() -> None:
    """Let Datasette's views write CSV by us."""
    from datasette.views import base  # noqa: PLC0415 - datasette imports this package

    base.csv = SimpleNamespace(writer=_Writer)  # all that they use of the module


class _Writer:
    """A ``csv.writer`` to what is written to asynchronously."""

    def __init__(self, target: Any) -> None:
        self._writer = csv.writer(target)

    def writerow(self, row: Sequence[Any]) -> Awaitable[None]:
        """Write a row; what the target's ``write`` returns is to be awaited."""
        written: Awaitable[None] = self._writer.writerow(
            [guarded(cell) if isinstance(cell, str) else cell for cell in row]
        )
        return written
