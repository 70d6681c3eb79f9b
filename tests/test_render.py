"""Pages drawn by scripts: the browser draws what the wire tap brought, and has no way to the network itself."""

import json
import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from scrapy import Request

from crawler.archive.connection import open_archive
from crawler.archive.recovery import adopt
from crawler.demo.server import serve
from crawler.demo.site import Asked, Response, Site
from crawler.fetch import chromium
from crawler.fetch.chromium import BrowserMissing, find_chromium, rendering_settings
from crawler.records import RecordRef
from crawler.warc.reader import read_capture, read_record
from tests.support.browser import descendants, is_alive, needs_browser, wait_until
from tests.support.crawling import HTML, Archive, article_page, entry, news_site, text_of, title_of
from tests.support.evidence import (
    assert_both_readers_read_all,
    assert_no_response_lacks_a_row,
    assert_rows_and_bytes_agree,
)
from tests.support.fetching import ask, in_reactor
from tests.support.warc import fastwarc_records
from tests.support.wire import WireServer, page

DRAWN = ("render = true", 'cms = "generic"')
ARTICLES = 6
PER_PAGE = 4
SCRIPT = """
addEventListener("DOMContentLoaded", async () => {
  const number = Number(document.body.dataset.page);
  const rows = await (await fetch("/api/list?page=" + number)).json();
  for (const row of rows) {
    const item = document.createElement("li");
    item.innerHTML = `<a href="${row.url}">${row.title}</a><span>${row.day}</span>`;
    document.getElementById("list").append(item);
  }
});
"""


def shell(number: int) -> Response:
    """A list page without its list."""
    following = '<a href="/news/list_2.html">下一页</a>' if number == 1 else ""
    markup = (
        '<!DOCTYPE html><html><head><meta charset="utf-8"><title>柳溪要闻</title><script src="/js/list.js"></script></head>'
        f'<body data-page="{number}"><img src="/logo.png"><ul id="list"></ul>{following}</body></html>'
    )
    return Response(headers=HTML, body=markup.encode())


def drawn_article(number: int) -> Response:
    """An article whose text only a script puts in."""
    title, text = title_of(number), text_of(number)
    markup = (
        f"<html><head><title>{title}</title></head><body><h1>{title}</h1><p>发布时间：2021-05-06　来源：柳溪县融媒体中心</p>"
        f'<div class="content"></div><script>document.querySelector(".content").innerHTML = "<p>{text}</p>"</script>'
        "</body></html>"
    )
    return Response(headers=HTML, body=markup.encode())


def script_drawn_site() -> Site:
    """Two list pages drawn from an API, and articles of which every other one is drawn, too."""
    pages = {"/news/": shell(1), "/news/list_2.html": shell(2)}
    pages["/js/list.js"] = Response(headers=(("Content-Type", "text/javascript"),), body=SCRIPT.encode())
    for n in range(ARTICLES):
        pages[f"/news/2021/{100 + n}.html"] = drawn_article(n) if n % 2 else article_page(title_of(n), text_of(n))

    def api(asked: Asked) -> Response | None:
        if asked.path != "/api/list":
            return None
        first = PER_PAGE * (int(asked.query.removeprefix("page=")) - 1)
        rows = [
            {"url": f"/news/2021/{100 + n}.html", "title": title_of(n), "day": f"2021-05-{1 + n:02}"}
            for n in range(first, min(first + PER_PAGE, ARTICLES))
        ]
        return Response(headers=(("Content-Type", "application/json"),), body=json.dumps(rows).encode())

    return Site(pages, script=api)


# Without a browser.


