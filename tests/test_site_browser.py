"""The site in a real browser: a reader goes through all of it, in both languages, on a phone and on a desk."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest

from crawler.publish.site.language import Lang, words
from tests.support import stories, years
from tests.support.browser import needs_browser
from tests.support.reader import Reader, browser, reader
from tests.support.sites import served

pytestmark = needs_browser

REPLAY = "https://replay.example/"
ATOM = "{http://www.w3.org/2005/Atom}"
EVERY_PAGE = (
    *("", "about", "search", "search?q=扶贫", "search?q=扶贫&from=2020&to=2020", "search?q=没有的话", "nothing/here"),
    *(f"article/{one}" for one in (stories.EDITED, stories.GONE, stories.SPAMMED, stories.HOSTILE_ONE)),
    *("article/1?compare=1..2", "section/1", "county", "county/610424", "county/610000", "portal", "portal/baishi"),
    *("changes", "defaced", "defaced?portal=baishi"),
)
OF_DATASETTE = (
    *("archive", "archive/articles", "archive/articles/1", "archive/articles_of_a_county?county=乾县"),
    *("archive?sql=select+1", "archive/captures?_sort=id"),
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("browser") / "archive.db"
    years.fill(path)
    with served(path, sql=True, replay_base=REPLAY) as address:
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as chromium:
        yield chromium


def downloaded(someone: Reader, link: Any) -> bytes:
    with someone.tab.expect_download() as download:
        link.click()
    return Path(download.value.path()).read_bytes()


@pytest.mark.parametrize(("lang", "width"), [("zh", 390), ("en", 1280)])  # looks at every page in both widths
def test_a_reader_finds_reads_compares_follows_and_cites(chromium: Any, address: str, lang: Lang, width: int) -> None:
    with reader(chromium, address, lang=lang, width=width) as someone:
        someone.opens("")
        searches(someone)
        reads_what_was_left_out_and_follows_a_paragraph(someone)
        compares_versions(someone)
        cites(someone)
        goes_up_to_the_province(someone)
        looks_at_a_portal_and_what_it_changed(someone)
        sees_what_was_defaced(someone)
        looks_into_the_tables(someone)


def searches(someone: Reader) -> None:
    """Home, search, facet, bar of a year, CSV, feed, the other language and back."""
    tab, t = someone.tab, someone.t
    tab.locator("main").get_by_role("searchbox").fill("扶貧")
    someone.follows(tab.locator("main").get_by_role("button", name=t("frame.search")))
    assert tab.get_by_role("status").inner_text() == t("search.found", n=years.NUMBER)
    someone.follows(tab.locator(".choices a", has_text="乾县"))
    assert tab.get_by_role("status").inner_text() == t("search.found", n=years.NUMBER // 2)
    someone.clicks("2023: 12")
    assert tab.get_by_role("status").inner_text() == t("search.found", n=12)

    someone.clicks(t("search.order.oldest"))
    assert tab.locator(".articles time").first.get_attribute("datetime").startswith("2023-01")

    table = downloaded(someone, tab.get_by_role("link", name=t("search.csv")))
    assert table.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))
    assert len(rows) == 12
    assert all("扶贫" in row["title"] + row["body"] for row in rows)
    feed = tab.request.get(address_of(tab.get_by_role("link", name=t("search.feed")), someone)).body()
    assert len(list(ET.fromstring(feed).iter(f"{ATOM}entry"))) == 12

    other: Lang = "en" if someone.lang == "zh" else "zh"
    asked = parse_qs(urlsplit(tab.url).query)
    someone.clicks({"zh": "中文", "en": "English"}[other], inside=".languages")
    assert parse_qs(urlsplit(tab.url).query) == asked | {"_lang": [other]}
    assert tab.get_by_role("status").inner_text() == words(other)("search.found", n=12)
    someone.clicks({"zh": "中文", "en": "English"}[someone.lang], inside=".languages")


def address_of(link: Any, someone: Reader) -> str:
    return f"{someone.address.rstrip('/')}{link.get_attribute('href')}"


def reads_what_was_left_out_and_follows_a_paragraph(someone: Reader) -> None:
    """Article, what was removed, a paragraph's life, reprint, and back to the article."""
    tab, t = someone.tab, someone.t
    tab.get_by_role("searchbox").fill("防汛 白马乡")
    with tab.expect_navigation():
        tab.get_by_role("searchbox").press("Enter")
    someone.looks()
    for one in tab.locator("ul.chosen a").all_inner_texts():
        someone.clicks(one)
    someone.clicks("凌阳县安排部署防汛工作", inside=".articles")
    assert someone.heading == "凌阳县安排部署防汛工作"
    left_out = tab.get_by_text("扫一扫在手机打开当前页")
    assert not left_out.is_visible()
    tab.get_by_text(t("article.removed_title", n=2)).click()
    assert left_out.is_visible()
    someone.follows(tab.locator(".text p", has_text=stories.SLOGAN).locator(".carried"))
    assert someone.heading == t("section.heading")
    assert tab.locator("blockquote").inner_text() == stories.SLOGAN
    someone.opens(f"article/{stories.REPRINT}")
    assert t("article.story_first_there", n=2) in tab.locator("aside").inner_text()
    someone.clicks("凌阳县安排部署防汛工作", inside="aside")


