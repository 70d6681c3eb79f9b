"""What each key of an entry may hold: a check takes the value as TOML has it and returns it as `Portal` has it.

A check raises `WrongError` with what is wrong and what would be right; that of a list or a table names every mistake.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from cssselect import HTMLTranslator, SelectorError

from crawler import divisions
from crawler.catalogue.portal import FAMILIES, Expect, ExpectedField, Tls
from crawler.text.urls import MAX_LENGTH, host_of

Check = Callable[[Any], Any]
Word = TypeVar("Word", bound=str)


class WrongError(Exception):
    """A value that may not stand there."""

    def __init__(self, message: str = "", *, inside: Iterable[tuple[str, str]] = ()) -> None:
        self.mistakes = tuple(inside) or (("", message),)
        """Where below the key (``[2]``, ``.week``; empty for the value itself), and what is wrong there."""
        super().__init__("; ".join(f"{where} {text}".strip() for where, text in self.mistakes))


MAX_DELAY = 600
"""Seconds; more than ten minutes between two requests is a slip of the pen."""

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_CODE = re.compile(r"[0-9]{6}")
_SHOWN = 60
_TLS: tuple[Tls, ...] = get_args(Tls)
_EXPECTED_FIELDS: tuple[ExpectedField, ...] = get_args(ExpectedField)


def shown(value: object) -> str:
    """Return *value* as a message shows it: quoted, short, control characters escaped."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def suggestion(word: object, known: Iterable[str]) -> str:
    """Return a hint at the known word nearest to *word*, or at all of them where none is near."""
    words = list(known)
    near = get_close_matches(str(word).lower(), words, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(words)}"


def identifier(value: object) -> str:
    """Check a portal's id: it becomes a part of file names and addresses."""
    text = words(value)
    if len(text) > 40 or not _SLUG.fullmatch(text):
        raise WrongError(
            f"{shown(text)} is no slug: at most 40 lower-case letters and digits, with single hyphens between"
        )
    return text


def words(value: object) -> str:
    """Check a line of text."""
    if not isinstance(value, str):
        raise WrongError(f"{shown(value)} is no text: put it in quotes")
    if not value.strip():
        raise WrongError("is empty")
    if not value.isprintable():
        raise WrongError(f"{shown(value)} holds a control character")
    return value


def note(value: object) -> str:
    """Check a text that may have several lines."""
    text = words(value.replace("\n", " ") if isinstance(value, str) else value)
    return str(value) if text else text


def division(value: object) -> str:
    """Check a division's code against the table."""
    text = words(value)
    if not _CODE.fullmatch(text):
        raise WrongError(f"{shown(text)} is no division code: six digits of GB/T 2260")
    if not divisions.exists(text):
        raise WrongError(f"no division has the code {text}")
    return text


def url(value: object) -> str:
    """Check a web address."""
    text = words(value)
    if " " in text or "\\" in text or len(text) > MAX_LENGTH:
        raise WrongError(f"{shown(text)} is no address: spaces, backslashes, or more than {MAX_LENGTH} characters")
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in {"http", "https"}:
        raise WrongError(f"{shown(text)} does not begin with http:// or https://")
    if "@" in re.split(r"[/?#]", rest, maxsplit=1)[0]:
        raise WrongError(f"{shown(text)} holds a user name: portals are read as the public sees them")
    if not host_of(text):
        raise WrongError(f"{shown(text)} has no valid host or port")
    return text


def family(value: object) -> str:
    """Check the name of a CMS family."""
    text = words(value)
    if text not in FAMILIES:
        raise WrongError(f"no family is called {shown(text)}; {suggestion(text, FAMILIES)}")
    return text


def pattern(value: object) -> str:
    """Check a regular expression."""
    text = words(value)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python only warns of today is a mistake all the same
            re.compile(text)
    except (re.error, RecursionError, OverflowError, Warning) as error:
        raise WrongError(f"{shown(text)} is no regular expression: {error}") from error
    return text


def selector(value: object) -> str:
    """Check a CSS selector."""
    text = words(value)
    try:
        HTMLTranslator().css_to_xpath(text)
    except (SelectorError, RecursionError) as error:
        raise WrongError(f"{shown(text)} is no CSS selector: {error}") from error
    return text


