"""Which articles a study is about, and the rows of each table that belong to them, as the public sees the archive."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crawler.archive import search_query
from crawler.archive.connection import open_archive
from crawler.archive.public import hide
from crawler.publish.exports.codebook import Table
from crawler.text.query import Filter, Query, division, parse, portal, since, until


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What an article has to be; None asks nothing."""

    division: str | None = None
    """The beginning of a code, or a name."""
    first: str | None = None
    """A year, a month or a day; of ``published``, or of ``first_seen`` where there is none."""
    last: str | None = None
    """The same, included."""
    search: str | None = None
    """Words as the search box takes them."""
    portal: str | None = None
    """Its id."""

    def as_data(self) -> dict[str, str]:
        """Those that ask something, named as the options of ``xianzhi export``."""
        said = {
            "division": self.division,
            "from": self.first,
            "to": self.last,
            "search": self.search,
            "portal": self.portal,
        }
        return {name: value for name, value in said.items() if value is not None}

    def query(self) -> Query | None:
        """The question to the archive; None where all articles are wanted. Raises ValueError, naming the filter."""
        query = parse(self.search or "")
        if self.search is not None and query == Query():
            raise ValueError(f"--search {self.search!r}: there is no word in it")
        for option, value, read, right in (
            ("--division", self.division, division, "a code such as 61, 6104 or 610424, or a name"),
            ("--from", self.first, since, _A_TIME),
            ("--to", self.last, until, _A_TIME),
            ("--portal", self.portal, portal, "an id such as qianxian"),
        ):
            if value is not None:
                query = query.narrowed(_understood(option, value, read(value), right))
        return query if self.as_data() else None


_A_TIME = "a year, a month or a day such as 2014, 2014-06 or 2014-06-30"


def _understood(option: str, value: str, read: Filter | None, right: str) -> Filter:
    if read is None:
        raise ValueError(f"{option} {value!r}: not understood; give {right}")
    return read


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Articles that were chosen, in the archive as it was at that moment."""

    conn: sqlite3.Connection
    """Sees what the public sees; reads one state of the archive until it is closed."""
    is_all: bool
    """Nothing was asked of them."""


@contextmanager
def chosen(db: Path, filters: Filters) -> Iterator[Chosen]:
    """Choose the articles that *filters* ask for.

    Raises ArchiveError for an archive that cannot be read, ValueError for filters that say nothing, LookupError for an
    unknown portal.
    """
    query = filters.query()
    conn = open_archive(db, readonly=True)
    try:
        conn.execute("PRAGMA query_only = OFF")  # for temporary tables; the file itself is open for reading alone
        conn.execute("BEGIN")
        if filters.portal and not conn.execute("SELECT 1 FROM portals WHERE id = ?", (filters.portal,)).fetchone():
            raise LookupError(f"no such portal: {filters.portal}")
        for table in ("chosen (article_id INTEGER PRIMARY KEY)", "chosen_captures (capture_id INTEGER PRIMARY KEY)"):
            conn.execute(f"CREATE TEMP TABLE {table}")
        hide(conn)
        if query is None:
            conn.execute("INSERT INTO chosen SELECT id FROM articles ORDER BY id")
        else:
            ids = search_query.matching_ids(conn, query)
            conn.execute("INSERT INTO chosen SELECT value FROM json_each(?)", (json.dumps(ids),))
        yield Chosen(conn=conn, is_all=query is None)
    finally:
        conn.close()


def articles(chosen: Chosen) -> int:
    """How many articles were chosen."""
    [(count,)] = chosen.conn.execute("SELECT count(*) FROM chosen").fetchall()
    return int(count)


def newest_run(chosen: Chosen) -> tuple[str | None, str | None]:
    """The id of the archive's newest run, and when the last one ended (began, while it runs), UTC; None without one."""
    return chosen.conn.execute("SELECT max(id), max(coalesce(finished_at, started_at)) FROM runs").fetchone()  # type: ignore[no-any-return]


def rows(chosen: Chosen, table: Table) -> sqlite3.Cursor:
    """The rows of a table that belong to the chosen articles, with its columns in their order, sorted by its key."""
    if table.name == "captures":
        chosen.conn.execute(_ALL_CAPTURES if chosen.is_all else _CAPTURES)
    return chosen.conn.execute(_ROWS[table.name])


