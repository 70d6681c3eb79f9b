"""The report of a run, for people, logs and scripts."""

import logging
from typing import Any

from rich.console import Console

from crawler.cli.progress import COUNTERS
from crawler.cli.show import counted, plain, say_findings, say_line, status_text, table
from crawler.fetch.options import Options
from crawler.fetch.tally import MediaTally
from crawler.operating.logs import is_json
from crawler.run import RunResult


def say_report(console: Console, result: RunResult, options: Options) -> None:
    """The report as a table for people, or as lines of a log for machines."""
    if is_json():
        log_report(result)
    else:
        print_report(console, result, options)


def log_report(result: RunResult) -> None:
    """A line a portal, one a failure that is worded, and one about the run."""
    for line in result.portals:
        portal_id = line.portal.id
        counts = " ".join(f"{name}={getattr(line.tally, name)}" for name in COUNTERS)
        words = ": ".join(filter(None, (line.status, line.reason)))
        level = logging.INFO if line.status == "ok" else logging.WARNING
        say_line(level, f"{words} ({counts})", run=result.run_id, portal=portal_id)
        for failure in (*line.tally.reasons, *line.tally.media.reasons):
            url, _, reason = failure.partition(": ")
            say_line(logging.WARNING, reason, run=result.run_id, portal=portal_id, url=url)
    for loss in result.lost:
        say_line(logging.ERROR, f"lost: {loss}", run=result.run_id)
    level = logging.INFO if result.status == "ok" else logging.WARNING
    statuses = counted(line.status for line in result.portals)
    say_line(level, f"run ended: {result.status} in {result.seconds:.1f} s ({statuses})", run=result.run_id)


def print_report(console: Console, result: RunResult, options: Options) -> None:
    """One line a portal, and what to do next."""
    rows = [
        (
            line.portal.id,
            line.portal.name,
            status_text(line.status),
            *(getattr(line.tally, name) for name in COUNTERS),
        )
        for line in result.portals
    ]
    statuses = counted(line.status for line in result.portals)
    title = f"Run {result.run_id}: {result.status} in {result.seconds:.1f} s ({statuses})"
    console.print(table(title, ("portal", "name", "status", *COUNTERS), rows, numbers=frozenset(COUNTERS)))
    say_findings(console, ((line.portal.id, line.status, line.reason) for line in result.portals))
    for loss in result.lost:
        console.print(f"lost: {plain(loss)}", style="red", markup=False)
    for line in result.portals:
        for reason in line.tally.reasons:
            if reason not in (line.reason or ""):
                console.print(f"{line.portal.id}: {plain(reason)}", style="dim", markup=False, soft_wrap=True)
        say_media(console, line.portal.id, line.tally.media)
    console.print(
        f"archive {plain(options.db)} · WARC {plain(options.warc)} · browse: xianzhi serve {plain(options.db)}",
        style="dim",
        markup=False,
        soft_wrap=True,
    )


def say_media(console: Console, portal_id: str, media: MediaTally) -> None:
    """A line about a portal's files and pictures, where any were asked for."""
    if media.answers or media.failed or media.stopped:
        words = f"{media.captured} files and pictures captured, {media.failed} failed"
        words += f", first {media.reasons[0]}" if media.reasons else ""
        words += f"; stopped: {media.stopped}" if media.stopped else ""
        console.print(f"{portal_id}: {plain(words)}", style="dim", markup=False, soft_wrap=True)


def as_data(result: RunResult) -> dict[str, Any]:
    """The report for scripts."""
    return {
        "run": result.run_id,
        "status": result.status,
        "seconds": round(result.seconds, 3),
        "lost": result.lost,
        "portals": [
            {
                "id": line.portal.id,
                "status": line.status,
                "reason": line.reason,
                **{name: getattr(line.tally, name) for name in COUNTERS},
                "received": line.tally.received,
                "failures": line.tally.reasons,
                "failed_by": dict(line.tally.failures),
                "media": {
                    "captured": line.tally.media.captured,
                    "failed": line.tally.media.failed,
                    "failures": line.tally.media.reasons,
                    "stopped": line.tally.media.stopped,
                },
            }
            for line in result.portals
        ],
    }
