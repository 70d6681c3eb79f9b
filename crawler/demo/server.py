"""Serving the portals on loopback, each on an address of its own, from one thread."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

from aiohttp import hdrs, web

from crawler.demo.site import Asked, Response, Site

HOSTS = tuple(f"127.0.11.{number}" for number in range(1, 9))
"""Linux answers on the whole of 127.0.0.0/8: portals with different addresses are different hosts to a crawler."""
CHUNK = 1_000
"""Bytes a chunk of a chunked answer."""
MAX_OPEN = 64
"""Requests answered at the same time; more wait."""
START_SECONDS = 10.0
STOP_SECONDS = 10.0


@contextmanager
def serve(sites: Mapping[str, Site], *, hosts: tuple[str, ...] = HOSTS, port: int = 0) -> Iterator[dict[str, str]]:
    """Serve each site on one of *hosts* while the context is open; yields id → base URL (``http://127.0.11.1:41234``).

    Port 0 takes a free one for each site. ValueError for more sites than hosts; OSError where an address cannot be had.
    """
    if len(sites) > len(hosts):
        raise ValueError(f"{len(sites)} sites need as many hosts, there are {len(hosts)}")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_run, args=(loop,), name="demo-portals", daemon=True)
    thread.start()
    runners: list[web.ServerRunner] = []
    try:
        started = asyncio.run_coroutine_threadsafe(_start(sites, hosts, port, runners), loop)
        yield started.result(START_SECONDS)
    finally:
        try:
            asyncio.run_coroutine_threadsafe(_stop(runners), loop).result(STOP_SECONDS)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(STOP_SECONDS)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


async def _start(
    sites: Mapping[str, Site], hosts: tuple[str, ...], port: int, runners: list[web.ServerRunner]
) -> dict[str, str]:
    """Open the sites; *runners* takes each as soon as it has to be closed again."""
    urls = {}
    slots = asyncio.Semaphore(MAX_OPEN)
    for (name, site), host in zip(sites.items(), hosts, strict=False):
        runner = web.ServerRunner(web.Server(_handler(site, slots), access_log=None), shutdown_timeout=1.0)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        urls[name] = f"http://{host}:{runner.addresses[0][1]}"
    return urls


async def _stop(runners: list[web.ServerRunner]) -> None:
    for runner in runners:
        await runner.cleanup()


def _handler(site: Site, slots: asyncio.Semaphore) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        asked = Asked(
            method=request.method,
            path=request.rel_url.path,
            query=request.rel_url.raw_query_string,
            headers=request.headers,
            body=(await request.read()).decode("utf-8", "replace"),
        )
        response = site.run(asked)
        if response is None and request.method not in {hdrs.METH_GET, hdrs.METH_HEAD}:
            return web.Response(status=405)
        response = response or site.answer(
            request.rel_url.raw_path,
            if_none_match=request.headers.get(hdrs.IF_NONE_MATCH),
            if_modified_since=request.headers.get(hdrs.IF_MODIFIED_SINCE),
        )
        async with slots:
            return await _send(request, response)

    return handle


async def _send(request: web.BaseRequest, response: Response) -> web.StreamResponse:
    if not response.chunked or request.version < (1, 1) or request.method == hdrs.METH_HEAD:
        return web.Response(status=response.status, headers=response.headers, body=response.body)
    stream = web.StreamResponse(status=response.status, headers=response.headers)
    stream.enable_chunked_encoding()
    await stream.prepare(request)
    for start in range(0, len(response.body), CHUNK):
        await stream.write(response.body[start : start + CHUNK])
    await stream.write_eof()
    return stream
