"""``xianzhi crawl``: one nightly run."""

import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from types import FrameType
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from crawler.catalogue import Catalogue, Portal, load
from crawler.cli.ending import Ending, ending_options
from crawler.cli.options import (
    catalogue_option,
    db_option,
    jobs_option,
    json_option,
    log_format_option,
    min_free_option,
    queue_options,
    warc_option,
)
from crawler.cli.show import counted, people, plain, say_findings, say_json, say_line, status_text, table
from crawler.fetch.options import Options
from crawler.fetch.tally import MediaTally, Tally
from crawler.operating.logs import is_json
from crawler.room import Reserve
from crawler.run import Run, RunResult

PLAIN_SECONDS = 30.0
"""Without a terminal, a line of progress this often."""
COUNTERS = ("fetched", "new", "changed", "unchanged", "gone", "failed")


@click.command(
    epilog="""\b
Examples:
  xianzhi crawl                                      every enabled portal of the bundled catalogue
  xianzhi crawl qianxian zhouqu                      two portals
  xianzhi crawl --catalogue my.toml --max-articles 20
  xianzhi crawl --since 2024-01-01 --json > night.json
  xianzhi crawl --queue postgresql://archive@db/xianzhi --store s3://news/county --wait
Ctrl-C ends a run cleanly; the next one goes on where it stood.
Exit codes: 0 all well, 1 a portal failed, was blocked or brought less than expected, or something
was lost, 2 wrong usage or catalogue, 3 another run works on this archive, or still has all of these portals,
130 interrupted."""
)
@click.argument("portal", nargs=-1)
@db_option
@warc_option
@catalogue_option
@jobs_option
@click.option("--max-articles", type=click.IntRange(min=1), help="Article pages a portal; the rest stays queued.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Leave out what a list dates earlier.")
@click.option("--full", is_flag=True, help="Look again at everything known that the lists still name.")
@click.option("--media", is_flag=True, help="Fetch the files and pictures of articles too.")
@click.option(
    "--delay", type=click.FloatRange(min=0), help="Seconds between requests to a host (default: the portal's, or 1)."
)
@click.option(
    "--allow-network",
    "networks",
    multiple=True,
    metavar="CIDR",
    help="Allow addresses that are not public, such as 127.0.0.0/8; repeatable.",
)
@queue_options(required=False)
@click.option("--wait", is_flag=True, help="With --queue: until the night has ended; then merge it, and report.")
@click.option(
    "--lost-host",
    "lost_hosts",
    multiple=True,
    metavar="NAME",
    help="With --queue: this worker's host is gone for good; what it had not uploaded is asked for again. Repeatable.",
)
@ending_options
@min_free_option
@log_format_option
@json_option
def crawl(
    portal: tuple[str, ...],
    db: Path,
    warc: Path | None,
    catalogue: Path | None,
    jobs: int,
    max_articles: int | None,
    since: Any,
    full: bool,
    media: bool,
    delay: float | None,
    networks: tuple[str, ...],
    queue: str | None,
    queue_name: str,
    store: str | None,
    wait: bool,
    lost_hosts: tuple[str, ...],
    metrics: Path | None,
    on_end: str | None,
    on_end_url: str | None,
    reserve: Reserve,
    as_json: bool,
) -> None:
    """Crawl the named portals, or all enabled ones: discover, fetch, archive, read, store.

    Only what is new is fetched; bytes go to WARC files, articles to the archive. With --queue the crawling is left to
    the workers (xianzhi work) of a queue.
    """
    entries = load(catalogue)
    options = Options(
        db=db,
        warc=warc or db.with_name("warc"),
        jobs=jobs,
        max_articles=max_articles,
        since=since.strftime("%Y-%m-%d") if since else None,
        full=full,
        media=media,
        delay=delay,
        allow_networks=checked_networks(networks),
        reserve=reserve,
    )
    ending = Ending(db=db, metrics=metrics, command=on_end, url=on_end_url, say=say_line)
    chosen = chosen_ids(entries, portal)
    if queue is not None:
        from crawler.cli.night import crawl_on_queue  # noqa: PLC0415 - packages that other crawls do not need

        if store is None:
            raise click.UsageError("--queue needs a --store, where the workers bring what they fetch")
        if networks:
            raise click.UsageError("--allow-network is each worker's own to say: give it to xianzhi work")
        groups = groups_of(entries, chosen)
        with ending.of_failure():
            code = crawl_on_queue(
                groups, options, queue, queue_name, store, ending,
                is_waiting=wait, lost_hosts=lost_hosts, as_json=as_json,
            )  # fmt: skip
        sys.exit(code)
    if store is not None or wait or lost_hosts:
        raise click.UsageError("--store, --wait and --lost-host go with --queue")
    with ending.of_failure():
        result = run_and_show(entries, chosen, options)
    if as_json:
        say_json(as_data(result))
    ending(as_data(result))
    sys.exit(result.exit_code)


