"""The full-text index ``articles_fts``: title and reading text of every article as tokens (`crawler.text.tokens`).

The index keeps no text. To take a row out, FTS5 has to be told what is in it (SQLite learned to do without in 3.43),
and a trigger cannot call Python. So whoever changes what an article says does it inside `changing`, or between the two
steps of `Changes`, in the transaction that makes the change: index and articles are never apart.

The tokenizer is FTS5's ``ascii``: it parts tokens at spaces and takes any other sign beyond ASCII as it is, so that the
tokens are ours to the letter; ``unicode61`` knows the letters of Unicode 6.1 and is slower.

What is withheld is not in the index: whoever can ask it, in whatever client, would learn what such an article says.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, NamedTuple

from crawler.archive.connection import transaction
from crawler.text.tokens import tokens

CATCH_UP_BATCH = 200
"""Articles indexed in one transaction: about 100 ms, in which nobody else can write."""

_SHOWN = "articles.id NOT IN (SELECT article_id FROM withheld)"

Problem = Literal["missing", "superfluous", "stale", "damaged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """Something in which the index is not what the articles say."""

    article_id: int | None
    """None where the index as a whole is damaged."""
    problem: Problem
    """``missing``: the article is not in the index; ``superfluous``: what is there is no article's; ``stale``: what is
    there is not what the article says; ``damaged``: SQLite finds it malformed."""


class _Row(NamedTuple):
    """What the index holds of an article."""

    title: str
    body: str


class Changes:
    """Keeps the index true to articles that a transaction changes: ``expect`` each, change it, ``write`` at the end."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._before: dict[int, _Row | None] = {}

    def expect(self, article_ids: Iterable[int]) -> None:
        """Remember what the index holds of articles that are about to change; new ones may be there already."""
        unmet = [article_id for article_id in article_ids if article_id not in self._before]
        self._before.update(dict.fromkeys(unmet))
        self._before.update(_rows(self._conn, _indexed(self._conn, unmet)))

    def write(self) -> None:
        """Bring the index to what the expected articles say now; those that say the same are left alone."""
        now = _rows(self._conn, self._before)
        changed = {article_id: row for article_id, row in self._before.items() if row != now.get(article_id)}
        # First out, then in, each by id: FTS5 writes a segment of its own wherever ids do not rise.
        _delete(self._conn, [(article_id, row) for article_id, row in changed.items() if row is not None])
        _insert(self._conn, [(article_id, row) for article_id, row in now.items() if article_id in changed])
        self._before.clear()


@contextmanager
def changing(conn: sqlite3.Connection, article_ids: Iterable[int]) -> Iterator[None]:
    """Around whatever changes the title or the reading text of articles, inside one transaction.

    Takes memory for the texts, about 10 kB an article: a thousand ids at a time are enough.
    """
    changes = Changes(conn)
    changes.expect(article_ids)
    yield
    changes.write()


def catch_up(conn: sqlite3.Connection) -> int:
    """Index every article that should be in the index and is not, in batches; how many there were.

    After a kill it goes on where it was. Takes about 0.6 ms an article of 1,600 characters.
    """
    done, last = 0, 0
    while True:
        with transaction(conn):
            batch = _not_indexed(conn, after=last)
            _insert(conn, _rows(conn, batch).items())
        if not batch:
            return done
        done += len(batch)
        last = batch[-1]


def clear(conn: sqlite3.Connection) -> None:
    """Empty the index, inside the caller's transaction; ``catch_up`` then makes it anew.

    For what changes every row (another fold) and for an index that ``check`` found wrong.
    """
    conn.execute("INSERT INTO articles_fts (articles_fts) VALUES ('delete-all')")


def check(conn: sqlite3.Connection) -> list[Discrepancy]:
    """Compare the index with every article, token by token, by article; empty where all is well.

    Takes about 2.5 ms an article of 1,600 characters, and 200 bytes of memory. Where the file cannot be written at all,
    SQLite's own check of the index's structure is left out: it counts as writing.
    """
    with _allowing_temporary_tables(conn):
        try:
            _check_structure(conn)
            conn.execute("BEGIN")
            try:
                return list(_compare(conn))
            finally:
                conn.execute("ROLLBACK")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
                raise
            return [Discrepancy(article_id=None, problem="damaged")]


