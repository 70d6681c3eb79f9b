"""What takes the whole archive to know, learned when a run's pages are stored: night by night, only from what is new.

Each step goes on where it was after a kill, and takes in archives that were written before it existed.
"""

import sqlite3
from collections.abc import Callable

from crawler.archive import boilerplate, mentions, reprints, search, spam

STEPS: tuple[tuple[str, Callable[[sqlite3.Connection], int]], ...] = (
    ("spam", spam.catch_up),
    ("boilerplate", boilerplate.learn),
    ("places", mentions.catch_up),
    ("search index", search.catch_up),
    ("reprints", reprints.catch_up),
)
"""In this order: the later ones read the text that the earlier ones leave to be read."""


def learn(conn: sqlite3.Connection, *, tell: Callable[[str, int], None] = lambda *_: None) -> None:
    """Take every step. *tell* gets its name when it is done, and how many articles it worked on.

    *conn* is in autocommit mode: every step commits in batches, so that other writers wait for a moment only.
    """
    for name, step in STEPS:
        tell(name, step(conn))
