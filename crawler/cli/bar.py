"""How far a long command is: a bar on a terminal, with room for lines above it."""

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from crawler.cli.show import plain

PLAIN_SECONDS = 30.0
"""Without a terminal, a command that says how far it is does so this often."""


class Bar:
    """Shows *what* is done, as so many of so many *units*; without a terminal only the lines."""

    def __init__(self, console: Console, what: str, *, units: str = "", total: int | None = None) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            *([TextColumn(units)] if units else []),
            TimeElapsedColumn(),
            TextColumn("{task.fields[said]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(what, total=total, said="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def draw(self, done: int, total: int | None = None, *, what: str | None = None, said: str = "") -> None:
        """So many are done; *said* stands behind it. None leaves *total* and *what* as they were."""
        self._progress.update(self._task, completed=done, total=total, description=what, said=said)

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._progress.console.print(plain(text), style="yellow", markup=False, soft_wrap=True)
