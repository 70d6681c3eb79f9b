"""``/changes``: what portals changed and deleted, the latest first, by place, portal and kind; and its feed."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from typing import Any, Literal, NamedTuple, get_args

from crawler import divisions
from crawler.archive.editions import Edition, editions, newest_readings
from crawler.publish.site.article import changed_fields
from crawler.publish.site.asked import page_number, said
from crawler.publish.site.asking import ask, cached, rows
from crawler.publish.site.comparison import Excerpts
from crawler.publish.site.dossier import texts
from crawler.publish.site.feeds import ENTRIES, Entry, atom
from crawler.publish.site.frame import Routes, bad_address, here, link, page
from crawler.publish.site.language import Words, lang_of, words
from crawler.publish.site.names import division_name, full_name
from crawler.publish.site.titles import titles
from crawler.text import query as queries
from crawler.text.differences import Words as Run
from crawler.text.folding import fold

Kind = Literal["edited", "gone", "redirected", "blocked", "back"]
KINDS: tuple[Kind, ...] = get_args(Kind)

PER_PAGE = 20
PAGES = 250
LONGEST = 100
"""Characters of a filter."""
KEPT_FOR = 30.0
"""Seconds for which the list may be old while a crawl writes."""
COMPARING = 0.06
"""Seconds that a page spends on comparing texts."""
LISTING_MS = 5_000


class Event(NamedTuple):
    """Something that a portal did to an article; ids only."""

    at: str
    """When it was seen, UTC."""
    article_id: int
    kind: Kind
    version_id: int
    """Of an edit the newer version; else 0."""
    portal_id: str
    division_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An event with what is told of it."""

    event: Event
    title: str | None
    portal: str
    published: str | None
    first_seen: str
    before: int | None
    """Version before an edit."""
    after: int | None
    fields: tuple[str, ...]
    words: tuple[Run, ...]
    """The edit in short; empty where it is not in the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an address asks for; empty means all."""

    kind: str
    place: str
    """As typed."""
    portal: str
    unread: tuple[str, ...] = ()
    """Names of what says nothing (``kind=nonsense``)."""

    @property
    def parameters(self) -> dict[str, str]:
        """The address's own."""
        return {"kind": self.kind, "division": self.place, "portal": self.portal}


