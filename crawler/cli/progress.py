"""What ``crawl`` shows while it runs: a bar for eyes, lines for logs."""

import logging
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from crawler.cli.show import plain, say_line
from crawler.fetch.tally import Tally
from crawler.operating.logs import is_json

PLAIN_SECONDS = 30.0
"""Without a terminal, a line of progress this often."""
COUNTERS = ("fetched", "new", "changed", "unchanged", "gone", "failed")


def display_for(console: Console, portals: int) -> "TerminalDisplay | LineDisplay":
    """What shows the progress of so many portals."""
    return TerminalDisplay(console, portals) if console.is_terminal and not is_json() else LineDisplay(portals)


class TerminalDisplay:
    """Progress for eyes: portals done, pages a second, articles."""

    def __init__(self, console: Console, portals: int) -> None:
        self._console = console
        self._began = time.monotonic()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("portals"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[counts]}"),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("crawling", total=portals, counts="")

    def __enter__(self) -> "TerminalDisplay":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def progress(self, tallies: dict[str, Tally], ended: int) -> None:
        """Draw the sums."""
        pages = sum(tally.fetched for tally in tallies.values())
        rate = pages / max(time.monotonic() - self._began, 0.1)
        counts = " · ".join(
            f"{name} {sum(getattr(t, name) for t in tallies.values())}" for name in ("new", "changed", "failed")
        )
        self._progress.update(self._task, completed=ended, counts=f"{pages} pages · {rate:.1f} pages/s · {counts}")

    def log(self, level: int, text: str, /, **_about: str | None) -> None:
        """Warnings stand above the bar."""
        if level >= logging.WARNING:
            self._progress.console.print(plain(text), style="yellow", markup=False)


class LineDisplay:
    """Progress for logs: one line a portal that ended, one every half minute."""

    def __init__(self, portals: int) -> None:
        self._portals = portals
        self._told = 0
        self._next = time.monotonic() + PLAIN_SECONDS

    def __enter__(self) -> "LineDisplay":
        self.log(logging.INFO, f"crawling {self._portals} portals")
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to tidy."""

    def progress(self, tallies: dict[str, Tally], ended: int) -> None:
        """A line now and then."""
        if ended > self._told or time.monotonic() >= self._next:
            self._told, self._next = ended, time.monotonic() + PLAIN_SECONDS
            sums = " ".join(f"{name}={sum(getattr(tally, name) for tally in tallies.values())}" for name in COUNTERS)
            self.log(logging.INFO, f"portals={ended}/{self._portals} {sums}")

    def log(self, level: int, text: str, /, **about: str | None) -> None:
        """Every line, with its level."""
        say_line(level, text, **about)
