"""An HTTP/1 message as it crossed the wire, taken apart (RFC 9112), tolerant of what portals really send."""

import re
from dataclasses import dataclass, field

HEAD_LIMIT = 16_384
"""Bytes; a longer header block is read as well, but FastWARC stops at 32 kB."""

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/\d[^ \t]*[ \t]+(\d{3})(?!\d)")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,12})[ \t]*(?:;.*)?")
_HEADER_LINES = rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\r\n]*\r\n)*\r\n"
_REGULAR_RESPONSE = re.compile(rb"HTTP/1\.[01] [2-9]\d\d(?: [^\r\n]*)?\r\n" + _HEADER_LINES)
_REGULAR_REQUEST = re.compile(rb"[A-Z]+ [!-~]+ HTTP/1\.[01]\r\n" + _HEADER_LINES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The status line and the headers of a response."""

    status_line: bytes
    """Without its line end; empty where what came is no HTTP/1 response."""
    status: int | None
    """None where there is none to read."""
    headers: tuple[tuple[bytes, bytes], ...]
    """In order, names as sent, values without the blanks around them."""
    length: int
    """Bytes from the start of the message to the body: status line, headers, blank line, and what came before."""

    def get(self, name: str) -> str | None:
        """Value of the first header *name* (case does not matter) as Latin-1; None where it is missing."""
        wanted = name.lower().encode("ascii")
        return next((value.decode("latin-1") for key, value in self.headers if key.lower() == wanted), None)

    def get_all(self, name: str) -> list[str]:
        """Values of every header *name* as Latin-1, in order."""
        wanted = name.lower().encode("ascii")
        return [value.decode("latin-1") for key, value in self.headers if key.lower() == wanted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response to a GET: its head, and its entity without transfer coding, its content coding kept."""

    head: Head
    entity: bytes = field(repr=False)
    whole: bool
    """False where the body ends early or its chunks are broken; the entity is then what could be read."""


def parse_response(raw: bytes) -> Response:
    """Take apart the bytes of one *raw* response.

    Interim responses (1xx) are skipped. What doesn't begin like an HTTP response is all entity, as HTTP/0.9 had it.
    Of the transfer codings only ``chunked`` is removed: we never ask for another (TE is not sent).
    """
    head = split_head(raw)
    body = raw[head.length :]
    is_bodiless = head.status in {204, 304}  # whatever their headers promise (RFC 9112 6.3)
    if _is_chunked(head) and not is_bodiless:
        entity, whole = dechunk(body)
        return Response(head=head, entity=entity, whole=whole)
    length = None if is_bodiless else _content_length(head)
    if length is None:
        return Response(head=head, entity=body, whole=True)
    return Response(head=head, entity=body[:length], whole=len(body) >= length)


def split_head(raw: bytes) -> Head:
    """Status line and headers of a *raw* response; of the final one where interim responses precede it."""
    start = 0
    while True:
        head = _one_head(raw, start)
        is_interim = head.status is not None and head.status < 200 and head.status != 101
        if not is_interim or head.length == len(raw):
            return head
        start = head.length


def dechunk(body: bytes) -> tuple[bytes, bool]:
    """Remove the transfer coding ``chunked`` (RFC 9112 7.1): the data, and whether its last chunk was there.

    Reading stops where the framing breaks. A *body* without any framing is returned as it came: some servers announce
    chunks and send none.
    """
    parts: list[bytes] = []
    at = 0
    while True:
        line_end = body.find(b"\n", at)
        line = body[at:line_end] if line_end >= 0 else body[at:]
        size_line = _CHUNK_SIZE.fullmatch(line.removesuffix(b"\r"))
        if size_line is None and at == 0:
            return body, False
        if size_line is None or line_end < 0:
            return b"".join(parts), False
        size = int(size_line[1], 16)
        if size == 0:
            return b"".join(parts), True
        start = line_end + 1
        parts.append(body[start : start + size])
        at = start + size
        if body.startswith(b"\r\n", at):
            at += 2
        elif body.startswith(b"\n", at):
            at += 1
        else:
            return b"".join(parts), False


def payload_start(message: bytes) -> int | None:
    """Where the payload of a well-formed request or response begins.

    None for a *message* over whose payload WARC readers disagree: bare line feeds, folded or nameless header lines,
    interim responses, no blank line (warcio 1.8 and FastWARC 2.0 tried with each).
    """
    found = _REGULAR_RESPONSE.match(message, 0, HEAD_LIMIT) or _REGULAR_REQUEST.match(message, 0, HEAD_LIMIT)
    return found.end() if found else None


def _one_head(raw: bytes, start: int) -> Head:
    if not raw.startswith(b"HTTP/", start):
        return Head(status_line=b"", status=None, headers=(), length=start)
    end = _HEAD_END.search(raw, start)
    lines = raw[start : end.start() if end else len(raw)].split(b"\n")
    status_line = lines[0].removesuffix(b"\r")
    status = _STATUS_LINE.match(status_line)
    return Head(
        status_line=status_line,
        status=int(status[1]) if status else None,
        headers=_headers(lines[1:]),
        length=end.end() if end else len(raw),
    )


def _headers(lines: list[bytes]) -> tuple[tuple[bytes, bytes], ...]:
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        if line[:1] in {b" ", b"\t"} and headers:  # obsolete folding
            name, value = headers[-1]
            headers[-1] = (name, (value + b" " + line.strip()).strip())
            continue
        name, colon, value = line.partition(b":")
        if colon:
            headers.append((name.strip(), value.strip()))
    return tuple(headers)


def _is_chunked(head: Head) -> bool:
    codings = ",".join(head.get_all("Transfer-Encoding")).lower().split(",")
    return codings[-1].strip() == "chunked"


def _content_length(head: Head) -> int | None:
    values = {value.strip() for line in head.get_all("Content-Length") for value in line.split(",")}
    if len(values) != 1:
        return None
    value = values.pop()
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 18 else None
