"""One worker of a crawl on several hosts: a parent that talks to the queue, and its child processes.

It survives that PostgreSQL or the store are away for a while: what there is to say waits, in order. It takes its leave
cleanly (what is on the wire is stored and uploaded, tasks are given back), and everything stands that it does not.
"""

import asyncio
import logging
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from crawler.archive.lease import Lease
from crawler.fetch.options import Options
from crawler.fetch.tally import Tally
from crawler.messages import Broken, Done, Progress, Said, Say, say
from crawler.queue.bench import Bench
from crawler.queue.crews import Crew, Crews, Held
from crawler.queue.errands import Errand
from crawler.queue.homeward import Homeward
from crawler.queue.leases import BEAT_SECONDS, Leases, News
from crawler.queue.line import QueueAway
from crawler.queue.nightly import Nightly
from crawler.queue.tasks import Task
from crawler.room import Watch
from crawler.run import GRACE_SECONDS
from crawler.store import ObjectMissingError, StoreError

TICK_SECONDS = 0.5
"""Between two looks at what the processes and the queue have come to."""
PROGRESS_SECONDS = 5.0
"""Between two reports of how far portals are."""
SPREAD_SECONDS = 0.2
"""Before the next task is taken, at most: so others get some of a short queue, too."""

STORE_SECONDS = 5.0
"""Before the next task is taken after the store did not answer."""

Saying = Callable[[], Awaitable[object]]


