"""One WARC file against the rows that point into it."""

import fcntl
import hashlib
import mmap
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from crawler.archive.custody_checks import SealedFile
from crawler.archive.findings import CaptureRow, Finding, OriginalRow
from crawler.archive.recovery import CAPTURED
from crawler.archive.times import parse
from crawler.warc.checking import Damage, Found, Oversized, walk
from crawler.warc.files import FILE_NAME, OPEN, WarcError, open_whole
from crawler.warc.http import Response
from crawler.warc.reader import response_of
from crawler.warc.readers import complaints
from crawler.warc.record import RENDERING, record_id, target_uri, warc_date

_RESPONSE_FIELDS = {"Content-Type": "content_type", "ETag": "etag", "Last-Modified": "last_modified"}


@dataclass(slots=True, kw_only=True)
class FileReport:
    """What came of one file."""

    findings: list[Finding] = field(default_factory=list)
    bytes: int = 0
    records: int = 0
    captures: int = 0
    """Rows that were held against their records."""


def check_file(
    warc: Path,
    name: str,
    *,
    rows_of: Callable[[str], list[CaptureRow]],
    sealed: SealedFile | None,
    is_awaited: bool = False,
) -> FileReport:
    """Check the file *name* of the folder *warc* in every way that there is.

    *rows_of*: the captures in a file, asked when its length is known; *sealed*: what a manifest says of it;
    *is_awaited*: its rows are on their way (`crawler.verify.awaited`). A file that is being written is checked as far
    as it was written when the check began.
    """
    report = FileReport()
    try:
        with open_whole(warc, name) as file:
            is_open = file.name.endswith(OPEN)
            is_growing = is_open and _is_being_written(file.fileno())
            report.bytes = os.fstat(file.fileno()).st_size
            rows = rows_of(name)
            if is_open and not is_growing:
                report.findings.append(Finding(kind="unfinished", where=name, what="a crash left it open"))
            if report.bytes:
                with mmap.mmap(file.fileno(), report.bytes, access=mmap.ACCESS_READ) as data:
                    report.findings += _check_seal(data, name, sealed)
                    report.findings += _check_content(
                        report, data, name, rows, is_growing=is_growing, is_awaited=is_awaited
                    )
            elif not is_growing:
                report.findings.append(Finding(kind="damaged", where=name, what="it is empty"))
    except WarcError as error:
        report.findings.append(
            Finding(kind="missing", where=name, what=f"{error}; {len(rows_of(name))} captures point into it")
        )
    return report


def _check_seal(data: mmap.mmap, name: str, sealed: SealedFile | None) -> Iterator[Finding]:
    if sealed is None:
        return
    if len(data) != sealed.bytes:
        what = f"it has {len(data)} bytes, the manifest of {sealed.run_id} says {sealed.bytes}"
        yield Finding(kind="changed", where=name, what=what)
    elif hashlib.sha256(data).hexdigest() != sealed.sha256:
        what = f"its SHA-256 is not that of the manifest of {sealed.run_id}"
        yield Finding(kind="changed", where=name, what=what)


def _check_content(
    report: FileReport, data: mmap.mmap, name: str, rows: list[CaptureRow], *, is_growing: bool, is_awaited: bool
) -> Iterator[Finding]:
    is_ours = FILE_NAME.fullmatch(name) is not None
    waiting = {row.record.offset: row for row in rows if not is_growing or row.record.offset < len(data)}
    is_sound = True
    for part in walk(data, name, is_ours=is_ours):
        if isinstance(part, Damage):
            if not (is_growing and part.end == len(data)):
                is_sound = False
                yield Finding(kind="damaged", where=_at(name, part.start), what=_damage(part, len(data)))
            continue
        if isinstance(part, Oversized):  # a row that points there is told below
            report.records += 1
            continue
        report.records += 1
        is_sound = is_sound and not part.faults
        yield from (Finding(kind="damaged", where=_at(name, part.ref.offset), what=fault) for fault in part.faults)
        row = waiting.pop(part.ref.offset, None)
        if row is not None:
            report.captures += 1
            yield from _disagreements(part, row)
        elif is_ours and not (is_growing or is_awaited) and part.record.fields.get("warc-type") in CAPTURED:
            what = f"this {part.record.fields['warc-type']} has no row in captures"
            yield Finding(kind="unlisted", where=_at(name, part.ref.offset), what=what)
    for row in waiting.values():
        what = f"capture {row.id} points there, and no record begins there"
        yield Finding(kind="disagrees", where=_at(name, row.record.offset), what=what)
    if is_sound and not is_growing:  # else they would only say again what was found
        for complaint in complaints(data, records=report.records, with_digests=is_ours):
            yield Finding(kind="unreadable", where=name, what=complaint)


