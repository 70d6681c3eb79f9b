"""Who printed a paragraph: where first, where else, when, and whether it is still there."""

import sqlite3
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from crawler.archive import writer
from crawler.archive.connection import open_archive
from crawler.archive.provenance import Count, counts, printings, provenance, section_of
from crawler.records import Paragraph
from crawler.text.folding import fold_hash
from tests.support.archive import article, batch, begin

SLOGAN = "各级各部门要把群众的冷暖放在心上。"
CONVERTED = "各級各部門要把羣衆的冷暖放在心上."
CROWD = 100_000


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = begin(open_archive(tmp_path / "archive.db"), "lingyang", "qingshui", "baishi")
    yield conn
    conn.close()


def store(
    conn: sqlite3.Connection,
    *texts: str,
    portal: str = "lingyang",
    name: str = "1",
    day: int = 0,
    published: str | None = None,
    division: str = "990001",
) -> int:
    """An article of *portal* as it stood on the *day*th day; its id."""
    item = article(
        paragraphs=tuple(Paragraph(text=text, fold_hash=fold_hash(text)) for text in texts),
        day=day,
        url=f"https://{portal}.example/{name}",
        portal_id=portal,
        published=published,
        division=division,
    )
    [written] = writer.write(conn, batch(item))
    return written.article_id


def test_the_first_article_is_the_one_published_first_whenever_it_was_found(conn: sqlite3.Connection) -> None:
    later = store(conn, SLOGAN, published="2015-02-01", division="610424")
    first = store(conn, "前言", CONVERTED, portal="qingshui", published="2014-06-03T07:27:00+08:00", day=3)
    store(conn, "别的", portal="baishi")
    section = section_of(conn, SLOGAN)
    assert section is not None
    found = provenance(conn, section)
    assert found.first is not None
    assert (found.text, found.first.article_id, found.first.portal_id) == (SLOGAN, first, "qingshui")
    assert (found.articles, found.portals, found.divisions, found.still_there, found.differing) == (2, 2, 2, 2, 1)
    assert [(one.article_id, one.since, one.differs) for one in printings(conn, section)] == [
        (first, "2014-06-03T07:27:00+08:00", True),
        (later, "2015-02-01", False),
    ]
    assert list(counts(conn, section)) == [
        Count(division_code="990001", month="2014-06", articles=1),
        Count(division_code="610424", month="2015-02", articles=1),
    ]


def test_a_paragraph_is_found_however_it_is_written(conn: sqlite3.Connection) -> None:
    store(conn, SLOGAN)
    assert section_of(conn, CONVERTED) == section_of(conn, f" {SLOGAN[:-1]}") == section_of(conn, SLOGAN)
    assert section_of(conn, SLOGAN[:5]) is None


def test_an_article_without_a_date_counts_from_when_it_was_seen(conn: sqlite3.Connection) -> None:
    store(conn, SLOGAN, day=40)
    [only] = printings(conn, 1)
    assert (only.published, only.since) == (None, "2024-02-10T00:00:00Z")
    assert [one.month for one in counts(conn, 1)] == ["2024-02"]


def test_an_edit_that_removed_the_paragraph_is_said(conn: sqlite3.Connection) -> None:
    store(conn, SLOGAN, "其余", published="2014-06-03", day=0)
    store(conn, "其余", published="2014-06-03", day=5)
    [only] = printings(conn, 1)
    assert (only.is_there, only.was_added, only.since) == (False, False, "2014-06-03")
    assert (provenance(conn, 1).articles, provenance(conn, 1).still_there) == (1, 0)


def test_a_paragraph_that_an_edit_put_in_is_as_old_as_the_edit(conn: sqlite3.Connection) -> None:
    old = store(conn, "其余", published="2014-06-03", day=0)
    store(conn, "其余", SLOGAN, published="2014-06-03", day=5)
    other = store(conn, SLOGAN, portal="qingshui", published="2020-01-01")
    section = section_of(conn, SLOGAN)
    assert section is not None
    assert [(one.article_id, one.was_added, one.since) for one in printings(conn, section)] == [
        (other, False, "2020-01-01"),
        (old, True, "2024-01-06T00:00:00Z"),
    ]


