"""``xianzhi work``: a worker of a crawl on several hosts."""

import asyncio
import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.crawl import checked_networks
from crawler.cli.night import told_in_words
from crawler.cli.options import Place, catalogue_option, jobs_option, log_format_option, min_free_option, queue_options
from crawler.cli.show import say_line
from crawler.fetch.options import Options
from crawler.operating import watchdog
from crawler.operating.logs import is_json
from crawler.room import Reserve
from crawler.run import PORTALS_AT_ONCE
from crawler.store import open_store

if TYPE_CHECKING:
    from crawler.operating.endpoint import WorkerFigures

SHARD_BYTES = 512 * 1024 * 1024
"""A process whose shard is larger takes no new portals."""


@click.command(
    epilog="""\b
Examples:
  xianzhi work --queue postgresql://archive@db/xianzhi --store s3://news/county --spool /var/spool/xianzhi
  xianzhi work --queue … --store … --spool … --once                       until the queue is empty
  xianzhi work --queue … --store … --spool … --nightly "30 17 * * *" --db archive.db
SIGTERM or Ctrl-C: what is on the wire is stored and uploaded, tasks are given back; a second one ends it at once,
which loses nothing either.
Exit codes: 0 all well, 1 something could not be kept, 2 wrong usage."""
)
@queue_options(required=True)
@click.option(
    "--spool",
    type=Place(path_type=Path, file_okay=False),
    required=True,
    help="Folder for what is not uploaded yet; of this worker alone, and the same when it starts again.",
)
@jobs_option
@click.option(
    "--portals-at-once",
    type=click.IntRange(min=1),
    default=PORTALS_AT_ONCE,
    show_default=True,
    help="Groups of portals a process.",
)
@click.option("--name", default=socket.gethostname, show_default="the host's", help="How the report calls this worker.")
@click.option("--once", is_flag=True, help="End when the queue is empty.")
@click.option(
    "--shard-minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=15,
    show_default=True,
    help="A process whose shard is older takes no new portals, so that the shard goes home.",
)
@click.option(
    "--nightly",
    metavar="CRON",
    help='Begin nights at these hours, in UTC ("30 17 * * *"): for a worker on the host that has the archive.',
)
@click.option("--db", type=Place(path_type=Path, dir_okay=False), help="With --nightly: the archive.")
@catalogue_option
@click.option(
    "--allow-network",
    "networks",
    multiple=True,
    metavar="CIDR",
    help="Allow addresses that are not public, such as 127.0.0.0/8; repeatable.",
)
@min_free_option
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    help="Serve figures for Prometheus there, at /metrics; 0 takes a free port.",
)
@click.option(
    "--metrics-host",
    default="127.0.0.1",
    show_default=True,
    help="Address that --metrics-port listens on.",
)
@log_format_option
def work(
    queue: str,
    queue_name: str,
    store: str,
    spool: Path,
    jobs: int,
    portals_at_once: int,
    name: str,
    once: bool,
    shard_minutes: float,
    nightly: str | None,
    db: Path | None,
    catalogue: Path | None,
    networks: tuple[str, ...],
    reserve: Reserve,
    metrics_port: int | None,
    metrics_host: str,
) -> None:
    """Take portals from the queue and crawl them, as crawl does, until told to stop.

    Any number of workers on any number of hosts share a queue; a portal is on one of them only. What is fetched goes
    to the object store, and by xianzhi merge, or crawl --wait, into the archive.
    """
    if (nightly is None) != (db is None):
        raise click.UsageError("--nightly and --db go together: a night is brought into an archive")
    options = Options(db=spool, warc=spool, allow_networks=checked_networks(networks), reserve=reserve)
    log_to_standard_error()
    with told_in_words():
        from crawler.operating.endpoint import WorkerFigures  # noqa: PLC0415
        from crawler.queue.bench import Bench  # noqa: PLC0415
        from crawler.queue.crews import Crews, Limits  # noqa: PLC0415 - where packages are missing, it is told
        from crawler.queue.homeward import Homeward  # noqa: PLC0415
        from crawler.queue.leases import Leases  # noqa: PLC0415
        from crawler.queue.nightly import Nightly  # noqa: PLC0415
        from crawler.queue.nights import Nights  # noqa: PLC0415
        from crawler.queue.schema import prepare  # noqa: PLC0415
        from crawler.queue.supervisor import Supervisor  # noqa: PLC0415

        prepare(queue)
        nights = None
        if nightly is not None:
            place = ["--queue", queue, "--queue-name", queue_name, "--store", store, "--db", str(db)]
            chosen = ["--catalogue", str(catalogue)] if catalogue else []
            logging_so = ["--log-format", "json"] if is_json() else []
            command = [sys.executable, "-m", "crawler", "crawl", *place, *chosen, *logging_so, "--wait"]
            try:
                nights = Nightly(queue, queue=queue_name, cron=nightly, command=command)
            except ValueError as error:
                raise click.BadParameter(str(error), param_hint="--nightly") from None
        limits = Limits(jobs=jobs, groups=portals_at_once, shard_seconds=60 * shard_minutes, shard_bytes=SHARD_BYTES)
        figures = WorkerFigures(spool, Nights(queue, queue=queue_name).depth)
        supervisor = Supervisor(
            dsn=queue,
            leases=Leases(queue, queue=queue_name, name=name),
            crews=Crews(limits, spool=spool),
            options=options,
            homeward=Homeward(queue, spool, open_store(store)),
            bench=Bench(jobs=jobs, spool=spool, store=store),
            nightly=nights,
            once=once,
            on_tally=figures.tell,
            on_pulse=lambda: watchdog.notify(watchdog.ALIVE),
            on_log=say_line,
        )
        with metrics(figures, host=metrics_host, port=metrics_port):
            watchdog.notify(watchdog.READY)
            code = asyncio.run(supervisor())
    sys.exit(code)


@contextmanager
def metrics(figures: "WorkerFigures", *, host: str, port: int | None) -> Iterator[None]:
    """Serve *figures*, where that was asked for, and say where."""
    with ExitStack() as stack:
        if port is not None:
            from crawler.operating.endpoint import served  # noqa: PLC0415

            try:
                taken = stack.enter_context(served(figures, host=host, port=port))
            except OSError as error:
                raise click.UsageError(f"cannot serve figures on {host}, port {port}: {error.strerror}") from error
            say_line(logging.INFO, f"figures for Prometheus at http://{host}:{taken}/metrics")
        yield


class _Lines(logging.Handler):
    """Says what the worker's own process logs as what its child processes log is said."""

    def emit(self, record: logging.LogRecord) -> None:
        say_line(record.levelno, self.format(record))


def log_to_standard_error() -> None:
    """Our own lines, and everybody's warnings; where the log is for machines, they are there."""
    if not is_json():
        logging.basicConfig(handlers=[_Lines()], level=logging.WARNING, format="%(message)s")
        logging.getLogger("crawler").setLevel(logging.INFO)
