"""What the invented portals have to say: articles as they were written, before any markup."""

import re
import tomllib
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any, Literal

NAMES = ("qinglan", "shuyuan", "yunzhang")
"""The portals' ids and the stems of their files."""

Layout = Literal["plain", "one", "hidden", "twice"]
LinkKind = Literal["foreign", "forbidden", "gone", "jump", "moved"]

LINKED = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]+)\]\((?P<href>[^)\s]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One line of a body."""

    kind: Literal["text", "heading", "picture", "file"]
    text: str
    """The paragraph, the caption or the link's words."""
    href: str | None = None
    """Of a picture or a file, as the page prints it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One article as its editors wrote it."""

    id: int
    title: str
    published: str
    """``YYYY-MM-DD`` or ``YYYY-MM-DD hh:mm``, as the page shows it."""
    source: str
    editor: str
    blocks: tuple[Block, ...] = field(repr=False)
    author: str | None = None
    """Names joined by ``,``."""
    signed: bool = False
    """The author stands under the text instead of in the information line."""
    listed: str | None = None
    """The day that the list says, where it differs from the page's."""
    pinned: bool = False
    """On top of the first list page, whatever its date."""
    layout: Layout = "plain"
    """``one``: a single paragraph with table debris behind it; ``hidden``: the body with a hidden copy for printing;
    ``twice``: the whole body once more behind itself, for everybody to see."""
    gzip: bool = False
    """Sent gzip-coded and chunked, whether asked for or not."""
    spam: str | None = None
    """The injected phrase; it is part of the text as printed."""
    reprint_of: str | None = None
    """``portal/id`` of the same text elsewhere."""

    @property
    def day(self) -> str:
        """The day it was published, ``YYYY-MM-DD``."""
        return self.published[:10]

    @property
    def list_day(self) -> str:
        """The day that stands in the list."""
        return self.listed or self.day


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLink:
    """A list entry behind which there is no article of this portal's own."""

    kind: LinkKind
    href: str
    title: str
    date: str
    target: int | str | None = None
    """``moved``: the id of the article it redirects to; ``jump``: the foreign address."""

    @property
    def list_day(self) -> str:
        """The day that stands in the list."""
        return self.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """An invented portal on one night."""

    id: str
    name: str
    family: Literal["trs", "table", "vsb"]
    encoding: str
    """Python codec in which its pages are sent."""
    lists: tuple[str, ...]
    """Paths of its list pages."""
    stories: tuple[Story, ...] = field(repr=False)
    links: tuple[ListLink, ...] = field(repr=False, default=())
    visits: int = 1024
    """What the counters on its pages show."""

    def story(self, number: int) -> Story:
        """The article with the id *number*; KeyError where there is none."""
        for story in self.stories:
            if story.id == number:
                return story
        raise KeyError(f"{self.id} has no article {number}")

    def entries(self) -> list[Story | ListLink]:
        """What its list shows, in order: pinned ones, then the newest first."""
        ordered: list[Story | ListLink] = sorted(
            (*self.stories, *self.links), key=lambda item: item.list_day, reverse=True
        )
        return sorted(ordered, key=lambda item: not (isinstance(item, Story) and item.pinned))


def load(name: str) -> Portal:
    """Read the bundled portal *name* (one of ``NAMES``)."""
    data = tomllib.loads((files("crawler.demo") / f"{name}.toml").read_text(encoding="utf-8"))
    head: dict[str, Any] = data["portal"]
    return Portal(
        **{**head, "lists": tuple(head["lists"])},
        stories=tuple(_story(article) for article in data["article"]),
        links=tuple(ListLink(**link) for link in data.get("link", ())),
    )


def load_all() -> tuple[Portal, ...]:
    """Every bundled portal."""
    return tuple(load(name) for name in NAMES)


def blocks(body: str) -> tuple[Block, ...]:
    """Lines to blocks: ``## `` a sub-head, ``![caption](href)`` a picture, ``[words](href)`` a file, else text."""
    return tuple(_block(line) for line in body.strip().splitlines())


def _story(article: dict[str, Any]) -> Story:
    body = article.pop("body")
    return Story(**article, blocks=blocks(body))


def _block(line: str) -> Block:
    if line.startswith("## "):
        return Block(kind="heading", text=line[3:])
    linked = LINKED.fullmatch(line)
    if linked:
        return Block(kind="picture" if linked["picture"] else "file", text=linked["text"], href=linked["href"])
    return Block(kind="text", text=line)


# Another night: what an editor may do between two crawls.


def edited(portal: Portal, number: int, *, body: str | None = None, **changes: Any) -> Portal:
    """*portal* with fields of the article *number* changed; *body* in the notation of ``blocks``."""
    if body is not None:
        changes["blocks"] = blocks(body)
    new = replace(portal.story(number), **changes)
    return replace(portal, stories=tuple(new if story.id == number else story for story in portal.stories))


def without(portal: Portal, number: int) -> Portal:
    """*portal* after the article *number* was deleted."""
    gone = portal.story(number)
    return replace(portal, stories=tuple(story for story in portal.stories if story is not gone))


def with_story(portal: Portal, story: Story) -> Portal:
    """*portal* with one article more."""
    return replace(portal, stories=(*portal.stories, story))


def visited(portal: Portal) -> Portal:
    """*portal* with its visit counters moved on and nothing else changed."""
    return replace(portal, visits=portal.visits + 7)
