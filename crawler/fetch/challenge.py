"""Bot walls: recognised, recorded as blocked, never fought (knowledge of the walls: their public documentation)."""

import re

STATUSES = {
    412: "answered 412: a script challenge (RiverSecurity)",
    468: "answered 468: a firewall's challenge",
    512: "answered 512: a script challenge",
    521: "answered 521: a script challenge (jsl)",
    422: "answered 422: a firewall's refusal",
}
MARKS = re.compile(
    rb"__jsl_clearance|acw_sc__v2|safeline_bot|yunsuo_session|HOY_TR|_bot_sbu|\$_ts\b|FSSBBIl1UgzbN7N80S", re.IGNORECASE
)
EXCUSE = re.compile(rb"\balert\s*\(|\bhistory\s*\.\s*(?:back|go)\b|\bwindow\s*\.\s*close\b")
"""How old programs say that there is no such article: a script that tells the reader so and leads back."""
STUB_BYTES = 2_048
"""A real page is longer; the walls' script stubs seen have 1,166 and 1,334 bytes."""


def challenge(status: int, body: bytes) -> str | None:
    """What a bot wall answered, in words; None for an ordinary response. *body* without content coding."""
    if status in STATUSES:
        return STATUSES[status]
    if is_walled(body):
        return "answered with a bot wall's script"
    is_script_only = b"<script" in body.lower() and b"<a " not in body.lower() and not EXCUSE.search(body)
    if (
        status == 200
        and len(body) <= STUB_BYTES
        and is_script_only
        and not re.search(rb"<p|<div|<li|<td", body, re.IGNORECASE)
    ):
        return "answered with nothing but a script"
    return None


def is_walled(body: bytes) -> bool:
    """Whether a short page bears a bot wall's marks. *body* without content coding."""
    return len(body) <= STUB_BYTES and MARKS.search(body) is not None
