"""What all pages of the site have in common: language, words, links, charts, numbers that are kept, and no 500."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from xml.etree import ElementTree as ET

import pytest
from datasette.utils.asgi import NotFound, Request
from hypothesis import given
from hypothesis import strategies as st

import crawler.publish
from crawler.archive.connection import open_archive
from crawler.publish.site import asking, charts, frame
from crawler.publish.site.charts import Mark
from crawler.publish.site.language import LANGS, every_word, lang_of, words
from tests.support import stories
from tests.support.sites import get, opened

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("frame") / "archive.db"
    stories.fill(path)
    return path


@pytest.fixture(scope="module")
def site(archive: Path) -> Iterator[Any]:
    with opened(archive, sql=True) as site:
        yield site


def asked(query: str = "", accept: str = "") -> Request:
    return Request(
        {"type": "http", "method": "GET", "path": "/x", "raw_path": b"/x", "query_string": query.encode(),
         "headers": [(b"accept-language", accept.encode("latin-1", "replace"))]},
        None,
    )  # fmt: skip


# Language


@pytest.mark.parametrize(
    ("query", "accept", "lang"),
    [
        ("", "", "zh"),
        ("", "de-DE,de;q=0.9", "zh"),
        ("", "en-GB,en;q=0.9", "en"),
        ("", "en;q=0.4, zh-CN;q=0.5", "zh"),
        ("", "de, zh-Hant;q=0.3, en;q=0.7", "en"),
        ("", "zh,en", "zh"),
        ("", "*", "zh"),
        ("_lang=en", "zh-CN", "en"),
        ("_lang=zh", "en", "zh"),
        ("_lang=fr", "en", "en"),
    ],
)
def test_a_page_is_in_the_language_that_was_chosen_or_is_preferred(query: str, accept: str, lang: str) -> None:
    assert lang_of(asked(query, accept)) == lang


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_header_and_any_parameter_give_one_of_the_languages(query: str, accept: str) -> None:
    assert lang_of(asked(quote(query, safe="=&%"), accept)) in {"zh", "en"}


def test_a_cache_knows_that_a_page_depends_on_the_readers_language(site: Any) -> None:
    assert "Accept-Language" in get(site, "/about").headers["vary"]


def test_every_word_is_there_in_chinese_and_in_english() -> None:
    for key, forms in every_word().items():
        assert len(forms) in {2, 3}, key
        assert all(form.strip() for form in forms), key
        fields = [set(re.findall(r"{(\w+)", form)) for form in forms]
        assert fields[0] >= fields[1] | fields[-1] or fields[1] >= fields[0], key


def test_every_word_is_used_and_every_word_that_is_used_is_there() -> None:
    root = Path(crawler.publish.__file__).parent
    sources = "\n".join(
        path.read_text() for path in (*root.rglob("*.py"), *root.rglob("*.html")) if path.name != "language.py"
    )
    literals = set(re.findall(r"""["']([a-z_]+(?:\.[A-Za-z_{}]*)+)""", sources))
    for key in every_word():
        pieces = key.split(".")
        groups = {".".join(pieces[:depth]) + "." for depth in range(1, len(pieces))}
        made = {literal.partition("{")[0] for literal in literals}
        assert key in literals or groups & made, f"nobody says {key}"
    files = {key.partition(".")[0] for key in every_word()}
    said = set(re.findall(r"""\bt\(["']([a-z_]+\.[A-Za-z_.]+)["'][,)]""", sources))
    assert {key for key in said if key.partition(".")[0] in files} <= set(every_word())
    assert {key.partition(".")[0] for key in said} <= files


def test_one_is_singular_in_english_only() -> None:
    assert words("en")("search.found", n=1) == "1 article"
    assert words("en")("search.found", n=2_000) == "2,000 articles"
    assert words("zh")("search.found", n=1) == "找到 1 篇"


def test_links_keep_the_language_that_was_chosen(site: Any) -> None:
    page = get(site, "/about?_lang=en", headers={"Accept-Language": "zh"}).text
    assert 'href="/search?_lang=en"' in page
    assert 'lang="en"' in page
    assert 'href="/search"' in get(site, "/about", headers={"Accept-Language": "en"}).text


def test_a_link_is_made_of_what_is_given(site: Any) -> None:
    made = frame.link(site, asked("_lang=en"), "/search", q="扶贫 &x", to=None, sort="", **{"from": "2014"})
    assert parse_qs(urlsplit(made).query) == {"q": ["扶贫 &x"], "from": ["2014"], "_lang": ["en"]}


# Pages


