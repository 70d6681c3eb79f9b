"""The index says what the articles say, whatever happens to them, and finds what is printed."""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bench.search import Language
from crawler.archive import search, search_query, writer
from crawler.archive.batch import Observation
from crawler.archive.connection import open_archive, transaction
from crawler.archive.search import Discrepancy, changing
from crawler.text import query as grammar
from crawler.text.folding import fold
from crawler.text.query import Query, parse
from tests.support.archive import PORTAL, START, URL, article, batch, begin, paragraph


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = begin(open_archive(tmp_path / "archive.db"), "lingyang", "qingshui")
    yield conn
    conn.close()


def ids(conn: sqlite3.Connection, typed: str) -> list[int]:
    return search_query.matching_ids(conn, parse(typed))


def store(conn: sqlite3.Connection, *texts: str, **fields: Any) -> int:
    [written] = writer.write(conn, batch(article(*texts, **fields)))
    return written.article_id


def numbered(number: int) -> str:
    return f"https://www.lingyang.example/xw/{number}.html"


# In step.


def test_an_article_is_found_as_soon_as_it_is_stored(conn: sqlite3.Connection) -> None:
    store(conn, "青岚县幹部下乡", title="防汛演练")
    assert ids(conn, "干部") == ids(conn, "防汛") == ids(conn, "防汛 幹部") == [1]
    assert search.check(conn) == []


def test_an_edited_article_is_found_by_its_new_words_only(conn: sqlite3.Connection) -> None:
    store(conn, "修渠", "引水", title="旧题", day=0)
    store(conn, "修路", "引水", title="新题", day=1)
    assert (ids(conn, "修渠"), ids(conn, "旧题"), ids(conn, "修路"), ids(conn, "新题"), ids(conn, "引水")) == (
        [], [], [1], [1], [1],
    )  # fmt: skip
    assert search.check(conn) == []


def test_an_article_edited_twice_in_one_batch_is_indexed_once(conn: sqlite3.Connection) -> None:
    writer.write(conn, batch(*(article(text, day=day) for day, text in enumerate(("修渠", "修路", "修桥")))))
    assert (ids(conn, "修渠"), ids(conn, "修路"), ids(conn, "修桥")) == ([], [], [1])
    assert search.check(conn) == []


def test_a_version_that_comes_late_leaves_the_index_as_it_is(conn: sqlite3.Connection) -> None:
    store(conn, "修路", day=5)
    store(conn, "修渠", day=1)
    assert (ids(conn, "修渠"), ids(conn, "修路")) == ([], [1])
    assert search.check(conn) == []


def test_an_article_that_is_gone_is_still_found(conn: sqlite3.Connection) -> None:
    store(conn, "修渠", day=0)
    gone = Observation(portal_id=PORTAL, url=URL, seen_at=START + timedelta(days=1), state="gone")
    writer.write(conn, batch(observations=(gone,)))
    assert ids(conn, "修渠 状态:gone") == [1]
    assert search.check(conn) == []


@pytest.mark.parametrize("role", ["repeat", "boilerplate", "spam"])
def test_what_the_reading_text_leaves_out_is_not_found(conn: sqlite3.Connection, role: str) -> None:
    store(conn, paragraphs=(paragraph("修渠"), paragraph("修路", role=role)))
    assert (ids(conn, "修渠"), ids(conn, "修路")) == ([1], [])


def test_a_role_that_is_learned_later_changes_what_is_found(conn: sqlite3.Connection) -> None:
    for number in (1, 2, 3):
        store(conn, "修渠", "主办单位", url=numbered(number))
    for role, found in (("boilerplate", [3]), ("body", [1, 2, 3])):
        with transaction(conn), changing(conn, [2, 1]):
            conn.execute("UPDATE version_sections SET role = ? WHERE position = 1 AND version_id < 3", (role,))
        assert ids(conn, "主办单位") == found
        assert ids(conn, "修渠") == [1, 2, 3]
        assert search.check(conn) == []


def test_a_change_that_fails_leaves_index_and_articles_as_they_were(conn: sqlite3.Connection) -> None:
    store(conn, "修渠")
    with pytest.raises(sqlite3.IntegrityError), transaction(conn), changing(conn, [1]):
        conn.executemany("UPDATE articles SET title = '修路', state = ?", [("gone",), ("nonsense",)])
    assert ids(conn, "修路") == []
    assert search.check(conn) == []


def test_a_batch_that_fails_leaves_nothing_in_the_index(conn: sqlite3.Connection) -> None:
    bad = article("修路", url=numbered(2), published_basis="guess")
    with pytest.raises(sqlite3.IntegrityError):
        writer.write(conn, batch(article("修渠", url=numbered(1)), bad))
    assert ids(conn, "修渠") == []
    assert search.check(conn) == []


