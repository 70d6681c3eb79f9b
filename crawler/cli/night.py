"""``xianzhi crawl --queue``: a night on several hosts, and how errors of a queue and a store are told."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from crawler.catalogue import Portal
from crawler.cli.ending import Ending
from crawler.cli.progress import display_for
from crawler.cli.run_report import as_data, say_report
from crawler.cli.show import Failure, people, say_json, say_line
from crawler.cli.stopping import stopped_by_signals
from crawler.fetch.options import Options
from crawler.run import RunResult
from crawler.store import StoreError

if TYPE_CHECKING:
    from crawler.queue.conducting import Conductor, Enqueued

LEAVING = "waiting no longer; the night goes on without"


def crawl_on_queue(
    groups: Sequence[tuple[Portal, ...]],
    options: Options,
    dsn: str,
    queue: str,
    store: str,
    ending: Ending,
    *,
    is_waiting: bool,
    lost_hosts: Sequence[str],
    as_json: bool,
) -> int:
    """Put a night into the queue; with *is_waiting* see it through, or those that still run. The exit code."""
    with told_in_words():
        from crawler.queue.conducting import Conductor  # noqa: PLC0415 - where packages are missing, it is told
        from crawler.queue.nights import Nights  # noqa: PLC0415
        from crawler.queue.schema import prepare  # noqa: PLC0415
        from crawler.store import open_store  # noqa: PLC0415

        prepare(dsn)
        display = display_for(people(), sum(map(len, groups)))
        nights = Nights(dsn, queue=queue)
        conductor = Conductor(
            options,
            dsn=dsn,
            nights=nights,
            store=open_store(store),
            on_progress=display.progress,
            on_log=display.log,
        )
        for host in lost_hosts:
            try:
                say_line(logging.INFO, f"{host}: {nights.lose_host(host)} pages are asked for again")
            except ValueError as error:
                raise click.BadParameter(str(error), param_hint="--lost-host") from None
        for result in conductor.catch_up():
            ending(as_data(result))
        enqueued = conductor.enqueue(groups)
        say_enqueued(enqueued, as_json=as_json and not is_waiting)
        if not is_waiting:
            return 0 if enqueued.run_id else 3
        with stopped_by_signals(conductor.stop, lambda: display.log(logging.WARNING, LEAVING)), display:
            results = see_through(conductor, [enqueued.run_id] if enqueued.run_id else nights.running())
        for result in results:
            say_report(people(), result, options)
        if as_json and results:
            say_json(as_data(results[-1]))
        for result in results:
            ending(as_data(result))
        return max((result.exit_code for result in results), default=130)


def see_through(conductor: "Conductor", run_ids: Sequence[str]) -> list[RunResult]:
    """What came of nights; none of those that were not waited for to the end."""
    results = []
    for run_id in run_ids:
        night = conductor.wait(run_id)
        if night.is_through:
            results.append(conductor.bring_home(run_id, night))
    return results


def say_enqueued(enqueued: "Enqueued", *, as_json: bool) -> None:
    """What is in the queue now, and what an earlier night still has."""
    portals = [portal.id for group in enqueued.groups for portal in group]
    refused = [portal.id for portal in enqueued.refused]
    if refused:
        say_line(logging.WARNING, f"not put into the queue, as an earlier night still has them: {', '.join(refused)}")
    if enqueued.run_id:
        words = f"run {enqueued.run_id}: {len(portals)} portals in {len(enqueued.groups)} tasks"
        say_line(logging.INFO, words, run=enqueued.run_id)
    if as_json:
        say_json({"run": enqueued.run_id, "portals": portals, "refused": refused})


@contextmanager
def told_in_words() -> Iterator[None]:
    """Let what a queue or a store cannot do be one line and exit code 1."""
    try:
        import psycopg  # noqa: PLC0415
        from procrastinate.exceptions import ConnectorException  # noqa: PLC0415

        from crawler.queue.line import QueueAway  # noqa: PLC0415
        from crawler.queue.nights import UnknownNightError  # noqa: PLC0415
    except ImportError as error:
        raise Failure(f"{error}; crawls on several hosts need xianzhi[distributed]") from error
    try:
        yield
    except (psycopg.Error, QueueAway) as error:
        raise Failure(f"PostgreSQL: {' '.join(str(error).split())}") from error
    except (ConnectorException, ExceptionGroup) as error:
        refusal = _refusal(error, psycopg.Error)
        if refusal is None:
            raise
        raise Failure(f"PostgreSQL: {' '.join(str(refusal).split())}") from error
    except UnknownNightError as error:
        raise Failure(str(error)) from error
    except StoreError as error:
        raise Failure(f"store: {error}") from error


def _refusal(error: BaseException | None, kind: type[Exception]) -> BaseException | None:
    """The error of *kind* that *error* is, was raised from, or is a group of; None where it is about something else."""
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, (_refusal(one, kind) for one in error.exceptions)), None)
    return error if error is None or isinstance(error, kind) else _refusal(error.__cause__, kind)
