"""The rows of an attached ``shard`` that an archive has not: brought over by sets, under ids of the archive's own.

Every table of ids says which row of the archive a row of the shard is, found by the contract's keys, or which one it
becomes: ids go on where the archive's last one was, in the order in which the shard gave them.
"""

import sqlite3
from collections.abc import Mapping

from crawler.archive import hosts
from crawler.archive.connection import ArchiveError

CONTESTED = "contested"
"""The temporary table of articles of which archive and shard both know something new: (id, new), theirs and ours."""


def number(conn: sqlite3.Connection) -> None:
    """Make the tables of ids: ``capture_ids``, ``version_ids``, ``article_ids`` (id, new, is_own).

    A version is the archive's already where its capture was read by the same rules, under whatever address. Articles of
    which that is all that the shard has are in no table.
    """
    for statement in _TABLES_OF_IDS:
        conn.execute(statement)
    for statement in _NUMBER_CAPTURES:
        conn.execute(statement, {"last": _last_id(conn, "captures")})
    for statement in _NUMBER_ARTICLES:
        conn.execute(
            statement, {"last_article": _last_id(conn, "articles"), "last_version": _last_id(conn, "versions")}
        )
    for statement in _FIND_CONTESTED:
        conn.execute(statement)


def refuse_what_has_no_text(conn: sqlite3.Connection) -> None:
    """Raises ArchiveError where the shard builds on versions that the archive lacks: their texts were left at home."""
    if conn.execute(_TEXTLESS).fetchone():
        raise ArchiveError("it builds on rows that this archive has not: it is another archive's shard")


def forget_numbers(conn: sqlite3.Connection) -> None:
    """Drop the tables of ids."""
    for table in ("capture_ids", "version_ids", "article_ids", CONTESTED):
        conn.execute(f"DROP TABLE IF EXISTS temp.{table}")


def bring_catalogue(conn: sqlite3.Connection) -> None:
    """Portals, runs and hosts."""
    for statement in (*_CATALOGUE, _HOSTS_SEEN_LATER, _HOSTS_SEEN_EARLIER):
        conn.execute(statement)


def bring_captures(conn: sqlite3.Connection, *, stored: str) -> None:
    """The captures, with *stored* as the place where their bytes are from now on."""
    _copy(
        conn,
        "captures",
        {
            "id": "ids.new",
            "revisit_of": "(SELECT new FROM temp.capture_ids WHERE id = theirs.revisit_of)",
            "stored": ":stored",
        },
        "temp.capture_ids AS ids JOIN shard.captures AS theirs ON theirs.id = ids.id WHERE ids.is_own ORDER BY ids.new",
        {"stored": stored},
    )


def bring_articles(conn: sqlite3.Connection) -> None:
    """Articles that the archive has not, with all that belongs to them.

    An article gets its version when that is there: with deferred foreign keys SQLite would look through all articles
    for each version, 2.5 ms in an archive of 5,000.
    """
    own = "temp.article_ids AS ids JOIN shard.{table} AS theirs ON theirs.{key} = ids.id WHERE ids.is_own"
    version = "(SELECT new FROM temp.version_ids WHERE id = theirs.{column})"
    capture = "(SELECT new FROM temp.capture_ids WHERE id = theirs.capture_id)"
    _copy(
        conn,
        "articles",
        {"id": "ids.new", "version_id": "NULL"},
        own.format(table="articles", key="id") + " ORDER BY ids.new",
    )
    _copy(
        conn,
        "versions",
        {
            "id": "ids.new",
            "article_id": "article_ids.new",
            "capture_id": capture,
            "replaces": version.format(column="replaces"),
        },
        f"{_OWN_VERSIONS.format(table='versions', key='id')}"
        " JOIN temp.article_ids ON article_ids.id = theirs.article_id WHERE ids.is_own ORDER BY ids.new",
    )
    for statement in (_SHOW_VERSIONS, *_SECTIONS):
        conn.execute(statement)
    for table in ("spam_spans", "spam_backlog"):
        source = f"{_OWN_VERSIONS.format(table=table, key='version_id')} WHERE ids.is_own"
        _copy(conn, table, {"version_id": "ids.new"}, source)
    of_article = own.format(table="{table}", key="article_id")
    _copy(conn, "mentions", {"article_id": "ids.new"}, of_article.format(table="mentions"))
    _copy(
        conn,
        "article_states",
        {"article_id": "ids.new", "capture_id": capture},
        of_article.format(table="article_states"),
    )
    for table in ("reprint_sketches", "reprint_samples"):
        _copy(
            conn,
            table,
            {"article_id": "ids.new", "version_id": version.format(column="version_id")},
            of_article.format(table=table),
        )


