"""Collections of WARC and ARC files as other programs write them, and a place to import them into."""

import gzip
import io
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.catalogue import Portal
from crawler.importing.work import Import, Imported
from crawler.warc.writer import WarcWriter
from tests.support.crawling import article_page, text_of, title_of
from tests.support.warc import exchange, write

HOST = "www.liuxi.example"
HOME = f"http://{HOST}/"
PORTAL = Portal(id="liuxi", name="柳溪县人民政府", division="610424", homepage=HOME)
START = datetime(2013, 5, 6, 8, 0, tzinfo=UTC)
REQUEST = b"GET / HTTP/1.1\r\nHost: www.liuxi.example\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A response as a collection has it."""

    url: str
    day: float
    body: bytes
    status: str = "200 OK"
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/html; charset=utf-8"),)
    of: "Taken | None" = None
    """The response that this one is a revisit of."""

    @property
    def date(self) -> str:
        return (START + timedelta(days=self.day)).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def message(self) -> bytes:
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        return f"HTTP/1.1 {self.status}\r\n{head}\r\n".encode() + self.body


def page(number: int, *, day: float = 0, text: str | None = None, url: str | None = None, **changes: Any) -> Taken:
    body = article_page(title_of(number), text or text_of(number)).body
    return Taken(url=url or f"{HOME}news/{number}.html", day=day, body=body, **changes)


def revisit(of: Taken, *, day: float) -> Taken:
    return Taken(url=of.url, day=day, body=b"", headers=of.headers, of=of)


# Files as other programs write them.


def written(taken: Sequence[Taken], *, version: str, zipped: bool, refers: str = "place") -> bytes:
    """A file by warcio. *refers*: how revisits name their originals: ``place`` (address and date), ``id``, ``digest``."""
    out = io.BytesIO()
    file = WARCWriter(out, gzip=zipped, warc_version=version)
    file.write_record(file.create_warcinfo_record("a.warc.gz", {"software": "Wget/1.21"}))
    ids: dict[int, str] = {}
    digests: dict[int, str] = {}
    for one in taken:
        head = StatusAndHeaders(one.status, list(one.headers), protocol="HTTP/1.1")
        fields = {"WARC-Date": one.date}
        if one.of is None:
            record = file.create_warc_record(
                one.url, "response", io.BytesIO(one.body), len(one.body), http_headers=head, warc_headers_dict=fields
            )
        else:
            record = file.create_revisit_record(
                one.url, digests[id(one.of)], one.of.url, one.of.date, http_headers=head, warc_headers_dict=fields
            )
            if refers != "place":
                record.rec_headers.remove_header("WARC-Refers-To-Target-URI")
                record.rec_headers.remove_header("WARC-Refers-To-Date")
            if refers == "id":
                record.rec_headers.add_header("WARC-Refers-To", ids[id(one.of)])
        file.write_record(record)
        ids[id(one)] = record.rec_headers.get_header("WARC-Record-ID")
        digests[id(one)] = record.rec_headers.get_header("WARC-Payload-Digest") or digests.get(id(one.of), "")
        asked = StatusAndHeaders("GET / HTTP/1.1", [("Host", HOST)], is_http_request=True)
        file.write_record(
            file.create_warc_record(one.url, "request", io.BytesIO(), 0, http_headers=asked, warc_headers_dict=fields)
        )
    log = file.create_warc_record(
        "metadata://gnu.org/software/wget/warc/wget.log",
        "resource",
        io.BytesIO(b"log"),
        3,
        warc_content_type="text/plain",
    )
    file.write_record(log)
    return out.getvalue()


def wget(taken: Sequence[Taken]) -> bytes:
    return written(taken, version="WARC/1.0", zipped=True)


