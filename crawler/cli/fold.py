"""``xianzhi fold``."""

import click

from crawler.cli.options import json_option
from crawler.cli.show import say_json


@click.command(
    # A word may begin with a minus.
    context_settings={"ignore_unknown_options": True},
    epilog="""\b
Examples:
  xianzhi fold 扶贫                                  prints "扶 贫"
  xianzhi fold '精準 -煤矿'                          prints ("精 准") NOT ("煤 矿")
  sqlite3 archive.db "SELECT title, url FROM articles WHERE id IN
    (SELECT rowid FROM articles_fts WHERE articles_fts MATCH '$(xianzhi fold 乾县)')"
Exit codes: 0 printed, 2 nothing to search for, or a filter, which the index does not know.""",
)
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED)
@json_option
def fold(words: tuple[str, ...], as_json: bool) -> None:
    """Print WORDS as the full-text index holds them, for MATCH in any SQLite client.

    The index is folded: Traditional characters are Simplified ones in it, capitals small ones, and every character is a
    token of its own. Several words must all occur, a word with a minus must not; "quotation marks" hold a phrase
    together.
    """
    from crawler.text.query import NOTHING, parse  # noqa: PLC0415 - --help needs no OpenCC

    query = parse(" ".join(words))
    if query.filters:
        raise click.UsageError("filters (地区:, from: …) are conditions on the table articles: say them in SQL")
    if query.match == NOTHING:
        raise click.UsageError("give a word of letters, digits or ideographs, and not only words with a minus")
    if as_json:
        say_json({"match": query.match})
    else:
        click.echo(query.match)
