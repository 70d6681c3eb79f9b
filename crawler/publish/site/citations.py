"""An archived article as a reference: GB/T 7714, APA, BibTeX, RIS. What is cited is one version, which never changes.

Each gives the address of the portal and that of the version here, and as the day of access the day on which that
version was captured (UTC), so that the same version is cited alike whenever it is asked for.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

LISTED_AUTHORS = 3
"""GB/T 7714 names as many and goes on with 等."""

_MONTHS = "January February March April May June July August September October November December".split()
_TEX = {
    **{sign: f"\\{sign}" for sign in "$&%#_"},
    # BibTeX counts braces even behind a backslash.
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    '"': r"\textquotedbl{}",
}
_UNSEEN = ("Cc", "Cf", "Cs")
"""Categories of characters that nobody sees; some turn the rest of a line around."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A version of an article, as far as a reference names it."""

    article_id: int
    version_id: int
    title: str | None
    author: str | None
    """Names, several joined by ``,``."""
    portal: str
    """Its name: who published it, and its author where the page names none."""
    published: str | None
    """ISO 8601 day or time as the page has it."""
    seen_at: str
    """When this version was captured, UTC."""
    original: str
    """Address at the portal."""
    archived: str
    """Address of this version here."""
    text_sha256: str

    @property
    def key(self) -> str:
        """What names this version in a bibliography and in a file's name."""
        return f"xianzhi-{self.article_id}-{self.version_id}"


def gb_t_7714(work: Work) -> str:
    """By GB/T 7714—2015, an electronic resource online: 主要责任者. 题名[EB/OL]. 出版者, (更新日期)[引用日期]. 路径."""
    authors = _authors(work)
    named = ", ".join(authors[:LISTED_AUTHORS]) + (", 等" if authors[LISTED_AUTHORS:] else "")
    when = f"({day})" if (day := _day(work.published)) else ""
    publisher = f"{_line(work.portal)}, " if authors else ""
    return (
        f"{named or _line(work.portal)}. {_title(work, '[无题]')}[EB/OL]. {publisher}{when}[{_day(work.seen_at)}]."
        f" {_address(work.original)}. 存档: {_address(work.archived)}."
    )


def apa(work: Work) -> str:
    """By the Publication Manual of the American Psychological Association, 7th edition, a page of a website."""
    authors = _authors(work)
    named = f"{', '.join(authors[:-1])}, & {authors[-1]}" if authors[1:] else "".join(authors)
    site = f" {_line(work.portal)}." if authors else ""
    return (
        f"{named or _line(work.portal)}. ({_day_in_words(work.published, year_first=True) or 'n.d.'})."
        f" {_title(work, '[Untitled]')}.{site} Archived {_day_in_words(work.seen_at)}, at {_address(work.archived)}"
        f" (original: {_address(work.original)})"
    )


def bibtex(work: Work) -> str:
    """An entry ``@misc`` with BibLaTeX's ``urldate``; its ``url`` is the version here."""
    day = _day(work.published)
    names = _authors(work) or [_line(work.portal)]
    fields = {
        "author": " and ".join(f"{{{_tex(name)}}}" for name in names),
        "title": f"{{{_tex(_title(work, '[无题]'))}}}",
        "year": day[:4],
        "month": str(int(day[5:7])) if len(day) >= len("2014-06") else "",
        "date": day,
        "publisher": f"{{{_tex(_line(work.portal))}}}",
        "url": _address(work.archived),
        "urldate": _day(work.seen_at),
        "note": f"Original: \\url{{{_address(work.original)}}}. SHA-256 of the text: {work.text_sha256}",
        "langid": "chinese",
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{work.key},", *lines, "}", ""])


def ris(work: Work) -> str:
    """A record of type ``ELEC``; its first ``UR`` is the version here. Lines end in CR LF."""
    day = _day(work.published)
    fields: list[tuple[str, str]] = [
        ("TY", "ELEC"),
        ("TI", _title(work, "[无题]")),
        *(("AU", name) for name in _authors(work) or [_line(work.portal)]),
        ("PB", _line(work.portal)),
        ("PY", day[:4]),
        ("DA", f"{day.replace('-', '/')}/" if day else ""),
        ("Y2", f"{_day(work.seen_at).replace('-', '/')}/"),
        ("UR", _address(work.archived)),
        ("UR", _address(work.original)),
        ("LA", "zh"),
        ("ID", work.key),
        ("N1", f"SHA-256 of the text: {work.text_sha256}"),
    ]
    lines = [f"{name}  - {value}" for name, value in fields if value]
    return "\r\n".join([*lines, "ER  - ", ""])


def names(author: str | None) -> list[str]:
    """The names of an ``author`` field."""
    return [name for name in map(_line, re.split("[,，、]", author or "")) if name]


def _authors(work: Work) -> Sequence[str]:
    return names(work.author)


def _title(work: Work, nameless: str) -> str:
    return _line(work.title or "") or nameless


def _line(text: str) -> str:
    """One line without what is not to be seen."""
    seen = (sign for sign in text if sign.isspace() or unicodedata.category(sign) not in _UNSEEN)
    return " ".join("".join(seen).split())


def _address(url: str) -> str:
    """An address that ends nowhere but at its end, whatever is written around it."""
    return quote(url, safe="!#$%&'()*+,/:;=?@[]~-._")


def _day(when: str | None) -> str:
    """``YYYY-MM-DD``; empty for what is no day."""
    try:
        return date.fromisoformat((when or "")[:10]).isoformat()
    except ValueError:
        return ""


def _day_in_words(when: str | None, *, year_first: bool = False) -> str:
    day = _day(when)
    if not day:
        return ""
    words = f"{_MONTHS[int(day[5:7]) - 1]} {int(day[8:])}"
    return f"{day[:4]}, {words}" if year_first else f"{words}, {day[:4]}"


def _tex(text: str) -> str:
    return "".join(_TEX.get(sign, sign) for sign in text)
