"""``xianzhi reprocess``: today's rules over what was archived, and what they read otherwise."""

import contextlib
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from crawler.catalogue import load
from crawler.cli.bar import Bar
from crawler.cli.errands import asking, is_on_queue, reading_elsewhere
from crawler.cli.options import catalogue_option, db_option, jobs_option, json_option, queue_options, warc_option
from crawler.cli.show import output, people, plain, say_json, table
from crawler.cli.stopping import stopped_by_signals
from crawler.reprocess.changes import Change, Summary
from crawler.reprocess.reprocessing import Elsewhere, Options, Reprocessing, Result, UnknownPortalError
from crawler.version import EXTRACTOR

COLUMNS = ("field", "changed", "filled", "emptied", "before", "after")
QUOTED = 36
"""Characters of a value that are shown on a terminal; ``--json`` has more, and more examples."""
DAY = click.DateTime(["%Y-%m-%d"])


@click.command(
    epilog="""\b
Examples:
  xianzhi reprocess --dry-run                        what would be read otherwise
  xianzhi reprocess
  xianzhi reprocess --portal qianxian --catalogue my.toml      after its entry was mended
  xianzhi reprocess --from 2024-01-01 --json > changes.json
  xianzhi reprocess --queue postgresql://archive@db/xianzhi          workers read what is in the store
Run it after an update of xianzhi, before the next crawl. Interrupted or killed, it goes on where it
was when it is called again.
Exit codes: 0 everything was read, 1 bytes could not be had (a missing WARC file), a process died, or
the queue or the store does not answer, 2 wrong usage, or an archive that cannot be used, 3 another
run works on this archive, 130 interrupted."""
)
@click.option("--portal", "portals", multiple=True, metavar="ID", help="Only of this portal; repeatable.")
@click.option("--from", "since", type=DAY, help="Only pages that were captured on this day or later (UTC).")
@click.option("--to", "until", type=DAY, help="Only pages that were captured on this day or earlier (UTC).")
@click.option("--dry-run", is_flag=True, help="Write nothing; only tell what would change.")
@click.option("--restart", is_flag=True, help="Do not go on with an interrupted one: begin anew.")
@jobs_option
@db_option
@warc_option
@catalogue_option
@queue_options(required=False)
@json_option
def reprocess(
    *,
    portals: tuple[str, ...],
    since: Any,
    until: Any,
    dry_run: bool,
    restart: bool,
    jobs: int,
    db: Path,
    warc: Path | None,
    catalogue: Path | None,
    queue: str | None,
    queue_name: str,
    store: str | None,
    as_json: bool,
) -> None:
    """Read every archived article page again by today's rules and catalogue, without the network.

    Ids stay, and nothing that was read before is changed: what is read otherwise becomes another version of the same
    capture, which names the one it replaces, and is what the article says from then on. Pages that were no articles may
    become some. A page that is read as before leaves no trace. With --queue, workers (xianzhi work) read the pages
    whose files are in the store.
    """
    options = Options(
        db=db,
        warc=warc or db.with_name("warc"),
        portals=frozenset(portals),
        since=since and since.strftime("%Y-%m-%d"),
        until=until and until.strftime("%Y-%m-%d"),
        jobs=jobs,
        dry_run=dry_run,
        restart=restart,
    )
    try:
        with contextlib.ExitStack() as stack:
            elsewhere = None
            if is_on_queue(queue, store):
                asked = stack.enter_context(asking(queue, queue_name, store, options.warc, kind="reprocess"))
                elsewhere = reading_elsewhere(asked, options.warc)
            result = run_and_show(options, catalogue, elsewhere)
    except UnknownPortalError as error:
        raise click.UsageError(plain(error)) from error
    except BrokenProcessPool:
        click.echo(
            "xianzhi: a process was killed, perhaps for want of memory; xianzhi reprocess goes on from here", err=True
        )
        sys.exit(1)
    if as_json:
        say_json(as_data(result, dry_run=dry_run))
    else:
        say(output(), result, dry_run=dry_run)
    sys.exit(1 if result.summary.counts.failed else 0 if result.is_whole else 130)


def run_and_show(options: Options, catalogue: Path | None, elsewhere: Elsewhere | None = None) -> Result:
    """Reprocess with a progress display; Ctrl-C ends it cleanly."""
    with Bar(people(), "reading") as bar:

        def progress(done: int, pages: int, summary: Summary) -> None:
            counts = summary.counts
            said = f"{counts.reread:,} read otherwise · {counts.lost:,} no article · {counts.failed:,} failed"
            bar.draw(done, pages, said=said)

        run = Reprocessing(options, load(catalogue), elsewhere=elsewhere, on_progress=progress, on_log=bar.say)
        with stopped_by_signals(run.stop, lambda: bar.say("stopping: what is read is stored first")):
            return run()


def say(console: Console, result: Result, *, dry_run: bool) -> None:
    """What was read, what is read otherwise, and examples."""
    counts, summary = result.summary.counts, result.summary
    rate = result.captures_now / max(result.seconds, 0.001)
    console.print(
        f"{counts.captures:,} captures of {counts.pages:,} pages read by {EXTRACTOR}"
        f" ({result.seconds:.1f} s, {rate:.0f} pages/s)",
        soft_wrap=True,
    )
    would = "would be" if dry_run else "are"
    for number, words in (
        (counts.reread, f"captures {would} read otherwise, each with a version of its own"),
        (counts.refreshed, f"articles {would} brought up to date beside their version"),
        (counts.edits, "edits of the portal that were not seen before"),
        (counts.articles, "pages that were no article and are one now"),
        (counts.lost, "captures that are no article any more; their versions stay"),
        (counts.failed, "captures whose bytes could not be had"),
    ):
        if number:
            console.print(f"  {number:,} {words}", soft_wrap=True)
    for failure in summary.failures:
        console.print(Text(f"  {plain(failure)}", style="red"), soft_wrap=True)
    if summary.fields:
        console.print()
        numbers = frozenset({"changed", "filled", "emptied"})
        console.print(table("what is read otherwise", COLUMNS, rows_of(summary), numbers=numbers))
    if dry_run:
        console.print("nothing was written", style="dim")
    if not result.is_whole:
        console.print("stopped; xianzhi reprocess goes on from here", style="yellow")


def rows_of(summary: Summary) -> list[tuple[object, ...]]:
    """A line a field, and one more for each further example that the screen has room for."""
    rows: list[tuple[object, ...]] = []
    for name, told in summary.as_data()["fields"].items():
        first, *others = [Change(**example) for example in told["examples"]]
        rows.append((name, told["changed"], told["filled"], told["emptied"], *_values(first)))
        rows += [("", "", "", "", *_values(example)) for example in others[:1]]
    return rows


def _values(change: Change) -> tuple[str, str]:
    before, after = (_short(value) for value in (change.before, change.after))
    return before, after


def _short(value: str | None) -> str:
    words = "–" if value is None else plain(value)
    return words if len(words) <= QUOTED else f"{words[:QUOTED]}…"


def as_data(result: Result, *, dry_run: bool) -> dict[str, Any]:
    """The result for scripts."""
    return {
        "extractor": EXTRACTOR,
        "dry_run": dry_run,
        "complete": result.is_whole,
        "seconds": round(result.seconds, 3),
        "now": {"pages": result.pages_now, "captures": result.captures_now},
        **result.summary.as_data(),
    }
