"""What a crawl does for every page must not grow with the archive: no statement of the hot path reads a whole table."""

import sqlite3
from pathlib import Path

from crawler.archive import frontier, media, queries, writer
from crawler.archive.batch import Fetched, Observation
from crawler.archive.connection import open_archive
from crawler.archive.frontier import Done, Failed, Queued
from tests.support.archive import PORTAL, RUN, START, URL, article, batch, begin, capture

TABLES = {
    "captures",
    "articles",
    "article_states",
    "versions",
    "sections",
    "version_sections",
    "frontier",
    "images",
    "attachments",
}


def hot_path(conn: sqlite3.Connection) -> None:
    """A night of one article: found, stored, found again, edited, asked for conditionally, failed."""
    wait = Queued(portal_id=PORTAL, key=URL, seq=1, url=URL, kind="article", request={})
    first = article("第一段", "第二段", day=0)
    writer.write(
        conn, batch(first, frontier=(wait, Done(portal_id=PORTAL, key=URL, record=first.article.capture.record)))
    )
    writer.write(conn, batch(article("第一段", "第二段", day=1)))
    writer.write(
        conn, batch(article("第一段", "第三段", day=2), frontier=(Failed(portal_id=PORTAL, key=URL, reason="500"),))
    )
    seen = Observation(portal_id=PORTAL, url=URL, seen_at=START, state="live", record=capture(day=2).record)
    writer.write(conn, batch(observations=(seen,)))
    had = Fetched(portal_id=PORTAL, url=URL, kind="image", record=capture(day=2).record)
    writer.write(conn, batch(media=(had,)))
    media.due(conn, PORTAL, "image", run_id=RUN, limit=10)
    media.kind_at(conn, PORTAL, URL)
    frontier.known(conn, PORTAL, [URL], run_id=RUN)
    frontier.known(conn, PORTAL, [URL], run_id=RUN, tonight_only=True)
    frontier.next_queued(conn, PORTAL, after_seq=0, limit=10)
    frontier.retry_failed(conn, PORTAL)
    frontier.max_seq(conn, PORTAL)
    queries.find_original(conn, "0" * 64, portal_id=PORTAL, url=URL)
    queries.validators(conn, PORTAL, URL)
    queries.last_record(conn, PORTAL, URL)


def test_no_statement_of_a_crawl_reads_a_whole_table(tmp_path: Path) -> None:
    conn = begin(open_archive(tmp_path / "a.db"))
    statements: set[str] = set()
    conn.set_trace_callback(statements.add)
    hot_path(conn)
    conn.set_trace_callback(None)
    scans = {}
    for statement in statements:
        # The plan of an INSERT names scans for foreign keys that only run where one is violated.
        if statement.split()[0] in {"SELECT", "UPDATE", "DELETE"}:
            plan = [row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {statement}")]
            read = [step for step in plan if step.startswith("SCAN") and step.split()[1] in TABLES]
            if read:
                scans[statement] = read
    conn.close()
    assert len(statements) > 15
    assert scans == {}
