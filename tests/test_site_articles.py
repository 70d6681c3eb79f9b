"""``/article``, ``/section``, ``/changes``, ``/defaced``: what a reader finds there, and what nobody may."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import httpx
import pytest
from lxml import html

from crawler.archive.connection import open_archive
from crawler.archive.withholding import withhold
from crawler.publish import server
from crawler.publish.site.reading import Printed, read
from crawler.records import SpamSpan
from tests.support import stories
from tests.support.stories import EDITED, GONE, HOSTILE_ONE, INJECTED, REPRINT, SLOGAN, SPAMMED, UNDATED

REPLAY = "https://replay.example/x"
ARTICLES = (EDITED, GONE, REPRINT, SPAMMED, HOSTILE_ONE, UNDATED)
PAGES = (
    *(f"/article/{one}" for one in ARTICLES),
    f"/article/{EDITED}?version=1",
    f"/article/{EDITED}?compare=1..2",
    f"/article/{HOSTILE_ONE}?compare=6..6",
    *(f"/section/{one}" for one in (*range(1, 12), 15)),
    "/changes",
    "/changes?kind=gone&division=凌阳",
    "/defaced",
    "/defaced?portal=baishi",
)


class Page(HTMLParser):
    """What a page leads to, what is in it, and its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action"}]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stories") / "archive.db"
    stories.fill(path)
    return path


def opened(path: Path) -> Iterator[Any]:
    site = server.open_site(path, sql=False, replay_base=REPLAY)
    yield site
    site.executor.shutdown()
    for database in site.databases.values():
        database.close()


@pytest.fixture(scope="module")
def site(archive: Path) -> Iterator[Any]:
    yield from opened(archive)


@pytest.fixture
def site_without_the_edited(archive: Path, tmp_path: Path) -> Iterator[Any]:
    path = tmp_path / "archive.db"
    with closing(sqlite3.connect(archive)) as conn:
        conn.execute("VACUUM INTO ?", (str(path),))
    with closing(open_archive(path)) as conn:
        withhold(conn, EDITED, "a private person")
    yield from opened(path)


def get(site: Any, path: str) -> httpx.Response:
    response: httpx.Response = asyncio.run(site.client.get(path))
    return response


def page(site: Any, path: str) -> Page:
    response = get(site, path)
    assert response.status_code == 200, path
    return Page(response.text)


# /article


def test_an_article_is_read_with_its_headings_captions_and_tables(site: Any) -> None:
    text = get(site, f"/article/{EDITED}").text
    assert '<h2 id="p2" class="heading"><bdi itemprop="articleBody">河道清理提前</bdi>' in text
    assert 'class="caption"><bdi itemprop="articleBody">图为会议现场。李二 摄</bdi>' in text
    assert "<td>青龙镇</td><td>3200</td><td>孙四</td>" in text
    assert text.count("<h1") == 1


def test_an_article_says_where_when_and_by_whom(site: Any) -> None:
    found = page(site, f"/article/{EDITED}")
    for said in (
        "凌阳县人民政府",
        "陕西省咸阳市乾县",
        "2023-06-04 07:27",
        "凌阳县融媒体中心",
        "王一、李二",
        "钱六",
        "凌阳要闻",
    ):
        assert said in " ".join(found.words.split()).replace("王一 、", "王一、"), said
    assert "https://lingyang.example/xw/1.html" in found.links


@pytest.mark.parametrize("article_id", ARTICLES)
def test_the_text_that_is_read_is_the_reading_text_to_the_letter(site: Any, archive: Path, article_id: int) -> None:
    blocks = get(site, f"/article/{article_id}.json").json()["text"]
    with closing(open_archive(archive, readonly=True)) as conn:
        [(body,)] = conn.execute("SELECT body FROM article_texts WHERE article_id = ?", (article_id,)).fetchall()
    assert "\n".join(block["text"] for block in blocks) == body


def test_what_was_left_out_is_one_click_away_with_its_reason(site: Any) -> None:
    found = get(site, f"/article/{SPAMMED}")
    data = get(site, f"/article/{SPAMMED}.json").json()
    assert [(one["reason"], one["rule"], one["position"]) for one in data["removed"]] == [
        ("spam", "chain", -1),
        ("spam", "chain", 0),
        ("spam", None, 2),
    ]
    head = found.text.partition("<details")[0]
    assert INJECTED not in head
    assert found.text.partition("<details")[2].count(INJECTED) >= 3
    assert "从正文中略去的：3 处" in found.text


