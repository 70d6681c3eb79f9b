"""A package holds what was asked for and may be seen, byte for byte, and says where each capture lies in it."""

import gzip
import hashlib
import json
import os
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crawler.archive.beside import file_beside
from crawler.archive.connection import open_archive
from crawler.archive.lock import LockHeldError
from crawler.archive.packages import write_cdxj, write_wacz
from crawler.archive.selection import Selection
from crawler.archive.sink import Sink
from crawler.archive.withholding import undo, withhold
from crawler.cli.wacz import wacz as command
from crawler.records import Article, Capture, Rendering, SpamSpan
from crawler.warc.files import WarcError
from crawler.warc.reader import entries
from crawler.warc.record import RENDERING
from tests.support.archive import RUN, begin, paragraph
from tests.support.replay import needs_replay, run
from tests.support.warc import INFO, assert_both_readers_are_content, exchange

FIRST = datetime(2026, 3, 1, 2, tzinfo=UTC)
LATER = FIRST + timedelta(days=20)
SECRET = "不公开的一句话"
FILLER = "通村公路日前竣工通车，沿线群众告别了出行难。" * 20


class Nights:
    """An archive of two portals, two nights each."""

    def __init__(self, folder: Path) -> None:
        self.db, self.warc, self.out = folder / "a.db", folder / "warc", folder / "out.wacz"
        begin(open_archive(self.db), "qianxian", "zhouqu").close()
        self.sink = Sink(db=self.db, warc=self.warc, run_id=RUN, info=INFO)

    def answer(self, url: str, body: str, *, at: datetime, status: str = "200 OK", kind: Any = "article") -> Capture:
        """Record one answer with its request."""
        head = f"HTTP/1.1 {status}\r\nContent-Type: {'application/json' if body[:1] == '[' else 'text/html'}\r\n"
        block = f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()
        portal_id = url.split("/")[2].split(".")[1]
        capture = self.sink.record(
            exchange(block, url=url, started_at=at), portal_id=portal_id, kind=kind, via=f"http://www.{portal_id}.cn/"
        )
        self.sink.add_capture(capture)
        return capture

    def article(self, url: str, text: str, *, at: datetime, capture: Capture | None = None) -> None:
        """Record a page and store the article on it."""
        capture = capture or self.answer(url, f"<html><p>{text}</p>{FILLER}</html>", at=at)
        article = Article(
            capture=replace(capture, body=b""),
            encoding="utf-8",
            kind="article",
            title=f"题目：{text}",
            paragraphs=(paragraph(text), paragraph("责任编辑：秦人", role="boilerplate")),
        )
        self.sink.add_article(article, url)

    def end_night(self) -> None:
        self.sink.flush()
        for portal_id in ("qianxian", "zhouqu"):
            self.sink.close_warc(portal_id)

    def package(self, **wanted: Any) -> "Wacz":
        write_wacz(self.db, self.warc, self.out, Selection(**wanted), progress=lambda done, total: None)
        return Wacz(self.out)

    def withhold(self, url: str) -> int:
        conn = open_archive(self.db)
        [(article_id,)] = conn.execute("SELECT id FROM articles WHERE url = ?", (url,)).fetchall()
        withhold(conn, article_id, "a name")
        conn.close()
        return article_id


class Wacz:
    """A package, unpacked into memory."""

    def __init__(self, path: Path) -> None:
        with zipfile.ZipFile(path) as packed:
            self.entries = {info.filename: info for info in packed.infolist()}
            self.files = {name: packed.read(name) for name in self.entries}

    @property
    def package(self) -> dict[str, Any]:
        return json.loads(self.files["datapackage.json"])

    def pages(self, name: str = "pages") -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.files[f"pages/{name}.jsonl"].splitlines()[1:]]

    def unpack(self, folder: Path) -> Path:
        """Its WARC files, in a folder."""
        warc = folder / "unpacked"
        warc.mkdir()
        for name, data in self.files.items():
            if name.startswith("archive/"):
                (warc / name.removeprefix("archive/")).write_bytes(data)
        return warc

    def lines(self) -> list[tuple[str, str, dict[str, str]]]:
        """Key, time and fields of each line of the index."""
        return read_lines(gzip.decompress(self.files["indexes/index.cdx.gz"]))

    def captured(self) -> set[tuple[str, str]]:
        return {(fields["url"], at[:8]) for _, at, fields in self.lines()}


def read_lines(data: bytes) -> list[tuple[str, str, dict[str, str]]]:
    parts = (line.split(" ", 2) for line in data.decode().splitlines())
    return [(key, at, json.loads(fields)) for key, at, fields in parts]


