"""Files and pictures of articles: what is fetched, what it is stored as, and what is never asked for twice."""

import gzip
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from crawler.archive.connection import open_archive
from crawler.archive.recovery import recover
from crawler.demo.server import serve
from crawler.demo.site import Asked, Response, Site
from crawler.records import RecordRef
from crawler.warc.reader import read_capture
from tests.support.crawling import HTML, Archive, entry
from tests.support.evidence import (
    assert_both_readers_read_all,
    assert_no_response_lacks_a_row,
    assert_rows_and_bytes_agree,
)

PDF = Response(headers=(("Content-Type", "application/pdf"),), body=b"%PDF-1.4 " + bytes(range(256)) * 8)
JPEG = Response(headers=(("Content-Type", "image/jpeg"),), body=b"\xff\xd8\xff\xe0" + bytes(range(255, -1, -1)) * 8)
XLS = Response(
    headers=(
        ("Content-Type", "application/vnd.ms-excel"),
        ("Content-Disposition", "attachment; filename*=UTF-8''%E5%90%8D%E5%8D%95.xls"),
    ),
    body=b"<html xmlns:x='urn:schemas-microsoft-com:office:excel'><table><tr><td>1</td></tr></table></html>" * 9,
)
SOFT_404 = Response(headers=HTML, body="<html><body><p>您访问的页面不存在</p></body></html>".encode())
CHINESE = "/附件/2021年名单.xls"


def article(title: str, *markup: str) -> Response:
    text = (
        f"{title}。经过两个月的紧张施工，柳溪县的通村公路日前竣工通车，沿线二百户群众告别了出行难，还将安装路灯三十盏。"
    )
    body = (
        f"<html><head><title>{title}</title></head><body><h1>{title}</h1><p>发布时间：2021-05-06　来源：柳溪县融媒体中心</p>"
        f'<div class="content"><p>{text}</p>{"".join(f"<p>{each}</p>" for each in markup)}</div></body></html>'
    )
    return Response(headers=HTML, body=body.encode())


def file(path: str, title: str = "附件") -> str:
    return f'<a href="{path}">{title}</a>'


def picture(path: str) -> str:
    return f'<img src="{path}">'


def a_list(count: int) -> Response:
    items = "".join(
        f'<li><a href="/news/2021/{n}.html">柳溪县第{n}村修通了通村公路</a><span>2021-05-06</span></li>'
        for n in range(count)
    )
    return Response(headers=HTML, body=f"<html><body><ul>{items}</ul></body></html>".encode())


def county(*articles: Response, **files: Response) -> dict[str, Response]:
    pages = {f"/news/2021/{number}.html": page for number, page in enumerate(articles)}
    return {"/news/": a_list(len(articles)), **pages, **files}


class County:
    """A portal, its archive, and what it was asked for."""

    def __init__(self, folder: Path, site: Site, base: str) -> None:
        self.archive, self.site, self.base = Archive(folder), site, base
        self.archive.write_catalogue(entry("liuxi", base, "media = true"))
        self.headers: list[dict[str, str]] = []
        self.asked: list[str] = []
        site.script = self._hear

    def _hear(self, asked: Asked) -> None:
        self.headers.append(dict(asked.headers))
        self.asked.append(asked.path)

    def night(self, *options: str, expected: int = 0) -> dict:
        self.asked.clear()
        crawled = self.archive.crawl("--jobs", "1", *options)
        assert crawled.exit_code == expected, crawled.words
        return crawled.portal("liuxi")

    def media_asked(self) -> list[str]:
        return [path for path in self.asked if not path.startswith("/news/") and path != "/robots.txt"]

    def links(self, table: str) -> dict[str, int | None]:
        """Path → capture, of every row; the same path twice has the same capture."""
        rows = self.archive.query(f"SELECT url, capture_id FROM {table}")
        assert len({url for url, _ in rows}) == len(set(rows))
        return {url.removeprefix(self.base): capture for url, capture in rows}

    def body(self, capture_id: int) -> bytes:
        sql = "SELECT warc_file, warc_offset, warc_length FROM captures WHERE id = ?"
        [place] = self.archive.query(sql, capture_id)
        of = self.archive.query(
            sql.replace("id = ?", "id = (SELECT revisit_of FROM captures WHERE id = ?)"), capture_id
        )
        refs = [RecordRef(file=file, offset=offset, length=length) for file, offset, length in [place, *of]]
        return read_capture(self.archive.warc, *refs).entity

    def reason(self, path: str) -> str | None:
        return self.archive.one("SELECT reason FROM frontier WHERE key = ?", f"{self.base}{path}#media")


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[County]:
    site = Site({})
    with serve({"liuxi": site}) as urls:
        yield County(tmp_path, site, urls["liuxi"])


