"""``xianzhi portals``: the catalogue, shown and validated."""

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from crawler import divisions
from crawler.catalogue import FAMILIES, CatalogueError, Portal, Problem, load
from crawler.cli.options import catalogue_option, json_option
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


@click.group()
def portals() -> None:
    """Show or validate the catalogue of portals."""


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
@json_option
def list_portals(*, division: str, cms: str | None, catalogue: Path | None, as_json: bool) -> None:
    """Show every portal with its place and its homepage.

    A terminal gets the columns that it has room for, a pipe all of them.
    """
    entries = [
        portal
        for portal in load(catalogue)
        if portal.division.startswith(division) and cms in {None, portal.cms or NO_FAMILY}
    ]
    if as_json:
        say_json([as_data(portal) for portal in entries])
        return
    print_portals(output(), entries)


@portals.command(
    epilog="""\b
Examples:
  xianzhi portals check --catalogue my.toml
  xianzhi portals check --catalogue portals/ --json
Exit codes: 0 all well, 2 an invalid catalogue: every mistake is named with file, entry and key."""
)
@catalogue_option
@json_option
def check(*, catalogue: Path | None, as_json: bool) -> None:
    """Validate a catalogue, and name every mistake in it."""
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


def print_portals(console: Console, entries: list[Portal]) -> None:
    """Show *entries* as a table."""
    columns = columns_of(console)
    rows = [[cells[column] for column in columns] for cells in map(cells_of, entries)]
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


def cells_of(portal: Portal) -> dict[str, object]:
    """Return what each column says of *portal*."""
    place = place_of(portal)
    return {
        "id": portal.id,
        "name": portal.name,
        "place": " ".join(place),
        "province": place[0],
        "division": portal.division,
        "cms": portal.cms or "to be detected",
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
