"""What ``crawl`` shows while it runs: a bar for eyes, lines for logs."""

import logging
import time

from rich.console import Console

from crawler.cli.bar import PLAIN_SECONDS, Bar
from crawler.cli.show import say_line
from crawler.fetch.tally import Tally
from crawler.operating.logs import is_json

COUNTERS = ("fetched", "new", "changed", "unchanged", "gone", "failed")


def display_for(console: Console, portals: int) -> "TerminalDisplay | LineDisplay":
    """What shows the progress of so many portals."""
    return TerminalDisplay(console, portals) if console.is_terminal and not is_json() else LineDisplay(portals)


class TerminalDisplay(Bar):
    """Progress for eyes: portals done, pages a second, articles."""

    def __init__(self, console: Console, portals: int) -> None:
        super().__init__(console, "crawling", units="portals", total=portals)
        self._began = time.monotonic()

    def progress(self, tallies: dict[str, Tally], ended: int) -> None:
        """Draw the sums."""
        pages = sum(tally.fetched for tally in tallies.values())
        rate = pages / max(time.monotonic() - self._began, 0.1)
        counts = " · ".join(
            f"{name} {sum(getattr(t, name) for t in tallies.values())}" for name in ("new", "changed", "failed")
        )
        self.draw(ended, said=f"{pages} pages · {rate:.1f} pages/s · {counts}")

    def log(self, level: int, text: str, /, **_about: str | None) -> None:
        """Warnings stand above the bar."""
        if level >= logging.WARNING:
            self.say(text)


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
