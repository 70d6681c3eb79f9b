"""The records that flow from the wire to the archive: frozen, one direction, no way back.

    Exchange ─► Capture ─decode► Page ─extract► Article ─clean► ─spam► ─sections► ─places► Article ─store► archive.db

Bulky fields have ``repr=False``, because Scrapy logs every item.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

CaptureKind = Literal["article", "list", "feed", "robots", "attachment", "image", "other"]
MediaKind = Literal["attachment", "image"]
PageKind = Literal["article", "list", "other"]
PublishedBasis = Literal["visible", "meta", "url", "list", "dateline"]
Role = Literal["body", "heading", "caption", "byline", "repeat", "boilerplate", "spam"]
DivisionBasis = Literal["site_id", "portal", "text"]
RemovalReason = Literal["repeat", "spam", "furniture"]
Truncation = Literal["length", "time", "disconnect", "unspecified"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFacts:
    """What the TLS of a connection was like; the certificate is recorded, whatever it is worth."""

    protocol: str
    """``TLSv1.3`` …"""
    cipher: str
    """Its name in OpenSSL."""
    certificate_sha256: str
    """Hex digest of the certificate (DER)."""
    certificate_subject: str
    """As RFC 4514 writes names."""
    certificate_issuer: str
    certificate_not_after: datetime | None
    """UTC; None where it cannot be read."""
    certificate_problem: str | None
    """What a browser would warn of, in words; None where it would not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its response exactly as they crossed the wire."""

    url: str
    method: str
    started_at: datetime
    """UTC, when the request was sent."""
    ip: str | None
    """Address of the peer; None where it is unknown."""
    request: bytes = field(repr=False)
    """Request line, headers and body."""
    response: bytes = field(repr=False)
    """Status line, headers and body, transfer coding kept; empty where nothing came."""
    truncated: Truncation | None = None
    """Why the response is not whole, in WARC's words; None for a whole one."""
    tls: TlsFacts | None = None
    """None where it came without TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """A page as a browser drew it: what its scripts made of the document and of what they loaded."""

    url: str
    drawn_at: datetime
    """UTC, when the drawing was taken."""
    html: bytes = field(repr=False)
    """The document's tree as HTML, UTF-8."""
    facts: tuple[tuple[str, str], ...] = ()
    """What drew it and how, as fields for its WARC ``metadata`` record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRef:
    """Where a WARC record lies."""

    file: str
    """File name without folder and without ``.open``."""
    offset: int
    """First byte of the record's gzip member."""
    length: int
    """Bytes of the gzip member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a list page said of an article."""

    title: str | None = None
    published: str | None = None
    """ISO 8601 day or time with +08:00."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One response as it came, archived, before anything was read out of it."""

    run_id: str
    portal_id: str
    kind: CaptureKind
    url: str
    """The address that answered (after redirects)."""
    fetched_at: datetime
    """UTC."""
    status: int
    content_type: str | None = None
    """The Content-Type header as it came."""
    content_encoding: str | None = None
    """The content coding that is still on ``body``."""
    etag: str | None = None
    last_modified: str | None = None
    payload_sha256: str
    """Hex digest of ``body``: transfer coding removed, content coding kept."""
    record: RecordRef
    revisit_of: RecordRef | None = None
    """The original record, where this one is a revisit of it."""
    truncated: Truncation | None = None
    key: str | None = None
    """The frontier's key of the request that brought it; None for what no spider asked for."""
    listed: Listed | None = None
    body: bytes = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A capture with its text decoded."""

    capture: Capture
    """Without its body."""
    text: str = field(repr=False)
    encoding: str
    """Python codec name, lower case: ``utf-8``, ``gb18030``, ``big5hkscs`` …"""
    encoding_basis: str
    """Why, in words: ``bom``, ``utf-8 strict``, ``declared gb2312``, ``plausibility`` …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """One paragraph of an article, its text exactly as the page has it."""

    text: str = field(repr=False)
    role: Role = "body"
    fold_hash: int | None = None
    """Signed 64-bit key of the folded text; set by the stage ``sections``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Something cut out of the article's own block, and the rule that cut it."""

    text: str
    reason: RemovalReason
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpamSpan:
    """An injected run of text, where it stands in its paragraph or in the title."""

    position: int
    """The paragraph's place among ``Article.paragraphs``; -1 for the title."""
    start: int
    """Unicode code points of the exact text, half open."""
    end: int
    text: str
    rule: str
    score: float
    cut: bool
    """Left out of the reading text; else only flagged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A division that an article names."""

    division_code: str
    """Six digits of GB/T 2260, of the table of the article's own year."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that an article links to."""

    url: str
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture inside an article."""

    url: str
    caption: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What a page says: its fields and its paragraphs. An absent value is None."""

    capture: Capture
    encoding: str
    encoding_basis: str | None = None
    """Why it was decided so, and what was declared."""
    kind: PageKind
    title: str | None = None
    published: str | None = None
    """``YYYY-MM-DD`` or ``YYYY-MM-DDThh:mm:ss+08:00``, as the page shows it to its readers."""
    published_basis: PublishedBasis | None = None
    meta_published: str | None = None
    """The same forms, as the page's PubDate tag has it."""
    source: str | None = None
    author: str | None = None
    """Names without role words, several joined by ``,`` in page order."""
    editor: str | None = None
    column: str | None = None
    site_name: str | None = None
    site_id: str | None = None
    division: str | None = None
    """Six digits of GB/T 2260."""
    division_basis: DivisionBasis | None = None
    """How it is known."""
    paragraphs: tuple[Paragraph, ...] = field(repr=False, default=())
    removed: tuple[Removal, ...] = field(repr=False, default=())
    spam: tuple[SpamSpan, ...] = ()
    """By position and start; spans don't overlap."""
    mentions: tuple[Mention, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    images: tuple[Image, ...] = ()
