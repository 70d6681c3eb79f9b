"""Kill -9 at any moment, start again: nothing lost, nothing stored twice, every byte still readable."""

import os
import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from crawler.archive.connection import open_archive
from crawler.archive.texts import text_of_version
from crawler.demo.server import serve
from crawler.demo.site import Site
from tests.support.crawling import Archive, article_page, entry, news_site, text_of, title_of
from tests.support.evidence import (
    assert_both_readers_read_all,
    assert_no_response_lacks_a_row,
    assert_nothing_is_lost_or_double,
    assert_rows_and_bytes_agree,
)
from tests.support.verified import findings, path_of

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


# With a history: every night something is edited, taken away, put back and added.


class County:
    """A site with the texts that each of its articles has had, and those that are away."""

    def __init__(self, articles: int, chance: random.Random) -> None:
        self.site = Site(news_site(articles).pages, validators=True)
        self.told = {number: [text_of(number)] for number in range(articles)}
        self.away: dict[int, int] = {}
        """How often an article was taken away, of those that ever were."""
        self.is_away: set[int] = set()
        self._chance = chance

    def change(self) -> None:
        """A day passes: two edits, one deletion, one return, one new article."""
        back = self._chance.choice(sorted(self.is_away)) if self.is_away else None
        *edited, gone = self._chance.sample(sorted(self.told.keys() - self.is_away), 3)
        for number in edited:
            self._tell(number, f"{text_of(number)}第{len(self.told[number])}次更正。")
        self.site.remove(path_of(gone))
        self.away[gone] = self.away.get(gone, 0) + 1
        self.is_away.add(gone)
        if back is not None:
            self.site.replace(path_of(back), article_page(title_of(back), self.told[back][-1]))
            self.is_away.discard(back)
        self._add(len(self.told))

    def _tell(self, number: int, text: str) -> None:
        self.told[number].append(text)
        self.site.replace(path_of(number), article_page(title_of(number), text))

    def _add(self, number: int) -> None:
        fresh = news_site(number + 1).pages
        lists = {path: page for path, page in fresh.items() if path.startswith("/news/") and "/2021/" not in path}
        self.told[number] = [text_of(number)]
        self.site.publish({**self.site.pages, **lists, path_of(number): fresh[path_of(number)]})


def kill(archive: Archive, site: Site, moment: int) -> None:
    """Kill every process of a crawl at its so-manieth request; it may be through before."""
    site.hits.clear()
    process = archive.start("--full", "--delay", "0.01", "--jobs", "2")
    while site.hits.total() < moment and process.poll() is None:
        time.sleep(0.003)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)


def assert_history_is_told(archive: Archive, county: County) -> None:
    """Each article once, with every text that it had and no other, and gone as often as it was taken away."""
    conn = open_archive(archive.db, readonly=True)
    try:
        assert conn.execute("SELECT count(*) FROM articles").fetchone()[0] == len(county.told)
        for number, texts in county.told.items():
            [(article_id, state)] = conn.execute(
                "SELECT id, state FROM articles WHERE url LIKE ?", (f"%{path_of(number)}",)
            )
            versions = conn.execute(
                "SELECT id FROM versions WHERE article_id = ? ORDER BY id", (article_id,)
            ).fetchall()
            assert [text_of_version(conn, version_id) for (version_id,) in versions] == texts
            assert state == ("gone" if number in county.is_away else "edited" if len(texts) > 1 else "live")
            gone = "SELECT count(*) FROM article_states WHERE article_id = ? AND state = 'gone'"
            assert conn.execute(gone, (article_id,)).fetchone()[0] == county.away.get(number, 0)
        assert conn.execute("SELECT * FROM frontier WHERE state = 'queued'").fetchall() == []
    finally:
        conn.close()
    assert_no_response_lacks_a_row(archive)
    assert findings(archive) == []


def kill_through_a_history(archive: Archive, chance: random.Random, kills: Sequence[int]) -> None:
    """A first night, then one for each of *kills*, which is killed so often before it may end."""
    county = County(20, chance)
    with serve({"liuxi": county.site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        assert archive.crawl().exit_code == 0
        for times in kills:
            county.change()
            for _ in range(times):
                kill(archive, county.site, chance.randrange(1, 25))
            finished = archive.crawl("--full")
            assert finished.exit_code == 0, finished.words
            assert_history_is_told(archive, county)


def test_a_night_with_a_history_is_killed_three_times_and_tells_all_of_it_once(tmp_path: Path) -> None:
    kill_through_a_history(Archive(tmp_path), random.Random(6), [1, 2])


@pytest.mark.soak
def test_thirty_kills_through_a_history_lose_and_double_nothing(tmp_path: Path) -> None:
    kill_through_a_history(Archive(tmp_path), random.Random(20261122), [3] * 10)
