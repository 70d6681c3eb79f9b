"""Helping processes that read and compute; what they find out is written by their parent alone."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")


def pool(jobs: int, begin: Callable[..., None] | None = None, *arguments: Any) -> ProcessPoolExecutor:
    """*jobs* new processes, each of which calls *begin* with *arguments* first; they end with their parent.

    Ctrl-C is left to the parent.
    """
    context = multiprocessing.get_context("spawn")  # a copy of the parent would share its connections
    return ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(begin, arguments))


def in_order(processes: ProcessPoolExecutor, work: Callable[[T], R], items: Iterable[T], *, ahead: int) -> Iterator[R]:
    """What *work* makes of each of *items*, in their order, the processes being *ahead* of what was taken.

    They end with it, however it ends.
    """
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(processes.submit(work, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        processes.shutdown(cancel_futures=True)


def _begin(begin: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if begin is not None:
        begin(*arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
