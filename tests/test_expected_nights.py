"""Nights on which a portal brings less than its catalogue expects, or is not the portal that the catalogue means."""

import importlib
import pkgutil
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import tests.zoo
from crawler.demo.server import serve
from crawler.demo.site import Response, Site
from tests.support.crawling import HTML, Archive, entry, news_site, title_of


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def tagged(page: Response, site_id: str, site_name: str) -> Response:
    """*page* with the mandated tags."""
    head = f'<head><meta name="SiteIDCode" content="{site_id}"><meta name="SiteName" content="{site_name}">'
    body = (
        page.body.replace(b"<head>", b"") if b"<head>" in page.body else page.body.replace(b"<body>", b"</head><body>")
    )
    return Response(headers=page.headers, body=body.replace(b"<html>", f"<html>{head}".encode(), 1))


def county(base: str, *more: str) -> str:
    """A catalogue's entry of a real county."""
    return entry("xinping", base, 'cms = "generic"', *more).replace('division = "610000"', 'division = "530427"')


def execute(archive: Archive, sql: str, *values: object) -> None:
    conn = sqlite3.connect(archive.db)
    with conn:
        conn.execute(sql, values)
    conn.close()


def report(archive: Archive) -> tuple[int, str]:
    """Exit code and output of ``xianzhi report``."""
    command = [sys.executable, "-m", "crawler", "report", "--db", str(archive.db)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)
    return done.returncode, done.stdout


def began_on(archive: Archive, *days: str) -> None:
    """Let the archive's runs have begun on those days."""
    for (run_id,), day in zip(archive.query("SELECT id FROM runs ORDER BY id"), days, strict=True):
        execute(archive, "UPDATE runs SET started_at = ? WHERE id = ?", f"{day}T02:00:00Z", run_id)


def test_a_redesign_is_reported_with_what_was_expected_and_since_when(archive: Archive) -> None:
    site = news_site(25)
    redesigned = Response(headers=HTML, body="<html><body><div id='app'></div>柳溪县政务要闻</body></html>".encode())
    with serve({"liuxi": site}) as urls:
        news = f"{urls['liuxi']}/news/"
        archive.write_catalogue(entry("liuxi", urls["liuxi"], "expect = { first_page = 10 }"))
        first = archive.crawl()
        assert (first.exit_code, first.portal("liuxi")["status"]) == (0, "ok"), first.words
        site.replace("/news/", redesigned)
        began_on(archive, "2026-11-18")
        second = archive.crawl()
        began_on(archive, "2026-11-18", "2026-11-19")
        third = archive.crawl()
    assert (second.exit_code, second.report["status"], second.portal("liuxi")["status"]) == (1, "failed", "below")
    assert second.portal("liuxi")["reason"].startswith(f"{news} names 0 articles, 10 expected (since 20")
    below = f"{news} names 0 articles, 10 expected (since 2026-11-19; last good run 2026-11-18)"
    assert third.portal("liuxi")["reason"] == below
    assert f"liuxi below: {below}" in third.words
    exit_code, words = report(archive)
    assert exit_code == 1
    assert below in words
    assert "2026-11-19" in words.replace(below, "")


@pytest.mark.parametrize(("expected", "code"), [("true", 0), ("false", 1)])
def test_a_block_is_well_where_the_catalogue_expects_it(archive: Archive, expected: str, code: int) -> None:
    site = news_site(1)
    site.replace("/news/", Response(status=403))
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"], f"expect = {{ blocked = {expected} }}"))
        crawled = archive.crawl()
    assert (crawled.exit_code, crawled.portal("liuxi")["status"]) == (code, "blocked")
    exit_code, words = report(archive)
    assert (exit_code, "answered 403" in words) == (code, True)


