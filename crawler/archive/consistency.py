"""What the archive's rows say, held against each other. Everything only reads; each check is one transaction."""

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from crawler.archive import search
from crawler.archive.findings import Finding, Kind
from crawler.text.folding import fold_hash

LONGEST = 80
"""Characters of a stored value that a finding quotes."""


def check_structure(conn: sqlite3.Connection) -> Iterator[Finding]:
    """SQLite's own check of the file: pages, indexes, NOT NULL. It knows no CHECK of a file that it may not write."""
    for (line,) in conn.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield Finding(kind="database", where="the database file", what=line)


def check_references(conn: sqlite3.Connection) -> Iterator[Finding]:
    """Every row that another one points at is there."""
    for table, rowid, parent, number in conn.execute("PRAGMA foreign_key_check").fetchall():
        columns = [row[3] for row in conn.execute(f"PRAGMA foreign_key_list('{table}')") if row[0] == number]
        where = f"{table} row {rowid}" if rowid is not None else table
        yield Finding(
            kind="reference",
            where=where,
            what=f"its {', '.join(columns)} points at a row of {parent} that is not there",
        )


def check_orphans(conn: sqlite3.Connection) -> Iterator[Finding]:
    """Rows that nothing needs, and what no foreign key holds together."""
    yield from _each(conn, "orphan", _ORPHANS)


def check_articles(conn: sqlite3.Connection) -> Iterator[Finding]:
    """An article shows its version, a version is of its capture, and states follow from the history of states."""
    yield from _each(conn, "article", _ARTICLES)


def check_captures(conn: sqlite3.Connection) -> Iterator[Finding]:
    """Revisits point at originals."""
    yield from _each(conn, "revisit", _REVISITS)


def check_runs(conn: sqlite3.Connection) -> Iterator[Finding]:
    """What a run's report counted is there. More may be: what a crash left without a row was adopted later."""
    yield from _each(conn, "run", _RUNS)


def check_search(conn: sqlite3.Connection) -> Iterator[Finding]:
    """The full-text index holds every article with the words that it has now."""
    words = {
        "missing": "is not in the full-text index",
        "superfluous": "is in the full-text index, but no article has this id",
        "stale": "has other words in the full-text index than in its text",
        "damaged": "SQLite finds the full-text index malformed",
    }
    for discrepancy in search.check(conn):
        where = "articles_fts" if discrepancy.article_id is None else f"article {discrepancy.article_id}"
        yield Finding(kind="search", where=where, what=words[discrepancy.problem])


CHECKS: Mapping[str, Callable[[sqlite3.Connection], Iterator[Finding]]] = {
    "search": check_search,
    "structure": check_structure,
    "references": check_references,
    "orphans": check_orphans,
    "articles": check_articles,
    "captures": check_captures,
    "runs": check_runs,
}
"""What is checked at once over the whole archive, the longest first."""


def last_ids(conn: sqlite3.Connection) -> dict[str, int]:
    """The highest id that each table in `PIECEWISE` ever gave; readable however damaged the table itself is."""
    given = dict(conn.execute("SELECT name, seq FROM sqlite_sequence"))
    return {table: given.get(table, 0) for table in PIECEWISE}


def count(conn: sqlite3.Connection, table: str, first: int, last: int) -> int:
    """How many rows such a table has with ids from *first* to *last*."""
    rows: int = conn.execute(f"SELECT count(*) FROM {table} WHERE id BETWEEN ? AND ?", (first, last)).fetchone()[0]  # noqa: S608
    return rows


def check_versions(conn: sqlite3.Connection, first: int, last: int) -> Iterator[Finding]:
    """Versions with ids *first* to *last* rebuilt from their paragraphs: length, hash, places, marked spans."""
    texts: defaultdict[int, list[str]] = defaultdict(list)
    for version_id, position, own_text, shared_text, key in conn.execute(_PLACES, (first, last)):
        text = shared_text if own_text is None else own_text
        where = f"version {version_id}, paragraph {position}"
        if text is None:
            yield Finding(kind="text", where=where, what="its section is not there")
            text = ""
        elif own_text is not None and fold_hash(own_text) != key:
            yield Finding(kind="text", where=where, what="its own text has another key than its section")
        if position != len(texts[version_id]):
            yield Finding(kind="text", where=where, what=f"there is no paragraph {len(texts[version_id])} before it")
        texts[version_id].append(text)
    versions = conn.execute("SELECT id, text_sha256, chars FROM versions WHERE id BETWEEN ? AND ?", (first, last))
    for version_id, text_sha256, chars in versions:
        text = "\n".join(texts[version_id])
        if hashlib.sha256(text.encode()).hexdigest() != text_sha256:
            yield Finding(
                kind="text", where=f"version {version_id}", what="its text, rebuilt, is not what text_sha256 says"
            )
        if len(text) != chars:
            what = f"its text, rebuilt, has {len(text)} characters, chars says {chars}"
            yield Finding(kind="text", where=f"version {version_id}", what=what)
    yield from _check_spans(conn, first, last, texts)