def test_without_the_browser_a_list_drawn_by_a_script_names_no_article(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    with serve({"drawn": script_drawn_site()}) as urls:
        archive.write_catalogue(entry("drawn", urls["drawn"]))
        archive.crawl()
    assert archive.one("SELECT count(*) FROM articles") == 0


def test_where_chromium_is_missing_its_portal_fails_with_what_to_install_and_all_else_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XIANZHI_CHROMIUM", "/nowhere/chromium")
    archive = Archive(tmp_path)
    with serve({"drawn": script_drawn_site(), "plain": news_site(3)}) as urls:
        archive.write_catalogue(entry("drawn", urls["drawn"], *DRAWN) + entry("plain", urls["plain"]))
        done = archive.crawl()
    assert done.exit_code == 1
    assert done.portal("drawn")["status"] == "failed"
    assert re.search("drawn by scripts.*(XIANZHI_CHROMIUM|extra render)", done.portal("drawn")["reason"])
    assert "Traceback" not in done.words
    assert done.portal("plain")["new"] == 3
    assert archive.query("SELECT * FROM frontier WHERE portal_id = 'drawn'") == []


def test_what_is_missing_is_said_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XIANZHI_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BrowserMissing, match="apt-get install chromium"):
        find_chromium()
    monkeypatch.setattr(chromium, "find_spec", lambda _: None)
    with pytest.raises(BrowserMissing, match=r"pip install .*\[render\]"):
        rendering_settings()


# A crawl.


@pytest.fixture(scope="module")
def crawled(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Archive, Site, list[dict[tuple[str, int], int]]]]:
    """Two nights of a portal whose lists and half of whose articles are drawn; its hits each night."""
    archive, site, hits = Archive(tmp_path_factory.mktemp("drawn")), script_drawn_site(), []
    with serve({"drawn": site}) as urls:
        archive.write_catalogue(entry("drawn", urls["drawn"], *DRAWN))
        for _ in range(2):
            done = archive.crawl("--jobs", "1")
            assert done.exit_code == 0, done.words
            hits.append(dict(site.hits))
            site.hits.clear()
    return archive, site, hits


@needs_browser
def test_every_article_of_a_drawn_list_is_found_and_read(crawled) -> None:
    archive, *_ = crawled
    rows = archive.query("SELECT title, body FROM articles JOIN article_texts ON article_id = id ORDER BY url")
    assert rows == [(title_of(n), text_of(n)) for n in range(ARTICLES)]


@needs_browser
def test_pages_share_what_they_load_and_a_known_list_costs_its_first_page(crawled) -> None:
    _, _, (first, second) = crawled
    assert first["/js/list.js", 200] == 1
    assert [key for key, count in first.items() if count > 1] == [("/api/list", 200)]
    assert ("/logo.png", 404) not in first
    assert second == {("/robots.txt", 404): 1, ("/news/", 200): 1, ("/js/list.js", 200): 1, ("/api/list", 200): 1}


@needs_browser
def test_what_was_drawn_and_all_it_was_drawn_from_is_evidence(crawled) -> None:
    archive, *_ = crawled
    assert assert_rows_and_bytes_agree(archive) > 20
    assert_no_response_lacks_a_row(archive)
    assert_both_readers_read_all(archive)
    kinds = dict(archive.query("SELECT kind, count(*) FROM captures WHERE url LIKE '%/api/list%' GROUP BY kind"))
    assert kinds == {"other": 3}


@needs_browser
def test_a_drawn_page_is_a_record_that_says_so(crawled) -> None:
    archive, *_ = crawled
    [(file, offset, length, url, kind, basis)] = archive.query(
        "SELECT warc_file, warc_offset, warc_length, url, content_type, encoding_basis FROM captures"
        " WHERE url LIKE '%/101.html' AND kind = 'article'"
    )
    ref = RecordRef(file=file, offset=offset, length=length)
    record = read_record(archive.warc, ref)
    assert record.fields["warc-type"] == "resource"
    assert record.fields["warc-target-uri"] == f"urn:dom:{url}"
    assert record.fields["content-type"] == kind == "text/html; charset=utf-8"
    assert f"<p>{text_of(1)}</p></div>" in read_capture(archive.warc, ref).entity.decode()
    assert basis.startswith("utf-8")
    after = {r.record_id: r for r in fastwarc_records(archive.warc / file)}
    about = [r for r in after.values() if r.headers.get("WARC-Refers-To") == record.fields["warc-record-id"]]
    assert len(about) == 1
    said = about[0].reader.read().decode()
    assert re.search(r"rendered-by: Chromium \d+\.", said)
    assert re.search(r"rendered-with: scrapy-playwright \d[\d.]*, playwright \d", said)
    assert "at-rest: yes" in said
    document = after[record.fields["warc-concurrent-to"]]
    assert (document.headers["WARC-Type"], document.headers["WARC-Target-URI"]) == ("response", url)


