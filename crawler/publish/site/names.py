"""Names of divisions for people, from the shipped table: today's, or the last one where there is none any more."""

import re
from functools import lru_cache

from crawler import divisions

_LATEST = 9_999
_KIND = re.compile(r"(?:特别行政区|(?:维吾尔|壮族|回族)?自治区|[省市])\Z")


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


def short_province(name: str) -> str:
    """陕西 for 陕西省, 广西 for 广西壮族自治区."""
    return _KIND.sub("", name)
