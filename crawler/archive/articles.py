"""Rows of ``articles``, ``versions`` and ``article_states``: what an article says today, said before, and when.

A portal's version is stored only where it differs from its neighbours in time, so that captures may come late (a merge,
an import of older WARC files) and the same one any number of times.
"""

import sqlite3
from typing import Any, NamedTuple

from crawler.archive import mentions
from crawler.archive.batch import Observation, Outcome, Written
from crawler.archive.captures import Captures
from crawler.archive.readings import Fields, Reading, text_or_none
from crawler.archive.search import Changes
from crawler.archive.texts import Sections, storable
from crawler.archive.times import to_second
from crawler.records import Article

ANSWERS = ("live", "edited")
_ROW = "SELECT id, state, first_seen, last_seen, version_id FROM articles"


class _Row(NamedTuple):
    """An article as it stands."""

    id: int
    state: str
    first_seen: str
    last_seen: str
    version_id: int


class _Version(NamedTuple):
    """A version of the portal, as far as another one is compared with it."""

    id: int
    capture_id: int
    seen_at: str
    extractor: str
    payload_sha256: str
    fields: Fields


class Articles:
    """Writes articles, inside the caller's transaction."""

    def __init__(self, conn: sqlite3.Connection, *, extractor: str, captures: Captures, index: Changes) -> None:
        self._conn = conn
        self._extractor = extractor
        self._captures = captures
        self._index = index
        self._sections = Sections(conn)

    def store(self, reading: Reading) -> Written:
        """Write what one capture showed of an article."""
        article_id, version_id, outcome = self._store(reading)
        return Written(
            portal_id=reading.article.capture.portal_id,
            url=reading.url,
            outcome=outcome,
            article_id=article_id,
            version_id=version_id,
        )

    def observe(self, observation: Observation) -> None:
        """Write what became of an article; an address that is no article's is passed over."""
        row = self._find(observation.portal_id, observation.url)
        if row is None:
            return
        seen_at = to_second(observation.seen_at)
        capture_id = self._captures.id_of(observation.record) if observation.record else None
        if observation.state == "live":
            self._answered(row, seen_at, capture_id)
        elif self._is_news(row, seen_at):
            self._conn.execute(
                "UPDATE articles SET state = ?, redirect_to = ? WHERE id = ?",
                (observation.state, text_or_none(observation.redirect_to), row.id),
            )
            self._note_state(row, observation.state, seen_at, capture_id)

    # A new article, a new version.

    def _store(self, reading: Reading) -> tuple[int, int, Outcome]:
        capture = reading.article.capture
        capture_id = self._captures.id_of(capture.record)
        read_before = self._find_read(capture_id)
        if read_before is not None:
            return read_before.id, read_before.version_id, "unchanged"
        row = self._find(capture.portal_id, reading.url)
        if row is None:
            return *self._add(reading, capture_id), "new"
        return row.id, *self._add_to(row, reading, capture_id)

    def _add(self, reading: Reading, capture_id: int) -> tuple[int, int]:
        article = reading.article
        [(article_id,)] = self._conn.execute(
            'INSERT INTO articles (portal_id, url, title, published, published_basis, source, author, editor, "column",'
            " division_code, division_basis, chars, state, first_seen, last_seen)"
            " VALUES (:portal_id, :url, :title, :published, :published_basis, :source, :author, :editor, :column,"
            " :division_code, :division_basis, :chars, 'live', :seen_at, :seen_at) RETURNING id",
            {"portal_id": article.capture.portal_id, "url": reading.url, **self._shown(reading)},
        ).fetchall()
        self._index.expect([article_id])
        version_id = self._add_version(article_id, capture_id, reading)
        self._conn.execute("UPDATE articles SET version_id = ? WHERE id = ?", (version_id, article_id))
        self._add_linked(article_id, article)
        mentions.store(self._conn, article_id, article.mentions)
        return article_id, version_id

    def _add_to(self, row: _Row, reading: Reading, capture_id: int) -> tuple[int, Outcome]:
        before = self._neighbour(row.id, "seen_at <= ? ORDER BY seen_at DESC, versions.id DESC", reading.seen_at)
        after = self._neighbour(row.id, "seen_at > ? ORDER BY seen_at, versions.id", reading.seen_at)
        neighbours = [version for version in (before, after) if version is not None]
        if _is_amid(row, before, after, reading.seen_at) or any(self._shows_the_same(v, reading) for v in neighbours):
            self._answered(row, reading.seen_at, capture_id)
            return row.version_id, "unchanged"
        version_id = self._add_version(row.id, capture_id, reading)
        if after is None:
            self._show(row, reading, version_id, capture_id)
            return version_id, "changed"
        self._came_late(row, reading.seen_at, after)
        return row.version_id, "changed"

    def _show(self, row: _Row, reading: Reading, version_id: int, capture_id: int) -> None:
        """Make a version today's face of its article."""
        self._index.expect([row.id])
        is_news = self._is_news(row, reading.seen_at)
        self._conn.execute(
            "UPDATE articles SET title = :title, published = :published, published_basis = :published_basis,"
            ' source = :source, author = :author, editor = :editor, "column" = :column,'
            " division_code = :division_code, division_basis = :division_basis, chars = :chars,"
            " last_seen = max(last_seen, :seen_at),"
            " state = iif(:is_news, 'edited', state), redirect_to = iif(:is_news, NULL, redirect_to),"
            " version_id = :version_id WHERE id = :id",
            {"id": row.id, "version_id": version_id, "is_news": is_news, **self._shown(reading)},
        )
        if is_news:
            self._note_state(row, "edited", reading.seen_at, capture_id)
        self._add_linked(row.id, reading.article)
        mentions.store(self._conn, row.id, reading.article.mentions)

    def _came_late(self, row: _Row, seen_at: str, after: _Version) -> None:
        """A version older than one that is stored: today's face stays, but there was an edit."""
        self._conn.execute(
            "UPDATE articles SET first_seen = min(first_seen, ?), state = iif(state = 'live', 'edited', state)"
            " WHERE id = ?",
            (seen_at, row.id),
        )
        if row.state == "live":
            self._note_state(row, "edited", after.seen_at, after.capture_id)

    def _add_version(self, article_id: int, capture_id: int, reading: Reading) -> int:
        article = reading.article
        [(version_id,)] = self._conn.execute(
            "INSERT INTO versions (article_id, capture_id, extractor, seen_at, meta_published, chars,"
            " title, published, source, author, editor, text_sha256)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (
                article_id,
                capture_id,
                self._extractor,
                reading.seen_at,
                text_or_none(article.meta_published),
                reading.chars,
                *reading.fields,
            ),
        ).fetchall()
        self._sections.store(version_id, reading.paragraphs)
        return int(version_id)

    def _add_linked(self, article_id: int, article: Article) -> None:
        self._conn.executemany(
            "INSERT INTO attachments (article_id, url, title) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [(article_id, storable(linked.url), text_or_none(linked.title)) for linked in article.attachments],
        )
        self._conn.executemany(
            "INSERT INTO images (article_id, url, caption) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [(article_id, storable(image.url), text_or_none(image.caption)) for image in article.images],
        )

    def _shown(self, reading: Reading) -> dict[str, Any]:
        article = reading.article
        shown: dict[str, Any] = reading.fields._asdict()
        del shown["text_sha256"]
        return shown | {
            "published_basis": article.published_basis,
            "column": text_or_none(article.column),
            "division_code": article.division,
            "division_basis": article.division_basis,
            "chars": reading.chars,
            "seen_at": reading.seen_at,
        }

    # What stands already.

    def _find(self, portal_id: str, url: str) -> _Row | None:
        row = self._conn.execute(f"{_ROW} WHERE portal_id = ? AND url = ?", (portal_id, url)).fetchone()
        return _Row(*row) if row else None

    def _find_read(self, capture_id: int) -> _Row | None:
        """The article as which these rules have read the capture already, under whatever address."""
        of_version = "WHERE id = (SELECT article_id FROM versions WHERE capture_id = ? AND extractor = ?)"
        row = self._conn.execute(f"{_ROW} {of_version}", (capture_id, self._extractor)).fetchone()
        return _Row(*row) if row else None

    def _neighbour(self, article_id: int, where: str, seen_at: str) -> _Version | None:
        row = self._conn.execute(
            "SELECT versions.id, capture_id, seen_at, extractor, payload_sha256,"  # noqa: S608 - the two calls above
            " title, published, source, author, editor, text_sha256"
            " FROM versions JOIN captures ON captures.id = capture_id"
            f" WHERE article_id = ? AND replaces IS NULL AND {where} LIMIT 1",
            (article_id, seen_at),
        ).fetchone()
        if row is None:
            return None
        version_id, capture_id, version_seen_at, extractor, payload_sha256, *fields = row
        return _Version(version_id, capture_id, version_seen_at, extractor, payload_sha256, Fields(*fields))

    def _shows_the_same(self, version: _Version, reading: Reading) -> bool:
        """The same bytes are never an edit, whatever rules read them; else the same rules are asked where they were."""
        if version.payload_sha256 == reading.article.capture.payload_sha256 or version.fields == reading.fields:
            return True
        if version.extractor == self._extractor:
            return False
        row = self._conn.execute(
            "SELECT title, published, source, author, editor, text_sha256 FROM versions"
            " WHERE capture_id = ? AND extractor = ?",
            (version.capture_id, self._extractor),
        ).fetchone()
        return row is not None and Fields(*row) == reading.fields

    # States.

    def _answered(self, row: _Row, seen_at: str, capture_id: int | None) -> None:
        """The article was there at *seen_at*, and as before."""
        self._conn.execute(
            "UPDATE articles SET first_seen = min(first_seen, ?), last_seen = max(last_seen, ?) WHERE id = ?",
            (seen_at, seen_at, row.id),
        )
        if row.state not in ANSWERS and self._is_news(row, seen_at):
            [(versions,)] = self._conn.execute(
                "SELECT count(*) FROM versions WHERE article_id = ? AND replaces IS NULL", (row.id,)
            ).fetchall()
            state = "edited" if versions > 1 else "live"
            self._conn.execute("UPDATE articles SET state = ?, redirect_to = NULL WHERE id = ?", (state, row.id))
            self._note_state(row, state, seen_at, capture_id)

    def _is_news(self, row: _Row, seen_at: str) -> bool:
        """Whether nothing later than *seen_at* was observed of the article."""
        [(since,)] = self._conn.execute(
            "SELECT max(since) FROM article_states WHERE article_id = ?", (row.id,)
        ).fetchall()
        return seen_at >= max(row.last_seen, since or "")

    def _note_state(self, row: _Row, state: str, since: str, capture_id: int | None) -> None:
        """A change of state gets a row; of two in one second the later stays."""
        if state != row.state:
            self._conn.execute(
                "INSERT INTO article_states (article_id, since, state, capture_id) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (article_id, since)"
                " DO UPDATE SET state = excluded.state, capture_id = excluded.capture_id",
                (row.id, since, state, capture_id),
            )


def _is_amid(row: _Row, before: _Version | None, after: _Version | None, seen_at: str) -> bool:
    """Whether the article showed one and the same version before and after *seen_at*.

    What a late capture shows there came and went between two sightings; the capture alone tells of it.
    """
    return (after is None and seen_at < row.last_seen) or (before is None and seen_at > row.first_seen)