def test_an_archive_that_was_written_before_the_index_catches_up(
    conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "CATCH_UP_BATCH", 2)
    for number in range(5):
        store(conn, "修渠", url=numbered(number))
    with transaction(conn):
        search.clear(conn)
    assert ids(conn, "修渠") == []
    assert search.catch_up(conn) == 5
    assert search.catch_up(conn) == 0
    assert ids(conn, "修渠") == [1, 2, 3, 4, 5]
    assert search.check(conn) == []


def test_catching_up_goes_on_where_it_was_killed(conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "CATCH_UP_BATCH", 2)
    for number in range(5):
        store(conn, "修渠", url=numbered(number))
    with transaction(conn):
        search.clear(conn)
    left = set()
    for last in range(0, 2400, 30):
        killed = sqlite3.connect(":memory:", isolation_level=None)
        conn.backup(killed)
        instructions = count()
        killed.set_progress_handler(lambda at=instructions, last=last: next(at) >= last, 1)
        with suppress(sqlite3.OperationalError):
            search.catch_up(killed)
        killed.set_progress_handler(None, 0)
        killed.rollback()
        left.add(search.catch_up(killed))
        assert ids(killed, "修渠") == [1, 2, 3, 4, 5]
        assert search.check(killed) == []
        killed.close()
    assert left == {5, 3, 1, 0}


# The check.


def test_the_check_names_what_is_missing_superfluous_and_stale(conn: sqlite3.Connection) -> None:
    for number in range(4):
        store(conn, "修渠引水", "修路", url=numbered(number))
    told = "INSERT INTO articles_fts (articles_fts, rowid, title, body) VALUES ('delete', ?, ?, ?)"
    conn.execute(told, (2, " ".join("凌阳县启动防汛演练"), " ".join("修渠引水修路")))
    conn.execute("INSERT INTO articles_fts (rowid, title, body) VALUES (9, '', '')")
    conn.execute("UPDATE articles SET title = '凌阳县启动防汛练演' WHERE id = 3")  # the same characters
    conn.execute("UPDATE version_sections SET role = 'boilerplate' WHERE version_id = 4 AND position = 1")
    assert search.check(conn) == [
        Discrepancy(article_id=2, problem="missing"),
        Discrepancy(article_id=3, problem="stale"),
        Discrepancy(article_id=4, problem="stale"),
        Discrepancy(article_id=9, problem="superfluous"),
    ]
    with transaction(conn):
        search.clear(conn)
    search.catch_up(conn)
    assert search.check(conn) == []


def test_the_check_finds_a_damaged_index(conn: sqlite3.Connection) -> None:
    store(conn, "修渠")
    conn.execute("UPDATE articles_fts_data SET block = x'00000000ffffff' WHERE id > 10")
    assert search.check(conn) == [Discrepancy(article_id=None, problem="damaged")]


def test_the_check_needs_no_leave_to_write(conn: sqlite3.Connection, tmp_path: Path) -> None:
    store(conn, "修渠")
    store(conn, url=numbered(2), title=None)
    reader = open_archive(tmp_path / "archive.db", readonly=True)
    assert search.check(reader) == []
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("CREATE TEMP TABLE other (id)")
    reader.close()


# Finding.


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    conn = begin(open_archive(tmp_path_factory.mktemp("search") / "archive.db"), "lingyang", "qingshui")
    conn.executemany(
        "INSERT INTO divisions (code, from_year, name, level, parent_code) VALUES (?, 1980, ?, ?, ?)",
        [("610000", "陕西省", 1, None), ("610400", "咸阳市", 2, "610000"), ("610424", "乾县", 3, "610400")],
    )
    stories = (
        ("精准扶贫工作会议", "县委召开会议。", "2014-06-03", "610424", "lingyang", "www.lingyang.gov.cn"),
        ("春耕", "精準扶貧，干部下乡，会议精神。", "2014-06-30T08:00:00+08:00", "610424", "lingyang", "lingyang.gov.cn:8080"),
        ("煤矿安全", "covid-19疫情期间复工，精准 调度。", "2015-01-02", "610400", "qingshui", "www.qingshui.gov.cn"),
        ("招商", "E-mail：a@b.cn，投资100万元。", None, "620000", "qingshui", "www.qingshui.gov.cn"),
        ("明天的新闻", "扶贫。", "2099-01-01", None, "qingshui", "m.www.qingshui.gov.cn"),
    )  # fmt: skip
    for number, (title, text, published, division, portal, host) in enumerate(stories):
        url = f"https://{host}/{number}.html?to=other.example/"
        store(conn, text, title=title, published=published, division=division, portal_id=portal, url=url, day=number)
    yield conn
    conn.close()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("扶贫", [1, 2, 5]),
        ("扶貧 幹部", [2]),
        ("精准扶贫", [1, 2]),
        ("贫", [1, 2, 5]),
        ('"扶贫 工作"', [1]),
        ("会议 -干部", [1]),
        ("标题:会议", [1]),
        ("covid-19疫情", [3]),
        ("19", [3]),
        ("email", [4]),
        ("00万", []),
        ("扶贫 地区:6104", [1, 2]),
        ("扶贫 地区:乾縣", [1, 2]),
        ("精准 地区:咸阳", [1, 2, 3]),
        ("精准 地区:陕西 -地区:乾县", [3]),
        ("扶贫 -地区:6104", [5]),
        ("扶贫 地区:火星", []),
        ("网站:qingshui", [3, 4, 5]),
        ("site:qingshui.gov.cn", [3, 4, 5]),
        ("site:www.qingshui.gov.cn -煤矿", [4, 5]),
        ("site:lingyang.gov.cn", [1, 2]),
        ("site:lingyang.gov.cn:8080", [2]),
        ("site:yang.gov.cn", []),
        ("site:other.example", []),
        ("从:2014-06-30 到:2015", [2, 3]),
        ("to:2014-06", [1, 2]),
        ("到:2014-06-29", [1]),
        ("从:2024-01-04 到:2024", [4]),
        ("状态:gone", []),
        ("-扶贫", [3, 4]),
        ("-扶贫 网站:qingshui", [3, 4]),
        ("", []),
        ("。", []),
        ('"', []),
    ],
)
def test_a_query_finds_its_articles(county: sqlite3.Connection, typed: str, found: list[int]) -> None:
    query = parse(typed)
    assert search_query.matching_ids(county, query) == found
    assert search_query.count(county, query) == len(found)
    assert sorted(hit.article_id for hit in search_query.search(county, query).hits) == found
    assert sum(number for _, number in search_query.counts(county, query, "portal")) == len(found)


