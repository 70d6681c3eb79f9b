"""Where stories come from and where they go, portal by portal; ``/reprints``: the articles themselves."""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from crawler.archive.reprint_flows import Reprint, reprinted
from crawler.publish.site.asked import page_number
from crawler.publish.site.asking import ask, cached, rows
from crawler.publish.site.frame import Routes, here, link, page
from crawler.publish.site.language import Words, lang_of, words
from crawler.publish.site.names import division_name, full_name
from crawler.publish.site.titles import with_titles
from crawler.text.query import code_prefix

KEPT_FOR = 600.0
"""Seconds for which they may be old while a crawl writes: reprints are looked for at its end."""
GATHERING_MS = 60_000
"""What `reprinted` may take."""
SHOWN = 10
"""Portals each way."""
PER_PAGE = 30
PAGES = 100
LONGEST = 100
"""Characters of a portal's id that are read."""

Kind = Literal["division", "portal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """Another portal, and how many articles were reprinted."""

    portal_id: str
    name: str
    division_code: str
    place: str | None
    articles: int
    href: str
    """The list of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Articles that went one way between a portal, or the portals of a place, and all others."""

    articles: int
    partners: Sequence[Partner]
    """Those with the most first; not more than `SHOWN`."""
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """Both ways."""

    taken: Flow
    """Articles whose story another portal had first."""
    given: Flow
    """Articles of others whose story was here first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gathered:
    reprints: Sequence[Reprint]
    """The newest first."""
    taken: Mapping[str, Counter[str]]
    """By portal: from whom how many."""
    given: Mapping[str, Counter[str]]
    """By portal: by whom how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """Who printed first, or later: a portal, the portals of a place, or anybody."""

    name: str
    """Of its parameter."""
    portal: str = ""
    division: str = ""
    """A code."""

    @classmethod
    def asked(cls, request: Any, name: str) -> "_Side":
        """What ``NAME=PORTAL`` or ``NAME_division=CODE`` says; nonsense is nobody."""
        portal, code = ((request.args.get(one) or "").strip()[:LONGEST] for one in (name, f"{name}_division"))
        return cls(name=name, portal=portal, division=code)

    @property
    def is_anybody(self) -> bool:
        return not (self.portal or self.division)

    def portals(self, known: Mapping[str, Mapping[str, Any]]) -> set[str]:
        """The ids of its portals."""
        prefix = code_prefix(self.division)
        return {
            one["id"]
            for one in known.values()
            if self.portal in {"", one["id"]} and one["division_code"].startswith(prefix)
        }

    def said(self, known: Mapping[str, Mapping[str, Any]], t: Words) -> str:
        """In words."""
        if self.portal:
            return str(known[self.portal]["name"]) if self.portal in known else self.portal
        return (full_name(self.division) or self.division) if self.division else t("flows.anybody")

    def path(self, known: Mapping[str, Mapping[str, Any]]) -> str | None:
        """Its own page."""
        if self.portal:
            return f"/portal/{self.portal}" if self.portal in known else None
        return f"/county/{self.division}" if full_name(self.division) else None


async def flows(datasette: Any, request: Any, kind: Kind, value: str, own: Collection[str]) -> Flows:
    """Between *own* portals, which are those of *kind* and *value* (a code or an id), and all others."""
    gathered, known = await _gathered(datasette), await _portals(datasette)
    suffix = "_division" if kind == "division" else ""

    def flow(numbers: Mapping[str, Counter[str]], *, here: str, there: str) -> Flow:
        summed = Counter[str]()
        for portal_id in own:
            summed.update(numbers.get(portal_id, {}))
        others = {one: number for one, number in summed.items() if one not in own and one in known}
        most = sorted(others.items(), key=lambda one: (-one[1], one[0]))[:SHOWN]
        us = {f"{here}{suffix}": value}
        return Flow(
            articles=sum(others.values()),
            href=link(datasette, request, "/reprints", **us),
            partners=[
                Partner(
                    portal_id=one,
                    name=known[one]["name"],
                    division_code=known[one]["division_code"],
                    place=division_name(known[one]["division_code"]),
                    articles=number,
                    href=link(datasette, request, "/reprints", **us, **{there: one}),
                )
                for one, number in most
            ],
        )

    return Flows(
        taken=flow(gathered.taken, here="to", there="from"), given=flow(gathered.given, here="from", there="to")
    )


async def reprints(datasette: Any, request: Any) -> Any:
    """``/reprints``: ``from`` or ``from_division`` say who printed first, ``to`` or ``to_division`` who later.

    Where only one of them is given, what it reprinted from itself is left out.
    """
    t, known = words(lang_of(request)), await _portals(datasette)
    first, later = _Side.asked(request, "from"), _Side.asked(request, "to")
    found = _between(first, later, (await _gathered(datasette)).reprints, known)
    pages = max(1, min(-(-len(found) // PER_PAGE), PAGES))
    turned_to = page_number(request.args.get("page"), most=pages)
    listed = await _named(datasette, found[(turned_to - 1) * PER_PAGE : turned_to * PER_PAGE])
    return await page(
        datasette,
        request,
        "reprints",
        title=t("flows.title"),
        description=t("flows.lede"),
        data={
            "from": asdict(first),
            "to": asdict(later),
            "total": len(found),
            "page": turned_to,
            "per_page": PER_PAGE,
            "reprints": listed,
        },
        is_indexed=first.is_anybody and later.is_anybody and turned_to == 1,
        sides=[(side.name, side.said(known, t), _linked(datasette, request, side, known)) for side in (first, later)],
        total=len(found),
        listed=listed,
        page=turned_to,
        pages=pages,
        previous=here(request, page=turned_to - 1) if turned_to > 1 else None,
        next=here(request, page=turned_to + 1) if turned_to < pages else None,
    )


def _linked(datasette: Any, request: Any, side: _Side, known: Mapping[str, Mapping[str, Any]]) -> str | None:
    path = side.path(known)
    return link(datasette, request, path) if path else None


def _between(
    first: _Side, later: _Side, every: Sequence[Reprint], known: Mapping[str, Mapping[str, Any]]
) -> list[Reprint]:
    ours, theirs = first.portals(known), later.portals(known)
    if first.is_anybody and not later.is_anybody:
        ours -= theirs
    elif later.is_anybody and not first.is_anybody:
        theirs -= ours
    return [one for one in every if one.first_portal_id in ours and one.portal_id in theirs]


async def _named(datasette: Any, found: Sequence[Reprint]) -> list[dict[str, Any]]:
    """What is shown of both articles, asked anew each time: what was withheld meanwhile is left out."""
    ids = json.dumps([number for one in found for number in (one.article_id, one.first_id)])
    told = {one["id"]: one for one in await with_titles(datasette, await rows(datasette, _NAMED, (ids,)))}
    return [
        {"later": told[one.article_id], "first": told[one.first_id]}
        for one in found
        if one.article_id in told and one.first_id in told
    ]


@cached(KEPT_FOR)
async def _gathered(datasette: Any) -> _Gathered:
    def question(conn: sqlite3.Connection) -> _Gathered:
        found = reprinted(conn)
        taken: defaultdict[str, Counter[str]] = defaultdict(Counter)
        given: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for one in found:
            taken[one.portal_id][one.first_portal_id] += 1
            given[one.first_portal_id][one.portal_id] += 1
        return _Gathered(reprints=found, taken=taken, given=given)

    return await ask(datasette, question, limit_ms=GATHERING_MS)


@cached(KEPT_FOR)
async def _portals(datasette: Any) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in await rows(datasette, "SELECT id, name, division_code FROM portals")}


_NAMED = """
    SELECT articles.id, substr(published, 1, 10) AS day, portal_id, name AS portal, state
    FROM articles JOIN portals ON portals.id = portal_id WHERE articles.id IN (SELECT value FROM json_each(?))
"""
ROUTES: Routes = [(r"/reprints(\.json)?$", reprints)]
