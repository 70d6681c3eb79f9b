"""From the body of a response to its text: content coding, then characters."""

from crawler.text.coding import unpacked
from crawler.text.encoding import Decoded, resolve


def decode_body(
    body: bytes, *, content_encoding: str | None, content_type: str | None, hint: str | None = None
) -> Decoded:
    """Decode the *body* of a response, whatever its headers say.

    Raises:
        DecodeError: the content coding cannot be undone within its limits (`crawler.text.coding`).

    """
    return resolve(unpacked(body, content_encoding), content_type=content_type, hint=hint)
