"""``xianzhi report``: the health of every portal."""

import dataclasses
from pathlib import Path

import click

from crawler.archive.connection import open_archive
from crawler.archive.queries import PortalReport
from crawler.archive.queries import report as read_report
from crawler.cli.options import db_option, json_option
from crawler.cli.show import output, say_json, status_text, table

COLUMNS = (
    "portal",
    "name",
    "status",
    "last success",
    "articles",
    "newest",
    "new",
    "changed",
    "failed",
    "gaps",
    "reason",
)
NUMBERS = frozenset({"articles", "new", "changed", "failed"})
GAPS_SHOWN = 3


@click.command(
    epilog="""\b
Examples:
  xianzhi report
  xianzhi report --db archive.db --json | jq '.[] | select(.status != "ok")'
Exit codes: 0 every portal's last run was well, 1 a portal's was not, 2 the archive cannot be used."""
)
@click.option("--run", "run_id", metavar="ID", help="Of one run instead of each portal's last one.")
@db_option
@json_option
def report(run_id: str | None, db: Path, as_json: bool) -> None:
    """Show each portal's last run, last success, yield, and the months without an article."""
    connection = open_archive(db, readonly=True)
    try:
        lines = read_report(connection, run_id)
    finally:
        connection.close()
    if run_id and not lines:
        raise click.UsageError(f"no such run: {run_id} (the table runs has the ids)")
    if as_json:
        say_json([dataclasses.asdict(line) for line in lines])
    else:
        output().print(table(f"Portals in {db}", COLUMNS, map(row, lines), numbers=NUMBERS))
    raise click.exceptions.Exit(0 if all(line.status in {None, "ok"} for line in lines) else 1)


def row(line: PortalReport) -> tuple[object, ...]:
    """A portal's line; of many gaps the first few and their number."""
    more = f" … {len(line.gaps)} months" if len(line.gaps) > GAPS_SHOWN else ""
    return (
        line.portal_id,
        line.name,
        status_text(line.status or "never"),
        line.last_success,
        line.articles,
        (line.newest or "")[:10],
        line.new,
        line.changed,
        line.failed,
        ", ".join(line.gaps[:GAPS_SHOWN]) + more,
        line.reason,
    )
