"""Two ways into an archive: rows are read as the public sees them, the schema is looked at as it is.

Views have no keys and no indexes, so what Datasette asks of tables must go by them. Of its own queries one alone asks
for what a view has not: the search in a single column goes by ``rowid``, which of an article and of its text is its id.
One more is told a shorter way, because an archive that is written has no index for it.
"""

import re
from sqlite3 import OperationalError
from typing import Any

from datasette.database import Database

from crawler.archive.public import forged, hide, is_anything_withheld

COUNT_MS = 3_600_000
"""What counting a table may take at the start, as in Datasette itself."""

_FIRST_PRINTED = "select count(*) from sections where first_version_id=:id"
"""How Datasette's page of a version counts the paragraphs that were new in it: 0.3 s where there are 1.4 million, for
want of an index that nothing else needs and that takes 13 bytes for each. They are among the version's own."""
_OF_VERSION = "id in (select section_id from version_sections where version_id=:id)"
_BY_ROWID = re.compile(r"\browid(?= in \(select rowid from \[?articles_fts\b)")


class _Public(Database):  # type: ignore[misc]
    """A second set of connections to a database's file, on which nothing of what is withheld is shown."""

    def __init__(self, database: Any) -> None:
        super().__init__(database.ds, path=database.path, is_mutable=database.is_mutable)
        self.name = f"{database.name} (public)"  # the key under which a thread keeps its connection
        self._all_file_connections = database._all_file_connections  # noqa: SLF001 - closed with the others

    def connect(self, write: bool = False) -> Any:
        conn = super().connect(write)
        hide(conn)
        return conn

    async def execute(self, sql: str, *args: Any, **options: Any) -> Any:
        if forged(sql):
            raise OperationalError("no such view")
        key = "article_id" if " from article_texts " in sql else "id"
        sql = _BY_ROWID.sub(key, sql).replace(_FIRST_PRINTED, f"{_FIRST_PRINTED} and {_OF_VERSION}")
        return await super().execute(sql, *args, **options)


def reader_of(database: Any) -> Any:
    """The connections on which functions of ours read *database* (a Datasette ``Database``): what the public sees."""
    return getattr(database, "reader", database)


async def show_public_rows(database: Any) -> None:
    """Let every query to *database* (a Datasette ``Database``), whoever wrote it, see what the public sees.

    A file that nobody writes, and in which nothing is withheld, is read as it is: counting its tables is then quick.
    """
    if not database.is_mutable and not await database.execute_fn(is_anything_withheld):
        return
    database.reader = _Public(database)
    database.execute = database.reader.execute
    if database.cached_table_counts is not None:  # made before any plugin was asked
        database._cached_table_counts = None  # noqa: SLF001
        await database.table_counts(limit=COUNT_MS)
