"""A small, fast HTTP server on loopback for measuring: one process, keep-alive, nothing to configure.

python bench/server.py PORTALS ARTICLES     prints a line with its base URLs and serves until its input ends
"""

import asyncio
import json
import sys

from generated import GeneratedPortal


class Http(asyncio.Protocol):
    def __init__(self, portal: GeneratedPortal) -> None:
        self._portal = portal
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            body = self._portal.respond(head.split(b" ", 2)[1].decode("latin-1"))
            status = b"200 OK" if body is not None else b"404 Not Found"
            body = body or b"gone"
            self._transport.write(
                b"HTTP/1.1 " + status + b"\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )


async def main(portals: int, articles: int) -> None:
    loop = asyncio.get_running_loop()
    urls = []
    for number in range(portals):
        portal = GeneratedPortal(seed=number + 1, articles=articles)
        server = await loop.create_server(lambda portal=portal: Http(portal), f"127.0.20.{number + 1}", 0)
        urls.append("http://{}:{}".format(*server.sockets[0].getsockname()[:2]))
    print(json.dumps(urls), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
