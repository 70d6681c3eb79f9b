"""``xianzhi extract``: files, folders and standard input to JSON, a line a page."""

import json
import shutil
from pathlib import Path

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


def test_a_page_that_cannot_be_read_is_named_and_the_others_are_done(tmp_path: Path) -> None:
    code, pages = run(str(tmp_path / "gone.html"), str(PAGES / "traditional.html"))
    assert code == 1
    assert list(pages[0]) == ["file", "error"]
    assert "gone.html" in str(pages[0]["error"])
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
