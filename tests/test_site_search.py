"""``/search``, and what a search can be taken along as: table, feed, data."""

import csv
import io
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from xml.etree import ElementTree as ET

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive import search_query
from crawler.archive.connection import open_archive
from crawler.publish.exports.csv_text import unguarded
from crawler.publish.site import export_csv, facts, narrowing, search
from crawler.publish.site.language import words
from crawler.text.query import parse
from tests.support.searched import HIDDEN, HOSTILE, fill
from tests.support.sites import get, opened, served

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("search") / "archive.db"
    fill(path)
    return path


@pytest.fixture(scope="module")
def site(archive: Path) -> Iterator[Any]:
    with opened(archive) as site:
        yield site


def data(site: Any, query: str) -> Any:
    return get(site, f"/search.json?{query}").json()


def ids(site: Any, query: str) -> list[int]:
    return [one["article_id"] for one in data(site, query)["articles"]]


def links(page: str) -> list[str]:
    return [unescape(one) for one in re.findall(r'href="([^"]*)"', page)]


# The search page


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("q=扶贫", 59),
        ("q=扶貧", 59),
        ("q=扶贫 水利", 15),
        ("q=扶贫 -水利", 44),
        ("q=标题:水利", 3),
        ("q=扶贫&from=2015&to=2015", 12),
        ("q=扶贫&from=2014-02&to=2014-03-31", 2),
        ("q=扶贫&division=62", 20),
        ("q=扶贫&division=礼泉", 20),
        ("q=扶贫&portal=qian", 19),
        ("q=扶贫&state=gone", 1),
        ("q=状态:已删", 1),
        ("from=2018", 15),
        ("division=610424", 20),
        ("q=扶贫&from=here", 59),
        ("q=扶贫&division=9&portal=nobody", 0),
        ("", 0),
        ("q=。", 0),
        ('q="', 0),
        ("q=AND OR NEAR( *", 0),
    ],
)
def test_a_search_finds_what_its_address_says(site: Any, query: str, total: int) -> None:
    assert data(site, query)["total"] == total


def test_every_state_of_the_page_is_its_address_and_turning_pages_meets_every_article_once(site: Any) -> None:
    for sort in ("relevance", "newest", "oldest"):
        met: list[int] = []
        for page in (1, 2, 3, 4):
            met += ids(site, f"q=扶贫&sort={sort}&page={page}")
        assert len(met) == len(set(met)) == 59
        assert HIDDEN not in met


def test_the_newest_and_the_oldest_come_first_when_asked_for(site: Any) -> None:
    newest = [one["published"] for one in data(site, "q=扶贫&sort=newest")["articles"]]
    assert newest == sorted(newest, reverse=True)
    oldest = [one["published"] for one in data(site, "q=扶贫&sort=oldest")["articles"]]
    assert oldest == sorted(oldest)


def test_a_date_in_the_future_does_not_make_an_article_the_newest(site: Any) -> None:
    first = data(site, "from=2014&sort=newest")["articles"][0]
    assert first["title"] != "=1+1"


@pytest.mark.parametrize("few", [0, facts.FEW])
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_what_is_sorted_in_memory_comes_as_the_archive_sorts_it(
    archive: Path, order: Any, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "FEW", few)
    with closing(open_archive(archive, readonly=True)) as conn:
        known = facts._facts(conn)
        everything = parse("从:1990 到:3000")
        found = search_query.matching_ids(conn, everything)
        sort = known.newest if order == "newest" else known.oldest
        assert sort(found, 99) == search_query.ordered_ids(conn, everything, order=order, limit=99)


FILTERS = (
    *("division:61", "division:6104", "division:乾县", "division:礼泉", "division:9", "division:没有", "portal:qian"),
    *(
        "portal:nobody",
        "site:liquan.example",
        "state:live",
        "state:gone",
        "from:2015",
        "from:2016-07",
        "from:2017-03-04",
    ),
    *("to:2016", "to:2017-02", "to:2015-05-06"),
)
FILTER = st.builds("".join, st.tuples(st.sampled_from(("", "-")), st.sampled_from(FILTERS)))
"""A filter, perhaps turned around."""


@pytest.fixture(scope="module")
def known(archive: Path) -> Iterator[tuple[sqlite3.Connection, facts.Facts]]:
    with closing(open_archive(archive, readonly=True)) as conn:
        yield conn, facts._facts(conn)


