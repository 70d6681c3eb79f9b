"""Which articles tell the same story: found night by night, each new version against everything that is stored.

Candidates share a key of their sketches (`crawler.text.shingles`) or a paragraph that few have; where their samples do
not tell them apart, their texts decide (`crawler.text.likeness`). A story that hundreds print would make tens of
thousands of pairs, and a form that thousands fill in nothing but work: so an article is compared with a limited number
of others, those first that share most, of these the oldest. Copies of one story all find its oldest ones, and hang
together through them.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from crawler.archive import sketches
from crawler.archive.connection import transaction
from crawler.archive.sketches import Kept, Words
from crawler.text.likeness import Sketch, are_far, compare

BATCH = 500
"""Articles a transaction: half a second. With fewer, each page of the keys is written so much oftener."""
CROWD = 64
"""Articles with one key or paragraph, above which it says nothing: a form, or a story printed everywhere."""
ENOUGH = 8
"""Points from which an article is a candidate: a key or paragraph that n articles have gives `CROWD` / n, so one of
eight is enough, or two of 16. Measured: it spares three of five comparisons in vain and costs one of 100 excerpts."""
CLOSEST, CLOSE = 8, 4
"""However common the keys: as many articles, those that share most of them, at least one in four."""
COMPARED_WITH = 32
"""Candidates that are looked at, an article."""
SECTION_CHARS = 30
"""Characters of a paragraph that may lead to a candidate."""


class _Pending(NamedTuple):
    """An article that is to be compared."""

    id: int
    version_id: int
    is_marked: bool
    """An older version of it was compared."""
    keys: str | None
    """Of its sketch, in JSON, where that was made ahead."""
    sample: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An article of a cluster."""

    article_id: int
    portal_id: str
    published: str | None
    first_seen: str
    """UTC."""
    is_linked_by_excerpt: bool
    """It is an excerpt of a member, or has a member as its excerpt; else it tells the same story."""


def catch_up(conn: sqlite3.Connection) -> int:
    """Compare every article whose newest version was not compared yet; return how many there were.

    Batches are transactions of their own; what was done before a kill stays done. *conn* is in autocommit mode.
    """
    words, last, done = Words(conn), 0, 0
    while batch := _pending(conn, after=last):
        with transaction(conn):
            _compare_batch(conn, words, batch)
        last = batch[-1].id
        done += len(batch)
    return done


def sketch_ahead(conn: sqlite3.Connection, article_ids: Iterable[int]) -> None:
    """Make the sketches of articles for a later `catch_up`, of whatever archive they are merged into.

    Inside the caller's transaction. 1 ms an article.
    """
    Words(conn).make_ahead(article_ids)


def forget(conn: sqlite3.Connection, article_ids: Iterable[int]) -> None:
    """Have articles compared again by the next `catch_up`: their reading text changed without a new version."""
    ids = list(article_ids)
    conn.executemany(
        "UPDATE reprint_marks SET version_id = 0 WHERE article_id = ?", [(article_id,) for article_id in ids]
    )
    sketches.forget(conn, ids)


def cluster(conn: sqlite3.Connection, article_id: int) -> list[Member]:
    """Every article that is connected with one by ``same`` and ``edited``, and what hangs on these as excerpts.

    Itself included; those that appeared first come first: by ``published`` (``first_seen`` where it has none), then
    ``first_seen``, then id. Withheld and vanished ones too. Raises LookupError for an unknown article.
    """
    core, excerpts = _connected(conn, article_id)
    rows = conn.execute(_MEMBERS, (json.dumps([*core, *excerpts]),))
    members = [
        Member(
            article_id=row[0],
            portal_id=row[1],
            published=row[2],
            first_seen=row[3],
            is_linked_by_excerpt=row[0] not in core,
        )
        for row in rows
    ]
    if not members:
        raise LookupError(f"no article has the id {article_id}")
    return members


def first_appearance(conn: sqlite3.Connection, article_id: int) -> Member:
    """Where an article's story appeared first, excerpts left aside. Raises LookupError for an unknown article."""
    return next(member for member in cluster(conn, article_id) if not member.is_linked_by_excerpt)


def _connected(conn: sqlite3.Connection, article_id: int) -> tuple[set[int], set[int]]:
    """The articles that hang together by ``same`` and ``edited``, and those that hang on them by ``excerpt`` only.

    Step by step: for a recursive query SQLite first reads all of ``reprints`` into a Bloom filter.
    """
    core: set[int] = set()
    excerpts: set[int] = set()
    found = {article_id}
    while found:
        one = found.pop()
        core.add(one)
        for other_id, kind in conn.execute(_PAIRED, {"article": one}):
            if kind == "excerpt":
                excerpts.add(other_id)
            elif other_id not in core:
                found.add(other_id)
    return core, excerpts - core


_PAIRED = """
    SELECT other_id, kind FROM reprints WHERE article_id = :article
    UNION ALL SELECT article_id, kind FROM reprints WHERE other_id = :article
"""
_MEMBERS = """
    SELECT id, portal_id, published, first_seen FROM articles WHERE id IN (SELECT value FROM json_each(?))
    ORDER BY coalesce(published, first_seen), first_seen, id
"""


