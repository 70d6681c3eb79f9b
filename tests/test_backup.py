"""A copy made while a crawl runs, in the order of docs/operations.md, is an archive that can be verified and go on."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crawler.catalogue import load
from crawler.demo.server import serve
from crawler.importing.work import Import
from tests.conftest import ROOT
from tests.support.crawling import Archive, article_page, entry, news_site, text_of
from tests.support.evidence import assert_both_readers_read_all, assert_nothing_is_lost_or_double
from tests.support.verified import findings
from tests.test_verify import xianzhi

ARTICLES = 40
SQLITE = "import sqlite3, sys\nsqlite3.connect(sys.argv[1]).execute(sys.argv[2])\n"
"""The shell of SQLite, which not every machine has."""


def back_up(archive: Archive, folder: Path) -> Archive:
    """Run the script of docs/operations.md, to the letter but for the names."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    script = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)[0]
    assert "to=/backup/xianzhi\n" in script
    script = script.replace("/backup/xianzhi", str(folder)).replace("archive.db", archive.db.name)
    tools = folder.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "sqlite3").write_text(f"#!{sys.executable}\n{SQLITE}", encoding="utf-8")
    (tools / "sqlite3").chmod(0o755)
    subprocess.run(
        ["bash", "-c", script],
        cwd=archive.folder,
        env={"PATH": f"{tools}:{os.environ['PATH']}"},
        timeout=60,
        check=True,
    )
    return Archive(folder)


@pytest.fixture
def crawling(tmp_path: Path):
    """An archive of one finished night, and a second one under way, when some of its articles are there."""
    archive, site = Archive(tmp_path / "archive"), news_site(ARTICLES)
    archive.folder.mkdir()
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        assert archive.crawl("--max-articles", "10").exit_code == 0
        process = archive.start("--delay", "0.12")
        while archive.one("SELECT count(*) FROM articles") < 15:
            time.sleep(0.05)
        yield archive
        process.communicate(timeout=60)
        assert process.returncode == 0


def test_a_copy_made_while_a_crawl_runs_verifies_and_goes_on(crawling: Archive, tmp_path: Path) -> None:
    copy = back_up(crawling, tmp_path / "copy")
    assert len(list(copy.warc.glob("*.open"))) == 1
    done = xianzhi(copy, "--repair")
    assert done.returncode == 0, done.stdout
    assert "a crash left it open" in done.stdout
    assert findings(copy) == []
    assert 15 <= copy.one("SELECT count(*) FROM articles") < ARTICLES
    shutil.copy(crawling.folder / "portals.toml", copy.folder)
    assert copy.crawl().exit_code == 0
    assert_nothing_is_lost_or_double(copy, articles=ARTICLES)
    assert_both_readers_read_all(copy)
    assert findings(copy) == []


def test_the_next_copy_takes_only_what_is_new(crawling: Archive, tmp_path: Path) -> None:
    copy = back_up(crawling, tmp_path / "copy")
    finished = {path: path.stat().st_mtime_ns for path in copy.warc.glob("*.warc.gz")}
    assert finished
    while crawling.one("SELECT count(*) FROM manifests") < 2:
        time.sleep(0.1)
    back_up(crawling, copy.folder)
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert list(copy.warc.glob("*.open")) == []
    assert xianzhi(copy, "--repair").returncode == 0
    assert copy.one("SELECT count(*) FROM articles") == ARTICLES


def test_nights_that_an_older_copy_of_the_database_does_not_know_are_read_from_their_files(tmp_path: Path) -> None:
    archive, site = Archive(tmp_path), news_site(3)
    told = "SELECT url, seen_at, versions.title, text_sha256 FROM versions JOIN articles ON articles.id = article_id"
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        assert archive.crawl("--jobs", "1").exit_code == 0
        older = archive.db.read_bytes()
        for path, page in news_site(4).pages.items():
            site.replace(path, page)
        site.replace("/news/2021/101.html", article_page("改过的题目在这里", text_of(1)))
        assert archive.crawl("--jobs", "1", "--full").exit_code == 0
    known = sorted(archive.query(told))
    assert len(known) == 5
    archive.db.write_bytes(older)
    [portal] = load(archive.folder / "portals.toml")
    Import(sorted(archive.warc.iterdir()), portal, db=archive.db, warc=archive.warc)()
    assert sorted(archive.query(told)) == known
    assert findings(archive) == []