def compares_versions(someone: Reader) -> None:
    """Versions, their differences, and the captures behind them."""
    tab, t = someone.tab, someone.t
    someone.clicks(t("article.compare_before"), inside="aside")
    assert tab.locator("del", has_text="去年七月的山洪").is_visible()
    assert tab.locator("ins", has_text="25").is_visible()
    someone.clicks(t("article.back_to_article"))
    shown = tab.get_by_role("link", name=t("article.replay"))
    assert shown.count() == 2
    assert str(shown.first.get_attribute("href")).startswith(REPLAY)
    assert tab.get_by_text("xianzhi-lingyang-1.warc.gz").first.is_visible()


def cites(someone: Reader) -> None:
    """Both styles in words, and both files."""
    tab, t = someone.tab, someone.t
    cited = tab.get_by_role("region", name=t("article.cite"))
    assert "[EB/OL]" in cited.inner_text()
    assert "(2023, June 4)" in cited.inner_text()
    assert downloaded(someone, cited.get_by_role("link", name="BibTeX")).startswith(b"@")
    assert downloaded(someone, cited.get_by_role("link", name="RIS")).startswith(b"TY  - ")


def goes_up_to_the_province(someone: Reader) -> None:
    """County with its gap, prefecture, province, all provinces, all portals."""
    tab, t = someone.tab, someone.t
    someone.clicks("乾县", inside="aside")
    assert someone.heading == "乾县"
    assert tab.get_by_text(t("holdings.gap", first="2021-01", last="2021-12", n=12)).is_visible()
    for name in ("咸阳市", "陕西省"):
        someone.clicks(name)
        assert someone.heading == name
    someone.clicks(t("place.title"))
    assert someone.heading == t("place.title")
    someone.clicks(t("portal.title"))
    assert tab.get_by_role("row").count() == 1 + len(stories.PORTALS)


def looks_at_a_portal_and_what_it_changed(someone: Reader) -> None:
    """Portal, its changes, all changes, narrowed to deletions."""
    tab, t = someone.tab, someone.t
    someone.clicks("凌阳县人民政府")
    assert tab.get_by_role("heading", name=t("portal.runs")).is_visible()
    someone.clicks(t("portal.all_changes"))
    assert tab.get_by_role("status").inner_text() == t("changes.total", n=2)
    tab.get_by_label(t("changes.kinds")).select_option("gone")
    someone.follows(tab.get_by_role("button", name=t("changes.show")))
    assert tab.get_by_role("status").inner_text() == t("changes.total", n=1)
    someone.clicks(t("changes.read"))
    assert tab.locator(".alert").is_visible()


