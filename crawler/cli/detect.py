"""``xianzhi portals detect URL``: a homepage looked at, and a catalogue entry proposed."""

import sys
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.text import Text
from scrapy.crawler import AsyncCrawlerProcess

from crawler.catalogue import Portal
from crawler.catalogue.checks import WrongError, url
from crawler.cli.crawl import checked_networks
from crawler.cli.options import json_option, live_options
from crawler.cli.show import people, plain, say_json, table
from crawler.detection import entry
from crawler.detection.survey import Survey, survey
from crawler.detection.visits import make_visits
from crawler.fetch.visitor import NotHad, visit

COLUMNS = ("column", "articles", "dated", "newest", "pager", "url")
RUNNERS_UP = 3


def _address(_context: click.Context, _parameter: click.Parameter, value: Any) -> Any:
    """Check one web address, or several; one without a scheme is meant as https."""
    if isinstance(value, tuple):
        return tuple(_address(_context, _parameter, each) for each in value)
    try:
        checked: str = url(value if "://" in value else f"https://{value}")
    except WrongError as error:
        raise click.BadParameter(plain(error)) from None
    return checked if "/" in checked.partition("://")[2] else f"{checked}/"


@click.command(
    epilog="""\b
Examples:
  xianzhi portals detect https://www.snqianxian.gov.cn/
  xianzhi portals detect www.snqianxian.gov.cn >> portals/61-shaanxi.toml
  xianzhi portals detect https://www.x.gov.cn/ --list https://www.x.gov.cn/xwzx/
  xianzhi portals detect https://www.x.gov.cn/ --json | jq .guesses
Exit codes: 0 an entry was proposed, 1 the portal cannot be read, 2 wrong usage, 130 interrupted."""
)
@click.argument("homepage", metavar="URL", callback=_address)
@click.option(
    "--list",
    "lists",
    metavar="URL",
    multiple=True,
    callback=_address,
    help="A news list to look at instead of the columns that the homepage links to; repeatable.",
)
@live_options
@json_option
def detect(
    *, homepage: str, lists: tuple[str, ...], networks: tuple[str, ...], delay: float | None, as_json: bool
) -> None:
    """Look at a portal's homepage and its news columns, and propose a catalogue entry.

    Names the CMS family with its reasons, counts articles, tries the pager. Asks politely, a page a second, and
    archives nothing. The entry goes to standard output, everything else to standard error.
    """
    console = people()
    found = _look(console, homepage, lists, checked_networks(networks), delay)
    toml = entry.as_toml(found, plain=plain)
    if as_json:
        say_json(as_data(found, toml))
    else:
        print_findings(console, found)
    if toml is None:
        problems = "; ".join(f"{plain(each.url)}: {plain(each.problem)}" for each in found.lists if each.problem)
        what = problems or "no dated articles on them" if found.lists else "no link is called like one"
        console.print(f"no news list found ({what}); name one with --list URL", style="red", markup=False)
        sys.exit(1)
    if not as_json:
        click.echo(toml)


def _look(
    console: Console, homepage: str, lists: tuple[str, ...], networks: tuple[str, ...], delay: float | None
) -> Survey:
    """Visit the portal; ends the command where that cannot be done."""
    portal = Portal(id="detect", name=homepage, division="", homepage=homepage)
    found: list[Survey] = []
    failures: list[str] = []

    def tell(line: str) -> None:
        console.print(plain(line), style="dim", markup=False)

    async def look(process: AsyncCrawlerProcess) -> None:
        try:
            found.append(await visit(process, lambda visitor: survey(visitor, homepage, lists, tell=tell), portal))
        except NotHad as error:
            failures.append(str(error))

    if not make_visits([[look]], allow_networks=networks, delay=delay):
        sys.exit(130)
    if failures:
        console.print(plain(failures[0]), style="red", markup=False)
        sys.exit(1)
    return found[0]


def print_findings(console: Console, found: Survey) -> None:
    """What was found, for people."""
    for rank, guess in enumerate(found.guesses[: 1 + RUNNERS_UP]):
        style = "bold" if rank == 0 else "dim"
        words = f"{'family' if rank == 0 else 'or'} {guess.family} ({guess.score:.1f}): " + "; ".join(guess.reasons)
        console.print(plain(words), style=style, markup=False)
    rows = [
        (each.name, each.articles, each.dated, each.newest, Text(plain(each.problem), style="red") if each.problem
         else each.pager, each.url)
        for each in found.lists
    ]  # fmt: skip
    console.print(table("Columns", COLUMNS, rows, numbers=frozenset({"articles", "dated"})))
    place = entry.place_of(found.identity)
    where = f"{' '.join(place.names)} {place.code}, by {place.basis}" if place else "not told by any page"
    console.print(f"site: {plain(entry.name_of(found.identity, found.homepage))}", markup=False)
    console.print(f"division: {plain(where)}", markup=False)
    for kind, urls in (("feed", found.feeds), ("sitemap", found.sitemaps)):
        for address in urls:
            console.print(f"{kind}: {plain(address)}", markup=False)


def as_data(found: Survey, toml: str | None) -> dict[str, Any]:
    """What was found, for scripts."""
    place = entry.place_of(found.identity)
    return {
        "homepage": found.homepage,
        "family": found.family,
        "guesses": [asdict(guess) for guess in found.guesses],
        "site_name": found.identity.site_name,
        "site_id": found.identity.site_id,
        "division": place.code if place else None,
        "lists": [{name: value for name, value in asdict(each).items() if name != "urls"} for each in found.lists],
        "feeds": list(found.feeds),
        "sitemaps": list(found.sitemaps),
        "entry": toml,
    }