def test_news_of_gambling_is_no_removal_and_a_suspected_run_stays_in_the_text() -> None:
    report = SpamSpan(position=0, start=0, end=2, text="赌博", rule="report", score=1.0, cut=False)
    doubtful = SpamSpan(position=0, start=3, end=5, text="官网", rule="phrase", score=4.0, cut=False)
    reading = read("题目", [Printed(position=0, section_id=1, role="body", text="赌博与官网")], [doubtful, report])
    assert [(one.reason, one.text) for one in reading.removals] == [("suspected", "官网")]
    assert [piece.text for piece in reading.blocks[0].pieces] == ["赌博与官网"]


def test_each_paragraph_leads_to_its_life_with_the_number_of_others(site: Any) -> None:
    [slogan] = [one for one in get(site, f"/article/{GONE}.json").json()["text"] if one["text"] == SLOGAN]
    assert slogan["other_articles"] == 3
    assert f"/section/{slogan['section']}" in page(site, f"/article/{GONE}").links
    assert get(site, f"/section/{slogan['section']}.json").json()["articles"] == 4


def test_a_reprint_leads_to_where_the_story_appeared_first(site: Any) -> None:
    story = get(site, f"/article/{REPRINT}.json").json()["story"]
    assert (story["first"], story["articles"]) == (EDITED, 2)
    assert f"/article/{EDITED}" in page(site, f"/article/{REPRINT}").links
    assert "已知最早的就是这一篇" in page(site, f"/article/{EDITED}").words


def test_a_version_has_an_address_of_its_own_and_says_that_it_is_old(site: Any) -> None:
    old, new = page(site, f"/article/{EDITED}?version=1").words, page(site, f"/article/{EDITED}").words
    assert "去年七月的山洪" in old
    assert "不是最新的" in old
    assert "去年七月的山洪" not in new
    assert f"/article/{EDITED}?compare=1..2" in page(site, f"/article/{EDITED}").links


def test_a_comparison_shows_what_went_and_what_came(site: Any) -> None:
    text = get(site, f"/article/{EDITED}?compare=1..2").text
    assert re.search("6月<del>10</del><ins>25</ins>日", text)
    assert "<del>去年七月的山洪造成三座桥梁垮塌，县水利局两名负责人受到处理。</del>" in text
    assert "<del><bdi>赵三</bdi></del>" in text
    data = get(site, f"/article/{EDITED}.json?compare=1..2").json()
    assert data["fields"] == {"editor": {"before": "赵三", "after": "钱六"}}


def test_a_deleted_article_says_so_and_since_when(site: Any) -> None:
    words = page(site, f"/article/{GONE}").words
    assert "原网站上已经没有这篇文章：2024-03-01 00:00 UTC 起如此" in words
    assert "多半已打不开" in words


def test_captures_are_named_so_that_they_can_be_found_and_checked(site: Any) -> None:
    captures = get(site, f"/article/{EDITED}.json").json()["captures"]
    assert len(captures) == 2
    found = page(site, f"/article/{EDITED}")
    for capture in captures:
        assert capture["warc_file"] in found.words
        assert str(capture["warc_offset"]) in found.words
        assert capture["payload_sha256"] in found.words
        assert capture["replay"] in found.links
    assert captures[0]["replay"] == f"{REPLAY}/20240131000000/https://lingyang.example/xw/1.html"


def test_a_version_is_cited_by_an_address_that_stays(site: Any) -> None:
    for form, kind in (("bib", "application/x-bibtex"), ("ris", "application/x-research-info-systems")):
        file = get(site, f"/article/{EDITED}.{form}?version=1")
        assert "article/1?version=1" in file.text
        assert file.headers["content-type"].startswith(kind)
        assert f"xianzhi-1-1.{form}" in file.headers["content-disposition"]
    assert "[EB/OL]" in page(site, f"/article/{EDITED}").words
    assert INJECTED not in get(site, f"/article/{SPAMMED}.bib").text.replace("\\_", "_")