@pytest.mark.parametrize("path", ["/", "/about", "/search", "/search?q=防汛", "/nothing/here"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_page_has_one_heading_its_landmarks_and_a_way_past_them(site: Any, path: str, lang: str) -> None:
    page = get(site, f"{path}{'&' if '?' in path else '?'}_lang={lang}").text
    assert page.count("<h1") == page.count("<main") == page.count("<header") == page.count("<footer") == 1
    assert '<a class="skip" href="#content">' in page
    assert f'<html lang="{"zh-Hans" if lang == "zh" else "en"}">' in page
    for field in re.findall(r"<input (?![^>]*hidden)[^>]*>", page):
        name = re.search(r' id="(\w+)"', field)
        assert name is None or f'<label class="hidden" for="{name[1]}"' in page


@pytest.mark.parametrize("path", ["/index.json", "/about.json", "/search.json?q=防汛", "/nothing.json", "/a/b.json"])
def test_a_page_is_there_as_data_in_readable_chinese(site: Any, path: str) -> None:
    response = get(site, path)
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    response.json()
    assert "\\u" not in response.text


def test_the_contact_is_a_link_where_it_can_be_one(archive: Path) -> None:
    for contact, shown in (
        ("archive@example.org", '<a href="mailto:archive@example.org"'),
        ("https://example.org/contact", '<a href="https://example.org/contact"'),
        (HOSTILE, "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("javascript:alert(1)", "Contact: javascript:alert(1)"),
        (None, "names no contact"),
    ):
        with opened(archive, contact=contact) as site:
            page = get(site, "/about?_lang=en").text
        assert shown in page
        assert HOSTILE not in page


# Numbers that are kept


def test_numbers_are_kept_until_they_are_old_and_the_archive_was_written_to(archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "archive.db"
    with closing(sqlite3.connect(archive)) as conn:
        conn.execute("VACUUM INTO ?", (str(copy),))
    open_archive(copy).close()  # WAL again, as a live archive
    times: list[str] = []

    @asking.cached(0.0)
    async def old_at_once(_datasette: Any) -> None:
        times.append("old")

    @asking.cached(3_600.0)
    async def good_for_an_hour(_datasette: Any) -> None:
        times.append("hour")

    async def both(site: Any) -> None:
        await old_at_once(site)
        await good_for_an_hour(site)

    with opened(copy) as site:
        asyncio.run(site.invoke_startup())
        asyncio.run(both(site))
        asyncio.run(both(site))
        assert times == ["old", "hour"]
        with closing(sqlite3.connect(copy)) as conn, conn:
            conn.execute("UPDATE runs SET status = 'ok'")
        asyncio.run(both(site))
    assert times == ["old", "hour", "old"]


def test_what_many_ask_for_at_once_is_found_out_once_also_where_the_first_of_them_goes_away(archive: Path) -> None:
    begun, answers = [], []
    is_known = asyncio.Event()

    @asking.cached(0.0)
    async def number(_datasette: Any, which: int) -> int:
        begun.append(which)
        await is_known.wait()
        return 7 * which

    async def crowd(site: Any) -> None:
        await site.invoke_startup()
        readers = [asyncio.create_task(number(site, which)) for which in (1, 1, 2, 1)]
        await asyncio.sleep(0)
        readers[0].cancel()
        await asyncio.sleep(0)
        is_known.set()
        answers.extend(await asyncio.gather(*readers[1:]))

    with opened(archive) as site:
        asyncio.run(crowd(site))
    assert begun == [1, 2]
    assert answers == [7, 14, 7]


def test_a_failure_reaches_all_who_wait_and_is_not_kept(archive: Path) -> None:
    begun = []

    @asking.cached(3_600.0)
    async def number(_datasette: Any) -> int:
        begun.append(True)
        await asyncio.sleep(0)
        raise NotFound

    async def crowd(site: Any) -> None:
        await site.invoke_startup()
        together = await asyncio.gather(number(site), number(site), return_exceptions=True)
        assert [type(one) for one in together] == [NotFound, NotFound]
        with pytest.raises(NotFound):
            await number(site)

    with opened(archive) as site:
        asyncio.run(crowd(site))
    assert len(begun) == 2


# Charts


def drawn(chart: str) -> ET.Element:
    return ET.fromstring(str(chart).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def test_a_bar_is_as_high_as_its_number_and_none_that_counts_is_lost() -> None:
    marks = [Mark(label=str(year), value=value) for year, value in ((2014, 1_000), (2015, 500), (2016, 1), (2017, 0))]
    heights = [
        float(bar.get("height", ""))
        for bar in drawn(charts.bars(marks, title="x")).iter(f"{SVG}rect")
        if bar.get("class") == "bar-value"
    ]
    assert heights[0] == 2 * heights[1] == charts.HEIGHT
    assert heights[2] > 0 == heights[3]


def test_every_mark_says_its_number_in_words_and_leads_where_it_should() -> None:
    [link] = drawn(charts.bars([Mark(label="2014", value=1_234, href="/search?from=2014")], title="x")).iter(f"{SVG}a")
    assert link.get("href") == "/search?from=2014"
    assert link.get("aria-label") == "2014: 1,234"


@given(
    st.lists(
        st.builds(Mark, label=st.text(), value=st.integers(0, 10**9), href=st.none() | st.text(), note=st.text()),
        max_size=40,
    ),
    st.text(),
)
def test_no_label_breaks_a_chart(marks: list[Mark], title: str) -> None:
    xml = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]")
    by_code = dict(zip(charts.provinces(), marks, strict=False))
    months = {mark.label: mark.value for mark in marks if re.fullmatch(r"\d{4}-\d\d", mark.label)}
    for chart in (
        charts.bars(marks, title=title),
        charts.timeline(marks, title=title),
        charts.tile_map(by_code, title=title),
        charts.month_grid(months, title=title),
    ):
        if chart:
            drawn(xml.sub("", chart))


def test_the_map_has_every_province_once_and_the_fullest_one_darkest() -> None:
    codes = charts.provinces()
    assert len(codes) == len(set(codes)) == 34
    chart = charts.tile_map({"61": Mark(label="陕西", value=9), "62": Mark(label="甘肃", value=0)}, title="x")
    assert chart.count("shade-5") == chart.count("shade-0") == 1


@given(st.integers(1, 90), st.sampled_from(["2014", "2014-06"]))
def test_the_labels_of_bars_stand_apart_on_the_narrowest_phone(number: int, label: str) -> None:
    chart = charts.bars([Mark(label=label, value=1)] * number, title="x")
    end = -16.0  # the page's own margin; a character has 7 pixels
    for share, anchor in re.findall(r'<text x="([\d.]+)%" y="\d+" text-anchor="(\w+)">', chart):
        begin = float(share) / 100 * 288 - (len(label) * 7 / 2 if anchor == "middle" else 0)
        assert begin >= end
        end = begin + len(label) * 7
    assert -16 < end <= 288 + 16


def test_a_month_without_articles_between_others_is_a_gap() -> None:
    chart = charts.month_grid({"2014-01": 3, "2014-03": 1}, title="x")
    assert chart.count("gap") == 1
    assert "2014-02: 0" in chart


# What goes wrong


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize(
    "path",
    [
        "/archive/articles?_facet=nope",
        "/archive/articles?_sort=nope",
        "/archive/articles?id__gt=99999999999999999999999",
        "/archive/articles?_size=x",
    ],
)
def test_what_datasette_cannot_read_is_the_addresss_fault(site: Any, path: str) -> None:
    response = get(site, path)
    assert response.status_code == 400
    assert "Traceback" not in response.text


def test_a_damaged_archive_is_the_sites_fault_and_only_the_log_says_more(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "damaged.db"
    stories.fill(path)
    with opened(path) as site:
        assert get(site, "/").status_code == 200
        with closing(sqlite3.connect(path)) as conn:
            [(page,)] = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'versions'").fetchall()
            [(size,)] = conn.execute("PRAGMA page_size").fetchall()
        with path.open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)
        for lang in LANGS:
            answer = get(site, f"/article/1?_lang={lang}")
            assert answer.status_code == 500
            assert words(lang)("frame.failed.title") in answer.text
            assert "malformed" not in answer.text
        assert "malformed" not in get(site, "/archive/versions.json").text
    assert "malformed" in capfd.readouterr().err


def test_a_path_that_is_no_text_is_not_found(site: Any) -> None:
    sent: list[Any] = []

    async def ask() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/\ufffd",
            "raw_path": b"/\xff\xfe",
            "query_string": b"",
            "headers": [],
        }
        await site.app()(scope, receive, send)

    asyncio.run(ask())
    assert sent[0]["status"] == 404


def test_a_host_that_is_none_does_no_harm(site: Any) -> None:
    for path in ("/", "/articles.atom", "/sitemap.xml", "/search?q=防汛", "/article/1"):
        assert get(site, path, headers={"Host": "["}).status_code == 200


def test_a_missing_page_is_no_matter_for_the_log(site: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert get(site, "/nothing/here").status_code == 404
    assert "".join(capfd.readouterr()) == ""