@given(words=st.sampled_from(("扶贫", "扶贫 水利", "会议 -水利", "-水利", "")), chosen=st.lists(FILTER, max_size=4))
def test_filters_in_memory_let_through_what_the_archive_lets_through(
    known: tuple[sqlite3.Connection, facts.Facts], words: str, chosen: list[str]
) -> None:
    conn, in_memory = known
    query = parse(" ".join((words, *chosen)))
    found = narrowing.found_ids(conn, query, in_memory)
    assert found == search_query.matching_ids(conn, query)
    if query.wanted:
        best = search_query.best_of(conn, query, found, limit=9, offset=3)
        assert best == search_query.ordered_ids(conn, query, limit=9, offset=3)


def test_of_a_very_common_word_those_that_have_it_in_the_title_come_first(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "COMMON", 5)
    found = [ids(site, f"q=水利&page={page}") for page in (1, 2)]
    assert found[0][:3] == [41, 21, 1]
    assert found[0][3:] == sorted(found[0][3:], reverse=True)
    assert len(found[0]) == 15
    assert found[1] == []
    monkeypatch.setattr(search, "PER_PAGE", 2)
    assert [ids(site, f"q=水利&page={page}") for page in (1, 2, 3)] == [[41, 21], [1, 57], [53, 49]]


def test_words_are_marked_in_title_and_snippet_as_they_are_printed(site: Any) -> None:
    page = get(site, "/search?q=扶贫 会议").text
    assert "<mark>扶貧</mark>" in page
    assert "<mark>扶贫</mark>" in page
    assert "工作<mark>会议</mark>第" in page


def test_bars_and_facets_lead_to_their_articles_and_back(site: Any) -> None:
    page = get(site, "/search?q=扶贫").text
    assert 'aria-label="2015: 12"' in page
    narrower = [parse_qs(urlsplit(one).query) for one in links(page) if one.startswith("/search?")]
    assert {"q": ["扶贫"], "from": ["2015"], "to": ["2015"]} in narrower
    assert {"q": ["扶贫"], "division": ["610000"]} in narrower
    assert {"q": ["扶贫"], "portal": ["liquan"]} in narrower
    for one in narrower:
        if {"division", "portal", "from", "state"} & set(one):
            query = "&".join(f"{name}={quote(value)}" for name, [value] in one.items())
            assert data(site, query)["total"] > 0
    chosen = get(site, "/search?q=扶贫&portal=liquan&from=2015").text
    assert {"q": ["扶贫"], "portal": ["liquan"]} in [parse_qs(urlsplit(one).query) for one in links(chosen)]


def test_a_date_in_the_future_stretches_no_chart(site: Any) -> None:
    assert data(site, "from=2018")["months"]["299901"] == 1
    years = re.findall(r'aria-label="(\d{4}): ', get(site, "/search?from=2015").text)
    assert years == [str(year) for year in range(2015, 2025)]  # the last one has what was seen first then


def test_a_few_years_are_shown_by_month(site: Any) -> None:
    page = get(site, "/search?q=扶贫&from=2015&to=2015").text
    assert 'aria-label="2015-03: 1"' in page


def test_numbers_are_those_of_the_articles_that_are_found(site: Any) -> None:
    found = data(site, "q=扶贫")
    for name in ("months", "divisions", "portals", "states"):
        assert sum(found[name].values()) == found["total"]
    assert found["states"]["gone"] == 1


def test_a_filter_that_says_nothing_is_named_and_not_used(site: Any) -> None:
    page = get(site, "/search?q=扶贫&from=here").text
    assert "“here”看不懂" in page


def test_nothing_hostile_that_is_found_or_typed_runs(site: Any) -> None:
    for query in ("alert", HOSTILE, f'"{HOSTILE}', "javascript:alert(1)"):
        for extra in ("", "&from=<script>", "&portal=" + quote(HOSTILE), "&state='><img>", "&_lang=<b>"):
            page = get(site, f"/search?q={quote(query)}{extra}").text
            assert "<script" not in page
            assert "<img" not in page
            assert {urlsplit(one).scheme for one in links(page)} <= {"", "http"}


def test_what_is_withheld_is_nowhere(site: Any) -> None:
    for path in ("/search.json?q=扶贫", "/search.json?from=2014&page=4", "/search.json?q=第6次", "/search.atom?q=第6次",
                 "/articles.atom", "/sitemap-1.xml", "/export.csv?q=扶贫", "/index.json"):  # fmt: skip
        text = get(site, path).text
        assert "会议第6次" not in text, path
        assert f"/article/{HIDDEN}<" not in text, path