def check_sections(conn: sqlite3.Connection, first: int, last: int) -> Iterator[Finding]:
    """Sections with ids *first* to *last*: key and length are those of the text."""
    rows = conn.execute("SELECT id, fold_hash, text, chars FROM sections WHERE id BETWEEN ? AND ?", (first, last))
    for section_id, key, text, chars in rows:
        if fold_hash(text) != key:
            yield Finding(kind="text", where=f"section {section_id}", what="its text has another key than fold_hash")
        if len(text) != chars:
            what = f"its text has {len(text)} characters, chars says {chars}"
            yield Finding(kind="text", where=f"section {section_id}", what=what)


PIECEWISE: Mapping[str, Callable[[sqlite3.Connection, int, int], Iterator[Finding]]] = {
    "versions": check_versions,
    "sections": check_sections,
}
"""What is checked a span of ids at a time."""


def _check_spans(conn: sqlite3.Connection, first: int, last: int, texts: Mapping[int, list[str]]) -> Iterator[Finding]:
    rows = conn.execute(
        'SELECT version_id, position, start, "end", text, title'
        " FROM spam_spans JOIN versions ON versions.id = version_id WHERE version_id BETWEEN ? AND ?",
        (first, last),
    )
    for version_id, position, start, end, text, title in rows:
        paragraphs = texts.get(version_id, [])
        marked = title if position == -1 else paragraphs[position] if position < len(paragraphs) else None
        if marked is None or marked[start:end] != text:
            where = f"version {version_id}, paragraph {position}"
            yield Finding(
                kind="text", where=where, what=f"the span from {start} to {end} is not the text that it marks"
            )


def _each(conn: sqlite3.Connection, kind: Kind, questions: Mapping[str, str]) -> Iterator[Finding]:
    """A finding for each row of each question: where it is, and a value that the words quote."""
    for words, sql in questions.items():
        for where, value in conn.execute(sql):
            quoted = "" if value is None else str(value)[:LONGEST]
            yield Finding(kind=kind, where=where, what=words.format(quoted))


