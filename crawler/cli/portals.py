"""``xianzhi portals``: the catalogue, shown and validated."""

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from crawler import divisions
from crawler.catalogue import CatalogueError, Portal, Problem, load
from crawler.cli.options import catalogue_option, json_option
from crawler.cli.show import say_json, table

COLUMNS = ("id", "name", "place", "division", "cms", "lists", "enabled", "homepage")
WIDE = 240
"""Columns where the output is no terminal: one line a portal, for grep."""


@click.group()
def portals() -> None:
    """Show or validate the catalogue of portals."""


@portals.command(
    "list",
    epilog="""\b
Examples:
  xianzhi portals list                               the bundled catalogue
  xianzhi portals list --catalogue my.toml
  xianzhi portals list --json | jq -r '.[].id'
Exit codes: 0 all well, 2 an invalid catalogue.""",
)
@catalogue_option
@json_option
def list_portals(*, catalogue: Path | None, as_json: bool) -> None:
    """Show every portal with its place and its homepage."""
    entries = load(catalogue)
    if as_json:
        say_json([as_data(portal) for portal in entries])
        return
    rows = [row_of(portal) for portal in entries]
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    console.print(table(f"{len(entries)} portals", COLUMNS, rows, numbers=frozenset({"lists"})))


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


def row_of(portal: Portal) -> tuple[object, ...]:
    """Return *portal* as a line of the table."""
    return (
        portal.id,
        portal.name,
        " ".join(place_of(portal)),
        portal.division,
        portal.cms or "to be detected",
        len(portal.lists),
        "yes" if portal.enabled else "no",
        portal.homepage,
    )


def as_data(portal: Portal) -> dict[str, Any]:
    """Return *portal* as in the catalogue, with the names of its place."""
    return {**asdict(portal), "place": place_of(portal)}


def place_of(portal: Portal) -> list[str]:
    """Return the names of the province, the prefecture and the county that a portal speaks for, as far as there are."""
    place = divisions.resolve(portal.division, datetime.now(UTC).year)
    return [division.name for division in (place.province, place.prefecture, place.county) if division]
