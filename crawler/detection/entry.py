"""What was found of a portal as an entry of the catalogue, ready to paste."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from crawler import divisions
from crawler.detection.family import GENERIC, LEAST
from crawler.detection.survey import Identity, ListReport, Survey
from crawler.text.urls import host_of, registered_domain

CODE_DIGITS = 6
"""Of a site code's ten characters, those that are the division's."""
EXPECTED_SHARE = 0.8
"""Of the articles on today's shortest first page, what a healthy night has: items are pinned, hidden, taken down."""
SLUG_CHARS = 40
NO_NAME = re.compile(r"^欢迎(?:访问|光临|来到)|[-_—|\s]*(?:(?:网站)?首页|(?:政府)?门户网站|官方网站|官网|欢迎您)\W*$")
"""What titles of homepages say besides the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The division that a portal speaks for."""

    code: str
    names: tuple[str, ...]
    """Province, prefecture, county, as far as there are."""
    basis: str
    """Where it was taken from, in words."""


def place_of(identity: Identity) -> Place | None:
    """The division that the site code begins with, else the only one whose full name the site's name holds."""
    code = (identity.site_id or "")[:CODE_DIGITS]
    if divisions.exists(code):
        return _place(code, f"SiteIDCode {identity.site_id}")
    name = identity.site_name or identity.title or ""
    named = [row for row in divisions.rows() if row.to_year is None and row.name in name]
    longest = [row for row in named if len(row.name) == max(len(each.name) for each in named)]
    return _place(longest[0].code, f"the name {longest[0].name}") if len(longest) == 1 else None


def chosen(lists: Sequence[ListReport]) -> list[ListReport]:
    """The lists worth crawling: with dated articles, and not the mere front of other lists."""
    kept = [found for found in lists if found.dated >= LEAST]
    return [found for found in kept if found.has_next or not _is_covered(found, kept)]


def suggested_id(homepage: str) -> str:
    """A slug from the host's own label: ``snqianxian`` of ``www.snqianxian.gov.cn``."""
    host = host_of(homepage).removeprefix("www.")
    is_name = not host.startswith("[") and not registered_domain(host).replace(".", "").isdecimal()
    slug = re.sub(r"[^a-z0-9]+", "-", host.split(".")[0] if is_name else "").strip("-")
    return slug[:SLUG_CHARS].strip("-") or "portal"


def as_toml(survey: Survey, *, plain: Callable[[object], str]) -> str | None:
    """The entry; None where there is nothing to crawl. *plain* takes out what must not reach a terminal.

    A division that is not known is left empty, which ``xianzhi portals check`` will name.
    """
    lists, feeds = chosen(survey.lists), survey.feeds
    if not lists and not feeds:
        return None
    return "\n".join([*_lines(survey, lists, lambda value: _quoted(plain(value)), plain), ""])


def name_of(identity: Identity, homepage: str) -> str:
    """What the portal calls itself."""
    title = NO_NAME.sub("", identity.title or "").strip()
    return identity.site_name or title or host_of(homepage)


def _lines(
    survey: Survey, lists: Sequence[ListReport], quoted: Callable[[object], str], plain: Callable[[object], str]
) -> Iterator[str]:
    place = place_of(survey.identity)
    yield "[[portal]]"
    yield f"id = {quoted(suggested_id(survey.homepage))}"
    yield f"name = {quoted(name_of(survey.identity, survey.homepage))}"
    yield (
        f"division = {quoted(place.code)} # {plain(' '.join(place.names))}"
        if place
        else ('division = "" # six digits of GB/T 2260: no page tells')
    )
    yield f"homepage = {quoted(survey.homepage)}"
    if lists:
        yield "lists = ["
        yield from (f"    {quoted(found.url)},{f' # {plain(found.name)}' if found.name else ''}" for found in lists)
        yield "]"
        doubt = " # nothing speaks for another one" if survey.family == GENERIC else ""
        yield f"cms = {quoted(survey.family)}{doubt}"
        yield f"expect = {{ first_page = {max(1, int(EXPECTED_SHARE * min(found.articles for found in lists)))} }}"
    else:
        yield f"feeds = [{', '.join(map(quoted, survey.feeds))}]"
        yield 'cms = "feed"'
    reasons = survey.guesses[0].reasons if survey.guesses else ()
    why = "; ".join(dict.fromkeys([*reasons[:1], *reasons[-1:]]))
    found = f"Found by xianzhi portals detect on {datetime.now(UTC):%Y-%m-%d}"
    yield f"note = {quoted(f'{found}: {why}.' if why else f'{found}.')}"


def _quoted(text: str) -> str:
    """A basic string of TOML, whose escapes JSON's are among; what neither prints nor escapes is left out."""
    return json.dumps("".join(char for char in text if unicodedata.category(char)[0] != "C"), ensure_ascii=False)


def _is_covered(front: ListReport, lists: Sequence[ListReport]) -> bool:
    """Whether other lists name most of what *front* does: then it is only the page that leads to them."""
    others = frozenset[str]().union(*(found.urls for found in lists if found is not front and found.has_next))
    return 2 * len(front.urls & others) > len(front.urls)


def _place(code: str, basis: str) -> Place:
    place = divisions.resolve(code, datetime.now(UTC).year)
    names = tuple(row.name for row in (place.province, place.prefecture, place.county) if row)
    return Place(code=code, names=names, basis=basis)
