"""WARC files as they are written: what both readers accept, and what a hostile portal can't do to them."""

import hashlib
import re
import resource
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from warcio.archiveiterator import ArchiveIterator

from crawler.records import RecordRef
from crawler.warc.files import WarcError, open_files
from crawler.warc.http import parse_response
from crawler.warc.reader import entries, read_original, read_record
from crawler.warc.record import IDENTICAL_PAYLOAD, NOT_MODIFIED, original_at, record_id, warc_date
from crawler.warc.writer import WarcWriter
from tests.support.warc import (
    INFO,
    PAGE,
    REQUEST,
    STARTED,
    URL,
    archived,
    assert_both_readers_are_content,
    exchange,
    fastwarc_records,
    write,
)

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
CHUNKED_AGAIN = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n"

tokens = st.text("abcXYZ-019", min_size=1, max_size=12).map(str.encode)
values = st.binary(max_size=30).map(lambda value: value.translate(None, b"\r\n"))
messages = st.builds(
    lambda status, reason, headers, body: b"".join(
        (b"HTTP/1.1 %d %b\r\n" % (status, reason), *(b"%b:%b\r\n" % header for header in headers), b"\r\n", body)
    ),
    st.integers(100, 599),
    values,
    st.lists(st.tuples(tokens, values), max_size=4),
    st.binary(max_size=200),
)
odd = st.builds(
    lambda start, parts: start + b"".join(parts),
    st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 404 \xff\n", b"HTTP/0.9\r\n\r\n", b"<html>"]),
    st.lists(
        st.sampled_from(
            [b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"A: b\r\n", b"\x00", b"\x85", b"5\r\n", b"\r\n\r\n"]
        )
        | st.sampled_from(
            [b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"WARC/1.1\r\n", b"\x1f\x8b\x08"]
        ),
        max_size=12,
    ),
)


def fields_of(folder: Path, ref: RecordRef) -> dict[str, str]:
    return read_record(folder, ref).fields


def test_an_exchange_becomes_response_and_request_after_a_warcinfo(tmp_path: Path):
    path = archived(tmp_path, exchange())
    assert [entry.kind for entry in entries(path)] == ["warcinfo", "response", "request"]
    assert_both_readers_are_content(path)


def test_request_and_response_lie_there_exactly_as_on_the_wire(tmp_path: Path):
    raw = "HTTP/1.1 200 很好\r\nb: 2\r\nA:1\r\na:   1 \r\n\r\n正文".encode("gb18030")
    path = archived(tmp_path, exchange(raw))
    assert [record.reader.read() for record in fastwarc_records(path)][1:] == [raw, REQUEST]


@settings(max_examples=60)
@given(st.lists(messages | odd | st.binary(max_size=60), min_size=1, max_size=8))
def test_whatever_a_server_sends_comes_back_byte_for_byte_and_pleases_both_readers(sent: list[bytes]):
    with TemporaryDirectory() as folder:
        path = archived(Path(folder), *(exchange(raw) for raw in sent))
        assert_both_readers_are_content(path)
        records = fastwarc_records(path)[1:]
        assert [record.reader.read() for record in records[::2]] == sent
        assert {record.reader.read() for record in records[1::2]} == {REQUEST}
        assert len(list(ArchiveIterator(BytesIO(path.read_bytes()), check_digests=True))) == 1 + 2 * len(sent)


def test_each_record_is_a_gzip_member_that_opens_alone(tmp_path: Path):
    path = archived(tmp_path, exchange(), exchange(CHUNKED))
    data = path.read_bytes()
    found = list(entries(path))
    assert sum(entry.ref.length for entry in found) == len(data)
    for entry in found:
        record = zlib.decompress(data[entry.ref.offset : entry.ref.offset + entry.ref.length], wbits=31)
        assert record.startswith(b"WARC/1.1\r\n")
        assert record.endswith(b"\r\n\r\n")


def test_the_place_given_back_is_the_place_of_the_response(tmp_path: Path):
    with WarcWriter(tmp_path, "qianxian", info=INFO) as writer:
        places = [write(writer, exchange()), write(writer, exchange(CHUNKED), fields={"via": URL})]
    (path,) = tmp_path.iterdir()
    assert [entry.ref for entry in entries(path) if entry.kind == "response"] == places
    assert {place.file for place in places} == {path.name}


def test_an_identifier_follows_from_the_place_alone(tmp_path: Path):
    path = archived(tmp_path, exchange(), exchange(CHUNKED))
    for entry in entries(path):
        assert entry.record_id == record_id(path.name, entry.ref.offset)