A, B, LIST = "http://www.qianxian.cn/a.html", "http://www.qianxian.cn/b.html", "http://www.qianxian.cn/"
ELSEWHERE = "http://www.zhouqu.cn/a.html"


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[Nights]:
    """Two articles of one portal, of which one is edited and one is the same again; one of another portal."""
    nights = Nights(tmp_path)
    nights.answer(LIST, "<html>list</html>", at=FIRST, kind="list")
    nights.article(A, "第一段", at=FIRST)
    nights.article(B, SECRET, at=FIRST)
    nights.article(ELSEWHERE, "别处的一段", at=FIRST)
    nights.end_night()
    nights.article(A, "改过的一段", at=LATER)
    nights.article(B, SECRET, at=LATER)
    nights.article(ELSEWHERE, "别处的一段", at=LATER)
    nights.end_night()
    yield nights
    nights.sink.close()


@needs_replay
@pytest.mark.parametrize("wanted", [{}, {"portals": ("qianxian",), "first": date(2026, 3, 10)}], ids=["all", "part"])
def test_the_validator_of_wacz_accepts_a_package(nights: Nights, wanted: dict[str, Any]) -> None:
    nights.package(**wanted)
    assert "is valid" in run("wacz", "validate", "-f", nights.out, folder=nights.out.parent)


def test_the_same_archive_gives_the_same_bytes(nights: Nights) -> None:
    nights.package()
    once = nights.out.read_bytes()
    nights.package()
    assert nights.out.read_bytes() == once


def test_whole_files_go_in_as_they_are_and_nothing_is_deflated_that_a_viewer_reads_in_part(nights: Nights) -> None:
    package = nights.package()
    names = sorted(path.name for path in nights.warc.iterdir())
    assert [name for name in sorted(package.files) if name.startswith("archive/")] == [f"archive/{n}" for n in names]
    for name in names:
        assert package.files[f"archive/{name}"] == (nights.warc / name).read_bytes()
    stored = {name for name, info in package.entries.items() if info.compress_type == zipfile.ZIP_STORED}
    assert stored == {*(f"archive/{name}" for name in names), "indexes/index.cdx.gz"}


def test_every_file_is_listed_with_its_digest_and_size(nights: Nights) -> None:
    package = nights.package()
    listed = {item["path"]: item for item in package.package["resources"]}
    assert listed.keys() == package.files.keys() - {"datapackage.json", "datapackage-digest.json"}
    for path, item in listed.items():
        assert item["bytes"] == len(package.files[path])
        assert item["hash"] == f"sha256:{hashlib.sha256(package.files[path]).hexdigest()}"
    said = json.loads(package.files["datapackage-digest.json"])
    assert said["hash"] == f"sha256:{hashlib.sha256(package.files['datapackage.json']).hexdigest()}"


def assert_the_index_leads_to_records(package: Wacz) -> None:
    lines = package.lines()
    assert [line[:2] for line in lines] == sorted(line[:2] for line in lines)
    for _, at, fields in lines:
        offset, length = int(fields["offset"]), int(fields["length"])
        record = gzip.decompress(package.files[f"archive/{fields['filename']}"][offset : offset + length]).decode()
        assert f"WARC-Target-URI: {fields['url']}\r\n" in record
        assert f"WARC-Date: {at[:4]}-{at[4:6]}-{at[6:8]}T" in record
        assert ("WARC-Type: revisit" in record) == (fields["mime"] == "warc/revisit")
        assert f"WARC-Payload-Digest: {fields['digest']}\r\n" in record


def test_the_index_leads_to_the_record_of_each_capture(nights: Nights) -> None:
    package = nights.package()
    assert_the_index_leads_to_records(package)
    assert len(package.lines()) == 7
    assert [(at[:8], fields["mime"]) for _, at, fields in package.lines() if fields["url"] == B] == [
        ("20260301", "text/html"),
        ("20260321", "warc/revisit"),
    ]


@needs_replay
def test_the_index_is_the_one_that_the_indexer_of_wacz_makes(nights: Nights, tmp_path: Path) -> None:
    write_cdxj(nights.db, nights.warc, tmp_path / "ours.cdxj", Selection(), progress=lambda done, total: None)
    theirs = run("cdxj-indexer", "--sort", *sorted(nights.warc.iterdir()), folder=tmp_path)
    assert read_lines((tmp_path / "ours.cdxj").read_bytes()) == read_lines(theirs.encode())