class Supervisor:
    """The parent process of one worker."""

    def __init__(
        self,
        *,
        dsn: str,
        leases: Leases,
        crews: Crews,
        options: Options,
        homeward: Homeward,
        bench: Bench,
        nightly: Nightly | None = None,
        once: bool = False,
        on_tally: Callable[[str, str, Tally, bool], None] = lambda *_: None,
        on_pulse: Callable[[], None] = lambda: None,
        on_log: Say = say,
    ) -> None:
        self._dsn = dsn
        self._leases = leases
        self._crews = crews
        self._options = options
        self._homeward = homeward
        self._bench = bench
        self._has_room_again = asyncio.Event()
        self._nightly = nightly
        self._once = once
        self._on_tally = on_tally
        self._on_pulse = on_pulse
        self._on_log = on_log
        self._disk = Watch([options.db], options.reserve)
        self._last_room = Watch([options.db], options.reserve.half)
        self._is_crowded = False
        self._outbox: deque[Saying] = deque()
        self._funerals: set[asyncio.Task[None]] = set()
        self._away_since: float | None = None
        self._is_shaken = False
        self._is_stopping = False
        self._broken: str | None = None
        self._spool_id = ""

    def stop(self) -> None:
        """Take no more tasks, give back those that are held, and end; a second signal ends the process at once."""
        self._is_stopping = True
        self._on_log(logging.WARNING, "stopping: what is on the wire is stored, and the rest given back")
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(number)

    async def __call__(self) -> int:
        """Work until told to stop, or with *once* until the queue is empty; the exit code.

        Raises QueueAway where PostgreSQL does not answer at the very start.
        """
        await self._leases.register()
        self._spool_id = self._homeward.spool_id()
        await self._leases.forget_shards(spool=self._spool_id, there=self._homeward.shards())
        self._homeward.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.stop)
        try:
            async with asyncio.TaskGroup() as group:
                rounds = [group.create_task(rounds()) for rounds in (self._pulse, self._speak)]
                if self._nightly is not None:
                    rounds.append(group.create_task(self._nightly.keep_on(lambda: self._leases.worker_id)))
                await self._work()
                await self._take_leave()
                for task in rounds:
                    task.cancel()
        finally:
            self._crews.kill()
            await self._leases.close()
        return 1 if self._broken else 0

    # The lease.

    async def _pulse(self) -> None:
        while True:
            self._on_pulse()
            try:
                if await self._leases.beat():
                    for line in await self._leases.bury():
                        self._on_log(logging.WARNING, line)
                else:
                    await self._begin_anew()
                self._back()
            except QueueAway as error:
                self._away(error)
            await asyncio.sleep(BEAT_SECONDS)

    async def _begin_anew(self) -> None:
        """Others have this worker's tasks: its processes drop them by themselves, and what they brought goes home."""
        self._on_log(logging.WARNING, "taken for dead, after a silence; the tasks that were held are others' now")
        await self._leases.register()
        self._crews.stop()

    # Taking tasks.

    async def _work(self) -> None:
        while not self._is_stopping:
            self._crews.look_after()
            self._bench.look_after()
            pause = TICK_SECONDS
            has_disk = self._has_disk()
            self._has_room_again.clear()
            try:
                if self._is_shaken and not self._outbox:  # what ended meanwhile is no stray: it is told first
                    await self._leases.return_strays([*self._crews.held(), *self._bench.held(self._leases.worker_id)])
                    self._is_shaken = False
                if has_disk and self._crews.has_room:
                    task = await self._leases.take()
                    if task is not None:
                        await self._give(task)
                        pause = min(SPREAD_SECONDS, 0.01 * self._crews.groups)
                    elif await self._take_errand():
                        pause = SPREAD_SECONDS
                    elif self._once and not self._crews and not self._outbox and await self._leases.is_empty():
                        break
            except QueueAway as error:
                self._away(error)
                self._is_shaken = True  # perhaps a task was taken, and the answer lost
            except ValueError as error:
                self._on_log(logging.ERROR, str(error))
            await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not while there is room again for an errand: small files are read in no time."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._has_room_again.wait(), seconds)

    def _has_disk(self) -> bool:
        """Whether the spool's disk has room for more; where waiting helps no more, tasks are given back, too."""
        lack = self._disk.lack()
        if lack and not self._is_crowded:
            self._on_log(logging.ERROR, f"no new portals are taken: {lack}")
        elif self._is_crowded and not lack:
            self._on_log(logging.WARNING, "the disk has room again; portals are taken")
        self._is_crowded = lack is not None
        if self._last_room.lack() and len(self._crews):
            self._crews.stop()
        return lack is None

    async def _give(self, task: Task) -> None:
        """Let a process work on *task*; QueueAway leaves it a stray."""
        if not task.portals:  # its last worker died between their end and its own
            await self._leases.finish(task)
            return
        try:
            seeds = await self._homeward.fetch_seeds(task)
        except StoreError as error:
            self._on_log(logging.WARNING, f"{task}: given back, as the store has no seed: {error}")
            is_missing = isinstance(error, ObjectMissingError)
            await self._leases.give_back(task, str(error) if is_missing else None)
            await asyncio.sleep(STORE_SECONDS)
            return
        crew = self._crews.best_for(task.run_id) or await self._start(task)
        crew.give(task, seeds)

    async def _take_errand(self) -> bool:
        """Begin an errand, where there is one and room for it; for when nobody waits for a crawl."""
        errand = await self._leases.take_errand() if self._bench.has_room else None
        if errand is None:
            return False
        self._bench.give(errand, on_done=self._errand_done, on_failure=self._errand_failed)
        return True

    def _errand_done(self, errand: Errand) -> None:
        self._outbox.append(lambda: self._leases.finish(errand))
        self._has_room_again.set()

    def _errand_failed(self, errand: Errand, blame: str | None, words: str) -> None:
        if not self._is_stopping:
            self._on_log(logging.WARNING, f"{errand.file}: given back: {words}")
        self._outbox.append(lambda: self._leases.give_back(errand, blame))

    async def _start(self, task: Task) -> Crew:
        worker_id = self._leases.worker_id
        shard = self._crews.next_shard(worker_id)
        await self._leases.begin_shard(task.run_id, shard.name, spool=self._spool_id)
        lease = Lease(dsn=self._dsn, worker_id=worker_id, shard=shard.name)
        crew = self._crews.start(task, shard, self._options, lease)
        asyncio.get_running_loop().add_reader(crew.child.pipe.fileno(), self._read, crew)
        return crew

    # What the processes say.

    def _read(self, crew: Crew) -> None:
        match crew.child.receive():
            case None:
                asyncio.get_running_loop().remove_reader(crew.child.pipe.fileno())
                funeral = asyncio.ensure_future(self._bury(crew))
                self._funerals.add(funeral)
                funeral.add_done_callback(self._funerals.discard)
            case Progress(tallies):
                for portal_id, tally in tallies.items():
                    held = crew.holder(portal_id)
                    if held is not None:
                        held.moved[portal_id] = tally
                        self._on_tally(crew.shard.name, portal_id, tally, False)
            case Done(portal_id, tally):
                held = crew.holder(portal_id)
                if held is not None:
                    self._ended(crew, held, portal_id, tally)
            case Broken(reason):
                self._broken = self._broken or reason
                self._on_log(logging.ERROR, reason)
                if not self._is_stopping:
                    self.stop()
            case Said(level, text, portal, url):
                self._on_log(level, text, run=crew.run_id, portal=portal, url=url)

    def _ended(self, crew: Crew, held: Held, portal_id: str, tally: Tally) -> None:
        held.ended[portal_id] = tally
        held.moved.pop(portal_id, None)
        self._on_tally(crew.shard.name, portal_id, tally, True)
        news = self._news(crew, held, portal_id, tally, has_ended=True)
        self._outbox.append(lambda: self._leases.tell([news]))
        if held.has_ended:
            del crew.held[held.task.job_id]
            self._homeward.drop_seeds(held.task)
            if held.is_done:
                self._outbox.append(lambda: self._leases.finish(held.task))
            else:
                self._outbox.append(lambda: self._leases.give_back(held.task))

    async def _bury(self, crew: Crew) -> None:
        how = await asyncio.to_thread(crew.child.bury)
        self._crews.remove(crew)
        is_peaceful = crew.is_told_to_stop and crew.child.process.exitcode == 0
        if not is_peaceful:
            self._on_log(logging.WARNING, how)
        for held in crew.held.values():
            self._outbox.append(
                partial(self._leases.give_back, held.task, None if is_peaceful or self._is_stopping else how)
            )
        if crew.shard.is_empty():
            self._outbox.append(lambda: self._leases.forget_shard(crew.shard.name))

    # What is said to the queue.

    async def _speak(self) -> None:
        told_at = time.monotonic()
        while True:
            try:
                while self._outbox:
                    await self._outbox[0]()
                    self._outbox.popleft()
                if time.monotonic() - told_at > PROGRESS_SECONDS:
                    told_at = time.monotonic()
                    await self._tell_progress()
            except QueueAway as error:
                self._away(error)
            await asyncio.sleep(TICK_SECONDS)

    async def _tell_progress(self) -> None:
        news = []
        for crew in self._crews:
            for held in crew.held.values():
                news += [self._news(crew, held, name, tally) for name, tally in held.moved.items()]
                held.moved.clear()
        if news:
            await self._leases.tell(news)

    @staticmethod
    def _news(crew: Crew, held: Held, portal_id: str, tally: Tally, *, has_ended: bool = False) -> News:
        return News(task=held.task, portal_id=portal_id, shard=crew.shard.name, tally=tally, has_ended=has_ended)

    def _away(self, error: QueueAway) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
            self._on_log(logging.WARNING, f"PostgreSQL is away ({error}); what there is to say waits")

    def _back(self) -> None:
        if self._away_since is not None:
            self._on_log(logging.WARNING, f"PostgreSQL is back after {time.monotonic() - self._away_since:.0f} s")
            self._away_since = None

    # The end.

    async def _take_leave(self) -> None:
        """Let the processes end, say what there is to say, bring home what there is to bring; each in its time."""
        self._crews.stop()
        await self._bench.stop()
        await self._until(lambda: not self._crews and not self._funerals)
        self._crews.kill()
        await self._until(lambda: not self._outbox or self._away_since is not None)
        if not await self._homeward.finish(GRACE_SECONDS):
            self._on_log(logging.WARNING, "not all is uploaded; the next worker in this spool folder goes on with it")
        try:
            await self._leases.leave()
        except QueueAway as error:
            self._away(error)

    @staticmethod
    async def _until(is_so: Callable[[], bool]) -> bool:
        """Wait for something, but no longer than a service's stop may take; whether it came about."""
        deadline = time.monotonic() + GRACE_SECONDS
        while not is_so():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True