def test_the_records_of_an_exchange_name_each_other(tmp_path: Path):
    with WarcWriter(tmp_path, "qianxian", info=INFO) as writer:
        place = write(writer, exchange(), fields={"via": "http://www.example.gov.cn/", "charset": "gb18030"})
    (path,) = tmp_path.iterdir()
    info, response, request, metadata = (read_record(tmp_path, entry.ref) for entry in entries(path))
    answer = f"<{record_id(place.file, place.offset)}>"
    assert response.fields["warc-record-id"] == answer
    assert response.fields["warc-warcinfo-id"] == info.fields["warc-record-id"]
    assert request.fields["warc-concurrent-to"] == metadata.fields["warc-refers-to"] == answer
    assert metadata.block == b"via: http://www.example.gov.cn/\r\ncharset: gb18030\r\n"
    assert {record.fields["warc-date"] for record in (response, request, metadata)} == {warc_date(STARTED)}
    assert response.fields["warc-ip-address"] == "192.0.2.7"


def test_the_first_record_says_who_archived_what_and_how(tmp_path: Path):
    path = archived(tmp_path, exchange())
    info = read_record(tmp_path, next(entries(path)).ref)
    assert info.fields["warc-filename"] == path.name
    lines = info.block.decode().splitlines()
    assert {"software: xianzhi/test", "operator: archive@example.org", "robots: RFC 9309", "isPartOf: qianxian"} <= set(
        lines
    )


def test_a_payload_digest_is_the_one_of_the_capture_where_nothing_is_chunked(tmp_path: Path):
    with WarcWriter(tmp_path, "qianxian", info=INFO) as writer:
        place = write(writer, exchange())
    expected = hashlib.sha256(b"<html></html>").hexdigest()
    assert fields_of(tmp_path, place)["warc-payload-digest"] == f"sha256:{expected}"


def test_a_chunked_payload_is_digested_as_sent(tmp_path: Path):
    path = archived(tmp_path, exchange(CHUNKED))
    body = CHUNKED.partition(b"\r\n\r\n")[2]
    response = list(entries(path))[1]
    assert response.payload_digest == f"sha256:{hashlib.sha256(body).hexdigest()}"
    assert_both_readers_are_content(path)


def test_a_posted_form_has_a_payload_digest(tmp_path: Path):
    path = archived(tmp_path, exchange(request=b"POST /list HTTP/1.1\r\nHost: a\r\n\r\npage=2", method="POST"))
    request = list(entries(path))[2]
    assert request.payload_digest == f"sha256:{hashlib.sha256(b'page=2').hexdigest()}"
    assert_both_readers_are_content(path)


def test_a_response_cut_short_says_why_and_an_absent_one_is_empty(tmp_path: Path):
    with WarcWriter(tmp_path, "qianxian", info=INFO) as writer:
        cut = write(writer, exchange(PAGE[:-3], truncated="time"))
        absent = write(writer, exchange(b"", truncated="disconnect", ip=None))
    assert fields_of(tmp_path, cut)["warc-truncated"] == "time"
    assert fields_of(tmp_path, absent)["content-length"] == "0"
    assert "warc-ip-address" not in fields_of(tmp_path, absent)
    assert_both_readers_are_content(next(tmp_path.iterdir()))


def test_a_repeated_payload_becomes_a_revisit_without_its_body(tmp_path: Path):
    with WarcWriter(tmp_path, "qianxian", info=INFO) as writer:
        first = write(writer, exchange())
        original = read_original(tmp_path, first)
        again = write(writer, exchange(started_at=STARTED + timedelta(days=1)), revisit=original)
    record = read_record(tmp_path, again)
    assert record.block == PAGE.removesuffix(b"<html></html>")
    assert record.fields["warc-type"] == "revisit"
    assert record.fields["warc-profile"] == IDENTICAL_PAYLOAD
    assert record.fields["warc-refers-to"] == fields_of(tmp_path, first)["warc-record-id"]
    assert record.fields["warc-refers-to-target-uri"] == URL
    assert record.fields["warc-refers-to-date"] == warc_date(STARTED)
    assert record.fields["warc-truncated"] == "length"
    assert_both_readers_are_content(next(tmp_path.iterdir()))


