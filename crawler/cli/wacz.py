"""``xianzhi wacz``: captures for a replay."""

import dataclasses
import time
from datetime import datetime
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from crawler.cli.bar import PLAIN_SECONDS
from crawler.cli.options import Place, db_option, json_option, warc_option
from crawler.cli.show import people, plain, say_json

DAY = click.DateTime(["%Y-%m-%d"])


@click.command(
    epilog="""\b
Examples:
  xianzhi wacz news.wacz                                   everything that is not withheld
  xianzhi wacz qianxian-2014.wacz --portal qianxian --from 2014-01-01 --to 2014-12-31
  xianzhi wacz --index-only replay/indexes/news.cdxj       for pywb, over the WARC files where they lie
Exit codes: 0 written, 1 a WARC file is missing or not what the archive says, or the disk is full,
2 wrong usage, nothing to package, or the archive cannot be used, 3 another process writes OUT,
130 interrupted."""
)
@click.argument("out", type=Place(path_type=Path, dir_okay=False))
@click.option("--portal", "portals", multiple=True, metavar="ID", help="Only this portal's captures; repeatable.")
@click.option("--from", "first", type=DAY, help="Only captures of this day and later, UTC.")
@click.option("--to", "last", type=DAY, help="Only captures of this day and earlier, UTC.")
@click.option("--index-only", is_flag=True, help="Write the index alone (CDXJ), over the WARC files where they lie.")
@db_option
@warc_option
@json_option
def wacz(
    out: Path,
    portals: tuple[str, ...],
    first: datetime | None,
    last: datetime | None,
    index_only: bool,
    db: Path,
    warc: Path | None,
    as_json: bool,
) -> None:
    """Package captures as OUT, a WACZ (1.1.1) that any WACZ viewer replays, with the articles' titles and texts.

    WARC files go in as they are, or, where not all of one is wanted, its records as they are. What is withheld is left
    out. The same archive gives the same bytes.
    """
    from crawler.archive.packages import PackageError, write_cdxj, write_wacz  # noqa: PLC0415 - quick --help
    from crawler.archive.selection import Selection  # noqa: PLC0415
    from crawler.warc.files import WarcError  # noqa: PLC0415

    wanted = Selection(portals=portals, first=first and first.date(), last=last and last.date())
    write = write_cdxj if index_only else write_wacz
    display = Display()
    try:
        with display:
            package = write(db, warc or db.with_name("warc"), out, wanted, progress=display.progress)
    except (LookupError, PackageError) as error:
        raise click.UsageError(plain(error.args[0])) from error
    except WarcError as error:
        raise click.ClickException(f"{plain(error)}; {plain(out)} was not written") from error
    except OSError as error:
        raise click.ClickException(f"{plain(out)} was not written: {error.strerror}") from error
    if as_json:
        say_json({"file": str(out), **dataclasses.asdict(package)})
    contents = package.contents
    counts = {"captures": contents.captures, "portals": len(contents.portals), "WARC files": package.files}
    if not index_only:
        counts["versions of articles"] = package.articles
    if contents.withheld:
        counts["withheld articles left out"] = contents.withheld
    words = ", ".join(f"{name} {number}" for name, number in counts.items())
    people().print(f"{plain(out)}: {words}", markup=False, soft_wrap=True)


class Display:
    """How far it is: a bar on a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._console = people()
        self._bar = Progress(
            TextColumn("packaging"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)
        self._next = time.monotonic() + PLAIN_SECONDS

    def __enter__(self) -> "Display":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def progress(self, done: int, total: int) -> None:
        """So many bytes of so many are packaged."""
        if self._console.is_terminal:
            self._bar.update(self._task, completed=done, total=total)
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + PLAIN_SECONDS
            self._console.print(f"packaged {done:,} of {total:,} bytes", markup=False)
