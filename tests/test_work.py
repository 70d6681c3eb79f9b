"""A crawl on several hosts: the same archive, whatever dies."""

from pathlib import Path

from crawler.demo.server import serve
from tests.support.crawling import entry, news_site
from tests.support.hosts import hosts


def test_a_night_on_two_workers_is_the_night_of_one_machine(tmp_path: Path, dsn: str):
    sites = {name: news_site(25) for name in ("east", "west", "north")}
    with serve(sites) as urls, hosts(tmp_path, dsn) as farm:
        farm.archive.write_catalogue("".join(entry(name, url) for name, url in urls.items()))
        farm.work("one", "--jobs", "1")
        farm.work("two", "--jobs", "1")
        with farm.night() as running:
            night = running.end()
        print(night.words, farm.words)
        assert night.exit_code == 0, night.words + farm.words
    assert farm.archive.one("SELECT count(*) FROM articles") == 75
