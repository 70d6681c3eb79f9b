"""Replaying what was archived with programs that are not ours: they have an environment of their own."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.conftest import ROOT

BIN = ROOT / ".venv" / "replay" / "bin"
needs_replay = pytest.mark.skipif(
    not (BIN / "wayback").exists(), reason="no pywb and wacz here (make test installs them into .venv/replay)"
)


def run(*command: str | Path, folder: Path, stdin: str | None = None) -> str:
    """What a program of the replay environment prints; it must end well."""
    program, *arguments = map(str, command)
    done = subprocess.run(
        [BIN / program, *arguments], cwd=folder, input=stdin, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def pywb(folder: Path) -> Iterator[str]:
    """Serve *folder* (``config.yaml``, or ``collections/``) with pywb on loopback; the address it is at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (folder / "pywb.log").open("w") as log:
        process = subprocess.Popen(
            [BIN / "wayback", "-b", "127.0.0.1", "-p", str(port)], cwd=folder, stdout=log, stderr=log
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urlopen(address, timeout=5):
                return
        except (URLError, OSError):
            assert process.poll() is None, "pywb ended"
            assert time.monotonic() < deadline, "pywb does not answer"
            time.sleep(0.1)
