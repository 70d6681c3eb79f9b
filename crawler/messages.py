"""What a run's parent and its worker processes say to each other."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from crawler.catalogue import Portal
from crawler.fetch.tally import Tally


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the queue says of a group of portals."""

    job_id: int
    """The task, by which only one worker has them."""
    seeds: tuple[Path, ...] = ()
    """Files with what the archive knows of them."""


@dataclass(frozen=True, slots=True)
class Work:
    """Parent to worker: portals that share a host, one after the other."""

    portals: tuple[Portal, ...]
    ticket: Ticket | None = None
    """In a crawl on several hosts."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Parent to worker: finish the requests on the wire, store, and end."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Worker to parent: the tallies that moved."""

    tallies: dict[str, Tally]


@dataclass(frozen=True, slots=True)
class Done:
    """Worker to parent: a portal has ended and is stored."""

    portal_id: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class Broken:
    """Worker to parent: nothing can be stored any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Said:
    """Worker to parent: a log line."""

    level: int
    text: str
    portal: str | None = None
    url: str | None = None


class Say(Protocol):
    """Whoever takes the lines of a run, and what each of them is about: its ``run``, ``portal``, ``url``."""

    def __call__(self, level: int, text: str, /, **about: str | None) -> None:
        """Take a line."""


def say(level: int, text: str, /, **about: str | None) -> None:
    """Give a line to `logging`, with what it is about as attributes of its record."""
    logging.getLogger("crawler").log(level, "%s", text, extra=about)
