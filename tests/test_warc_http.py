"""An HTTP response taken apart: what portals really send, not only what RFC 9112 allows."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from crawler.warc.http import dechunk, parse_response, payload_start, split_head


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_a_plain_response_falls_into_status_headers_and_entity():
    response = parse_response(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello")
    assert response.head.status_line == b"HTTP/1.1 200 OK"
    assert response.head.status == 200
    assert response.head.headers == ((b"Content-Type", b"text/html"), (b"Content-Length", b"5"))
    assert response.entity == b"hello"
    assert response.whole


def test_headers_are_found_whatever_their_case_and_duplicates_keep_their_order():
    head = split_head(b"HTTP/1.1 200 OK\r\nset-COOKIE: a\r\nSet-Cookie: b\r\n\r\n")
    assert head.get("Set-Cookie") == "a"
    assert head.get_all("Set-Cookie") == ["a", "b"]
    assert head.get("ETag") is None


def test_bytes_that_are_no_ascii_survive_in_reason_and_headers():
    head = split_head("HTTP/1.1 404 找不到\r\nX-Title: 乾县\r\n\r\n".encode("gb18030"))
    assert head.status == 404
    assert head.status_line == "HTTP/1.1 404 找不到".encode("gb18030")
    assert head.headers == ((b"X-Title", "乾县".encode("gb18030")),)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\nhello", 200),
        (b"HTTP/1.1 200\r\n\r\nhello", 200),
        (b"HTTP/1.1 200 OK\n\nhello", 200),
        (b"HTTP/1.1 200 OK\nServer: a\n\nhello", 200),
        (b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\nhello", 200),
        (b"HTTP/1.1 abc\r\n\r\nhello", None),
        (b"hello", None),
    ],
)
def test_sloppy_responses_keep_their_entity(raw: bytes, status: int | None):
    response = parse_response(raw)
    assert response.head.status == status
    assert response.entity == b"hello"


def test_a_folded_header_is_one_value():
    assert split_head(b"HTTP/1.1 200 OK\r\nX-A: one\r\n two\r\n\r\n").get("X-A") == "one two"


def test_a_response_cut_inside_its_headers_has_no_entity():
    response = parse_response(b"HTTP/1.1 200 OK\r\nContent-Type: text/h")
    assert (response.head.status, response.entity) == (200, b"")


def test_interim_responses_are_passed_over():
    raw = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhello"
    response = parse_response(raw)
    assert (response.head.status, response.entity) == (200, b"hello")
    assert raw[response.head.length :] == b"hello"


@pytest.mark.parametrize(
    ("length", "entity", "whole"),
    [
        (b"5", b"hello", True),
        (b"3", b"hel", True),
        (b"9", b"hello", False),
        (b"5, 5", b"hello", True),
        (b"4, 5", b"hello", True),
        (b"-1", b"hello", True),
        ("５".encode(), b"hello", True),
        (b"9" * 5000, b"hello", True),
    ],
)
def test_content_length_says_where_the_entity_ends_unless_it_is_nonsense(length: bytes, entity: bytes, whole: bool):
    response = parse_response(b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\nhello" % length)
    assert (response.entity, response.whole) == (entity, whole)


@pytest.mark.parametrize("promise", [b"Content-Length: 40000", b"Transfer-Encoding: chunked"])
def test_a_304_is_whole_though_it_speaks_of_the_page(promise):
    response = parse_response(b"HTTP/1.1 304 Not Modified\r\n" + promise + b"\r\n\r\n")
    assert (response.entity, response.whole) == (b"", True)


def test_chunks_are_joined_and_their_announcement_wins_over_content_length():
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\ntransfer-encoding: Chunked\r\n\r\n" + chunked(b"hel", b"lo")
    response = parse_response(raw)
    assert (response.entity, response.whole) == (b"hello", True)


@pytest.mark.parametrize(
    ("body", "data", "whole"),
    [
        (b"5;name=value\r\nhello\r\n0\r\n\r\n", b"hello", True),
        (b"5 \r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n", b"hello", True),
        (b"5\nhello\n0\n\n", b"hello", True),
        (b"5\r\nhello\r\n", b"hello", False),
        (b"5\r\nhello", b"hello", False),
        (b"5\r\nhel", b"hel", False),
        (b"5\r\nhello\r\nzz\r\nmore", b"hello", False),
        (b"5\r\nhello\r\n3", b"hello", False),
        (b"5\r\nhelloX", b"hello", False),
        (b"5\r\nhello\r\n-2\r\nab\r\n", b"hello", False),
        (b"5\r\nhello\r\n1_0\r\nab\r\n", b"hello", False),
        (b"5\r\nhello\r\nffffffffffffffffffff\r\nab", b"hello", False),
        (b"1f", b"", False),
        (b"", b"", False),
        (b"<html>never chunked</html>\n", b"<html>never chunked</html>\n", False),
    ],
)
def test_broken_chunks_give_what_could_be_read(body: bytes, data: bytes, whole: bool):
    assert dechunk(body) == (data, whole)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8))
def test_dechunking_undoes_chunking(parts: list[bytes]):
    assert dechunk(chunked(*parts)) == (b"".join(parts), True)


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=4), st.data())
def test_cut_chunks_give_a_beginning_of_the_data(parts: list[bytes], data: st.DataObject):
    body = chunked(*parts)
    cut = data.draw(st.integers(0, len(body) - 5))
    read, whole = dechunk(body[:cut])
    assert b"".join(parts).startswith(read)
    assert not whole


@given(st.binary(max_size=300).map(lambda tail: b"HTTP/1.1 200 OK\r\n" + tail) | st.binary(max_size=300))
def test_anything_at_all_can_be_taken_apart(raw: bytes):
    response = parse_response(raw)
    assert response.head.length <= len(raw)
    start = payload_start(raw)
    if start is not None and response.head.status is not None:
        assert start == response.head.length
