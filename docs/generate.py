"""Writes the reference pages from the code: ``python docs/generate.py``. A test holds them to it.

``docs/commands.md`` is what ``--help`` says; ``docs/tables.md`` is what the site says of each table and column;
``docs/portals.md`` is what the bundled catalogue covers.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from crawler import divisions
from crawler.catalogue import Portal, load
from crawler.cli import cli
from crawler.divisions import Division
from crawler.publish.metadata import tables

HERE = Path(__file__).parent


def commands() -> str:
    """The page of commands: each one's help."""
    parts = ["# Commands\n\nWhat `--help` says, written by `docs/generate.py`.\n"]
    wide = {**cli.context_settings, "max_content_width": 100, "terminal_width": 100}
    context = click.Context(cli, info_name="xianzhi", **wide)
    for name, command, parent in walk(cli, context, "xianzhi"):
        command._help_option = None  # noqa: SLF001 - click keeps the names of whoever asked first in the process
        own = click.Context(command, info_name=name.rpartition(" ")[2], parent=parent, **wide)
        parts.append(f"## {name}\n\n```text\n{command.get_help(own).rstrip()}\n```\n")
    return "\n".join(parts)


def walk(group: click.Group, context: click.Context, prefix: str) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command below *group* with its full name and its parent's context."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{prefix} {name}", command, context
        if isinstance(command, click.Group):
            yield from walk(command, click.Context(command, info_name=name, parent=context), f"{prefix} {name}")


def reference() -> str:
    """The page of tables: each one with its columns."""
    parts = ["# Tables of archive.db\n\nWhat the site says of them, written by `docs/generate.py`.\n"]
    for name, table in tables().items():
        if "description" not in table:  # SQLite's own
            continue
        parts.append(f"## {name}\n\n{table['description']}\n\n| column | meaning |\n| --- | --- |")
        parts.extend(f"| `{column}` | {words} |" for column, words in table["columns"].items())
        parts.append("")
    return "\n".join(parts)


PORTALS_HEAD = """\
# The bundled catalogue

What `crawler/portals/` holds, written by `docs/generate.py`. **None of these portals was checked on the live web**:
each entry's `note` says which public source names it, and when it answered there. To check them from a machine that has
the web: `xianzhi portals check --live`. What an entry's keys mean: [catalogue.md](catalogue.md).
"""


def catalogue() -> str:
    """The page of portals: what the catalogue covers, and all of its entries."""
    portals = list(load())
    parts = [PORTALS_HEAD, "## By province\n", provinces_table(portals), "## By family\n", families_table(portals)]
    parts.append(
        "No family is named where the list's address says too little: it is left to detection.\n\n## All portals\n\n"
        "Those that are not enabled have no known list page of their own; they are crawled only when named.\n"
    )
    for province in provinces():
        parts.append(f"### {province.name}\n")
        parts.append(portals_table(portal for portal in portals if portal.division[:2] == province.code[:2]))
    return "\n".join(parts)


def provinces() -> list[Division]:
    """The provincial units that have counties in the table of divisions: 31, without Hong Kong, Macao and Taiwan."""
    with_counties = {division.code[:2] for division in divisions.rows() if division.level == 3}
    valid = (division for division in divisions.rows() if division.level == 1 and division.to_year is None)
    return [division for division in valid if division.code[:2] in with_counties]


def provinces_table(portals: list[Portal]) -> str:
    """How much of each province the catalogue covers, and of all."""
    counties = Counter(row.code[:2] for row in divisions.rows() if row.level == 3 and row.to_year is None)
    lines = []
    for province in provinces():
        prefix = province.code[:2]
        own = [portal for portal in portals if portal.division[:2] == prefix]
        lines.append(coverage_of(f"{prefix} {province.name}", own, counties[prefix]))
    lines.append(coverage_of("**all**", portals, counties.total()))
    columns = ("province", "portals", "enabled", "prefectures", "counties", "of the province's counties")
    return table_of(columns, lines, numbers=5)


def coverage_of(name: str, portals: list[Portal], counties: int) -> tuple[object, ...]:
    """A line of the table of provinces; a place that has two portals counts once. *counties*: those there are today."""
    covered = {portal.division for portal in portals}
    prefectures = sum(1 for code in covered if code.endswith("00") and not code.endswith("0000"))
    named = sum(1 for code in covered if not code.endswith("00"))
    enabled = sum(1 for portal in portals if portal.enabled)
    return name, len(portals), enabled, prefectures, named, f"{named / counties:.1%} of {counties}"


def families_table(portals: list[Portal]) -> str:
    """How many portals each family has."""
    everything = Counter(portal.cms for portal in portals)
    enabled = Counter(portal.cms for portal in portals if portal.enabled)
    lines = [(f"`{cms}`" if cms else "none named", count, enabled[cms]) for cms, count in everything.most_common()]
    return table_of(("family", "portals", "enabled"), lines, numbers=2)


def portals_table(portals: Iterable[Portal]) -> str:
    """Portals, one a line."""
    lines = [
        (f"`{p.id}`", p.name, p.division, f"`{p.cms}`" if p.cms else "", "" if p.enabled else "no", f"<{p.homepage}>")
        for p in portals
    ]
    return table_of(("id", "name", "division", "family", "enabled", "homepage"), lines)


def table_of(columns: Iterable[str], lines: Iterable[Iterable[object]], *, numbers: int = 0) -> str:
    """A table in Markdown; its last *numbers* columns stand on the right."""
    names = list(columns)
    rules = ["---"] * (len(names) - numbers) + ["---:"] * numbers
    rows = [names, rules, *lines]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows) + "\n"


PAGES = {"commands.md": commands, "tables.md": reference, "portals.md": catalogue}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (HERE / page).write_text(make(), encoding="utf-8")
