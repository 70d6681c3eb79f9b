"""A crawl on several hosts: the same archive, whatever dies; in full size in test_scale_soak.py."""

import time
from pathlib import Path

from crawler.demo.site import Site
from tests.support.crawling import Archive, entry, news_site
from tests.support.evidence import assert_nothing_is_lost_or_double
from tests.support.hosts import Watched, contents, hosts, payloads, until, watched
from tests.support.postgres import Postgres

ARTICLES = 20
NAMES = ("east", "west", "north", "south")


def sites() -> dict[str, Site]:
    return {name: news_site(ARTICLES) for name in NAMES}


def write_catalogue(archive: Archive, portals: dict[str, Watched]) -> None:
    archive.write_catalogue("".join(entry(name, portal.url) for name, portal in portals.items()))


def assert_polite(portals: dict[str, Watched]) -> None:
    assert {name: portal.server.most_at_once for name, portal in portals.items()} == dict.fromkeys(portals, 1)


def asked(portals: dict[str, Watched]) -> int:
    return sum(len(portal.asked) for portal in portals.values())


def test_a_host_dies_in_mid_night_and_the_archive_is_that_of_one_machine(tmp_path: Path, dsn: str):
    alone = Archive(tmp_path / "alone")
    alone.folder.mkdir()
    with watched(sites(), seconds=0.1) as portals, hosts(tmp_path, dsn) as farm:
        write_catalogue(alone, portals)
        assert alone.crawl().exit_code == 0
        for portal in portals.values():
            portal.asked.clear()
        write_catalogue(farm.archive, portals)
        with farm.night() as night:
            first = farm.work("first", "--jobs", "1")
            until(lambda: asked(portals) > 30)
            first.kill_host()
            farm.work("second", "--jobs", "1")
            until(lambda: asked(portals) > 60)
            farm.work("first", "--jobs", "1", "--once")
            ended = night.end()
        assert ended.exit_code == 0, ended.words + farm.words
        assert_polite(portals)
        assert max(portal.longest_gap for portal in portals.values()) < 15
    assert_nothing_is_lost_or_double(farm.archive, articles=ARTICLES * len(NAMES))
    there, here = contents(alone), contents(farm.archive)
    for table in there:
        if table not in {"captures", "portals"}:  # a page may have been asked for twice
            assert here[table] == there[table], table
    assert payloads(here) == payloads(there)


def test_postgresql_goes_away_and_comes_back_and_then_a_worker_is_told_to_stop(tmp_path: Path, postgres: Postgres):
    with watched(sites(), seconds=0.2) as portals, hosts(tmp_path, postgres.database()) as farm:
        write_catalogue(farm.archive, portals)
        with farm.night() as night:
            first = farm.work("first", "--jobs", "1")
            second = farm.work("second", "--jobs", "1")
            until(lambda: "east" in first.words + second.words and asked(portals) > 20)
            again = farm.crawl()
            assert again.exit_code == 3
            assert "an earlier night still has them: east, west, north, south" in again.words
            postgres.stop(crash=True)
            until(lambda: farm.words.count("PostgreSQL is away") >= 2)
            time.sleep(4)
            postgres.start()
            until(lambda: farm.words.count("PostgreSQL is back after") >= 2)
            assert first.drain() == 0, farm.words
            assert list((tmp_path / "first").glob("xianzhi-shard-*")) == []
            ended = night.end()
            assert second.drain() == 0, farm.words
        assert ended.exit_code == 0, ended.words + farm.words
        assert "is gone" not in farm.words, "nobody was taken for dead"
        assert_polite(portals)
        assert [ended.portal(name)["new"] for name in NAMES] == [ARTICLES] * 4
    assert_nothing_is_lost_or_double(farm.archive, articles=ARTICLES * len(NAMES))


def test_the_queue_begins_a_night_by_itself_and_brings_it_home(tmp_path: Path, dsn: str):
    with watched({"east": news_site(10)}, seconds=0.01) as portals, hosts(tmp_path, dsn) as farm:
        write_catalogue(farm.archive, portals)
        place = ("--db", str(farm.archive.db), "--catalogue", str(tmp_path / "portals.toml"))
        worker = farm.work("home", "--jobs", "1", "--nightly", "* * * * *", *place)
        until(lambda: "the night has ended with exit code 0" in farm.words)
        assert worker.drain() == 0
    assert_nothing_is_lost_or_double(farm.archive, articles=10)