def follow_sightings(conn: sqlite3.Connection) -> None:
    """Known articles of which the shard only says that they answered as before."""
    conn.execute(_SEEN)


def bring_frontier(conn: sqlite3.Connection) -> None:
    """What was asked for: of two rows of an address the one of the later run, in one run the one that got further."""
    _copy(
        conn,
        "frontier",
        {"capture_id": "(SELECT new FROM temp.capture_ids WHERE id = theirs.capture_id)"},
        f"shard.frontier AS theirs WHERE true {_FRONTIER_CONFLICT}",
    )
    conn.execute(_NUMBER_QUEUE_ANEW)


def bring_links(conn: sqlite3.Connection) -> None:
    """Attachments and pictures, and what was fetched for them; the frontier comes before."""
    for table in ("attachments", "images"):
        _copy(
            conn,
            table,
            {"article_id": "ids.new", "capture_id": "(SELECT new FROM temp.capture_ids WHERE id = theirs.capture_id)"},
            f"temp.article_ids AS ids JOIN shard.{table} AS theirs ON theirs.article_id = ids.id WHERE true"
            " ON CONFLICT DO UPDATE SET capture_id = excluded.capture_id"
            f" WHERE {table}.capture_id IS NULL AND excluded.capture_id IS NOT NULL",
        )
        for statement in _LINK_WHAT_WAS_FETCHED:
            conn.execute(statement.format(table=table))


def count_own(conn: sqlite3.Connection, table: str) -> int:
    """How many rows the shard has that the archive had not, by a table of ids."""
    [(count,)] = conn.execute(f"SELECT count(*) FROM temp.{table} WHERE is_own").fetchall()  # noqa: S608
    return int(count)


def _copy(
    conn: sqlite3.Connection,
    table: str,
    given: Mapping[str, str],
    source: str,
    values: Mapping[str, object] | None = None,
) -> None:
    """Insert into *table* what *source* has under the name ``theirs``; *given*: columns that get something else."""
    columns = [row[1] for row in conn.execute(f"PRAGMA main.table_info({table})")]
    names = ", ".join(f'"{column}"' for column in columns)
    expressions = ", ".join(given.get(column, f'theirs."{column}"') for column in columns)
    conn.execute(f"INSERT INTO main.{table} ({names}) SELECT {expressions} FROM {source}", values or {})  # noqa: S608


