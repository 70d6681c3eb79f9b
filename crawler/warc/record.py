"""WARC 1.1 records as bytes (ISO 28500:2017, https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/).

Blocks are the bytes of the wire. Digests are SHA-256 in lower-case hexadecimal, the form that the specification's
community notes recommend and that warcio, FastWARC and pywb read.

``WARC-Payload-Digest`` of a chunked response is taken over the body as sent, its chunk framing included. The standard
means the entity without it, but ``warcio check`` 1.8 and ``fastwarc check -p`` 2.0 hash the bytes after the header
block and report the standard's value as damage (warcio issues 74 and 75; wget, warcio and Heritrix write what we do).
Leaving the field out breaks replay: pywb finds a revisit's original by equal digests and computes a missing one its own
way. A revisit therefore repeats the digest that its original's record states. The digest over the entity, the same
however a server cuts its chunks, is ``captures.payload_sha256``. Where readers disagree on where a malformed response's
payload begins, the field is left out; ``WARC-Block-Digest`` is always there.
"""

import hashlib
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from crawler.records import Exchange, RecordRef, Rendering
from crawler.warc.http import payload_start, split_head

IDENTICAL_PAYLOAD = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"

RENDERED_TYPE = "text/html; charset=utf-8"
RENDERING = "urn:dom:"
"""Before the address of a drawn page. Under the address itself a replay finds what the server sent."""

_NAMESPACE = uuid.UUID("dc1d9333-0baa-47ff-b70b-b9d9f6e9dd15")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
_URI_CHARACTERS = "!#$%&'()*+,-./:;=?@[]_~"
"""What RFC 3986 allows besides letters and digits; ``%`` because addresses come quoted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The record that a revisit stands for, as its own header has it."""

    record_id: str
    """``urn:uuid:…``"""
    url: str
    date: str
    """Its WARC-Date."""
    payload_digest: str | None = None
    """Its WARC-Payload-Digest, ``sha256:…``."""


def original_at(ref: RecordRef, *, url: str, fetched_at: datetime, payload_digest: str | None = None) -> Original:
    """The original that lies at *ref* in a file of ours, without reading it (for files that are not at hand)."""
    return Original(
        record_id=record_id(ref.file, ref.offset),
        url=url,
        date=warc_date(fetched_at),
        payload_digest=payload_digest,
    )


def record_id(file: str, offset: int) -> str:
    """Identifier of the record at *offset* of *file* (a name without folder): to refer to it, its place is enough."""
    return uuid.uuid5(_NAMESPACE, f"{file}#{offset}").urn


