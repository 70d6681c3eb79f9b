"""A raw loopback server: sends the bytes that a test wrote down, and keeps the bytes that it heard."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from tests.support.tls import certified

Step = bytes | float | asyncio.Barrier | Literal["close", "drop", "reset"]
"""Bytes to send, seconds or other requests to wait for, or an end of the connection (``drop``: under TLS without its alert).

A script that does not end the connection keeps it alive.
"""

PATIENCE = 20.0
"""Seconds that a request waits for others."""


@dataclass(kw_only=True)
class Heard:
    """One request as it arrived, and what went back."""

    path: str
    request: bytes
    connection: int
    sent: bytearray = field(default_factory=bytearray)


class WireServer:
    """Answers each request with the steps that *script* gives for its path."""

    def __init__(
        self,
        script: Callable[[str], Sequence[Step]],
        *,
        tls: bool | ssl.SSLContext = False,
        host: str = "127.0.0.1",
    ) -> None:
        self._script = script
        self._tls = tls
        self._host = host
        self._connections = 0
        self.heard: list[Heard] = []
        self.at_once = 0
        self.most_at_once = 0

    async def __aenter__(self) -> Self:
        context = certified(self._host).context() if self._tls is True else self._tls or None
        self._server = await asyncio.start_server(self._serve, self._host, 0, ssl=context, limit=1 << 20)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    def url(self, path: str, *, host: str | None = None) -> str:
        return f"{'https' if self._tls else 'http'}://{host or self._host}:{self.port}{path}"

    def paths(self) -> list[str]:
        return [heard.path for heard in self.heard]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        connection = self._connections
        try:
            while request := await _read_request(reader):
                heard = Heard(path=request.split(b" ", 2)[1].decode(), request=request, connection=connection)
                self.heard.append(heard)
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                try:
                    if not await _play(self._script(heard.path), heard, writer):
                        return
                finally:
                    self.at_once -= 1
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client hung up, which some tests are about
        except (TimeoutError, asyncio.BrokenBarrierError):
            pass  # too few requests came at once: most_at_once tells
        finally:
            writer.close()


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = await reader.readline()
        if not line:
            return b""
        head += line
    length = next((int(row[15:]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-length:")), 0)
    return head + await reader.readexactly(length)


async def _play(steps: Sequence[Step], heard: Heard, writer: asyncio.StreamWriter) -> bool:
    """Whether the connection is still open."""
    for step in steps:
        if isinstance(step, bytes):
            writer.write(step)
            heard.sent += step
            await writer.drain()
        elif isinstance(step, float):
            await asyncio.sleep(step)
        elif isinstance(step, asyncio.Barrier):
            async with asyncio.timeout(PATIENCE):
                await step.wait()
        else:
            if step == "reset":
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            if step != "close":
                writer.transport.abort()
            return False
    return True


def page(body: bytes, *, status: str = "200 OK", headers: Sequence[str] = ()) -> bytes:
    """A plain response with a Content-Length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
