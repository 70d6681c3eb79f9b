"""Rows of ``articles``, ``versions`` and ``article_states``: what an article says today, said before, and when.

A portal's version is stored only where it differs from its neighbours in time, so that captures may come late (a merge,
an import of older WARC files) and the same one any number of times.
"""

import sqlite3
from typing import Any, NamedTuple

from crawler.archive import mentions
from crawler.archive.batch import Observation, Outcome, Written
from crawler.archive.captures import Captures
from crawler.archive.media import CAPTURE_OF
from crawler.archive.readings import Reading, text_or_none
from crawler.archive.search import Changes
from crawler.archive.texts import storable
from crawler.archive.times import to_second
from crawler.archive.versions import Version, Versions
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


class Articles:
    """Writes articles, inside the caller's transaction."""

    def __init__(self, conn: sqlite3.Connection, *, extractor: str, captures: Captures, index: Changes) -> None:
        self._conn = conn
        self._captures = captures
        self._index = index
        self._versions = Versions(conn, extractor=extractor)

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

    # What other rules read.

    def reread(self, article_id: int, reading: Reading, version_id: int | None = None) -> None:
        """Let an article say what a *reading* says; *version_id*: its row, where it has one of its own."""
        self._index.expect([article_id])
        self._conn.execute(
            "UPDATE articles SET title = :title, published = :published, published_basis = :published_basis,"
            ' source = :source, author = :author, editor = :editor, "column" = :column,'
            " division_code = :division_code, division_basis = :division_basis, chars = :chars,"
            " version_id = coalesce(:version_id, version_id) WHERE id = :id",
            {"id": article_id, "version_id": version_id, **self._shown(reading)},
        )
        self._add_linked(article_id, reading.article)
        mentions.store(self._conn, article_id, reading.article.mentions)

    def found_edited(self, article_id: int, reading: Reading) -> int:
        """Write an edit of the portal that older rules did not see, and return the version's id."""
        row = _Row(*self._conn.execute(f"{_ROW} WHERE id = ?", (article_id,)).fetchone())
        capture_id = self._captures.id_of(reading.article.capture.record)
        if row.state == "live":
            self._conn.execute("UPDATE articles SET state = 'edited' WHERE id = ?", (article_id,))
            self._note_state(row, "edited", reading.seen_at, capture_id)
        return self._versions.add(article_id, capture_id, reading)

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
        version_id = self._versions.add(article_id, capture_id, reading)
        self._conn.execute("UPDATE articles SET version_id = ? WHERE id = ?", (version_id, article_id))
        self._add_linked(article_id, article)
        mentions.store(self._conn, article_id, article.mentions)
        return article_id, version_id

    def _add_to(self, row: _Row, reading: Reading, capture_id: int) -> tuple[int, Outcome]:
        before = self._versions.before(row.id, reading.seen_at)
        after = self._versions.after(row.id, reading.seen_at)
        neighbours = [version for version in (before, after) if version is not None]
        if _is_amid(row, before, after, reading.seen_at) or any(_shows_the_same(v, reading) for v in neighbours):
            self._answered(row, reading.seen_at, capture_id)
            if after is None:
                self._add_linked(row.id, reading.article)  # a file was exchanged, and no word of the page
            return row.version_id, "unchanged"
        version_id = self._versions.add(row.id, capture_id, reading)
        if after is None:
            self._show(row, reading, version_id, capture_id)
            return version_id, "changed"
        self._came_late(row, reading.seen_at, after)
        return row.version_id, "changed"

    def _show(self, row: _Row, reading: Reading, version_id: int, capture_id: int) -> None:
        """Make a version of the portal today's face of its article."""
        self.reread(row.id, reading, version_id)
        is_news = self._is_news(row, reading.seen_at)
        self._conn.execute(
            "UPDATE articles SET last_seen = max(last_seen, :seen_at),"
            " state = iif(:is_news, 'edited', state), redirect_to = iif(:is_news, NULL, redirect_to) WHERE id = :id",
            {"id": row.id, "is_news": is_news, "seen_at": reading.seen_at},
        )
        if is_news:
            self._note_state(row, "edited", reading.seen_at, capture_id)

    def _came_late(self, row: _Row, seen_at: str, after: Version) -> None:
        """A version older than one that is stored: today's face stays, but there was an edit."""
        self._conn.execute(
            "UPDATE articles SET first_seen = min(first_seen, ?), state = iif(state = 'live', 'edited', state)"
            " WHERE id = ?",
            (seen_at, row.id),
        )
        if row.state == "live":
            self._note_state(row, "edited", after.seen_at, after.capture_id)

    def _add_linked(self, article_id: int, article: Article) -> None:
        linked = {
            "attachments (article_id, url, title, capture_id)": [
                (file.url, file.title) for file in article.attachments
            ],
            "images (article_id, url, caption, capture_id)": [(image.url, image.caption) for image in article.images],
        }
        for table, rows in linked.items():
            self._conn.executemany(
                f"INSERT INTO {table} VALUES (:article, :url, :said, ({CAPTURE_OF})) ON CONFLICT DO NOTHING",  # noqa: S608
                [
                    {
                        "article": article_id,
                        "url": storable(url),
                        "said": text_or_none(said),
                        "portal": article.capture.portal_id,
                    }
                    for url, said in rows
                ],
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
        article_id = self._versions.article_of(capture_id)
        row = self._conn.execute(f"{_ROW} WHERE id = ?", (article_id,)).fetchone()
        return _Row(*row) if row else None

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


def _shows_the_same(version: Version, reading: Reading) -> bool:
    """The same bytes are never an edit, whatever rules read them."""
    is_same_payload = version.payload_sha256 == reading.article.capture.payload_sha256
    return is_same_payload or version.fields == reading.fields


def _is_amid(row: _Row, before: Version | None, after: Version | None, seen_at: str) -> bool:
    """Whether the article showed one and the same version before and after *seen_at*.

    What a late capture shows there came and went between two sightings; the capture alone tells of it.
    """
    return (after is None and seen_at < row.last_seen) or (before is None and seen_at > row.first_seen)