def test_titles_come_first_and_orders_go_by_day(county: sqlite3.Connection) -> None:
    def order(by: search_query.Order) -> list[int]:
        return [hit.article_id for hit in search_query.search(county, parse("会议 扶贫"), order=by).hits]

    assert order("relevance") == [1, 2]
    assert order("newest") == [2, 1]
    assert order("oldest") == [1, 2]


def test_a_day_to_come_does_not_stand_on_top(conn: sqlite3.Connection) -> None:
    store(conn, "扶贫", url=numbered(1), published="2099-01-01", day=1)
    store(conn, "扶贫", url=numbered(2), published="2024-01-05", day=4)
    newest = search_query.search(conn, parse("扶贫"), order="newest").hits
    assert [hit.published for hit in newest] == ["2024-01-05", "2099-01-01"]


def test_answers_come_in_pages_and_in_numbers(county: sqlite3.Connection) -> None:
    found = search_query.search(county, parse("扶贫"), order="oldest", limit=2, offset=1)
    assert found.total == 3
    assert [hit.article_id for hit in found.hits] == [2, 5]
    assert found.hits[0].url == "https://lingyang.gov.cn:8080/1.html?to=other.example/"
    assert search_query.counts(county, parse("扶贫"), "year") == [("2014", 2), ("2099", 1)]
    assert search_query.counts(county, parse("扶贫"), "division") == [(None, 1), ("610424", 2)]
    assert search_query.counts(county, parse("扶贫"), "state") == [("live", 3)]


def test_filters_of_the_caller_narrow_what_was_typed(county: sqlite3.Connection) -> None:
    query = parse("扶贫").narrowed(grammar.portal("lingyang"), grammar.since("2014-06-04"))
    assert search_query.matching_ids(county, query) == [2]


@pytest.mark.parametrize("item", ["地区:火星 ", "site:x ", "到:2014 -网站:lingyang ", "火 ", "-会 -议 火 "])
def test_a_query_of_a_thousand_items_is_answered(county: sqlite3.Connection, item: str) -> None:
    assert search_query.search(county, parse(item * 1000)).total == 0


def test_all_that_is_printed_is_found_and_nothing_else(tmp_path: Path) -> None:
    language = Language()
    conn = begin(open_archive(tmp_path / "archive.db"))
    texts = [language.article(number) for number in range(200)]
    items = [
        article(*paragraphs, title=title, url=numbered(number)) for number, (title, paragraphs) in enumerate(texts)
    ]
    writer.write(conn, batch(*items))
    folded = [f"{fold(title)}\n{fold(''.join(paragraphs))}" for title, paragraphs in texts]
    for typed in language.queries(len(texts)):
        truth = [number for number, text in enumerate(folded, 1) if fold(typed) in text]
        assert ids(conn, typed) == truth
    conn.close()


def test_a_stored_article_can_lose_its_title(conn: sqlite3.Connection) -> None:
    item = article("修渠", day=0)
    writer.write(conn, batch(item))
    gone = article("修渠", day=1)
    writer.write(conn, batch(replace(gone, article=replace(gone.article, title=None))))
    assert (ids(conn, "防汛"), ids(conn, "修渠")) == ([], [1])
    assert search.check(conn) == []


def test_a_query_of_nothing_asks_nothing(conn: sqlite3.Connection) -> None:
    store(conn, "修渠", url=URL)
    assert search_query.search(conn, Query()) == search_query.Found(total=0, hits=())
