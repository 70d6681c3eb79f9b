"""``xianzhi import``: an existing WARC collection of a portal."""

import dataclasses
import logging
import sys
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from crawler.catalogue import load
from crawler.cli.bar import PLAIN_SECONDS, Bar
from crawler.cli.options import catalogue_option, db_option, jobs_option, json_option, warc_option
from crawler.cli.show import people, plain, say_json
from crawler.importing.work import Import, Imported, Progress

SHOWN = 10
"""Lines of a kind that are printed; ``--json`` has all of them."""
COUNTS = ("stored", "known", "elsewhere", "new", "changed", "unchanged", "linked")


@click.command(
    "import",
    epilog="""\b
Examples:
  xianzhi import /data/heritrix/*.warc.gz --portal qianxian
  xianzhi import old.arc.gz --portal qianxian
  xianzhi import /media/usb/wget.warc.gz --portal qianxian --copy
What is stored already is passed over: interrupted, the same command goes on where it was.
Exit codes: 0 all well, 1 a file or a part of one could not be read, a revisit lacks its original, or
nothing in them is the portal's, 2 wrong usage, catalogue or archive, 3 another run works on this
archive, 130 interrupted.""",
)
@click.argument("files", metavar="WARC...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--portal", "portal_id", metavar="ID", required=True, help="Whose pages they are, by the catalogue's id.")
@click.option("--copy", is_flag=True, help="Copy the files into the WARC folder instead of linking them there.")
@db_option
@warc_option
@catalogue_option
@jobs_option
@json_option
def import_(
    files: tuple[Path, ...],
    portal_id: str,
    copy: bool,
    db: Path,
    warc: Path | None,
    catalogue: Path | None,
    jobs: int,
    as_json: bool,
) -> None:
    """Take what WARC and ARC files hold of a portal through the same stages as a crawl.

    A folder stands for every WARC and ARC file in it. Responses from the portal's hosts become captures, dated as they
    were archived; articles among them are stored with their history, whenever else they were seen. Files stay where
    they are and get a link in the WARC folder; those without a place for each record (compressed as a whole, ARC) are
    written anew there.
    """
    try:
        portal = load(catalogue).portal(portal_id)
    except LookupError as error:
        raise click.UsageError(str(error)) from None
    console = people()
    with Display(console) as display:
        result = Import(
            _sources(files),
            portal,
            db=db,
            warc=warc or db.with_name("warc"),
            copy=copy,
            jobs=jobs,
            on_progress=display.progress,
            on_log=display.log,
        )()
    say(console, result)
    if as_json:
        say_json(as_data(result))
    sys.exit(result.exit_code)


def _sources(named: tuple[Path, ...]) -> list[Path]:
    sources: list[Path] = []
    for path in named:
        sources += sorted(found for found in path.iterdir() if _is_collection(found)) if path.is_dir() else [path]
    if not sources:
        raise click.UsageError("there is no WARC or ARC file in the folder")
    return sources


def _is_collection(path: Path) -> bool:
    name = path.name.lower().removesuffix(".gz")
    return path.is_file() and name.endswith((".warc", ".arc"))


class Display(Bar):
    """Progress for eyes, or a line now and then for logs."""

    def __init__(self, console: Console) -> None:
        super().__init__(console, "importing")
        self._console = console
        self._next = time.monotonic() + PLAIN_SECONDS

    def progress(self, now: Progress) -> None:
        """Draw how far it is."""
        self.draw(now.done, now.total, what=plain(now.step))
        if not self._console.is_terminal and time.monotonic() >= self._next:
            self._next = time.monotonic() + PLAIN_SECONDS
            self._console.print(f"{plain(now.step)}: {now.done} of {now.total or '?'}", markup=False)

    def log(self, level: int, text: str) -> None:
        """Warnings stand above the bar."""
        if level >= logging.WARNING:
            self.say(text)


def say(console: Console, result: Imported) -> None:
    """What came of it, and what could not be read."""
    kinds = ", ".join(f"{number} {kind}" for kind, number in result.kinds.most_common())
    of_them = f" ({kinds})" if kinds else ""
    for line in (
        f"Run {result.run_id}: {result.status} in {result.seconds:.1f} s",
        *(f"{brought.how}: {brought.source} as {brought.name}" for brought in result.files),
        f"captures: {result.stored} stored{of_them}, {result.known} known, {result.elsewhere} of other hosts",
        f"articles: {result.new} new, {result.changed} changed, {result.unchanged} unchanged",
        f"their files and pictures: {result.linked} found",
    ):
        console.print(plain(line), markup=False, soft_wrap=True)
    for what, lines in (
        ("not readable", result.damage),
        ("revisits without their original (import its file, too)", result.unresolved),
        ("archived, but not read", result.failures),
    ):
        if lines:
            console.print(f"{what}: {len(lines)}", style="yellow", markup=False)
        for line in lines[:SHOWN]:
            console.print(f"  {plain(line)}", markup=False, soft_wrap=True)
        if len(lines) > SHOWN:
            console.print(f"  and {len(lines) - SHOWN} more (--json has all)", markup=False)
    if result.status == "failed" and not (result.stored or result.known):
        console.print("nothing in these files is from the portal's hosts (see xianzhi portals list)", style="red")


def as_data(result: Imported) -> dict[str, Any]:
    """The result for scripts."""
    return {
        "run": result.run_id,
        "status": result.status,
        "seconds": round(result.seconds, 3),
        "files": [dataclasses.asdict(brought) | {"source": str(brought.source)} for brought in result.files],
        "kinds": dict(result.kinds),
        **{name: getattr(result, name) for name in COUNTS},
        **{name: getattr(result, name) for name in ("damage", "unresolved", "failures")},
    }
