"""The pages of places and portals: what there is of each, when from, what is missing, and how the crawl goes."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from datasette.app import Datasette

import crawler.publish
from crawler.archive import runs, writer
from crawler.archive.connection import open_archive, transaction
from crawler.demo.portals import catalogue_toml, sites
from crawler.demo.server import serve
from crawler.publish.server import open_site
from crawler.publish.site import charts
from tests.support.archive import RUN, article, batch, begin
from tests.support.crawling import Archive

EARLIER = "20231231T000000Z-000001"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
MONTHS = ("2014-01-05", "2014-02-01", "2014-02-09", "2014-06-30", None, "2999-01-01", "0000-13-77")
"""Dates of the portal's articles."""


def opened(path: Path) -> Iterator[Datasette]:
    site = open_site(path, sql=False)
    yield site
    site.executor.shutdown()
    for database in site.databases.values():
        database.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The demo portals after one night."""
    archive = Archive(tmp_path_factory.mktemp("places"))
    with serve(sites()) as urls:
        archive.write_catalogue(catalogue_toml(urls))
        night = archive.crawl()
    assert night.exit_code == 0, night.words
    return archive


@pytest.fixture(scope="module")
def demo_site(demo: Archive) -> Iterator[Datasette]:
    yield from opened(demo.db)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Datasette]:
    """A county with a portal that was well once and failed since, one that no run met, and a place nobody knows."""
    path = tmp_path_factory.mktemp("county") / "archive.db"
    conn = begin(open_archive(path), "qian", "idle", "lost")
    with transaction(conn):
        runs.load_divisions(conn)
    fill(conn)
    conn.close()
    yield from opened(path)


def fill(conn: sqlite3.Connection) -> None:
    conn.execute("UPDATE portals SET division_code = '610424' WHERE id = 'qian'")
    conn.execute("UPDATE portals SET division_code = '130733', name = ? WHERE id = 'idle'", (HOSTILE,))
    conn.execute("UPDATE portals SET homepage = 'javascript:alert(3)' WHERE id = 'idle'")
    conn.execute("UPDATE runs SET status = 'ok'")
    conn.execute("INSERT INTO runs VALUES (?, '2023-12-31T00:00:00Z', '2023-12-31T01:00:00Z', 'ok')", (EARLIER,))
    conn.executemany(
        "INSERT INTO portal_runs (run_id, portal_id, status, fetched, reason) VALUES (?, 'qian', ?, ?, ?)",
        [(EARLIER, "ok", 1_234, None), (RUN, "failed", 0, HOSTILE)],
    )
    items = [
        article("正文", url=f"https://qian.example/{n}.html", portal_id="qian", title=f"题目{n}", published=published)
        for n, published in enumerate(MONTHS)
    ]
    writer.write(conn, batch(*items))
    conn.execute("UPDATE articles SET division_code = '610424'")


def get(site: Any, path: str) -> httpx.Response:
    response: httpx.Response = asyncio.run(site.client.get(path))
    return response


def test_every_place_and_every_portal_of_an_archive_has_its_page(demo: Archive, demo_site: Any) -> None:
    codes = {
        code for (code,) in demo.query("SELECT division_code FROM articles UNION SELECT division_code FROM portals")
    }
    portals = [portal for (portal,) in demo.query("SELECT id FROM portals")]
    assert codes
    assert portals
    above = {code[:4] + "00" for code in codes} | {code[:2] + "0000" for code in codes}
    for path in (
        "/county",
        "/portal",
        *(f"/county/{code}" for code in codes | above),
        *(f"/portal/{p}" for p in portals),
    ):
        for ending in ("", ".json", "?_lang=en"):
            assert get(demo_site, path + ending).status_code == 200, path + ending


def test_numbers_of_the_demo_agree_with_its_tables(demo: Archive, demo_site: Any) -> None:
    for portal, number in demo.query("SELECT portal_id, count(*) FROM articles GROUP BY 1"):
        said = get(demo_site, f"/portal/{portal}.json").json()
        assert (said["articles"], said["standing"]["articles"], said["standing"]["status"]) == (number, number, "ok")
        assert sum(said["months"].values()) + said["undated"] == number
        assert sum(said["states"].values()) == number
    listed = get(demo_site, "/county.json").json()["provinces"]
    assert sum(one["articles"] for one in listed) == demo.one("SELECT count(*) FROM articles WHERE division_code > ''")
    assert sum(one["portals"] for one in listed) == demo.one("SELECT count(*) FROM portals")


@pytest.mark.parametrize("path", ["/county/610424", "/county/610400", "/county/610000", "/portal/qian"])
def test_articles_are_counted_by_month_and_empty_months_between_them_are_gaps(site: Any, path: str) -> None:
    said = get(site, f"{path}.json").json()
    assert said["articles"] == len(MONTHS)
    assert said["months"] == {"2014-01": 1, "2014-02": 2, "2014-06": 1}
    assert said["undated"] == 3
    assert said["gaps"] == [{"first": "2014-03", "last": "2014-05", "months": 3}]
    assert "2014-03 至 2014-05（3 个月）" in get(site, path).text


def test_a_month_leads_to_its_articles_in_the_search(site: Any) -> None:
    for path, kind in (("/county/610424", "division=610424"), ("/portal/qian", "portal=qian")):
        address = f"/search?{kind}&from=2014-02&to=2014-02"
        assert f'href="{address.replace("&", "&amp;")}"' in get(site, path).text
        assert "找到 2 篇" in get(site, address.replace("search?", "search?_lang=zh&")).text


def test_a_day_to_come_does_not_stand_on_top(site: Any) -> None:
    assert [one["day"] for one in get(site, "/county/610424.json").json()["newest"]][:2] == ["2014-06-30", "2014-02-09"]


def test_a_county_leads_up_to_its_province_and_the_province_down(site: Any) -> None:
    county = get(site, "/county/610424?_lang=en").text
    assert [name for name in ("陕西省", "咸阳市", "乾县") if name not in county] == []
    assert "/county/610000?_lang=en" in county
    assert "/county/610400?_lang=en" in county
    for path, part in (("/county", "610000"), ("/county/610000", "610400"), ("/county/610400", "610424")):
        assert f'href="/county/{part}"' in get(site, path).text
        said = get(site, f"{path}.json").json()
        [one] = [one for one in said.get("parts") or said["provinces"] if one["code"] == part]
        assert (one["articles"], one["portals"]) == (len(MONTHS), 1)


def test_a_county_that_has_nothing_yet_says_so(site: Any) -> None:
    page = get(site, "/county/110101")
    assert page.status_code == 200
    assert "还没有收录网站" in page.text
    assert "noindex" in page.text


def test_a_code_that_is_used_no_more_says_until_when(site: Any) -> None:
    page = get(site, "/county/130733").text
    assert "崇礼县</span> 1993 至 2015 年" in page


def test_a_place_that_no_table_of_divisions_knows_has_its_page_where_the_archive_has_it(site: Any) -> None:
    assert get(site, "/county/990001").status_code == 200
    assert get(site, "/county/990000").status_code == 200
    assert "/county/990000" in get(site, "/county").text


def test_a_portal_says_how_its_last_runs_went_and_when_it_was_last_well(site: Any) -> None:
    said = get(site, "/portal/qian.json").json()
    assert (said["standing"]["status"], said["standing"]["last_good"]) == ("failed", "2023-12-31")
    assert [one["status"] for one in said["runs"]] == ["failed", "ok"]
    page = get(site, "/portal/qian").text
    assert "1,234" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "还没有抓过" in get(site, "/portal/idle").text


@pytest.mark.parametrize(
    ("sort", "first"), [("articles", "qian"), ("status", "idle"), ("place", "idle"), ("nonsense", "idle")]
)
def test_portals_are_sorted_as_the_address_says(site: Any, sort: str, first: str) -> None:
    said = get(site, f"/portal.json?sort={sort}&page=99").json()
    assert said["portals"][0]["id"] == first
    assert {one["id"] for one in said["portals"]} == {"qian", "idle", "lost"}


def test_a_province_of_portals_that_says_nothing_is_named(site: Any) -> None:
    assert "“陕西”看不懂" in get(site, "/portal?division=陕西").text
    assert get(site, "/portal.json?division=陕西").json()["not_understood"] == ["division"]
    assert get(site, "/portal.json?division=61").json()["not_understood"] == []


@pytest.mark.parametrize("path", ["/county/130733", "/portal/idle", "/portal", "/portal/qian"])
def test_nothing_hostile_in_a_name_or_a_home_page_runs_or_leads_anywhere(site: Any, path: str) -> None:
    page = get(site, path).text
    assert "<script" not in page
    assert "<img" not in page
    assert 'href="javascript' not in page


@pytest.mark.parametrize(
    "path",
    [
        "/county/123456",
        "/county/000000",
        "/county/61",
        "/county/%00",
        "/county/%FF%FE",
        "/county/６１０４２４",
        "/county/" + "9" * 5_000,
        "/county/610424'--",
        "/portal/nobody",
        "/portal/%00%ff",
        "/portal/' OR 1=1 --",
        "/portal/" + "x" * 5_000,
    ],
)
@pytest.mark.parametrize("ending", ["", ".json"])
def test_what_is_no_place_and_no_portal_is_a_page_that_says_so(site: Any, path: str, ending: str) -> None:
    response = get(site, path + ending)
    assert response.status_code == 404
    if ending:
        assert response.json()["status"] == 404
    else:
        assert "没有这一页" in response.text


@pytest.mark.parametrize("query", ["_sort=x", "page=-1", "page=99999999999999999999", "sort=%00", "_lang=%FF", "q=%22"])
def test_odd_parameters_change_nothing(site: Any, query: str) -> None:
    for path in ("/county", "/county/610424", "/portal", "/portal/qian"):
        assert get(site, f"{path}?{query}").status_code == 200


def test_words_on_every_tile_of_the_map_can_be_read_by_day_and_by_night() -> None:
    css = (Path(crawler.publish.__file__).parent / "static" / "site.css").read_text()
    day, night = (
        dict(re.findall(r"--(paper|ink|accent|wash): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root {[^}]*--wash[^}]*}", css)
    )
    mixed = re.findall(r"tile.shade-(\d) {\s*fill: color-mix\(in srgb, var\(--accent\) (\d+)%, var\(--paper\)\)", css)
    [inverse] = re.findall(r"((?:\.chart \.tile\.shade-\d \+ text,?\s*)+){\s*fill: var\(--paper\)", css)
    shares = {shade: int(share) / 100 for shade, share in mixed} | {"5": 1.0}
    assert len(shares) == charts.SHADES
    for colours in (day, night):
        assert contrast(rgb(colours["wash"]), rgb(colours["ink"])) >= 4.5
        accent, paper = rgb(colours["accent"]), rgb(colours["paper"])
        for shade, share in shares.items():
            tile = tuple(share * one + (1 - share) * other for one, other in zip(accent, paper, strict=True))
            text = paper if f"shade-{shade} " in inverse else rgb(colours["ink"])
            assert contrast(tile, text) >= 4.5, shade


def rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """WCAG 2.2: contrast ratio of two sRGB colours, from 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: tuple[float, ...]) -> float:
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in colour]
    return sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
