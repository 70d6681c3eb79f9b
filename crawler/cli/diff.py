"""``xianzhi diff``: what changed between two versions of an article, and what became of it."""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from crawler.archive import withholding
from crawler.archive.connection import open_archive
from crawler.archive.editions import Edition, State, Subject, editions, newest_readings, states, subject
from crawler.archive.texts import paragraphs_of_version
from crawler.cli.options import db_option, json_option
from crawler.cli.show import output, plain, say_json
from crawler.records import RecordRef
from crawler.text.differences import PARAGRAPH_END, Difference, differences

FIELDS = ("title", "published", "source", "author", "editor")
CONTEXT = 1
"""Unchanged sentences that are shown on either side of a change."""
REMOVED, ADDED, QUIET = "red", "green", "dim"


@click.command(
    epilog="""\b
Examples:
  xianzhi diff 1234
  xianzhi diff https://www.snqianxian.gov.cn/xwzx/t20140603_1.html
  xianzhi diff 1234 --from 2001 --to 2417            two versions by their ids
  xianzhi diff 1234 --json | jq '.differences[] | select(.kind != "keep")'
Exit codes: 0 shown, 2 wrong usage, no such article or version, or an archive that cannot be used."""
)
@click.argument("article")
@click.option(
    "--from", "older", type=int, metavar="VERSION", help="Its id. Default: the portal's last version but one."
)
@click.option("--to", "newer", type=int, metavar="VERSION", help="Its id. Default: the portal's last version.")
@db_option
@json_option
def diff(article: str, *, older: int | None, newer: int | None, db: Path, as_json: bool) -> None:
    """Show what changed between two versions of ARTICLE (an id, or an address however it is written).

    Fields first, then the text, sentence by sentence and inside them word by word; below, the versions that there are
    and what became of the article, each with the WARC record that shows it. Versions are compared as today's rules read
    them, so that what differs is the portal's doing; ids of older readings are taken as well.
    """
    with closing(open_archive(db, readonly=True)) as conn:
        found = withholding.find(conn, article)
        if len(found) != 1:
            many = f"several articles have this address: {', '.join(map(str, found))}; name one by its id"
            raise click.UsageError(many if found else f"no article has this id or address: {plain(article)}")
        article_id = found[0]
        about, history, lives = subject(conn, article_id), editions(conn, article_id), states(conn, article_id)
        pair = chosen(history, older, newer)
        texts = [[each.text for each in paragraphs_of_version(conn, edition.version_id)] for edition in pair or ()]
    changes = differences(*texts) if pair else []
    if as_json:
        say_json(as_data(about, history, lives, pair, changes))
        return
    console = output()
    say_subject(console, about)
    if pair:
        say_difference(console, pair, changes)
    else:
        console.print("one version only: the portal has not changed it", style=QUIET)
    say_history(console, history, lives)


def chosen(history: list[Edition], older: int | None, newer: int | None) -> tuple[Edition, Edition] | None:
    """The two versions to compare; None where the portal showed but one and none was named."""
    by_id = {edition.version_id: edition for edition in history}
    for version_id in (older, newer):
        if version_id is not None and version_id not in by_id:
            there = ", ".join(map(str, by_id))
            raise click.UsageError(f"the article has no version {version_id}; it has {there}")
    today = newest_readings(history)
    after = by_id[newer] if newer is not None else today[-1]
    if older is not None:
        return by_id[older], after
    before = [edition for edition in today if today.index(edition) < _place(today, after)]
    if before:
        return before[-1], after
    if newer is not None:
        raise click.UsageError(f"no version of the portal comes before {newer}; name one with --from")
    return None


def _place(today: Sequence[Edition], edition: Edition) -> int:
    return next(place for place, each in enumerate(today) if each.capture_id == edition.capture_id)


# For people.


def say_subject(console: Console, about: Subject) -> None:
    """Which article it is."""
    _line(console, Text.assemble((f"article {about.id} ", "bold"), plain(about.title or "without a title")))
    _line(console, Text(f"{plain(about.url)}  ({about.portal_id}, {about.state})", style=QUIET))


