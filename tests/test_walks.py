"""How far a night goes into a list, and where it stops: pages that are known, that failed, that never end."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from crawler.demo.server import serve
from crawler.demo.site import Asked, Response, Site
from spiders.addresses import days_in, pattern_of
from spiders.traps import TrapError, Traps, is_calendar
from tests.support.crawling import Archive, article_page, entry, text_of, title_of
from tests.support.planting import page

ROOT = Path(__file__).parent.parent


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def list_page(numbers: Sequence[int], following: str | None = None) -> Response:
    """A list of the articles called *numbers*."""
    items = "".join(f'<li><a href="/news/2021/{n}.html">{title_of(n)}</a><b>2021-05-06</b></li>' for n in numbers)
    return page(f"<ul>{items}</ul>" + (f'<a href="{following}">下一页</a>' if following else "") + "<p>柳溪</p>" * 60)


def pages_of(*lists: Sequence[int], folder: str = "/news/") -> dict[str, Response]:
    """The pages of one list in *folder*, and the articles on them."""
    pages = {f"/news/2021/{n}.html": article_page(title_of(n), text_of(n)) for numbers in lists for n in numbers}
    for place, numbers in enumerate(lists, 1):
        following = f"{folder}list_{place + 1}.html" if place < len(lists) else None
        pages[folder if place == 1 else f"{folder}list_{place}.html"] = list_page(numbers, following)
    return pages


def asked_lists(site: Site) -> list[str]:
    return sorted(path for path, _ in site.hits if path.endswith("/") or "list_" in path)


def stored(archive: Archive) -> int:
    count: int = archive.one("SELECT count(*) FROM articles")
    return count


def test_a_pinned_or_moved_article_does_not_stop_a_night_early_and_a_quiet_one_costs_a_request(
    archive: Archive,
) -> None:
    old = [range(100 + start, 103 + start) for start in range(0, 18, 3)]
    site = Site(pages_of(*old))
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        archive.crawl()
        moved = [[200, *old[0]], old[1], [*old[2], 201], *old[3:]]
        site.publish(pages_of(*moved))
        site.hits.clear()
        assert archive.crawl().portal("liuxi")["new"] == 2
        assert asked_lists(site) == ["/news/", *(f"/news/list_{n}.html" for n in (2, 3, 4, 5))]
        site.hits.clear()
        archive.crawl()
        assert asked_lists(site) == ["/news/"]


def test_a_list_that_begins_with_what_another_one_has_is_walked_to_its_end_the_first_time(archive: Archive) -> None:
    both = [range(100, 103), range(103, 106), range(106, 109)]
    site = Site(pages_of(*both) | pages_of(*both, range(109, 112), folder="/all/"))
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        archive.crawl()
        lists = f'lists = ["{urls["liuxi"]}/news/", "{urls["liuxi"]}/all/"]'
        archive.write_catalogue(entry("liuxi", urls["liuxi"]).replace(f'lists = ["{urls["liuxi"]}/news/"]', lists))
        assert archive.crawl().portal("liuxi")["new"] == 3
        site.hits.clear()
        archive.crawl()
    assert asked_lists(site) == ["/all/", "/news/"]


REPAIRS = page("<title>系统维护中</title><div><p>网站正在维护升级，请稍后再访问。</p></div>")


def test_an_article_of_several_lists_is_asked_for_once(archive: Archive) -> None:
    folders = ("/news/", "/all/", "/top/", "/new/")
    site = Site({path: one for folder in folders for path, one in pages_of(range(100, 160), folder=folder).items()})
    with serve({"liuxi": site}) as urls:
        lists = ", ".join(f'"{urls["liuxi"]}{folder}"' for folder in folders)
        given = entry("liuxi", urls["liuxi"], 'cms = "generic"')
        archive.write_catalogue(given.replace(f'"{urls["liuxi"]}/news/"', lists))
        assert archive.crawl().portal("liuxi")["new"] == 60
    assert {count for (path, _), count in site.hits.items() if path.startswith("/news/2021/")} == {1}


@pytest.mark.parametrize(
    ("newer", "trouble", "words"), [(0, Response(status=500), "answered 500"), (3, REPAIRS, "is no list: 系统维护中")]
)
def test_what_is_behind_a_list_page_that_failed_is_found_another_night(
    newer: int, trouble: Response, words: str, archive: Archive
) -> None:
    pages = pages_of(*(range(100 + start, 103 + start) for start in range(0, 15, 3)))
    site = Site(pages | {"/news/list_3.html": trouble})
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        first = archive.crawl()
        assert (first.exit_code, stored(archive)) == (1, 6)
        assert f"list_3.html: {words}" in first.portal("liuxi")["reason"]
        site.publish(pages_of(*(range(100 - newer + start, 103 - newer + start) for start in range(0, 15 + newer, 3))))
        assert archive.crawl().exit_code == 0
    assert stored(archive) == 15 + newer


def endless(items: Callable[[int], Sequence[int]]) -> Site:
    """A program with a next page for ever."""

    def answer(asked: Asked) -> Response | None:
        number = int(parse_qs(asked.query).get("page", ["1"])[0])
        if asked.path == "/news/":
            return list_page(items(number), f"/news/?page={number + 1}")
        name = asked.path.removeprefix("/news/2021/").removesuffix(".html")
        return article_page(title_of(int(name)), text_of(int(name))) if name.isdecimal() else None

    return Site({}, script=answer)


@pytest.mark.parametrize("options", [(), ("--full",)])
def test_a_pager_whose_last_page_repeats_under_ever_new_numbers_ends(
    options: tuple[str, ...], archive: Archive
) -> None:
    site = endless(lambda number: range(100, 104) if number == 1 else range(104, 108))
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        archive.crawl()
        site.hits.clear()
        assert archive.crawl(*options).exit_code == 0
    assert site.hits["/news/", 200] == (4 if options else 1)
    assert stored(archive) == 8


def test_a_list_without_end_stops_at_the_cap_of_its_pattern_says_so_and_goes_on_there(archive: Archive) -> None:
    with serve({"liuxi": endless(lambda number: [100 + number])}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        for night, words in ((1, "5 list pages like"), (2, "5 list pages like")):
            done = scrapy_crawl(archive, LISTS_ALIKE=5)
            assert archive.query("SELECT status FROM portal_runs")[-1] == ("failed",), done.stderr
            assert words in archive.query("SELECT reason FROM portal_runs ORDER BY run_id")[-1][0]
            assert done.stderr.count("leads to more than 5 list pages") == 1
            assert stored(archive) >= 5 * night


def test_articles_beyond_the_cap_of_their_pattern_wait_for_another_night(archive: Archive) -> None:
    site = Site(pages_of(range(100, 106), range(106, 112)))
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        scrapy_crawl(archive, ARTICLES_ALIKE=8)
        assert (stored(archive), archive.one("SELECT status FROM portal_runs")) == (8, "failed")
        assert archive.crawl().exit_code == 0
    assert stored(archive) == 12


def scrapy_crawl(archive: Archive, **settings: int) -> "subprocess.CompletedProcess[str]":
    given = {
        "XIANZHI_CATALOGUE": archive.folder / "portals.toml",
        "XIANZHI_DB": archive.db,
        "ALLOW_NETWORKS": "127.0.0.0/8",
        **settings,
    }
    words = [word for name, value in given.items() for word in ("-s", f"{name}={value}")]
    return subprocess.run(
        [sys.executable, "-m", "scrapy", "crawl", "generic", "-a", "portal=liuxi", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


STUBS = {
    "blank": b"<!DOCTYPE html><html><head></head><body>" + b" " * 240,
    "script": b"<html><script>history.back()</script></html>",
    "no bytes": b"",
    "words": "<html><title>提示信息</title><p>对不起，您访问的页面不存在！</p></html>".encode(),
}


@pytest.mark.parametrize("stub", STUBS)
def test_a_stub_behind_the_last_page_ends_the_list_and_nothing_else(stub: str, archive: Archive) -> None:
    pages = pages_of(range(100, 103), range(103, 106), range(106, 107)) | {"/news/list_3.html": page("")}
    site = Site(pages | {"/news/list_3.html": Response(headers=(("Content-Type", "text/html"),), body=STUBS[stub])})
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        assert archive.crawl().portal("liuxi")["status"] == "ok"
    assert stored(archive) == 6


def test_a_bot_wall_in_place_of_a_later_page_is_none_and_its_tail_is_found_another_night(archive: Archive) -> None:
    pages = pages_of(range(100, 103), range(103, 106), range(106, 109))
    wall = Response(
        headers=(("Content-Type", "text/html"),), body=b"<script>document.cookie='__jsl_clearance=1'</script>"
    )
    site = Site(pages | {"/news/list_2.html": wall})
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        assert archive.crawl().portal("liuxi")["status"] == "blocked"
        site.publish(pages)
        assert archive.crawl().portal("liuxi")["status"] == "ok"
    assert stored(archive) == 9


@pytest.mark.parametrize(
    "following", ["/news/?date=2021-05-05", "/news/2021-05/05/", "http://127.0.11.7:9/news/list_2.html", "//x.example/"]
)
def test_calendars_and_foreign_hosts_are_no_next_pages(following: str, archive: Archive) -> None:
    site = Site({**pages_of(range(100, 103)), "/news/": list_page(range(100, 103), following)})
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        assert archive.crawl().exit_code == 0
    assert asked_lists(site) == ["/news/"]


@pytest.mark.parametrize(
    ("here", "there", "is_one"),
    [
        ("http://a.example/xw/", "http://a.example/xw/?date=2014-06-02", True),
        ("http://a.example/xw/?date=2014-06-03", "http://a.example/xw/?date=2014-06-02", True),
        ("http://a.example/xw/?date=2014-06-03", "http://a.example/xw/?date=2014-06-03&page=2", False),
        ("http://a.example/2014-06/03/node_1.htm", "http://a.example/2014-06/02/node_1.htm", True),
        ("http://a.example/20140603/1.html", "http://a.example/20140603/2.html", False),
        ("http://a.example/xw/?year=2014&month=6", "http://a.example/xw/?year=2014&month=5", True),
        ("http://a.example/col/col20140699/", "http://a.example/col/col20140699/index_2.html", False),
    ],
)
def test_a_calendar_is_told_from_a_pager(here: str, there: str, is_one: bool) -> None:
    assert is_calendar(here, there) == is_one


def test_addresses_of_one_pattern_differ_by_numbers_hashes_and_values() -> None:
    hashed = "0123456789abcdef0123456789abcdef"
    assert pattern_of("http://A.example/art/2024/6/19/art_1861_498.html") == "a.example/art/#/#/#/art_#_#.html"
    assert pattern_of(f"http://a.example/liuxi/c104060/202404/{hashed}.shtml") == "a.example/liuxi/#/#/#.shtml"
    assert pattern_of("http://a.example/l.asp?page=2&id=7") == pattern_of("http://a.example/l.asp?id=8&page=300")
    assert pattern_of("http://a.example/news/") == "a.example/news/"
    assert days_in("http://a.example/news/") == frozenset()


def test_a_pattern_is_refused_at_its_limit_and_others_are_not() -> None:
    traps = Traps({"list": 2, "article": 1})
    traps.count("list", "http://a.example/1.html")
    traps.count("list", "http://a.example/2.html")
    traps.count("list", "http://a.example/x/3.html")
    traps.count("article", "http://a.example/4.html")
    with pytest.raises(TrapError, match=r"more than 2 list pages like a\.example/#\.html"):
        traps.count("list", "http://a.example/3.html")
