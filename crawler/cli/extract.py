"""``xianzhi extract``: saved pages to JSON, without an archive."""

import contextlib
import dataclasses
import errno
import hashlib
import os
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from crawler import processes
from crawler.cli.options import jobs_option
from crawler.cli.show import json_text
from crawler.records import Article, Capture, RecordRef, SpamSpan

STDIN = "-"
UNREAD = frozenset({"repeat", "spam"})
"""Roles of paragraphs that the reading text leaves out."""
READ_AHEAD = 8
"""Pages for each process that are read before the first of them is printed."""

# Terminals act on controls and on bidirectional marks; JSON may spell any character.
_UNSAFE = re.compile(r"[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]")


@click.command(
    epilog="""\b
Examples:
  xianzhi extract page.html
  xianzhi extract saved/ > pages.jsonl               every *.html below it, on all cores
  curl -s URL | xianzhi extract - --url URL
Exit codes: 0 every page was read, 1 a page could not be read: its line says why,
130 interrupted."""
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--url", help="The address that the pages came from; links are completed with it.")
@jobs_option
def extract(files: tuple[str, ...], url: str | None, jobs: int) -> None:
    """Read saved HTML and print one JSON object a page and line.

    A folder stands for every *.html below it, sorted by path; - is standard input. A page that cannot be read gives
    an object with its error, and the exit code is 1.
    """
    failed = False
    try:
        for result in _results(list(_found(files)), url, jobs):
            failed |= "error" in result
            click.echo(_safe_json(result))
    except BrokenProcessPool:
        raise click.ClickException("a process was killed, perhaps for want of memory: try --jobs 1") from None
    if failed:
        sys.exit(1)


def _found(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name not in {STDIN, ""} and Path(name).is_dir():
            yield from sorted(_pages_below(name))
        else:
            yield name


def _pages_below(folder: str) -> Iterator[str]:
    """Every ``*.html`` below *folder*, and the folders that cannot be looked into: reading those says why."""
    closed: list[str] = []
    for parent, _, names in os.walk(Path(folder), onerror=lambda error: closed.append(error.filename)):
        paths = (Path(parent, name) for name in names if name.endswith(".html"))
        yield from (str(path) for path in paths if path.is_file())
    yield from closed


def _results(names: list[str], url: str | None, jobs: int) -> Iterator[dict[str, Any]]:
    """Read pages on *jobs* processes; results come in the order of *names*."""
    if jobs == 1 or len(names) < 2:
        yield from (read_page(name, url) for name in names)
        return
    pool = processes.pool(min(jobs, len(names)))
    waiting: deque[Future[dict[str, Any]]] = deque()
    try:
        for name in names:
            waiting.append(pool.submit(read_page, name, url) if name != STDIN else _done(read_page(name, url)))
            if len(waiting) >= READ_AHEAD * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _done(result: dict[str, Any]) -> Future[dict[str, Any]]:
    future: Future[dict[str, Any]] = Future()
    future.set_result(result)
    return future


def read_page(name: str, url: str | None) -> dict[str, Any]:
    """Read one page; what cannot be read is an object with ``error``."""
    try:
        return _as_json(name, url, _chain(_bytes(name), url or ""))
    except OSError as error:
        return {"file": name, "error": f"{name}: {error.strerror or error}"}
    except (ValueError, RecursionError) as error:
        return {"file": name, "error": f"{name}: {error}"}


def _bytes(name: str) -> bytes:
    """A page's bytes, as far as they tell whether it is too long: a name may stand for a device without end."""
    from crawler.text.coding import MAX_DECODED  # noqa: PLC0415 - as in `_chain`

    if name == STDIN and sys.stdin is None:
        raise OSError(errno.EBADF, "standard input is closed")
    with contextlib.nullcontext(sys.stdin.buffer) if name == STDIN else open(name, "rb") as file:  # noqa: PTH123 - "" is no path
        return file.read(MAX_DECODED + 1)


def _chain(data: bytes, url: str) -> Article:
    """Run the stages over bytes that no crawl brought."""
    from pipelines.chain import read_text  # noqa: PLC0415 - the stages load only where a page is read

    capture = Capture(
        run_id="",
        portal_id="",
        kind="article",
        url=url,
        fetched_at=datetime.now(UTC),
        status=200,
        payload_sha256=hashlib.sha256(data).hexdigest(),
        record=RecordRef(file="", offset=0, length=0),
        body=data,
    )
    return read_text(capture)


def _as_json(name: str, url: str | None, article: Article) -> dict[str, Any]:
    """The contract's object: every key is there, an absent value is None, an absent list empty."""
    return {
        "file": name,
        "url": url,
        "encoding": article.encoding,
        "kind": article.kind,
        "title": article.title,
        "published": article.published,
        "published_basis": article.published_basis,
        "meta_published": article.meta_published,
        "source": article.source,
        "author": article.author,
        "editor": article.editor,
        "column": article.column,
        "site_name": article.site_name,
        "site_id": article.site_id,
        "division": article.division,
        "body": _body(article),
        "removed": [*map(dataclasses.asdict, article.removed), *_left_out(article)],
        "attachments": [{"url": file.url, "title": file.title} for file in article.attachments],
        "images": [{"url": image.url, "caption": image.caption} for image in article.images],
    }


def _body(article: Article) -> list[str]:
    """The reading text by paragraph."""
    from crawler.text.spam import without_cuts  # noqa: PLC0415 - as in `_chain`

    return [
        without_cuts(paragraph.text, ((span.start, span.end) for span in _cuts(article, position)))
        for position, paragraph in enumerate(article.paragraphs)
        if paragraph.role not in UNREAD
    ]


def _left_out(article: Article) -> Iterator[dict[str, str]]:
    """What the stored text has and the reading text has not: paragraphs by their role, and runs inside others."""
    for position, paragraph in enumerate(article.paragraphs):
        cuts = _cuts(article, position)
        if paragraph.role in UNREAD:
            rule = cuts[0].rule if cuts else paragraph.role
            yield {"text": paragraph.text, "reason": paragraph.role, "rule": rule}
        else:
            for span in cuts:
                reason = "repeat" if span.rule == "repeat" else "spam"
                yield {"text": span.text, "reason": reason, "rule": span.rule}


def _cuts(article: Article, position: int) -> list[SpamSpan]:
    return [span for span in article.spam if span.cut and span.position == position]


def _safe_json(result: dict[str, Any]) -> str:
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", json_text(result))


if __name__ == "__main__":
    extract()
