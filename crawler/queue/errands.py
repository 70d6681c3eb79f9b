"""Errands: WARC files that any worker may read for the archive, where it has nothing to crawl.

An errand's *task*, what the archive's rows say of the file, and its *result* are objects of the store, and both have
the errand's name. The queue has only who does what.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

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
    """The queue in which the errands of a *queue* wait: workers look there when nobody waits for a crawl."""
    return f"{queue}-errands"


def errand_args(kind: Kind, batch: str, name: str, file: str) -> dict[str, str]:
    """The arguments under which an errand waits; *batch* is what is withdrawn together."""
    return {"kind": kind, "batch": batch, "name": name, "file": file, "rules": RULES}


def errand_of(job_id: int, args: Mapping[str, Any], *, holder: int, deaths: int) -> Errand:
    """The errand behind arguments that `errand_args` made. Raises ValueError where another version did, in words."""
    kind, rules = args.get("kind"), args.get("rules")
    if rules != RULES or kind not in get_args(Kind):
        raise ValueError(f"{args.get('file')} is to be read by {rules}; this worker is {RULES}")
    name, file = str(args["name"]), str(args["file"])
    return Errand(job_id=job_id, kind=cast("Kind", kind), name=name, file=file, holder=holder, deaths=deaths)
