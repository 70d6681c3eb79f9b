"""What a run's end brings about beside its report: figures for Prometheus, a command, a webhook."""

import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import click

from crawler.archive.connection import ArchiveError, open_archive
from crawler.archive.health import last_successes
from crawler.cli.options import Place
from crawler.messages import Say
from crawler.operating.ending import NotToldError, check_address, check_command, give_to_command, post

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Whom the end of a run is told, and how what went wrong with that is said; none of it changes the exit code."""

    db: Path
    metrics: Path | None
    command: str | None
    url: str | None
    say: Say

    def __call__(self, report: Mapping[str, Any]) -> None:
        """Tell of a run's *report*, as ``crawl --json`` prints it."""
        data = json.dumps(report, ensure_ascii=False).encode("utf-8", "replace")
        if self.metrics:
            self._write_metrics(self.metrics, report)
        if self.command:
            with self._unharmed("--on-end", report):
                output = give_to_command(self.command, data)
                if output:
                    self.say(logging.INFO, f"--on-end: {output}", run=report["run"])
        if self.url:
            with self._unharmed("--on-end-url", report):
                post(self.url, data)

    @contextlib.contextmanager
    def of_failure(self) -> Iterator[None]:
        """Tell also where a run could not begin, or end: its report has no portals then."""
        began = time.monotonic()
        try:
            yield
        except click.UsageError:
            raise
        except Exception as error:
            seconds = round(time.monotonic() - began, 3)
            self({"run": None, "status": "failed", "seconds": seconds, "lost": [str(error)], "portals": []})
            raise

    def _write_metrics(self, file: Path, report: Mapping[str, Any]) -> None:
        from crawler.operating import textfile  # noqa: PLC0415 - a package that others do not need

        successes = {}
        try:
            with contextlib.closing(open_archive(self.db, readonly=True)) as archive:
                successes = {name: moment.timestamp() for name, moment in last_successes(archive).items()}
        except (ArchiveError, sqlite3.Error) as error:
            self.say(logging.WARNING, f"--metrics says nothing of single portals: {error}", run=report["run"])
        with self._unharmed("--metrics", report):
            textfile.write(file, report, successes)

    @contextlib.contextmanager
    def _unharmed(self, what: str, report: Mapping[str, Any]) -> Iterator[None]:
        try:
            yield
        except (NotToldError, OSError) as error:
            self.say(logging.WARNING, f"{what}: {error}", run=report["run"])


def ending_options(command: F) -> F:
    """``--metrics``, ``--on-end`` and ``--on-end-url``."""
    for option in (
        click.option(
            "--on-end-url",
            metavar="URL",
            envvar="XIANZHI_ON_END_URL",
            show_envvar=True,
            callback=_checked(check_address),
            help="POST the report as JSON there when the run has ended.",
        ),
        click.option(
            "--on-end",
            metavar="COMMAND",
            envvar="XIANZHI_ON_END",
            show_envvar=True,
            callback=_checked(check_command),
            help="Start it when the run has ended, the report as JSON on its standard input; at most a minute.",
        ),
        click.option(
            "--metrics",
            metavar="FILE.prom",
            envvar="XIANZHI_METRICS",
            show_envvar=True,
            type=Place(path_type=Path, dir_okay=False),
            callback=_metrics,
            help="Write the run's figures for Prometheus (node_exporter's textfile collector).",
        ),
    ):
        command = option(command)
    return command


def _checked(check: Callable[[str], None]) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    def callback(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
        try:
            if value is not None:
                check(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
        return value

    return callback


def _metrics(_context: click.Context, _option: click.Parameter, file: Path | None) -> Path | None:
    if file is None:
        return None
    if find_spec("prometheus_client") is None:
        raise click.BadParameter("it needs the package prometheus-client, which xianzhi[distributed] brings")
    if file.suffix != ".prom":
        raise click.BadParameter(f"{file}: the collector reads files that end in .prom")
    if not file.absolute().parent.is_dir():
        raise click.BadParameter(f"{file.parent}: there is no such folder")
    return file
