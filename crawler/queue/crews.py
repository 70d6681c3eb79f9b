"""A worker's child processes, each with a shard of its own and the tasks it works on."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from crawler.archive.lease import Lease
from crawler.children import Child
from crawler.fetch.options import Options
from crawler.fetch.tally import Tally
from crawler.messages import Stop, Ticket, Work
from crawler.queue.tasks import Task
from crawler.spool import Shard, shard_name

IDLE_SECONDS = 3.0
"""A process that has nothing to do for so long ends, and its shard goes home."""
PROCESSES_A_JOB = 3
"""At most: one that takes portals, and older ones whose portals have not ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How a worker's processes are made up."""

    jobs: int
    """Processes that take new portals, at the same time."""
    groups: int
    """Groups of portals a process."""
    shard_seconds: float
    """A process whose shard is older takes no new portals."""
    shard_bytes: int
    """Nor does one whose shard is larger."""


@dataclass(slots=True)
class Held:
    """A task that a process works on."""

    task: Task
    moved: dict[str, Tally] = field(default_factory=dict)
    """What the queue was not told yet of portals that have not ended."""
    ended: dict[str, Tally] = field(default_factory=dict)

    @property
    def has_ended(self) -> bool:
        """Whether all of its portals have, be it that they were stopped."""
        return all(portal.id in self.ended for portal in self.task.portals)

    @property
    def is_done(self) -> bool:
        """Whether nobody has to go on with any of them."""
        return self.has_ended and not any(tally.interrupted for tally in self.ended.values())


@dataclass(slots=True)
class Crew:
    """A child process of one night."""

    child: Child
    run_id: str
    shard: Shard
    began: float
    held: dict[int, Held] = field(default_factory=dict)
    """By the task's id."""
    idle_since: float = 0.0
    is_full: bool = False
    """Whether its shard is so old or large that it gets no new portals."""
    is_told_to_stop: bool = False

    def give(self, task: Task, seeds: tuple[Path, ...]) -> None:
        """Let the process work on *task*; where it is dead, its burial gives the task back."""
        self.held[task.job_id] = Held(task)
        self.child.send(Work(task.portals, Ticket(task.job_id, seeds)))

    def stop(self) -> None:
        """Let the process finish what is on the wire, store, close its shard and end."""
        if not self.is_told_to_stop:
            self.is_told_to_stop = True
            self.child.send(Stop())

    def holder(self, portal_id: str) -> Held | None:
        """The task that a portal is in."""
        return next((held for held in self.held.values() if any(p.id == portal_id for p in held.task.portals)), None)


class Crews:
    """All child processes of a worker."""

    def __init__(self, limits: Limits, *, spool: Path) -> None:
        self._limits = limits
        self._spool = spool
        self._serials = count(1)
        self._crews: list[Crew] = []

    def __iter__(self) -> Iterator[Crew]:
        return iter(tuple(self._crews))

    def __len__(self) -> int:
        return len(self._crews)

    @property
    def groups(self) -> int:
        """Groups of portals that are worked on."""
        return sum(len(crew.held) for crew in self._crews)

    @property
    def has_room(self) -> bool:
        """Whether another group can be taken."""
        return self.groups < self._limits.jobs * self._limits.groups

    def held(self) -> list[int]:
        """Ids of all tasks."""
        return [job_id for crew in self._crews for job_id in crew.held]

    def best_for(self, run_id: str) -> Crew | None:
        """The process for another group of the night *run_id*; None where a new one should be started."""
        able = [
            crew
            for crew in self._crews
            if crew.run_id == run_id and not crew.is_told_to_stop and len(crew.held) < self._limits.groups
        ]
        fresh = [crew for crew in able if not crew.is_full]
        if len(self._crews) >= PROCESSES_A_JOB * self._limits.jobs:
            return min(fresh or able, key=lambda crew: len(crew.held), default=None)
        best = min(fresh, key=lambda crew: len(crew.held), default=None)
        taking = sum(not crew.is_full and not crew.is_told_to_stop for crew in self._crews)
        return None if best and best.held and taking < self._limits.jobs else best

    def next_shard(self, worker_id: int) -> Shard:
        """Where the next process will store what it brings."""
        return Shard(self._spool / shard_name(worker_id, next(self._serials)))

    def start(self, task: Task, shard: Shard, options: Options, lease: Lease) -> Crew:
        """Start a process for the night of *task*, with *options* but for what the night says."""
        own = replace(options, db=shard.db, warc=shard.warc, lease=lease, **task.options)
        now = time.monotonic()
        crew = Crew(Child.start(own, task.run_id), task.run_id, shard, now, idle_since=now)
        self._crews.append(crew)
        return crew

    def remove(self, crew: Crew) -> None:
        """A process has ended."""
        self._crews.remove(crew)

    def look_after(self) -> None:
        """Let those end that have nothing to do, and close those to new portals whose shards are full."""
        now = time.monotonic()
        for crew in self._crews:
            crew.is_full = crew.is_full or self._is_full(crew, now)
            if crew.held:
                crew.idle_since = now
            elif crew.is_full or now - crew.idle_since > IDLE_SECONDS:
                crew.stop()

    def stop(self) -> None:
        """Let all end."""
        for crew in self._crews:
            crew.stop()

    def kill(self) -> None:
        """End all at once."""
        for crew in self._crews:
            crew.child.kill()

    def _is_full(self, crew: Crew, now: float) -> bool:
        try:
            size = crew.shard.db.stat().st_size
        except OSError:
            size = 0
        return now - crew.began > self._limits.shard_seconds or size > self._limits.shard_bytes
