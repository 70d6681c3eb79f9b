"""``xianzhi withhold``: keep an article out of everything public, or give it back."""

import dataclasses
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from crawler.archive import withholding
from crawler.archive.connection import open_archive
from crawler.cli.options import db_option, json_option
from crawler.cli.show import output, plain, say_json, table


@click.command(
    epilog="""\b
Examples:
  xianzhi withhold 1234 --reason "names a child; asked for by the family, 2026-03-01"
  xianzhi withhold https://www.snqianxian.gov.cn/xwzx/t20140603_1.html --reason "court order 12/2026"
  xianzhi withhold 1234 --undo --reason "order lifted"
  xianzhi withhold --list
A site that is being served shows it no more from the next page on. What left the house before (published
copies, exports, WACZ packages) has to be made again.
Exit codes: 0 done, 2 wrong usage, no such article, or the archive cannot be used."""
)
@click.argument("article", required=False)
@click.option("--reason", help="Why, for the log; the public never sees it.")
@click.option("--undo", is_flag=True, help="Show the article again.")
@click.option("--list", "listing", is_flag=True, help="List what is withheld.")
@click.option("--log", "history", is_flag=True, help="List every decision.")
@db_option
@json_option
def withhold(
    article: str | None, reason: str | None, undo: bool, listing: bool, history: bool, db: Path, as_json: bool
) -> None:
    """Keep ARTICLE (an id, or an address however it is written) in the archive and out of everything public.

    Its bytes and rows stay. Site, search, published copies, exports and WACZ packages leave it out, with every page
    captured under its address, and with the paragraphs that no other article has.
    """
    if bool(article) == (listing or history) or (listing and history):
        raise click.UsageError("name an article (its id or its address), or ask for --list or for --log")
    if article and not undo and not (reason and reason.strip()):
        raise click.UsageError("say why with --reason: whoever keeps this archive in ten years will ask")
    with closing(open_archive(db, make=False)) as conn:
        if listing:
            _say(
                "withheld",
                withholding.withheld(conn),
                ("article_id", "since", "reason", "title", "url"),
                as_json=as_json,
            )
        elif history:
            _say("decisions", withholding.log(conn), ("at", "action", "article_id", "reason"), as_json=as_json)
        elif article:
            _decide(conn, article, reason, undo=undo, as_json=as_json)


def _decide(conn: sqlite3.Connection, named: str, reason: str | None, *, undo: bool, as_json: bool) -> None:
    found = withholding.find(conn, named)
    if not found:
        raise click.UsageError(f"no article has this id or address: {plain(named)}")
    if undo:
        found = [article_id for article_id in found if withholding.is_withheld(conn, article_id)]
        if not found:
            raise click.UsageError(f"not withheld: {plain(named)}")
    for article_id in found:
        if undo:
            withholding.undo(conn, article_id, reason)
        else:
            withholding.withhold(conn, article_id, reason or "")
    others = {other for article_id in found for other in withholding.still_shown(conn, article_id)}
    shown = [] if undo else sorted(others.difference(found))
    if as_json:
        say_json({"articles": found, "withheld": not undo, "still_shown": shown})
        return
    ids = ", ".join(map(str, found))
    click.echo(f"shown again: {ids}" if undo else f"withheld: {ids}")
    if shown:
        click.echo(f"still shown, with the same story or address: {', '.join(map(str, shown))}")


def _say(what: str, rows: Sequence[Any], columns: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        say_json([dataclasses.asdict(row) for row in rows])
        return
    cells = ([getattr(row, column) for column in columns] for row in rows)
    output().print(table(f"{len(rows)} {what}", columns, cells, numbers=frozenset({"article_id"})))
