"""Requests survive the frontier, and bot walls are told from pages."""

import pytest
import scrapy

from crawler.fetch.challenge import challenge
from crawler.fetch.scheduler import from_row, to_row
from crawler.records import Listed


class Spider(scrapy.Spider):
    name = "x"

    def parse_article(self, response: object) -> None: ...

    def on_error(self, failure: object) -> None: ...


@pytest.mark.parametrize(
    "given",
    [
        {"url": "http://a.example/1.html"},
        {
            "url": "http://a.example/q",
            "method": "POST",
            "body": b"a=\xff",
            "headers": {"X-Requested-With": "XMLHttpRequest"},
        },
    ],
)
def test_a_request_comes_back_from_its_row_as_it_was(given: dict[str, object]) -> None:
    spider = Spider()
    listed = Listed(title="标题", published="2024-04-01")
    meta = {"kind": "article", "key": "k", "portal": "p", "listed": listed, "number": 3, "via": "http://a.example/"}
    meta |= {"state": {"seen": 20}, "walk": {"start": "http://a.example/news/", "known": 1}}
    request = scrapy.Request(**given, callback=spider.parse_article, errback=spider.on_error, meta=meta)
    again = from_row(to_row(request, portal_id="p", seq=1), spider)
    assert (again.url, again.method, again.body) == (request.url, request.method, request.body)
    assert (again.headers, again.meta) == (request.headers, request.meta)
    assert (again.callback, again.errback) == (request.callback, request.errback)


PAGE = b"<html><body><ul><li><a href='/1.html'>x</a></li></ul></body></html>"
STUB = b"<html><script>window.$_ts={};$_ts.cd='x'</script><script src='/a.js'></script></html>"


@pytest.mark.parametrize(
    ("status", "body", "is_wall"),
    [
        (200, PAGE, False),
        (404, b"gone", False),
        (503, b"", False),
        (412, b"", True),
        (521, b"<script>x</script>", True),
        (200, STUB, True),
        (200, b"<script>document.cookie='__jsl_clearance=1'</script>", True),
        (200, b"<html><script>location.href='/index.html'</script></html>", True),
        (200, "<script>alert('该信息不存在');history.go(-1);</script>".encode("gbk"), False),
        (200, b"<script>alert(1);document.cookie='__jsl_clearance=1'</script>", True),
        (200, PAGE + b"<!--__jsl_clearance-->" + b" " * 3000, False),
    ],
)
def test_a_bot_wall_is_told_from_a_page(status: int, body: bytes, is_wall: bool) -> None:
    assert (challenge(status, body) is not None) == is_wall