def publish(portal: County, *articles: Response, files: dict[str, Response]) -> None:
    portal.site.publish({**county(*articles), **files})


def test_files_and_pictures_are_archived_as_they_came_and_their_rows_point_at_them(portal: County) -> None:
    publish(
        portal,
        article("公路", file("/files/a.pdf"), file(CHINESE, "名单"), picture("/pictures/1.jpg")),
        files={"/files/a.pdf": PDF, CHINESE: XLS, "/pictures/1.jpg": JPEG},
    )
    line = portal.night()
    assert line["media"] == {"captured": 3, "failed": 0, "failures": [], "stopped": None}
    attachments, images = portal.links("attachments"), portal.links("images")
    assert {path: portal.body(capture) for path, capture in (attachments | images).items() if capture} == {
        "/files/a.pdf": PDF.body,
        CHINESE: XLS.body,
        "/pictures/1.jpg": JPEG.body,
    }
    kinds = portal.archive.query("SELECT kind, url FROM captures WHERE kind IN ('attachment', 'image') ORDER BY id")
    assert dict(kinds)["image"] == f"{portal.base}/pictures/1.jpg"
    assert ("attachment", portal.base + quote(CHINESE)) in kinds
    assert_rows_and_bytes_agree(portal.archive)
    assert_no_response_lacks_a_row(portal.archive)
    assert_both_readers_read_all(portal.archive)


def test_they_are_asked_for_after_the_articles_without_a_referer(portal: County) -> None:
    publish(
        portal, article("一", picture("/1.jpg")), article("二", file("/2.pdf")), files={"/1.jpg": JPEG, "/2.pdf": PDF}
    )
    portal.night()
    assert portal.media_asked() == ["/2.pdf", "/1.jpg"]
    assert portal.asked[-2:] == ["/2.pdf", "/1.jpg"]
    assert not [headers for headers in portal.headers if "Referer" in headers]


def test_without_being_told_so_none_is_asked_for(portal: County) -> None:
    portal.archive.write_catalogue(entry("liuxi", portal.base))
    publish(portal, article("一", picture("/1.jpg")), files={"/1.jpg": JPEG})
    portal.night()
    assert portal.media_asked() == []
    assert portal.links("images") == {"/1.jpg": None}
    portal.night("--media")
    assert portal.media_asked() == ["/1.jpg"]
    assert portal.links("images")["/1.jpg"] is not None


def test_what_was_had_is_not_asked_for_again(portal: County) -> None:
    publish(portal, article("一", picture("/1.jpg"), file("/1.pdf")), files={"/1.jpg": JPEG, "/1.pdf": PDF})
    portal.night()
    for options in ((), ("--full",)):
        portal.night(*options)
        assert portal.media_asked() == []


def test_what_an_edit_links_is_fetched_and_nothing_else(portal: County) -> None:
    files = {"/1.jpg": JPEG, "/2.pdf": PDF}
    publish(portal, article("一", picture("/1.jpg")), files=files)
    portal.night()
    publish(portal, article("一", picture("/1.jpg"), "补充说明如下。", file("/2.pdf")), files=files)
    assert portal.night("--full")["changed"] == 1
    assert portal.media_asked() == ["/2.pdf"]
    assert None not in (portal.links("images") | portal.links("attachments")).values()


def test_a_file_exchanged_for_another_without_a_word_is_fetched(portal: County) -> None:
    files = {"/1.jpg": JPEG, "/2.jpg": JPEG}
    publish(portal, article("一", picture("/1.jpg")), files=files)
    portal.night()
    publish(portal, article("一", picture("/2.jpg")), files=files)
    assert portal.night("--full")["unchanged"] == 1
    assert portal.media_asked() == ["/2.jpg"]