def checked_networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    """The CIDR blocks as given; a wrong one is wrong usage."""
    for network in networks:
        try:
            ip_network(network)
        except ValueError as error:
            raise click.BadParameter(
                f"{error} (an address block looks like 10.1.0.0/16)", param_hint="--allow-network"
            ) from None
    return networks


def chosen_ids(entries: Catalogue, wanted: tuple[str, ...]) -> frozenset[str]:
    """The portals asked for, or every enabled one."""
    known = {portal.id for portal in entries.portals}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise click.UsageError(f"no such portal: {', '.join(map(plain, unknown))} (xianzhi portals list shows the ids)")
    chosen = frozenset(wanted) or frozenset(portal.id for portal in entries.portals if portal.enabled)
    if not chosen:
        raise click.UsageError("the catalogue has no enabled portal")
    return chosen


def groups_of(entries: Catalogue, chosen: frozenset[str]) -> list[tuple[Portal, ...]]:
    """The chosen portals in groups that share a host."""
    groups = [tuple(portal for portal in group if portal.id in chosen) for group in entries.groups()]
    return [group for group in groups if group]


def run_and_show(entries: Catalogue, chosen: frozenset[str], options: Options) -> RunResult:
    """Run with a progress display on a terminal, or plain lines without one, and print the report."""
    console = people()
    display = display_for(console, len(chosen))
    run = Run(groups_of(entries, chosen), options, on_progress=display.progress, on_log=display.log)
    with stopped_by_signals(run.stop, display, "stopping: what is on the wire is stored first"), display:
        result = run()
    say_report(console, result, options)
    return result


def display_for(console: Console, portals: int) -> "TerminalDisplay | LineDisplay":
    """What shows the progress of so many portals."""
    return TerminalDisplay(console, portals) if console.is_terminal and not is_json() else LineDisplay(portals)


@contextmanager
def stopped_by_signals(
    stop: Callable[[], None], display: "TerminalDisplay | LineDisplay", words: str
) -> Iterator[None]:
    """Let Ctrl-C or SIGTERM call *stop* and say *words*; a second one ends the process, which the archive stands."""

    def interrupt(signum: int, frame: FrameType | None) -> None:
        display.log(logging.WARNING, words)
        stop()
        signal.signal(signum, signal.SIG_DFL)

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class TerminalDisplay:
    """Progress for eyes: portals done, pages a second, articles."""

    def __init__(self, console: Console, portals: int) -> None:
        self._console = console
        self._began = time.monotonic()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("portals"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[counts]}"),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("crawling", total=portals, counts="")

    def __enter__(self) -> "TerminalDisplay":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def progress(self, tallies: dict[str, Tally], ended: int) -> None:
        """Draw the sums."""
        pages = sum(tally.fetched for tally in tallies.values())
        rate = pages / max(time.monotonic() - self._began, 0.1)
        counts = " · ".join(
            f"{name} {sum(getattr(t, name) for t in tallies.values())}" for name in ("new", "changed", "failed")
        )
        self._progress.update(self._task, completed=ended, counts=f"{pages} pages · {rate:.1f} pages/s · {counts}")

    def log(self, level: int, text: str, /, **_about: str | None) -> None:
        """Warnings stand above the bar."""
        if level >= logging.WARNING:
            self._progress.console.print(plain(text), style="yellow", markup=False)


class LineDisplay:
    """Progress for logs: one line a portal that ended, one every half minute."""

    def __init__(self, portals: int) -> None:
        self._portals = portals
        self._told = 0
        self._next = time.monotonic() + PLAIN_SECONDS

    def __enter__(self) -> "LineDisplay":
        self.log(logging.INFO, f"crawling {self._portals} portals")
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to tidy."""

    def progress(self, tallies: dict[str, Tally], ended: int) -> None:
        """A line now and then."""
        if ended > self._told or time.monotonic() >= self._next:
            self._told, self._next = ended, time.monotonic() + PLAIN_SECONDS
            sums = " ".join(f"{name}={sum(getattr(tally, name) for tally in tallies.values())}" for name in COUNTERS)
            self.log(logging.INFO, f"portals={ended}/{self._portals} {sums}")

    def log(self, level: int, text: str, /, **about: str | None) -> None:
        """Every line, with its level."""
        say_line(level, text, **about)


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