def _pending(conn: sqlite3.Connection, *, after: int) -> list[_Pending]:
    rows = conn.execute(
        "SELECT articles.id, articles.version_id, reprint_marks.version_id IS NOT NULL, keys, sample"
        " FROM articles LEFT JOIN reprint_marks ON reprint_marks.article_id = articles.id"
        " LEFT JOIN reprint_sketches AS ahead"
        " ON ahead.article_id = articles.id AND ahead.version_id = articles.version_id"
        " LEFT JOIN reprint_samples AS kept"
        " ON kept.article_id = articles.id AND kept.version_id = articles.version_id"
        " WHERE articles.id > ? AND articles.version_id IS NOT NULL"
        " AND reprint_marks.version_id IS NOT articles.version_id ORDER BY articles.id LIMIT ?",
        (after, BATCH),
    )
    return [_Pending(*row) for row in rows]


def _compare_batch(conn: sqlite3.Connection, words: Words, batch: Sequence[_Pending]) -> None:
    again = [article.id for article in batch if article.is_marked]
    partners = {article_id: _partners(conn, article_id) for article_id in again}
    for end in ("article_id", "other_id"):
        conn.executemany(f"DELETE FROM reprints WHERE {end} = ?", [(article_id,) for article_id in again])  # noqa: S608
    known = words.sketches({article.id: Kept(article.keys, article.sample) for article in batch})
    # Sorted, they meet each page of the tree once. Keys of older versions stay: what they lead to is compared anyway.
    conn.executemany(
        "INSERT INTO reprint_bands (band, article_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        sorted((key, article_id) for article_id, sketch in known.items() for key in sketch.keys),
    )
    conn.executemany(
        "INSERT INTO reprints (article_id, other_id, similarity, kind) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (article_id, other_id) DO UPDATE SET similarity = excluded.similarity, kind = excluded.kind",
        list(_pairs(conn, words, batch, known, partners)),
    )
    conn.executemany(
        "INSERT INTO reprint_marks (article_id, version_id) VALUES (?, ?)"
        " ON CONFLICT (article_id) DO UPDATE SET version_id = excluded.version_id",
        [(article.id, article.version_id) for article in batch],
    )
    conn.executemany("DELETE FROM reprint_sketches WHERE article_id = ?", [(article.id,) for article in batch])


def _pairs(
    conn: sqlite3.Connection,
    words: Words,
    batch: Sequence[_Pending],
    known: Mapping[int, Sketch],
    partners: Mapping[int, Sequence[int]],
) -> Iterator[tuple[int, int, float, str]]:
    compared: set[tuple[int, int]] = set()
    for article in batch:
        sketch = known[article.id]
        pairs = {
            other_id: (min(article.id, other_id), max(article.id, other_id))
            # What an older version was paired with, too: an edit may take away just what they were found by.
            for other_id in (*_candidates(conn, article, sketch.keys), *partners.get(article.id, ()))
        }
        unmet = [other_id for other_id, pair in pairs.items() if pair not in compared]
        compared.update(pairs.values())
        for other_id, sample in words.samples(unmet).items():
            likeness = None if are_far(sketch.sample, sample) else compare(words.of(article.id), words.of(other_id))
            if likeness:
                yield *pairs[other_id], likeness.similarity, likeness.kind


def _candidates(conn: sqlite3.Connection, article: _Pending, found_by: Sequence[int]) -> list[int]:
    """The articles that may tell what one tells, those that share most first."""
    by_key = [_met(conn, _FOUND_BY, key) for key in found_by]
    by_section = [_met(conn, _PRINTED_IN, section) for section in _own_sections(conn, article)] if by_key[1:] else []
    points: Counter[int] = Counter()
    for met in by_key + by_section:
        points.update(dict.fromkeys(met, CROWD // len(met)))
    shared = Counter(chain.from_iterable(by_key))
    del points[article.id], shared[article.id]
    closest = sorted(shared, key=lambda other_id: (-shared[other_id], other_id))[:CLOSEST]
    likely = {other_id for other_id, enough in points.items() if enough >= ENOUGH}
    likely.update(other_id for other_id in closest if CLOSE * shared[other_id] >= len(found_by))
    return sorted(likely, key=lambda other_id: (-shared[other_id], other_id))[:COMPARED_WITH]


def _partners(conn: sqlite3.Connection, article_id: int) -> list[int]:
    return [other_id for other_id, _ in conn.execute(_PAIRED, {"article": article_id})]


def _met(conn: sqlite3.Connection, query: str, value: int) -> list[int]:
    return [article_id for (article_id,) in conn.execute(query, (value, CROWD + 1))]


def _own_sections(conn: sqlite3.Connection, article: _Pending) -> list[int]:
    rows = conn.execute(
        "SELECT DISTINCT section_id FROM version_sections JOIN sections ON sections.id = section_id"
        " WHERE version_id = ? AND role = 'body' AND chars >= ?",
        (article.version_id, SECTION_CHARS),
    )
    return [section_id for (section_id,) in rows]


_FOUND_BY = "SELECT article_id FROM reprint_bands WHERE band = ? ORDER BY article_id LIMIT ?"
_PRINTED_IN = """
    SELECT DISTINCT article_id FROM version_sections JOIN versions ON versions.id = version_id
    WHERE section_id = ? LIMIT ?
"""
