"""The demo portals on loopback: each on its own address, byte for byte, and gone when the context closes."""

import gzip
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from crawler import catalogue
from crawler.demo.portals import article_path, catalogue_toml, sites
from crawler.demo.server import CHUNK, serve
from crawler.demo.site import Response, Site
from crawler.demo.stories import load


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[dict[str, Site], dict[str, str]]]:
    shown = sites()
    with serve(shown) as urls:
        yield shown, urls


Served = tuple[dict[str, Site], dict[str, str]]


def get(base: str, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
    parts = urlsplit(base)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def test_each_portal_has_an_address_of_its_own(served: Served) -> None:
    _, urls = served
    assert [urlsplit(url).hostname for url in urls.values()] == ["127.0.11.1", "127.0.11.2", "127.0.11.3"]


def test_every_page_arrives_byte_for_byte(served: Served) -> None:
    shown, urls = served
    for name, site in shown.items():
        for path, page in list(site.pages.items())[::4]:
            response, body = get(urls[name], path)
            assert (response.status, body) == (page.status, page.body)
            assert response.headers["Content-Type"] == page.header("Content-Type")


def test_one_article_comes_gzip_coded_in_chunks(served: Served) -> None:
    shown, urls = served
    portal = load("yunzhang")
    path = article_path(portal, portal.story(4011))
    response, body = get(urls["yunzhang"], path)
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert response.headers["Content-Length"] is None
    assert len(body) > CHUNK
    assert "解民懮" in gzip.decompress(body).decode("big5hkscs")
    assert body == shown["yunzhang"].pages[path].body


def test_validators_are_honoured_where_a_portal_has_them(served: Served) -> None:
    _, urls = served
    first, _ = get(urls["qinglan"], "/xwzx/jryw/")
    second, body = get(urls["qinglan"], "/xwzx/jryw/", If_None_Match=first.headers["ETag"])
    assert (second.status, body) == (304, b"")
    third, _ = get(urls["qinglan"], "/xwzx/jryw/", If_Modified_Since=first.headers["Last-Modified"])
    assert third.status == 304
    plain, _ = get(urls["shuyuan"], "/news/list_1.html")
    assert plain.headers["ETag"] is None
    assert plain.headers["Last-Modified"] is None


def test_odd_answers_keep_their_status(served: Served) -> None:
    _, urls = served
    moved, _ = get(urls["qinglan"], "/xwzx/tpxw/202111/t20211124_4090003.html")
    assert (moved.status, moved.headers["Location"]) == (301, "/xwzx/jryw/202111/t20211124_4090167.html")
    assert get(urls["shuyuan"], "/news/201508/099.html")[0].status == 404
    assert get(urls["shuyuan"], "/robots.txt")[0].status == 404
    head, body = get(urls["yunzhang"], "/xwzx/zqyw.htm", method="HEAD")
    assert (head.status, body) == (200, b"")
    assert get(urls["yunzhang"], "/", method="POST")[0].status == 405


def test_a_change_shows_while_the_site_is_served() -> None:
    site = Site({"/": Response(body="早".encode())})
    with serve({"one": site}) as urls:
        assert get(urls["one"], "/")[1].decode() == "早"
        site.replace("/", Response(body="晚".encode()))
        assert get(urls["one"], "/?_=1")[1].decode() == "晚"
        assert site.hits == {("/", 200): 2}


def test_the_servers_stop_with_the_context() -> None:
    before = threading.enumerate()
    with serve(sites()) as urls:
        assert len(threading.enumerate()) == len(before) + 1
    assert threading.enumerate() == before
    with pytest.raises(ConnectionRefusedError):
        get(urls["qinglan"], "/")


def test_an_address_that_cannot_be_had_leaves_nothing_running() -> None:
    site = Site({})
    before = threading.enumerate()
    with serve({"one": site}, hosts=("127.0.11.9",)) as urls:
        port = urlsplit(urls["one"]).port or 0
        with (
            pytest.raises(OSError, match="in use"),
            serve({"a": site, "b": site}, hosts=("127.0.11.8", "127.0.11.9"), port=port),
        ):
            pass
    assert threading.enumerate() == before


def test_more_sites_than_addresses_are_refused() -> None:
    site = Site({})
    with pytest.raises(ValueError, match="2 sites"), serve({"a": site, "b": site}, hosts=("127.0.11.9",)):
        pass


def test_the_catalogue_of_the_demo_is_a_valid_one(served: Served, tmp_path: Path) -> None:
    _, urls = served
    file = tmp_path / "demo.toml"
    file.write_text(catalogue_toml(urls), encoding="utf-8")
    loaded = catalogue.load(file)
    assert [portal.id for portal in loaded.portals] == ["qinglan", "shuyuan", "yunzhang"]
    assert all(portal.delay == 0 for portal in loaded.portals)
    assert loaded.portals[0].lists == (f"{urls['qinglan']}/xwzx/jryw/",)
