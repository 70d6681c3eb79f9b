"""Articles of which archive and shard both know something: one history is made of the two.

Few of a night's articles come here: edits, those that changed their state, and those that two workers saw because the
first one was killed.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from crawler.archive import mentions
from crawler.archive.articles import Articles
from crawler.archive.captures import Captures
from crawler.archive.connection import ArchiveError
from crawler.archive.merging.rows import CONTESTED
from crawler.archive.merging.timeline import Sighting, State, missing, states
from crawler.archive.readings import Fields, Reading
from crawler.archive.search import Changes
from crawler.archive.times import parse
from crawler.archive.versions import NEWEST_READING, Versions
from crawler.records import Article, Attachment, Capture, Image, Mention, Paragraph, RecordRef, SpamSpan

BATCH = 500
"""Articles whose words are in memory at a time, for the full-text index: 10 kB each."""


def join(conn: sqlite3.Connection) -> int:
    """Make one history of each contested article, and return how many versions that brought.

    The shard's captures have to be in the archive. Raises ArchiveError for a shard that lacks a version's text.
    """
    pairs = iter(conn.execute(f"SELECT id, new FROM temp.{CONTESTED} ORDER BY new").fetchall())  # noqa: S608
    brought = 0
    while batch := list(islice(pairs, BATCH)):
        index = Changes(conn)
        index.expect([ours for _, ours in batch])
        brought += sum(_Contested(conn, theirs, ours, index).join() for theirs, ours in batch)
        index.write()
    return brought


class _Contested:
    """One article: *theirs* is its id in the shard, *ours* in the archive."""

    def __init__(self, conn: sqlite3.Connection, theirs: int, ours: int, index: Changes) -> None:
        self._conn = conn
        self._theirs = theirs
        self._ours = ours
        self._index = index

    def join(self) -> int:
        """Write what is missing; how many versions that was."""
        answers = self._answers()
        added = sum(self._add(sighting) for sighting in missing(self._sightings(answers)))
        if added:
            self._show()
        self._write_states(answers)
        self._conn.execute(
            "UPDATE main.articles SET first_seen = min(articles.first_seen, theirs.first_seen),"
            " last_seen = max(articles.last_seen, theirs.last_seen)"
            " FROM shard.articles AS theirs WHERE articles.id = ? AND theirs.id = ?",
            (self._ours, self._theirs),
        )
        return added

    # What each side knows.

    def _answers(self) -> list[State]:
        """The first and the last sightings of both sides, with the captures that show them."""
        moments = self._conn.execute(
            "SELECT first_seen, last_seen FROM main.articles WHERE id = ?", (self._ours,)
        ).fetchone()
        moments += self._conn.execute(
            "SELECT first_seen, last_seen FROM shard.articles WHERE id = ?", (self._theirs,)
        ).fetchone()
        return [State(since=at, state="live", capture=self._capture_at(at)) for at in moments]

    def _capture_at(self, at: str) -> int | None:
        """The capture in the archive, whoever made it, that shows the article at a moment."""
        row = self._conn.execute(
            _CAPTURE_AT, {"article": self._ours, "from": at.removesuffix("Z"), "at": at}
        ).fetchone()
        return row[0] if row else None

    def _sightings(self, answers: Sequence[State]) -> list[Sighting]:
        ours = [
            Sighting(at=at, fields=Fields(*fields), payload_sha256=payload, is_stored=True, version=version)
            for version, at, payload, *fields in self._conn.execute(_OUR_VERSIONS, (self._ours,))
        ]
        theirs = [
            Sighting(
                at=at,
                fields=Fields(*fields),
                payload_sha256=payload,
                version=known or version,
                capture=capture,
                is_theirs=known is None,
                is_stored=known is not None,
            )
            for version, at, payload, *fields, capture, known in self._conn.execute(_THEIR_VERSIONS, (self._theirs,))
        ]
        bare = _bare(ours, answers[:2]) + _bare(theirs, answers[2:])
        return ours + [sighting for sighting in theirs if sighting.is_theirs] + bare

    # What is written.

    def _add(self, sighting: Sighting) -> bool:
        """Write the version that a sighting is to become; False where its capture was read already, as something else.

        A sighting without a version of its own says what an older version says: the portal took an edit back.
        """
        if sighting.capture is None:
            raise ValueError("a sighting without a capture cannot become a version")
        if not sighting.is_theirs:
            return _repeat(self._conn, sighting)
        extractor, reading = self._reading(sighting.version)
        versions = Versions(self._conn, extractor=extractor)
        if versions.article_of(sighting.capture) is not None:
            return False
        versions.add(self._ours, sighting.capture, replace(reading, seen_at=sighting.at))
        return True

    def _show(self) -> None:
        """Let the article say what its newest version says, where that is another one now."""
        newest, shown = self._conn.execute(
            f"SELECT {NEWEST_READING.format(capture='last.capture_id')}, articles.version_id"  # noqa: S608
            " FROM main.articles JOIN (SELECT capture_id FROM main.versions WHERE article_id = :id AND replaces IS NULL"
            " ORDER BY seen_at DESC, id DESC LIMIT 1) AS last WHERE articles.id = :id",
            {"id": self._ours},
        ).fetchone()
        if newest == shown:
            return
        capture, extractor, seen_at = self._conn.execute(
            "SELECT capture_id, extractor, seen_at FROM main.versions WHERE id = ?", (newest,)
        ).fetchone()
        [(last_seen,)] = self._conn.execute("SELECT last_seen FROM shard.articles WHERE id = ?", (self._theirs,))
        version = self._conn.execute(
            "SELECT theirs.id FROM shard.versions AS theirs JOIN temp.capture_ids AS ids ON ids.id = capture_id"
            " WHERE ids.new = ? AND extractor = ? AND article_id = ?",
            (capture, extractor, self._theirs),
        ).fetchone()
        if version:
            _, reading = self._reading(version[0])
            Articles(self._conn, extractor=extractor, captures=Captures(self._conn), index=self._index).reread(
                self._ours, reading, newest
            )
            return
        self._conn.execute(_SHOW_AGAIN, {"id": self._ours, "version": newest})
        if last_seen >= seen_at:  # the shard saw it last, so that it knows what no version says
            self._conn.execute(_SHOW_BESIDES, {"id": self._ours, "theirs": self._theirs})
        mentions.refresh(self._conn, [self._ours])

    def _write_states(self, answers: Sequence[State]) -> None:
        told = self._conn.execute(_TOLD, {"ours": self._ours, "theirs": self._theirs}).fetchall()
        versions = self._conn.execute(
            "SELECT seen_at, 'edited', capture_id FROM main.versions WHERE article_id = ? AND replaces IS NULL"
            " ORDER BY seen_at, id",
            (self._ours,),
        ).fetchall()
        rows = states(
            (State(since=since, state=state, capture=capture) for since, state, capture in told),
            edits=(State(since=since, state=state, capture=capture) for since, state, capture in versions[1:]),
            answers=answers,
        )
        self._conn.execute("DELETE FROM main.article_states WHERE article_id = ?", (self._ours,))
        self._conn.executemany(
            "INSERT INTO main.article_states (article_id, since, state, capture_id) VALUES (?, ?, ?, ?)",
            [(self._ours, row.since, row.state, row.capture) for row in rows],
        )
        self._conn.execute(
            _SET_STATE, {"ours": self._ours, "theirs": self._theirs, "state": rows[-1].state if rows else "live"}
        )

    # A version of the shard.

    def _reading(self, version_id: int) -> tuple[str, Reading]:
        """The rules that read one of the shard's versions, and what they read."""
        row = self._conn.execute(_READ, (version_id,)).fetchone()
        (extractor, seen_at, meta, chars, replaces, *read) = row
        fields, shown, place, portal_id, url = Fields(*read[:6]), read[6:10], read[10:14], read[14], read[15]
        if replaces is not None:
            raise ArchiveError("it holds another reading of a page that this archive has; that is no crawl's shard")
        paragraphs = tuple(
            Paragraph(text=text, role=role, fold_hash=key)
            for text, role, key in self._conn.execute(_PARAGRAPHS, (version_id,))
        )
        if chars and not paragraphs:
            raise ArchiveError("it builds on rows that this archive has not: it is another archive's shard")
        basis, column, division, division_basis = shown
        file, offset, length, payload = place
        capture = Capture(
            run_id="",
            portal_id=portal_id,
            kind="article",
            url=url,
            fetched_at=parse(seen_at),
            status=200,
            payload_sha256=payload,
            record=RecordRef(file=file, offset=offset, length=length),
        )
        article = Article(
            capture=capture,
            encoding="",
            kind="article",
            title=fields.title,
            published=fields.published,
            published_basis=basis,
            meta_published=meta,
            source=fields.source,
            author=fields.author,
            editor=fields.editor,
            column=column,
            division=division,
            division_basis=division_basis,
            paragraphs=paragraphs,
            spam=tuple(
                SpamSpan(position=position, start=start, end=end, text=text, rule=rule, score=score, cut=bool(cut))
                for position, start, end, text, rule, score, cut in self._conn.execute(_SPANS, (version_id,))
            ),
            mentions=tuple(Mention(division_code=code, count=count) for code, count in self._all(_MENTIONS)),
            attachments=tuple(Attachment(url=found, title=title) for found, title in self._all(_ATTACHMENTS)),
            images=tuple(Image(url=found, caption=caption) for found, caption in self._all(_IMAGES)),
        )
        return extractor, Reading(
            article=article, url=url, seen_at=seen_at, fields=fields, paragraphs=paragraphs, chars=chars
        )

    def _all(self, question: str) -> list[Any]:
        """The rows that answer a question about the shard's article."""
        return self._conn.execute(question, (self._theirs,)).fetchall()