def _disagreements(found: Found, row: CaptureRow) -> Iterator[Finding]:
    where = f"{_at(found.ref.file, found.ref.offset)}, capture {row.id}"
    response = response_of(found.record)
    for name, in_record, in_row in _pairs(found, response, row):
        if in_record != in_row:
            what = f"{name}: the record has {_short(in_record)}, the row {_short(in_row)}"
            yield Finding(kind="disagrees", where=where, what=what)
    if found.record.fields.get("warc-type") == "revisit" and row.original is None:
        yield Finding(kind="revisit", where=where, what="it is a revisit, and its row does not say of what")


def _pairs(found: Found, response: Response, row: CaptureRow) -> Iterator[tuple[str, object, object]]:
    """What record and row both say: the field, and each one's word for it."""
    fields = found.record.fields
    kind = fields.get("warc-type")
    yield "length", found.ref.length, row.record.length
    if row.original is not None:
        yield "type", kind, "revisit"
    elif kind not in CAPTURED:
        yield "type", kind, "response"
    yield "WARC-Target-URI", *_addresses(fields.get("warc-target-uri", ""), row.url)
    yield "WARC-Date", _instant(fields.get("warc-date", "")), _instant(row.fetched_at)
    yield "status", response.head.status or 0, row.status
    for name, attribute in _RESPONSE_FIELDS.items():
        in_record, in_row = response.head.get(name), getattr(row, attribute)
        if (in_record or "").isascii():  # what else a server sends there is spelt in more than one way
            yield name, in_record, in_row
    yield "payload", *_payloads(response, kind, row)
    if row.original is not None:
        yield from _references(fields, row.original)


def _addresses(in_record: str, in_row: str) -> tuple[str, str]:
    in_record = in_record.removeprefix("<").removesuffix(">").removeprefix(RENDERING)
    return in_record, in_row if in_record == in_row else target_uri(in_row)


def _payloads(response: Response, kind: str | None, row: CaptureRow) -> tuple[str, str]:
    """The digest of what the portal sent, and what the row says of it; a revisit's is the original's."""
    own = hashlib.sha256(response.entity).hexdigest()
    if kind != "revisit" or row.original is None:
        return own, row.payload_sha256
    if response.head.status == 304 and row.payload_sha256 == own:  # an empty answer
        return own, own
    return row.original.payload_sha256, row.payload_sha256


def _references(fields: dict[str, str], original: OriginalRow) -> Iterator[tuple[str, str | None, str | None]]:
    """What a revisit says of its original."""
    if FILE_NAME.fullmatch(original.record.file):
        identifier = record_id(original.record.file, original.record.offset)
        yield "WARC-Refers-To", fields.get("warc-refers-to"), f"<{identifier}>"
    if "warc-refers-to-target-uri" in fields:
        yield "WARC-Refers-To-Target-URI", *_addresses(fields["warc-refers-to-target-uri"], original.url)
    if "warc-refers-to-date" in fields:
        yield "WARC-Refers-To-Date", _instant(fields["warc-refers-to-date"]), _instant(original.fetched_at)


def _instant(text: str) -> str:
    """A time in one spelling; what is none stays as it is."""
    try:
        return warc_date(parse(text))
    except ValueError:
        return text


def _is_being_written(descriptor: int) -> bool:
    """Whether a living process holds the writer's lock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def _damage(part: Damage, size: int) -> str:
    length = part.end - part.start
    if part.end == size:
        return f"the last {length} bytes are no whole record: the file was cut off there, or is damaged"
    return f"{length} bytes are no whole record"


def _at(name: str, offset: int) -> str:
    return f"{name} at byte {offset}"


def _short(value: object) -> str:
    return str(value)[:120]
