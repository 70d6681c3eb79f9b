"""A small, fast HTTP server on loopback for measuring: one process, keep-alive, nothing to configure.

python bench/server.py PORTALS ARTICLES [SECONDS]

Prints a line with its base URLs and serves until its input ends. With SECONDS an answer takes so long, and the last
line says what each portal was asked: when, and how many requests it held at once.
"""

import asyncio
import functools
import json
import sys
import time
from dataclasses import dataclass, field

from generated import GeneratedPortal


@dataclass
class Asked:
    times: list[float] = field(default_factory=list)
    open: int = 0
    most_open: int = 0


class Http(asyncio.Protocol):
    def __init__(self, portal: GeneratedPortal, seconds: float, asked: Asked) -> None:
        self._portal = portal
        self._seconds = seconds
        self._asked = asked
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode("latin-1")
            if self._seconds:
                self._take(path)
            else:
                self._answer(path)

    def _take(self, path: str) -> None:
        self._asked.times.append(time.monotonic())
        self._asked.open += 1
        self._asked.most_open = max(self._asked.most_open, self._asked.open)
        asyncio.get_running_loop().call_later(self._seconds, self._answer_late, path)

    def _answer_late(self, path: str) -> None:
        self._asked.open -= 1
        self._answer(path)

    def _answer(self, path: str) -> None:
        body = self._portal.respond(path)
        status = b"200 OK" if body is not None else b"404 Not Found"
        body = body or b"gone"
        self._transport.write(
            b"HTTP/1.1 " + status + b"\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )


async def main(portals: int, articles: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    urls = []
    asked = [Asked() for _ in range(portals)]
    for number in range(portals):
        portal = GeneratedPortal(seed=number + 1, articles=articles)
        protocol = functools.partial(Http, portal, seconds, asked[number])
        server = await loop.create_server(protocol, f"127.0.20.{number + 1}", 0)
        urls.append("http://{}:{}".format(*server.sockets[0].getsockname()[:2]))
    print(json.dumps(urls), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    if seconds:
        print(json.dumps([(portal.times, portal.most_open) for portal in asked]), flush=True)


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 0.0))
