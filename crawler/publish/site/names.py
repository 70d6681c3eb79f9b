"""Names of divisions for people, from the shipped table: today's, or the last one where there is none any more."""

from functools import lru_cache

from crawler import divisions
from crawler.publish.site.language import Words

_LATEST = 9_999


@lru_cache(maxsize=8_192)
def division_name(code: str | None) -> str | None:
    """The name alone: 乾县; None for what was never a division."""
    if not (code and divisions.exists(code)):
        return None
    place = divisions.resolve(code, _LATEST)
    return (place.county or place.prefecture or place.province).name


@lru_cache(maxsize=8_192)
def full_name(code: str | None) -> str | None:
    """With all that it belongs to: 陕西省咸阳市乾县."""
    if not (code and divisions.exists(code)):
        return None
    place = divisions.resolve(code, _LATEST)
    parts = (place.province, place.prefecture, place.county)
    return "".join(part.name for part in parts if part)


def province_name(code: str, t: Words) -> str:
    """The short name of a province in the reader's language, with bars where a map may break it; *code*, or its first
    two digits.
    """
    try:
        return t(f"names.province.{code[:2]}")
    except KeyError:
        return code