def warc_date(instant: datetime) -> str:
    """UTC with microseconds, for example ``2026-03-01T18:05:09.120000Z``.

    Raises ValueError for a time without a zone.
    """
    if instant.tzinfo is None:
        raise ValueError(f"a WARC date needs a time zone: {instant!r}")
    return instant.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def sha256(block: bytes) -> str:
    """Labelled digest, ``sha256:`` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(block).hexdigest()}"


def warcinfo(*, identifier: str, date: datetime, file: str, fields: Mapping[str, str]) -> bytes:
    """The record that opens *file* and says who made it with what (``software``, ``operator``, ``robots`` …)."""
    return _record(
        "warcinfo",
        identifier=identifier,
        date=date,
        content_type="application/warc-fields",
        block=_warc_fields(fields),
        fields=(("WARC-Filename", file),),
    )


def request(exchange: Exchange, *, identifier: str, response: str) -> bytes:
    """The request of an *exchange*; *response* is the identifier of its response."""
    start = _payload_start(exchange.url, exchange.request)
    has_body = start is not None and start < len(exchange.request)
    return _record(
        "request",
        identifier=identifier,
        date=exchange.started_at,
        content_type="application/http; msgtype=request",
        block=exchange.request,
        fields=(
            ("WARC-Target-URI", target_uri(exchange.url)),
            ("WARC-Concurrent-To", f"<{response}>"),
            ("WARC-IP-Address", exchange.ip),
            ("WARC-Payload-Digest", sha256(exchange.request[start:]) if has_body else None),
        ),
    )


def response(exchange: Exchange, *, identifier: str, warcinfo: str, payload: bytes, payload_sha256: str) -> bytes:
    """The response of an *exchange*, whole.

    *payload* is its entity and *payload_sha256* the entity's hexadecimal digest, which saves a second pass where the
    entity was sent as it is.
    """
    return _record(
        "response",
        identifier=identifier,
        date=exchange.started_at,
        content_type="application/http; msgtype=response",
        block=exchange.response,
        fields=(
            ("WARC-Target-URI", target_uri(exchange.url)),
            ("WARC-Warcinfo-ID", f"<{warcinfo}>"),
            ("WARC-IP-Address", exchange.ip),
            ("WARC-Payload-Digest", _response_digest(exchange, payload, payload_sha256)),
            ("WARC-Truncated", exchange.truncated),
        ),
    )


def revisit(exchange: Exchange, *, identifier: str, warcinfo: str, original: Original, payload_sha256: str) -> bytes:
    """A record that stands for *original*: an answer 304, or the same payload again, of which only the head is kept."""
    head = split_head(exchange.response)
    not_modified = head.status == 304
    block = exchange.response if not_modified else exchange.response[: head.length]
    is_cut = len(block) < len(exchange.response)
    return _record(
        "revisit",
        identifier=identifier,
        date=exchange.started_at,
        content_type="application/http; msgtype=response",
        block=block,
        fields=(
            ("WARC-Target-URI", target_uri(exchange.url)),
            ("WARC-Warcinfo-ID", f"<{warcinfo}>"),
            ("WARC-IP-Address", exchange.ip),
            ("WARC-Profile", NOT_MODIFIED if not_modified else IDENTICAL_PAYLOAD),
            ("WARC-Refers-To", f"<{original.record_id}>"),
            ("WARC-Refers-To-Target-URI", target_uri(original.url)),
            ("WARC-Refers-To-Date", original.date),
            # The body of a 304 is empty: its own digest would say that the page became empty.
            (
                "WARC-Payload-Digest",
                original.payload_digest or (None if not_modified else f"sha256:{payload_sha256}"),
            ),
            ("WARC-Truncated", exchange.truncated or ("length" if is_cut else None)),
        ),
    )


def resource(rendering: Rendering, *, identifier: str, warcinfo: str, document: str) -> bytes:
    """A page as a browser drew it; *document* is the identifier of the response that it was drawn from.

    Its payload is its block, and one digest does: FastWARC 2.0 looks for the payload of a record behind HTTP headers.
    """
    return _record(
        "resource",
        identifier=identifier,
        date=rendering.drawn_at,
        content_type=RENDERED_TYPE,
        block=rendering.html,
        fields=(
            ("WARC-Target-URI", RENDERING + target_uri(rendering.url)),
            ("WARC-Warcinfo-ID", f"<{warcinfo}>"),
            ("WARC-Concurrent-To", f"<{document}>"),
        ),
    )


def metadata(*, uri: str, date: datetime, identifier: str, about: str, fields: Mapping[str, str]) -> bytes:
    """What is known of the record *about* (an identifier; its target and date) besides its bytes, as warc-fields."""
    return _record(
        "metadata",
        identifier=identifier,
        date=date,
        content_type="application/warc-fields",
        block=_warc_fields(fields),
        fields=(
            ("WARC-Target-URI", target_uri(uri)),
            ("WARC-Concurrent-To", f"<{about}>"),
            ("WARC-Refers-To", f"<{about}>"),
        ),
    )


def _record(
    kind: str,
    *,
    identifier: str,
    date: datetime,
    content_type: str,
    block: bytes,
    fields: Iterable[tuple[str, str | None]],
) -> bytes:
    named = (
        ("WARC-Type", kind),
        ("WARC-Record-ID", f"<{identifier}>"),
        ("WARC-Date", warc_date(date)),
        *fields,
        ("WARC-Block-Digest", sha256(block)),
        ("Content-Type", content_type),
        ("Content-Length", str(len(block))),
    )
    lines = "".join(f"{name}: {_clean(value)}\r\n" for name, value in named if value is not None)
    return b"".join((b"WARC/1.1\r\n", lines.encode("utf-8", "replace"), b"\r\n", block, b"\r\n\r\n"))


def _warc_fields(fields: Mapping[str, str]) -> bytes:
    wrong = [name for name in fields if not _TOKEN.fullmatch(name)]
    if wrong:
        raise ValueError(f"not the name of a WARC field: {wrong[0]!r}")
    lines = "".join(f"{name}: {_clean(value)}\r\n" for name, value in fields.items())
    return lines.encode("utf-8", "replace")


def _clean(value: str) -> str:
    # One line each, whatever a page or a peer put into it: a line end would begin a field of its own choice.
    return value if value.isprintable() else _CONTROL.sub(" ", value)


def target_uri(url: str) -> str:
    """*url* as the field ``WARC-Target-URI`` has it: what RFC 3986 does not allow is quoted."""
    return quote(url, safe=_URI_CHARACTERS, errors="surrogatepass")


def _payload_start(url: str, message: bytes) -> int | None:
    # warcio looks for HTTP only behind these schemes.
    return payload_start(message) if url.startswith(("http:", "https:")) else None


def _response_digest(exchange: Exchange, payload: bytes, payload_sha256: str) -> str | None:
    block = exchange.response
    start = _payload_start(exchange.url, block)
    if start is None:
        return None
    if len(block) - start == len(payload) and block.endswith(payload):
        return f"sha256:{payload_sha256}"
    return sha256(block[start:])
