"""Charts as inline SVG: no script and no style attribute; every mark is a link with a name or stands in a table too.

Widths are percentages, so that a chart is as wide as its place and its words keep their size on a phone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from math import ceil

from markupsafe import Markup

SHADES = 5
NARROWEST = 288
"""Pixels of a chart on the narrowest phone (320), where labels still have to stand apart."""
BESIDE = 12
"""Pixels beside a chart that a label may take, too."""
SIGN = 8
"""Pixels of a label's character, with its part of what keeps two labels apart."""
FEWEST = 8
"""Bars that a chart has room for at least: two of them need not be as wide as the page."""
HEIGHT = 100
"""Pixels of the tallest bar."""

_numbers = count()
"""Numbers for ids; they have to differ on one page only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One bar, dot or tile."""

    label: str
    """On a tile it may be broken where a bar (``|``) is."""
    value: int
    href: str | None = None
    is_chosen: bool = False
    note: str = ""
    """More to say about it, said behind its value."""

    @property
    def words(self) -> str:
        """What it says to those who do not see it."""
        return f"{plain(self.label)}: {self.value:,}" + (f" ({self.note})" if self.note else "")


def plain(label: str) -> str:
    """A label without the bars that break it."""
    return label.replace("|", "")


def bars(marks: Sequence[Mark], *, title: str, unit: str = "") -> Markup:
    """Upright bars in the order given, with a word under some of them.

    Args:
        marks: one a bar, two or more.
        title: what is shown, for those who do not see it.
        unit: behind the largest number.

    """
    most = max((mark.value for mark in marks), default=0)
    if not most:
        return Markup("")
    wide = 100 / max(len(marks), FEWEST)
    room, width = NARROWEST * wide / 100, SIGN * max(len(mark.label) for mark in marks)
    step = max(1, ceil(width / room))
    anchor, shift = ("middle", 0.5) if room / 2 + BESIDE >= width / 2 else ("start", 0.0)
    others = " others" if any(mark.is_chosen for mark in marks) else ""
    drawn = Markup("").join(
        _linked(
            mark,
            Markup(
                '<rect class="bar-space" x="{x:.3f}%" y="0" width="{w:.3f}%" height="{bottom}"/>'
                '<rect class="bar-value" x="{inner:.3f}%" y="{y:.1f}" width="{iw:.3f}%" height="{h:.1f}"/>{label}'
            ).format(
                x=n * wide,
                w=wide,
                inner=(n + 0.1) * wide,
                iw=0.8 * wide,
                bottom=HEIGHT + 38,
                y=20 + HEIGHT - _height(mark.value, most),
                h=_height(mark.value, most),
                label=Markup('<text x="{:.3f}%" y="{}" text-anchor="{}">{}</text>').format(
                    (n + shift) * wide, HEIGHT + 36, anchor, mark.label
                )
                if n % step == 0 and (shift or n * room + width <= NARROWEST + BESIDE)
                else "",
            ),
            "" if mark.is_chosen else others,
        )
        for n, mark in enumerate(marks)
    )
    axis = Markup('<line x1="0" x2="{3:.3f}%" y1="{0}" y2="{0}"/><text x="0" y="12">{1:,}{2}</text>').format(
        HEIGHT + 20.5, most, unit, len(marks) * wide
    )
    return _svg("bars", title, axis + drawn, height=HEIGHT + 42)


def timeline(events: Sequence[Mark], *, title: str) -> Markup:
    """Dots on a line of days; each label is an ISO 8601 day (what follows it is left off), each value a number.

    Days without a full date are left out, and so is a chart of fewer than two different days.
    """
    dated = [(_day_number(mark.label), mark) for mark in events]
    known = sorted((number, mark.label, mark) for number, mark in dated if number is not None)
    if len({number for number, _, _ in known}) < 2:
        return Markup("")
    first, last = known[0][0], known[-1][0]
    most = max(mark.value for _, _, mark in known) or 1
    dots = Markup("").join(
        _linked(
            mark,
            Markup('<circle cx="{:.2f}%" cy="30" r="{:.1f}" fill-opacity="0.7"/>').format(
                2 + 96 * (number - first) / (last - first), 4 + 8 * (mark.value / most) ** 0.5
            ),
        )
        for number, _, mark in known
    )
    axis = Markup(
        '<line x1="0" x2="100%" y1="30" y2="30"/><text x="0" y="62">{}</text>'
        '<text x="100%" y="62" text-anchor="end">{}</text>'
    ).format(known[0][1][:10], known[-1][1][:10])
    return _svg("timeline", title, axis + dots, height=68)