def test_a_revisit_states_its_originals_digest_though_the_chunks_were_cut_elsewhere(tmp_path: Path):
    with WarcWriter(tmp_path, "qianxian", info=INFO) as writer:
        first = write(writer, exchange(CHUNKED))
        again = write(writer, exchange(CHUNKED_AGAIN), revisit=read_original(tmp_path, first))
    assert parse_response(CHUNKED).entity == parse_response(CHUNKED_AGAIN).entity
    # Replay tools find the original by this equality.
    assert fields_of(tmp_path, again)["warc-payload-digest"] == fields_of(tmp_path, first)["warc-payload-digest"]


def test_an_answer_304_becomes_a_revisit_that_keeps_every_byte(tmp_path: Path):
    answer = b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'
    with WarcWriter(tmp_path, "qianxian", info=INFO) as writer:
        first = write(writer, exchange())
        original = read_original(tmp_path, first)
        again = write(writer, exchange(answer), revisit=original)
    record = read_record(tmp_path, again)
    assert record.block == answer
    assert record.fields["warc-profile"] == NOT_MODIFIED
    assert record.fields["warc-payload-digest"] == original.payload_digest
    assert "warc-truncated" not in record.fields


def test_an_original_in_a_file_that_is_elsewhere_can_be_named_from_its_place(tmp_path: Path):
    with WarcWriter(tmp_path, "qianxian", info=INFO) as writer:
        first = write(writer, exchange())
    digest = hashlib.sha256(b"<html></html>").hexdigest()
    named = original_at(first, url=URL, fetched_at=STARTED, payload_digest=f"sha256:{digest}")
    assert named == read_original(tmp_path, first)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.cn/x\r\nWARC-Type: warcinfo\r\n\r\nforged",
        'http://a.cn/a b\tc<d>"e\\f`g{h}|i^j',
        "http://a.cn/乾县/\ud800\x00\x85\u2028",
        "<http://a.cn/>",
        "http://[2001:db8::1]:8080/?a=%E4%B9%BE&b=[1]#c",
        "",
    ],
)
def test_a_hostile_address_stays_one_field(tmp_path: Path, url: str):
    with WarcWriter(tmp_path, "qianxian", info=INFO) as writer:
        place = write(writer, exchange(url=url), fields={"via": url})
    record = read_record(tmp_path, place)
    assert re.fullmatch("[!-;=?-Z_a-z~\\[\\]]*", record.fields["warc-target-uri"])
    assert record.fields["warc-type"] == "response"
    assert record.block == PAGE
    path = next(tmp_path.iterdir())
    assert_both_readers_are_content(path)
    metadata = read_record(tmp_path, list(entries(path))[3].ref)
    assert metadata.block.count(b"\n") == 1


def test_an_ordinary_address_is_kept_as_it_is(tmp_path: Path):
    url = "https://www.example.gov.cn:8443/a/b.jsp;jsessionid=1?x=%E4%B9%BE&y=a+b,c!'()*~[1]#top"
    path = archived(tmp_path, exchange(url=url))
    assert list(entries(path))[1].url == url


def test_a_field_name_that_would_break_the_block_is_refused(tmp_path: Path):
    with WarcWriter(tmp_path, "qianxian", info=INFO) as writer, pytest.raises(ValueError, match="name of a WARC field"):
        write(writer, exchange(), fields={"a: b\r\nc": "d"})


@pytest.mark.parametrize("portal_id", ["", "../escape", "a/b", ".hidden", "a\nb", "县"])
def test_a_portal_id_that_would_leave_the_folder_is_refused(tmp_path: Path, portal_id: str):
    with pytest.raises(ValueError, match="portal"):
        WarcWriter(tmp_path, portal_id, info=INFO)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        warc_date(datetime(2026, 3, 1))  # noqa: DTZ001
    assert warc_date(datetime(2026, 3, 1, 8, tzinfo=timezone(timedelta(hours=8)))) == "2026-03-01T00:00:00.000000Z"


def test_a_file_is_open_until_it_is_closed_and_appears_with_its_first_exchange(tmp_path: Path):
    folder = tmp_path / "warc"
    writer = WarcWriter(folder, "qianxian", info=INFO, clock=lambda: STARTED)
    writer.close()
    assert not folder.exists()
    place = write(writer, exchange())
    assert [path.name for path in folder.iterdir()] == [f"{place.file}.open"]
    writer.flush(fsync=True)
    assert read_record(folder, place).block == PAGE
    writer.close()
    assert place.file == "xianzhi-qianxian-20260301180509-00001.warc.gz"
    assert [path.name for path in folder.iterdir()] == [place.file]
    assert read_record(folder, place).block == PAGE


