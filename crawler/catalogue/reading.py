"""From TOML files to portals, or to every mistake in them at once."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from crawler.catalogue.checks import IDENTITY_KEYS, SHARED_KEYS, checked_table, shown, suggestion
from crawler.catalogue.portal import Catalogue, Portal
from crawler.text.urls import host_of, registered_domain

REQUIRED_KEYS = ("id", "name", "division", "homepage")

_TOP_KEYS = ("defaults", "portal")
_STARTING_POINTS = ("lists", "feeds", "sitemaps")
_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_PORTAL_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*portal[ \t]*\]\]", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake in a catalogue."""

    file: str
    line: int | None = None
    """Where the entry begins, or where the TOML breaks."""
    entry: str | None = None
    """The portal's id, or ``portal 3`` where it has none; ``defaults``."""
    key: str | None = None
    message: str

    def __str__(self) -> str:
        """One line, what is not printable escaped."""
        place = f"{self.file}:{self.line}" if self.line is not None else self.file
        line = ": ".join(part for part in (place, self.entry, self.key, self.message) if part)
        # Keys and file names may hold anything; a message must not drive a terminal.
        return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)


class CatalogueError(Exception):
    """A catalogue with mistakes; ``problems`` holds all of them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def load(path: Path | None = None) -> Catalogue:
    """Read the catalogue at *path*, a TOML file or a folder of them; None: the bundled one.

    Raises:
        CatalogueError: with every mistake in every file.

    """
    reader = _Reader()
    reader.read(path if path is not None else files("crawler").joinpath("portals"))
    if reader.problems:
        raise CatalogueError(reader.problems)
    return Catalogue(portals=tuple(reader.portals))


class _Reader:
    """Collects portals and problems over all files."""

    def __init__(self) -> None:
        self.portals: list[Portal] = []
        self.problems: list[Problem] = []
        self._place_of: dict[str, str] = {}

    def read(self, root: Traversable) -> None:
        """Read a file, or every ``*.toml`` of a folder, by name; hidden ones are leavings of editors."""
        try:
            sources = list(root.iterdir()) if root.is_dir() else None
        except OSError as error:
            self._report(Problem(file=str(root), message=f"cannot be read: {error.strerror or error}"))
            return
        if sources is None:
            self._read_file(root)
            return
        tables = [source for source in sources if source.name.endswith(".toml") and not source.name.startswith(".")]
        if not tables:
            self._report(Problem(file=str(root), message="no *.toml file in this folder"))
        for source in sorted(tables, key=lambda table: table.name):
            self._read_file(source)

    def _read_file(self, source: Traversable) -> None:
        file = str(source)
        try:
            text = source.read_bytes().decode("utf-8-sig")
            document = tomllib.loads(text)
        except OSError as error:
            self._report(Problem(file=file, message=f"cannot be read: {error.strerror or error}"))
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            self._report(Problem(file=file, line=line, message="is not UTF-8, as TOML must be"))
        except (ValueError, RecursionError) as error:
            found = _LINE.search(str(error))
            line = int(found[1]) if found else text.count("\n") + 1
            self._report(Problem(file=file, line=line, message=f"is no TOML: {error}"))
        else:
            self._read_document(file, text, document)

    def _read_document(self, file: str, text: str, document: dict[str, Any]) -> None:
        for key in document:
            if key not in _TOP_KEYS:
                self._report(Problem(file=file, key=key, message=f"unknown key; {suggestion(key, _TOP_KEYS)}"))
        defaults = self._defaults(file, document.get("defaults", {}))
        entries = document.get("portal", [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self._report(Problem(file=file, key="portal", message="is no list of tables: begin each with [[portal]]"))
        elif not entries:
            self._report(Problem(file=file, message="names no portal: begin each with [[portal]]"))
        else:
            lines = _lines_of_entries(text, len(entries))
            for ordinal, (line, entry) in enumerate(zip(lines, entries, strict=True), start=1):
                self._read_entry(file, line, ordinal, entry, defaults)

    def _defaults(self, file: str, table: object) -> dict[str, Any]:
        if not isinstance(table, dict):
            self._report(
                Problem(file=file, key="defaults", message="is no table: write [defaults] on a line of its own")
            )
            return {}
        values, mistakes = checked_table(table, SHARED_KEYS)
        for key, message in mistakes:
            reason = "stands in each [[portal]], not in [defaults]" if key in IDENTITY_KEYS else message
            self._report(Problem(file=file, entry="defaults", key=key, message=reason))
        return values

    def _read_entry(
        self, file: str, line: int | None, ordinal: int, entry: dict[str, Any], defaults: dict[str, Any]
    ) -> None:
        values, mistakes = checked_table(entry, {**IDENTITY_KEYS, **SHARED_KEYS})
        mistakes += [(key, "is missing") for key in REQUIRED_KEYS if key not in entry]
        mistakes += _contradictions({**defaults, **values}, entry)
        portal_id = values.get("id")
        place = f"{file}:{line}" if line is not None else f"{file}, portal {ordinal}"
        if portal_id is not None and self._place_of.setdefault(portal_id, place) != place:
            mistakes.append(("id", f"{portal_id} is taken by {self._place_of[portal_id]}"))
        if not mistakes:
            self.portals.append(Portal(**{**defaults, **values}))
        label = portal_id or f"portal {ordinal}"
        for key, message in mistakes:
            self._report(Problem(file=file, line=line, entry=label, key=key, message=message))

    def _report(self, problem: Problem) -> None:
        self.problems.append(problem)


def _contradictions(values: dict[str, Any], entry: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what is wrong between keys: nothing to start from, and addresses on somebody else's domain.

    A news list on another host of the registered domain is known (counties of 海南 and districts of 三亚 have theirs on
    the province's or the city's own host); one on another domain is a slip, or another portal.
    """
    mistakes = []
    if values.get("enabled", True) and not any(entry.get(key) for key in _STARTING_POINTS):
        mistakes.append(("lists", "is missing: an enabled portal needs lists, feeds or sitemaps to start from"))
    home = registered_domain(host_of(values.get("homepage", "")))
    for key in _STARTING_POINTS if home else ():
        for position, address in enumerate(values.get(key, ()), start=1):
            if registered_domain(host_of(address)) != home:
                mistakes.append((f"{key}[{position}]", f"{shown(address)} lies outside the homepage's domain {home}"))
    return mistakes


def _lines_of_entries(text: str, count: int) -> list[int | None]:
    """Return the line of each ``[[portal]]``; None for all where they cannot be told from text that looks like them."""
    lines: list[int | None] = [text.count("\n", 0, found.start()) + 1 for found in _PORTAL_HEADER.finditer(text)]
    return lines if len(lines) == count else [None] * count
