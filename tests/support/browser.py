"""The system's Chromium in trials: where it is missing they skip, and what it leaves behind is looked for."""

import time
from contextlib import suppress
from pathlib import Path

import pytest

from crawler.fetch.chromium import BrowserMissing, rendering_settings


def _why_not() -> str | None:
    try:
        rendering_settings()
    except BrowserMissing as missing:
        return str(missing)
    return None


WHY_NOT = _why_not()
needs_browser = pytest.mark.skipif(WHY_NOT is not None, reason=f"no browser here (make debian installs it): {WHY_NOT}")


def descendants(pid: int) -> dict[int, str]:
    """Processes below *pid*, with the names of their programs."""
    found: dict[int, str] = {}
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it ended meanwhile
            for child in map(int, children.read_text().split()):
                found |= {child: Path(f"/proc/{child}/comm").read_text().strip(), **descendants(child)}
    return found


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and was not reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_until(is_so, *, seconds: float = 20.0) -> bool:
    """Whether *is_so* became true in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
