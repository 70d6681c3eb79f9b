"""Real pages, crawled from loopback: every article has its row with text."""

from pathlib import Path

import pytest

from tests.corpus_portals import crawl_corpus, missing
from tests.support.crawling import Archive
from tests.support.evidence import assert_both_readers_read_all, assert_rows_and_bytes_agree


@pytest.fixture(scope="module")
def corpus(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, list[dict[str, object]]]:
    archive = Archive(tmp_path_factory.mktemp("corpus"))
    portals = crawl_corpus(archive, shared / "corpus")
    return archive, [page for pages in portals.values() for page in pages]


def test_every_real_article_has_its_row_with_text(corpus: tuple[Archive, list[dict[str, object]]]) -> None:
    archive, pages = corpus
    assert missing(archive, pages) == []


def test_real_pages_lie_in_the_archive_as_they_were_sent(corpus: tuple[Archive, list[dict[str, object]]]) -> None:
    archive, pages = corpus
    assert assert_rows_and_bytes_agree(archive) > len(pages)
    assert_both_readers_read_all(archive)
