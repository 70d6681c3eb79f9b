"""The demo, crawled: what the archive holds is what was written."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from crawler.cli.demo import demo
from crawler.demo.portals import catalogue_toml, render, sites
from crawler.demo.server import serve
from crawler.demo.stories import edited, load, visited
from crawler.demo.truth import Expected, expected
from tests.support.crawling import Archive
from tests.support.evidence import (
    assert_both_readers_read_all,
    assert_no_response_lacks_a_row,
    assert_rows_and_bytes_agree,
)

FIELDS = "id, title, published, source, author, editor, version_id"


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The demo portals after one night."""
    archive = Archive(tmp_path_factory.mktemp("demo"))
    with serve(sites()) as urls:
        archive.write_catalogue(catalogue_toml(urls))
        night = archive.crawl()
    assert night.exit_code == 0, night.words
    return archive


def row_of(archive: Archive, story: Expected) -> dict[str, object]:
    rows = archive.query(
        f"SELECT {FIELDS} FROM articles WHERE portal_id = ? AND url LIKE ?", story.portal_id, f"%{story.path}"
    )
    assert len(rows) == 1, story.path
    return dict(zip(FIELDS.split(", "), rows[0], strict=True))


@pytest.mark.parametrize("story", expected(), ids=lambda story: f"{story.portal_id}-{story.id}")
def test_an_article_is_stored_as_it_was_written(crawled: Archive, story: Expected) -> None:
    row = row_of(crawled, story)
    assert row["title"] == story.title
    assert row["published"] == story.published
    assert row["source"] == story.source
    assert row["editor"] == story.editor
    reading = crawled.one("SELECT body FROM article_texts WHERE article_id = ?", row["id"])
    assert reading == story.reading_text


@pytest.mark.parametrize(
    "story", [s for s in expected() if s.author], ids=lambda story: f"{story.portal_id}-{story.id}"
)
def test_an_author_is_found(crawled: Archive, story: Expected) -> None:
    assert row_of(crawled, story)["author"] == story.author


def test_nothing_but_the_written_articles_is_stored(crawled: Archive) -> None:
    assert crawled.one("SELECT count(*) FROM articles") == len(expected())


def test_the_body_that_is_printed_twice_is_read_once_and_kept_twice(crawled: Archive) -> None:
    rows = crawled.query(
        "SELECT role, count(*) FROM version_sections JOIN articles USING (version_id) WHERE url LIKE '%/123.html' GROUP BY role"
    )
    assert dict(rows)["repeat"] > 0


def test_a_paragraph_that_two_counties_print_is_stored_once(crawled: Archive) -> None:
    shared = crawled.query(
        "SELECT section_id FROM version_sections JOIN articles USING (version_id)"
        " GROUP BY section_id HAVING count(DISTINCT portal_id) > 1"
    )
    assert shared  # the reprint, across Simplified and Traditional


def test_every_row_and_every_byte_of_the_night_agree(crawled: Archive) -> None:
    assert assert_rows_and_bytes_agree(crawled) > len(expected())
    assert_no_response_lacks_a_row(crawled)
    assert_both_readers_read_all(crawled)


def test_a_moved_counter_is_no_version_and_an_edited_sentence_is_one(tmp_path: Path) -> None:
    archive, shown = Archive(tmp_path), sites()
    with serve(shown) as urls:
        archive.write_catalogue(catalogue_toml(urls))
        archive.crawl()
        story = expected([load("qinglan")])[0]
        body = "\n\n".join([*story.paragraphs, "县里随后又补充了一条说明：此项工作将在年底前全部完成。"])
        shown["qinglan"].publish(render(visited(edited(load("qinglan"), story.id, body=body))))
        shown["shuyuan"].publish(render(visited(load("shuyuan"))))
        night = archive.crawl("--full")
    assert night.portal("qinglan")["changed"] == 1
    assert night.portal("shuyuan")["changed"] == 0
    assert archive.one("SELECT count(*) FROM versions") == len(expected()) + 1


def test_the_command_demo_tells_a_folder_that_cannot_be_used_from_a_port(tmp_path: Path) -> None:
    (tmp_path / "archive.db.lock").mkdir()
    with socket.create_server(("127.0.11.1", 0)) as free:
        port = str(free.getsockname()[1])
    done = CliRunner().invoke(demo, ["--db", str(tmp_path / "archive.db"), "--port", port])
    assert isinstance(done.exception, IsADirectoryError)


def test_the_command_demo_says_how_to_browse_and_a_second_one_finds_nothing_new(tmp_path: Path) -> None:
    with socket.create_server(("127.0.11.1", 0)) as free:
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "crawler", "demo", "--db", str(tmp_path / "archive.db"), "--port", port, "--json"]
    nights = [subprocess.run(command, capture_output=True, text=True, timeout=60, check=True) for _ in range(2)]
    assert "xianzhi serve" in nights[0].stderr
    new = [sum(portal["new"] for portal in json.loads(night.stdout)["portals"]) for night in nights]
    assert new == [len(expected()), 0]