def heritrix(taken: Sequence[Taken]) -> bytes:
    """With angle brackets around addresses, look-ups of names, and headers in an order of their own."""
    out = io.BytesIO()

    def add(kind: str, uri: str, date: str, block: bytes, content_type: str) -> None:
        head = (
            f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: <{uri}>\r\nWARC-Date: {date}\r\n"
            f"WARC-IP-Address: 192.0.2.1\r\nWARC-Record-ID: <urn:uuid:{len(out.getvalue()):032x}>\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(block)}\r\n\r\n"
        )
        out.write(gzip.compress(head.encode() + block + b"\r\n\r\n"))

    add(
        "warcinfo",
        "none",
        START.strftime("%Y-%m-%dT%H:%M:%SZ"),
        b"software: Heritrix/3.4\r\n",
        "application/warc-fields",
    )
    add(
        "response",
        f"dns:{HOST}",
        START.strftime("%Y-%m-%dT%H:%M:%SZ"),
        b"20130506\nwww 300 IN A 192.0.2.1\n",
        "text/dns",
    )
    for one in taken:
        add("response", one.url, one.date, one.message, "application/http; msgtype=response")
        add("request", one.url, one.date, REQUEST, "application/http; msgtype=request")
        add("metadata", one.url, one.date, b"via: http://x/\r\nfetchTimeMs: 12\r\n", "application/warc-fields")
    return out.getvalue()


def plain(taken: Sequence[Taken]) -> bytes:
    return written(taken, version="WARC/1.1", zipped=False)


def whole(taken: Sequence[Taken]) -> bytes:
    return gzip.compress(plain(taken))


def joined(taken: Sequence[Taken]) -> bytes:
    """Several files compressed as a whole, one behind the other."""
    return b"".join(gzip.compress(plain([one])) for one in taken)


def arc(taken: Sequence[Taken]) -> bytes:
    described = b"1 0 InternetArchive\nURL IP-address Archive-date Content-type Archive-length\n"
    data = b"filedesc://a.arc 0.0.0.0 20130506000000 text/plain %d\n%b\n" % (len(described), described)
    data += b"dns:www.liuxi.example 192.0.2.1 20130506000000 text/dns 3\nabc\n"
    for one in taken:
        date = one.date.translate(str.maketrans("", "", "-T:Z"))
        data += f"{one.url} 192.0.2.1 {date} text/html {len(one.message)}\n".encode() + one.message + b"\n"
    return data


def zipped_arc(taken: Sequence[Taken]) -> bytes:
    parts = arc(taken).split(b"\nhttp://")
    return b"".join(gzip.compress((b"http://" if number else b"") + part + b"\n") for number, part in enumerate(parts))


def ours(taken: Sequence[Taken], folder: Path) -> Path:
    with WarcWriter(folder, "other", info={"software": "xianzhi/0"}, clock=lambda: START) as file:
        for one in taken:
            started = START + timedelta(days=one.day)
            write(file, exchange(one.message, url=one.url, started_at=started, request=REQUEST))
    return next(folder.glob("*.warc.gz"))


SHAPES: dict[str, tuple[str, Callable[[Sequence[Taken]], bytes]]] = {
    "wget": ("a.warc.gz", wget),
    "heritrix": ("a.warc.gz", heritrix),
    "plain": ("a.warc", plain),
    "whole": ("a.warc.gz", whole),
    "joined": ("a.warc.gz", joined),
    "arc": ("a.arc", arc),
    "arc.gz": ("a.arc.gz", zipped_arc),
    "arc as a whole": ("a.arc.gz", lambda taken: gzip.compress(arc(taken))),
}


@dataclass
class Place:
    """A folder with an archive, and with collections beside it."""

    folder: Path

    @property
    def db(self) -> Path:
        return self.folder / "a.db"

    @property
    def warc(self) -> Path:
        return self.folder / "warc"

    def put(self, name: str, data: bytes) -> Path:
        path = self.folder / "found" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return path

    def take(self, *sources: Path, portal: Portal = PORTAL, **options: Any) -> Imported:
        return Import(sources, portal, db=self.db, warc=self.warc, **options)()

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.db)) as conn:
            return conn.execute(sql, values).fetchall()

    def one(self, sql: str, *values: object) -> Any:
        return self.query(sql, *values)[0][0]
