"""Kill -9 at any moment, start again: nothing lost, nothing stored twice, every byte still readable."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from crawler.demo.server import serve
from tests.support.crawling import Archive, entry, news_site
from tests.support.evidence import (
    assert_both_readers_read_all,
    assert_no_response_lacks_a_row,
    assert_nothing_is_lost_or_double,
    assert_rows_and_bytes_agree,
)

ARTICLES = 40


def kill_and_resume(archive: Archive, moments: list[int]) -> None:
    """Crawl two portals; kill every process when the sites have had so many requests; then let a run end."""
    sites = {"east": news_site(ARTICLES), "west": news_site(ARTICLES)}
    with serve(sites) as urls:
        archive.write_catalogue("".join(entry(name, url) for name, url in urls.items()))
        for moment in moments:
            for site in sites.values():
                site.hits.clear()
            process = archive.start("--delay", "0.03", "--jobs", "2")
            while sum(site.hits.total() for site in sites.values()) < moment and process.poll() is None:
                time.sleep(0.005)
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=10)
        finished = archive.crawl("--jobs", "2")
        assert finished.exit_code == 0, finished.words
    assert_nothing_is_lost_or_double(archive, articles=2 * ARTICLES)
    assert_rows_and_bytes_agree(archive)
    assert_no_response_lacks_a_row(archive)
    assert_both_readers_read_all(archive)
    states = archive.query("SELECT status, count(*) FROM runs GROUP BY 1 ORDER BY 1")
    assert dict(states).get("running") is None


@pytest.mark.parametrize("moment", [2, 25, 60])
def test_a_killed_crawl_goes_on_where_it_stood(tmp_path: Path, moment: int) -> None:
    kill_and_resume(Archive(tmp_path), [moment])


def test_only_the_parent_killed_ends_its_workers_too(tmp_path: Path) -> None:
    archive, site = Archive(tmp_path), news_site(ARTICLES)
    with serve({"east": site}) as urls:
        archive.write_catalogue(entry("east", urls["east"]))
        process = archive.start("--delay", "0.1")
        while site.hits.total() < 5:
            time.sleep(0.01)
        process.kill()
        process.communicate(timeout=10)
        finished = archive.crawl()
        assert finished.exit_code == 0, finished.words
    assert_nothing_is_lost_or_double(archive, articles=ARTICLES)
    assert_no_response_lacks_a_row(archive)


def test_a_killed_worker_is_replaced_within_the_run(tmp_path: Path) -> None:
    archive, site = Archive(tmp_path), news_site(ARTICLES)
    with serve({"east": site}) as urls:
        archive.write_catalogue(entry("east", urls["east"]))
        process = archive.start("--delay", "0.05")
        while site.hits.total() < 8:
            time.sleep(0.01)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        workers = [pid for pid in children if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]
        os.kill(int(workers[0]), signal.SIGKILL)
        _, words = process.communicate(timeout=60)
    assert process.returncode == 0, words
    assert "worker died" in words
    assert_nothing_is_lost_or_double(archive, articles=ARTICLES)
    assert_no_response_lacks_a_row(archive)
    assert_both_readers_read_all(archive)


@pytest.mark.soak
def test_ten_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    kill_and_resume(Archive(tmp_path), [chance.randrange(1, 90) for _ in range(10)])
