"""``--queue`` for what reads WARC files: workers do the reading, and this process what takes the archive."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from crawler.cli.show import people, plain
from crawler.store import Store, open_store, store_behind

if TYPE_CHECKING:
    from crawler.queue.outstanding import Outstanding
    from crawler.reprocess import reprocessing
    from crawler.verify import verification


def is_on_queue(queue: str | None, store: str | None) -> bool:
    """Whether ``--queue`` was given. Raises UsageError for a ``--store`` without one."""
    if queue is None and store is not None:
        raise click.UsageError("--store goes with --queue; without, the WARC folder says where files are")
    return queue is not None


@contextmanager
def asking(
    queue: str | None, queue_name: str, store: str | None, warc: Path, *, kind: Literal["verify", "reprocess"]
) -> "Iterator[Outstanding]":
    """What workers are to read, in a *queue* that was given; what goes wrong there is told in words."""
    from crawler.cli.night import told_in_words  # noqa: PLC0415 - a command without a queue starts without

    assert queue is not None
    with told_in_words():
        from crawler.queue.outstanding import Outstanding, WithdrawnError  # noqa: PLC0415
        from crawler.queue.schema import prepare  # noqa: PLC0415

        prepare(queue)
        console = people()
        try:
            yield Outstanding(
                queue,
                queue=queue_name,
                store=_store_of(warc, store),
                kind=kind,
                on_log=lambda _, words: console.print(plain(words), style="yellow", markup=False, soft_wrap=True),
            )
        except WithdrawnError as error:
            raise click.ClickException(str(error)) from error


def checking_elsewhere(asked: "Outstanding", db: Path, warc: Path, *, restart: bool) -> "verification.Elsewhere":
    """Workers that verify."""
    from crawler.queue.verifying import VerifyingElsewhere  # noqa: PLC0415

    return VerifyingElsewhere(asked, db=db, warc=warc, restart=restart)


def reading_elsewhere(asked: "Outstanding", warc: Path) -> "reprocessing.Elsewhere":
    """Workers that read pages again."""
    from crawler.queue.rereading import RereadingElsewhere  # noqa: PLC0415

    return RereadingElsewhere(asked, _store_of(warc, None))


def _store_of(warc: Path, url: str | None) -> Store:
    """The store that the folder *warc* points to. Raises UsageError where that is none, or not the one at *url*."""
    behind = store_behind(warc)
    if behind is None:
        raise click.UsageError(f"{warc} points to no store, so its files are read here: leave out --queue")
    if url is not None and open_store(url).url != behind.url:
        raise click.UsageError(f"{warc} points to {behind.url}, and not to {url}")
    return behind
