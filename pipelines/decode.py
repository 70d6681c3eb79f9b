"""Stage 1: the bytes of a page become text."""

from dataclasses import replace
from typing import TYPE_CHECKING, Self, TypeVar

from crawler.records import Capture, Page
from crawler.text.coding import DecodeError
from crawler.text.decoding import decode_body

if TYPE_CHECKING:  # both take longer to load than a page takes to read
    from scrapy.crawler import Crawler

    from crawler.fetch.session import Session

__all__ = ["DecodeError", "DecodePipeline", "decode"]

Item = TypeVar("Item")

PAGES = frozenset({"article", "other"})
"""Kinds of captures that are read; a probe of what a portal answers for nothing is an ``other``."""


def decode(capture: Capture, *, hint: str | None = None) -> Page:
    """The page in a *capture*'s body; *hint* is the encoding that the catalogue names.

    The page's own capture has no body any more: text and bytes are not both kept.

    Raises:
        DecodeError: the content coding cannot be undone within its limits (`crawler.text.coding`).

    """
    decoded = decode_body(
        capture.body, content_encoding=capture.content_encoding, content_type=capture.content_type, hint=hint
    )
    return Page(
        capture=replace(capture, body=b""),
        text=decoded.text,
        encoding=decoded.encoding,
        encoding_basis=_in_words(decoded.basis, header=decoded.header_label, page=decoded.page_label),
    )


def _in_words(basis: str, *, header: str | None, page: str | None) -> str:
    """The decision with what was declared: ``utf-8 strict; header gb2312; page gb2312``."""
    declared = {"header": header, "page": page}
    return "; ".join([basis, *(f"{place} {label}" for place, label in declared.items() if label)])


class DecodePipeline:
    """Scrapy's item pipeline around `decode`: whole article pages that were answered with 200."""

    def __init__(self, session: "Session | None" = None) -> None:
        self._session = session

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> Self:
        """Take encodings from the catalogue of the session."""
        from crawler.fetch.session import Session  # noqa: PLC0415 - `xianzhi extract` needs no Scrapy

        return cls(Session.of(crawler))

    def process_item(self, item: Item) -> Item | Page:
        """Decode an article's page, or what came in its place; everything else passes through."""
        if not isinstance(item, Capture) or item.kind not in PAGES or item.status != 200 or item.truncated:
            return item
        hint = self._session.portal(item.portal_id).encoding if self._session else None
        return decode(item, hint=hint)
