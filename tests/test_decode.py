"""The bytes of a response become a page, whatever is on them and whatever they are called."""

import contextlib
import gzip
import random
import zlib
from datetime import UTC, datetime

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.records import Article, Capture, RecordRef
from crawler.text.coding import MAX_CODINGS, MAX_MEMBERS, unpacked
from pipelines.decode import DecodeError, DecodePipeline, decode

HTML = (
    "<html><head><title>青岚县</title></head><body>" + "<p>全县春耕工作全面展开。</p>" * 400 + "</body></html>"
).encode()


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def capture(
    body: bytes,
    *,
    coding: str | None = None,
    content_type: str | None = "text/html",
    kind: str = "article",
    status: int = 200,
    truncated: str | None = None,
) -> Capture:
    return Capture(
        run_id="r",
        portal_id="qinglan",
        kind=kind,
        url="http://www.qinglan.example/art/1.html",
        fetched_at=datetime(2024, 5, 1, tzinfo=UTC),
        status=status,
        content_type=content_type,
        content_encoding=coding,
        payload_sha256="0" * 64,
        record=RecordRef(file="a.warc.gz", offset=0, length=1),
        truncated=truncated,
        body=body,
    )


PACKED = {"gzip": gzip.compress(HTML), "x-gzip": gzip.compress(HTML), "deflate": zlib.compress(HTML)}
PACKED |= {"Deflate": raw_deflate(HTML), "br": brotli.compress(HTML), "identity": HTML, "": HTML}


@pytest.mark.parametrize("label", PACKED)
def test_every_coding_that_servers_use_is_undone(label: str) -> None:
    assert unpacked(PACKED[label], label) == HTML


@pytest.mark.parametrize("label", ["gzip", "deflate", "br", "utf-8", "none", None])
def test_a_plain_page_with_a_wrong_label_is_left_as_it_is(label: str | None) -> None:
    assert unpacked(HTML, label) == HTML


@pytest.mark.parametrize("label", [None, "deflate", "identity", "br"])
def test_gzip_is_undone_under_any_label(label: str | None) -> None:
    assert unpacked(gzip.compress(HTML), label) == HTML


def test_zlib_under_the_label_gzip_is_undone() -> None:
    assert unpacked(zlib.compress(HTML), "gzip") == HTML


def test_several_codings_are_undone_last_one_first() -> None:
    assert unpacked(brotli.compress(gzip.compress(HTML)), "gzip, br") == HTML
    assert unpacked(gzip.compress(zlib.compress(HTML)), "deflate, gzip") == HTML
    assert unpacked(gzip.compress(gzip.compress(HTML)), "gzip") == HTML


def test_a_gzip_file_of_several_members_is_read_whole() -> None:
    assert unpacked(gzip.compress(HTML[:500]) + gzip.compress(HTML[500:]) + b"\0\0", "gzip") == HTML


@pytest.mark.parametrize("label", ["gzip", "deflate", "Deflate", "br"])
def test_of_a_cut_stream_what_came_is_kept(label: str) -> None:
    packed = PACKED[label]
    came = unpacked(packed[: len(packed) - 5], label)
    assert came
    assert HTML.startswith(came)


def test_a_wrong_checksum_costs_nothing() -> None:
    packed = gzip.compress(HTML)
    assert unpacked(packed[:-8] + b"\0" * 8, "gzip") == HTML


def test_all_before_the_damage_is_kept() -> None:
    packed = bytearray(raw_deflate(HTML + random.Random(1).randbytes(40_000)))
    packed[-20_000:] = b"\xff" * 20_000
    assert unpacked(bytes(packed), "deflate").startswith(HTML)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, brotli.compress])
def test_a_bomb_is_refused_with_its_limit(pack) -> None:
    label = {gzip.compress: "gzip", zlib.compress: "deflate", brotli.compress: "br"}[pack]
    assert len(unpacked(pack(b" " * 100_000), label, limit=100_000)) == 100_000
    with pytest.raises(DecodeError, match="longer than 100,000 bytes"):
        unpacked(pack(b" " * 100_001), label, limit=100_000)


def test_the_limit_of_a_page_is_32_megabytes() -> None:
    with pytest.raises(DecodeError, match="longer than 33,554,432 bytes"):
        decode(capture(gzip.compress(b"\0" * 40_000_000), coding="gzip"))


def test_the_limit_holds_over_all_members() -> None:
    with pytest.raises(DecodeError, match="longer than 1,000 bytes"):
        unpacked(gzip.compress(b" " * 600) * 2, "gzip", limit=1_000)


def test_a_tower_of_codings_is_refused() -> None:
    data = HTML
    for _ in range(MAX_CODINGS + 3):
        data = gzip.compress(data)
    with pytest.raises(DecodeError, match="on top of each other"):
        unpacked(data, None)


def test_thousands_of_members_are_refused() -> None:
    with pytest.raises(DecodeError, match="members"):
        unpacked(gzip.compress(b"") * (MAX_MEMBERS + 1), "gzip")


def test_a_coding_nobody_asked_for_is_named() -> None:
    with pytest.raises(DecodeError, match="zstd"):
        unpacked(b"\x28\xb5\x2f\xfd" + b"\0" * 20, "zstd")


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "br", "gzip, br, deflate", "x,y", None]))
def test_any_body_is_unpacked_or_refused(body: bytes, label: str | None) -> None:
    with contextlib.suppress(DecodeError):
        assert len(unpacked(body, label, limit=5_000)) <= 5_000


def test_a_page_holds_its_text_and_why_it_was_read_so() -> None:
    page = decode(capture(gzip.compress("<meta charset=gb2312>青岚县".encode()), coding="gzip"))
    assert page.text == "<meta charset=gb2312>青岚县"
    assert page.encoding == "utf-8"
    assert page.encoding_basis == "utf-8 strict; page gb2312"


def test_a_page_keeps_its_capture_but_not_the_bytes() -> None:
    page = decode(capture(HTML))
    assert page.capture.url == "http://www.qinglan.example/art/1.html"
    assert page.capture.body == b""


def test_the_catalogue_s_encoding_is_a_hint() -> None:
    assert decode(capture("公告".encode("big5hkscs")), hint="big5hkscs").text == "公告"


def test_the_pipeline_decodes_whole_article_pages_only() -> None:
    stage = DecodePipeline()
    assert stage.process_item(capture(HTML)).text == HTML.decode()
    others = [
        capture(HTML, kind="list"),
        capture(HTML, status=404),
        capture(HTML, truncated="length"),
        Article(capture=capture(b""), encoding="utf-8", kind="article"),
    ]
    for item in others:
        assert stage.process_item(item) is item