def test_an_article_that_prints_it_twice_in_several_versions_is_one(conn: sqlite3.Connection) -> None:
    for day in range(3):
        store(conn, SLOGAN, SLOGAN, f"第{day}版", day=day)
    assert provenance(conn, 1).articles == len(printings(conn, 1)) == 1


def test_what_only_a_replaced_reading_has_was_never_printed(conn: sqlite3.Connection) -> None:
    article_id = store(conn, SLOGAN, "其余")
    conn.execute(
        "INSERT INTO versions (article_id, capture_id, extractor, seen_at, text_sha256, chars, replaces)"
        " SELECT article_id, capture_id, 'rules 2', seen_at, '', 2, id FROM versions"
    )
    conn.execute("INSERT INTO version_sections (version_id, position, section_id, role) VALUES (2, 0, 2, 'body')")
    conn.execute("UPDATE articles SET version_id = 2")
    found = provenance(conn, 1)
    assert (found.articles, found.first) == (0, None)
    [kept] = printings(conn, 2)
    assert (kept.article_id, kept.is_there, kept.was_added) == (article_id, True, False)


def test_an_unknown_section_is_an_error(conn: sqlite3.Connection) -> None:
    with pytest.raises(LookupError, match="99"):
        provenance(conn, 99)


def test_pages_follow_each_other_without_a_gap(conn: sqlite3.Connection) -> None:
    for number in range(14):
        dates = (None, "2014-06-03", "2014-06-03", "2015-01-01")
        store(conn, SLOGAN, name=str(number), day=number // 3, published=dates[number % 4])
    pages, last = [], None
    while page := printings(conn, 1, limit=3, after=last):
        pages += page
        last = page[-1]
    assert pages == printings(conn, 1)
    assert len(pages) == 14


def test_a_paragraph_that_a_hundred_thousand_articles_print_is_told_in_seconds(conn: sqlite3.Connection) -> None:
    store(conn, SLOGAN)
    numbers = range(2, CROWD + 1)
    conn.execute("BEGIN")
    conn.executemany(
        "INSERT INTO articles (id, portal_id, url, published, division_code, chars, state, first_seen, last_seen)"
        " VALUES (?1, 'lingyang', ?1, ?2, ?3, 9, 'live', '2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z')",
        ((n, f"{2008 + n % 16}-{1 + n % 12:02}-{1 + n % 28:02}", f"{610000 + n % 100}") for n in numbers),
    )
    conn.executemany(
        "INSERT INTO versions (id, article_id, capture_id, extractor, seen_at, text_sha256, chars)"
        " VALUES (?1, ?1, 1, ?1, '2024-01-01T00:00:00Z', '', 9)",
        ((n,) for n in numbers),
    )
    conn.executemany(
        "INSERT INTO version_sections (version_id, position, section_id, role) VALUES (?, 0, 1, 'boilerplate')",
        ((n,) for n in numbers),
    )
    conn.execute("UPDATE articles SET version_id = id")
    conn.execute("COMMIT")
    began = time.process_time()
    found = provenance(conn, 1)
    page = printings(conn, 1)
    following = printings(conn, 1, after=page[-1])
    totals = list(counts(conn, 1))
    assert time.process_time() - began < 20  # 1.3 s on an idle machine
    assert found.articles == sum(one.articles for one in totals) == CROWD
    assert all(one.since <= other.since for one, other in pairwise([*page, *following]))
    assert {one.article_id for one in page}.isdisjoint(one.article_id for one in following)


def test_every_question_goes_by_an_index(conn: sqlite3.Connection) -> None:
    store(conn, SLOGAN)
    statements: list[str] = []
    conn.set_trace_callback(statements.append)
    section_of(conn, SLOGAN)
    provenance(conn, 1)
    list(counts(conn, 1))
    conn.set_trace_callback(None)
    plans = [row[3] for statement in statements for row in conn.execute(f"EXPLAIN QUERY PLAN {statement}")]
    tables = {name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    aliases = {*tables, "here", "newer", "older"}
    assert len(plans) > 10
    assert [step for step in plans if step.startswith("SCAN") and step.split()[1] in aliases] == []
