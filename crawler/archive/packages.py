"""Packages of captures for replay: a WACZ, or the index alone over the WARC files where they lie."""

import json
import re
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from crawler.archive import selection
from crawler.archive.beside import file_beside
from crawler.archive.replay_index import Index
from crawler.archive.selection import Chosen, ChosenFile, Overview, Page, Selection
from crawler.archive.times import parse, to_second
from crawler.records import RecordRef
from crawler.version import SOFTWARE
from crawler.warc import cdxj, excerpt
from crawler.warc.files import OPEN, open_whole
from crawler.warc.wacz import WaczWriter

PART = "-part"
"""Between the name of a WARC file and its suffix, where a package has not all of it."""
INDEX = "index.cdx.gz"

_IN_A_WACZ = frozenset({"datapackage.json", "pages/pages.jsonl"})
_CDXJ_LINE = re.compile(rb"\S+ \d{14} \{")
_LONGEST_KEY = 100_000

Progress = Callable[[int, int], None]
"""Takes how many bytes of records are done, and how many there are."""


class PackageError(Exception):
    """Nothing to put into a package, or no place for it; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What was written."""

    contents: Overview
    files: int
    """WARC files."""
    articles: int
    """Pages that are versions of articles; 0 for an index alone."""
    bytes: int
    """Of the package."""


def write_wacz(db: Path, warc: Path, out: Path, wanted: Selection, *, progress: Progress) -> Package:
    """Package what is *wanted* of the archive as the WACZ *out*, which is there when it is whole.

    The same archive and selection give the same bytes. Raises PackageError, WarcError for a file that is missing or
    not what the archive says, ArchiveError, LookupError for an unknown portal, LockHeldError where another process
    writes the same one, OSError for a full disk.
    """
    _refuse_what_would_be_lost(out)
    with selection.chosen(db, wanted) as conn, _made(out) as stream:
        contents = _contents(conn)
        with WaczWriter(stream, date=parse(contents.last or "")) as wacz, Index(out.parent) as index:
            articles = _add_pages(conn, wacz)
            conn.execute("COMMIT")  # what follows reads what was chosen: a crawl's log need not wait for it
            step = _Steps(progress, contents.bytes)
            files = list(selection.files(conn))
            for file in files:
                _add_file(conn, warc, file, wacz, index, step)
            _add_index(wacz, index, out.parent)
            wacz.finish(_description(contents, wanted, is_whole=all(file.whole for file in files)))
    return Package(contents=contents, files=len(files), articles=articles, bytes=out.stat().st_size)


def write_cdxj(db: Path, warc: Path, out: Path, wanted: Selection, *, progress: Progress) -> Package:
    """Write the sorted index of what is *wanted* of the archive, over the finished WARC files where they lie.

    Raises what ``write_wacz`` raises.
    """
    _refuse_what_would_be_lost(out)
    with selection.chosen(db, wanted) as conn, _made(out) as stream, Index(out.parent, with_unchanged=True) as index:
        contents = _contents(conn)
        conn.execute("COMMIT")
        step = _Steps(progress, contents.bytes)
        files = 0
        for file in selection.files(conn):
            with open_whole(warc, file.name) as source, excerpt.headers(source) as fields_at:
                if source.name.endswith(OPEN):
                    continue
                files += 1
                for capture in selection.captures(conn, file.name):
                    index.add(capture, fields_at(capture.record), capture.record)
                    step(capture)
        stream.writelines(index.lines())
    return Package(contents=contents, files=files, articles=0, bytes=out.stat().st_size)