def test_files_rotate_between_exchanges(tmp_path: Path):
    with WarcWriter(tmp_path, "qianxian", info=INFO, max_bytes=2_000, clock=lambda: STARTED) as writer:
        places = [write(writer, exchange()) for _ in range(7)]
    paths = sorted(tmp_path.iterdir())
    assert len(paths) > 1
    assert [path.name[-13:-8] for path in paths] == [f"{serial:05}" for serial in range(1, len(paths) + 1)]
    assert sorted({place.file for place in places}) == [path.name for path in paths]
    for path in paths:
        kinds = [entry.kind for entry in entries(path)]
        assert kinds == ["warcinfo", *["response", "request"] * (len(kinds) // 2)]
        assert_both_readers_are_content(path)


def test_a_file_that_is_old_enough_is_finished_however_short_it_is(tmp_path: Path):
    moments = [STARTED]
    with WarcWriter(
        tmp_path, "qianxian", info=INFO, max_age=timedelta(minutes=15), clock=lambda: moments[-1]
    ) as writer:
        write(writer, exchange())
        moments.append(STARTED + timedelta(minutes=14, seconds=59))
        writer.flush()
        assert len(open_files(tmp_path)) == 1
        write(writer, exchange())
        moments.append(STARTED + timedelta(minutes=15))
        writer.flush()
        assert open_files(tmp_path) == []
        write(writer, exchange())
        moments.append(STARTED + timedelta(minutes=30))
        write(writer, exchange())
        assert open_files(tmp_path) == []
    held = [[entry.kind for entry in entries(path)] for path in sorted(tmp_path.iterdir())]
    assert held == [["warcinfo", "response", "request", "response", "request"]] * 2


def test_writers_of_several_hosts_are_given_numbers_that_never_meet(tmp_path: Path):
    names = set()
    for host, first in (("one", 7_000_001_0001), ("other", 8_000_001_0001)):
        with WarcWriter(tmp_path / host, "qianxian", info=INFO, first_serial=first, clock=lambda: STARTED) as writer:
            names.add(write(writer, exchange()).file)
    assert names == {
        "xianzhi-qianxian-20260301180509-70000010001.warc.gz",
        "xianzhi-qianxian-20260301180509-80000010001.warc.gz",
    }


def test_two_writers_in_the_same_second_never_share_a_file(tmp_path: Path):
    taken = "xianzhi-qianxian-20260301180509-00001.warc.gz"
    (tmp_path / taken).write_bytes(b"finished")
    (tmp_path / taken.replace("00001", "00002.warc.gz.cut").removesuffix(".warc.gz")).write_bytes(b"cut")
    with (
        WarcWriter(tmp_path, "qianxian", info=INFO, clock=lambda: STARTED) as one,
        WarcWriter(tmp_path, "qianxian", info=INFO, clock=lambda: STARTED) as other,
    ):
        places = [write(one, exchange()), write(other, exchange())]
    assert [place.file[-13:-8] for place in places] == ["00003", "00004"]
    assert (tmp_path / taken).read_bytes() == b"finished"


@contextmanager
def full_disk(limit: int) -> Iterator[None]:
    """Let no file grow beyond *limit* bytes, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_an_error_that_names_the_file_and_leaves_whole_records(tmp_path: Path):
    noise = b"HTTP/1.1 200 OK\r\n\r\n" + b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(400))
    writer = WarcWriter(tmp_path, "qianxian", info=INFO)
    first = write(writer, exchange())
    with full_disk(6_000), pytest.raises(WarcError, match=re.escape(f"{first.file}.open")):
        write(writer, exchange(noise))
    second = write(writer, exchange(noise))
    writer.close()
    path = tmp_path / first.file
    assert [entry.kind for entry in entries(path)] == ["warcinfo", "response", "request", "response", "request"]
    assert read_record(tmp_path, second).block == noise
    assert_both_readers_are_content(path)


def test_a_disk_too_full_for_a_new_file_leaves_none(tmp_path: Path):
    writer = WarcWriter(tmp_path, "qianxian", info=INFO)
    with full_disk(100), pytest.raises(WarcError):
        write(writer, exchange())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_an_error_that_names_it(tmp_path: Path):
    (tmp_path / "warc").write_bytes(b"")
    with pytest.raises(WarcError, match="warc"):
        write(WarcWriter(tmp_path / "warc", "qianxian", info=INFO), exchange())
