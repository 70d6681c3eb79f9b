"""Whether a portal of the catalogue is on the live web as its entry says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from crawler.catalogue import Portal
from crawler.detection.family import GENERIC, LEAST, Guess, recognise, together
from crawler.detection.survey import first_articles, front_page, identity_of, list_page
from crawler.fetch.visitor import NotHad, Visitor
from crawler.reading.identity import contradiction
from crawler.text.urls import host_of
from spiders.listing import Link, Listing

CLEARLY = 1.0
"""Points that another family must have more than the catalogue's own."""

Status = Literal["ok", "blocked", "failed"]
Kind = Literal["homepage", "list", "feed", "sitemap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a portal's pages said to one look."""

    portal: Portal
    status: Status
    """A portal known to refuse us is ``ok`` where it does."""
    family: str
    """The catalogue's, or the likeliest where it names none."""
    answered: int
    """Lists, feeds and sitemaps that answered …"""
    asked: int
    """… of so many."""
    articles: int
    """Named on their first pages."""
    newest: str | None
    """Day of the newest, ISO 8601."""
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One address of an entry, and what came of asking for it."""

    kind: Kind
    url: str
    page: Listing | None = None
    turned: str | None = None
    """That only the other scheme answers, in words."""
    error: NotHad | None = None


async def check_portal(visitor: Visitor, portal: Portal) -> Health:
    """Ask for the homepage and the first page of each list, feed and sitemap, and hold them against the entry."""
    looks: list[_Look] = []
    silent: set[str] = set()
    for kind, url in _addresses(portal):
        if host_of(url) in silent:
            continue
        looks.append(await _look(visitor, portal, kind, url))
        error = looks[-1].error
        if error is not None and error.is_blocked:  # it does not want us
            break
        silent |= {host_of(url)} if error is not None and error.is_silent else set()
    guesses = together(recognise(look.page) for look in looks if look.kind == "list" and look.page)
    family = portal.cms or (guesses[0].family if guesses else None)
    named = [(look, await _articles(visitor, family or GENERIC, look)) for look in looks if look.kind != "homepage"]
    problems = [
        *(f"{look.kind}: {look.error or look.turned}" for look in looks if look.error or look.turned),
        *(f"{look.kind}: {links}" for look, links in named if isinstance(links, NotHad)),
        *(problem for look, links in named for problem in _too_few(portal, look, links)),
        *_other_family(portal, guesses),
        *_stranger(portal, [look.page for look in looks if look.page]),
    ]
    is_blocked = any(look.error is not None and look.error.is_blocked for look in looks)
    found = [link for _, links in named if not isinstance(links, NotHad) for link in links]
    return Health(
        portal=portal,
        status=_status(portal, problems, is_blocked=is_blocked),
        family=family or "unknown",
        answered=sum(look.page is not None for look, _ in named),
        asked=len(list(_addresses(portal))) - 1,
        articles=len(found),
        newest=max((link.published[:10] for link in found if link.published), default=None),
        problems=tuple(problems),
    )


def failed(portal: Portal, problem: str) -> Health:
    """The line of a portal that could not be looked at."""
    return Health(
        portal=portal,
        status="failed",
        family=portal.cms or "unknown",
        answered=0,
        asked=len(list(_addresses(portal))) - 1,
        articles=0,
        newest=None,
        problems=(problem,),
    )


def _addresses(portal: Portal) -> Iterator[tuple[Kind, str]]:
    yield "homepage", portal.homepage
    if portal.cms not in {"feed", "sitemap"}:
        yield from (("list", url) for url in portal.lists)
    yield from (("feed", url) for url in portal.feeds)
    yield from (("sitemap", url) for url in portal.sitemaps)


async def _look(visitor: Visitor, portal: Portal, kind: Kind, url: str) -> _Look:
    family = portal.cms if kind == "list" and portal.cms else GENERIC
    try:
        if kind == "homepage":
            page, turned = await front_page(visitor, url)
            return _Look(kind=kind, url=url, page=page, turned=turned)
        return _Look(kind=kind, url=url, page=await list_page(visitor, family, url))
    except NotHad as error:
        return _Look(kind=kind, url=url, error=error)


async def _articles(visitor: Visitor, family: str, look: _Look) -> Sequence[Link] | NotHad:
    """What the first page of a list or a feed names; sitemaps may name everything, and are not counted."""
    if look.page is None or look.kind == "sitemap":
        return ()
    try:
        _, trial = await first_articles(visitor, family if look.kind == "list" else "feed", look.page)
    except NotHad as error:
        return error
    return trial.links


def _too_few(portal: Portal, look: _Look, links: Sequence[Link] | NotHad) -> Iterator[str]:
    wanted = portal.expect.first_page or 1
    if look.page is None or isinstance(links, NotHad):
        return
    if look.kind == "sitemap":
        guess = recognise(look.page)[0]
        if guess.family != "sitemap":
            yield f"sitemap {look.url} is none"
    elif len(links) < wanted:
        yield f"{look.kind} {look.url} names {len(links)} articles, {wanted} expected"


def _other_family(portal: Portal, guesses: Sequence[Guess]) -> Iterator[str]:
    """Where another family clearly made the lists than the catalogue's; ``generic`` claims no family."""
    if portal.cms in {None, GENERIC} or not guesses or guesses[0].family in {GENERIC, portal.cms}:
        return
    best, own = guesses[0], next((guess for guess in guesses if guess.family == portal.cms), None)
    if own is None or best.score >= own.score + CLEARLY or (best.dated >= LEAST > own.dated):
        yield f"looks like {best.family} ({'; '.join(best.reasons[:2])}), the catalogue says {portal.cms}"


def _stranger(portal: Portal, pages: Sequence[Listing]) -> Iterator[str]:
    """Whose pages these are, where they are not the portal's."""
    identity = identity_of(pages)
    words = contradiction(identity.site_id, identity.site_name, division=portal.division, name=portal.name)
    if words:
        yield f"{portal.homepage} {words}"


def _status(portal: Portal, problems: Sequence[str], *, is_blocked: bool) -> Status:
    if is_blocked:
        return "ok" if portal.expect.blocked else "blocked"
    return "failed" if problems else "ok"
