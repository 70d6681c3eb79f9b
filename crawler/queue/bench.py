"""A worker's side of errands: processes that read WARC files, apart from those that crawl."""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path

from crawler import processes
from crawler.queue.errands import RESULTS, TASKS, Errand
from crawler.store import ObjectDiffersError, ObjectMissingError, StoreError, open_store, point
from crawler.warc.files import IN_STORE

FOLDER = "errands"
"""In the spool, for what is read; nothing there outlives its errand."""
IDLE_SECONDS = 30.0
"""Processes that have nothing to do for so long end."""
REST_SECONDS = 10.0
"""Before the next errand is taken after the store was away, or the disk full."""
NICENESS = 10
"""Whoever crawls comes first."""


class Place:
    """A process for one errand at a time, begun when it is needed."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._pid: int | None = None

    async def run(self, errand: Errand, store: str, folder: Path) -> None:
        """Do it. Raises what `perform` does, BrokenProcessPool where the process died."""
        loop = asyncio.get_running_loop()
        if self._pool is None:
            self._pool = processes.pool(1, _stand_back)
        try:
            self._pid = await loop.run_in_executor(self._pool, os.getpid)
            await loop.run_in_executor(self._pool, perform, errand, store, folder)
        except BrokenProcessPool:
            self.end()
            raise

    def end(self) -> None:
        """Let the process go, which has nothing to do."""
        if self._pool is not None:
            self._pool.shutdown(wait=False)
        self._pool = self._pid = None

    def kill(self) -> None:
        """End the process at once."""
        if self._pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        self.end()


class Bench:
    """The errands of one worker, *jobs* at a time, each with a folder in the *spool* and a copy of its file there."""

    def __init__(self, *, jobs: int, spool: Path, store: str) -> None:
        self._free = [Place() for _ in range(jobs)]
        self._busy: dict[Errand, tuple[Place, asyncio.Task[None]]] = {}
        self._folder = spool / FOLDER
        self._store = store
        self._resting_until = self._busy_at = 0.0
        self._is_stopping = False
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def has_room(self) -> bool:
        """Whether another errand can be taken."""
        return bool(self._free) and not self._is_stopping and time.monotonic() > self._resting_until

    def held(self, holder: int) -> list[int]:
        """Ids of the errands that are being done, of those that were taken under this number."""
        return [errand.job_id for errand in self._busy if errand.holder == holder]

    def give(
        self,
        errand: Errand,
        *,
        on_done: Callable[[Errand], None],
        on_failure: Callable[[Errand, str | None, str], None],
    ) -> None:
        """Do an errand, and then call one of these, *on_failure* with what the errand is to blame for, and with words.

        Where it is not to blame, as the store was away or this worker ends, the former is None.
        """
        place = self._free.pop()

        async def do() -> None:
            blame, words = await self._do(place, errand)
            del self._busy[errand]
            self._free.append(place)
            self._busy_at = time.monotonic()
            if words:
                on_failure(errand, blame, words)
            else:
                on_done(errand)

        self._busy[errand] = place, asyncio.ensure_future(do())

    def look_after(self) -> None:
        """Let processes end that have nothing to do."""
        if not self._busy and time.monotonic() - self._busy_at > IDLE_SECONDS:
            for place in self._free:
                place.end()

    async def stop(self) -> None:
        """Give everything back at once: an errand leaves nothing half done."""
        self._is_stopping = True
        for place, _ in self._busy.values():
            place.kill()
        await asyncio.gather(*(task for _, task in self._busy.values()))
        for place in self._free:
            place.kill()

    async def _do(self, place: Place, errand: Errand) -> tuple[str | None, str]:
        """What went wrong, and in words; empty words for nothing."""
        folder = self._folder / f"{errand.holder}-{errand.job_id}"
        try:
            await place.run(errand, self._store, folder)
        except ObjectMissingError as error:
            return str(error), str(error)
        except (StoreError, OSError) as error:
            self._resting_until = time.monotonic() + REST_SECONDS
            return None, str(error)
        except BrokenProcessPool:
            died = "its process was killed, perhaps for want of memory"
            return (None, "this worker ends") if self._is_stopping else (died, died)
        except Exception as error:
            words = f"{type(error).__name__}: {error}"
            return words, words
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return None, ""


def _stand_back() -> None:
    os.nice(NICENESS)


def perform(errand: Errand, url: str, folder: Path) -> None:
    """Do an errand in this process: fetch task and file into *folder*, read, and put the result into the store.

    Raises StoreError, OSError, ParcelError.
    """
    store = open_store(url)
    if store.has(RESULTS + errand.name):
        return  # by a worker that was taken for dead before it could say so
    warc = folder / "warc"
    warc.mkdir(parents=True, exist_ok=True)
    task = store.fetch(TASKS + errand.name, folder)
    point(warc, store)
    with suppress(ObjectMissingError):  # then that is the result
        store.fetch(IN_STORE + errand.file, warc)
    result = folder / "result"
    _write_result(errand, task, warc, result)
    with suppress(ObjectDiffersError):  # another worker was sooner
        store.put(result, RESULTS + errand.name)


def _write_result(errand: Errand, task: Path, warc: Path, result: Path) -> None:
    from crawler.queue import parcels, rereading, verifying  # noqa: PLC0415 - the parent does not read: it starts sooner

    perform_kind = {"verify": verifying.perform, "reprocess": rereading.perform}[errand.kind]
    parcels.write(result, perform_kind(task, warc))
