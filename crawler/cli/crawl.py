"""``xianzhi crawl``: one nightly run."""

import logging
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import click

from crawler.catalogue import Catalogue, Portal, load
from crawler.cli.ending import Ending, ending_options
from crawler.cli.options import (
    catalogue_option,
    db_option,
    delay_option,
    jobs_option,
    json_option,
    log_format_option,
    min_free_option,
    queue_options,
    warc_option,
)
from crawler.cli.progress import display_for
from crawler.cli.run_report import as_data, say_report
from crawler.cli.show import people, plain, say_json, say_line
from crawler.cli.stopping import stopped_by_signals
from crawler.fetch.options import Options
from crawler.room import Reserve
from crawler.run import Run, RunResult

STOPPING = "stopping: what is on the wire is stored first"


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
@delay_option
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
    with stopped_by_signals(run.stop, lambda: display.log(logging.WARNING, STOPPING)), display:
        result = run()
    say_report(console, result, options)
    return result
