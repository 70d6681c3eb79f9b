"""Whose page it is: the mandated tags SiteIDCode and SiteName against the catalogue's portal.

A site code begins with the division code of the government that runs the site (28 of 29 real pages; ministries have
``bm…`` and none). Domains change hands, so what contradicts the catalogue has to be noticed. But a county on its
prefecture's platform carries the prefecture's or the province's code, a county that became a city got another one, and
some templates carry that of another government (the one of the 29). So a code contradicts only where it is no relative
of the portal's and the site's name does not speak for the portal; the name alone counts where there is no code.
"""

from collections.abc import Iterator
from functools import cache, lru_cache

from crawler import divisions
from crawler.divisions import Division, stem
from crawler.text.folding import fold

CODE_DIGITS = 6
"""Of a site code's ten characters, those that are the division's."""
MAX_NAME = 100
"""Characters of a SiteName that are looked at; the longest of the 29 has 17."""
SHORT = 2
"""Names of so few characters (和县, 城区) also arise where two other words meet."""


def contradiction(site_id: str | None, site_name: str | None, *, division: str, name: str) -> str | None:
    """Say how a page's SiteIDCode and SiteName contradict the portal's *division* (six digits) and *name*.

    None where they do not. The words continue a sentence whose subject is the page.
    """
    code, title = (site_id or "").strip()[:CODE_DIGITS], " ".join((site_name or "")[: 4 * MAX_NAME].split())[:MAX_NAME]
    return _contradiction(code, title, division, name)


@lru_cache(maxsize=1024)  # a portal's pages all say the same
def _contradiction(code: str, site_name: str, division: str, name: str) -> str | None:
    if code in relatives(division):
        return None
    is_usable, is_ours = divisions.exists(code), _speaks_for(site_name, division, name)
    if is_ours or (is_ours is None and not is_usable):
        return None
    said = f"{site_name or _name_of(code)} ({code})" if is_usable else site_name
    return f"says it is {said}, the catalogue says {name} ({division})"


def _speaks_for(site_name: str, division: str, name: str) -> bool | None:
    """Whether the name of a site is the portal's, or of what is above or below it; None where it names no place."""
    folded = fold(site_name)
    places = list(_places_in(folded))
    if (name and fold(name) in folded) or any(codes & _same_places(division) for codes in places):
        return True
    return all(codes & relatives(division) for codes in places) if places else None


@cache
def relatives(code: str) -> frozenset[str]:
    """The codes that do not contradict *code*: those of its place at any time, and of what is above and below it."""
    same = _same_places(code)
    above, below = set(same), set(same)
    level: set[str | None] = set(same)
    while level := {row.parent_code for row in divisions.rows() if row.code in level and row.parent_code}:
        above |= {parent for parent in level if parent}
    level = set(same)
    while level := {row.code for row in divisions.rows() if row.parent_code in level}:
        below |= {child for child in level if child}
    return frozenset(above | below)


@cache
def _same_places(code: str) -> frozenset[str]:
    """*code* and those of the same place before or after: 崇礼县 was 132533, then 130733; 崇礼区 is 130709.

    They share the stem of a name and the province. Two that were there in one year are two places: 桥西区 of 石家庄 is
    not that of 张家口.
    """
    own = [row for row in divisions.rows() if row.code == code]
    pairs = [
        (row, mine)
        for row in divisions.rows()
        for mine in own
        if row.code[:2] == code[:2] and row.code != code and _share_stem(row.name, mine.name)
    ]
    two_places = {row.code for row, mine in pairs if _were_there_together(row, mine)}
    return frozenset({code, *(row.code for row, _ in pairs)} - two_places)


def _share_stem(one: str, other: str) -> bool:
    """Whether two names differ in their level only: 洪湖县 and 洪湖市, 丽江地区 and 丽江纳西族自治县."""
    shorter, longer = sorted((stem(one), stem(other)), key=len)
    return longer == shorter or (len(shorter) >= SHORT and longer.startswith(shorter))


def _were_there_together(one: Division, other: Division) -> bool:
    first, last = max(one.from_year, other.from_year), min(one.to_year or 9999, other.to_year or 9999)
    return first <= last


def _name_of(code: str) -> str:
    """What a code was called last."""
    return max((row.from_year, row.name) for row in divisions.rows() if row.code == code)[1]


def _places_in(folded: str) -> Iterator[frozenset[str]]:
    """The divisions that a folded text names in full, from the left, the longest first; as the codes each may be."""
    names = _names()
    longest = max(map(len, names))
    position = end_of_last = 0
    while position < len(folded):
        lengths = range(min(longest, len(folded) - position), SHORT - 1, -1)
        found = next((n for n in lengths if folded[position : position + n] in names), 0)
        if found > SHORT or (found == SHORT and position == end_of_last and not folded.startswith("区", position + 1)):
            yield names[folded[position : position + found]]
            position = end_of_last = position + found
        else:
            position += 1


@cache
def _names() -> dict[str, frozenset[str]]:
    """Folded full name → the codes that were called so in some year."""
    names: dict[str, set[str]] = {}
    for row in divisions.rows():
        names.setdefault(fold(row.name), set()).add(row.code)
    return {name: frozenset(codes) for name, codes in names.items()}
