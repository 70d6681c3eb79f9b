"""``xianzhi extract`` as a process of its own, with what it cost."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The kernel counts the parent's memory into a child's ru_maxrss; VmHWM is the process's own.
_MAIN = """
import atexit, re, sys, time
from crawler.cli import main
peak = lambda: re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]
atexit.register(lambda: print(peak(), time.process_time(), file=sys.stderr))
main()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run over one page."""

    result: dict[str, Any]
    seconds: float
    """Wall time, the start of Python included."""
    cpu_seconds: float
    """The same as CPU time, which other work on the machine doesn't lengthen."""
    megabytes: float
    """Peak memory of the process."""


def extract(page: Path) -> Measured:
    """Run ``xianzhi extract`` on *page*."""
    began = time.perf_counter()
    command = [sys.executable, "-c", _MAIN, "extract", str(page), "--jobs", "1"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    seconds = time.perf_counter() - began
    assert run.returncode in {0, 1}, run.stderr
    peak, cpu_seconds = run.stderr.splitlines()[-1].split()
    return Measured(
        result=json.loads(run.stdout),
        seconds=seconds,
        cpu_seconds=float(cpu_seconds),
        megabytes=int(peak) * 1024 / 1e6,
    )