def test_an_article_leads_to_its_neighbours_of_the_portal(site: Any) -> None:
    data = get(site, f"/article/{EDITED}.json").json()
    assert (data["previous"]["id"], data["next"]) == (GONE, None)
    assert get(site, f"/article/{GONE}.json").json()["next"]["id"] == EDITED


def test_an_article_says_to_machines_what_it_is(site: Any) -> None:
    found = page(site, f"/article/{EDITED}")
    stated = {value for name, value in found.attributes if name == "itemprop"}
    assert {"headline", "datePublished", "author", "publisher", "articleBody", "isBasedOn"} <= stated
    assert ("name", "citation_publication_date") in found.attributes


def test_what_an_article_says_to_machines_has_none_of_our_words(site: Any) -> None:
    marked = html.document_fromstring(get(site, f"/article/{SPAMMED}").text)
    said = {name: marked.xpath(f"//*[@itemprop='{name}']") for name in ("headline", "articleBody", "contentLocation")}
    assert [one.get("content") for one in said["headline"]] == ["春耕开始"]
    assert [one.text_content() for one in said["articleBody"]] == [
        "全县春耕工作已经开始[…]，各村都在整地备种。",
        SLOGAN,
    ]
    assert [one.get("itemtype") for one in said["contentLocation"]] == ["https://schema.org/Place"]
    assert 'itemprop="headline"' not in get(site, f"/article/{UNDATED}").text  # it has no title either


# /section


def section_of(site: Any, text: str) -> int:
    [found] = [one for one in get(site, f"/article/{GONE}.json").json()["text"] if one["text"] == text]
    return int(found["section"])


def test_a_paragraph_tells_who_had_it_first_and_where_else_it_stands(site: Any) -> None:
    found = page(site, f"/section/{section_of(site, SLOGAN)}")
    words = " ".join(found.words.split())
    assert "4 篇文章有这段话，出自 3 家网站、3 个地方。" in words
    assert re.search("已知最早： .*2019-03-02 · 白石日报", words)
    assert {f"/article/{one}" for one in (EDITED, GONE, REPRINT, SPAMMED)} <= set(found.links)
    assert "svg" in found.elements
    assert "陕西: 3" in words


def test_a_paragraph_that_an_edit_took_out_says_so(site: Any) -> None:
    [removed] = [
        one["section"] for one in get(site, f"/article/{EDITED}.json?version=1").json()["text"] if "山洪" in one["text"]
    ]
    assert "后来删去" in page(site, f"/section/{removed}").words


# /changes and /defaced


def test_changes_come_newest_first_with_the_words_that_changed(site: Any) -> None:
    listed = get(site, "/changes.json").json()["changes"]
    assert [(one["kind"], one["article_id"]) for one in listed] == [("gone", GONE), ("edited", EDITED)]
    edit = get(site, "/changes?kind=edited").text
    assert "<del>10</del><ins>25</ins>" in edit
    assert f"/article/{EDITED}?compare=1..2" in Page(edit).links


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("kind=gone", [GONE]),
        ("division=61", [GONE, EDITED]),
        ("division=乾县", [GONE, EDITED]),
        ("division=甘肃", []),
        ("division=乾縣", [GONE, EDITED]),
        ("division=(((", [GONE, EDITED]),
        ("division=610424&kind=edited", [EDITED]),
        ("portal=baishi", []),
        ("kind=nonsense", [GONE, EDITED]),
        ("page=9", [GONE, EDITED]),
    ],
)
def test_changes_are_narrowed_by_kind_place_and_portal(site: Any, asked: str, found: list[int]) -> None:
    assert [one["article_id"] for one in get(site, f"/changes.json?{asked}").json()["changes"]] == found


def test_a_filter_of_changes_that_says_nothing_is_named(site: Any) -> None:
    assert "“nonsense”看不懂" in get(site, "/changes?kind=nonsense").text
    assert get(site, "/changes.json?division=(((").json()["not_understood"] == ["division"]
    assert get(site, "/changes.atom?division=(((").status_code == 400


