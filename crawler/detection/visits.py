"""Visits to portals outside of a run: the project's manners, and nothing archived."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings
from twisted.internet.error import ReactorNotRunning

from crawler import settings as project_settings
from crawler.fetch.visitor import CutOff

AT_ONCE = 50
"""Groups of portals that are visited side by side, as in a worker of a run."""
SETTINGS: dict[str, Any] = {
    "LOG_INSTALL_ROOT_HANDLER": False,
    "DOWNLOAD_TIMEOUT": 20,
    "RETRY_TIMES": 1,  # somebody waits for the answer
}

Visit = Callable[[AsyncCrawlerProcess], Coroutine[Any, Any, None]]


def make_visits(groups: Iterable[Sequence[Visit]], *, allow_networks: Sequence[str], delay: float | None) -> bool:
    """Make all visits: those of a group one after the other, groups side by side; True if all came to their end.

    For a process of its own: Scrapy's reactor cannot be started twice. Ctrl-C ends the visits.
    """
    settings = Settings()
    settings.setmodule(project_settings, priority="project")
    settings.setdict(
        {
            **SETTINGS,
            "DOWNLOADER_MIDDLEWARES": _without_recorder(),
            "ALLOW_NETWORKS": list(allow_networks),
            **({"DOWNLOAD_DELAY": delay} if delay is not None else {}),
        },
        priority="cmdline",
    )
    process = AsyncCrawlerProcess(settings)
    for name in ("scrapy", "twisted", "crawler"):
        logging.getLogger(name).setLevel(logging.ERROR)
    tasks: list[asyncio.Future[None]] = []
    slots = asyncio.Semaphore(AT_ONCE)

    async def run(group: Sequence[Visit]) -> None:
        async with slots:
            for visit in group:
                await visit(process)

    from twisted.internet import reactor  # noqa: PLC0415 - importing it earlier would install the wrong one

    async def main() -> None:
        try:
            await asyncio.gather(*(run(group) for group in groups))
        finally:
            with contextlib.suppress(ReactorNotRunning):  # after Ctrl-C it has stopped already
                reactor.stop()  # type: ignore[misc]

    reactor.callWhenRunning(lambda: tasks.append(asyncio.ensure_future(main())))
    process.start(stop_after_crawl=False)
    error = tasks[0].exception() if tasks and tasks[0].done() else CutOff("stopped before the end")
    if error is not None and not isinstance(error, CutOff):
        raise error
    return error is None


def _without_recorder() -> dict[str, int]:
    return {
        path: order
        for path, order in project_settings.DOWNLOADER_MIDDLEWARES.items()
        if path != "crawler.fetch.recorder.RecorderMiddleware"
    }
