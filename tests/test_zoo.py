"""Every CMS family: every planted article is found, once, with the list's title and day; a quiet night costs little."""

import importlib
import pkgutil
from pathlib import Path

import pytest

import spiders
import tests.zoo
from crawler.demo.server import serve
from tests.support.crawling import Archive
from tests.zoo import ZooPortal

NO_FAMILY = {"base", "listing", "pagers"}
FAMILIES = sorted(module.name for module in pkgutil.iter_modules(spiders.__path__) if module.name not in NO_FAMILY)
SAMPLES = {module.name for module in pkgutil.iter_modules(tests.zoo.__path__)}


def portals() -> list[ZooPortal]:
    return [portal for name in sorted(SAMPLES) for portal in importlib.import_module(f"tests.zoo.{name}").portals()]


def test_every_family_has_its_sample_portal() -> None:
    assert set(FAMILIES) <= SAMPLES


@pytest.mark.parametrize("portal", portals(), ids=lambda portal: portal.name)
def test_every_planted_article_is_found_once_with_title_and_day(portal: ZooPortal, tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    with serve({portal.name: portal.site}) as urls:
        base = urls[portal.name]
        lists = ", ".join(f'"{base}{path}"' for path in portal.lists)
        lines = [
            "[[portal]]", f'id = "{portal.name}"', 'name = "柳溪县人民政府"', 'division = "610000"',
            f'homepage = "{base}/"', f"lists = [{lists}]", f'cms = "{portal.family}"', "delay = 0",
            *(line.replace("{base}", base) for line in portal.entry),
        ]  # fmt: skip
        archive.write_catalogue("\n".join(lines) + "\n")
        first = archive.crawl("--jobs", "1")
        assert first.exit_code == 0, first.words
        stored = {
            url.removeprefix(base): (title, (published or "")[:10], body)
            for url, title, published, body in archive.query(
                "SELECT url, title, published, body FROM articles JOIN article_texts ON article_id = id"
            )
        }
        assert sorted(stored) == sorted(article.path for article in portal.planted)
        for article in portal.planted:
            title, day, body = stored[article.path]
            assert (title, day, article.text in body) == (article.title, article.day, True), article.path
        portal.site.hits.clear()
        second = archive.crawl("--jobs", "1")
        assert second.exit_code == 0, second.words
        assert second.portal(portal.name)["new"] == 0
        assert portal.site.hits.total() <= portal.quiet_requests