def _bare(versions: Sequence[Sighting], answers: Sequence[State]) -> list[Sighting]:
    """What a side's first and last sightings showed: its first and its last version, whatever moment these are of."""
    if not versions:
        return []
    first, last = answers
    return [
        Sighting(
            at=answer.since,
            fields=version.fields,
            payload_sha256=version.payload_sha256,
            version=version.version,
            is_theirs=version.is_theirs,
            capture=answer.capture,
        )
        for answer, version in ((first, versions[0]), (last, versions[-1]))
        if answer.since != version.at
    ]


def _repeat(conn: sqlite3.Connection, sighting: Sighting) -> bool:
    """Write what a version of the archive says once more, for another moment."""
    values = {"version": sighting.version, "capture": sighting.capture, "at": sighting.at}
    repeated = conn.execute(_REPEAT, values).fetchall()
    for (version_id,) in repeated:
        for table in ("version_sections", "spam_spans"):
            columns = [row[1] for row in conn.execute(f"PRAGMA main.table_info({table})") if row[1] != "version_id"]
            names = ", ".join(f'"{column}"' for column in columns)
            conn.execute(
                f"INSERT INTO main.{table} (version_id, {names})"  # noqa: S608 - names of ours
                f" SELECT ?, {names} FROM main.{table} WHERE version_id = ?",
                (version_id, sighting.version),
            )
    return bool(repeated)


