"""A small archive with a history, and what a verification says of it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crawler.archive.findings import Finding
from crawler.demo.server import serve
from crawler.demo.site import Response
from crawler.verify.verification import verify
from tests.support.crawling import Archive, article_page, entry, news_site, text_of, title_of

ARTICLES = 12


def path_of(number: int) -> str:
    return f"/news/2021/{100 + number}.html"


def two_nights(folder: Path) -> Archive:
    """Twelve articles; in the second night one is edited, one gone, the others unchanged, half of them as chunks."""
    archive, site = Archive(folder), news_site(ARTICLES)
    for number in range(0, ARTICLES, 2):
        page = site.pages[path_of(number)]
        site.replace(path_of(number), Response(headers=page.headers, body=page.body * 2, chunked=True))
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        assert archive.crawl("--jobs", "1").exit_code == 0
        site.replace(path_of(3), article_page(title_of(3), text_of(3).replace("两个月", "三个月")))
        site.remove(path_of(5))
        assert archive.crawl("--jobs", "1", "--full").exit_code == 0
    return archive


def findings(archive: Archive, *, jobs: int = 1) -> list[Finding]:
    return list(verify(db=archive.db, warc=archive.warc, jobs=jobs, restart=True).findings)


def kinds(found: list[Finding]) -> set[str]:
    return {finding.kind for finding in found}


@contextmanager
def changing(archive: Archive) -> Iterator[sqlite3.Connection]:
    """The database as somebody with a tool of his own writes to it, foreign keys unheeded."""
    conn = sqlite3.connect(archive.db)
    try:
        with conn:
            yield conn
    finally:
        conn.close()


def files(archive: Archive) -> list[Path]:
    return sorted(archive.warc.glob("*.warc.gz"))
