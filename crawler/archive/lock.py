"""Who may write an archive: one run at a time, and none while a worker of an earlier run still lives."""

import errno
import fcntl
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from crawler.archive.connection import ArchiveError

NOT_OURS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
"""What a folder says that may not be written."""


class LockHeldError(Exception):
    """Another run works on this archive."""


class _FileLock:
    def __init__(self, path: Path, mode: int) -> None:
        self._path = path
        self._mode = mode
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        if not self._path.parent.is_dir():
            raise ArchiveError(f"{self._path.parent}: no such folder; make it, or name another one with --db")
        try:
            self._file = self._path.open("ab")
        except OSError as error:
            if error.errno not in NOT_OURS:
                raise
            reason = f"{self._path}: cannot be written: {error.strerror}"
            raise ArchiveError(f"{reason}; whoever writes an archive needs its folder, too") from error
        try:
            self.acquire(self._file)
        except BaseException:
            self._file.close()
            raise
        return self

    def acquire(self, file: IO[bytes]) -> None:
        fcntl.flock(file, self._mode)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()  # the kernel gives the lock back, also at kill -9


class WorkerMark(_FileLock):
    """Held, shared, by every worker process for as long as it lives."""

    def __init__(self, db: Path) -> None:
        super().__init__(db.with_name(db.name + ".workers"), fcntl.LOCK_SH)


class RunLock(_FileLock):
    """Held by the one run of an archive. Raises LockHeldError where another one holds it.

    Waits a few seconds for workers of a killed run: they end as soon as they see that their parent is gone.
    """

    WAIT_SECONDS = 20.0

    def __init__(self, db: Path) -> None:
        super().__init__(db.with_name(db.name + ".lock"), fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._db = db

    def acquire(self, file: IO[bytes]) -> None:
        """Take the run's lock, then make sure that no worker is left."""
        try:
            super().acquire(file)
        except BlockingIOError:
            raise LockHeldError(f"{self._db}: another run is working on this archive; wait for it to end") from None
        with self._db.with_name(self._db.name + ".workers").open("ab") as workers:
            deadline = time.monotonic() + self.WAIT_SECONDS
            while True:
                try:
                    fcntl.flock(workers, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise LockHeldError(f"{self._db}: a worker of an earlier run is still alive") from None
                    time.sleep(0.1)
                else:
                    return
