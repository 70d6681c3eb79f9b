"""What addresses ask for in numbers, and times as pages say them. Anything can stand in an address."""

import re
from datetime import datetime

from crawler.text.timestamps import CHINA

EARLIEST = "1990"
"""No portal is older; what says so is a slip of the page's."""
DIGITS = 18
"""Of a number that SQLite can hold."""


def number(given: str | None) -> int | None:
    """A whole number from 0 on; None for anything else, and for one that no row can have."""
    return int(given) if given and re.fullmatch(f"[0-9]{{1,{DIGITS}}}", given) else None


def page_number(given: str | None, *, most: int) -> int:
    """The page that is asked for, from 1 to *most*; 1 for nonsense."""
    return min(max(number(given) or 1, 1), most)


def this_month() -> str:
    """``YYYY-MM`` in China; what is said to be of a later one is a slip, too."""
    return datetime.now(CHINA).strftime("%Y-%m")


def said(when: str | None) -> str:
    """An ISO 8601 day or time for people: ``2014-06-03 07:27`` at +08:00, ``2025-01-01 00:00 UTC``."""
    text = when or ""
    zone = " UTC" if text.endswith("Z") else ""
    return f"{text[:10]} {text[11:16]}{zone}" if text[10:11] == "T" else text[:10]
