"""Errands: WARC files that any worker may read for the archive, where it has nothing to crawl.

An errand's *task*, what the archive's rows say of the file, and its *result* are objects of the store, and both have
the errand's name. The queue has only who does what.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from crawler.version import EXTRACTOR, SOFTWARE

ERRAND = "errand"
"""procrastinate's name for such a task."""
Kind = Literal["verify", "reprocess"]
TASKS, RESULTS = "tasks/", "results/"
"""Where a store has them."""
RULES = f"{SOFTWARE} {EXTRACTOR}"
"""Who may do an errand: two versions of this program may find different things in a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """A WARC file to be read."""

    job_id: int
    kind: Kind
    name: str
    """Of its objects."""
    file: str
    holder: int
    """procrastinate's number of the worker that took it."""
    deaths: int = 0
    """How many workers and processes have died under it."""

    @property
    def run_id(self) -> None:
        """An errand is of no night."""
        return


def errands_of(queue: str) -> str:
    """The queue in which the errands of a *queue* wait for workers of this version, who look there last."""
    return f"{all_errands_of(queue)}{RULES}"


def all_errands_of(queue: str) -> str:
    """What the names of these queues begin with, whatever the version."""
    return f"{queue}-errands "


def errand_args(kind: Kind, batch: str, name: str, file: str) -> dict[str, str]:
    """The arguments under which an errand waits; *batch* is what is withdrawn together."""
    return {"kind": kind, "batch": batch, "name": name, "file": file}


def errand_of(job_id: int, args: Mapping[str, Any], *, holder: int, deaths: int) -> Errand:
    """The errand behind arguments that `errand_args` made."""
    return Errand(job_id=job_id, kind=args["kind"], name=args["name"], file=args["file"], holder=holder, deaths=deaths)