@pytest.mark.parametrize(("lang", "gone", "edited"), [("zh", "删除：", "改动："), ("en", "Deleted: ", "Edited: ")])
def test_the_feed_of_changes_tells_what_went_and_what_came(site: Any, lang: str, gone: str, edited: str) -> None:
    feed = ET.fromstring(get(site, f"/changes.atom?_lang={lang}").text)
    atom = "{http://www.w3.org/2005/Atom}"
    titles = [entry.findtext(f"{atom}title") for entry in feed.findall(f"{atom}entry")]
    assert titles == [f"{gone}凌阳县通报三起典型问题", f"{edited}凌阳县安排部署防汛工作"]
    assert "6月[-10-]{+25+}日" in (feed.findall(f"{atom}entry")[1].findtext(f"{atom}summary") or "")


def test_a_defaced_portal_is_shown_with_its_evidence_as_mere_text(site: Any) -> None:
    assert f"<bdi>{INJECTED}</bdi>" in get(site, "/defaced").text
    found = get(site, "/defaced?portal=baishi").text
    assert "确定 · 以 _ 或 | 相连的搜索词 · 标题" in " ".join(Page(found).words.split())
    assert "xianzhi-lingyang-1.warc.gz" in found
    assert get(site, "/defaced?portal=lingyang").status_code == 404


# Nothing else


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_is_in_both_languages_and_runs_nothing(site: Any, path: str, lang: str) -> None:
    response = get(site, f"{path}{'&' if '?' in path else '?'}_lang={lang}")
    found = Page(response.text)
    assert response.status_code == 200
    assert response.headers["content-language"] == lang
    assert found.elements.count("h1") == 1
    assert not {"script", "img", "style", "iframe"} & set(found.elements)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name == "style"]
    assert {urlsplit(link).scheme for link in found.links} <= {"", "http", "https"}


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there_as_data(site: Any, path: str) -> None:
    address, _, query = path.partition("?")
    assert get(site, f"{address}.json?{query}").json() is not None


@pytest.mark.parametrize(
    "path",
    [
        "/article/99",
        "/article/x",
        "/article/0",
        "/article/-1",
        f"/article/{9**40}",
        "/article/%00",
        "/article/%FF",
        "/article/1%0A",
        "/article/1;",
        "/article/1.csv",
        "/article/99.bib",
        "/article/1?version=3",
        "/article/1?version=",
        f"/article/1?version={9**40}",
        "/article/1?version=%00",
        "/article/1?compare=",
        "/article/1?compare=1",
        "/article/1?compare=..",
        "/article/1?compare=1..3",
        f"/article/1?compare=1..{9**40}",
        "/section/0",
        "/section/999",
        f"/section/{9**40}",
        "/section/%00",
        "/defaced?portal=%00",
        "/defaced?portal=' or 1 --",
    ],
)
def test_what_there_is_not_is_a_404_in_words(site: Any, path: str) -> None:
    response = get(site, path)
    assert response.status_code == 404
    assert "没有" in response.text


@pytest.mark.parametrize(
    "path",
    [
        f"/section/1?page={9**40}",
        "/section/1?page=-1",
        "/section/1?page=%00",
        "/changes?page=x&kind=%00&division=%FF&portal='\"<",
        "/changes?division=(((",
        "/changes?division=" + "县" * 5_000,
        f"/changes?page={9**40}",
        "/defaced?page=%00",
        "/defaced?portal=baishi&page=99999999999999999999",
    ],
)
def test_nonsense_in_an_address_is_passed_over(site: Any, path: str) -> None:
    assert get(site, path).status_code == 200


def test_what_is_withheld_looks_like_what_never_was(site_without_the_edited: Any) -> None:
    site = site_without_the_edited
    for query in ("", "?version=1", "?compare=1..2"):
        hidden, unknown = get(site, f"/article/{EDITED}{query}"), get(site, f"/article/99{query}")
        assert hidden.status_code == unknown.status_code == 404
        assert hidden.text == unknown.text.replace("/article/99", f"/article/{EDITED}")
    assert get(site, f"/article/{EDITED}.bib").status_code == 404
    everything = [*(f"/article/{one}" for one in ARTICLES[1:]), "/changes", "/changes.atom", "/defaced"]
    everything += [f"/section/{one}" for one in range(1, 16)]
    for path in everything:
        text = get(site, path).text
        assert "/xw/1.html" not in text, path
        assert f"/article/{EDITED}?" not in text, path
        assert f'/article/{EDITED}"' not in text, path
    story = get(site, f"/article/{REPRINT}.json").json()["story"]
    assert (story["first"], story["articles"]) == (REPRINT, 1)