def test_one_picture_in_two_articles_is_asked_for_once(portal: County) -> None:
    publish(portal, article("一", picture("/1.jpg")), article("二", picture("/1.jpg")), files={"/1.jpg": JPEG})
    portal.night()
    assert portal.media_asked() == ["/1.jpg"]
    assert portal.archive.one("SELECT count(*) FROM images WHERE capture_id IS NOT NULL") == 2
    more = [article("一", picture("/1.jpg")), article("二", picture("/1.jpg")), article("三", picture("/1.jpg"))]
    publish(portal, *more, files={"/1.jpg": JPEG})
    portal.night()
    assert portal.media_asked() == []
    assert portal.archive.one("SELECT count(*) FROM images WHERE capture_id IS NOT NULL") == 3


def test_one_payload_under_two_addresses_is_stored_once(portal: County) -> None:
    publish(portal, article("一", picture("/1.jpg"), picture("/2.jpg")), files={"/1.jpg": JPEG, "/2.jpg": JPEG})
    portal.night("--delay", "0.2")  # without, both may be on their way before the first is stored
    rows = portal.archive.query("SELECT revisit_of IS NOT NULL FROM captures WHERE kind = 'image' ORDER BY id")
    assert rows == [(0,), (1,)]
    assert {portal.body(capture) for capture in portal.links("images").values() if capture} == {JPEG.body}


def test_what_is_no_file_is_no_capture_of_one_and_fails_no_portal(portal: County) -> None:
    publish(
        portal,
        article("一", *(picture(f"/{name}.jpg") for name in ("gone", "soft", "empty", "away")), picture("/here.jpg")),
        files={
            "/soft.jpg": SOFT_404,
            "/empty.jpg": Response(headers=JPEG.headers),
            "/away.jpg": Response(status=302, headers=(("Location", "http://127.0.11.8:1/login"),)),
            "/here.jpg": Response(status=301, headers=(("Location", "/there.jpg"),)),
            "/there.jpg": JPEG,
        },
    )
    line = portal.night()
    assert (line["status"], line["failed"]) == ("ok", 0)
    assert (line["media"]["captured"], line["media"]["failed"]) == (1, 4)
    assert {path for path, capture in portal.links("images").items() if capture} == {"/here.jpg"}
    assert portal.reason("/gone.jpg") == "answered 404"
    assert portal.reason("/soft.jpg") == "answered with a web page"
    assert portal.reason("/empty.jpg") == "answered with nothing"
    assert portal.reason("/away.jpg") == "leads to http://127.0.11.8:1/login"


def test_what_failed_is_asked_for_on_five_nights(portal: County) -> None:
    publish(portal, article("一", picture("/gone.jpg")), files={})
    portal.night()
    with sqlite3.connect(portal.archive.db) as conn:
        conn.execute("UPDATE frontier SET attempts = attempts + 3 WHERE kind = 'image'")
    conn.close()
    asked = []
    for _ in range(2):
        portal.night()
        asked.append(portal.media_asked())
    assert asked == [["/gone.jpg"], []]


def test_what_is_too_large_is_kept_as_far_as_it_was_taken_and_left_alone(portal: County) -> None:
    large = Response(headers=JPEG.headers, body=b"\xff\xd8" + bytes(12_000_000), chunked=True)
    stated = Response(headers=JPEG.headers, body=b"\xff\xd8" + bytes(9_000_000))
    publish(portal, article("一", picture("/a.jpg"), picture("/b.jpg")), files={"/a.jpg": large, "/b.jpg": stated})
    line = portal.night()
    assert (line["status"], line["media"]["captured"]) == ("ok", 2)
    cut = portal.archive.query("SELECT truncated, revisit_of FROM captures WHERE kind = 'image'")
    assert cut == [("length", None)] * 2
    assert all(portal.links("images").values())
    assert "cut" in portal.reason("/a.jpg")
    portal.night()
    assert portal.media_asked() == []


