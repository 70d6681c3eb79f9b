"""``xianzhi queue``: how a crawl on several hosts stands."""

import dataclasses
from contextlib import closing

import click
from rich.console import Console

from crawler.cli.night import told_in_words
from crawler.cli.options import json_option, queue_name_option, queue_option
from crawler.cli.show import output, plain, say_json, table


@click.group()
def queue() -> None:
    """Look at the queue of a crawl on several hosts."""


@queue.command(
    epilog="""\b
Examples:
  xianzhi queue status --queue postgresql://archive@db/xianzhi
Exit codes: 0 all well, 1 PostgreSQL does not answer, 2 wrong usage."""
)
@queue_option(required=True)
@queue_name_option
@json_option
def status(queue: str, queue_name: str, *, as_json: bool) -> None:
    """Show what waits, who is at work, and which hosts have what is not in the store yet."""
    with told_in_words():
        from crawler.archive.postgres import connect  # noqa: PLC0415 - where packages are missing, it is told
        from crawler.queue import overview  # noqa: PLC0415
        from crawler.queue.nights import Nights  # noqa: PLC0415
        from crawler.queue.schema import prepare  # noqa: PLC0415

        prepare(queue)
        nights = Nights(queue, queue=queue_name)
        tasks, running = nights.depth(), nights.running()
        with closing(connect(queue)) as conn:
            workers, hosts = overview.workers(conn), overview.hosts(conn)
    if as_json:
        at_work, away = [dataclasses.asdict(one) for one in workers], [dataclasses.asdict(one) for one in hosts]
        say_json({"tasks": tasks, "nights": running, "workers": at_work, "hosts": away})
        return
    console = output()
    say_tasks(console, tasks, running)
    rows = [(one.worker_id, one.tasks, f"{one.silent_seconds:.0f} s") for one in workers]
    console.print(table("Workers", ("worker", "portals", "silent for"), rows, numbers=frozenset({"worker", "portals"})))
    lines = [(one.name, one.shards, one.oldest, "at work" if one.is_at_work else "no worker") for one in hosts]
    columns = ("host", "shards", "oldest", "state")
    console.print(table("Not in the store yet", columns, lines, numbers=frozenset({"shards"})))


def say_tasks(console: Console, tasks: dict[str, int], nights: list[str]) -> None:
    """A line about the tasks, and one about the nights that are not home."""
    console.print(", ".join(f"{number} {name.replace('_', ' ')}" for name, number in tasks.items()), markup=False)
    console.print(f"nights that are not in the archive: {plain(', '.join(nights)) or 'none'}", markup=False)
