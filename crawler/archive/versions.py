"""Rows of ``versions``: what a capture showed, read by one set of rules. Written once, never updated.

A version of the portal has ``replaces`` NULL. Where other rules, or another entry in the catalogue, read the same
capture otherwise, that is a row of its own, whose ``replaces`` names the reading before it. The newest reading of a
capture is the one with the highest id.
"""

import sqlite3
from typing import NamedTuple

from crawler.archive import spam
from crawler.archive.readings import Fields, Reading, text_or_none
from crawler.archive.texts import Sections

NEWEST_READING = "(SELECT max(id) FROM versions AS reading WHERE reading.capture_id = {capture})"
"""SQL: the newest reading of a capture."""
NUMBER = "/"
"""Between the name of the rules and the number of their reading, from the second one of a capture on."""


class Version(NamedTuple):
    """A version of the portal, as far as another one is compared with it."""

    id: int
    capture_id: int
    seen_at: str
    payload_sha256: str
    fields: Fields
    """By the newest reading of its capture."""


class Versions:
    """Writes versions with their paragraphs and injected runs, inside the caller's transaction."""

    def __init__(self, conn: sqlite3.Connection, *, extractor: str) -> None:
        self._conn = conn
        self._extractor = extractor
        self._sections = Sections(conn)

    def add(self, article_id: int, capture_id: int, reading: Reading, *, replaces: int | None = None) -> int:
        """Write a version and return its id; one that *replaces* another reading of the capture is no edit."""
        [(version_id,)] = self._conn.execute(
            "INSERT INTO versions (article_id, capture_id, extractor, seen_at, meta_published, chars, replaces,"
            " title, published, source, author, editor, text_sha256)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (
                article_id,
                capture_id,
                self._extractor if replaces is None else self._next_name(capture_id),
                reading.seen_at,
                text_or_none(reading.article.meta_published),
                reading.chars,
                replaces,
                *reading.fields,
            ),
        ).fetchall()
        self._sections.store(version_id, reading.paragraphs)
        texts = [paragraph.text for paragraph in reading.paragraphs]
        spam.store(self._conn, version_id, texts, reading.article.spam)
        return int(version_id)

    def article_of(self, capture_id: int) -> int | None:
        """The article as which these rules have read the capture already, under whatever address."""
        row = self._conn.execute(
            "SELECT article_id FROM versions WHERE capture_id = ? AND extractor = ?", (capture_id, self._extractor)
        ).fetchone()
        return row[0] if row else None

    def before(self, article_id: int, seen_at: str) -> Version | None:
        """The portal's last version that was seen until *seen_at*."""
        return self._neighbour(article_id, "seen_at <= ? ORDER BY seen_at DESC, own.id DESC", seen_at)

    def after(self, article_id: int, seen_at: str) -> Version | None:
        """The portal's first version that was seen after *seen_at*."""
        return self._neighbour(article_id, "seen_at > ? ORDER BY seen_at, own.id", seen_at)

    def _neighbour(self, article_id: int, where: str, seen_at: str) -> Version | None:
        row = self._conn.execute(
            "SELECT own.id, own.capture_id, own.seen_at, payload_sha256, read.title, read.published, read.source,"  # noqa: S608 - the two calls above
            " read.author, read.editor, read.text_sha256"
            " FROM (SELECT id, capture_id, seen_at FROM versions AS own"
            f" WHERE article_id = ? AND replaces IS NULL AND {where} LIMIT 1) AS own"
            " JOIN captures ON captures.id = own.capture_id"
            f" JOIN versions AS read ON read.id = {NEWEST_READING.format(capture='own.capture_id')}",
            (article_id, seen_at),
        ).fetchone()
        if row is None:
            return None
        version_id, of_capture, at, payload_sha256, *fields = row
        return Version(version_id, of_capture, at, payload_sha256, Fields(*fields))

    def _next_name(self, capture_id: int) -> str:
        """The rules' own name; with a number where they read the capture before, under another catalogue entry."""
        name = self._extractor
        taken = {
            extractor
            for (extractor,) in self._conn.execute("SELECT extractor FROM versions WHERE capture_id = ?", (capture_id,))
        }
        return next(
            each for each in (name, *(f"{name}{NUMBER}{n}" for n in range(2, len(taken) + 3))) if each not in taken
        )