@needs_browser
def test_an_article_without_scripts_is_kept_as_it_came(crawled) -> None:
    archive, *_ = crawled
    [(kind, file, offset, length)] = archive.query(
        "SELECT kind, warc_file, warc_offset, warc_length FROM captures WHERE url LIKE '%/100.html'"
    )
    record = read_record(archive.warc, RecordRef(file=file, offset=offset, length=length))
    assert (kind, record.fields["warc-type"]) == ("article", "response")


@needs_browser
def test_drawn_pages_without_rows_are_adopted_after_a_crash(crawled) -> None:
    archive, *_ = crawled
    columns = "warc_file, warc_offset, warc_length, portal_id, url, fetched_at, status, content_type, payload_sha256"
    drawn = f"SELECT {columns} FROM captures WHERE kind IN ('list', 'article') ORDER BY warc_file, warc_offset"
    before = archive.query(drawn)
    conn = open_archive(archive.db)
    try:
        conn.execute("PRAGMA foreign_keys = OFF")
        conn.execute("DELETE FROM captures WHERE kind IN ('list', 'article')")
        adopted = sum(adopt(conn, path) for path in sorted(archive.warc.glob("*.warc.gz")))
    finally:
        conn.close()
    assert adopted == len(before)
    assert archive.query(drawn) == before


# Crashes.


@needs_browser
@pytest.mark.parametrize("whole_group", [False, True], ids=["ours", "everything"])
def test_no_browser_outlives_a_killed_crawl(tmp_path: Path, *, whole_group: bool) -> None:
    archive = Archive(tmp_path)
    with serve({"drawn": script_drawn_site()}) as urls:
        archive.write_catalogue(entry("drawn", urls["drawn"], *DRAWN))
        process = archive.start("--jobs", "1")
        try:
            assert wait_until(lambda: "chromium" in descendants(process.pid).values())
            started = descendants(process.pid)
            if whole_group:
                os.killpg(process.pid, signal.SIGKILL)
            else:  # Playwright's driver, a child of the worker, is left to itself
                for pid in (process.pid, *(p for p, name in started.items() if name.startswith("python"))):
                    os.kill(pid, signal.SIGKILL)
        finally:
            process.kill()
            process.communicate(timeout=10)
    assert wait_until(lambda: not any(map(is_alive, started))), started


# Page by page.


@contextmanager
def listener(host: str) -> Iterator[tuple[int, list[bytes]]]:
    """A port of *host*, TCP and UDP, and what is heard there."""
    heard: list[bytes] = []
    tcp = socket.create_server((host, 0))
    port = tcp.getsockname()[1]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((host, port))

    def accept() -> None:
        while True:
            try:
                connection, _ = tcp.accept()
            except OSError:
                return
            heard.append(b"TCP connection")
            connection.close()

    def receive() -> None:
        while data := udp.recv(100):
            heard.append(data)

    threads = [threading.Thread(target=target, daemon=True) for target in (accept, receive)]
    for thread in threads:
        thread.start()
    try:
        yield port, heard
    finally:
        udp.sendto(b"", (host, port))
        tcp.shutdown(socket.SHUT_RDWR)
        tcp.close()
        for thread in threads:
            thread.join(5)
        udp.close()


