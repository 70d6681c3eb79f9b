"""Several hundred odd exchanges, byte for byte: what a raw server sent and heard, what the tap kept, what WARC gives back.

The exchanges are made by chance from a fixed seed, out of everything that servers vary: versions, status lines, line
ends, headers, framing, codings, interim responses, arrival in pieces, and ends. What has to be refused,
or comes to no end, stands in ``test_fetch_tap``.
"""

import gzip
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import brotli
import pytest
from scrapy import Request
from warcio.bufferedreaders import BufferedReader

from crawler.warc.http import parse_response
from crawler.warc.reader import read_record
from crawler.warc.writer import WarcWriter
from tests.support.fetching import Outcome, ask, in_reactor
from tests.support.warc import INFO, assert_both_readers_are_content, fastwarc_records, write
from tests.support.wire import Heard, Step, WireServer

CASES = 400
TLS_CASES = 100
CUT_CASES = 100
SEED = 6

TEXT = "旬邑县人民政府：春耕备耕现场会在职田镇召开，与会代表察看了苗情。"
STATUSES = (
    200,
    200,
    200,
    200,
    201,
    203,
    206,
    300,
    301,
    302,
    303,
    307,
    308,
    400,
    401,
    403,
    404,
    410,
    418,
    451,
    500,
    599,
    999,
)
REASONS = (
    b" OK", b" Not Found", b" ", b"", b"  two  blanks ", b" \xd5\xd2\xb2\xbb\xb5\xbd", " 找不到".encode(), b" \x80\xff\x01",
    b" " + b"x" * 3_000, b' OK: really; (yes) "quoted"',
)  # fmt: skip
NAMES = (
    b"Server", b"X-Powered-By", b"Set-Cookie", b"Date", b"Vary", b"ETag", b"Cache-Control", b"X-Via", b"Last-Modified",
    b"X_Under_Score", b"P3P", b"X!#$%&'*+-.^_`|~", b"Content-Language", b"Age",
)  # fmt: skip
VALUES = (
    b"", b"a", b"nginx/1.0", b"a=1; path=/; HttpOnly", b'"quoted, with a comma"', b"  blanks around  ", b"\ttab\t",
    TEXT.encode("gb18030"), TEXT.encode(), b"\x01\x7f\x80\xff", b"one\r\n two", b"one\r\n\ttwo\r\n  three", b"v" * 2_000, b": : :",
)  # fmt: skip
CODINGS: dict[bytes, Callable[[bytes], bytes]] = {
    b"": bytes,
    b"gzip": lambda data: gzip.compress(data, mtime=0),
    b"x-gzip": lambda data: gzip.compress(data, mtime=0) + gzip.compress(b"", mtime=0),
    b"deflate": zlib.compress,
    b"Deflate": lambda data: zlib.compress(data, wbits=-15),
    b"br": brotli.compress,
    b"gzip, br": lambda data: brotli.compress(gzip.compress(data, mtime=0)),
    b"aes128gcm": lambda data: data[::-1],
}
INTERIMS = (
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n",
    b"HTTP/1.1 102\r\n\r\n",
)
BODILESS = {204, 304}


@dataclass(frozen=True, kw_only=True)
class Made:
    """An exchange by chance."""

    steps: tuple[Step, ...]
    interim: bytes
    response: bytes
    entity: bytes
    status: int
    method: str
    framing: str
    sent: bytes


