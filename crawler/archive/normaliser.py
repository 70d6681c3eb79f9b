"""The fold by which an archive's paragraphs are keyed, and what happens when the program brings another one.

A section is the place where texts of one key meet. Under another fold some of them part and others meet: all texts of
the sections that this touches are put together anew, as if they had been written under the new fold from the beginning.
What a version says stays, byte for byte, and so do the ids of sections: one keeps its id where its text leads, and of
several that meet the oldest id stays.
"""

import sqlite3
from collections.abc import Callable

from crawler.text.folding import FOLD_VERSION, fold_hash

STORED_VERSION = "SELECT version FROM normaliser"


def fold_version(conn: sqlite3.Connection) -> int:
    """The version of the fold by which the archive's keys were made."""
    version: int = conn.execute(STORED_VERSION).fetchone()[0]
    return version


def refold(conn: sqlite3.Connection, key_of: Callable[[str], int] = fold_hash, *, version: int = FOLD_VERSION) -> None:
    """Key every paragraph by *key_of*, the fold of *version*, inside the caller's transaction.

    What else was made by the fold is emptied: the full-text index, the reprints, the counts of boilerplate. What
    catches up with every run makes it anew.
    """
    conn.create_function("new_key", 1, key_of, deterministic=True)
    conn.create_function("code_points", 1, len, deterministic=True)  # SQLite's length() ends at a NUL
    try:
        for statement in (*_EMPTY, *_REGROUP):
            conn.execute(statement)
    finally:
        conn.create_function("new_key", 1, None)
        conn.create_function("code_points", 1, None)
    conn.execute("UPDATE normaliser SET version = ?", (version,))


_EMPTY = (
    "INSERT INTO articles_fts (articles_fts) VALUES ('delete-all')",
    "DELETE FROM reprints",
    "DELETE FROM reprint_bands",
    "DELETE FROM reprint_marks",
    "DELETE FROM reprint_sketches",
    "DELETE FROM reprint_samples",
    "DELETE FROM boilerplate",
    "DELETE FROM boilerplate_pages",
    "UPDATE boilerplate_mark SET version_id = 0",
    "INSERT OR REPLACE INTO boilerplate_unsettled (portal_id, article_id) SELECT id, 0 FROM portals",
)
_REGROUP = (
    # A section is touched where a text of it gets another key, or where such a text arrives.
    "CREATE TEMP TABLE moved (section_id INTEGER, fold_hash INTEGER)",
    "INSERT INTO moved SELECT id, new_key(text) FROM sections WHERE new_key(text) <> fold_hash",
    """
    INSERT INTO moved SELECT section_id, new_key(here.text)
    FROM version_sections AS here JOIN sections ON sections.id = section_id
    WHERE here.text IS NOT NULL AND new_key(here.text) <> fold_hash
    """,
    "CREATE TEMP TABLE touched (id INTEGER PRIMARY KEY, fold_hash INTEGER)",
    """
    INSERT INTO touched SELECT id, new_key(text) FROM sections
    WHERE id IN (SELECT section_id FROM moved) OR fold_hash IN (SELECT fold_hash FROM moved)
    """,
    """
    CREATE TEMP TABLE places (
        fold_hash INTEGER, version_id INTEGER, position INTEGER, text TEXT,
        PRIMARY KEY (fold_hash, version_id, position)
    ) WITHOUT ROWID
    """,
    """
    INSERT INTO places
    SELECT new_key(coalesce(here.text, sections.text)), version_id, position, coalesce(here.text, sections.text)
    FROM touched JOIN sections ON sections.id = touched.id JOIN version_sections AS here ON section_id = touched.id
    """,
    # The first place of each key gives a section its text: the others find it taken.
    "CREATE TEMP TABLE found (fold_hash INTEGER PRIMARY KEY, id INTEGER, text TEXT, first_version_id INTEGER)",
    """
    INSERT INTO found (fold_hash, text, first_version_id)
    SELECT fold_hash, text, version_id FROM places WHERE true ORDER BY fold_hash, version_id, position
    ON CONFLICT DO NOTHING
    """,
    "CREATE INDEX temp.touched_by_key ON touched (fold_hash)",
    "UPDATE found SET id = (SELECT min(touched.id) FROM touched WHERE touched.fold_hash = found.fold_hash)",
    # Two sections may change their keys with each other: all go before one comes.
    "PRAGMA defer_foreign_keys = ON",
    "DELETE FROM sections WHERE id IN (SELECT id FROM touched)",
    """
    INSERT INTO sections (id, fold_hash, text, chars, first_version_id)
    SELECT id, fold_hash, text, code_points(text), first_version_id FROM found ORDER BY id IS NULL, id, first_version_id
    """,
    """
    UPDATE version_sections SET section_id = now.id, text = nullif(places.text, now.text)
    FROM places JOIN sections AS now ON now.fold_hash = places.fold_hash
    WHERE version_sections.version_id = places.version_id AND version_sections.position = places.position
        AND (version_sections.section_id <> now.id OR version_sections.text IS NOT nullif(places.text, now.text))
    """,
    "DROP TABLE moved",
    "DROP TABLE touched",
    "DROP TABLE places",
    "DROP TABLE found",
)
