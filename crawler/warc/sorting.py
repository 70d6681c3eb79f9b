"""Sorting more lines than memory holds: sorted runs in nameless files, merged at the end."""

import heapq
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Self

RUN_BYTES = 32 * 1024 * 1024


class ExternalSort:
    """Lines in the order of their bytes, as ``LC_ALL=C sort`` has them. Its files go with it, or with the process.

    *folder* has room for all lines once; a run is of about *run_bytes*.
    """

    def __init__(self, folder: Path, *, run_bytes: int = RUN_BYTES) -> None:
        self._folder = folder
        self._run_bytes = run_bytes
        self._lines: list[bytes] = []
        self._bytes = 0
        self._runs: list[IO[bytes]] = []
        self._files = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()

    def add(self, line: bytes) -> None:
        """Take a *line*, its line feed at the end and no other in it."""
        self._lines.append(line)
        self._bytes += len(line)
        if self._bytes >= self._run_bytes:
            self._write_run()

    def __iter__(self) -> Iterator[bytes]:
        """All lines; once, when nothing more is added."""
        self._lines.sort()
        for run in self._runs:
            run.seek(0)
        return heapq.merge(self._lines, *self._runs)

    def _write_run(self) -> None:
        self._lines.sort()
        run = self._files.enter_context(tempfile.TemporaryFile(dir=self._folder))  # noqa: SIM115 - closed with the rest
        run.writelines(self._lines)
        self._runs.append(run)
        self._lines, self._bytes = [], 0
