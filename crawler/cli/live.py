"""``xianzhi portals check --live``: the catalogue's portals tried on the web, one line each as they end."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click
from scrapy.crawler import AsyncCrawlerProcess

from crawler.catalogue import Catalogue, Portal
from crawler.cli.crawl import checked_networks, chosen_ids
from crawler.cli.show import plain, say_json
from crawler.detection.health import Health, check_portal, failed
from crawler.detection.visits import Visit, make_visits
from crawler.fetch.visitor import CutOff, visit


def check_live(
    entries: Catalogue, wanted: tuple[str, ...], *, networks: tuple[str, ...], delay: float | None, as_json: bool
) -> int:
    """Try the *wanted* portals, or all enabled ones, and print what they say; the exit code."""
    chosen = chosen_ids(entries, wanted)
    groups = [[portal for portal in group if portal.id in chosen] for group in entries.groups()]
    results: list[Health] = []

    def ended(health: Health) -> None:
        results.append(health)
        click.echo(line_of(health), err=as_json)

    is_whole = make_visits(
        [[_visit(portal, ended) for portal in group] for group in groups],
        allow_networks=checked_networks(networks),
        delay=delay,
    )
    if as_json:
        say_json([as_data(health) for health in results])
    click.echo(summary(results, len(chosen)), err=as_json)
    if not is_whole:
        return 130
    return 0 if all(health.status == "ok" for health in results) else 1


def _visit(portal: Portal, ended: Callable[[Health], None]) -> Visit:
    async def check(process: AsyncCrawlerProcess) -> None:
        try:
            health = await visit(process, lambda visitor: check_portal(visitor, portal), portal)
        except CutOff:
            raise
        except Exception as error:  # a page that our own code cannot read ends no other portal's check
            health = failed(portal, f"{type(error).__name__}: {error}")
        ended(health)

    return check


def line_of(health: Health) -> str:
    """A portal's line."""
    words = f"{health.status:8}{health.portal.id:<28} {health.family:<14} {health.answered}/{health.asked} answered"
    if health.answered:
        words += f", {health.articles} articles, newest {health.newest or 'unknown'}"
    return f"{words}: {plain('; '.join(health.problems))}" if health.problems else words


def summary(results: list[Health], chosen: int) -> str:
    """The last line."""
    counts = Counter(health.status for health in results)
    parts = [f"{counts[status]} {status}" for status in ("ok", "blocked", "failed") if counts[status]]
    missing = chosen - len(results)
    return f"{chosen} {'portal' if chosen == 1 else 'portals'}: " + ", ".join(
        [*parts, *([f"{missing} not reached"] if missing else [])]
    )


def as_data(health: Health) -> dict[str, Any]:
    """A portal's line for scripts."""
    return {"id": health.portal.id, **{name: value for name, value in asdict(health).items() if name != "portal"}}
