"""``xianzhi export``: a study for Excel, R and pandas."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from crawler.cli.counting import counting
from crawler.cli.options import Place, db_option, json_option
from crawler.cli.show import output, plain, say_json

if TYPE_CHECKING:
    from crawler.publish.exports.study import Export

FORMATS = ("csv", "parquet", "jsonl")
TABLES = ("articles", "versions", "sections", "version_sections", "reprints", "mentions", "captures", "changes")


class _Names(click.ParamType[tuple[str, ...]]):
    """Names out of some, separated by commas."""

    name = "names"

    def __init__(self, known: tuple[str, ...]) -> None:
        self._known = known

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The names, each once, in the order in which they are known."""
        named = {name.strip() for name in value.split(",")}
        if unknown := sorted(named - set(self._known)):
            self.fail(f"{', '.join(map(repr, unknown))}: choose from {', '.join(self._known)}", param, ctx)
        return tuple(name for name in self._known if name in named)


@click.command(
    epilog="""\b
Examples:
  xianzhi export study                               every article, as CSV for Excel
  xianzhi export shaanxi --division 61 --from 2014 --to 2016-06 --format csv,parquet
  xianzhi export poverty --search "精准扶贫 -煤矿" --tables articles,versions,changes
docs/export.md: what the files are, and how to read them in Excel, R and pandas.
Exit codes: 0 done, 1 the disk is full, 2 wrong usage, or the archive cannot be used, 3 another
export writes this folder, 130 interrupted."""
)
@click.argument("out_dir", type=Place(path_type=Path))
@click.option("--division", metavar="CODE", help="Of a division and all in it: 61, 6104, 610424; or its name.")
@click.option("--from", "first", metavar="DATE", help="Published in or after this year, month or day.")
@click.option("--to", "last", metavar="DATE", help="Published in or before this year, month or day.")
@click.option("--search", metavar="WORDS", help="What the search box finds by these words and filters.")
@click.option("--portal", metavar="ID", help="Of one portal.")
@click.option(
    "--format",
    "formats",
    type=_Names(FORMATS),
    metavar="NAMES",
    default="csv",
    show_default=True,
    help=f"Some of {','.join(FORMATS)}.",
)
@click.option(
    "--tables",
    "names",
    type=_Names(TABLES),
    metavar="NAMES",
    default="articles",
    show_default=True,
    help=f"Some of {','.join(TABLES)}. articles has the text.",
)
@db_option
@json_option
def export(
    out_dir: Path,
    division: str | None,
    first: str | None,
    last: str | None,
    search: str | None,
    portal: str | None,
    formats: tuple[str, ...],
    names: tuple[str, ...],
    db: Path,
    as_json: bool,
) -> None:
    """Write articles, and what belongs to them, to the folder OUT_DIR as files for a study.

    With them go a codebook, a data package, a citation, and a manifest with digests. Without filters all articles are
    exported. The folder is there when all of it is written; an earlier export in it is replaced. A crawl may go on
    meanwhile. What is withheld is left out.
    """
    from crawler.publish.exports.codebook import tables  # noqa: PLC0415 - --help needs no Datasette
    from crawler.publish.exports.selection import Filters  # noqa: PLC0415
    from crawler.publish.exports.study import ExportError, write  # noqa: PLC0415

    filters = Filters(division=division, first=first, last=last, search=search, portal=portal)
    try:
        with counting() as progress:
            chosen = [tables()[name] for name in names]
            result = write(db, out_dir, filters, tables=chosen, formats=formats, progress=progress)
    except (ExportError, ValueError, LookupError) as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{out_dir}: nothing is written: {error.strerror or error}") from error
    if as_json:
        _say_data(result)
    else:
        _say(result)


def _say(result: "Export") -> None:
    console = output()
    for written in result.study.tables:
        for file in written.files.values():
            line = f"{result.folder / file.path}: {written.rows:,} rows, {file.bytes / 1e6:.1f} MB"
            console.print(Text(plain(line)), soft_wrap=True)
        if written.too_long_for_excel:
            columns = ", ".join(written.too_long_for_excel)
            warning = f"{written.table.name}.csv has texts that are longer than a cell of Excel, in {columns}"
            console.print(Text(warning, style="yellow"), soft_wrap=True)
    console.print(Text(f"{result.articles:,} articles; codebook.md says what is in the files"), soft_wrap=True)


def _say_data(result: "Export") -> None:
    rows = {file.path: one.rows for one in result.study.tables for file in one.files.values()}
    say_json(
        {
            "folder": str(result.folder),
            "articles": result.articles,
            "run_id": result.study.run_id,
            "files": [
                {"path": file.path, "bytes": file.bytes, "sha256": file.sha256, "rows": rows.get(file.path)}
                for file in result.files
            ],
        }
    )