_FIELDS = "title, published, source, author, editor, text_sha256"
_OUR_VERSIONS = f"""
    SELECT read.id, own.seen_at, payload_sha256, {", ".join(f"read.{name}" for name in _FIELDS.split(", "))}
    FROM main.versions AS own JOIN main.captures ON captures.id = own.capture_id
    JOIN main.versions AS read ON read.id = {NEWEST_READING.format(capture="own.capture_id")}
    WHERE own.article_id = ? AND own.replaces IS NULL ORDER BY own.seen_at, own.id
"""  # noqa: S608 - constants of ours
# A version that the archive has is compared by the archive's newest reading of it.
_THEIR_VERSIONS = f"""
    SELECT own.id, own.seen_at, payload_sha256, {", ".join(f"own.{name}" for name in _FIELDS.split(", "))},
        (SELECT new FROM temp.capture_ids WHERE id = own.capture_id),
        (SELECT new FROM temp.version_ids WHERE id = own.id)
    FROM shard.versions AS own JOIN shard.captures ON captures.id = own.capture_id
    WHERE own.article_id = ? AND own.replaces IS NULL ORDER BY own.seen_at, own.id
"""  # noqa: S608
_CAPTURE_AT = """
    SELECT captures.id FROM main.articles
    JOIN main.captures ON captures.portal_id = articles.portal_id AND captures.url IN (
        SELECT articles.url UNION SELECT page.url FROM main.versions JOIN main.captures AS page
            ON page.id = versions.capture_id WHERE versions.article_id = articles.id)
    WHERE articles.id = :article AND fetched_at >= :from AND fetched_at <= :at
        AND status IN (200, 304) AND truncated IS NULL ORDER BY captures.id LIMIT 1
"""
_TOLD = """
    SELECT since, state, capture_id FROM main.article_states WHERE article_id = :ours
    UNION SELECT since, state, (SELECT new FROM temp.capture_ids WHERE id = capture_id)
    FROM shard.article_states WHERE article_id = :theirs
"""
# Where it leads: what the side tells that saw it there last.
_SET_STATE = """
    UPDATE main.articles SET state = :state, redirect_to = iif(:state <> 'redirected', NULL, (
        SELECT redirect_to FROM (
            SELECT redirect_to, (SELECT max(since) FROM main.article_states WHERE article_id = :ours
                AND article_states.state = 'redirected') AS since
            FROM main.articles AS own WHERE id = :ours AND own.state = 'redirected'
            UNION ALL
            SELECT redirect_to, (SELECT max(since) FROM shard.article_states WHERE article_id = :theirs
                AND article_states.state = 'redirected')
            FROM shard.articles AS own WHERE id = :theirs AND own.state = 'redirected')
        WHERE redirect_to IS NOT NULL ORDER BY since DESC LIMIT 1))
    WHERE id = :ours
"""
_READ = f"""
    SELECT extractor, seen_at, meta_published, versions.chars, replaces,
        {", ".join(f"versions.{name}" for name in _FIELDS.split(", "))},
        published_basis, "column", division_code, division_basis,
        warc_file, warc_offset, warc_length, payload_sha256, articles.portal_id, articles.url
    FROM shard.versions JOIN shard.articles ON articles.id = article_id
    JOIN shard.captures ON captures.id = versions.capture_id WHERE versions.id = ?
"""  # noqa: S608
_PARAGRAPHS = """
    SELECT coalesce(place.text, sections.text), role, fold_hash FROM shard.version_sections AS place
    JOIN shard.sections ON sections.id = section_id WHERE version_id = ? ORDER BY position
"""
_SPANS = 'SELECT position, start, "end", text, rule, score, cut FROM shard.spam_spans WHERE version_id = ?'
_MENTIONS = "SELECT division_code, count FROM shard.mentions WHERE article_id = ?"
_ATTACHMENTS = "SELECT url, title FROM shard.attachments WHERE article_id = ?"
_IMAGES = "SELECT url, caption FROM shard.images WHERE article_id = ?"
_SHOW_AGAIN = """
    UPDATE main.articles SET version_id = said.id, title = said.title, published = said.published,
        source = said.source, author = said.author, editor = said.editor, chars = said.chars
    FROM main.versions AS said WHERE said.id = :version AND articles.id = :id
"""
_SHOW_BESIDES = """
    UPDATE main.articles SET published_basis = theirs.published_basis, "column" = theirs."column",
        division_code = theirs.division_code, division_basis = theirs.division_basis
    FROM shard.articles AS theirs WHERE theirs.id = :theirs AND articles.id = :id
"""
_REPEAT = """
    INSERT INTO main.versions (article_id, capture_id, extractor, seen_at, title, published, meta_published, source,
        author, editor, text_sha256, chars)
    SELECT article_id, :capture, extractor, :at, title, published, meta_published, source, author, editor,
        text_sha256, chars
    FROM main.versions WHERE id = :version ON CONFLICT (capture_id, extractor) DO NOTHING RETURNING id
"""
