"""The command line: thin, one file a command, each loaded only when it is called."""

import importlib
import io
import logging
import os
import sqlite3
import sys
from collections.abc import Mapping
from typing import Any

import click

COMMANDS = {
    "crawl": ("crawler.cli.crawl", "crawl"),
    "demo": ("crawler.cli.demo", "demo"),
    "export": ("crawler.cli.export", "export"),
    "extract": ("crawler.cli.extract", "extract"),
    "fold": ("crawler.cli.fold", "fold"),
    "import": ("crawler.cli.import_", "import_"),
    "merge": ("crawler.cli.merge", "merge"),
    "portals": ("crawler.cli.portals", "portals"),
    "diff": ("crawler.cli.diff", "diff"),
    "publish": ("crawler.cli.publish", "publish"),
    "queue": ("crawler.cli.queue", "queue"),
    "report": ("crawler.cli.report", "report"),
    "reprocess": ("crawler.cli.reprocess", "reprocess"),
    "schedule": ("crawler.cli.schedule", "schedule"),
    "serve": ("crawler.cli.serve", "serve"),
    "wacz": ("crawler.cli.wacz", "wacz"),
    "verify": ("crawler.cli.verify", "verify"),
    "work": ("crawler.cli.work", "work"),
    "withhold": ("crawler.cli.withhold", "withhold"),
}


DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""Primary result codes of SQLite."""


class LazyGroup(click.Group):
    """A group whose *lazy* commands are imported when they are needed: ``xianzhi --help`` stays quick."""

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name."""
        return sorted([*super().list_commands(ctx), *self._lazy])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        module, name = self._lazy[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; Ctrl-C ends also those that have nothing to bring to an end with the contract's code."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("xianzhi: interrupted", err=True)
            ctx.exit(130)


@click.command(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="First steps: xianzhi demo · then: xianzhi crawl --catalogue my.toml · then: xianzhi serve",
)
@click.version_option(package_name="xianzhi")
def cli() -> None:
    """Xianzhi 县志: an archive of Chinese county and prefecture news.

    Crawls portals every night, keeps the bytes as evidence (WARC), reads the articles, stores each paragraph once,
    and publishes the result with Datasette.
    """


def main(argv: list[str] | None = None) -> Any:
    """Entry point; answers with the contract's exit codes."""
    os.environ.setdefault("SCRAPY_SETTINGS_MODULE", "crawler.settings")
    from crawler.archive.connection import ArchiveError  # noqa: PLC0415 - quick --help
    from crawler.archive.lock import LockHeldError  # noqa: PLC0415
    from crawler.catalogue import CatalogueError  # noqa: PLC0415
    from crawler.operating import logs  # noqa: PLC0415
    from crawler.room import NoRoomError  # noqa: PLC0415
    from crawler.store import StoreError  # noqa: PLC0415

    _open_output()
    try:
        return cli(argv)
    except LockHeldError as error:
        code, message = 3, str(error)
    except (ArchiveError, CatalogueError, StoreError) as error:
        code, message = 2, str(error)
    except NoRoomError as error:
        code, message = 1, str(error)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED:
            code, message = 2, f"the archive is damaged: {error}; xianzhi verify says where, and how to repair it"
        else:
            code = 1
            message = f"the archive cannot be written: {error}; what was stored before is safe, run again after mending"
    except OSError as error:  # a full disk, a folder of somebody else's
        code, message = 1, f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
    if logs.is_json():
        logging.getLogger(__name__).error(message)
    else:
        click.echo(f"xianzhi: {message}", err=True)
    sys.exit(code)


def _open_output() -> None:
    """Let both outputs be there and take every character: a terminal may be one of GBK, a parent may close them."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - until the process ends
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