WAYS_OUT = """<html><body><p id="said">柳溪</p><script>
const at = "%(host)s:%(port)d";
try { new WebSocket("ws://" + at + "/socket"); } catch (error) {}
try { new EventSource("http://" + at + "/events"); } catch (error) {}
try { window.open("http://" + at + "/popup"); } catch (error) {}
try { navigator.sendBeacon("http://" + at + "/beacon", "x"); } catch (error) {}
try { new Image().src = "http://" + at + "/image"; } catch (error) {}
try { fetch("http://" + at + "/fetch", {mode: "no-cors"}).catch(() => {}); } catch (error) {}
try { new Worker(URL.createObjectURL(new Blob([`fetch("http://${at}/worker", {mode: "no-cors"})`]))); } catch (error) {}
try { navigator.serviceWorker.register("/service.js"); } catch (error) {}
try {
  const peer = new RTCPeerConnection({iceServers: [{urls: "stun:" + at}]});
  peer.createDataChannel("x");
  peer.createOffer().then(offer => peer.setLocalDescription(offer));
} catch (error) {}
try { const script = document.createElement("script"); script.src = "http://" + at + "/script.js";
  document.body.append(script); } catch (error) {}
</script><iframe src="http://%(host)s:%(port)d/frame"></iframe><link rel="preconnect" href="http://%(host)s:%(port)d/">
<link rel="prefetch" href="http://%(host)s:%(port)d/prefetch"></body></html>"""

GBK = (
    '<html><head><meta charset="gb2312"><script src="/gbk.js"></script></head>'
    '<body><p id="said">标题</p><script>said.textContent += tail</script></body></html>'
).encode("gb18030")

PAGES: dict[str, bytes] = {
    "/gbk": GBK,
    "/gbk.js": 'var tail = "：乾县"'.encode("gb18030"),
    "/loop": b"<html><body><script>while (true) {}</script></body></html>",
    "/poll": b'<html><body><p id="said"></p><script>setInterval(() => fetch("/tick").then(r => r.text())'
    b".then(text => said.textContent += text), 50)</script></body></html>",
    "/tick": b"x",
    "/endless": b'<html><body><script>document.body.append("x".repeat(2e6))</script></body></html>',
    "/many": b'<html><body><script>for (let i = 0; i < 100; i++) fetch("/tick?" + i)</script></body></html>',
    "/jump": b'<html><body><p>here</p><script>location.href = "/tick"</script></body></html>',
    "/moved": b'<html><body><p id="said"></p><script src="/old.js"></script></body></html>',
    "/new.js": b'said.textContent = "moved"',
    "/alert": b'<html><body><p id="said"></p><script>alert(1); said.textContent = confirm(2)</script></body></html>',
    "/forbidden": b'<html><body><script src="/private/x.js"></script></body></html>',
    "/robots.txt": b"User-agent: *\nDisallow: /private/\n",
    "/json": b'[{"title": "<html><script>"}]',
    "/wall": b'<html><body><script>document.cookie = "__jsl_clearance=1"</script></body></html>',
    "/gone": b"<html><body><script>document.body.append('drawn')</script></body></html>",
    "/slow": b'<html><body><p id="said"></p><script src="/never.js"></script>'
    b'<script>said.textContent = "after"</script></body></html>',
}


def answer(path: str) -> list[bytes | float]:
    if path == "/never.js":
        return [60.0]
    if path == "/old.js":
        return [page(b"", status="302 Found", headers=["Location: /new.js"])]
    body = PAGES.get(path.partition("?")[0], b"")
    kind = "text/javascript" if path.endswith(".js") else "text/html"
    return [page(body, status="404 Not Found" if path == "/gone" else "200 OK", headers=[f"Content-Type: {kind}"])]


