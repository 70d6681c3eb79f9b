"""A command that is told to stop ends cleanly; told twice, at once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stopped_by_signals(stop: Callable[[], None], say: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C or SIGTERM call *say* and *stop*; a second one ends the process, which the archive stands."""

    def interrupt(signum: int, frame: FrameType | None) -> None:
        say()
        stop()
        signal.signal(signum, signal.SIG_DFL)

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