def make(seed: int) -> Made:
    chance = random.Random(f"{SEED}.{seed}")
    method = chance.choice(("GET",) * 8 + ("HEAD", "POST"))
    status = chance.choice((*STATUSES, *BODILESS)) if chance.random() < 0.5 else 200
    eol = b"\n" if chance.random() < 0.1 else b"\r\n"
    plain = chance.choice(
        (b"", b"x", TEXT.encode(), TEXT.encode("gb18030") * 40, chance.randbytes(chance.randrange(70_000)))
    )
    coding = chance.choice(list(CODINGS)) if chance.random() < 0.5 else b""
    entity = CODINGS[coding](plain)
    is_bodiless = method == "HEAD" or status in BODILESS
    framing = chance.choice(("length", "length", "chunked", "chunked", "close"))
    framing = "length" if is_bodiless and framing == "close" else framing
    version = b"HTTP/1.0" if framing != "chunked" and chance.random() < 0.15 else b"HTTP/1.1"
    named = [(chance.choice(NAMES), chance.choice(VALUES)) for _ in range(chance.randrange(12))]
    named += [(b"Content-Encoding", coding)] if coding else []
    named += [(b"Location", b"/" + TEXT.encode("gb18030"))] if 300 <= status < 309 else []
    named += [(b"Content-Type", chance.choice((b"text/html", b"text/html; charset=gb2312", b"image/jpeg", b"?")))]
    named += framing_headers(framing, entity, is_bodiless=is_bodiless, chance=chance)
    is_last = framing == "close" or version == b"HTTP/1.0" or chance.random() < 0.1
    # Said aloud: a POST on a connection that was closed in silence is not sent a second time.
    named += [(b"Connection", b"close")] if is_last and framing != "close" else []
    chance.shuffle(named)
    lines = [version + b" %d" % status + chance.choice(REASONS), *(odd_line(*pair, chance) for pair in named)]
    head = b"\r\n".join(lines).replace(b"\r\n", eol) + eol + eol
    body = b"" if is_bodiless else chunks(entity, chance) if framing == "chunked" else entity
    interim = b"".join(chance.choices(INTERIMS, k=chance.randrange(1, 4))) if chance.random() < 0.15 else b""
    return Made(
        steps=(*pieces(interim + head + body, chance), *(("close",) if is_last else ())),
        interim=interim,
        response=head + body,
        entity=b"" if is_bodiless else entity,
        status=status,
        method=method,
        framing=framing,
        sent=plain if method == "POST" else b"",
    )


def framing_headers(
    framing: str, entity: bytes, *, is_bodiless: bool, chance: random.Random
) -> list[tuple[bytes, bytes]]:
    if framing == "chunked":
        return [(b"Transfer-Encoding", chance.choice((b"chunked", b"Chunked", b"  chunked ")))]
    if framing == "close":
        return []
    length = chance.choice((b"", b"00")) + b"%d" % (chance.randrange(9_999) if is_bodiless else len(entity))
    return [(b"Content-Length", length)] * chance.choice((1, 1, 1, 2))


def odd_line(name: bytes, value: bytes, chance: random.Random) -> bytes:
    name = chance.choice((bytes, bytes, bytes.upper, bytes.lower, bytes.swapcase))(name)
    return name + chance.choice((b": ", b": ", b":", b":\t", b":   ")) + value


def chunks(entity: bytes, chance: random.Random) -> bytes:
    """*entity* in chunks with sizes, extensions and trailers as servers write them."""
    parts, at = [], 0
    while at < len(entity):
        size = min(chance.choice((1, 7, 100, 4_096, 50_000)), len(entity) - at)
        written = chance.choice((b"%x", b"%X", b"000%x", b"%x")) % size
        parts.append(written + chance.choice((b"", b"", b"", b";a", b';a=1;b="c d"', b"; x=" + b"y" * 60)) + b"\r\n")
        parts.append(entity[at : at + size] + b"\r\n")
        at += size
    trailers = b"".join(chance.choices((b"X-Sum: 9\r\n", b"x-two:  2\r\n", b"Expires: 0\r\n"), k=chance.randrange(3)))
    return b"".join(parts) + chance.choice((b"0", b"0", b"000", b"0;last")) + b"\r\n" + trailers + b"\r\n"


def pieces(data: bytes, chance: random.Random) -> Iterator[Step]:
    """*data* as it arrives: whole, or cut anywhere."""
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.choice((0, 0, 0, 1, 5))))
    for start, end in zip((0, *cuts), (*cuts, len(data)), strict=True):
        if start < end:
            yield data[start:end]
            yield 0.0005


