"""Options that several commands share, and what they default to."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from crawler.fetch.options import default_db
from crawler.operating.logs import log_as_json
from crawler.room import DEFAULT, Reserve, parse

F = TypeVar("F", bound=Callable[..., Any])


class Place(click.Path):
    """A path; an empty one, which a shell makes of a variable that is not set, would be the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse what is empty."""
        if not os.fspath(value):
            self.fail("the path is empty", param, ctx)
        return super().convert(value, param, ctx)


def db_option(command: F) -> F:
    """``--db FILE``."""
    return click.option(
        "--db",
        type=Place(path_type=Path, dir_okay=False),
        default=default_db,
        show_default="archive.db beside scrapy.cfg, else here",
        help="The archive.",
    )(command)


def warc_option(command: F) -> F:
    """``--warc DIR``; None stands for ``warc/`` beside the database."""
    return click.option(
        "--warc",
        type=Place(path_type=Path, file_okay=False),
        default=None,
        show_default="warc/ beside the archive",
        help="Folder of the WARC files.",
    )(command)


def catalogue_option(command: F) -> F:
    """``--catalogue PATH``; None stands for the bundled one."""
    return click.option(
        "--catalogue",
        type=Place(path_type=Path),
        default=None,
        show_default="the bundled one",
        help="A TOML file of portals, or a folder of them.",
    )(command)


def jobs_option(command: F) -> F:
    """``--jobs N``."""
    return click.option(
        "--jobs",
        type=click.IntRange(min=1),
        default=lambda: len(os.sched_getaffinity(0)),
        show_default="the cores",
        help="Processes.",
    )(command)


def json_option(command: F) -> F:
    """``--json``."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="The result as JSON on standard output; what is for people on standard error.",
    )(command)


def delay_option(command: F) -> F:
    """``--delay SECONDS``, within the bounds that a catalogue's entry has."""

    def checked(_context: click.Context, _option: click.Parameter, value: float | None) -> float | None:
        from crawler.catalogue.checks import WrongError, seconds  # noqa: PLC0415 - --help needs no catalogue

        try:
            return None if value is None else seconds(value)
        except WrongError as error:
            raise click.BadParameter(str(error)) from None

    return click.option(
        "--delay",
        type=float,
        metavar="SECONDS",
        callback=checked,
        help="Seconds between requests to a host (default: the portal's, or 1).",
    )(command)


def live_options(command: F) -> F:
    """``--allow-network`` and ``--delay``, for what asks portals without a run."""
    for option in (
        delay_option,
        click.option(
            "--allow-network",
            "networks",
            multiple=True,
            metavar="CIDR",
            help="Allow addresses that are not public, such as 127.0.0.0/8; repeatable.",
        ),
    ):
        command = option(command)
    return command


def queue_option(*, required: bool) -> Callable[[F], F]:
    """``--queue DSN``."""

    def checked(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            from psycopg import ProgrammingError, conninfo  # noqa: PLC0415 - a package that others do not need
        except ImportError:
            return value  # which is said where the queue would be asked
        try:
            conninfo.conninfo_to_dict(value)
        except ProgrammingError as error:
            raise click.BadParameter(" ".join(str(error).split())) from None
        return value

    return click.option(
        "--queue",
        metavar="DSN",
        callback=checked,
        required=required,
        help="The queue: postgresql://user@host/database (a password from PGPASSWORD or ~/.pgpass).",
    )


def queue_name_option(command: F) -> F:
    """``--queue-name NAME``."""
    return click.option("--queue-name", default="xianzhi", show_default=True, help="One of several queues there.")(
        command
    )


def queue_options(*, required: bool) -> Callable[[F], F]:
    """``--queue``, ``--queue-name`` and ``--store``."""

    def add(command: F) -> F:
        store = click.option(
            "--store",
            metavar="URL",
            required=required,
            help="Where WARC files and shards go: s3://bucket/prefix (credentials from AWS_…), or a folder.",
        )
        return queue_option(required=required)(queue_name_option(store(command)))

    return add


def log_format_option(command: F) -> F:
    """``--log-format``; with ``json`` everything that the process logs is one object a line from then on."""

    def set_up(_context: click.Context, _option: click.Parameter, value: str) -> str:
        if value == "json":
            log_as_json()
        return value

    return click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        envvar="XIANZHI_LOG_FORMAT",
        show_envvar=True,
        callback=set_up,
        expose_value=False,
        help="Lines for people, or one JSON object a line for machines; on standard error.",
    )(command)


def min_free_option(command: F) -> F:
    """``--min-free SIZE``."""

    def parsed(_context: click.Context, _option: click.Parameter, value: str | None) -> Reserve:
        try:
            return DEFAULT if value is None else parse(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return click.option(
        "--min-free",
        "reserve",
        metavar="SIZE",
        callback=parsed,
        show_default="2GB, or 2% of a smaller disk",
        help="End cleanly where the disk has less room: 5GB, 5%; 0 looks at nothing.",
    )(command)