def test_what_robots_txt_forbids_and_what_lies_elsewhere_is_left_alone(portal: County) -> None:
    elsewhere = "http://127.0.11.8:1/x.jpg"
    publish(
        portal,
        article("一", picture("/private/1.jpg"), picture(elsewhere), picture("/1.jpg")),
        files={
            "/robots.txt": Response(body=b"User-agent: *\nDisallow: /private/\n"),
            "/private/1.jpg": JPEG,
            "/1.jpg": JPEG,
        },
    )
    line = portal.night()
    assert portal.media_asked() == ["/1.jpg"]
    assert (line["media"]["captured"], line["media"]["failed"]) == (1, 0)
    assert "robots.txt" in (portal.reason("/private/1.jpg") or "")


def test_the_limit_of_articles_does_not_count_them(portal: County) -> None:
    pages = [article(f"第{n}", picture(f"/{n}.jpg"), picture(f"/{n}b.jpg")) for n in range(4)]
    publish(portal, *pages, files={f"/{n}{b}.jpg": JPEG for n in range(4) for b in ("", "b")})
    assert portal.night("--max-articles", "2")["new"] == 2
    assert sorted(portal.media_asked()) == ["/0.jpg", "/0b.jpg", "/1.jpg", "/1b.jpg"]
    assert portal.night()["new"] == 2
    assert sorted(portal.media_asked()) == ["/2.jpg", "/2b.jpg", "/3.jpg", "/3b.jpg"]


def test_a_host_that_says_no_is_asked_for_no_more_of_them(portal: County) -> None:
    wall = Response(status=412, headers=HTML, body=b"<html><script>x()</script></html>")
    publish(
        portal,
        article("一", *(picture(f"/{n}.jpg") for n in range(9))),
        files={f"/{n}.jpg": wall for n in range(9)},
    )
    line = portal.night()
    assert line["status"] == "ok"
    assert "412" in line["media"]["stopped"]
    assert len(portal.media_asked()) <= 3  # two were on their way


def test_a_run_that_is_stopped_among_them_is_interrupted_and_the_next_one_goes_on(portal: County) -> None:
    files = {f"/{n}.jpg": JPEG for n in range(20)}
    publish(portal, article("一", *map(picture, files)), files=files)
    crawl = portal.archive.start("--delay", "0.5")
    while len(portal.media_asked()) < 3:
        assert crawl.poll() is None
        time.sleep(0.05)
    crawl.send_signal(signal.SIGINT)
    crawl.communicate(timeout=30)
    first = set(portal.media_asked())
    assert (crawl.returncode, portal.archive.one("SELECT status FROM portal_runs")) == (130, "interrupted")
    portal.night()
    assert set(portal.media_asked()) == files.keys() - first
    assert all(portal.links("images").values())


def test_a_coded_file_is_kept_coded(portal: County) -> None:
    coded = gzip.compress(PDF.body, mtime=0)
    packed = Response(headers=(*PDF.headers, ("Content-Encoding", "gzip")), body=coded)
    publish(portal, article("一", file("/1.pdf")), files={"/1.pdf": packed})
    portal.night()
    [capture] = portal.links("attachments").values()
    assert capture is not None
    assert portal.body(capture) == coded


def test_after_a_crash_a_picture_without_its_row_is_known_as_one_and_is_asked_for_again(portal: County) -> None:
    publish(portal, article("一", picture("/图.jpg")), files={"/图.jpg": JPEG})
    portal.night()
    with sqlite3.connect(portal.archive.db) as conn:
        conn.execute("UPDATE images SET capture_id = NULL")
        conn.execute("DELETE FROM frontier WHERE kind = 'image'")
        conn.execute("DELETE FROM captures WHERE kind = 'image'")
    conn.close()
    [warc] = portal.archive.warc.iterdir()
    warc.rename(warc.with_name(f"{warc.name}.open"))
    conn = open_archive(portal.archive.db)
    [line] = recover(conn, portal.archive.warc)
    conn.close()
    assert "1 of them had no row" in line
    assert portal.archive.query("SELECT kind FROM captures WHERE url LIKE '%.jpg'") == [("image",)]
    portal.night()
    assert portal.media_asked() == ["/图.jpg"]
    [capture] = portal.links("images").values()
    assert capture is not None
    assert portal.body(capture) == JPEG.body
