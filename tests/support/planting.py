"""What the zoo's portals are planted with, and the pieces of markup that they share."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import NAMESPACE_URL, uuid5

from crawler.demo.site import Response
from tests.zoo import Planted, day_of, text_of, title_of

CUT = 14
"""Characters of a title that a list shows before its dots."""
_least = ContextVar("least", default=0)


def plant(count: int, path: Callable[[int], str], *, day: Callable[[int], str] = day_of) -> list[Planted]:
    """*count* articles, newest first; *path* and *day* say where number n stands and of which day it is."""
    numbers = range(max(count, _least.get()))
    return [Planted(path=path(n), title=title_of(n), day=day(n), text=text_of(n)) for n in numbers]


@contextmanager
def at_least(count: int) -> Iterator[None]:
    """Portals that are planted in the block have so many articles: for the trials in full size."""
    token = _least.set(count)
    try:
        yield
    finally:
        _least.reset(token)


def in_pages(planted: Sequence[Planted], size: int) -> Iterator[tuple[int, Sequence[Planted]]]:
    """List pages of *size* articles with their numbers from 1."""
    return ((start // size + 1, planted[start : start + size]) for start in range(0, len(planted), size))


def cut(title: str) -> str:
    """A title as a narrow list shows it."""
    return f"{title[:CUT]}..."


def uuid_of(name: object) -> str:
    """The same UUID for the same name."""
    return str(uuid5(NAMESPACE_URL, str(name)))


def page(markup: str, encoding: str = "utf-8") -> Response:
    """*markup* as a web page, its charset in the header as servers of this software send it (only for UTF-8)."""
    charset = "; charset=utf-8" if encoding == "utf-8" else ""
    return Response(headers=(("Content-Type", f"text/html{charset}"),), body=markup.encode(encoding))
