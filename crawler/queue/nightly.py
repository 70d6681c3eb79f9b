"""Nights that the queue itself begins, by procrastinate's periodic tasks.

Any number of workers may announce the same hours: the queue takes each hour once. A night is conducted on a host that
has the archive, by the command that people use; where that dies meanwhile, the next one joins the night that runs.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import LiteralString

from croniter import croniter
from procrastinate import App
from procrastinate.manager import JobManager
from procrastinate.periodic import PeriodicDeferrer
from procrastinate.psycopg_connector import PsycopgConnector

from crawler.queue.leases import fetch
from crawler.queue.line import Line, QueueAway

NIGHT = "night"
"""procrastinate's name for the task that conducts a night."""
LOOK_SECONDS = 2.0
STOP_SECONDS = 30.0
"""How long a night that is told to stop may take to say so."""

log = logging.getLogger(__name__)


_RETURN_STRAYS: LiteralString = """
    UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL
    WHERE status = 'doing' AND task_name = %s AND worker_id = %s
"""
_FINISH: LiteralString = "DELETE FROM procrastinate_jobs WHERE id = %s AND status = 'doing' AND worker_id = %s"


class Nightly:
    """Begins nights at the hours of *cron* (``30 17 * * *``, UTC), and conducts them by *command*.

    Raises ValueError for hours that cron would not understand.
    """

    def __init__(self, dsn: str, *, queue: str, cron: str, command: Sequence[str]) -> None:
        if not croniter.is_valid(cron):
            raise ValueError(f"not a time for cron: {cron!r}")
        self._queue = f"{queue}-nights"  # from which only hosts with an archive take
        self._command = command
        self._line = Line(dsn)
        self._connector = PsycopgConnector()
        self._manager = JobManager(self._connector)
        self._app = App(connector=self._connector)
        task = self._app.task(name=NIGHT, queue=self._queue, queueing_lock=NIGHT, lock=NIGHT)(_conducted_elsewhere)
        self._app.periodic_registry.register_task(task, cron=cron, periodic_id=self._queue, configure_kwargs={})

    async def keep_on(self, worker_id: Callable[[], int]) -> None:
        """Announce and conduct until cancelled, as the worker that *worker_id* says we are."""
        await self._connector.open_async(self._line)  # type: ignore[arg-type]  # it asks for connections and no more
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._announce())
                group.create_task(self._conduct(worker_id))
        finally:
            await self._line.close()

    async def _announce(self) -> None:
        deferrer = PeriodicDeferrer(self._app.periodic_registry)
        while True:
            try:
                await deferrer.worker()
            except QueueAway:
                await asyncio.sleep(LOOK_SECONDS)
                deferrer = PeriodicDeferrer(self._app.periodic_registry)  # announces hours of the last ten minutes

    async def _conduct(self, worker_id: Callable[[], int]) -> None:
        is_shaken = False
        while True:
            try:
                if is_shaken:
                    await self._ask(_RETURN_STRAYS, NIGHT, worker_id())  # the answer was lost on the way
                job = await fetch(self._manager, self._queue, worker_id())
                is_shaken = False
                if job is not None:
                    await self._run()
                    await self._ask(_FINISH, job.id, worker_id())
            except QueueAway:
                is_shaken = True  # said by the worker's own line
            await asyncio.sleep(LOOK_SECONDS)

    async def _ask(self, statement: LiteralString, *values: object) -> None:
        async with self._line.connection() as conn:
            await conn.execute(statement, values)

    async def _run(self) -> None:
        log.info("a night begins")
        process = await asyncio.create_subprocess_exec(*self._command, stdin=asyncio.subprocess.DEVNULL)
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            process.terminate()
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
            raise
        log.log(logging.INFO if code == 0 else logging.WARNING, "the night has ended with exit code %s", code)


def _conducted_elsewhere(timestamp: int) -> None:
    """What procrastinate's own worker would run; ours takes the task and conducts the night."""
    raise NotImplementedError