def test_pages_are_versions_of_articles_with_what_a_reader_reads(nights: Nights) -> None:
    package = nights.package()
    assert [(page["url"], page["ts"], page["title"], page["text"]) for page in package.pages()] == [
        (A, "2026-03-01T02:00:00Z", "题目：第一段", "第一段"),
        (B, "2026-03-01T02:00:00Z", f"题目：{SECRET}", SECRET),
        (ELSEWHERE, "2026-03-01T02:00:00Z", "题目：别处的一段", "别处的一段"),
        (A, "2026-03-21T02:00:00Z", "题目：改过的一段", "改过的一段"),
    ]
    assert len({page["id"] for page in package.pages()}) == 4
    assert [(page["url"], page["title"]) for page in package.pages("extraPages")] == [(LIST, "qianxian county")]


def test_what_is_cut_as_spam_is_no_text_of_a_page(tmp_path: Path) -> None:
    nights = Nights(tmp_path)
    capture = nights.answer(A, "<html></html>", at=FIRST)
    spam = tuple(
        SpamSpan(position=0, start=start, end=start + 2, text="赌场", rule="word", score=1.0, cut=start != 6)
        for start in (2, 6, 9)
    )
    article = Article(
        capture=replace(capture, body=b""),
        encoding="utf-8",
        kind="article",
        paragraphs=(paragraph("修路赌场通车赌场了赌场。"),),
        spam=spam,
    )
    nights.sink.add_article(article, A)
    nights.end_night()
    nights.sink.close()
    assert [page["text"] for page in nights.package().pages()] == ["修路通车赌场了。"]


def test_of_a_file_that_is_not_wanted_whole_records_are_copied_as_they_are(nights: Nights, tmp_path: Path) -> None:
    package = nights.package(first=date(2026, 3, 10), portals=("qianxian",))
    # The revisit of B is of the second night, and what it stands for of the first.
    assert package.captured() == {(A, "20260321"), (B, "20260321"), (B, "20260301")}
    assert_the_index_leads_to_records(package)
    warc = package.unpack(tmp_path)
    part, whole = sorted(warc.iterdir(), key=lambda path: path.name.endswith("-part.warc.gz"), reverse=True)
    for file in (part, whole):
        assert_both_readers_are_content(file)
    assert (nights.warc / whole.name).read_bytes() == whole.read_bytes()
    original = nights.warc / part.name.replace("-part", "")
    kinds = [record["warc-type"] for record in headers(part)]
    assert kinds == ["warcinfo", "response", "request", "metadata"]
    assert {record["warc-record-id"] for record in headers(part)} <= {
        record["warc-record-id"] for record in headers(original)
    }
    assert [page["text"] for page in package.pages()] == [SECRET, "改过的一段"]
    assert "even where it is older" in package.package["description"]


def headers(path: Path) -> list[dict[str, str]]:
    records = []
    data, at = path.read_bytes(), 0
    while at < len(data):
        inflate = zlib.decompressobj(wbits=31)
        head = inflate.decompress(data[at:]).split(b"\r\n\r\n")[0].decode()
        at = len(data) - len(inflate.unused_data)
        fields = (line.partition(": ") for line in head.splitlines()[1:])
        records.append({name.lower(): value for name, _, value in fields})
    return records


def test_days_are_those_of_the_captures_both_ends_included(nights: Nights) -> None:
    assert nights.package(last=date(2026, 3, 1)).captured() == {
        (LIST, "20260301"), (A, "20260301"), (B, "20260301"), (ELSEWHERE, "20260301"),
    }  # fmt: skip
    assert (A, "20260321") in nights.package(first=date(2026, 3, 21), last=date(2026, 3, 21)).captured()


def everything_in(package: Wacz, folder: Path) -> str:
    warc = package.unpack(folder)
    inflated = b"".join(gzip.decompress(path.read_bytes()) for path in warc.iterdir())
    return (b"".join(package.files.values()) + inflated).decode("utf-8", "replace")


def test_nothing_of_what_is_withheld_is_in_a_package(nights: Nights, tmp_path: Path) -> None:
    article_id = nights.withhold(B)
    package = nights.package()
    words = everything_in(package, tmp_path)
    assert SECRET not in words
    assert B not in words
    assert len(package.lines()) == 5
    assert_the_index_leads_to_records(package)
    assert "1 article is withheld" in package.package["description"]
    conn = open_archive(nights.db)
    undo(conn, article_id)
    conn.close()
    assert len(nights.package().lines()) == 7


