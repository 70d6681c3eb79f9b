"""From the body of a response to its text: content coding, then characters."""

from crawler.text.coding import DecodeError, unpacked
from crawler.text.encoding import Decoded, resolve

MAX_BYTES = 12_000_000
"""A larger page is not decoded: it is beyond what is read in any encoding, and its text would take a gigabyte."""


def decode_body(
    body: bytes, *, content_encoding: str | None, content_type: str | None, hint: str | None = None
) -> Decoded:
    """Decode the *body* of a response, whatever its headers say.

    Raises:
        DecodeError: the content coding cannot be undone within its limits (`crawler.text.coding`), or the page has
            more than `MAX_BYTES`.

    """
    return decode_page(unpacked(body, content_encoding), content_type=content_type, hint=hint)


def decode_page(page: bytes, *, content_type: str | None, hint: str | None = None) -> Decoded:
    """Decode a *page* without content coding. Raises DecodeError for one of more than `MAX_BYTES`."""
    if len(page) > MAX_BYTES:
        raise DecodeError(f"the page has {len(page)} bytes; the limit is {MAX_BYTES}")
    return resolve(page, content_type=content_type, hint=hint)