def seconds(value: object) -> float:
    """Check a delay."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_DELAY:
        raise WrongError(f"{shown(value)} is no delay: a number of seconds from 0 to {MAX_DELAY}")
    return float(value)


def encoding(value: object) -> str:
    """Check the name of a text encoding."""
    text = words(value)
    try:
        "a".encode(text)  # an empty string would not be looked up
    except (LookupError, ValueError) as error:
        raise WrongError(f"no encoding is called {shown(text)}: utf-8, gb18030 or big5hkscs, for instance") from error
    return text


def tls(value: object) -> Tls:
    """Check what a server's TLS is like."""
    return _one_of(value, _TLS)


def flag(value: object) -> bool:
    """Check a yes or no."""
    if not isinstance(value, bool):
        raise WrongError(f"{shown(value)} is neither true nor false (without quotes)")
    return value


def count(value: object) -> int:
    """Check a number of articles."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise WrongError(f"{shown(value)} is no number of articles: a whole number, 0 or more")
    return value


def expected_field(value: object) -> ExpectedField:
    """Check the name of an article's field."""
    return _one_of(value, _EXPECTED_FIELDS)


def each(check: Check, example: str) -> Callable[[object], tuple[Any, ...]]:
    """Make a check for a list out of *check* for one of its values; no value may stand there twice."""

    def check_list(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise WrongError(f"{shown(value)} is no list: write {example}")
        kept: list[Any] = []
        mistakes: list[tuple[str, str]] = []
        for position, item in enumerate(value, start=1):
            try:
                checked = check(item)
            except WrongError as error:
                mistakes += [(f"[{position}]{where}", message) for where, message in error.mistakes]
                continue
            if checked in kept:
                mistakes.append((f"[{position}]", f"{shown(checked)} stands there twice"))
            kept.append(checked)
        if mistakes:
            raise WrongError(inside=mistakes)
        return tuple(kept)

    return check_list


def expect(value: object) -> Expect:
    """Check what a portal is expected to yield."""
    if not isinstance(value, dict):
        raise WrongError(f"{shown(value)} is no table: write {{ week = 5, first_page = 10 }}")
    values, mistakes = checked_table(value, _EXPECT_KEYS)
    if mistakes:
        raise WrongError(inside=((f".{key}", message) for key, message in mistakes))
    return Expect(**values)


def checked_table(
    table: Mapping[str, object], checks: Mapping[str, Check]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the values of *table* that pass the check of their key, and the mistakes as (key, message)."""
    values: dict[str, Any] = {}
    mistakes: list[tuple[str, str]] = []
    for key, value in table.items():
        if key not in checks:
            mistakes.append((key, f"unknown key; {suggestion(key, checks)}"))
            continue
        try:
            values[key] = checks[key](value)
        except WrongError as error:
            mistakes += [(f"{key}{where}", message) for where, message in error.mistakes]
    return values, mistakes


def _one_of(value: object, known: tuple[Word, ...]) -> Word:
    for word in known:
        if word == value:
            return word
    raise WrongError(f"{shown(value)} is not known here; {suggestion(value, known)}")


_EXPECT_KEYS: Mapping[str, Check] = {
    "week": count,
    "first_page": count,
    "filled": each(expected_field, '["title", "published"]'),
    "blocked": flag,
}
_urls = each(url, '["https://…", "https://…"]')

IDENTITY_KEYS: Mapping[str, Check] = {
    "id": identifier,
    "name": words,
    "division": division,
    "homepage": url,
    "lists": _urls,
    "feeds": _urls,
    "sitemaps": _urls,
}
"""Keys that are each portal's own."""

SHARED_KEYS: Mapping[str, Check] = {
    "cms": family,
    "expect": expect,
    "article": pattern,
    "body": selector,
    "delay": seconds,
    "encoding": encoding,
    "tls": tls,
    "render": flag,
    "media": flag,
    "enabled": flag,
    "note": note,
}
"""Keys that may also stand in ``[defaults]``."""
