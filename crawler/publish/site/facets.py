"""What a search can be narrowed by: numbers by time, place, portal and state, from one look at the index."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from crawler.divisions import part_of
from crawler.publish.site.asked import EARLIEST, this_month
from crawler.publish.site.charts import Mark
from crawler.publish.site.facts import Facts
from crawler.publish.site.names import division_name, full_name
from crawler.publish.site.selection import Selection
from crawler.text import query as queries

SHOWN = 8
"""Choices of a facet that are shown; the others go by narrower ones."""
MONTHS_UP_TO = 3
"""Years; a search over more is shown by year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A value that narrows the search, or the one chosen, which then leads back."""

    name: str
    number: int
    parameters: Mapping[str, str | None]
    """What to change in the address."""
    is_chosen: bool = False
    hint: str = ""
    """Its full name, where the name alone may be several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """Numbers of the articles that match, by value."""

    total: int
    months: Mapping[str, int]
    """``YYYYMM``, or ``YYYY00`` where no more is known."""
    divisions: Mapping[str, int]
    portals: Mapping[str, int]
    states: Mapping[str, int]


def breakdown(known: Facts, ids: Sequence[int]) -> Breakdown:
    """How articles divide."""
    divisions, portals, states = Counter[str](), Counter[str](), Counter[str]()
    for number, articles in Counter(map(known.groups.__getitem__, ids)).items():
        group = known.group_names[number]
        divisions[group.division] += articles
        portals[group.portal] += articles
        states[group.state] += articles
    months = Counter(map(known.months.__getitem__, ids))
    return Breakdown(
        total=len(ids),
        months={f"{month:06}": articles for month, articles in months.items() if month},
        divisions=_named(divisions),
        portals=_named(portals),
        states=_named(states),
    )


def _named(numbers: Mapping[str, int]) -> dict[str, int]:
    """Without the number of those that have no name."""
    return {name: number for name, number in numbers.items() if name}


def periods(numbers: Breakdown, link: Callable[..., str]) -> list[Mark]:
    """Bars by year, or by month where there are few years; each leads to its articles. What cannot be has none."""
    dated, now = {f"{month[:4]}-{month[4:]}": number for month, number in numbers.months.items()}, this_month()
    months = {month: number for month, number in dated.items() if EARLIEST <= month <= now}
    if not months:
        return []
    years = range(int(min(months)[:4]), int(max(months)[:4]) + 1)
    if len(years) > MONTHS_UP_TO:
        by_year = Counter[str]()
        for month, number in months.items():
            by_year[month[:4]] += number
        labels = {str(year): by_year[str(year)] for year in years}
    else:
        every = (f"{year:04}-{month:02}" for year in years for month in range(1, 13))
        labels = {label: months.get(label, 0) for label in every if min(months) <= label <= max(months)}
    return [
        Mark(label=label, value=number, href=link(**{"from": label, "to": label, "page": None}))
        for label, number in labels.items()
    ]


def places(numbers: Breakdown, chosen: Selection) -> list[Choice]:
    """The next narrower divisions: provinces, or what lies in the chosen one."""
    asked = queries.division(chosen.filters.get("division", ""))
    prefix = asked.value if asked and asked.value.isdigit() else ""
    by_place = Counter[str]()
    for code, number in numbers.divisions.items():
        if code.startswith(prefix):
            by_place[part_of(code, prefix)] += number
    return _choices("division", _most(by_place), division_name, chosen)


def counties(numbers: Breakdown, chosen: Selection) -> list[Choice]:
    """Counties, those with most articles first."""
    only = {code: number for code, number in numbers.divisions.items() if not code.endswith("00")}
    return _choices("division", _most(only), division_name, chosen)


def portals(numbers: Breakdown, chosen: Selection, names: Mapping[str, str]) -> list[Choice]:
    """Portals, those with most articles first; *names* by id."""
    return _choices("portal", _most(numbers.portals), lambda one: names.get(one, one), chosen)


def states(numbers: Breakdown, chosen: Selection, name_of: Callable[[str], str]) -> list[Choice]:
    """States; where all articles are online there is nothing to choose."""
    found = _choices("state", _most(numbers.states), name_of, chosen)
    return found if len(found) > 1 or any(one.is_chosen for one in found) else []


def _choices(
    name: str, numbers: Iterable[tuple[str, int]], name_of: Callable[[str], str | None], chosen: Selection
) -> list[Choice]:
    now = chosen.filters.get(name)
    return [
        Choice(
            name=name_of(value) or value,
            number=number,
            parameters={name: None if value == now else value, "page": None},
            is_chosen=value == now,
            hint=(full_name(value) or "") if name == "division" else "",
        )
        for value, number in numbers
        if value
    ]


def _most(numbers: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(numbers.items(), key=lambda one: (-one[1], one[0]))[:SHOWN]