def month_grid(counts: Mapping[str, int], *, title: str, hrefs: Mapping[str, str] | None = None) -> Markup:
    """A row a year and a column a month, shaded by number, with months that are empty between full ones marked.

    *counts* and *hrefs* go by month (``YYYY-MM``).
    """
    months = sorted(month for month, number in counts.items() if number)
    if not months:
        return Markup("")
    years = range(int(months[0][:4]), int(months[-1][:4]) + 1)
    shade = _Shades(tuple(counts[month] for month in months))
    cells = [
        Markup('<text x="{:.2f}%" y="12" text-anchor="middle">{}</text>').format(16.3 + column * 7.25, column + 1)
        for column in range(12)
    ]
    for row, year in enumerate(years, start=1):
        cells.append(Markup('<text x="0" y="{}">{}</text>').format(row * 20 + 14, year))
        for column in range(12):
            month = f"{year:04}-{column + 1:02}"
            number = counts.get(month, 0)
            kind = f"shade-{shade(number)}" if number else "gap" if months[0] < month < months[-1] else ""
            tile = Markup('<rect class="tile {}" x="{:.2f}%" y="{}" width="6.6%" height="16" rx="2"/>').format(
                kind, 13 + column * 7.25, row * 20 + 2
            )
            mark = Mark(label=month, value=number, href=(hrefs or {}).get(month) if number else None)
            cells.append(_linked(mark, tile) if kind else Markup(""))
    return _svg("months", title, Markup("").join(cells), height=len(years) * 20 + 24)


_MAP = """
.  .  .  .  .  .  23
.  .  .  15 .  21 22
65 62 64 14 11 12 .
54 63 61 41 13 37 .
.  51 50 42 34 32 31
.  53 52 43 36 33 .
.  .  45 44 35 71 .
.  .  46 82 81 .  .
"""
"""Provinces by the first two digits of their codes (GB/T 2260), each near its neighbours."""


def provinces() -> list[str]:
    """The first two digits of the codes of all provinces that have a place on the map."""
    return [place for place in _MAP.split() if place != "."]


def tile_map(provinces: Mapping[str, Mark], *, title: str) -> Markup:
    """A tile a province, shaded by number; *provinces* goes by code (GB/T 2260). Those that are not given have none."""
    by_place = {code[:2]: mark for code, mark in provinces.items()}
    shade = _Shades(tuple(mark.value for mark in by_place.values() if mark.value))
    tiles = []
    for row, line in enumerate(_MAP.split("\n")[1:-1]):
        for column, place in enumerate(line.split()):
            if mark := by_place.get(place):
                x, y = column * 52, row * 40
                drawn = Markup('<rect class="tile shade-{}" x="{}" y="{}" width="50" height="38" rx="3"/>{}').format(
                    shade(mark.value) if mark.value else 0, x, y, _in_lines(mark.label, x=x + 25, y=y + 24)
                )
                tiles.append(_linked(mark, drawn))
    return _svg("map", title, Markup("").join(tiles), view="0 0 362 318")


def _in_lines(label: str, *, x: int, y: int) -> Markup:
    """A label around a point; smaller in Latin letters, of which names have more."""
    lines = label.split("|")
    kind = "latin" if label.isascii() else ""
    spans = Markup("").join(
        Markup('<tspan x="{}" y="{}">{}</tspan>').format(x, y + 12 * n - 6 * (len(lines) - 1), line.strip())
        for n, line in enumerate(lines)
    )
    return Markup('<text class="{}" text-anchor="middle">{}</text>').format(kind, spans)


def _svg(kind: str, title: str, inside: Markup, *, height: int | None = None, view: str | None = None) -> Markup:
    size = Markup('viewBox="{}"').format(view) if view else Markup('height="{}"').format(height)
    number = next(_numbers)
    return Markup(
        '<svg class="{kind}" {size} role="group" aria-labelledby="chart-{number}"><title id="chart-{number}">{title}'
        "</title>{inside}</svg>"
    ).format(kind=kind, size=size, number=number, title=title, inside=inside)


def _linked(mark: Mark, drawn: Markup, css: str = "") -> Markup:
    """A part of a chart with its name, as a link where there is somewhere to go."""
    current = Markup(' aria-current="true"') if mark.is_chosen else ""
    named = Markup("<title>{}</title>{}").format(mark.words, drawn)
    if mark.href:
        rel = Markup(' rel="nofollow"') if "?" in mark.href else ""  # searches combine without end
        return Markup('<a class="{}" href="{}" aria-label="{}"{}{}>{}</a>').format(
            css.strip(), mark.href, mark.words, rel, current, named
        )
    return Markup('<g class="{}" role="img" aria-label="{}">{}</g>').format(css.strip(), mark.words, named)


def _height(value: int, most: int) -> float:
    """Pixels; a number that is not zero is seen."""
    return max(HEIGHT * value / most, 1.5) if value else 0.0


@dataclass(frozen=True, slots=True)
class _Shades:
    """Shades 1 to SHADES by rank, because a few large numbers would leave all others pale."""

    values: tuple[int, ...]

    def __call__(self, value: int) -> int:
        """The largest number has the last shade, also where it is the only one."""
        above = sum(1 for other in self.values if other > value)
        return max(1, SHADES - above * SHADES // len(self.values))


def _day_number(label: str) -> int | None:

    try:
        return date.fromisoformat(label[:10]).toordinal()
    except ValueError:
        return None
