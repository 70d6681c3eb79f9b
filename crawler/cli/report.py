"""``xianzhi report``: the health of every portal, and those into which advertisements were injected."""

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import click
from rich.text import Text

from crawler.archive import rules
from crawler.archive.connection import open_archive
from crawler.archive.defacements import Defacement, defacements
from crawler.archive.queries import PortalReport
from crawler.archive.queries import report as read_report
from crawler.cli.options import db_option, json_option
from crawler.cli.show import counted, output, plain, say_findings, say_json, status_text, table
from crawler.version import EXTRACTOR

COLUMNS = (
    "portal",
    "name",
    "status",
    "since",
    "last success",
    "articles",
    "newest",
    "new",
    "changed",
    "failed",
    "gaps",
)
ON_SCREEN = {
    150: COLUMNS,
    125: ("portal", "status", "since", "last success", "articles", "newest", "new", "failed", "gaps"),
    0: ("portal", "status", "last success", "articles", "newest", "months lacking"),
}
"""What a terminal of so many characters has room for, a portal on one line; the widest first."""
NEVER = "never"
NUMBERS = frozenset({"months lacking", "articles", "new", "changed", "failed", "certain", "still there"})
DEFACED = ("portal", "name", "articles", "certain", "still there", "first seen", "last seen")
WIDTH_WITH_NAMES = 100
"""Characters from which a terminal has room for the names of defaced portals."""
EXAMPLE = 80
"""Characters of an injected run that are shown."""


@click.command(
    epilog="""\b
Examples:
  xianzhi report
  xianzhi report --db archive.db --json | jq '.[] | select(.status != "ok")'
  xianzhi report --defaced                           portals with injected advertisements
Exit codes: 0 every portal's last run was well, or it was blocked as its entry expects (with --defaced: always),
1 a portal's was not, 2 the archive cannot be used, or wrong usage."""
)
@click.option("--run", "run_id", metavar="ID", help="Of one run instead of each portal's last one.")
@click.option("--defaced", is_flag=True, help="Portals into whose articles advertisements were injected, instead.")
@db_option
@json_option
def report(*, run_id: str | None, defaced: bool, db: Path, as_json: bool) -> None:
    """Show each portal's last run, since when it is not well, last success, yield, and months without an article.

    Below it, what is the matter: what was expected, what came, and where to look. Times are UTC.
    """
    if run_id is not None and defaced:
        raise click.UsageError("--run and --defaced do not go together: defacements are of all runs")
    with contextlib.closing(open_archive(db, readonly=True)) as connection:
        if defaced:
            say_defaced(defacements(connection), db, as_json=as_json)
            return
        lines = read_report(connection, run_id)
        advice = rules.warning(connection, db, EXTRACTOR)
    if run_id is not None and not lines:
        raise click.UsageError(f"no such run: {run_id} (the table runs has the ids)")
    if as_json:
        say_json([dataclasses.asdict(line) for line in lines])
    else:
        say(lines, db)
        if advice:
            output().print(plain(advice), style="yellow", markup=False, soft_wrap=True)
    raise click.exceptions.Exit(0 if all(line.status in {None, "ok"} or line.is_expected for line in lines) else 1)


def say(lines: Sequence[PortalReport], db: Path) -> None:
    """Print a line a portal, and below it what is the matter with whom."""
    console = output()
    columns = next(columns for width, columns in ON_SCREEN.items() if console.width >= width)
    rows = ([cells[column] for column in columns] for cells in map(cells_of, lines))
    title = f"{plain(db)}: {counted(line.status or NEVER for line in lines) or 'no portals'}"
    console.print(table(title, columns, rows, numbers=NUMBERS))
    say_findings(console, ((line.portal_id, line.status or NEVER, line.reason) for line in lines))


def say_defaced(found: Sequence[Defacement], db: Path, *, as_json: bool) -> None:
    """Print a line a defaced portal, and below it an example of each with its address."""
    if as_json:
        say_json([dataclasses.asdict(one) for one in found])
        return
    console = output()
    rows = (
        (one.portal_id, one.name, one.articles, one.certain, one.still, one.first_seen[:10], one.last_seen[:10])
        for one in found
    )
    columns = DEFACED if console.width >= WIDTH_WITH_NAMES else tuple(name for name in DEFACED if name != "name")
    shown = ([cell for name, cell in zip(DEFACED, row, strict=True) if name in columns] for row in rows)
    title = f"{plain(db)}: {len(found) or 'no'} defaced {'portal' if len(found) == 1 else 'portals'}"
    console.print(table(title, columns, shown, numbers=NUMBERS))
    if found:
        console.print()
    for one in found:
        example = plain(one.example)
        words = f"{example[:EXAMPLE]}…" if len(example) > EXAMPLE else example
        console.print(Text.assemble((one.portal_id, "bold"), f" {words} {plain(one.url)}"), soft_wrap=True)


def cells_of(line: PortalReport) -> dict[str, object]:
    """What each column says of a portal; times are UTC."""
    return {
        "portal": line.portal_id,
        "name": line.name,
        "status": status_text(line.status or NEVER),
        "since": (line.since or "")[:10],
        "last success": (line.last_success or NEVER)[:16].replace("T", " "),
        "articles": line.articles,
        "newest": (line.newest or "")[:10],
        "new": line.new,
        "changed": line.changed,
        "failed": line.failed,
        "gaps": in_words(line.gaps),
        "months lacking": len(line.gaps) or "",
    }


def in_words(gaps: Sequence[str]) -> str:
    """How many months lack, and which were the last ones in a row: ``4 months, last 2023-12 to 2024-01``."""
    if not gaps:
        return ""
    first = last = len(gaps) - 1
    while first > 0 and is_next(gaps[first - 1], gaps[first]):
        first -= 1
    span = gaps[last] if first == last else f"{gaps[first]} to {gaps[last]}"
    return f"{len(gaps)} {'month' if len(gaps) == 1 else 'months'}, last {span}"


def is_next(month: str, following: str) -> bool:
    """Whether one month (``YYYY-MM``) comes right after another."""
    year, number = int(month[:4]), int(month[5:])
    return following == (f"{year + 1:04}-01" if number == 12 else f"{year:04}-{number + 1:02}")
