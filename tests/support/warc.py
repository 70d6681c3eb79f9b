"""Exchanges to archive, and what the two WARC readers say of the file that holds them."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fastwarc.warc
from warcio.checker import Checker

from crawler.records import Exchange, RecordRef
from crawler.warc.http import parse_response
from crawler.warc.record import Original
from crawler.warc.writer import WarcWriter

INFO = {"software": "xianzhi/test", "operator": "archive@example.org", "robots": "RFC 9309"}
URL = "http://www.example.gov.cn/xwzx/t20140603_1.html"
STARTED = datetime(2026, 3, 1, 18, 5, 9, 120_000, tzinfo=UTC)
REQUEST = b"GET /xwzx/t20140603_1.html HTTP/1.1\r\nHost: www.example.gov.cn\r\nAccept: text/html\r\n\r\n"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>"


def exchange(response: bytes = PAGE, **changes: Any) -> Exchange:
    """One exchange with the given *response*."""
    values: dict[str, Any] = {
        "url": URL,
        "method": "GET",
        "started_at": STARTED,
        "ip": "192.0.2.7",
        "request": REQUEST,
        "response": response,
    }
    return Exchange(**values | changes)


def write(writer: WarcWriter, written: Exchange, **options: Any) -> RecordRef:
    """Write an exchange, with payload and digest as the fetching side computes them."""
    payload = parse_response(written.response).entity
    digest = hashlib.sha256(payload).hexdigest()
    return writer.write_exchange(written, payload=payload, payload_sha256=digest, **options)


def archived(folder: Path, *written: Exchange, revisit: Original | None = None) -> Path:
    """A finished file with these exchanges."""
    with WarcWriter(folder, "qianxian", info=INFO, clock=lambda: STARTED) as writer:
        for one in written:
            write(writer, one, revisit=revisit)
    return max(folder.glob("*.warc.gz"))


def fastwarc_records(path: Path, *, parse_http: bool = False) -> list[fastwarc.warc.WarcRecord]:
    """Records as FastWARC reads them."""
    records = []
    with path.open("rb") as stream:
        for record in fastwarc.warc.ArchiveIterator(stream, parse_http=parse_http):
            record.freeze()
            records.append(record)
    return records


def assert_both_readers_are_content(path: Path) -> None:
    """``warcio check``, and FastWARC over every block and over the payload of every response with a payload digest."""
    assert Checker(SimpleNamespace(inputs=[str(path)], verbose=False)).process_all() == 0
    for record in fastwarc_records(path):
        assert record.verify_block_digest(), record.record_id
    with path.open("rb") as stream:
        for record in fastwarc.warc.ArchiveIterator(stream, parse_http=False):
            # A revisit's payload lies elsewhere, so FastWARC can't check its digest.
            if "WARC-Payload-Digest" in record.headers and record.record_type != fastwarc.warc.revisit:
                record.parse_http()
                assert record.verify_payload_digest(), record.record_id
