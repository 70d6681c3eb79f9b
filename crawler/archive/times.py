"""Times as the archive writes them: ISO 8601 in UTC, always of the same width, so that they sort as text."""

from datetime import UTC, datetime


def to_second(moment: datetime) -> str:
    """``YYYY-MM-DDThh:mm:ssZ``. Raises ValueError for a time without a zone."""
    return _utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_microsecond(moment: datetime) -> str:
    """``YYYY-MM-DDThh:mm:ss.ffffffZ``: a capture's time, which has to equal its WARC-Date."""
    return _utc(moment).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> datetime:
    """Back from either form."""
    return datetime.fromisoformat(text)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {moment!r}")
    return moment.astimezone(UTC)
