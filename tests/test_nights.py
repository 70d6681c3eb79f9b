"""Later nights: what is looked at again, and what is said of articles that are gone, moved, walled, or only seem so."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.archive.looks import STEPS
from crawler.demo.server import serve
from crawler.demo.site import Asked, Response, Site
from crawler.fetch.session import BATCH_SECONDS
from tests.support.crawling import HTML, Archive, article_page, entry, news_site, text_of, title_of

HOME = Response(
    headers=HTML,
    body="<html><head><title>柳溪县人民政府</title></head><body><ul><li><a href='/news/'>今日要闻</a></li>"
    "<li><a href='/zwgk/'>政务公开</a></li><li><a href='/hdjl/'>互动交流</a></li></ul></body></html>".encode(),
)


def path_of(number: int) -> str:
    return f"/news/2021/{100 + number}.html"


class County:
    """A portal of ten articles, its archive, and a calendar."""

    def __init__(self, folder: Path, site: Site, base: str) -> None:
        self.archive, self.site, self.base = Archive(folder), site, base
        self.archive.write_catalogue(entry("liuxi", base))

    def night(self, *options: str, expected: int = 0):
        self.site.hits.clear()
        crawled = self.archive.crawl(*options)
        assert crawled.exit_code == expected, crawled.words
        return crawled.portal("liuxi")

    def let_days_pass(self, days: float, *, only: str = "%") -> None:
        """Everything in the archive happened *days* earlier; *only*: the first sight of these articles."""
        with sqlite3.connect(self.archive.db) as conn:
            for table, column, where in (
                ("articles", "first_seen", f"url LIKE '{only}'"), ("articles", "last_seen", "1"),
                ("frontier", "updated_at", "1"), ("article_states", "since", "1"),
            ):  # fmt: skip
                moved = f"strftime('%Y-%m-%dT%H:%M:%SZ', {column}, '-{days} days')"
                conn.execute(f"UPDATE {table} SET {column} = {moved} WHERE {where}")
        conn.close()

    def state(self, number: int) -> str:
        return self.archive.one("SELECT state FROM articles WHERE url = ?", self.base + path_of(number))

    def states(self) -> set[str]:
        return {state for (state,) in self.archive.query("SELECT DISTINCT state FROM articles")}

    @property
    def looked_at(self) -> set[str]:
        return {path for path, _ in self.site.hits if path.startswith("/news/2021/")}


@pytest.fixture
def county(tmp_path: Path) -> Iterator[County]:
    site = news_site(10, validators=True)
    with serve({"liuxi": site}) as urls:
        county = County(tmp_path, site, urls["liuxi"])
        county.night()
        yield county


# What is due.


def test_after_a_day_every_article_is_looked_at_once_more_and_asked_whether_it_changed(county: County) -> None:
    county.let_days_pass(1)
    assert county.night()["unchanged"] == 10
    assert {status for (path, status) in county.site.hits if path in county.looked_at} == {304}
    assert county.archive.one("SELECT count(*) FROM versions") == 10
    county.night()
    assert county.looked_at == set()


def test_looks_come_1_3_7_30_90_and_365_days_after_the_first_sight_and_then_no_more(county: County) -> None:
    looked, age = [], 0
    for step in (1, 1, 1, 4, 23, 60, 200, 75, 400):
        county.let_days_pass(step)
        age += step
        county.night()
        if county.looked_at:
            looked.append(age)
    assert looked == [1, 3, 7, 30, 90, 365] == list(STEPS)


def test_lists_that_answer_late_keep_no_article_from_being_looked_at(county: County) -> None:
    """That it was answered is not stored yet when the portal has nothing more to do, and that it was asked is."""

    def answer_late(asked: Asked) -> None:
        if asked.path in {"/news/", "/more/"}:
            time.sleep(1.2 * BATCH_SECONDS)

    county.let_days_pass(1)
    county.site.replace("/more/", county.site.pages["/news/"])
    county.site.script = answer_late
    both = entry("liuxi", county.base).replace('/news/"]', f'/news/", "{county.base}/more/"]')
    county.archive.write_catalogue(both)
    assert county.night()["unchanged"] == 10


def test_an_archive_that_slept_over_several_looks_makes_one(county: County) -> None:
    county.let_days_pass(50)
    assert county.night()["unchanged"] == 10
    assert county.site.hits.total() == 12  # robots.txt, the list, ten articles


def test_a_look_finds_an_edit(county: County) -> None:
    county.site.replace(path_of(3), article_page(title_of(3), text_of(3).replace("两个月", "三个月")))
    county.let_days_pass(3)
    assert county.night()["changed"] == 1
    assert county.state(3) == "edited"


def test_the_day_that_only_the_list_told_is_no_edit_when_the_article_is_looked_at_alone(tmp_path: Path) -> None:
    site = news_site(3)
    for n in range(3):
        page = site.pages[path_of(n)].body.replace("发布时间：2021-05-06　".encode(), b"")
        site.replace(path_of(n), Response(headers=HTML, body=page))
    with serve({"liuxi": site}) as urls:
        county = County(tmp_path, site, urls["liuxi"])
        county.night()
        assert county.archive.query("SELECT DISTINCT published_basis FROM articles") == [("list",)]
        county.let_days_pass(1)
        report = county.night()
    assert (report["changed"], report["unchanged"]) == (0, 3)


def test_a_full_look_also_asks_for_what_no_list_names_any_more(county: County) -> None:
    county.site.replace("/news/", Response(headers=HTML, body=b"<html><body><ul></ul></body></html>"))
    report = county.night("--full")
    assert report["unchanged"] == 10


def test_looks_beyond_max_articles_wait_for_the_next_night(county: County) -> None:
    county.let_days_pass(1)
    assert county.night("--max-articles", "4")["unchanged"] == 4
    assert county.night()["unchanged"] == 6


# Gone.


@pytest.mark.parametrize("status", [404, 410])
def test_an_article_that_is_not_found_any_more_is_gone_and_live_again_when_it_returns(
    county: County, status: int
) -> None:
    page = county.site.pages[path_of(4)]
    county.site.replace(path_of(4), Response(status=status, headers=HTML, body=b"<html><h1>Not Found</h1></html>"))
    county.let_days_pass(1)
    report = county.night()
    assert (report["gone"], report["failed"], county.state(4)) == (1, 0, "gone")
    county.site.replace(path_of(4), page)
    county.let_days_pass(2)
    county.night()
    assert county.state(4) == "live"
    states = county.archive.query("SELECT state FROM article_states ORDER BY since")
    assert states == [("gone",), ("live",)]


def test_what_is_gone_stays_readable_and_is_counted_once(county: County) -> None:
    county.site.remove(path_of(4))
    county.let_days_pass(1)
    assert county.night()["gone"] == 1
    county.let_days_pass(2)
    report = county.night()
    assert (report["gone"], report["failed"]) == (0, 0)
    body = county.archive.one(
        "SELECT body FROM articles JOIN article_texts ON id = article_id WHERE url LIKE ?", "%" + path_of(4)
    )
    assert body == text_of(4)


def test_where_more_than_a_fifth_would_go_nothing_is_marked_and_the_report_says_why(county: County) -> None:
    for number in (1, 2, 3):
        county.site.remove(path_of(number))
    county.let_days_pass(1)
    report = county.night(expected=1)
    assert county.states() == {"live"}
    assert (report["status"], report["gone"]) == ("failed", 0)
    assert "3 of 10" in report["reason"]
    assert "more than a fifth" in report["reason"]


def test_a_single_missing_article_is_judged_beside_others_that_are_looked_at_for_comparison(county: County) -> None:
    county.site.remove(path_of(4))
    county.let_days_pass(1, only="%" + path_of(4))
    report = county.night()
    assert (report["gone"], county.state(4)) == (1, "gone")
    assert len(county.looked_at) == 5  # the missing one, and four that answer


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_in_trouble_makes_nothing_gone(county: County, status: int) -> None:
    county.site.replace(path_of(4), Response(status=status, headers=HTML, body=b"trouble"))
    county.let_days_pass(1)
    county.archive.crawl()
    assert county.states() == {"live"}


def test_an_address_that_answers_with_the_front_page_as_every_unknown_one_does_is_gone(county: County) -> None:
    county.site.remove(path_of(4))
    county.site.missing = HOME
    county.let_days_pass(1)
    assert (county.night()["gone"], county.state(4)) == (1, "gone")


def test_a_redirect_to_the_front_page_as_from_every_unknown_address_is_gone(county: County) -> None:
    county.site.remove(path_of(4))
    county.site.missing = Response(status=302, headers=(("Location", "/index.html"),))
    county.site.replace("/index.html", HOME)
    county.let_days_pass(1)
    assert (county.night()["gone"], county.state(4)) == (1, "gone")
    assert county.archive.query("SELECT count(*) FROM articles") == [(10,)]


def test_a_page_that_says_under_status_200_that_the_article_was_deleted_is_gone(county: County) -> None:
    words = "<html><head><title>提示信息</title></head><body><p>对不起，您访问的页面不存在或已删除！</p></body></html>"
    county.site.replace(path_of(4), Response(headers=HTML, body=words.encode()))
    county.let_days_pass(1)
    assert (county.night()["gone"], county.state(4)) == (1, "gone")


def test_a_list_in_an_articles_place_is_no_proof_where_unknown_addresses_answer_404(county: County) -> None:
    county.site.replace(path_of(4), HOME)
    county.let_days_pass(1)
    report = county.night()
    assert (report["gone"], report["failed"], county.state(4)) == (0, 1, "live")


def test_a_night_on_which_everything_answers_with_the_front_page_deletes_nothing(county: County) -> None:
    for number in range(10):
        county.site.replace(path_of(number), HOME)
    county.site.missing = HOME
    county.let_days_pass(1)
    county.night(expected=1)
    assert county.states() == {"live"}


# Moved.


def test_an_article_that_leads_to_another_one_is_redirected_and_the_other_has_its_own_row(county: County) -> None:
    county.site.replace("/xw/900.html", county.site.pages[path_of(4)])
    county.site.replace(path_of(4), Response(status=301, headers=(("Location", "/xw/900.html"),)))
    county.let_days_pass(1)
    assert county.night()["new"] == 1
    rows = county.archive.query("SELECT state, redirect_to FROM articles WHERE url LIKE ?", "%" + path_of(4))
    assert rows == [("redirected", county.base + "/xw/900.html")]
    assert county.archive.one("SELECT state FROM articles WHERE url LIKE '%/xw/900.html'") == "live"


def test_a_stub_that_jumps_by_script_or_refresh_is_followed_to_the_article(county: County) -> None:
    items = "".join(
        f'<li><a href="/jump/{n}.html">{title_of(n)}</a><span>2021-06-0{n - 50}</span></li>' for n in (51, 52, 53)
    )
    county.site.replace("/news/", Response(headers=HTML, body=f"<html><ul>{items}</ul></html>".encode()))
    stubs = {
        51: '<script>window.location.href="/xw/51.html";</script>',
        52: '<meta http-equiv="refresh" content="0; url=/xw/52.html">',
        53: '<script>location.replace("https://weixin.example.org/s/53")</script>',
    }
    for number, stub in stubs.items():
        county.site.replace(f"/jump/{number}.html", Response(headers=HTML, body=f"<html>{stub}</html>".encode()))
        county.site.replace(f"/xw/{number}.html", article_page(title_of(number), text_of(number)))
    report = county.night()
    assert (report["new"], report["failed"]) == (2, 0)
    assert county.archive.query("SELECT title FROM articles WHERE url LIKE '%/xw/5_.html' ORDER BY url") == [
        (title_of(51),), (title_of(52),),
    ]  # fmt: skip
    noted = county.archive.one(
        "SELECT reason FROM frontier WHERE url LIKE '%/jump/53.html' OR key LIKE '%/jump/53.html'"
    )
    assert noted == "leads to https://weixin.example.org/s/53"
    county.night()
    assert not any(path.startswith("/jump/") for path, _ in county.site.hits)


# Walled.


def test_an_article_behind_a_bot_wall_is_blocked_never_a_text_and_live_again_afterwards(county: County) -> None:
    page = county.site.pages[path_of(4)]
    wall = "<html><script>var a='acw_sc__v2';setCookie(a);location.reload();</script></html>"
    county.site.replace(path_of(4), Response(headers=HTML, body=wall.encode()))
    county.let_days_pass(1)
    report = county.night(expected=1)
    assert (report["status"], county.state(4)) == ("blocked", "blocked")
    assert county.archive.one("SELECT count(*) FROM versions") == 10
    county.site.replace(path_of(4), page)
    county.night()
    assert county.state(4) == "live"
