"""Every CMS family: every planted article is found, once, with the list's title and day; a quiet night costs little."""

from pathlib import Path

import pytest
from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader

from crawler.settings import SPIDER_MODULES
from tests import zoo
from tests.support.nights import two_nights
from tests.zoo import ZooPortal


def test_every_family_has_its_sample_portal() -> None:
    families = SpiderLoader.from_settings(Settings({"SPIDER_MODULES": SPIDER_MODULES})).list()
    assert set(families) <= {portal.family for portal in zoo.portals()}


@pytest.mark.parametrize("portal", zoo.portals(), ids=lambda portal: portal.name)
def test_every_planted_article_is_found_once_with_title_and_day(portal: ZooPortal, tmp_path: Path) -> None:
    nights = two_nights(portal, tmp_path)
    assert nights.first.crawled.exit_code == 0, nights.first.crawled.words
    assert sorted(path for path, *_ in nights.stored) == sorted(article.path for article in portal.planted)
    stored = {path: rest for path, *rest in nights.stored}
    for article in portal.planted:
        title, day, body = stored[article.path]
        assert (title, day, article.text in body) == (article.title, article.day, True), article.path
    assert nights.quiet.crawled.exit_code == 0, nights.quiet.crawled.words
    assert nights.quiet.crawled.portal(portal.name)["new"] == 0
    assert nights.quiet.requests <= portal.quiet_requests
