"""Errands from the archive's side: they are handed out, and what workers bring back is taken in."""

import hashlib
import logging
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import LiteralString

from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from procrastinate.sync_psycopg_connector import SyncPsycopgConnector

from crawler.queue import parcels
from crawler.queue.errands import ERRAND, RESULTS, RULES, TASKS, Kind, all_errands_of, errand_args, errands_of
from crawler.queue.line import QueueAway, transaction
from crawler.store import ObjectMissingError, Store, StoreError

LOOK_SECONDS = 1.0
"""Between two looks at what has come back."""
LONELY_SECONDS = 30.0
"""After which it is said that nobody is at work."""

log = logging.getLogger(__name__)


class WithdrawnError(Exception):
    """Errands that were waited for are in the queue no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of an errand."""

    file: str
    name: str
    path: Path | None
    """The result, there until the next answer is asked for; None where there is none."""
    reason: str = ""
    """Why not."""


class Outstanding:
    """Errands of one *kind* in a queue; there is one such undertaking there at a time, and the last one counts."""

    def __init__(
        self, dsn: str, *, queue: str, store: Store, kind: Kind, on_log: Callable[[int, str], None] = log.log
    ) -> None:
        self._dsn = dsn
        self._queue, self._prefix = errands_of(queue), all_errands_of(queue)
        self._store = store
        self._kind: Kind = kind
        self._on_log = on_log
        self._batch = ""
        self._known: set[str] = set()
        """Of an interrupted undertaking: in the queue, or done."""
        self._waiting: dict[str, str] = {}
        """Errands by name, with their files."""
        self._told = ""
        self._lonely_since = time.monotonic()
        self._is_stopping = False

    def __len__(self) -> int:
        """Errands that have not come back."""
        return len(self._waiting)

    def stop(self) -> None:
        """Wait no longer: workers go on; safe to call from a signal handler."""
        self._is_stopping = True

    def is_stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._is_stopping

    def begin(self, batch: str, *, anew: bool = False) -> None:
        """Begin the undertaking *batch* (letters and digits), or go on with it unless it is to be *anew*.

        Others of its kind are withdrawn. Raises QueueAway, StoreError.
        """
        self._batch = batch
        results = {name.removeprefix(RESULTS) for name in self._store.names(f"{RESULTS}{self._kind}-")}
        with transaction(self._dsn) as conn:
            rows = conn.execute(_ERRANDS, (self._prefix, ERRAND, self._kind)).fetchall()
            kept = {
                job_id: name
                for job_id, status, name, of_batch, _ in rows
                if of_batch == batch
                and not anew
                and (status in {"todo", "doing"} or (status == "succeeded" and name in results))
            }
            conn.execute(_FORGET, ([job_id for job_id, *_ in rows if job_id not in kept],))
        self._known = set(kept.values())
        for name in results - self._known:
            self._delete(RESULTS + name)

    def hand_out(self, file: str, content: Iterable[object]) -> str:
        """Put an errand into the queue, with what it takes along; its name, another one for other content or rules.

        Raises QueueAway, StoreError, OSError.
        """
        with tempfile.TemporaryDirectory(prefix="xianzhi-") as folder:
            task = Path(folder) / "task"
            parcels.write(task, content)
            with task.open("rb") as parcel:
                digest = hashlib.file_digest(parcel, partial(hashlib.sha256, RULES.encode())).hexdigest()
            name = "-".join(filter(None, (self._kind, self._batch, f"{digest}.json.gz")))
            if name not in self._known:
                self._store.put(task, TASKS + name)
                self._enqueue(name, file)
        self._waiting[name] = file
        return name

    def answers(self) -> Iterator[Answer]:
        """What comes back, in whatever order, until all has, or `stop`.

        An answer counts as taken in when the next one is asked for, and is deleted then. What this undertaking did not
        hand out is withdrawn first. Raises WithdrawnError where a later undertaking has withdrawn it.
        """
        if not self.is_stopping():  # else not all was handed out
            self._withdraw_others()
        while self._waiting and not self.is_stopping():
            before = len(self._waiting)
            for job_id, status, name, reason in self._look():
                with tempfile.TemporaryDirectory(prefix="xianzhi-") as folder:
                    try:
                        answer = self._answer(Path(folder), status, name, reason)
                    except StoreError as error:
                        self._tell(f"the store is away ({error}); waiting for it")
                        break
                    yield answer
                del self._waiting[name]
                self._forget(job_id, name)
                if self.is_stopping():
                    return
            if len(self._waiting) == before:
                time.sleep(LOOK_SECONDS)
        if not self._waiting:
            self._sweep()

    def _enqueue(self, name: str, file: str) -> None:
        job = Job(
            queue=self._queue,
            task_name=ERRAND,
            lock=None,
            queueing_lock=name,
            task_kwargs=dict(errand_args(self._kind, self._batch, name, file)),
        )
        with transaction(self._dsn) as conn:
            try:
                with conn.transaction():
                    JobManager(SyncPsycopgConnector()).batch_defer_jobs([job], connection=conn)
            except AlreadyEnqueued:
                return

    def _withdraw_others(self) -> None:
        with transaction(self._dsn) as conn:
            rows = conn.execute(_ERRANDS, (self._prefix, ERRAND, self._kind)).fetchall()
            others = [job_id for job_id, _, name, *_ in rows if name not in self._waiting]
            conn.execute(_FORGET, (others,))

    def _look(self) -> list[tuple[int, str, str, str | None]]:
        """Errands of ours that have ended."""
        try:
            with transaction(self._dsn) as conn:
                rows = conn.execute(_ERRANDS, (self._prefix, ERRAND, self._kind)).fetchall()
        except QueueAway as error:
            self._tell(f"PostgreSQL is away ({error}); waiting for it")
            return []
        gone = self._waiting.keys() - {name for _, _, name, *_ in rows}
        if gone:
            raise WithdrawnError(f"{len(gone)} files are in the queue no more: another {self._kind} took its place")
        self._say_lonely({status for _, status, *_ in rows})
        return [
            (job_id, status, name, reason)
            for job_id, status, name, _, reason in rows
            if name in self._waiting and status not in {"todo", "doing"}
        ]

    def _answer(self, folder: Path, status: str, name: str, reason: str | None) -> Answer:
        file, path = self._waiting[name], None
        if status == "succeeded":
            try:
                path = self._store.fetch(RESULTS + name, folder)
            except ObjectMissingError as error:
                reason = str(error)
        return Answer(file=file, name=name, path=path, reason=reason or status)

    def _forget(self, job_id: int, name: str) -> None:
        """An answer was taken in. What cannot be deleted now is swept by a later undertaking."""
        self._delete(RESULTS + name)
        self._delete(TASKS + name)
        try:
            with transaction(self._dsn) as conn:
                conn.execute(_FORGET, ([job_id],))
        except QueueAway as error:
            self._tell(f"PostgreSQL is away ({error}); waiting for it")

    def _sweep(self) -> None:
        """Delete what earlier undertakings left, and workers that were slow to learn of their end."""
        try:
            for folder in (TASKS, RESULTS):
                for name in self._store.names(f"{folder}{self._kind}-"):
                    self._delete(name)
        except StoreError as error:
            self._tell(f"the store is away ({error}); what is left there is swept next time")

    def _delete(self, name: str) -> None:
        try:
            self._store.delete(name)
        except StoreError as error:
            self._tell(f"not deleted: {error}")

    def _say_lonely(self, states: set[str]) -> None:
        now = time.monotonic()
        if states != {"todo"}:
            self._lonely_since = now
        elif now - self._lonely_since > LONELY_SECONDS:
            self._tell("nobody reads files: no xianzhi work is there, or each is of another version or has portals")

    def _tell(self, words: str) -> None:
        """Say something, but not again and again."""
        kind = words.partition(" (")[0].partition(":")[0]
        if kind != self._told:
            self._told = kind
            self._on_log(logging.WARNING, words)


_ERRANDS: LiteralString = """
    SELECT id, status::text, args ->> 'name', args ->> 'batch', args ->> 'reason' FROM procrastinate_jobs
    WHERE starts_with(queue_name, %s) AND task_name = %s AND args ->> 'kind' = %s ORDER BY id
"""
_FORGET: LiteralString = "DELETE FROM procrastinate_jobs WHERE id = ANY(%s)"