def test_too_few_new_articles_a_week_are_below_unless_the_run_was_told_to_take_few(archive: Archive) -> None:
    with serve({"liuxi": news_site(4)}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"], "expect = { week = 5 }"))
        limited = archive.crawl("--max-articles", "1")
        assert (limited.exit_code, limited.portal("liuxi")["new"]) == (0, 1)
        crawled = archive.crawl()
    reason = "4 new articles in 7 days, 5 expected, poorest list"
    assert (crawled.exit_code, crawled.portal("liuxi")["status"]) == (1, "below")
    assert crawled.portal("liuxi")["reason"].startswith(reason)


def test_articles_of_earlier_nights_count_for_seven_days(archive: Archive) -> None:
    with serve({"liuxi": news_site(6)}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"], "expect = { week = 5 }"))
        assert archive.crawl().exit_code == 0
        assert archive.crawl().exit_code == 0
        execute(
            archive,
            "UPDATE articles SET first_seen = '2026-01-01T00:00:00Z' WHERE title IN (?, ?)",
            title_of(1),
            title_of(2),
        )
        assert archive.crawl().portal("liuxi")["reason"].startswith("4 new articles in 7 days, 5 expected")


def test_a_field_that_articles_lack_is_below_and_the_first_article_is_named(archive: Archive) -> None:
    with serve({"liuxi": news_site(3)}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"], 'expect = { filled = ["title", "author"] }'))
        crawled = archive.crawl()
    reason = crawled.portal("liuxi")["reason"]
    assert crawled.portal("liuxi")["status"] == "below"
    assert re.match(r"author is empty in 3 of 3 articles, first http://[^ ]+/news/2021/10\d\.html \(since ", reason)


def test_a_list_page_of_another_county_fails_its_portal_at_once_and_nothing_of_it_is_stored(archive: Archive) -> None:
    site = news_site(12)
    site.replace("/news/", tagged(site.pages["/news/"], "4312240001", "溆浦县人民政府"))
    with serve({"xinping": site}) as urls:
        archive.write_catalogue(county(urls["xinping"]))
        crawled = archive.crawl()
    words = "says it is 溆浦县人民政府 (431224), the catalogue says xinping (530427)"
    assert crawled.exit_code == 1
    assert crawled.portal("xinping")["status"] == "failed"
    assert crawled.portal("xinping")["reason"] == f"{urls['xinping']}/news/: {words}"
    assert archive.query("SELECT kind, state, reason FROM frontier") == [("list", "failed", words)]
    assert archive.one("SELECT count(*) FROM captures WHERE kind = 'list'") == 1
    assert site.hits.total() == 2  # robots.txt and the list page


def test_articles_of_another_county_get_no_rows_where_its_lists_say_nothing(archive: Archive) -> None:
    site = news_site(4)
    for path in [path for path in site.pages if path.startswith("/news/2021/")]:
        site.replace(path, tagged(site.pages[path], "4312240001", "溆浦县人民政府"))
    with serve({"xinping": site}) as urls:
        archive.write_catalogue(county(urls["xinping"]))
        crawled = archive.crawl()
    assert crawled.portal("xinping")["status"] == "failed"
    assert "says it is 溆浦县人民政府 (431224)" in crawled.portal("xinping")["reason"]
    assert archive.one("SELECT count(*) FROM articles") == 0
    assert archive.one("SELECT count(*) FROM captures WHERE kind = 'article'") == 4


def test_the_code_of_the_prefecture_or_the_province_is_no_alarm(archive: Archive) -> None:
    site = news_site(4)
    site.replace("/news/", tagged(site.pages["/news/"], "5304000001", "玉溪市人民政府"))
    for path in [path for path in site.pages if path.startswith("/news/2021/")]:
        site.replace(path, tagged(site.pages[path], "5300000001", "云南省人民政府"))
    with serve({"xinping": site}) as urls:
        archive.write_catalogue(county(urls["xinping"]))
        crawled = archive.crawl()
    assert (crawled.exit_code, crawled.portal("xinping")["new"]) == (0, 4), crawled.words


def test_the_first_page_is_counted_in_every_family_also_where_a_program_fills_the_list(archive: Archive) -> None:
    names = [module.name for module in pkgutil.iter_modules(tests.zoo.__path__)]
    zoo = {p.name: p for name in names for p in importlib.import_module(f"tests.zoo.{name}").portals()}
    sites: dict[str, Site] = {name: portal.site for name, portal in zoo.items()}
    entries = []
    hosts = tuple(f"127.0.41.{number}" for number in range(1, len(sites) + 1))
    with serve(sites, hosts=hosts) as urls:
        for name, portal in zoo.items():
            lines = entry(name, urls[name], f'cms = "{portal.family}"', "expect = { first_page = 1000 }").splitlines()
            lists = ", ".join(f'"{urls[name]}{path}"' for path in portal.lists)
            lines = [f"lists = [{lists}]" if line.startswith("lists") else line for line in lines]
            entries += [*lines, *(line.replace("{base}", urls[name]) for line in portal.entry)]
        archive.write_catalogue("\n".join(entries) + "\n")
        crawled = archive.crawl("--since", "2100-01-01")  # lists only: no article is wanted
    for name, portal in zoo.items():
        if portal.family in {"sitemap", "founder_epaper"}:  # no list; an issue a day, none of them wanted
            continue
        found = re.match(r"http\S+ names (\d+) articles?, 1000 expected", crawled.portal(name)["reason"] or "")
        articles = int(found[1]) if found else 0
        assert articles > 0, (name, crawled.portal(name))
