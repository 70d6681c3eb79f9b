"""``xianzhi portals``: the catalogue, shown, validated and tried."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from crawler import divisions
from crawler.archive.connection import ArchiveError, open_archive
from crawler.archive.runs import families
from crawler.catalogue import FAMILIES, CatalogueError, Portal, Problem, load
from crawler.cli import LazyGroup
from crawler.cli.options import catalogue_option, db_option, json_option, live_options
from crawler.cli.show import output, say_json, table

COLUMNS = ("id", "name", "place", "division", "cms", "lists", "enabled", "homepage")
ON_SCREEN = {
    150: ("id", "name", "province", "division", "cms", "enabled", "homepage"),
    100: ("id", "name", "province", "division", "cms", "enabled"),
    0: ("id", "name", "division", "cms", "enabled"),
}
"""What a terminal of so many characters has room for, a portal on one line; the widest first."""
NO_FAMILY = "none"


def division_prefix(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Check the beginning of a division's code."""
    if value and not (value.isascii() and value.isdecimal() and len(value) <= 6):
        raise click.BadParameter(f"{value!r} begins no division's code: up to six digits, such as 61, 6104 or 610424")
    return value


@click.group(cls=LazyGroup, lazy={"detect": ("crawler.cli.detect", "detect")})
def portals() -> None:
    """Show or validate the catalogue of portals, or propose an entry for one."""


@portals.command(
    "list",
    epilog="""\b
Examples:
  xianzhi portals list                               the bundled catalogue
  xianzhi portals list --division 61                 Shaanxi; 6104 is 咸阳市 with its counties
  xianzhi portals list --cms none                    those whose family is still to be detected
  xianzhi portals list --catalogue my.toml
  xianzhi portals list --json | jq -r '.[].id'
Exit codes: 0 all well, 2 wrong usage or an invalid catalogue.""",
)
@click.option(
    "--division",
    metavar="CODE",
    default="",
    callback=division_prefix,
    help="Only where the division's code (GB/T 2260) begins so.",
)
@click.option(
    "--cms",
    metavar="NAME",
    type=click.Choice([*FAMILIES, NO_FAMILY]),
    help=f"Only this family; {NO_FAMILY}: without one.",
)
@catalogue_option
@db_option
@json_option
def list_portals(*, division: str, cms: str | None, catalogue: Path | None, db: Path, as_json: bool) -> None:
    """Show every portal with its place and its homepage.

    Where a crawl has detected a family that the catalogue does not name, the archive tells it. A terminal gets the
    columns that it has room for, a pipe all of them.
    """
    detected = detected_families(db)
    entries = [
        portal
        for portal in load(catalogue)
        if portal.division.startswith(division) and cms in {None, portal.cms or detected.get(portal.id) or NO_FAMILY}
    ]
    if as_json:
        say_json([{**as_data(portal), "detected": detected.get(portal.id)} for portal in entries])
        return
    print_portals(output(), entries, detected)


@portals.command(
    epilog="""\b
Examples:
  xianzhi portals check --catalogue my.toml
  xianzhi portals check --catalogue portals/ --json
  xianzhi portals check --live                       asks every enabled portal, politely
  xianzhi portals check --live qianxian zhouqu
Exit codes: 0 all well, 1 a portal is not as its entry says (--live), 2 wrong usage or an invalid catalogue:
every mistake is named with file, entry and key, 130 interrupted."""
)
@click.argument("portal", nargs=-1)
@click.option(
    "--live", is_flag=True, help="Ask the portals too: whether they answer, list articles, and are who we say."
)
@catalogue_option
@live_options
@json_option
def check(
    *,
    portal: tuple[str, ...],
    live: bool,
    catalogue: Path | None,
    networks: tuple[str, ...],
    delay: float | None,
    as_json: bool,
) -> None:
    """Validate a catalogue, and name every mistake in it; with --live, try its portals on the web.

    A live check asks the homepage and the first page of each list, many portals at once, one request at a time a host.
    It archives nothing. Without PORTAL it asks every enabled one.
    """
    if live:
        from crawler.cli.live import check_live  # noqa: PLC0415 - the rest needs no Scrapy

        sys.exit(check_live(load(catalogue), portal, networks=networks, delay=delay, as_json=as_json))
    if portal or networks or delay is not None:
        raise click.UsageError("portals, --allow-network and --delay belong to --live; a catalogue is validated whole")
    count = 0
    problems: tuple[Problem, ...] = ()
    try:
        count = len(load(catalogue))
    except CatalogueError as error:
        problems = error.problems
    if as_json:
        say_json({"portals": count, "problems": [asdict(problem) for problem in problems]})
    elif not problems:
        click.echo(f"{count} {'portal' if count == 1 else 'portals'}, all well")
    for problem in problems:
        click.echo(str(problem), err=True)
    sys.exit(2 if problems else 0)


def detected_families(db: Path) -> Mapping[str, str]:
    """Return the families by which an archive knows its portals, by id; none, with a word, where it cannot tell."""
    if not db.is_file():
        return {}
    try:
        connection = open_archive(db, readonly=True)
    except ArchiveError as error:
        click.echo(f"detected families are not shown: {error}", err=True)
        return {}
    try:
        return families(connection)
    finally:
        connection.close()


def print_portals(console: Console, entries: list[Portal], detected: Mapping[str, str]) -> None:
    """Show *entries* as a table, with the *detected* families of those that name none."""
    columns = columns_of(console)
    rows = [[cells_of(portal, detected.get(portal.id))[column] for column in columns] for portal in entries]
    enabled = sum(portal.enabled for portal in entries)
    title = f"{len(entries)} {'portal' if len(entries) == 1 else 'portals'}, {enabled} enabled"
    shown = table(title, columns, rows, numbers=frozenset({"lists"}))
    shown.columns[0].no_wrap = True  # an id is copied
    console.print(shown)


def columns_of(console: Console) -> tuple[str, ...]:
    """Return the columns that there is room for."""
    if not console.is_terminal:
        return COLUMNS
    return next(columns for width, columns in ON_SCREEN.items() if console.width >= width)


def cells_of(portal: Portal, detected: str | None) -> dict[str, object]:
    """Return what each column says of *portal*."""
    place = place_of(portal)
    return {
        "id": portal.id,
        "name": portal.name,
        "place": " ".join(place),
        "province": place[0],
        "division": portal.division,
        "cms": portal.cms or (f"{detected} (detected)" if detected else "to be detected"),
        "lists": len(portal.lists),
        "enabled": "yes" if portal.enabled else "no",
        "homepage": portal.homepage,
    }


def as_data(portal: Portal) -> dict[str, Any]:
    """Return *portal* as in the catalogue, with the names of its place."""
    return {**asdict(portal), "place": place_of(portal)}


def place_of(portal: Portal) -> list[str]:
    """Return the names of the province, the prefecture and the county that a portal speaks for, as far as there are."""
    place = divisions.resolve(portal.division, datetime.now(UTC).year)
    return [division.name for division in (place.province, place.prefecture, place.county) if division]
