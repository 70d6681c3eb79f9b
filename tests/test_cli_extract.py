"""``xianzhi extract``: files, folders and standard input to JSON, a line a page."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crawler.cli.extract import extract

PAGES = Path(__file__).parent / "pages"
KEYS = [
    "file",
    "url",
    "encoding",
    "kind",
    "title",
    "published",
    "published_basis",
    "meta_published",
    "source",
    "author",
    "editor",
    "column",
    "site_name",
    "site_id",
    "division",
    "body",
    "removed",
    "attachments",
    "images",
]


def run(*arguments: str, stdin: bytes | None = None) -> tuple[int, list[dict[str, object]]]:
    result = CliRunner().invoke(extract, list(arguments), input=stdin)
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def test_every_key_is_there_in_the_contracts_order() -> None:
    code, (page,) = run(str(PAGES / "challenge.html"))
    assert code == 0
    assert list(page) == KEYS


def test_a_folder_stands_for_every_page_below_it_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("c.html", "b/a.html", "a.html"):
        shutil.copy(PAGES / "traditional.html", tmp_path / name)
    (tmp_path / "note.txt").write_text("x")
    code, pages = run(str(tmp_path), "--jobs", "2")
    assert code == 0
    assert [page["file"] for page in pages] == [str(tmp_path / name) for name in ("a.html", "b/a.html", "c.html")]


def test_standard_input_is_a_dash() -> None:
    code, (page,) = run("-", stdin=(PAGES / "table_layout_gbk.html").read_bytes())
    assert (code, page["file"], page["encoding"]) == (0, "-", "gb18030")


@pytest.mark.parametrize("name", ["gone.html", ""])
def test_a_page_that_cannot_be_read_is_named_and_the_others_are_done(name: str) -> None:
    code, pages = run(name, str(PAGES / "traditional.html"))
    assert code == 1
    assert list(pages[0]) == ["file", "error"]
    assert (pages[0]["file"], str(pages[0]["error"]).partition(":")[0]) == (name, name)
    assert pages[1]["kind"] == "article"


def test_the_address_completes_links() -> None:
    _, (page,) = run(str(PAGES / "notice_with_files.html"), "--url", "http://a.example/b/c.html")
    assert page["url"] == "http://a.example/b/c.html"
    assert page["attachments"][0]["url"] == "http://a.example/files/2023/zhishu.docx"  # type: ignore[index]


def test_the_output_drives_no_terminal(tmp_path: Path) -> None:
    page = tmp_path / "x.html"
    page.write_text(
        "<title>\x1b[31m\u202e题目\x9b31m</title><p>" + "正文内容，足够长。" * 20 + "</p>", encoding="utf-8"
    )
    out = CliRunner().invoke(extract, [str(page)]).stdout
    assert not any(char in out for char in "\x1b\u202e\x9b")
    assert "题目" in json.loads(out)["title"]


def start(*arguments: str, **more: Any) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "crawler", "extract", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True, **more)


@pytest.mark.parametrize("encoding", ["gbk", "latin-1"])
def test_a_terminal_that_lacks_characters_gets_the_same_values(tmp_path: Path, encoding: str) -> None:
    page = tmp_path / "县.html"
    page.write_text("<title>😀 ä 题目</title><p>" + "正文内容，足够长。" * 20 + "</p>", encoding="utf-8")
    extraction = start(str(page), stdout=subprocess.PIPE, env={**os.environ, "PYTHONIOENCODING": encoding})
    out, errors = extraction.communicate(timeout=30)
    assert (extraction.returncode, errors) == (0, b"")
    assert json.loads(out.decode(encoding)) == run(str(page))[1][0]


def test_an_output_that_is_full_and_an_input_that_is_closed_are_told_in_words() -> None:
    with Path("/dev/full").open("wb") as full:
        extraction = start(str(PAGES / "traditional.html"), stdout=full)
        _, errors = extraction.communicate(timeout=30)
    assert extraction.returncode == 1
    assert errors.startswith(b"xianzhi: ")
    extraction = start("-", stdout=subprocess.PIPE, preexec_fn=lambda: os.close(0))
    out, errors = extraction.communicate(timeout=30)
    assert (extraction.returncode, errors) == (1, b"")
    assert json.loads(out)["file"] == "-"


def test_ctrl_c_ends_all_processes_quietly(tmp_path: Path) -> None:
    for number in range(400):
        shutil.copy(PAGES / "trs_with_tags.html", tmp_path / f"{number}.html")
    extraction = start(str(tmp_path), "--jobs", "2", stdout=subprocess.PIPE)
    assert extraction.stdout is not None
    extraction.stdout.readline()
    os.killpg(extraction.pid, signal.SIGINT)  # as a terminal does
    _, errors = extraction.communicate(timeout=30)  # which the last process ends that holds the pipe
    assert (extraction.returncode, errors) == (130, b"xianzhi: interrupted\n")