async def play(made: list[Made], *, tls: bool = False) -> list[tuple[Outcome, Heard]]:
    scripts = {f"/{number}?%D1%AE=a+b;c": case.steps for number, case in enumerate(made)}
    async with WireServer(scripts.__getitem__, tls=tls) as server:
        requests = [
            Request(
                server.url(path), method=case.method, body=case.sent, headers={"X-Odd": "a  b", "accept-LANGUAGE": "zh"}
            )
            for path, case in zip(scripts, made, strict=True)
        ]
        outcomes = {outcome.asked: outcome for outcome in await ask(*requests)}
        heard = {heard.path: heard for heard in server.heard}
        return [(outcomes[request.url], heard[path]) for request, path in zip(requests, scripts, strict=True)]


@cache
def whole_ones() -> list[Made]:
    return [make(number) for number in range(CASES + TLS_CASES)]


@cache
def cut_ones() -> list[Made]:
    """Responses that say how long they are, and end before."""
    chance = random.Random(SEED)
    fit = [case for case in whole_ones() if case.entity and case.framing != "close" and not case.interim][:CUT_CASES]
    cut = [case.response[: chance.randrange(1, len(case.response))] for case in fit]
    return [replace(case, response=data, steps=(data, "close")) for case, data in zip(fit, cut, strict=True)]


async def trial() -> list[tuple[Outcome, Heard]]:
    whole = whole_ones()
    return [*await play(whole[:CASES]), *await play(whole[CASES:], tls=True), *await play(cut_ones())]


@cache
def played() -> list[tuple[Made, Outcome, Heard]]:
    return [(case, *pair) for case, pair in zip([*whole_ones(), *cut_ones()], in_reactor(trial), strict=True)]


def found() -> list[tuple[Made, Outcome, Heard]]:
    return played()[: CASES + TLS_CASES]


def test_every_response_is_kept_as_the_server_recorded_it() -> None:
    wrong = [
        (case, outcome.error, outcome.words)
        for case, outcome, heard in played()
        if outcome.exchange is None
        or outcome.exchange.response != case.response
        or outcome.interim + outcome.exchange.response != bytes(heard.sent)
    ]
    assert wrong == []


def test_every_request_is_kept_as_the_server_heard_it() -> None:
    assert [heard.request for _, outcome, heard in played() if outcome.exchange.request != heard.request] == []


def test_none_is_taken_for_cut_short_but_those_that_are() -> None:
    truncated = [outcome.exchange.truncated for _, outcome, _ in played()]
    assert truncated == [None] * (CASES + TLS_CASES) + ["disconnect"] * CUT_CASES


def test_the_entity_and_the_status_are_what_the_server_meant() -> None:
    for case, outcome, _ in found():
        assert (outcome.status, outcome.body) == (case.status, case.entity), case
        response = parse_response(outcome.exchange.response)
        assert response.head.status == case.status
        assert case.method == "HEAD" or (response.entity, response.whole) == (case.entity, True), case


def test_connections_were_used_again_and_many_kinds_were_tried() -> None:
    assert len({heard.connection for _, _, heard in found()[:CASES]}) < CASES * 0.6
    responses = [case.response for case, _, _ in found()]
    assert len(set(responses)) > 450
    for mark in (
        b"chunked",
        b"HTTP/1.0",
        b"\n\n",
        b"Set-Cookie",
        b"gzip, br",
        b"0;last",
        b"\r\n\ttwo",
        b" 404",
        b"\x80\xff\x01",
    ):
        assert sum(mark.lower() in response.lower() for response in responses) >= 5, mark
    assert sum(bool(case.interim) for case, _, _ in found()) > 40


def test_the_warc_file_gives_back_the_same_bytes_and_both_readers_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # warcio 1.8 knows brotlipy's Decompressor alone (its issue 73); with Google's beside it, its check breaks off.
    monkeypatch.delitem(BufferedReader.DECOMPRESSORS, "br", raising=False)
    with WarcWriter(tmp_path, "qianxian", info=INFO) as writer:
        places = [write(writer, outcome.exchange) for _, outcome, _ in played()]
    [path] = tmp_path.glob("*.warc.gz")
    assert_both_readers_are_content(path)
    for place, (case, _, _) in zip(places, played(), strict=True):
        assert read_record(tmp_path, place).block == case.response
    requests = [record.reader.read() for record in fastwarc_records(path) if record.headers["WARC-Type"] == "request"]
    assert requests == [heard.request for _, _, heard in played()]
