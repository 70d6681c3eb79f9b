"""``xianzhi merge``: bring home what workers on other hosts stored."""

import dataclasses
import logging
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from crawler.cli.counting import counting
from crawler.cli.options import db_option, json_option, log_format_option, warc_option
from crawler.cli.show import Failure, output, people, plain, say_json, say_line
from crawler.merging import Brought, bring_home, found
from crawler.operating.logs import is_json
from crawler.store import StoreError, open_store

SHOWN = 10
"""WARC files that are named; ``--json`` has all of them."""


@click.command(
    epilog="""\b
Examples:
  xianzhi merge /media/usb/xianzhi-shard-3-20260301020000-1.db
  xianzhi merge /srv/spool                           every shard in a folder and below
  xianzhi merge --store s3://bucket/archive          every shard in the store that was not merged yet
A shard may be merged any number of times, and shards in any order.
Exit codes: 0 all merged, 1 a shard is damaged or could not be merged (the others were), or the store
cannot be reached, 2 wrong usage, or the archive cannot be used, 3 a run works on this archive, 130 interrupted."""
)
@click.argument("shards", metavar="[SHARD]...", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--store", "url", metavar="URL", help="Where workers put shards: s3://BUCKET/PREFIX, or a folder.")
@db_option
@warc_option
@log_format_option
@json_option
def merge(shards: tuple[Path, ...], url: str | None, db: Path, warc: Path | None, as_json: bool) -> None:
    """Bring SHARDs, which workers of a distributed crawl wrote, into the archive.

    Their WARC files, where they lie beside them, are moved into the WARC folder; those in a store stay there. Then the
    index is completed, reprints are found across shards, and what else takes the whole archive to know.
    """
    paths = found(shards)
    if not paths and url is None:
        raise click.UsageError("name a shard, a folder that has some, or a --store")
    console = people()
    try:
        with counting() as progress:
            brought = bring_home(
                paths,
                db=db,
                warc=warc or db.with_name("warc"),
                store=open_store(url) if url else None,
                on_progress=progress,
                on_log=lambda level, text: _say_log(console, level, text),
            )
    except KeyboardInterrupt:
        click.echo("xianzhi: interrupted; what was merged stays, the same command brings the rest", err=True)
        sys.exit(130)
    except (OSError, StoreError) as error:
        raise Failure(f"{error}; what was merged stays") from error
    for line in brought.failures:
        _say_log(console, logging.WARNING, line)
    if as_json:
        say_json(as_data(brought))
    else:
        say(output(), brought)
    sys.exit(brought.exit_code)


def say(console: Console, brought: Brought) -> None:
    """A line a shard, and what became of the WARC files."""
    for shard in brought.shards:
        what = (
            "was merged before"
            if shard.was_known
            else f"{shard.articles:,} new articles, {shard.versions:,} versions, {shard.captures:,} captures"
        )
        console.print(plain(f"{shard.name}: {what}"), markup=False, soft_wrap=True)
    if brought.moved:
        console.print(f"{len(brought.moved):,} WARC files moved into the archive's folder", markup=False)
    if brought.elsewhere:
        named = ", ".join(brought.elsewhere[:SHOWN]) + (" …" if len(brought.elsewhere) > SHOWN else "")
        console.print(
            plain(f"{len(brought.elsewhere):,} WARC files are not at hand: {named}"), markup=False, soft_wrap=True
        )
    console.print(
        f"{len(brought.shards):,} shards merged, {len(brought.failures):,} not, in {brought.seconds:.1f} s",
        markup=False,
    )


def as_data(brought: Brought) -> dict[str, Any]:
    """The result for scripts."""
    return {
        "shards": [dataclasses.asdict(shard) for shard in brought.shards],
        "failures": brought.failures,
        "moved": brought.moved,
        "elsewhere": brought.elsewhere,
        "seconds": round(brought.seconds, 3),
    }


def _say_log(console: Console, level: int, text: str) -> None:
    if is_json():
        say_line(level, text)
    elif level >= logging.INFO:
        style = "yellow" if level >= logging.WARNING else None
        console.print(plain(text), style=style, markup=False, soft_wrap=True)
