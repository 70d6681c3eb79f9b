"""WARC files as they are read: a record by its place, a file in order."""

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from crawler.records import RecordRef
from crawler.warc.files import WarcError, open_files
from crawler.warc.reader import entries, read_capture, read_original, read_record
from crawler.warc.record import Original
from crawler.warc.writer import WarcWriter
from tests.support.warc import INFO, PAGE, STARTED, URL, archived, exchange, write

GZIPPED = gzip.compress("<p>乾县</p>".encode(), mtime=0)
CODED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (
    len(GZIPPED),
    GZIPPED,
)


def test_a_capture_points_at_the_bytes_it_came_from(tmp_path: Path):
    with WarcWriter(tmp_path, "qianxian", info=INFO) as writer:
        place = write(writer, exchange(CODED))
    response = read_capture(tmp_path, place)
    assert response.head.status == 200
    assert response.head.get("Content-Encoding") == "gzip"
    assert response.entity == GZIPPED
    assert response.whole


def test_a_file_still_being_written_can_be_read(tmp_path: Path):
    with WarcWriter(tmp_path, "qianxian", info=INFO) as writer:
        place = write(writer, exchange())
        (path,) = open_files(tmp_path)
        assert read_capture(tmp_path, place).entity == b"<html></html>"
        assert [entry.kind for entry in entries(path)] == ["warcinfo", "response", "request"]
        assert {entry.ref.file for entry in entries(path)} == {place.file}


def test_a_revisit_has_its_own_head_and_the_entity_of_its_original(tmp_path: Path):
    with WarcWriter(tmp_path, "qianxian", info=INFO) as writer:
        first = write(writer, exchange(CODED))
        original = read_original(tmp_path, first)
        same = write(writer, exchange(CODED.replace(b"200 OK", b"200 Fine")), revisit=original)
        unmodified = write(writer, exchange(b"HTTP/1.1 304 Not Modified\r\n\r\n"), revisit=original)
    assert read_capture(tmp_path, same, first).head.status_line == b"HTTP/1.1 200 Fine"
    assert read_capture(tmp_path, unmodified, first).head.status == 304
    for place in (same, unmodified):
        assert read_capture(tmp_path, place, first).entity == GZIPPED
        with pytest.raises(WarcError, match="without its original"):
            read_capture(tmp_path, place)
        with pytest.raises(WarcError, match="must be a response"):
            read_capture(tmp_path, place, same)


def test_entries_tell_what_an_index_needs(tmp_path: Path):
    path = archived(tmp_path, exchange())
    response = list(entries(path))[1]
    assert response.url == URL
    assert response.date == "2026-03-01T18:05:09.120000Z"
    assert response.status == 200
    assert response.content_type == "text/html"
    assert response.payload_digest == f"sha256:{hashlib.sha256(b'<html></html>').hexdigest()}"


FOREIGN = (
    b"WARC/1.0\r\nwarc-type: warcinfo\r\nWARC-Record-ID: <urn:uuid:%b1>\r\nWARC-Date: 2014-06-03T00:00:00Z\r\n"
    b"Content-Length: 0\r\n\r\n\r\n\r\n" % (b"0" * 35),
    b"WARC/1.0\r\nWARC-Date: 2014-06-03T07:27:00Z\r\nContent-Length: 24\r\nWARC-Target-URI: <http://a.cn/>\r\n"
    b"WARC-Type: response\r\nWARC-Record-ID: <urn:uuid:%b2>\r\n"
    b"Content-Type: application/http\r\n\r\nHTTP/1.0 200 OK\r\n\r\nhello\r\n\r\n" % (b"0" * 35),
)


@pytest.mark.parametrize("pack", [gzip.compress, bytes], ids=["gzip", "plain"])
def test_files_of_other_writers_are_read_as_well(tmp_path: Path, pack: Callable[[bytes], bytes]):
    path = tmp_path / "other.warc"
    path.write_bytes(b"".join(pack(record) for record in FOREIGN))
    info, response = entries(path)
    assert (info.kind, response.status) == ("warcinfo", 200)
    assert read_capture(tmp_path, response.ref).entity == b"hello"
    original = read_original(tmp_path, response.ref)
    assert original == Original(record_id=response.record_id, url="http://a.cn/", date="2014-06-03T07:27:00Z")


@pytest.mark.parametrize("cut", [1, 9, 200])
def test_entries_of_a_cut_file_end_with_its_last_whole_record(tmp_path: Path, cut: int):
    path = archived(tmp_path, exchange(), exchange())
    path.write_bytes(path.read_bytes()[:-cut])
    assert [entry.kind for entry in entries(path)] == ["warcinfo", "response", "request", "response"]


def test_what_is_no_warc_file_is_an_error_that_names_it(tmp_path: Path):
    path = tmp_path / "page.warc.gz"
    path.write_bytes(gzip.compress(b"<html>no archive</html>\n"))
    with pytest.raises(WarcError, match=r"page\.warc\.gz"):
        list(entries(path))


@pytest.mark.parametrize("name", ["missing.warc.gz", "../other.warc.gz", "/etc/passwd", "", "a/b"])
def test_a_name_that_leads_nowhere_or_outside_is_an_error(tmp_path: Path, name: str):
    (tmp_path / "warc").mkdir()
    (tmp_path / "other.warc.gz").write_bytes(gzip.compress(b"WARC/1.1\r\nContent-Length: 0\r\n\r\n\r\n\r\n"))
    with pytest.raises(WarcError):
        read_record(tmp_path / "warc", RecordRef(file=name, offset=0, length=100))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0), length=st.integers(0, 2_000), flip=st.none() | st.integers(0))
def test_a_wrong_place_or_a_flipped_bit_never_passes_for_another_record(
    tmp_path: Path, at: int, length: int, flip: int | None
):
    folder = tmp_path / f"{at}-{length}-{flip}"
    path = archived(folder, exchange(), exchange(CODED))
    data = bytearray(path.read_bytes())
    whole = {(entry.ref.offset, entry.ref.length): entry for entry in entries(path)}
    blocks = {place: read_record(folder, entry.ref).block for place, entry in whole.items()}
    ref = RecordRef(file=path.name, offset=at % len(data), length=length)
    if flip is not None:
        data[flip % len(data)] ^= 1 << flip % 8
        path.write_bytes(data)
    for place in (ref, *(entry.ref for entry in whole.values())):
        block = block_or_error(folder, place)
        assert path.name in str(block) or block in {blocks[known] for known in blocks if known[0] == place.offset}


def block_or_error(folder: Path, place: RecordRef) -> bytes | WarcError:
    try:
        return read_record(folder, place).block
    except WarcError as error:
        return error


def test_the_date_of_an_original_is_repeated_as_it_stands(tmp_path: Path):
    with WarcWriter(tmp_path, "qianxian", info=INFO) as writer:
        place = write(writer, exchange(PAGE, started_at=STARTED.replace(microsecond=0)))
    assert read_original(tmp_path, place).date == "2026-03-01T18:05:09.000000Z"
