"""``xianzhi serve``."""

from pathlib import Path

import click

from crawler.cli.options import Place, db_option, log_format_option
from crawler.operating.logs import is_json


def _web_address(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    from crawler.publish.addresses import is_web_address  # noqa: PLC0415 - --help needs no Datasette

    if value is not None and not is_web_address(value):
        raise click.BadParameter("give an address that begins with http:// or https://")
    return value


@click.command(
    epilog="""\b
Examples:
  xianzhi serve                                      the archive, on this machine
  xianzhi serve news.db --port 8002                  a published copy
  xianzhi serve news.db --host 0.0.0.0 --contact archive@example.org    for everybody in this network
Exit codes: 2 the archive or the address cannot be used, 130 ended by Ctrl-C."""
)
@click.argument("file", required=False, type=Place(path_type=Path, dir_okay=False))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8001, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option(
    "--replay-base",
    metavar="URL",
    callback=_web_address,
    help="A Wayback-style replay (pywb) of the WARC files; articles link to URL/<time>/<address>.",
)
@click.option(
    "--contact",
    metavar="ADDRESS",
    help="Whom to ask for a correction or a take-down, an e-mail or web address; shown on /about.",
)
@click.option(
    "--sql/--no-sql",
    default=None,
    help="Whether readers may write SQL of their own. Default: where only this machine can reach the site.",
)
@db_option
@log_format_option
def serve(
    *,
    file: Path | None,
    host: str,
    port: int,
    replay_base: str | None,
    contact: str | None,
    sql: bool | None,
    db: Path,
) -> None:
    """Browse the archive, or FILE, a published copy, until Ctrl-C.

    A live archive may be browsed while a crawl writes it. Behind a reverse proxy say --no-sql: the site is then
    open to others although it listens on this machine only.
    """
    from crawler.publish import server  # noqa: PLC0415

    path = file or db
    try:
        listening = server.listen(host, port)
    except OSError as error:
        raise click.UsageError(f"cannot listen on {host}, port {port}: {error.strerror}") from error
    with listening:
        reader_sql = server.is_loopback(listening) if sql is None else sql
        app = server.open_app(path, sql=reader_sql, replay_base=replay_base, contact=contact)
        click.echo(f"{path} at {server.address_of(listening)} (Ctrl-C ends it)")
        try:
            server.run(app, listening, has_own_log=not is_json())
        except KeyboardInterrupt:
            raise click.exceptions.Exit(130) from None
