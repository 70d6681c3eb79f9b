"""``xianzhi demo``: the main job on three invented counties, on this machine alone."""

import contextlib
import sys
import tempfile
from pathlib import Path

import click

from crawler.catalogue import load
from crawler.cli.crawl import run_and_show
from crawler.cli.options import db_option, jobs_option, json_option, warc_option
from crawler.cli.run_report import as_data
from crawler.cli.show import people, plain, say_json
from crawler.fetch.options import Options

LOOPBACK = "127.0.0.0/8"
PORT = 18127
"""Always the same one: an article's address is its identity, so a second demo finds nothing new."""


@click.command(
    epilog="""\b
Examples:
  xianzhi demo                                       into archive.db; again: nothing new
  xianzhi demo --db /tmp/demo.db --jobs 1
Exit codes: as xianzhi crawl."""
)
@db_option
@warc_option
@jobs_option
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True, help="Of the sample portals.")
@json_option
def demo(db: Path, warc: Path | None, jobs: int, port: int, as_json: bool) -> None:
    """Serve the bundled sample portals on loopback, crawl them, and say how to browse the result.

    Three fictional counties in the markup of three real CMS families, with what real portals have: navigation and
    advertisements, a GBK table layout, machine-made Traditional text, a hacked page, a body printed twice.
    """
    from crawler.demo.portals import catalogue_toml, sites  # noqa: PLC0415 - --help needs no server
    from crawler.demo.server import HOSTS, serve  # noqa: PLC0415

    options = Options(db=db, warc=warc or db.with_name("warc"), jobs=jobs, allow_networks=(LOOPBACK,))
    with contextlib.ExitStack() as stack:
        try:
            urls = stack.enter_context(serve(sites(), port=port))
        except OSError as error:
            raise click.ClickException(
                f"the sample portals need port {port} of {HOSTS[0]} and its neighbours: {error}"
            ) from error
        catalogue = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "demo.toml"
        catalogue.write_text(catalogue_toml(urls), encoding="utf-8")
        result = run_and_show(load(catalogue), frozenset(urls), options)
    if as_json:
        say_json(as_data(result))
    console = people()
    console.print(f"\nNow browse it: [bold]xianzhi serve {plain(db)}[/bold] and open http://127.0.0.1:8001/")
    sys.exit(result.exit_code)