def say_difference(console: Console, pair: tuple[Edition, Edition], changes: Sequence[Difference]) -> None:
    """Fields, then sentences; what stayed the same is folded."""
    before, after = pair
    for sign, edition, style in (("---", before, REMOVED), ("+++", after, ADDED)):
        reading = f"read by {plain(edition.extractor)}"
        _line(console, Text(f"{sign} version {edition.version_id}, seen {edition.seen_at}, {reading}", style=style))
    for name in FIELDS:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            _line(console, Text(f"@ {name}", style="bold"))
            if old is not None:
                _line(console, Text(f"- {plain(old)}", style=REMOVED))
            if new is not None:
                _line(console, Text(f"+ {plain(new)}", style=ADDED))
    if all(change.kind == "keep" for change in changes):
        _line(console, Text("@ text: the same", style="bold"))
        return
    _line(console, Text("@ text", style="bold"))
    for line in lines(changes):
        _line(console, line)


def lines(changes: Sequence[Difference]) -> Iterator[Text]:
    """The sentences as lines: ``-`` removed, ``+`` added, a blank in front of those around them."""
    near = _near_a_change(changes)
    for is_near, group in groupby(range(len(changes)), key=lambda place: near[place]):
        places = list(group)
        if not is_near:
            count = sum(_sentence(changes[place]) != PARAGRAPH_END for place in places)
            if count:
                yield Text(f"  … {count} {'sentence' if count == 1 else 'sentences'} the same", style=QUIET)
            continue
        for place in places:
            yield from _of_sentence(changes[place])


def _near_a_change(changes: Sequence[Difference]) -> list[bool]:
    """For each sentence whether it is one that changed, or as near to one as is shown."""
    places = [place for place, change in enumerate(changes) if change.kind != "keep"]
    near = [False] * len(changes)
    for place in places:
        for step in (-1, 1):
            seen, at = 0, place
            while 0 <= at < len(changes) and seen <= CONTEXT:
                near[at] = True
                at += step
                seen += 0 <= at < len(changes) and _sentence(changes[at]) != PARAGRAPH_END
    return near


def _of_sentence(change: Difference) -> Iterator[Text]:
    if change.kind == "keep":
        if _sentence(change) != PARAGRAPH_END:
            yield Text(f"  {plain(_sentence(change))}")
        return
    for sign, side, kinds, style in (
        ("-", change.before, {"keep", "remove"}, REMOVED),
        ("+", change.after, {"keep", "add"}, ADDED),
    ):
        if side is None:
            continue
        line = Text(f"{sign} ", style=style)
        if side.text == PARAGRAPH_END:
            line.append("¶")
        elif not change.words:
            line.append(plain(side.text))
        for word in change.words:
            if word.kind in kinds:
                line.append(_kept_apart(word.text), style="" if word.kind == "keep" else "bold reverse")
        yield line


def _kept_apart(text: str) -> str:
    """``plain``, but for blanks at the ends of a piece of a sentence."""
    return f"{' ' * text[:1].isspace()}{plain(text)}{' ' * (len(text) > 1 and text[-1:].isspace())}"


def _sentence(change: Difference) -> str:
    either = change.before or change.after
    return either.text if either else ""


def say_history(console: Console, history: Sequence[Edition], lives: Sequence[State]) -> None:
    """The versions and the states, with their records."""
    _line(console, Text("\nversions", style="bold"))
    for edition in history:
        again = f", reads again what {edition.replaces} read" if edition.replaces is not None else ""
        words = f"  {edition.version_id}  seen {edition.seen_at}  {edition.chars:,} characters"
        _line(console, Text(f"{words}  {plain(edition.extractor)}{again}  {_where(edition.record)}"))
    _line(console, Text("\nstates", style="bold"))
    for life in lives:
        _line(console, Text(f"  {life.state} since {life.since}  {_where(life.record)}"))


def _where(record: RecordRef | None) -> str:
    return f"{plain(record.file)} at byte {record.offset}" if record else "no answer"


def _line(console: Console, text: Text) -> None:
    console.print(text, soft_wrap=True)


# For scripts.


def as_data(
    about: Subject,
    history: Sequence[Edition],
    lives: Sequence[State],
    pair: tuple[Edition, Edition] | None,
    changes: Sequence[Difference],
) -> dict[str, Any]:
    """Everything, sentences with their places in their paragraphs."""
    before, after = pair or (None, None)
    return {
        "article": dataclasses.asdict(about),
        "from": before and before.version_id,
        "to": after and after.version_id,
        "fields": {
            name: {"before": getattr(before, name), "after": getattr(after, name)}
            for name in FIELDS
            if getattr(before, name, None) != getattr(after, name, None)
        },
        "differences": [dataclasses.asdict(change) for change in changes],
        "versions": [dataclasses.asdict(edition) for edition in history],
        "states": [dataclasses.asdict(life) for life in lives],
    }
