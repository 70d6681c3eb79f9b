"""What is kept of articles' words for finding reprints: tables ``reprint_sketches`` and ``reprint_samples``.

Keys are made where an article is read, and kept only until it was compared: `crawler.archive.reprints` has them in an
index of its own. Samples stay: most candidates are told apart by them, and their texts are never read.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from crawler.text.likeness import Sketch, Wording, sketched, wording
from crawler.text.shingles import packed, unpacked

REMEMBERED = 800_000
"""Characters of texts kept in memory with their shingles: 70 MB at most."""


class Kept(NamedTuple):
    """The stored sketch of an article's newest version."""

    keys: str | None
    """In JSON; None where they were not made ahead."""
    sample: bytes | None


class Words:
    """The words of articles and what is kept of them, of their newest versions."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._kept: dict[int, Wording] = {}
        self._size = 0

    def of(self, article_id: int) -> Wording:
        """An article's words; those asked for lately stay in memory."""
        found = self._kept.pop(article_id, None)
        if found is None:
            title, body = self._conn.execute(
                "SELECT title, body FROM articles JOIN article_texts ON article_texts.article_id = articles.id"
                " WHERE articles.id = ?",
                (article_id,),
            ).fetchone()
            found = wording(title, body)
            self._size += len(found.body)
        self._kept[article_id] = found
        while self._size > REMEMBERED and len(self._kept) > 1:
            self._size -= len(self._kept.pop(next(iter(self._kept))).body)
        return found

    def sketches(self, kept: Mapping[int, Kept]) -> dict[int, Sketch]:
        """The sketches of articles of which *kept* is stored; what lacks is made, and its sample stored."""
        found, made = {}, {}
        for article_id, (keys, sample) in kept.items():
            if keys is None or sample is None:
                found[article_id] = made[article_id] = sketched(self.of(article_id))
            else:
                found[article_id] = Sketch(keys=tuple(json.loads(keys)), sample=unpacked(sample))
        self._store_samples(made)
        return found

    def samples(self, article_ids: Iterable[int]) -> dict[int, frozenset[int]]:
        """The samples of articles; those that an older archive has not are made and stored."""
        rows = self._conn.execute(_SAMPLES, (json.dumps(list(article_ids)),)).fetchall()
        found = {article_id: unpacked(sample) for article_id, sample in rows if sample is not None}
        made = {article_id: sketched(self.of(article_id)) for article_id, sample in rows if sample is None}
        self._store_samples(made)
        return found | {article_id: sketch.sample for article_id, sketch in made.items()}

    def make_ahead(self, article_ids: Iterable[int]) -> None:
        """Make and store the sketches of articles."""
        made = {article_id: sketched(self.of(article_id)) for article_id in article_ids}
        self._conn.executemany(
            "INSERT OR REPLACE INTO reprint_sketches (article_id, version_id, keys)"
            " SELECT id, version_id, ? FROM articles WHERE id = ?",
            ((json.dumps(sketch.keys), article_id) for article_id, sketch in made.items()),
        )
        self._store_samples(made)

    def _store_samples(self, made: Mapping[int, Sketch]) -> None:
        if not made:
            return
        self._conn.executemany(
            "INSERT OR REPLACE INTO reprint_samples (article_id, version_id, sample)"
            " SELECT id, version_id, ? FROM articles WHERE id = ?",
            ((packed(sketch.sample), article_id) for article_id, sketch in made.items()),
        )


def forget(conn: sqlite3.Connection, article_ids: Iterable[int]) -> None:
    """Drop what is kept of articles whose reading text changes without a new version."""
    ids = [(article_id,) for article_id in article_ids]
    conn.executemany("DELETE FROM reprint_sketches WHERE article_id = ?", ids)
    conn.executemany("DELETE FROM reprint_samples WHERE article_id = ?", ids)


_SAMPLES = """
    SELECT articles.id, sample FROM json_each(?) JOIN articles ON articles.id = value
    LEFT JOIN reprint_samples AS kept ON kept.article_id = articles.id AND kept.version_id = articles.version_id
"""
