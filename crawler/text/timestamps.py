"""Times as machines print them: RFC 822 (RSS), ISO 8601 (Atom, sitemaps), or something else in their place."""

from datetime import date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from crawler.text import dates

CHINA = timezone(timedelta(hours=8))
"""The one time zone since 1949; a time without a zone is meant so."""


def read(text: str) -> str | None:
    """Return the day or the time in *text* as the contract has it (``…T07:27:00+08:00``), or None."""
    text = " ".join(text.split())[:64].replace(" CST", " +0800")  # China Standard Time; RFC 822 knows Chicago's alone
    if not text:
        return None
    for reading in (date.fromisoformat, datetime.fromisoformat, parsedate_to_datetime):
        try:
            return _shown(reading(text))
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    found = dates.find(text)
    return found.value if found else None


def today() -> date:
    """The day that it is in China."""
    return datetime.now(CHINA).date()


def _shown(moment: date) -> str | None:
    if isinstance(moment, datetime):
        moment = moment.astimezone(CHINA) if moment.tzinfo else moment.replace(tzinfo=CHINA)
    if moment.year not in dates.YEARS:
        return None
    return moment.isoformat(timespec="seconds") if isinstance(moment, datetime) else moment.isoformat()
