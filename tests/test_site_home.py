"""``/``, and what search engines are told."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from protego import Protego

from crawler.archive import writer
from crawler.archive.connection import open_archive
from tests.support.archive import article, batch, begin
from tests.support.searched import fill
from tests.support.sites import get, opened

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("search") / "archive.db"
    fill(path)
    return path


@pytest.fixture(scope="module")
def site(archive: Path) -> Iterator[Any]:
    with opened(archive) as site:
        yield site


# The front page


def test_the_front_page_says_how_much_there_is_and_what_is_missing(site: Any) -> None:
    page = get(site, "/?_lang=en").text
    assert "<strong>62</strong> articles" in page
    assert '<strong><a href="/portal?_lang=en">3</a></strong> portals' in page
    assert 'aria-label="Shaanxi: 41"' in page
    assert "1 portal was not crawled well last time" in page
    assert "2 portals were never crawled yet" in page
    assert "/portal/qian" in page


def test_the_front_page_counts_what_the_public_sees(site: Any) -> None:
    covered = get(site, "/index.json").json()["coverage"]
    assert covered["articles"] == 62
    assert covered["provinces"]["62"] == 20
    assert covered["years"]["2014"] == 11
    assert "2999" not in covered["years"]
    assert covered["undated"] == covered["articles"] - sum(covered["years"].values()) > 0


def test_the_site_of_an_archive_without_articles_stands_and_says_so(tmp_path: Path) -> None:
    open_archive(tmp_path / "empty.db").close()
    with opened(tmp_path / "empty.db") as site:
        for path in (
            "/",
            "/about",
            "/search?q=扶贫",
            "/articles.atom",
            "/sitemap.xml",
            "/sitemap-0.xml",
            "/index.json",
        ):
            assert get(site, path).status_code == 200, path
        assert get(site, "/sitemap-1.xml").status_code == 404
        assert "还没有收到文章。" in get(site, "/").text


# Search engines


def test_robots_may_read_articles_and_places_but_follow_no_combination_of_filters(site: Any) -> None:
    rules = Protego.parse(get(site, "/robots.txt").text)
    for path in ("/", "/article/1", "/county/610424", "/portal/qian", "/about", "/changes", "/sitemap.xml"):
        assert rules.can_fetch(f"http://localhost{path}", "*"), path
    for path in (
        "/search?q=a",
        "/search.atom?q=a",
        "/export.csv?q=a",
        "/changes?kind=gone",
        "/archive",
        "/archive/articles",
        "/section/1",
    ):
        assert not rules.can_fetch(f"http://localhost{path}", "*"), path
    page = get(site, "/search?q=扶贫").text
    assert '<meta name="robots" content="noindex">' in page
    facets = re.findall(r'<ul class="choices">.*?</ul>', page, re.DOTALL)
    assert facets
    assert all('rel="nofollow"' in anchor for facet in facets for anchor in re.findall("<a [^>]*>", facet))


def test_the_sitemaps_name_every_article_that_is_shown(site: Any) -> None:
    index = ET.fromstring(get(site, "/sitemap.xml").content)
    addresses = [one.text or "" for one in index.iter(f"{SITEMAP}loc")]
    assert addresses == ["http://localhost/sitemap-0.xml", "http://localhost/sitemap-1.xml"]
    pages = [one.text or "" for one in ET.fromstring(get(site, addresses[1]).content).iter(f"{SITEMAP}loc")]
    assert len(pages) == 62
    others = [one.text or "" for one in ET.fromstring(get(site, addresses[0]).content).iter(f"{SITEMAP}loc")]
    for one in (*pages[:3], *others):
        assert get(site, one).status_code == 200, one


def test_where_there_is_no_prefecture_none_is_named(tmp_path: Path) -> None:
    conn = begin(open_archive(tmp_path / "capital.db"), "dongcheng")
    writer.write(conn, batch(article("正文", portal_id="dongcheng", division="110101")))
    conn.execute("UPDATE portals SET division_code = '110101'")
    conn.close()
    with opened(tmp_path / "capital.db") as site:
        assert re.findall(r"/county/(\d+)<", get(site, "/sitemap-0.xml").text) == ["110000", "110101"]
        narrower = get(site, "/search?division=11").text
    assert "division=110101" in narrower
    assert "110100" not in narrower
