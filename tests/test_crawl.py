"""The main job: from a portal's list pages to archive.db, with the real command on loopback portals."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crawler.archive import runs
from crawler.archive.connection import open_archive
from crawler.archive.lock import RunLock
from crawler.catalogue import load
from crawler.children import Child
from crawler.demo.server import serve
from crawler.demo.site import Response
from crawler.fetch.options import Options
from crawler.messages import Stop, Work
from tests.conftest import ROOT
from tests.support.crawling import HTML, LOOPBACK, Archive, article_page, entry, news_site, text_of, title_of
from tests.support.evidence import (
    assert_both_readers_read_all,
    assert_nothing_is_lost_or_double,
    assert_rows_and_bytes_agree,
    assert_the_index_is_true,
)
from tests.support.planting import page


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def test_every_article_of_a_list_is_stored_with_its_text_once(archive: Archive) -> None:
    with serve({"liuxi": news_site(25)}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        crawled = archive.crawl()
    assert crawled.exit_code == 0, crawled.words
    assert crawled.portal("liuxi")["new"] == 25
    rows = archive.query("SELECT title, published, source, body FROM articles JOIN article_texts ON article_id = id")
    assert sorted(rows) == sorted((title_of(n), "2021-05-06", "柳溪县融媒体中心", text_of(n)) for n in range(25))


def test_a_second_night_finds_nothing_new_with_far_fewer_requests(archive: Archive) -> None:
    site = news_site(25)
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        archive.crawl()
        first, versions = site.hits.total(), archive.one("SELECT count(*) FROM versions")
        site.hits.clear()
        crawled = archive.crawl()
    assert crawled.exit_code == 0
    assert crawled.portal("liuxi")["new"] == 0
    assert archive.one("SELECT count(*) FROM versions") == versions == 25
    assert first > 25
    assert site.hits.total() == 2  # robots.txt and the first list page


def test_a_new_article_on_the_first_page_is_all_that_the_next_night_fetches(archive: Archive) -> None:
    site = news_site(25)
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        archive.crawl()
        listing = site.pages["/news/"]
        item = '<ul><li><a href="/news/2021/900.html">柳溪县今年新建三所小学</a><span>2021-06-01</span></li>'
        site.replace("/news/", Response(headers=listing.headers, body=listing.body.replace(b"<ul>", item.encode())))
        site.replace(
            "/news/2021/900.html",
            article_page("柳溪县今年新建三所小学", "三所小学将在秋季学期开学前投入使用，新增学位九百个。" * 3),
        )
        crawled = archive.crawl()
    assert crawled.portal("liuxi")["new"] == 1
    assert archive.one("SELECT count(*) FROM articles") == 26


def test_a_full_look_finds_an_edit_and_keeps_both_versions(archive: Archive) -> None:
    site = news_site(8)
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        archive.crawl()
        site.replace("/news/2021/103.html", article_page(title_of(3), text_of(3).replace("两个月", "三个月")))
        crawled = archive.crawl("--full")
    assert (crawled.portal("liuxi")["changed"], crawled.portal("liuxi")["unchanged"]) == (1, 7)
    assert archive.query("SELECT state FROM articles WHERE url LIKE '%103.html'") == [("edited",)]
    assert (
        archive.one(
            "SELECT count(*) FROM versions JOIN articles ON articles.id = article_id WHERE url LIKE '%103.html'"
        )
        == 2
    )
    assert archive.one("SELECT count(*) FROM versions") == 9
    assert_the_index_is_true(archive)


def test_an_unchanged_answer_is_a_revisit_and_so_is_a_304(archive: Archive) -> None:
    with serve({"plain": news_site(3), "careful": news_site(3, validators=True)}) as urls:
        archive.write_catalogue(entry("plain", urls["plain"]) + entry("careful", urls["careful"]))
        archive.crawl()
        archive.crawl("--full")
    second = "SELECT status, revisit_of IS NOT NULL FROM captures WHERE kind = 'article' AND portal_id = ? ORDER BY id LIMIT 3 OFFSET 3"
    assert archive.query(second, "plain") == [(200, 1)] * 3
    assert archive.query(second, "careful") == [(304, 1)] * 3
    assert archive.one("SELECT count(*) FROM versions") == 6


def test_what_max_articles_leaves_is_taken_by_the_next_run(archive: Archive) -> None:
    with serve({"liuxi": news_site(25)}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        assert archive.crawl("--max-articles", "10").portal("liuxi")["new"] == 10
        assert archive.crawl("--max-articles", "10").portal("liuxi")["new"] == 10
        assert archive.crawl().portal("liuxi")["new"] == 5


def test_since_leaves_out_what_the_list_dates_earlier(archive: Archive) -> None:
    with serve({"liuxi": news_site(10)}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        crawled = archive.crawl("--since", "2021-05-06")
    assert crawled.portal("liuxi")["new"] == 5


def test_without_leave_loopback_is_refused_and_the_report_says_what_to_do(archive: Archive) -> None:
    site = news_site(3)
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        crawled = archive.crawl(allow=None)
    assert crawled.exit_code == 1
    assert crawled.portal("liuxi")["status"] == "failed"
    assert "--allow-network" in crawled.portal("liuxi")["reason"]
    assert site.hits.total() == 0


def test_a_failing_robots_txt_means_not_tonight(archive: Archive) -> None:
    site = news_site(3)
    site.replace("/robots.txt", Response(status=503, body=b"later"))
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        crawled = archive.crawl()
    assert crawled.exit_code == 1
    assert crawled.portal("liuxi")["status"] == "blocked"
    assert "robots.txt answered 503" in crawled.portal("liuxi")["reason"]
    assert {path for path, _ in site.hits} == {"/robots.txt"}


def test_a_missing_list_page_fails_its_portal_and_not_the_others(archive: Archive) -> None:
    empty = news_site(3)
    empty.remove("/news/")
    with serve({"liuxi": news_site(3), "empty": empty}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]) + entry("empty", urls["empty"]))
        crawled = archive.crawl()
    assert crawled.exit_code == 1
    assert crawled.portal("empty")["status"] == "failed"
    assert "answered 404" in crawled.portal("empty")["reason"]
    assert crawled.portal("liuxi")["new"] == 3


def test_the_catalogue_chooses_links_by_its_own_pattern(archive: Archive) -> None:
    with serve({"liuxi": news_site(10)}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"], "article = '/10[0-4]\\.html$'"))
        assert archive.crawl().portal("liuxi")["new"] == 5


def test_an_unknown_portal_is_wrong_usage(archive: Archive) -> None:
    archive.write_catalogue(entry("liuxi", "http://127.0.0.1:9"))
    crawled = archive.crawl("liuxii")
    assert crawled.exit_code == 2
    assert "liuxii" in crawled.words


def test_a_second_run_on_the_same_archive_is_refused(archive: Archive) -> None:
    archive.write_catalogue(entry("liuxi", "http://127.0.0.1:9"))
    with RunLock(archive.db):
        crawled = archive.crawl()
    assert crawled.exit_code == 3
    assert str(archive.db) in crawled.words


@pytest.mark.parametrize("delay", ["0.2", "0.03"], ids=["behind a batch", "before the first batch"])
def test_an_interrupted_run_stores_what_came_and_the_next_one_goes_on(archive: Archive, delay: str) -> None:
    site = news_site(40)
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        process = archive.start("--delay", delay)
        assert process.stderr is not None
        while site.hits.total() < 6:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130
        assert archive.query("SELECT status FROM runs") == [("interrupted",)]
        stored = archive.one("SELECT count(*) FROM articles")
        assert 0 < stored < 40
        assert archive.crawl().portal("liuxi")["new"] == 40 - stored


def test_a_run_goes_on_when_nobody_reads_its_log(archive: Archive) -> None:
    with serve({"liuxi": news_site(3)}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        process = archive.start()
        assert process.stderr is not None
        process.stderr.readline()
        process.stderr.close()
        process.wait(timeout=30)
    assert process.returncode == 0
    assert archive.query("SELECT status FROM runs") == [("ok",)]
    assert archive.one("SELECT count(*) FROM articles") == 3


def test_an_interrupted_run_does_not_wait_for_its_next_request(archive: Archive) -> None:
    site = news_site(4)
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"], 'cms = "generic"'))
        process = archive.start("--delay", "600")
        while not site.hits.total():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130
        assert archive.query("SELECT status FROM portal_runs") == [("interrupted",)]
        assert archive.crawl().portal("liuxi")["new"] == 4


def test_a_worker_that_is_stopped_before_its_first_crawl_has_begun_ends(archive: Archive) -> None:
    with serve({"liuxi": news_site(3)}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        [portal] = load(archive.folder / "portals.toml").portals
        connection = open_archive(archive.db)
        run_id = runs.begin(connection, [portal])
        connection.close()
        worker = Child.start(Options(db=archive.db, warc=archive.warc, allow_networks=(LOOPBACK,)), run_id)
        worker.send(Work((portal,)))
        worker.send(Stop())
        worker.process.join(timeout=30)
        is_alive = worker.process.is_alive()
        worker.kill()
        worker.pipe.close()
    assert not is_alive


def scrapy(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "scrapy", *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_scrapy_itself_lists_the_families_and_crawls_into_the_same_archive(archive: Archive) -> None:
    assert "generic" in scrapy("list").stdout.split()
    with serve({"liuxi": news_site(12)}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        settings = {
            "XIANZHI_CATALOGUE": archive.folder / "portals.toml",
            "XIANZHI_DB": archive.db,
            "ALLOW_NETWORKS": "127.0.0.0/8",
        }
        given = [word for name, value in settings.items() for word in ("-s", f"{name}={value}")]
        done = scrapy("crawl", "generic", "-a", "portal=liuxi", *given)
        assert archive.one("SELECT count(*) FROM articles") == 12, done.stderr
        assert archive.query("SELECT status, new FROM portal_runs") == [("ok", 12)]
        assert archive.crawl().portal("liuxi")["new"] == 0


def test_a_full_disk_ends_the_run_with_the_truth_and_the_next_one_goes_on(archive: Archive) -> None:
    site = news_site(40)
    noise = random.Random(1)
    for path in [path for path in site.pages if path.endswith(".html") and "list" not in path]:
        page = site.pages[path]
        site.replace(
            path, Response(headers=page.headers, body=page.body + b"<!--%s-->" % noise.randbytes(60_000).hex().encode())
        )
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        archive.crawl("--max-articles", "1")
        crawled = archive.crawl(file_limit=1_500_000)
        assert crawled.exit_code == 1, crawled.words
        assert crawled.portal("liuxi")["status"] == "interrupted"
        assert "File too large" in crawled.report["lost"][0]
        assert 1 < archive.one("SELECT count(*) FROM articles") < 40
        assert archive.crawl().exit_code == 0
    assert_nothing_is_lost_or_double(archive, articles=40)
    assert_rows_and_bytes_agree(archive)
    assert_both_readers_read_all(archive)


def test_a_database_in_no_folder_is_wrong_usage(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.write_catalogue(entry("liuxi", "http://127.0.0.1:9"))
    crawled = archive.crawl("--db", str(tmp_path / "typo" / "a.db"))
    assert crawled.exit_code == 2
    assert not (tmp_path / "typo").exists()


TROUBLE = (
    Response(status=404, body=b"not yet"),
    page("<title>系统维护中</title><div><p>网站正在维护升级，请稍后再访问。</p></div>"),
    page("<title>柳溪县人民政府</title><div><p>系统繁忙，请稍后再试！</p></div>"),
    Response(headers=HTML),
    page("<script>alert('该文章不存在');history.go(-1);</script>"),
    Response(status=302, headers=(("Location", "/"),)),
)
"""What comes in an article's place on a bad night."""