class _Steps:
    """Tells how far it is."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def __call__(self, capture: Chosen) -> None:
        """A capture is done."""
        self._done += capture.record.length
        self._progress(self._done, self._total)


def _add_pages(conn: sqlite3.Connection, wacz: WaczWriter) -> int:
    """How many pages are versions of articles."""
    articles = _Counted(selection.articles(conn))
    wacz.add("pages/pages.jsonl", _lines("pages", "Articles", articles, has_text=True), deflated=True)
    wacz.add("pages/extraPages.jsonl", _lines("extra", "Lists", selection.lists(conn), has_text=False), deflated=True)
    return articles.number


def _add_file(
    conn: sqlite3.Connection, warc: Path, file: ChosenFile, wacz: WaczWriter, index: Index, step: _Steps
) -> None:
    with open_whole(warc, file.name) as source:
        # By its own name only with the very bytes that the archive has: its digest may stand in a manifest.
        is_whole = file.whole and not source.name.endswith(OPEN)
        name = file.name if is_whole else _name_of_part(file.name)
        with wacz.open(f"archive/{name}") as write, excerpt.copying(source, write, whole=is_whole) as copier:
            for capture in selection.captures(conn, file.name):
                offset, fields = copier.copy(capture.record)
                index.add(capture, fields, RecordRef(file=name, offset=offset, length=capture.record.length))
                step(capture)


def _name_of_part(name: str) -> str:
    suffix = ".warc.gz" if name.endswith(".gz") else ".warc"
    return f"{name.removesuffix(suffix)}{PART}{suffix}"


def _add_index(wacz: WaczWriter, index: Index, folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as blocks:
        wacz.add(f"indexes/{INDEX}", cdxj.compressed(index.lines(), name=INDEX, index=blocks))
        blocks.seek(0)
        wacz.add("indexes/index.idx", blocks, deflated=True)


class _Counted:
    """Hands on pages and counts them."""

    def __init__(self, pages: Iterable[Page]) -> None:
        self.number = 0
        self._pages = pages

    def __iter__(self) -> Iterator[Page]:
        for page in self._pages:
            self.number += 1
            yield page


def _contents(conn: sqlite3.Connection) -> Overview:
    contents = selection.overview(conn)
    if not contents.captures:
        raise PackageError("nothing to package: the archive has no captures of these portals and days")
    return contents


def _lines(name: str, title: str, pages: Iterable[Page], *, has_text: bool) -> Iterator[bytes]:
    """Pages as JSON lines behind the line that says what they are."""
    yield _json({"format": "json-pages-1.0", "id": name, "title": title, "hasText": has_text})
    for page in pages:
        said = {"id": page.id, "url": page.url, "ts": to_second(parse(page.fetched_at))}
        yield _json(said | {key: value for key, value in (("title", page.title), ("text", page.text)) if value})


def _json(said: object) -> bytes:
    return json.dumps(said, ensure_ascii=False).encode() + b"\n"


def _description(contents: Overview, wanted: Selection, *, is_whole: bool) -> dict[str, str]:
    portals = contents.portals
    named = ", ".join(portals) if len(portals) <= 10 else f"{len(portals)} portals"
    first, last = (contents.first or "")[:10], (contents.last or "")[:10]
    words = [f"{contents.captures} captures of {named}, {first} to {last} (UTC)."]
    if wanted.first or wanted.last:
        words.append("Of an unchanged page, the capture that it was unchanged from is here even where it is older.")
    if contents.withheld:
        articles = "1 article is" if contents.withheld == 1 else f"{contents.withheld} articles are"
        words.append(f"{articles} withheld: pages, files and revisits left out; lists may still name them.")
    if not is_whole:
        words.append(f"What is called …{PART}.warc.gz has some records of the archive's file, byte for byte.")
    return {
        "title": f"{named}, {first} to {last}",
        "description": " ".join(words),
        "created": to_second(parse(contents.last or "")),
        "software": SOFTWARE,
    }


def _refuse_what_would_be_lost(out: Path) -> None:
    """An archive or a WARC file that is named by mistake must not become a package."""
    if not out.parent.is_dir():
        raise PackageError(f"{out}: its folder does not exist")
    if out.exists() and not _is_package(out):
        raise PackageError(f"{out}: is there already, and is neither a WACZ nor an index; name another file")


def _is_package(path: Path) -> bool:
    """Whatever version of this program made it; so is an empty file, which loses nothing."""
    if not path.is_file():
        return False
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(path) as package:
        return _IN_A_WACZ.issubset(package.namelist())
    with path.open("rb") as file:
        head = file.read(_LONGEST_KEY)
    return not head or _CDXJ_LINE.match(head) is not None


@contextmanager
def _made(out: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of *out* when it is whole, and is gone when it is not."""
    with file_beside(out) as part, part.open("wb") as stream:
        yield stream
        stream.flush()