_ALL_CAPTURES = "INSERT OR IGNORE INTO chosen_captures SELECT id FROM captures"
_CAPTURES = """
    INSERT OR IGNORE INTO chosen_captures
    SELECT capture_id FROM chosen JOIN versions USING (article_id)
    UNION SELECT capture_id FROM chosen JOIN article_states USING (article_id) WHERE capture_id IS NOT NULL
    UNION SELECT capture_id FROM chosen JOIN attachments USING (article_id) WHERE capture_id IS NOT NULL
    UNION SELECT capture_id FROM chosen JOIN images USING (article_id) WHERE capture_id IS NOT NULL
    UNION SELECT captures.id FROM chosen JOIN articles ON articles.id = article_id
        JOIN captures ON captures.url = articles.url AND captures.portal_id = articles.portal_id
"""  # every look at a page, also one that found nothing new, is known by its address
_DAY = "substr(published, 1, 10)"
_YEAR = "CAST(substr(coalesce(articles.published, articles.first_seen), 1, 4) AS INTEGER)"
_FIELDS = {name: name for name in ("title", "published", "source", "author", "editor")} | {"text_sha256": "text"}
_EDITED = " || ".join(f"iif(said.{column} IS before.{column}, '', ' {name}')" for column, name in _FIELDS.items())
_ROWS: Mapping[str, str] = {
    "articles": f"""
        SELECT articles.id, portal_id, portals.name, url, title, published, iif(date({_DAY}) = {_DAY}, {_DAY}, NULL),
            published_basis, source, author, editor, "column", articles.division_code,
            (SELECT name FROM divisions WHERE code = articles.division_code AND from_year <= {_YEAR}
                AND coalesce(to_year, 9999) >= {_YEAR} ORDER BY from_year DESC LIMIT 1),
            division_basis, chars, state, redirect_to, first_seen, last_seen, version_id, body
        FROM chosen CROSS JOIN articles ON articles.id = chosen.article_id
        LEFT JOIN portals ON portals.id = portal_id
        LEFT JOIN article_texts ON article_texts.article_id = chosen.article_id
        ORDER BY chosen.article_id
    """,  # noqa: S608 - constants of ours
    "versions": """
        SELECT id, article_id, capture_id, extractor, seen_at, title, published, meta_published, source, author,
            editor, text_sha256, chars, replaces
        FROM versions WHERE article_id IN (SELECT article_id FROM chosen) ORDER BY id
    """,
    "sections": """
        SELECT id, fold_hash, text, chars, first_version_id FROM sections WHERE id IN (
            SELECT section_id FROM chosen JOIN versions USING (article_id)
            JOIN version_sections ON version_id = versions.id)
        ORDER BY id
    """,
    "version_sections": """
        SELECT version_id, position, section_id, role, text FROM version_sections WHERE version_id IN (
            SELECT versions.id FROM chosen JOIN versions USING (article_id))
        ORDER BY version_id, position
    """,
    "reprints": """
        SELECT article_id, other_id, similarity, kind FROM reprints
        WHERE article_id IN (SELECT article_id FROM chosen) OR other_id IN (SELECT article_id FROM chosen)
        ORDER BY article_id, other_id
    """,
    "mentions": """
        SELECT article_id, division_code, "count" FROM chosen JOIN mentions USING (article_id)
        ORDER BY article_id, division_code
    """,
    "captures": """
        SELECT id, warc_file, warc_offset, warc_length, run_id, portal_id, kind, url, fetched_at, status, content_type,
            encoding, encoding_basis, etag, last_modified, payload_sha256, revisit_of, truncated, stored
        FROM chosen_captures CROSS JOIN captures ON id = capture_id ORDER BY capture_id
    """,
    # What better rules read anew is no edit; nor is a state `edited`, but behind one in which nobody could read it.
    "changes": f"""
        WITH said AS (
            SELECT versions.*, lag(id) OVER earlier AS before
            FROM versions WHERE article_id IN (SELECT article_id FROM chosen) AND replaces IS NULL
            WINDOW earlier AS (PARTITION BY article_id ORDER BY seen_at, id)),
        states AS (
            SELECT article_states.*, lag(state) OVER (PARTITION BY article_id ORDER BY since) AS state_before
            FROM article_states WHERE article_id IN (SELECT article_id FROM chosen))
        SELECT said.article_id, said.seen_at AS at, 'edited' AS change, said.id, before.id,
            trim({_EDITED}),
            before.chars, said.chars, said.capture_id
        FROM said JOIN versions AS before ON before.id = said.before
        UNION ALL
        SELECT article_id, since, iif(state IN ('live', 'edited'), 'back', state), NULL, NULL, NULL, NULL, NULL,
            capture_id
        FROM states WHERE state NOT IN ('live', 'edited') OR state_before IN ('gone', 'redirected', 'blocked')
        ORDER BY 1, 2, 3
    """,  # noqa: S608
}
