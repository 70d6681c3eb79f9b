"""The tables are the contract's: names, keys, ids, and what the reading text leaves out."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.archive import writer
from crawler.archive.connection import open_archive
from tests.support.archive import article, batch, begin, paragraph

CONTRACT = {
    "divisions": "*code *from_year name level parent_code to_year",
    "portals": "*id name division_code homepage cms enabled",
    "runs": "*id started_at finished_at status",
    "portal_runs": "*run_id *portal_id status fetched new changed unchanged gone failed reason",
    "captures": (
        "id *warc_file *warc_offset run_id portal_id kind url fetched_at status content_type encoding etag"
        " last_modified payload_sha256 warc_length revisit_of stored"
    ),
    "articles": (
        "id *portal_id *url title published published_basis source author editor column division_code chars state"
        " redirect_to first_seen last_seen version_id"
    ),
    "article_states": "*article_id *since state capture_id",
    "versions": (
        "id *capture_id *extractor article_id seen_at title published meta_published source author editor text_sha256"
        " chars replaces"
    ),
    "sections": "id *fold_hash text chars first_version_id",
    "version_sections": "*version_id *position section_id role text",
    "spam_spans": "*version_id *position *start end text rule score cut",
    "mentions": "*article_id *division_code count",
    "attachments": "*article_id *url title capture_id",
    "images": "*article_id *url caption capture_id",
}
INTEGER_IDS = ("captures", "articles", "versions", "sections")


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = begin(open_archive(tmp_path / "archive.db"))
    yield conn
    conn.close()


def unique_columns(conn: sqlite3.Connection, table: str) -> set[frozenset[str]]:
    keys = {frozenset(row[1] for row in conn.execute(f"PRAGMA table_info({table})") if row[5])}
    for _, index, unique, *_ in conn.execute(f"PRAGMA index_list({table})"):
        if unique:
            keys.add(frozenset(row[2] for row in conn.execute(f"PRAGMA index_info({index})")))
    return keys


@pytest.mark.parametrize("table", CONTRACT)
def test_a_table_has_the_contracts_columns_and_its_key_is_unique(conn: sqlite3.Connection, table: str) -> None:
    words = CONTRACT[table].split()
    columns = {row[1] for row in conn.execute(f"PRAGMA table_info({table})")}
    assert {word.lstrip("*") for word in words} <= columns
    key = frozenset(word.lstrip("*") for word in words if word.startswith("*"))
    assert key in unique_columns(conn, table)


@pytest.mark.parametrize("table", INTEGER_IDS)
def test_an_id_is_never_used_again(conn: sqlite3.Connection, table: str) -> None:
    writer.write(conn, batch(article("一", day=1)))
    [(last,)] = conn.execute(f"SELECT max(id) FROM {table}")
    conn.execute("PRAGMA foreign_keys = OFF")
    for name in (*INTEGER_IDS, "version_sections"):
        conn.execute(f"DELETE FROM {name}")
    conn.execute("PRAGMA foreign_keys = ON")
    writer.write(conn, batch(article("二", day=2)))
    assert conn.execute(f"SELECT min(id) FROM {table}").fetchone()[0] > last


def test_a_row_cannot_point_at_nothing(conn: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        writer.write(conn, batch(article("一", portal_id="unknown")))
    assert conn.execute("SELECT count(*) FROM captures").fetchone() == (0,)


def test_the_reading_text_is_in_order_and_without_what_is_repeated_furniture_or_spam(conn: sqlite3.Connection) -> None:
    paragraphs = (
        paragraph("标题", role="heading"),
        paragraph("第一段"),
        paragraph("广告", role="spam"),
        paragraph(""),
        paragraph("图为现场", role="caption"),
        paragraph("第一段", role="repeat"),
        paragraph("上一篇", role="boilerplate"),
        paragraph("(记者 王五)", role="byline"),
    )
    written = writer.write(conn, batch(article(paragraphs=paragraphs), article(url="https://lingyang.example/empty")))
    texts = dict(conn.execute("SELECT article_id, body FROM article_texts"))
    assert texts == {written[0].article_id: "标题\n第一段\n\n图为现场\n(记者 王五)", written[1].article_id: ""}


def test_the_reading_text_of_one_article_does_not_read_the_others(conn: sqlite3.Connection) -> None:
    plan = conn.execute("EXPLAIN QUERY PLAN SELECT body FROM article_texts WHERE article_id = 7").fetchall()
    assert not [step for *_, step in plan if step.startswith("SCAN") and "subquery" not in step.lower()], plan
