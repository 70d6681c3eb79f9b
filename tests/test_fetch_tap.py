"""The tap keeps what crosses the wire, byte for byte, compared with what a raw server sent and heard."""

import gzip
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request

from crawler.fetch.tap import MAX_HEAD, split_interim
from crawler.records import Truncation
from tests.support.fetching import Outcome, ask, in_reactor
from tests.support.wire import Heard, Step, WireServer, page

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CHINESE = "旬邑县人民政府：春耕备耕现场会".encode("gb18030")
GZIPPED = gzip.compress(CHINESE, mtime=0)
BIG = bytes(range(256)) * 12_000


@dataclass(frozen=True, kw_only=True)
class Odd:
    """An odd exchange. Without *kept* the whole of what was sent is the response."""

    steps: tuple[Step, ...]
    body: bytes = b""
    status: int | None = 200
    method: str = "GET"
    truncated: Truncation | None = None
    flags: tuple[str, ...] = ()
    error: str | None = None
    kept: bytes | None = None
    interim: bytes = b""
    meta: tuple[tuple[str, float], ...] = ()
    sent: bytes = b""
    """Body of the request."""


def odd(*steps: Step, **expected) -> Odd:
    return Odd(steps=steps, **expected)


def drip(data: bytes, size: int = 1, pause: float = 0.0005) -> tuple[Step, ...]:
    """*data* in pieces that arrive one by one."""
    return tuple(step for at in range(0, len(data), size) for step in (data[at : at + size], pause))


