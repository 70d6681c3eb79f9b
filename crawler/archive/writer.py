"""The one transaction that brings a batch of results into the archive."""

import sqlite3

from crawler.archive import frontier, hosts, media
from crawler.archive.articles import Articles
from crawler.archive.batch import Batch, StoredCapture, Written
from crawler.archive.captures import Captures
from crawler.archive.connection import transaction
from crawler.archive.readings import read
from crawler.archive.search import Changes


def write(conn: sqlite3.Connection, batch: Batch, *, is_shard: bool = False) -> list[Written]:
    """Store *batch*, all of it or nothing, and tell what became of each article, in order.

    A page of another kind than ``article`` leaves its capture only. The same batch a second time changes nothing.
    The WARC records that it points at have to be flushed before. *is_shard*: the full-text index is left to the archive
    that this is merged into. Raises sqlite3.Error (a full disk, a lock held for a
    minute), ArchiveError (a record pointed at that is not there), ValueError (an article without section keys).
    """
    captures = {item.capture.record: item for item in batch.captures}
    for item in batch.articles:
        capture = item.article.capture
        captures[capture.record] = StoredCapture(
            capture=capture, encoding=item.article.encoding, encoding_basis=item.article.encoding_basis
        )
    readings = [read(item) for item in batch.articles if item.article.kind == "article"]
    with transaction(conn):
        capture_rows = Captures(conn)
        # In the order in which they came: a revisit stands behind its original.
        capture_rows.store(sorted(captures.values(), key=lambda item: item.capture.fetched_at))
        index = Changes(conn)
        article_rows = Articles(conn, extractor=batch.extractor, captures=capture_rows, index=index)
        written = [article_rows.store(reading) for reading in readings]
        for observation in batch.observations:
            article_rows.observe(observation)
        if not is_shard:
            index.write()
        frontier.apply(conn, batch.run_id, batch.frontier)
        hosts.store(conn, batch.hosts)
        media.store(conn, batch.run_id, capture_rows, batch.media)
    return written
