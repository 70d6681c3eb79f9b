"""A worker process, as its parent sees it."""

import multiprocessing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Self

from crawler.fetch.options import Options

BURIAL_SECONDS = 5
"""How long a process may take to end after its pipe did."""


@dataclass(slots=True)
class Child:
    """A process and the pipe to it."""

    process: SpawnProcess
    pipe: Connection

    @classmethod
    def start(cls, options: Options, run_id: str) -> Self:
        """Start a worker for one run; it ends when it is told to stop or its pipe ends."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, options, run_id), daemon=True)
        process.start()
        theirs.close()
        return cls(process, ours)

    def send(self, message: object) -> bool:
        """Send; False where it is dead, which the end of its pipe will say, too."""
        try:
            self.pipe.send(message)
        except OSError:
            return False
        return True

    def receive(self) -> Any:
        """The next message; None where the pipe has ended."""
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            return None

    def bury(self) -> str:
        """Let go of a process whose pipe has ended; how it ended, in words."""
        self.process.join(timeout=BURIAL_SECONDS)
        self.pipe.close()
        return f"a worker died (exit code {self.process.exitcode})"

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.join()


def _work(pipe: Connection, options: Options, run_id: str) -> None:
    from crawler import worker  # noqa: PLC0415 - the parent needs no Scrapy: it starts half a second sooner

    worker.main(pipe, options, run_id)