async def changes(datasette: Any, request: Any) -> Any:
    """The page."""
    wanted = _wanted(request)
    t = words(lang_of(request))
    events = _chosen(await _events(datasette), wanted)
    pages = max(1, min(-(-len(events) // PER_PAGE), PAGES))
    turned_to = page_number(request.args.get("page"), most=pages)
    shown = events[(turned_to - 1) * PER_PAGE : turned_to * PER_PAGE]
    listed = await ask(datasette, partial(_told, shown=shown))
    portals = await rows(datasette, "SELECT id, name FROM portals ORDER BY id")
    return await page(
        datasette,
        request,
        "changes",
        title=t("changes.title"),
        data={
            **wanted.parameters,
            "not_understood": list(wanted.unread),
            "page": turned_to,
            "per_page": PER_PAGE,
            "total": len(events),
            "changes": [_row(one) for one in listed],
        },
        feed=link(datasette, request, "/changes.atom", **wanted.parameters),
        is_indexed=not any(wanted.parameters.values()) and turned_to == 1,
        wanted=wanted,
        kinds=KINDS,
        portals=portals,
        total=len(events),
        listed=listed,
        place_of=division_name,
        page=turned_to,
        pages=pages,
        previous=here(request, page=turned_to - 1) if turned_to > 1 else None,
        next=here(request, page=turned_to + 1) if turned_to < pages else None,
        said=said,
    )


async def feed(datasette: Any, request: Any) -> Any:
    """``/changes.atom``."""
    wanted = _wanted(request)
    if wanted.unread:
        return await bad_address(datasette, request, unread=wanted.unread)
    t = words(lang_of(request))
    shown = _chosen(await _events(datasette), wanted)[:ENTRIES]
    listed = await ask(datasette, partial(_told, shown=shown))
    path = link(datasette, request, "/changes", **wanted.parameters)
    entries = [_entry(datasette, request, one, t) for one in listed]
    return atom(datasette, request, title=t("changes.title"), path=path, entries=entries)


def _wanted(request: Any) -> Wanted:
    def given(name: str) -> str:
        return (request.args.get(name) or "").strip()[:LONGEST]

    kind, place = given("kind"), given("division")
    is_known = {"kind": kind in KINDS, "division": queries.division(place) is not None}
    return Wanted(
        kind=kind if is_known["kind"] else "",
        place=place if is_known["division"] else "",
        portal=given("portal"),
        unread=tuple(name for name, known in is_known.items() if given(name) and not known),
    )


def _chosen(events: Sequence[Event], wanted: Wanted) -> Sequence[Event]:
    """The events that are wanted."""
    if not any(wanted.parameters.values()):
        return events
    beginnings = _codes(wanted.place) if wanted.place else ("",)
    return [
        event
        for event in events
        if (not wanted.kind or event.kind == wanted.kind)
        and (not wanted.portal or event.portal_id == wanted.portal)
        and (event.division_code or "").startswith(beginnings)
        and (event.division_code or not wanted.place)
    ]


@lru_cache(maxsize=1_024)
def _codes(place: str) -> tuple[str, ...]:
    """What the codes of a place begin with, named by its code or by the beginning of its name, in either script."""
    asked = queries.division(place)
    if asked is None:
        return ()
    if asked.value.isdigit():
        return (asked.value,)
    begin = fold(place)
    return tuple({queries.code_prefix(row.code) for row in divisions.rows() if fold(row.name).startswith(begin)})


@cached(KEPT_FOR)
async def _events(datasette: Any) -> tuple[Event, ...]:
    """Every event, the latest first. What is shown of one is asked for anew."""
    return await ask(datasette, _all_events, limit_ms=LISTING_MS)


def _all_events(conn: sqlite3.Connection) -> tuple[Event, ...]:
    found = [Event(*row) for sql in (_EDITS, _STATES) for row in conn.execute(sql)]
    return tuple(sorted(found, reverse=True))


def _told(conn: sqlite3.Connection, *, shown: Sequence[Event]) -> list[Change]:
    """The events with their titles, edits compared; what is not shown to the public any more is left out."""
    excerpts = Excerpts(COMPARING)
    title_of = titles(conn, {event.article_id for event in shown})
    found = []
    for event in shown:
        row = conn.execute(_TOLD, (event.article_id,)).fetchone()
        if row is not None:
            portal, published, first_seen = row
            pair = _pair(conn, event) if event.kind == "edited" else None
            found.append(
                Change(
                    event=event,
                    title=title_of.get(event.article_id),
                    portal=portal,
                    published=published,
                    first_seen=first_seen,
                    before=pair[0].version_id if pair else None,
                    after=pair[1].version_id if pair else None,
                    fields=tuple(changed_fields(*pair)) if pair else (),
                    words=tuple(excerpts.of(*(texts(conn, one.version_id) for one in pair))) if pair else (),
                )
            )
    return found


def _pair(conn: sqlite3.Connection, event: Event) -> tuple[Edition, Edition] | None:
    """The two versions of an edit, as they are read today."""
    history = editions(conn, event.article_id)
    today = newest_readings(history)
    capture = next((one.capture_id for one in history if one.version_id == event.version_id), None)
    place = next((n for n, one in enumerate(today) if one.capture_id == capture), 0)
    return (today[place - 1], today[place]) if place else None


def _row(change: Change) -> dict[str, Any]:
    event = change.event
    return {
        **event._asdict(),
        "version_id": change.after,
        "before": change.before,
        "title": change.title,
        "portal": change.portal,
        "division": full_name(event.division_code),
        "published": change.published,
        "fields": list(change.fields),
        "words": [asdict(one) for one in change.words],
    }


def _entry(datasette: Any, request: Any, change: Change, t: Words) -> Entry:
    event = change.event
    what = t(f"changes.kind.{event.kind}")
    compare = f"{change.before}..{change.after}" if change.after else None
    told = "".join(_marked(change.words))
    return Entry(
        id=f"change/{event.kind}/{event.version_id or event.article_id}/{event.at}",
        title=t("changes.title_of", what=what, title=change.title or t("frame.untitled")),
        path=link(datasette, request, f"/article/{event.article_id}", compare=compare),
        updated=event.at,
        author=change.portal,
        summary=told,
    )


def _marked(runs: Sequence[Run]) -> Iterator[str]:
    """Runs as plain text: [-what went-], {+what came+}."""
    signs = {"remove": ("[-", "-]"), "add": ("{+", "+}"), "keep": ("", "")}
    for run in runs:
        begin, end = signs[run.kind]
        yield f"{begin}{run.text}{end}"


# Articles with several versions are found in the index alone; the first of each is no edit.
_EDITS = """
    SELECT seen_at, article_id, 'edited', after_id, portal_id, division_code FROM (
        SELECT seen_at, article_id, versions.id AS after_id,
            row_number() OVER (PARTITION BY article_id ORDER BY seen_at, versions.id) AS place
        FROM versions WHERE replaces IS NULL
            AND article_id IN (SELECT article_id FROM versions GROUP BY article_id HAVING count(*) > 1)
    ) JOIN articles ON articles.id = article_id WHERE place > 1
"""
# That it is edited, its versions tell; a state `live` or `edited` is news behind one in which nobody could read it.
_STATES = """
    SELECT since, article_id, iif(said.state IN ('live', 'edited'), 'back', said.state), 0, portal_id, division_code
    FROM (
        SELECT article_id, since, state, lag(state) OVER (PARTITION BY article_id ORDER BY since) AS before
        FROM article_states
    ) AS said JOIN articles ON articles.id = article_id
    WHERE said.state NOT IN ('live', 'edited') OR before NOT IN ('live', 'edited')
"""
_TOLD = """
    SELECT name, published, first_seen FROM articles JOIN portals ON portals.id = portal_id WHERE articles.id = ?
"""
ROUTES: Routes = [(r"/changes(\.json)?$", changes), (r"/changes\.atom$", feed)]
