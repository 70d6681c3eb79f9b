"""What travels through the queue: a task, and what came of a portal. All of it has to survive JSON."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from crawler.catalogue import Expect, Portal
from crawler.fetch.options import Options
from crawler.fetch.tally import MediaTally, Tally

CRAWL = "crawl"
"""procrastinate's name for a task of a group of portals."""
QUEUE = "xianzhi"
LIVES = 3
"""How often a group is begun, at most, where a process died under it each time."""
TRAVELLING = ("max_articles", "since", "full", "media", "delay")
"""Of a run's options those that are the night's. Which networks may be asked is said by each host's worker."""
COUNTERS = ("fetched", "received", "new", "changed", "unchanged", "gone", "failed", "unanswered")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A group of portals that share a host, in one night; a worker's until it says otherwise, or its lease ends."""

    job_id: int
    run_id: str
    portals: tuple[Portal, ...]
    """Those that have not ended in this night."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """See `TRAVELLING`."""
    seeds: Mapping[str, str] = field(default_factory=dict)
    """Portal's id → object of the store with what the archive knows of it; portals without a past have none."""
    holder: int
    """procrastinate's number of the worker that took it."""
    deaths: int = 0
    """How many workers and processes have died under it."""

    def __str__(self) -> str:
        """The portals' ids."""
        return ", ".join(portal.id for portal in self.portals)


def task_args(run_id: str, portals: Collection[Portal], options: Options, seeds: Mapping[str, str]) -> dict[str, Any]:
    """The arguments under which a task waits in the queue; ``hosts`` are whom it will ask."""
    return {
        "run_id": run_id,
        "hosts": sorted(hosts_of(portals)),
        "portals": [_without_nones(asdict(portal)) for portal in portals],
        "options": {name: getattr(options, name) for name in TRAVELLING},
        "seeds": {portal.id: seeds[portal.id] for portal in portals if portal.id in seeds},
    }


def task_of(job_id: int, args: Mapping[str, Any], *, holder: int, deaths: int, ended: Collection[str] = ()) -> Task:
    """The task behind arguments that `task_args` made, without the portals that have *ended*.

    Raises ValueError where another version of this program made them, in words.
    """
    try:
        return Task(
            job_id=job_id,
            run_id=args["run_id"],
            portals=tuple(portal_of(entry) for entry in args["portals"] if entry["id"] not in ended),
            options={name: args["options"][name] for name in TRAVELLING},
            seeds=args["seeds"],
            holder=holder,
            deaths=deaths,
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"task {job_id} was made by another version of this program: {error}") from error


def portal_of(entry: Mapping[str, Any]) -> Portal:
    """A portal as `task_args` wrote it down. Raises KeyError, TypeError."""
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
    expect = dict(values.pop("expect", {}))
    expect["filled"] = tuple(expect.get("filled", ()))
    return Portal(**values, expect=Expect(**expect))


def hosts_of(portals: Collection[Portal]) -> frozenset[str]:
    """Whom portals ask, ``www.`` or not."""
    return frozenset(host.removeprefix("www.") for portal in portals for host in portal.hosts)


def tally_data(tally: Tally) -> dict[str, Any]:
    """What the report says of a portal."""
    words = {name: getattr(tally, name) for name in (*COUNTERS, "reasons")}
    return {**words, "failures": dict(tally.failures), "media": asdict(tally.media)}


def sum_of(lives: Collection[Mapping[str, Any]]) -> Tally:
    """One tally from those that the workers of a portal left, one after another, by `tally_data`."""
    total = Tally()
    for data in lives:
        for name in COUNTERS:
            setattr(total, name, getattr(total, name) + data[name])
        total.reasons += data["reasons"]
        total.failures.update(data["failures"])
        media = MediaTally(**{column.name: data["media"][column.name] for column in fields(MediaTally)})
        total.media.answers += media.answers
        total.media.captured += media.captured
        total.media.failed += media.failed
        total.media.reasons += media.reasons
        total.media.stopped = media.stopped or total.media.stopped
    return total


def _without_nones(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A key that an older worker does not know troubles it only where it says something."""
    return {name: value for name, value in entry.items() if value is not None}