def test_an_article_that_failed_is_asked_for_again_though_its_list_page_is_not(archive: Archive) -> None:
    site = news_site(30)
    well, number = site.pages, 124
    sick = {f"/news/2021/{number + n}.html": answer for n, answer in enumerate(TROUBLE)}
    site.publish({**well, "/": page("<h1>柳溪县人民政府</h1>"), **sick})
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        first = archive.crawl()
        assert (first.portal("liuxi")["new"], first.portal("liuxi")["failed"]) == (30 - len(sick), len(sick))
        assert "124.html: answered 404" in first.words
        site.publish(well)
        assert archive.crawl().portal("liuxi")["new"] == len(sick)
    assert_nothing_is_lost_or_double(archive, articles=30)


def test_a_page_that_is_not_there_is_given_up_after_five_nights(archive: Archive) -> None:
    site = news_site(12)
    site.remove("/news/2021/111.html")
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        failed = [archive.crawl().portal("liuxi")["failed"] for _ in range(6)]
    assert failed == [1, 1, 1, 1, 1, 0]


def test_a_pager_that_promises_more_pages_than_there_are_fails_no_portal(archive: Archive) -> None:
    site = news_site(25)
    site.remove("/news/list_3.html")
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        crawled = archive.crawl()
    assert (crawled.exit_code, crawled.portal("liuxi")["new"]) == (0, 20)
