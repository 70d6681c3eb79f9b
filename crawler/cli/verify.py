"""``xianzhi verify``: whether the archive and its WARC files are whole and agree."""

import contextlib
import dataclasses
import sys
from collections import defaultdict
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from crawler.archive.findings import Finding
from crawler.archive.lock import RunLock
from crawler.cli.bar import Bar
from crawler.cli.errands import asking, checking_elsewhere, is_on_queue
from crawler.cli.options import db_option, jobs_option, json_option, queue_options, warc_option
from crawler.cli.show import output, people, plain, say_json
from crawler.verify.mending import finish_what_a_crash_left, mend
from crawler.verify.repairs import REPAIRS
from crawler.verify.verification import Elsewhere, Progress, Result
from crawler.verify.verification import verify as run

SHOWN = 20
"""Findings of a kind that are printed; ``--json`` has all of them."""
COUNTED = ("files", "records", "captures", "versions", "sections", "manifests")


@click.command(
    epilog="""\b
Examples:
  xianzhi verify
  xianzhi verify --db /backup/archive.db --warc /backup/warc --json > findings.json
  xianzhi verify --repair                            first finish what a crash left half done
  xianzhi verify --queue postgresql://archive@db/xianzhi       workers read what is in the store
Interrupted, it goes on where it was when it is called again.
Exit codes: 0 all is whole and agrees, 1 something is not: each finding says what, where, and how
to repair it; or the queue or the store does not answer, 2 wrong usage, or an archive that cannot
be used, 3 --repair while a run works on the archive, 130 interrupted."""
)
@db_option
@warc_option
@jobs_option
@click.option("--restart", is_flag=True, help="Do not go on with an interrupted verification: begin anew.")
@click.option(
    "--repair",
    is_flag=True,
    help="Also mend what a crash left: finish open files, give records without a row one, seal the run, index anew.",
)
@queue_options(required=False)
@json_option
def verify(
    *,
    db: Path,
    warc: Path | None,
    jobs: int,
    restart: bool,
    repair: bool,
    queue: str | None,
    queue_name: str,
    store: str | None,
    as_json: bool,
) -> None:
    """Check that the archive and its WARC files are whole, and agree byte for byte and row for row.

    Every record is read, its digests are computed anew, and two other WARC readers read every file. Every version is
    rebuilt from its paragraphs. The full-text index, references between rows, the history of states, the counts of
    runs, and the chain of manifests are checked. Nothing is written without --repair; a crawl may go on meanwhile.
    With --queue, workers (xianzhi work) read the files that are in the store and not in the folder.
    """
    warc = warc or db.with_name("warc")
    try:
        with contextlib.ExitStack() as stack:
            if repair:
                stack.enter_context(RunLock(db))
            elsewhere = None
            if is_on_queue(queue, store):
                asked = stack.enter_context(asking(queue, queue_name, store, warc, kind="verify"))
                elsewhere = checking_elsewhere(asked, db, warc, restart=restart)
            result, mended = run_and_mend(db, warc, jobs=jobs, restart=restart, repair=repair, elsewhere=elsewhere)
    except KeyboardInterrupt:
        click.echo("xianzhi: interrupted; xianzhi verify goes on from here", err=True)
        sys.exit(130)
    except BrokenProcessPool:
        click.echo(
            "xianzhi: a process was killed, perhaps for want of memory; xianzhi verify goes on from here", err=True
        )
        sys.exit(1)
    if as_json:
        say_json(as_data(result, mended))
    else:
        say(output(), result, mended)
    sys.exit(1 if result.findings else 0)


def run_and_mend(
    db: Path, warc: Path, *, jobs: int, restart: bool, repair: bool, elsewhere: Elsewhere | None = None
) -> tuple[Result, list[str]]:
    """Verify with a progress display, mending before and after where that is wanted."""
    mended = list(finish_what_a_crash_left(db, warc)) if repair else []
    with Bar(people(), "verifying") as bar:

        def progress(now: Progress) -> None:
            bar.draw(now.done, now.units, said=f"{now.bytes / 1e6:.0f} MB · {now.findings} findings")

        result = run(db=db, warc=warc, jobs=jobs, restart=restart, elsewhere=elsewhere, on_progress=progress)
    if repair and result.findings:
        result, said = mend(result, db=db, warc=warc)
        mended += said
    return result, mended


def say(console: Console, result: Result, mended: list[str]) -> None:
    """What was looked at, what was mended, and what is wrong with how to repair it."""
    for line in mended:
        console.print(Text(plain(line), style="yellow"), soft_wrap=True)
    counts = ", ".join(f"{result.counts.get(name, 0):,} {name}" for name in COUNTED)
    rate = result.bytes_now / 1e6 / max(result.seconds, 0.001)
    console.print(f"{counts} in {result.seconds:.1f} s ({rate:.0f} MB/s)", soft_wrap=True)
    if awaited := result.counts.get("awaited"):
        console.print(
            f"{awaited:,} of the files wait for their rows: shards bring them, when a night under way ends"
            " or by xianzhi merge",
            markup=False,
            soft_wrap=True,
        )
    by_kind: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in result.findings:
        by_kind[finding.kind].append(finding)
    for kind, findings in by_kind.items():
        console.print(Text(f"\n{kind}: {len(findings)}", style="bold red"))
        for finding in findings[:SHOWN]:
            console.print(Text(f"  {plain(finding.where)}: {plain(finding.what)}"), soft_wrap=True)
        if len(findings) > SHOWN:
            console.print(Text(f"  and {len(findings) - SHOWN} more (--json has all)"), soft_wrap=True)
        console.print(Text(REPAIRS[findings[0].kind], style="dim"), soft_wrap=True)
    console.print(
        Text("\nNot all is well.", style="red") if by_kind else Text("All is whole and agrees.", style="green")
    )


def as_data(result: Result, mended: list[str]) -> dict[str, Any]:
    """The result for scripts."""
    return {
        "ok": not result.findings,
        "began_at": result.began_at,
        "seconds": round(result.seconds, 3),
        "counts": result.counts,
        "mended": mended,
        "findings": [{**dataclasses.asdict(finding), "repair": REPAIRS[finding.kind]} for finding in result.findings],
    }