EXCHANGES = {
    # Bodies and their ends.
    "plain": odd(page(b"<p>a</p>"), body=b"<p>a</p>"),
    "empty body": odd(page(b"")),
    "big": odd(page(BIG), body=BIG),
    "big, then the same connection": odd(page(b"after"), body=b"after"),
    "until the connection closes": odd(OK + b"\r\n", b"all of it", "close", body=b"all of it", flags=("partial",)),
    "until the connection closes, no goodbye": odd(OK + b"\r\n", b"all", "drop", body=b"all", flags=("partial",)),
    "HTTP/1.0": odd(b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nold", "close", body=b"old", flags=("partial",)),
    "HTTP/1.0 with a length": odd(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold", "close", body=b"old"),
    "connection: close": odd(page(b"bye", headers=["Connection: close"]), "close", body=b"bye"),
    "connection: Close, kept open": odd(page(b"bye", headers=["Connection: Close"]), body=b"bye"),
    "two equal lengths": odd(page(b"abc", headers=["Content-Length: 3"]), body=b"abc"),
    "more than its length": odd(page(b"abc") + b"surplus", body=b"abc", kept=page(b"abc")),
    # Chunks.
    "chunked": odd(CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", body=b"abcde"),
    "chunked, cut at every byte": odd(
        *drip(CHUNKED + b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"), body=b"abc0123456789"
    ),
    "chunk extensions": odd(CHUNKED + b'3;a=1;b="c d"\r\nabc\r\n0;last\r\n\r\n', body=b"abc"),
    "trailers": odd(CHUNKED + b"3\r\nabc\r\n0\r\nX-Sum: 9\r\nX-Two: 2\r\n\r\n", body=b"abc"),
    "chunk sizes with zeros and capitals": odd(CHUNKED + b"000A\r\n0123456789\r\n00\r\n\r\n", body=b"0123456789"),
    "chunked, header in capitals": odd(OK + b"TRANSFER-ENCODING: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", body=b"x"),
    "chunked and a length": odd(
        OK + b"Content-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", body=b"x"
    ),
    "chunked, then surplus": odd(
        CHUNKED + b"1\r\nx\r\n0\r\n\r\n" + b"HTTP/1.1 404 No\r\n\r\n",
        body=b"x",
        kept=CHUNKED + b"1\r\nx\r\n0\r\n\r\n",
    ),
    "chunked gzip": odd(
        OK + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n",
        gzip.compress(b"", mtime=0) + b"\r\n0\r\n\r\n",
        body=gzip.compress(b"", mtime=0),
    ),
    # Content codings stay.
    "gzip": odd(page(GZIPPED, headers=["Content-Encoding: gzip"]), body=GZIPPED),
    "deflate": odd(page(zlib.compress(CHINESE), headers=["Content-Encoding: deflate"]), body=zlib.compress(CHINESE)),
    "said to be gzip": odd(page(b"no gzip", headers=["Content-Encoding: gzip"]), body=b"no gzip"),
    # Status lines.
    "no reason": odd(b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", body=b"x"),
    "empty reason": odd(b"HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx", body=b"x"),
    "Chinese reason": odd("HTTP/1.1 404 找不到\r\nContent-Length: 1\r\n\r\nx".encode("gb18030"), body=b"x", status=404),
    "unknown status": odd(page(b"x", status="999 Denied"), body=b"x", status=999),
    "404": odd(page(b"gone", status="404 Not Found"), body=b"gone", status=404),
    "500": odd(page(b"oops", status="500 Oops"), body=b"oops", status=500),
    "301": odd(page(b"moved", status="301 Moved", headers=["Location: /elsewhere"]), body=b"moved", status=301),
    "304": odd(b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', status=304),
    "304 with a length": odd(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 900\r\n\r\n", status=304),
    "204": odd(b"HTTP/1.1 204 No Content\r\n\r\n", status=204),
    "204 with a body": odd(b"HTTP/1.1 204 No Content\r\n\r\nbody", status=204, kept=b"HTTP/1.1 204 No Content\r\n\r\n"),
    "HEAD": odd(OK + b"Content-Length: 900\r\n\r\n", method="HEAD"),
    "POST": odd(page(b"posted"), body=b"posted", method="POST", sent=CHINESE),
    # Headers.
    "duplicate headers": odd(page(b"x", headers=["Set-Cookie: a=1", "Set-Cookie: b=2", "set-cookie: c=3"]), body=b"x"),
    "odd case and spaces": odd(
        page(b"x", headers=["cONTENT-tYPE:text/html", "X-Tab:\tv\t", "Server:  s  "]), body=b"x"
    ),
    "folded header": odd(page(b"x", headers=["X-Folded: one", "\ttwo", "  three"]), body=b"x"),
    "line without a colon": odd(page(b"x", headers=["what is this", "X: y"]), body=b"x"),
    "bytes in a header": odd(OK + b"X-Name: " + CHINESE + b"\r\nContent-Length: 1\r\n\r\nx", body=b"x"),
    "empty header": odd(page(b"x", headers=["X-Empty:"]), body=b"x"),
    "bare newlines": odd(b"HTTP/1.1 200 OK\nContent-Length: 1\nServer: s\n\nx", body=b"x"),
    "headers byte by byte": odd(*drip(page(b"slow", headers=["Server: s"])), body=b"slow"),
    "many headers": odd(page(b"x", headers=[f"X-{n}: {n}" for n in range(500)]), body=b"x"),
    # Interim responses stand beside the response.
    "100 first": odd(
        b"HTTP/1.1 100 Continue\r\n\r\n" + page(b"x"),
        body=b"x",
        kept=page(b"x"),
        interim=b"HTTP/1.1 100 Continue\r\n\r\n",
    ),
    "102 and 103 first": odd(
        b"HTTP/1.1 102 Processing\r\n\r\n",
        0.01,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nX: y\r\n\r\n",
        0.01,
        page(b"x"),
        body=b"x",
        kept=page(b"x"),
        interim=b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nX: y\r\n\r\n",
    ),
    # Cut short.
    "cut in the body": odd(
        OK + b"Content-Length: 10\r\n\r\n1234", "close", body=b"1234", flags=("dataloss",), truncated="disconnect"
    ),
    "cut before the body": odd(
        OK + b"Content-Length: 10\r\n\r\n", 0.02, "close", flags=("dataloss",), truncated="disconnect"
    ),
    "cut in a chunk": odd(CHUNKED + b"A\r\n0123", "close", body=b"0123", flags=("dataloss",), truncated="disconnect"),
    "cut before the last chunk": odd(
        CHUNKED + b"3\r\nabc\r\n", "close", body=b"abc", flags=("dataloss",), truncated="disconnect"
    ),
    "reset in the body": odd(
        OK + b"Content-Length: 10\r\n\r\n1234", 0.05, "reset", body=b"1234", flags=("dataloss",), truncated="disconnect"
    ),
    "reset where the close would be the end": odd(
        OK + b"\r\n1234", 0.05, "reset", body=b"1234", flags=("dataloss",), truncated="disconnect"
    ),
    "cut in the headers": odd(
        OK + b"Server: s\r\nX-Half: ha", "close", status=None, error="DownloadFailedError", truncated="disconnect"
    ),
    "closed without an answer": odd("close", status=None, error="NoAnswer", truncated="disconnect"),
    "bad chunk size": odd(CHUNKED + b"3\r\nabc\r\nXYZ\r\n", body=b"abc", flags=("dataloss",), truncated="unspecified"),
    "not HTTP": odd(b"SSH-2.0-OpenSSH\r\n", status=None, error="DownloadFailedError", truncated="unspecified"),
    "a space before the colon": odd(
        page(b"x", headers=["Server : s"]), status=None, error="DownloadFailedError", truncated="unspecified"
    ),
    "unlike lengths": odd(
        OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        status=None,
        error="DownloadFailedError",
        truncated="unspecified",
    ),
    "a header line without end": odd(
        OK + b"X: " + b"y" * 40_000, status=None, error="DownloadFailedError", truncated="unspecified"
    ),
    "too slow in the body": odd(
        OK + b"Content-Length: 10\r\n\r\n1234",
        5.0,
        status=None,
        error="DownloadTimeoutError",
        truncated="time",
        meta=(("download_timeout", 0.3),),
    ),
    "too slow in the headers": odd(
        OK + b"Server: s",
        5.0,
        status=None,
        error="DownloadTimeoutError",
        truncated="time",
        meta=(("download_timeout", 0.3),),
    ),
    "no answer": odd(
        5.0, status=None, error="DownloadTimeoutError", truncated="time", meta=(("download_timeout", 0.3),)
    ),
}
TLS = (
    "plain",
    "big",
    "POST",
    "204",
    "chunked, cut at every byte",
    "until the connection closes",
    "until the connection closes, no goodbye",
    "cut in the body",
    "too slow in the body",
)
LIMITS = {
    "length over the limit": odd(
        OK + b"Content-Length: 3000000\r\n\r\n", b"x" * 3_000_000, meta=(("download_maxsize", 500_000),)
    ),
    "body over the limit": odd(
        CHUNKED, *[b"10000\r\n" + b"x" * 65_536 + b"\r\n"] * 40, meta=(("download_maxsize", 500_000),)
    ),
    "framing over the limit": odd(
        CHUNKED, *[(b"1;" + b"e" * 1000 + b"\r\nx\r\n") * 60] * 60, meta=(("download_maxsize", 500_000),)
    ),
    "headers without end": odd(OK, *[b"X-Header: y\r\n" * 5_000] * 20),
    "interim responses without end": odd(*[b"HTTP/1.1 100 Continue\r\n\r\n" * 3_000] * 20),
}


def request_for(server: WireServer, number: int, case: Odd) -> Request:
    headers = {"X-Odd": "a  b", "accept-LANGUAGE": "zh-CN", "Accept": ["text/html", "*/*"]}
    return Request(
        server.url(f"/{number}?q=%E6%97%AC&r=a+b;c#fragment"),
        method=case.method,
        body=case.sent,
        headers=headers,
        meta=dict(case.meta),
    )


async def play(cases: dict[str, Odd], *, tls: bool = False) -> dict[str, tuple[Outcome, Heard, str]]:
    """For each case its outcome, what the server saw of it, and the URL that was asked."""
    scripts = {f"/{number}?q=%E6%97%AC&r=a+b;c": case.steps for number, case in enumerate(cases.values())}
    async with WireServer(scripts.__getitem__, tls=tls) as server:
        requests = [request_for(server, number, case) for number, case in enumerate(cases.values())]
        outcomes = {outcome.asked: outcome for outcome in await ask(*requests, HTTPERROR_ALLOW_ALL=True)}
        heard = {heard.path: heard for heard in server.heard}
        return {
            name: (outcomes[request.url], heard[path], request.url)
            for name, request, path in zip(cases, requests, scripts, strict=True)
        }


async def stale() -> tuple[list[Outcome], list[Heard]]:
    """A connection that the server drops just as it is used again."""
    count = 0

    def script(_: str) -> list[Step]:
        nonlocal count
        count += 1
        return ["close"] if count == 2 else [page(b"x")]

    async with WireServer(script) as server:
        return await ask(server.url("/one"), server.url("/two")), server.heard


async def unasked() -> tuple[list[Outcome], list[Heard]]:
    """Bytes that nobody asked for, on a connection that waits for its next request."""

    def script(path: str) -> list[Step]:
        return [page(b"one"), 0.05, page(b"unasked")] if path == "/one" else [page(b"two")]

    async with WireServer(script) as server:
        return await ask(server.url("/one"), server.url("/two"), DOWNLOAD_DELAY=0.3), server.heard


async def unreachable() -> list[Outcome]:
    async with WireServer(lambda _: [page(b"x")]) as server:
        url = server.url("/")
    return await ask(Request(url, meta={"exchange": "of an earlier try"}))


async def other_schemes() -> list[Outcome]:
    return await ask("file:///etc/hostname", "data:,x", "ftp://127.0.0.1/x", "s3://bucket/x")


async def trial():
    return {
        "http": await play(EXCHANGES),
        "https": await play({name: EXCHANGES[name] for name in TLS}, tls=True),
        "limits": await play(LIMITS),
        "stale": await stale(),
        "unasked": await unasked(),
        "unreachable": await unreachable(),
        "schemes": await other_schemes(),
    }


@cache
def found():
    return in_reactor(trial)


SCHEMED = [("http", name) for name in EXCHANGES] + [("https", name) for name in TLS]


@pytest.mark.parametrize(("scheme", "name"), SCHEMED)
def test_the_response_is_kept_as_the_server_sent_it(scheme, name):
    outcome, heard, _ = found()[scheme][name]
    case = EXCHANGES[name]
    assert outcome.exchange.response == (bytes(heard.sent) if case.kept is None else case.kept)
    assert outcome.interim == case.interim


@pytest.mark.parametrize(("scheme", "name"), SCHEMED)
def test_the_request_is_kept_as_the_server_heard_it(scheme, name):
    outcome, heard, _ = found()[scheme][name]
    assert outcome.exchange.request == heard.request
    assert heard.request.startswith(f"{EXCHANGES[name].method} /".encode())


@pytest.mark.parametrize(("scheme", "name"), SCHEMED)
def test_the_spider_gets_what_the_server_meant(scheme, name):
    outcome, _, _ = found()[scheme][name]
    case = EXCHANGES[name]
    assert (outcome.status, outcome.body, outcome.flags, outcome.error) == (
        case.status,
        case.body,
        case.flags,
        case.error,
    )


@pytest.mark.parametrize(("scheme", "name"), SCHEMED)
def test_the_exchange_says_whether_and_why_it_is_cut(scheme, name):
    assert found()[scheme][name][0].exchange.truncated == EXCHANGES[name].truncated


@pytest.mark.parametrize(("scheme", "name"), SCHEMED)
def test_the_exchange_says_where_from_and_when(scheme, name):
    outcome, _, url = found()[scheme][name]
    exchange = outcome.exchange
    assert exchange.url == url.split("#")[0]
    assert exchange.method == EXCHANGES[name].method
    assert ip_address(exchange.ip).is_loopback
    assert exchange.started_at.tzinfo is UTC
    assert abs((datetime.now(UTC) - exchange.started_at).total_seconds()) < 300


@pytest.mark.parametrize("name", LIMITS)
def test_what_is_over_a_limit_is_cut_and_not_a_response(name):
    outcome, heard, _ = found()["limits"][name]
    exchange = outcome.exchange
    assert outcome.error == "DownloadCancelledError"
    assert "bytes" in outcome.words
    assert exchange.truncated == "length"
    kept = outcome.interim + exchange.response
    assert bytes(heard.sent).startswith(kept)
    limit = 500_000 + 1_048_576 if "over the limit" in name else MAX_HEAD
    assert len(kept) <= limit + 2**18


def test_kept_alive_connections_are_used_again_and_exchanges_do_not_mix():
    connections = [heard.connection for _, heard, _ in found()["http"].values()]
    assert len(set(connections)) < len(connections) / 2


def test_surplus_bytes_end_the_connection():
    rows = list(found()["http"].items())
    for (name, (_, heard, _)), (_, (_, following, _)) in pairwise(rows):
        if EXCHANGES[name].kept is not None and not EXCHANGES[name].interim:
            assert heard.connection != following.connection, name


def test_a_stale_connection_is_tried_again_on_a_new_one_and_only_that_try_is_kept():
    (one, two), heard = found()["stale"]
    assert [row.path for row in heard] == ["/one", "/two", "/two"]
    assert two.status == 200
    assert two.exchange.request == heard[2].request
    assert two.exchange.response == page(b"x")
    assert one.exchange.started_at < two.exchange.started_at


def test_bytes_that_nobody_asked_for_are_in_no_exchange():
    (one, two), heard = found()["unasked"]
    assert (one.exchange.response, two.exchange.response) == (page(b"one"), page(b"two"))
    assert heard[0].connection != heard[1].connection


def test_without_a_connection_there_is_no_exchange():
    [outcome] = found()["unreachable"]
    assert outcome.error == "DownloadConnectionRefusedError"
    assert outcome.exchange is None


def test_only_the_web_can_be_fetched():
    assert [outcome.error for outcome in found()["schemes"]] == ["NotSupported"] * 4


def test_an_exchange_is_logged_without_its_bytes():
    exchange = found()["http"]["big"][0].exchange
    assert len(repr(replace(exchange, url="u"))) < 500


@given(
    interims=st.lists(
        st.tuples(st.integers(100, 199), st.lists(st.from_regex(rb"[A-Za-z]{1,9}: ?[a-z]{0,9}", fullmatch=True))),
        max_size=3,
    ),
    rest=st.binary(max_size=40),
    newline=st.sampled_from([b"\r\n", b"\n"]),
)
def test_interim_responses_are_split_off_and_nothing_is_lost(interims, rest, newline):
    head = b"".join(newline.join([b"HTTP/1.1 %d Wait" % status, *headers, b"", b""]) for status, headers in interims)
    final = b"HTTP/1.1 200 OK" + newline + newline + rest
    assert split_interim(head + final) == (head, final)


@given(st.binary(max_size=200))
def test_splitting_loses_no_byte_of_anything(data):
    assert b"".join(split_interim(data)) == data