def _compare(conn: sqlite3.Connection) -> Iterator[Discrepancy]:
    held = _digests_held(conn)
    in_index = {article_id for (article_id,) in conn.execute("SELECT rowid FROM articles_fts")} | set(held)
    for article_id, digest in _digests_due(conn):
        if article_id not in in_index:
            yield Discrepancy(article_id=article_id, problem="missing")
        elif held.get(article_id, 0) != digest:
            yield Discrepancy(article_id=article_id, problem="stale")
        in_index.discard(article_id)
    yield from (Discrepancy(article_id=article_id, problem="superfluous") for article_id in sorted(in_index))


def _digests_held(conn: sqlite3.Connection) -> dict[int, int]:
    """For each article in the index the sum of its tokens' digests."""
    digests: defaultdict[int, int] = defaultdict(int)
    conn.execute("CREATE VIRTUAL TABLE temp.articles_fts_tokens USING fts5vocab (main, articles_fts, instance)")
    try:
        for token, article_id, column, place in conn.execute(
            "SELECT term, doc, col, offset FROM temp.articles_fts_tokens"
        ):
            digests[article_id] += _digest(token, column, place)
    finally:
        conn.execute("DROP TABLE temp.articles_fts_tokens")
    return digests


def _digests_due(conn: sqlite3.Connection) -> Iterator[tuple[int, int]]:
    """The same for each article by what it says, by id."""
    for article_id, title, body in conn.execute(
        f"SELECT id, title, body FROM articles JOIN article_texts ON article_id = id WHERE {_SHOWN} ORDER BY id"  # noqa: S608
    ):
        places = ((column, enumerate(tokens(text or ""))) for column, text in (("title", title), ("body", body)))
        yield article_id, sum(_digest(token, column, place) for column, found in places for place, token in found)


def _digest(token: str, column: str, place: int) -> int:
    # A product: the hash of a tuple is nearly a sum of its items', and two tokens that changed places would not show.
    return hash(token) * hash((column, place))


def _check_structure(conn: sqlite3.Connection) -> None:
    """Raises sqlite3.DatabaseError (SQLITE_CORRUPT) where the index is malformed."""
    try:
        conn.execute("INSERT INTO articles_fts (articles_fts) VALUES ('integrity-check')")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:
            raise


@contextmanager
def _allowing_temporary_tables(conn: sqlite3.Connection) -> Iterator[None]:
    """``query_only`` forbids temporary tables too."""
    [(query_only,)] = conn.execute("PRAGMA query_only").fetchall()
    conn.execute("PRAGMA query_only = OFF")
    try:
        yield
    finally:
        conn.execute(f"PRAGMA query_only = {query_only}")


def _indexed(conn: sqlite3.Connection, article_ids: Iterable[int]) -> list[int]:
    rows = conn.execute(
        "SELECT rowid FROM articles_fts WHERE rowid IN (SELECT value FROM json_each(?))",
        (json.dumps(list(article_ids)),),
    )
    return [article_id for (article_id,) in rows]


def _not_indexed(conn: sqlite3.Connection, *, after: int) -> list[int]:
    # Against the table behind the index: a plain one, where one step of a merge finds that a row is there.
    rows = conn.execute(
        "SELECT articles.id FROM articles LEFT JOIN articles_fts_docsize AS held ON held.id = articles.id"  # noqa: S608
        f" WHERE articles.id > ? AND held.id IS NULL AND {_SHOWN} ORDER BY articles.id LIMIT ?",
        (after, CATCH_UP_BATCH),
    )
    return [article_id for (article_id,) in rows]


def _rows(conn: sqlite3.Connection, article_ids: Iterable[int]) -> dict[int, _Row]:
    """What the index should hold of articles by what they say now."""
    rows = conn.execute(
        "SELECT id, title, body FROM articles JOIN article_texts ON article_id = id"  # noqa: S608
        f" WHERE id IN (SELECT value FROM json_each(?)) AND {_SHOWN}",
        (json.dumps(list(article_ids)),),
    )
    return {article_id: _Row(_indexable(title or ""), _indexable(body)) for article_id, title, body in rows}


def _indexable(text: str) -> str:
    return " ".join(tokens(text))


def _insert(conn: sqlite3.Connection, rows: Iterable[tuple[int, _Row]]) -> None:
    conn.executemany(
        "INSERT INTO articles_fts (rowid, title, body) VALUES (?, ?, ?)", ((key, *row) for key, row in sorted(rows))
    )


def _delete(conn: sqlite3.Connection, rows: Iterable[tuple[int, _Row]]) -> None:
    conn.executemany(
        "INSERT INTO articles_fts (articles_fts, rowid, title, body) VALUES ('delete', ?, ?, ?)",
        ((key, *row) for key, row in sorted(rows)),
    )