def sees_what_was_defaced(someone: Reader) -> None:
    """Defaced portals, the evidence of one, the article without it; the page about the archive, and one that is not."""
    tab, t = someone.tab, someone.t
    someone.clicks(t("frame.defaced"), inside="header")
    someone.clicks("白石日报")
    assert stories.INJECTED in tab.locator("main").inner_text()
    someone.opens(f"article/{stories.SPAMMED}")
    assert stories.INJECTED not in tab.locator("main").inner_text()
    someone.opens(f"article/{stories.HOSTILE_ONE}")
    assert someone.heading.startswith(stories.HOSTILE[:20])
    someone.clicks(t("frame.about"), inside="header")
    tab.goto(f"{someone.address}nothing/here")
    someone.complaints.clear()  # the browser says on its console that it got a 404
    someone.looks()


def looks_into_the_tables(someone: Reader) -> None:
    """Datasette's own pages, from which a title leads back to the article."""
    someone.clicks(someone.t("frame.tables"), inside="header")
    someone.opens("archive/articles_of_a_county?county=乾县")
    someone.opens(f"archive/articles?id={stories.EDITED}")
    someone.clicks("凌阳县安排部署防汛工作", inside="body")
    assert urlsplit(someone.tab.url).path == f"/article/{stories.EDITED}"


def test_every_text_is_told_from_its_ground_by_day_and_by_night(chromium: Any, address: str) -> None:
    with reader(chromium, address, lang="zh") as someone:
        pale = {}
        for path in (*EVERY_PAGE, *OF_DATASETTE):
            someone.tab.goto(address + path)
            for scheme in ("light", "dark"):
                someone.tab.emulate_media(color_scheme=scheme)
                pale[path, scheme] = someone.pale_texts()
        assert {page: found for page, found in pale.items() if found} == {}


def test_a_reader_without_a_mouse_skips_to_the_content_and_reaches_the_search(chromium: Any, address: str) -> None:
    with reader(chromium, address, lang="zh") as someone:
        tab = someone.tab
        tab.goto(f"{address}article/1")
        tab.keyboard.press("Tab")
        assert tab.evaluate(
            "document.activeElement.matches('.skip') && document.activeElement.getBoundingClientRect().top >= 0"
        )
        for _ in range(12):
            tab.keyboard.press("Tab")
            if tab.evaluate("document.activeElement.type") == "search":
                break
        tab.keyboard.type("防汛")
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/search?q=*")
        assert tab.get_by_role("status").inner_text() == someone.t("search.found", n=2)
        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.closest('main') !== null")


def test_whoever_goes_by_the_keyboard_sees_where_they_are(chromium: Any, address: str) -> None:
    with reader(chromium, address, lang="zh") as someone:
        tab = someone.tab
        for path in ("search?q=扶贫", "archive/articles"):
            tab.goto(address + path)
            for _ in range(16):
                tab.keyboard.press("Tab")
                seen = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert seen != "none", tab.evaluate("document.activeElement.outerHTML")


def test_an_article_is_printed_without_what_surrounds_it(chromium: Any, address: str) -> None:
    with reader(chromium, address, lang="zh") as someone:
        tab = someone.tab
        tab.emulate_media(media="print", color_scheme="dark")
        someone.opens("article/1")
        assert tab.get_by_text("安排部署今年的防汛抢险工作").first.is_visible()
        for surrounding in ("nav.sections", ".languages", "form", ".neighbours", ".foot a"):
            assert not any(one.is_visible() for one in tab.locator(surrounding).all()), surrounding
        assert tab.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
        someone.opens("article/1?compare=1..2")  # grounds are not printed
        lines = {one: f"getComputedStyle(document.querySelector('{one}')).textDecorationLine" for one in ("ins", "del")}
        assert {one: tab.evaluate(line) for one, line in lines.items()} == {"ins": "underline", "del": "line-through"}