def _last_id(conn: sqlite3.Connection, table: str) -> int:
    """The last id that the archive gave, also where its row is gone."""
    row = conn.execute("SELECT seq FROM main.sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return int(row[0]) if row else 0


_TABLES_OF_IDS = (
    *(
        f"CREATE TEMP TABLE {table} (id INTEGER PRIMARY KEY, new INTEGER NOT NULL, is_own INTEGER NOT NULL)"
        for table in ("capture_ids", "version_ids", "article_ids")
    ),
    f"CREATE TEMP TABLE {CONTESTED} (id INTEGER PRIMARY KEY, new INTEGER NOT NULL)",
)
_NUMBER_CAPTURES = (
    """
    INSERT INTO temp.capture_ids SELECT theirs.id, ours.id, 0 FROM shard.captures AS theirs
    JOIN main.captures AS ours USING (warc_file, warc_offset)
    """,
    """
    INSERT INTO temp.capture_ids SELECT id, :last + row_number() OVER (ORDER BY id), 1 FROM shard.captures
    WHERE id NOT IN (SELECT id FROM temp.capture_ids)
    """,
)
_NUMBER_ARTICLES = (
    """
    INSERT INTO temp.version_ids SELECT theirs.id, ours.id, 0
    FROM temp.capture_ids CROSS JOIN shard.versions AS theirs ON theirs.capture_id = capture_ids.id
    JOIN main.versions AS ours ON ours.capture_id = capture_ids.new AND ours.extractor = theirs.extractor
    WHERE NOT is_own
    """,
    """
    INSERT INTO temp.article_ids SELECT theirs.id, ours.id, 0 FROM shard.articles AS theirs
    JOIN main.articles AS ours USING (portal_id, url)
    """,
    """
    INSERT INTO temp.article_ids SELECT id, :last_article + row_number() OVER (ORDER BY id), 1
    FROM shard.articles AS theirs WHERE id NOT IN (SELECT id FROM temp.article_ids) AND NOT EXISTS (
        SELECT 1 FROM shard.versions JOIN temp.version_ids USING (id) WHERE article_id = theirs.id)
    """,
    """
    INSERT INTO temp.version_ids SELECT versions.id, :last_version + row_number() OVER (ORDER BY versions.id), 1
    FROM temp.article_ids JOIN shard.versions ON article_id = article_ids.id WHERE is_own
    """,
)
# What the shard found out; and what the archive learned meanwhile, where the shard's sighting is a later one.
_FIND_CONTESTED = (
    f"""
    INSERT INTO temp.{CONTESTED} SELECT theirs.id, ours.id FROM temp.article_ids AS ids
    JOIN shard.articles AS theirs ON theirs.id = ids.id JOIN main.articles AS ours ON ours.id = ids.new
    WHERE NOT is_own AND (
        EXISTS (SELECT 1 FROM shard.versions AS own
            WHERE own.article_id = theirs.id AND own.id NOT IN (SELECT id FROM temp.version_ids))
        OR EXISTS (SELECT 1 FROM shard.article_states AS told WHERE told.article_id = theirs.id AND NOT EXISTS (
            SELECT 1 FROM main.article_states AS known
            WHERE known.article_id = ours.id AND known.since = told.since AND known.state = told.state))
        OR ((theirs.last_seen > ours.last_seen OR theirs.first_seen < ours.first_seen) AND (
            theirs.state <> ours.state OR EXISTS (
                SELECT 1 FROM main.versions AS own WHERE own.article_id = ours.id
                    AND own.replaces IS NULL AND NOT EXISTS (
                        SELECT 1 FROM shard.versions AS known JOIN temp.version_ids USING (id)
                        WHERE known.article_id = theirs.id AND version_ids.new = own.id)))))
    """,  # noqa: S608 - a constant of ours
)
_TEXTLESS = """
    SELECT 1 FROM temp.version_ids AS ids JOIN shard.versions AS theirs ON theirs.id = ids.id
    WHERE is_own AND chars > 0
        AND NOT EXISTS (SELECT 1 FROM shard.version_sections WHERE version_id = theirs.id) LIMIT 1
"""
_CATALOGUE = (
    """
    INSERT INTO main.portals SELECT * FROM shard.portals AS theirs
    WHERE id NOT IN (SELECT id FROM main.portals)
    """,
    # The family that a look at the portal told, or took back; what the archive learned otherwise stays.
    """
    UPDATE main.portals SET cms = theirs.cms FROM shard.portals AS theirs
    LEFT JOIN shard.seeded_portals AS seeded ON seeded.portal_id = theirs.id
    WHERE theirs.id = portals.id AND iif(seeded.portal_id IS NULL,
        portals.cms IS NULL AND theirs.cms IS NOT NULL,
        theirs.cms IS NOT seeded.cms AND theirs.cms IS NOT portals.cms)
    """,
    """
    INSERT INTO main.runs (id, started_at, finished_at, status)
    SELECT id, started_at, finished_at, iif(status = 'running', 'interrupted', status) FROM shard.runs AS theirs
    WHERE id NOT IN (SELECT id FROM main.runs) ORDER BY id
    """,
    "INSERT INTO main.portal_runs SELECT * FROM shard.portal_runs WHERE true ON CONFLICT DO NOTHING",
)
_SHOW_VERSIONS = """
    UPDATE main.articles SET version_id = version_ids.new
    FROM temp.article_ids AS ids JOIN shard.articles AS theirs ON theirs.id = ids.id
    JOIN temp.version_ids ON version_ids.id = theirs.version_id
    WHERE articles.id = ids.new AND ids.is_own
"""
_SECTIONS = (
    """
    INSERT INTO main.sections (fold_hash, text, chars, first_version_id)
    SELECT theirs.fold_hash, theirs.text, theirs.chars, min(ids.new)
    FROM temp.version_ids AS ids JOIN shard.version_sections AS place ON place.version_id = ids.id
    JOIN shard.sections AS theirs ON theirs.id = place.section_id
    WHERE ids.is_own GROUP BY theirs.fold_hash ORDER BY theirs.fold_hash
    ON CONFLICT (fold_hash) DO NOTHING
    """,
    """
    INSERT INTO main.version_sections (version_id, position, section_id, role, text)
    SELECT ids.new, place.position, ours.id, place.role, nullif(coalesce(place.text, theirs.text), ours.text)
    FROM temp.version_ids AS ids JOIN shard.version_sections AS place ON place.version_id = ids.id
    JOIN shard.sections AS theirs ON theirs.id = place.section_id
    JOIN main.sections AS ours ON ours.fold_hash = theirs.fold_hash
    WHERE ids.is_own ORDER BY ids.new, place.position
    """,
)
_OWN_VERSIONS = "temp.version_ids AS ids JOIN shard.{table} AS theirs ON theirs.{key} = ids.id"
_SEEN = f"""
    UPDATE main.articles SET first_seen = min(articles.first_seen, theirs.first_seen),
        last_seen = max(articles.last_seen, theirs.last_seen)
    FROM temp.article_ids AS ids JOIN shard.articles AS theirs ON theirs.id = ids.id
    WHERE articles.id = ids.new AND NOT ids.is_own AND ids.id NOT IN (SELECT id FROM temp.{CONTESTED})
        AND (articles.first_seen > theirs.first_seen OR articles.last_seen < theirs.last_seen)
"""  # noqa: S608
_RANK = "iif({row}.state = 'done', 2, {row}.state = 'failed')"
_BROUGHT_AT = "coalesce((SELECT fetched_at FROM main.captures WHERE id = {row}.capture_id), '')"
_FRONTIER_CONFLICT = f"""
    ON CONFLICT (portal_id, key) DO UPDATE SET seq = excluded.seq, url = excluded.url, kind = excluded.kind,
        state = excluded.state, request = excluded.request, run_id = excluded.run_id, attempts = excluded.attempts,
        reason = excluded.reason, capture_id = coalesce(excluded.capture_id, frontier.capture_id),
        updated_at = excluded.updated_at
    WHERE (excluded.run_id, {_RANK.format(row="excluded")}, {_BROUGHT_AT.format(row="excluded")}, excluded.updated_at)
        > (frontier.run_id, {_RANK.format(row="frontier")}, {_BROUGHT_AT.format(row="frontier")}, frontier.updated_at)
"""
# Two workers that had a portal one after the other may have given one place twice, and who reads the queue in pieces
# would lose a request.
_NUMBER_QUEUE_ANEW = """
    UPDATE main.frontier SET seq = now.place FROM (
        SELECT portal_id, key, row_number() OVER (PARTITION BY portal_id ORDER BY seq, key) AS place
        FROM main.frontier WHERE state = 'queued' AND portal_id IN (
            SELECT portal_id FROM main.frontier WHERE state = 'queued' AND portal_id IN (SELECT id FROM shard.portals)
            GROUP BY portal_id HAVING count(*) > count(DISTINCT seq))) AS now
    WHERE frontier.portal_id = now.portal_id AND frontier.key = now.key
"""
_FETCHED = """
    SELECT asked.capture_id FROM main.articles JOIN main.frontier AS asked
        ON asked.portal_id = articles.portal_id AND asked.key = {table}.url || '#media' AND asked.state = 'done'
    WHERE articles.id = {table}.article_id
"""
# A file was fetched by one worker, and is linked by an article that another one read.
_LINK_WHAT_WAS_FETCHED = (
    f"""
    UPDATE main.{{table}} SET capture_id = ({_FETCHED}) WHERE capture_id IS NULL
        AND article_id IN (SELECT new FROM temp.article_ids WHERE is_own OR id IN (SELECT id FROM temp.{CONTESTED}))
    """,  # noqa: S608
    f"""
    UPDATE main.{{table}} SET capture_id = ({_FETCHED}) WHERE capture_id IS NULL AND url IN (
        SELECT substr(key, 1, length(key) - 6) FROM shard.frontier JOIN temp.capture_ids ON capture_ids.id = capture_id
        WHERE is_own AND key LIKE '%#media')
    """,  # noqa: S608
)
_HOSTS = "INSERT INTO main.hosts SELECT * FROM shard.hosts WHERE true ON CONFLICT (host) DO UPDATE SET"
# As when it had been stored in the order of time.
_HOSTS_SEEN_LATER = f"{_HOSTS} {hosts.SEEN_LATER} WHERE excluded.checked_at > hosts.checked_at"
_HOSTS_SEEN_EARLIER = f"{_HOSTS} {hosts.SEEN_EARLIER} WHERE excluded.checked_at < hosts.checked_at"
