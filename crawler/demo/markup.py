"""Filling the templates, and the pieces of markup that the families share."""

import html
import string
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files

from crawler.demo.stories import ListLink, Story

Entry = Story | ListLink


class Template(string.Template):
    """A template whose placeholders read ``%%{name}``: CMS scripts are full of dollars."""

    delimiter = "%%"


@cache
def template(name: str) -> Template:
    """The template ``templates/<name>.html``."""
    return Template((files("crawler.demo") / "templates" / f"{name}.html").read_text(encoding="utf-8"))


def fill(name: str, **values: str | int) -> str:
    """The page *name* with its placeholders replaced; values are markup already."""
    return template(name).substitute(values)


def escape(text: str) -> str:
    """*text* for element content and quoted attributes."""
    return html.escape(text)


def link(href: str, words: str) -> str:
    """An anchor."""
    return f'<a href="{escape(href)}">{escape(words)}</a>'


def slices(items: Sequence[Entry], size: int) -> Iterator[Sequence[Entry]]:
    """*items* cut into list pages of *size*."""
    return (items[start : start + size] for start in range(0, len(items), size))


def neighbours(stories: Sequence[Story], story: Story) -> tuple[Story | None, Story | None]:
    """The newer and the older neighbour of *story* in a list sorted newest first; None at an end."""
    at = stories.index(story)
    return (stories[at - 1] if at else None), (stories[at + 1] if at + 1 < len(stories) else None)


def newest_first(stories: Sequence[Story]) -> list[Story]:
    """*stories* in the order in which a list shows them, without its pinned ones on top."""
    return sorted(stories, key=lambda story: (story.list_day, story.id), reverse=True)
