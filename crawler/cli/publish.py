"""``xianzhi publish``: a copy for the public."""

import sqlite3
from pathlib import Path

import click
from rich.text import Text

from crawler.archive.published import publish as write
from crawler.cli.counting import counting
from crawler.cli.options import Place, db_option, json_option
from crawler.cli.show import output, plain, say_json


@click.command(
    epilog="""\b
Examples:
  xianzhi publish /srv/xianzhi/news.db
  xianzhi publish news.db --db /data/archive.db      then: xianzhi serve news.db
docs/deploy.md: every night after the crawl, behind Caddy or nginx.
Exit codes: 0 done, 1 the disk is full, 2 wrong usage, the archive cannot be used, or the copy is not
sound, 3 another process writes this copy, 130 interrupted."""
)
@click.argument("out", metavar="OUT.db", type=Place(path_type=Path, dir_okay=False))
@db_option
@json_option
def publish(out: Path, db: Path, as_json: bool) -> None:
    """Write a copy of the archive for the public to OUT.db, which takes the place of the last one at once.

    What is withheld and what only a crawl needs are left out; texts, indexes and statistics are made ready for readers,
    and the file is checked. A running xianzhi serve OUT.db notices the new file by itself. A crawl may go on meanwhile.
    """
    try:
        with counting() as progress:
            result = write(db, out, progress=progress)
    except (sqlite3.Error, OSError) as error:
        raise click.ClickException(f"{out}: is as it was: {error}") from error
    if as_json:
        say_json({"file": str(out), "articles": result.articles, "bytes": result.bytes, "run_id": result.run_id})
        return
    line = f"{out}: {result.articles:,} articles, {result.bytes / 1e6:.1f} MB, as of run {result.run_id or '–'}"
    output().print(Text(plain(line)), soft_wrap=True)