def test_what_a_page_of_a_withheld_article_was_drawn_from_is_withheld_too(tmp_path: Path) -> None:
    nights = Nights(tmp_path)
    shell = nights.answer(A, "<html><script src=a.js></script></html>", at=FIRST, kind="other")
    nights.answer("http://www.qianxian.cn/api?id=1", f'["{SECRET}"]', at=FIRST, kind="other")
    drawn = nights.sink.record_rendering(
        Rendering(url=A, drawn_at=FIRST, html=f"<html><p>{SECRET}</p></html>".encode()),
        shell.record,
        portal_id="qianxian",
        kind="article",
    )
    nights.sink.add_capture(drawn)
    nights.article(A, SECRET, at=FIRST, capture=drawn)
    nights.article(ELSEWHERE, "别处的一段", at=FIRST)
    nights.end_night()
    nights.sink.close()

    package = nights.package()
    assert {fields["url"] for _, _, fields in package.lines()} == {
        A, "http://www.qianxian.cn/api?id=1", RENDERING + A, ELSEWHERE,
    }  # fmt: skip
    assert [page["url"] for page in package.pages()] == [A, ELSEWHERE]

    nights.withhold(A)
    package = nights.package()
    assert SECRET not in everything_in(package, tmp_path)
    assert {fields["url"] for _, _, fields in package.lines()} == {ELSEWHERE}


def test_of_an_answer_304_only_the_index_alone_has_a_line_and_it_leads_to_the_original(tmp_path: Path) -> None:
    nights = Nights(tmp_path)
    nights.answer(A, f"<html>{FILLER}</html>", at=FIRST)
    nights.end_night()
    conn = open_archive(nights.db)
    [original] = conn.execute("SELECT id, warc_file, warc_offset FROM captures").fetchall()
    nights.answer(A, "", at=LATER, status="304 Not Modified")
    nights.end_night()
    conn.execute("UPDATE captures SET revisit_of = ? WHERE status = 304", (original[0],))
    conn.close()
    nights.sink.close()

    assert nights.package().captured() == {(A, "20260301")}
    write_cdxj(nights.db, nights.warc, nights.out, Selection(), progress=lambda done, total: None)
    first, again = read_lines(nights.out.read_bytes())
    assert (first[1][:8], again[1][:8]) == ("20260301", "20260321")
    assert first[2] == again[2]
    assert (again[2]["filename"], int(again[2]["offset"])) == original[1:]


def test_a_crawl_that_is_writing_gives_its_records_that_have_rows(nights: Nights) -> None:
    nights.article("http://www.qianxian.cn/new.html", "新的一段", at=LATER)
    nights.sink.flush()
    nights.answer("http://www.qianxian.cn/no-row-yet.html", "<html></html>", at=LATER)
    assert list(nights.warc.glob("*.open"))
    package = nights.package()
    assert ("http://www.qianxian.cn/new.html", "20260321") in package.captured()
    assert "no-row-yet" not in {fields["url"] for _, _, fields in package.lines()}
    assert_the_index_leads_to_records(package)


def test_of_a_plain_file_records_are_copied_too(nights: Nights, tmp_path: Path) -> None:
    """As an import may have brought one, its requests before their responses."""
    file = min(nights.warc.glob("*qianxian*"))
    plain = nights.warc / "old.warc"
    info, *records = gzip.decompress(file.read_bytes()).split(b"WARC/1.1\r\n")[1:]
    swapped = [info, *(records[n + step] for n in range(0, len(records), 3) for step in (1, 0, 2))]
    plain.write_bytes(b"".join(b"WARC/1.1\r\n" + record for record in swapped))
    conn = open_archive(nights.db)
    for entry in entries(plain):
        if entry.kind == "response":
            conn.execute(
                "UPDATE captures SET warc_file = ?, warc_offset = ?, warc_length = ? WHERE warc_file = ? AND url = ?",
                (plain.name, entry.ref.offset, entry.ref.length, file.name, entry.url),
            )
    conn.close()
    nights.withhold(A)
    package = nights.package()
    copy = package.unpack(tmp_path) / "old-part.warc"
    assert_both_readers_are_content(copy)
    kinds = [(entry.kind, entry.url) for entry in entries(copy)]
    assert kinds[0][0] == "warcinfo"
    assert {url for _, url in kinds[1:]} == {LIST, B}
    assert [kind for kind, _ in kinds[1:]] == ["request", "response", "metadata"] * 2
    assert {fields["url"] for _, _, fields in package.lines() if fields["filename"] == copy.name} == {LIST, B}


