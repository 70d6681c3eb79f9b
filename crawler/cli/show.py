"""How results look on a terminal. Every foreign string passes ``plain`` first: portals must not drive terminals."""

import codecs
import json
import logging
import os
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crawler import messages
from crawler.operating import logs

WIDE = 240
"""Columns where the output is no terminal: one line a row, for grep."""
STATUS_STYLES = {"ok": "green", "running": "cyan", "below": "yellow", "blocked": "yellow", "interrupted": "yellow"}


def plain(text: object) -> str:
    """*text* without control, format and bidirectional characters, on one line."""
    words = " ".join(str(text).split())
    return "".join(char for char in words if unicodedata.category(char)[0] != "C")


def status_text(status: str) -> Text:
    """A status in its colour."""
    return Text(status, style=STATUS_STYLES.get(status, "red"))


def say_findings(console: Console, findings: Iterable[tuple[str, str, str | None]]) -> None:
    """A line for each portal of which there is something to say: id, status, reason. Never broken: it is copied."""
    said = [finding for finding in findings if finding[2]]
    if said:
        console.print()
    for portal_id, status, reason in said:
        line = Text.assemble((portal_id, "bold"), " ", status_text(status), f": {plain(reason)}")
        console.print(line, soft_wrap=True)


def counted(statuses: Iterable[str]) -> str:
    """How many there are of each status, the most frequent first: ``140 ok, 3 below``."""
    return ", ".join(f"{number} {status}" for status, number in Counter(statuses).most_common())


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: frozenset[str]) -> Table:
    """A table whose *numbers* columns stand on the right."""
    made = Table(
        title=title, title_justify="left", title_style="bold", header_style="bold", box=None, padding=(0, 2, 0, 0)
    )
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(plain("" if cell is None else cell)) for cell in row))
    return made


def people() -> Console:
    """Where words for people go: standard error."""
    return Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDE)


def output() -> Console:
    """Where a command's own result goes: standard output."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)


def say_line(level: int, text: str, /, **about: str | None) -> None:
    """A line of the log, as ``--log-format`` says: on standard error. Where nobody reads that any more, none is."""
    if logs.is_json():
        messages.say(level, text, **about)
        return
    try:
        click.echo(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {logging.getLevelName(level)} {plain(text)}", err=True)
    except OSError:  # a night goes on without its log
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends


class Failure(click.ClickException):
    """What a command could not do, in words; exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it where and as the log is."""
        if logs.is_json():
            messages.say(logging.ERROR, self.message)
        else:
            super().show(file)


def say_json(result: Mapping[str, Any] | Sequence[Any]) -> None:
    """The result for scripts: standard output."""
    click.echo(json_text(result))


def json_text(result: Mapping[str, Any] | Sequence[Any]) -> str:
    """*result* as one line of JSON that standard output can take: in ASCII where its encoding is not UTF-8."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return json.dumps(result, ensure_ascii=codecs.lookup(encoding).name != "utf-8")