async def trial():
    from crawler.fetch import drawing, render

    drawing.DRAW_SECONDS = render.DRAW_SECONDS = 2.5
    render.GRACE_SECONDS = 6.0  # the browser's start is in it
    drawing.QUIET_SECONDS = 0.25
    render.MAX_DRAWN = 1_000_000
    async with WireServer(answer) as server:
        with listener("127.0.0.2") as (outside, heard_outside), listener("127.0.0.1") as (inside, heard_inside):
            ways = {"/out": {"host": "127.0.0.2", "port": outside}, "/in": {"host": "127.0.0.1", "port": inside}}
            PAGES.update({path: (WAYS_OUT % place).encode() for path, place in ways.items()})
            PAGES["/slow"] = PAGES.pop("/slow")  # last: its script is never answered
            wanted = [path for path in PAGES if not path.endswith((".js", ".txt")) and path != "/tick"]
            outcomes = await ask(
                *(
                    Request(server.url(path), meta={"kind": "list"}, headers={"If-None-Match": '"x"'})
                    for path in wanted
                ),
                **rendering_settings(),
                ALLOW_NETWORKS=["127.0.0.1/32"],
            )
            requests = {heard.path: heard.request for heard in server.heard}
            return (
                dict(zip(wanted, outcomes, strict=True)),
                server.paths(), server.most_at_once, requests, heard_outside, heard_inside,
            )  # fmt: skip


@cache
def found():
    return in_reactor(trial)


def said(path: str) -> str:
    return re.search('<p id="said">([^<]*)</p>', found()[0][path].body.decode())[1]


@needs_browser
def test_the_browser_reaches_no_address_that_is_not_allowed_by_any_way_that_a_page_has():
    assert said("/out") == "柳溪"
    assert found()[4] == []


@needs_browser
def test_an_allowed_address_is_reached_through_the_tap_alone():
    assert said("/in") == "柳溪"
    # A fetch and a script; a frame, a popup, a socket, a worker's beacon would each be a connection more.
    assert 0 < len(found()[5]) <= 4
    assert set(found()[5]) == {b"TCP connection"}


@needs_browser
def test_a_page_and_its_scripts_are_decoded_as_browsers_do_and_come_out_in_utf_8():
    assert said("/gbk") == "标题：乾县"


@needs_browser
def test_a_page_whose_script_never_ends_fails_alone():
    assert found()[0]["/loop"].error == "RenderingFailed"


@needs_browser
def test_what_a_script_writes_without_measure_is_not_taken():
    assert found()[0]["/endless"].error == "RenderingFailed"


@needs_browser
def test_a_page_that_polls_is_taken_and_its_host_left_alone():
    assert said("/poll") == "xxx"
    assert found()[1].count("/tick") == 3


@needs_browser
def test_a_page_loads_no_more_than_its_share_one_thing_at_a_time():
    assert 50 <= sum(path.startswith("/tick?") for path in found()[1]) <= 60
    assert found()[2] == 1


@needs_browser
def test_a_script_that_would_go_elsewhere_stays_on_its_page():
    assert b"<p>here</p>" in found()[0]["/jump"].body


@needs_browser
def test_a_page_that_waits_for_ever_is_taken_as_it_is():
    assert said("/slow") == "after"


@needs_browser
def test_a_redirected_script_is_followed_and_dialogs_are_dismissed():
    assert said("/moved") == "moved"
    assert said("/alert") == "false"


@needs_browser
def test_robots_txt_holds_for_what_a_page_loads():
    assert "/private/x.js" not in found()[1]


@needs_browser
def test_what_is_no_page_to_draw_stays_as_it_came():
    outcomes = found()[0]
    for path in ("/json", "/wall", "/gone"):
        assert outcomes[path].body == PAGES[path]


@needs_browser
def test_a_page_says_who_we_are_and_asks_without_conditions():
    requests = found()[3]
    assert b"\r\nUser-Agent: Xianzhi/0.1\r\n" in requests["/gbk.js"]
    assert b"None-Match" not in requests["/gbk"]