def test_a_search_that_takes_too_long_says_so_in_the_readers_language(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never_done(conn: sqlite3.Connection, *_: object) -> Any:
        endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
        return conn.execute(endless).fetchall()

    monkeypatch.setattr(search, "_found", never_done)
    monkeypatch.setitem(site._settings, "sql_time_limit_ms", 50)
    for lang in ("zh", "en"):
        answer = get(site, f"/search?q=扶贫&_lang={lang}")
        assert answer.status_code == 503
        assert words(lang)("frame.too_slow.title") in answer.text
    assert get(site, "/search.json?q=扶贫").json()["status"] == 503


# What it can be taken along as


def table(response: httpx.Response) -> list[dict[str, str]]:
    assert response.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    "query", ["q=扶贫", "q=扶贫&portal=qian&from=2015", "q=状态:已删", "state=gone", "q=公式", "q=没有&division=99"]
)
@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_a_table_has_all_that_a_search_finds_with_its_text(site: Any, query: str, coding: str) -> None:
    response = get(site, f"/export.csv?{query}", headers={"Accept-Encoding": coding})
    found = table(response)
    assert len(found) == data(site, query)["total"] == int(response.headers["xianzhi-rows"])
    assert response.headers.get("content-encoding", "identity") == coding
    assert all(row["body"] for row in found)


def test_no_cell_of_a_table_is_run_by_a_spreadsheet(site: Any) -> None:
    [row] = table(get(site, "/export.csv?q=公式"))
    assert row["title"] == "'=1+1"
    assert unguarded(row["body"]) == "=HYPERLINK(1) 公式"


def test_a_search_that_asks_nothing_has_no_table(site: Any) -> None:
    for query in ("", "?q=。"):
        response = get(site, f"/export.csv{query}")
        assert (response.status_code, response.headers["location"]) == (302, "/search")
    assert get(site, "/export.csv?q=扶贫&portal=nobody").status_code == 404


@pytest.mark.parametrize("query", ["from=here", "q=扶贫&to=2014-13", "q=扶贫&division=9", "q=扶贫&state=lost"])
def test_what_could_not_be_said_in_a_file_or_a_feed_is_a_400_that_says_what_is_wrong(site: Any, query: str) -> None:
    value = query.rpartition("=")[2]
    for path in ("/export.csv", "/search.atom"):
        response = get(site, f"{path}?{query}&_lang=en")
        assert response.status_code == 400
        assert f"“{value}” was not understood" in response.text


def test_a_table_that_ends_early_is_a_failed_download(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_csv, "BATCH", 5)
    with served(archive) as address:
        assert httpx.get(f"{address}export.csv?q=扶贫").text.count("\r\n") == 60
        monkeypatch.setattr(export_csv, "LASTS", -1.0)
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
            httpx.get(f"{address}export.csv?q=扶贫")
    assert not export_csv._underway


def test_readers_who_leave_or_crowd_do_not_keep_the_others_waiting(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(archive) as address:
        monkeypatch.setattr(export_csv, "_underway", {1, 2})
        response = httpx.get(f"{address}export.csv?q=扶贫")
        assert (response.status_code, response.headers["retry-after"]) == (503, "60")


@pytest.mark.parametrize(
    "path", ["/articles.atom", "/search.atom?q=扶贫", "/search.atom?q=alert", "/search.atom?q=无", "/search.atom"]
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_feed_is_valid_atom(site: Any, path: str, lang: str) -> None:
    response = get(site, path, headers={"Accept-Language": lang})
    assert response.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = ET.fromstring(response.content)
    for element in (feed, *feed.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", element.findtext(f"{ATOM}updated", ""))
    entries = [entry.findtext(f"{ATOM}id") for entry in feed.findall(f"{ATOM}entry")]
    assert len(entries) == len(set(entries))


def test_a_feed_has_first_what_the_archive_got_last(site: Any) -> None:
    feed = ET.fromstring(get(site, "/search.atom?q=扶贫").content)
    pages = [entry.find(f"{ATOM}link") for entry in feed.findall(f"{ATOM}entry")]
    numbers = [int(str(link.get("href")).rpartition("/")[2]) for link in pages if link is not None]
    assert numbers[0] == 60
    assert numbers == sorted(numbers, reverse=True)
    assert feed.find(f"{ATOM}link[@rel='alternate']").get("href") == f"http://localhost/search?q={quote('扶贫')}"


@pytest.mark.parametrize(
    ("lang", "title"),
    [
        ("zh", "检索：扶贫 从 2014 陕西省咸阳市乾县 qian county 状态：已删 · 县志"),
        ("en", "Search: 扶贫 from 2014 陕西省咸阳市乾县 qian county state: gone · Xianzhi"),
    ],
)
def test_a_feed_says_in_words_what_it_follows(site: Any, lang: str, title: str) -> None:
    asked = "q=扶贫&from=2014&division=610424&portal=qian&state=gone"
    assert ET.fromstring(get(site, f"/search.atom?{asked}&_lang={lang}").content).findtext(f"{ATOM}title") == title
