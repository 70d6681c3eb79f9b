"""What a run's parent and its worker processes say to each other."""

from dataclasses import dataclass

from crawler.catalogue import Portal
from crawler.fetch.tally import Tally


@dataclass(frozen=True, slots=True)
class Work:
    """Parent to worker: portals that share a host, one after the other."""

    portals: tuple[Portal, ...]


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
