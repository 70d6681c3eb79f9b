"""An S3 server on loopback (moto's, a process of its own), behind a line that can be cut."""

import os
import select
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.support.replay import BIN

needs_s3 = pytest.mark.skipif(
    not (BIN / "moto_server").exists(), reason="no moto here (make test installs it into .venv/replay)"
)
_buckets = count(1)


class Line:
    """Carries connections to a port, until it is cut: then it refuses new ones and resets those that there are."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._is_open = True
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._cut_after: int | None = None
        self.carried = 0
        """Bytes towards the server so far."""
        self._start()

    def cut(self) -> None:
        """Nobody gets through any more."""
        with self._lock:
            if not self._is_open:
                return  # several connections may have reached the limit at once
            self._is_open = False
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            for pair in self._pairs:
                for end in pair:
                    end.close()
            self._pairs.clear()
        self._thread.join(10)

    def cut_after(self, size: int) -> None:
        """Cut it when *size* more bytes went to the server."""
        self._cut_after = self.carried + size

    def mend(self) -> None:
        """As before, on the same port."""
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self._cut_after = None
        self._is_open = True
        self._start()

    @property
    def is_open(self) -> bool:
        """Whether connections get through."""
        return self._is_open

    def close(self) -> None:
        """For good."""
        self.cut()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._accept, args=(self._listening,), daemon=True)
        self._thread.start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            with self._lock:
                if not self._is_open:
                    near.close()
                    far.close()
                    return
                self._pairs.append((near, far))
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        try:
            while True:
                for source in select.select([near, far], [], [])[0]:
                    data = source.recv(65_536)
                    if not data:
                        return
                    (far if source is near else near).sendall(data)
                    if source is near:
                        self.carried += len(data)
                if self._cut_after is not None and self.carried >= self._cut_after:
                    threading.Thread(target=self.cut, daemon=True).start()
                    return
        except (OSError, ValueError):
            return  # cut
        finally:
            near.close()
            far.close()


class S3:
    """A running server."""

    def __init__(self, port: int) -> None:
        self.direct = f"http://127.0.0.1:{port}"
        self.line = Line(port)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to reach it, through the line."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.line.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }

    def bucket(self) -> str:
        """The URL of a new bucket's folder."""
        name = f"bucket-{os.getpid()}-{next(_buckets)}"
        self.ask("PUT", name)
        return f"s3://{name}/archive"

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Ask the server directly, past the line and every library."""
        headers = {"Content-Type": "application/octet-stream"}  # else the server reads a form
        with urlopen(Request(f"{self.direct}/{path}", body, headers, method=method), timeout=30) as answer:
            answered: bytes = answer.read()
        return answered


@contextmanager
def serving(folder: Path) -> Iterator[S3]:
    """A server of its own; its log is in *folder*."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with ExitStack() as stack:
        log = stack.enter_context((folder / "moto.log").open("w"))
        process = subprocess.Popen(
            [BIN / "moto_server", "-H", "127.0.0.1", "-p", str(port)], cwd=folder, stdout=log, stderr=log
        )
        try:
            _wait_for(port, process)
            s3 = S3(port)
            stack.callback(s3.line.close)
            yield s3
        finally:
            process.kill()
            process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            assert process.poll() is None, "the S3 server ended"
            assert time.monotonic() < deadline, "the S3 server does not answer"
            time.sleep(0.05)
        else:
            return