_PLACES = """
    SELECT version_id, position, here.text, sections.text, fold_hash
    FROM version_sections AS here LEFT JOIN sections ON sections.id = section_id
    WHERE version_id BETWEEN ? AND ? ORDER BY version_id, position
"""
_ORPHANS = {
    "no version has this paragraph": """
        SELECT 'section ' || id, NULL FROM sections
        WHERE NOT EXISTS (SELECT 1 FROM version_sections WHERE section_id = sections.id)
    """,
    "it is marked as compared, but there is no such article": """
        SELECT 'reprint_marks article ' || article_id, NULL FROM reprint_marks
        WHERE NOT EXISTS (SELECT 1 FROM articles WHERE id = article_id)
    """,
    "it has bands for reprints, but there is no such article": """
        SELECT DISTINCT 'reprint_bands article ' || article_id, NULL FROM reprint_bands
        WHERE NOT EXISTS (SELECT 1 FROM articles WHERE id = article_id)
    """,
}
_ARTICLES = {
    "it has no version": "SELECT 'article ' || id, NULL FROM articles WHERE version_id IS NULL",
    "it shows version {}, which is another article's": """
        SELECT 'article ' || articles.id, version_id FROM articles JOIN versions ON versions.id = version_id
        WHERE article_id <> articles.id
    """,
    "title, date, source, author, editor or length are not those of the version that it shows, {}": """
        SELECT 'article ' || articles.id, version_id FROM articles JOIN versions ON versions.id = version_id
        WHERE articles.title IS NOT versions.title OR articles.published IS NOT versions.published
            OR articles.source IS NOT versions.source OR articles.author IS NOT versions.author
            OR articles.editor IS NOT versions.editor OR articles.chars IS NOT versions.chars
    """,
    "it was last seen ({}) before it was first seen": """
        SELECT 'article ' || id, last_seen FROM articles WHERE last_seen < first_seen
    """,
    "its state is {}, which the history of its states does not say": """
        SELECT 'article ' || articles.id, state FROM articles
        WHERE iif(state = 'edited', 'live', state) <> coalesce((
            SELECT iif(past.state = 'edited', 'live', past.state) FROM article_states AS past
            WHERE past.article_id = articles.id ORDER BY since DESC LIMIT 1), 'live')
    """,
    "it is edited, but has one version and no such state in its history": """
        SELECT 'article ' || articles.id, NULL FROM articles
        WHERE state = 'edited'
            AND NOT EXISTS (SELECT 1 FROM article_states WHERE article_id = articles.id AND state = 'edited')
            AND (SELECT count(*) FROM versions WHERE article_id = articles.id AND replaces IS NULL) < 2
    """,
    "it leads to {}, but is not redirected": """
        SELECT 'article ' || id, redirect_to FROM articles WHERE redirect_to IS NOT NULL AND state <> 'redirected'
    """,
    "it was seen at {}, its capture was made at another time": """
        SELECT 'version ' || versions.id, seen_at FROM versions JOIN captures ON captures.id = capture_id
        WHERE seen_at <> substr(fetched_at, 1, 19) || 'Z'
    """,
    "its capture is of portal {}, its article of another": """
        SELECT 'version ' || versions.id, captures.portal_id FROM versions
        JOIN captures ON captures.id = capture_id JOIN articles ON articles.id = article_id
        WHERE captures.portal_id <> articles.portal_id
    """,
    "it replaces version {}, which is of another capture or article": """
        SELECT 'version ' || own.id, own.replaces FROM versions AS own JOIN versions AS older ON older.id = own.replaces
        WHERE own.capture_id <> older.capture_id OR own.article_id <> older.article_id
    """,
}
_REVISITS = {
    "it is a revisit of capture {}, which is a revisit itself": """
        SELECT 'capture ' || own.id, own.revisit_of FROM captures AS own JOIN captures AS first
            ON first.id = own.revisit_of WHERE first.revisit_of IS NOT NULL
    """,
    "it is a revisit of capture {}, which is another portal's": """
        SELECT 'capture ' || own.id, own.revisit_of FROM captures AS own JOIN captures AS first
            ON first.id = own.revisit_of WHERE first.portal_id <> own.portal_id
    """,
}
# A portal that was interrupted, or lost its worker on the way, counted less than it brought.
_ENDED = """
    FROM portal_runs AS told JOIN runs ON runs.id = told.run_id
    LEFT JOIN held ON held.run_id = told.run_id AND held.portal_id = told.portal_id
    WHERE runs.finished_at IS NOT NULL AND told.status IN ('ok', 'below')
"""
_VERSIONS_OF_RUNS = """
    WITH own AS (
        SELECT capture_id, id = min(id) OVER (PARTITION BY article_id) AS is_first
        FROM versions WHERE replaces IS NULL),
    held AS (
        SELECT run_id, portal_id, sum(is_first) AS new, sum(NOT is_first) AS changed
        FROM own JOIN captures ON captures.id = capture_id GROUP BY run_id, portal_id)
"""
_RUNS = {
    "the run counted more responses than there are captures of it: {}": f"""
        WITH held AS (SELECT run_id, portal_id, count(*) AS captures FROM captures GROUP BY run_id, portal_id)
        SELECT 'run ' || told.run_id || ', portal ' || told.portal_id, fetched || ' and ' || coalesce(captures, 0)
        {_ENDED} AND fetched > coalesce(captures, 0)
    """,  # noqa: S608 - constants of ours
    "the run counted more new articles than it has first versions: {}": f"""
        {_VERSIONS_OF_RUNS}
        SELECT 'run ' || told.run_id || ', portal ' || told.portal_id, told.new || ' and ' || coalesce(held.new, 0)
        {_ENDED} AND told.new > coalesce(held.new, 0)
    """,
    "the run counted more edits than it has later versions: {}": f"""
        {_VERSIONS_OF_RUNS}
        SELECT 'run ' || told.run_id || ', portal ' || told.portal_id,
            told.changed || ' and ' || coalesce(held.changed, 0)
        {_ENDED} AND told.changed > coalesce(held.changed, 0)
    """,
}