def test_bytes_that_a_crash_left_between_records_are_not_packaged(nights: Nights, tmp_path: Path) -> None:
    file = min(nights.warc.glob("*qianxian*"))
    conn = open_archive(nights.db)
    conn.execute("DELETE FROM version_sections")
    [(first, second)] = conn.execute(
        "SELECT min(warc_offset), max(warc_offset) FROM captures WHERE warc_file = ?", (file.name,)
    ).fetchall()
    conn.close()
    data = file.read_bytes()
    request = data.index(b"\x1f\x8b", first + 100)
    file.write_bytes(data[:request] + b"\0" * (second - request) + data[second:])
    nights.withhold(A)  # so that the file is not copied whole
    package = nights.package()
    assert_both_readers_are_content(min(package.unpack(tmp_path).glob("*qianxian*-part*")))


def test_a_missing_file_is_named_and_the_package_before_it_stays(nights: Nights) -> None:
    nights.package()
    before = nights.out.read_bytes()
    gone = min(nights.warc.iterdir())
    gone.unlink()
    with pytest.raises(WarcError, match=gone.name):
        nights.package()
    assert nights.out.read_bytes() == before
    assert sorted(path.name for path in nights.out.parent.iterdir() if "out" in path.name) == ["out.wacz"]


def test_a_row_that_points_at_no_capture_is_an_error_that_names_the_place(nights: Nights) -> None:
    conn = open_archive(nights.db)
    conn.execute("UPDATE captures SET warc_offset = warc_offset + 1 WHERE url = ? AND revisit_of IS NULL", (B,))
    conn.close()
    with pytest.raises(WarcError, match=r"qianxian.*at byte \d+"):
        nights.package()


def test_the_command_says_what_it_wrote_and_what_was_wrong(nights: Nights) -> None:
    def xianzhi(*options: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(command, [str(nights.out), "--db", str(nights.db), *options])
        return result.exit_code, result.stdout, result.stderr

    code, printed, words = xianzhi("--json", "--portal", "qianxian")
    assert code == 0
    said = json.loads(printed)
    assert said["bytes"] == nights.out.stat().st_size
    assert (said["contents"]["captures"], said["files"], said["articles"]) == (5, 2, 3)
    assert "captures 5, portals 1, WARC files 2, versions of articles 3" in words
    assert xianzhi("--portal", "nowhere")[0] == 2
    assert xianzhi("--to", "2020-01-01")[0] == 2
    code, _, words = xianzhi("--warc", str(nights.out.parent / "nothing"))
    assert code == 1
    assert "no such WARC file" in words
    assert xianzhi("--index-only")[0] == 0
    assert read_lines(nights.out.read_bytes())
    assert xianzhi()[0] == 0


@pytest.mark.parametrize("index_only", [False, True], ids=["package", "index"])
@pytest.mark.parametrize("named", ["archive", "a WARC file", "a pipe", "nowhere"])
def test_what_is_no_package_is_never_written_over(nights: Nights, named: str, index_only: bool) -> None:
    outs = {
        "archive": nights.db,
        "a WARC file": min(nights.warc.iterdir()),
        "a pipe": nights.out.with_name("pipe"),
        "nowhere": nights.warc / "nothing" / "out.wacz",
    }
    os.mkfifo(outs["a pipe"])
    before = {path: path.read_bytes() for path in (nights.db, *nights.warc.iterdir())}
    options = [str(outs[named]), "--db", str(nights.db), "--warc", str(nights.warc)]
    result = CliRunner().invoke(command, [*options, *(["--index-only"] if index_only else [])])
    assert result.exit_code == 2
    assert str(outs[named]) in result.stderr
    assert all(path.read_bytes() == data for path, data in before.items())
    assert outs["a pipe"].is_fifo()


def test_two_processes_do_not_write_the_same_package(nights: Nights) -> None:
    with file_beside(nights.out), pytest.raises(LockHeldError, match=nights.out.name):
        nights.package()


def test_files_are_not_held_in_memory(tmp_path: Path) -> None:
    nights = Nights(tmp_path)
    for number in range(60):
        noise = hashlib.shake_128(bytes([number])).hexdigest(250_000)
        nights.answer(f"http://www.qianxian.cn/{number}.html", noise, at=FIRST)
    nights.end_night()
    nights.sink.close()
    tracemalloc.start()
    try:
        write_wacz(nights.db, nights.warc, nights.out, Selection(), progress=lambda done, total: None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert nights.out.stat().st_size > 14_000_000
    assert peak < 4_000_000
