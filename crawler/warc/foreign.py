"""WARC and ARC files of others, brought into the WARC folder so that every record in them has a place.

A capture points at a record by file, offset and length. That works in a file as it is where its records are plain or
one gzip member each. A WARC file compressed as a whole is compressed anew, record by record, not a byte of the records
changed; of an ARC file each HTTP message becomes the block of a WARC record, not a byte of the messages changed.
"""

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from isal import isal_zlib

from crawler.disk import sync_folder
from crawler.vectors import settle
from crawler.warc.files import OPEN, WarcError
from crawler.warc.rewriting import HEADER_LIMIT, LENGTH, rewrite

Form = Literal["records", "whole", "arc"]
"""How a file holds its records: each to be had by its place; in one gzip stream; as ARC."""
How = Literal["there", "linked", "copied", "rewritten"]

_GZIP = b"\x1f\x8b"
_WARC = b"WARC/"
_ARC = b"filedesc:"
_END = b"\r\n\r\n"
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_STEP = 1_048_576
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_EXTENSION = re.compile(r"(?:\.(?:warc|arc|gz))+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A file of others as it lies in the WARC folder."""

    source: Path
    name: str
    """In the folder."""
    sha256: str
    """Of the source, hexadecimal."""
    how: How
    damage: str | None = None
    """Where a source that was rewritten could not be read to its end."""


def bring(source: Path, folder: Path, *, copy: bool) -> Brought:
    """Give *source* a name in the WARC folder *folder*: a link to it, or with *copy* bytes of its own.

    The same bytes get the same name, ``import-<12 digits of their SHA-256>-<its own name>``, however often and wherever
    from they are brought. A link is a hard one where file systems allow, else a symbolic one. Raises WarcError for what
    is no WARC or ARC file, or cannot be read or written.
    """
    try:
        if source.name.endswith(OPEN):
            raise WarcError(f"{source}: is being written, or was when a crash came; xianzhi crawl finishes it first")
        folder.mkdir(parents=True, exist_ok=True)
        form = form_of(source)
        with source.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            stream.seek(0)
            is_zipped = form != "records" or stream.read(2) == _GZIP
        if form == "records" and source.parent.resolve() == folder.resolve():
            return Brought(source=source, name=source.name, sha256=digest, how="there")
        there = _there(folder, digest)
        if there:
            return Brought(source=source, name=there.name, sha256=digest, how="there")
        stem = _UNSAFE.sub("_", _EXTENSION.sub("", source.name))[:80]
        target = folder / f"import-{digest[:12]}-{stem}.warc{'.gz' if is_zipped else ''}"
        how, damage = _place(source, target, form, digest, copy=copy)
    except OSError as error:
        raise WarcError(f"{error.filename or source}: {error.strerror or error}") from error
    return Brought(source=source, name=target.name, sha256=digest, how=how, damage=damage)


def form_of(path: Path) -> Form:
    """How a file holds its records, by its first one. Raises WarcError for what is no WARC or ARC file, OSError."""
    with path.open("rb") as stream:
        beginning = stream.read(HEADER_LIMIT)
        if not beginning.startswith(_GZIP):
            return _form_of_text(path, beginning)
        inflate = isal_zlib.decompressobj(wbits=31)
        try:
            text = inflate.decompress(beginning, HEADER_LIMIT)
            if _form_of_text(path, text) == "arc":
                return "arc"
            rest = _size_of_record(text, path) - len(text)
            while rest > 0 and not inflate.eof:
                data = inflate.unconsumed_tail or stream.read(HEADER_LIMIT)
                if not data:
                    break
                rest -= len(inflate.decompress(data, _STEP))
        except isal_zlib.error as error:  # type: ignore[misc]  # isal's stub has an instance
            raise WarcError(f"{path}: is no gzip file that can be read: {error}") from error
        finally:
            settle()
    # What follows the first record in the same gzip stream: nothing, or one more line end.
    return "records" if inflate.eof and rest > -len(_END) else "whole"


def _form_of_text(path: Path, text: bytes) -> Form:
    if text.startswith(_WARC):
        return "records"
    if text.startswith(_ARC):
        return "arc"
    raise WarcError(f"{path}: is no WARC or ARC file")


def _size_of_record(text: bytes, path: Path) -> int:
    """Bytes of the record that *text* begins with, the line ends behind it included."""
    end, length = _HEADER_END.search(text), LENGTH.search(text)
    if end is None or length is None or length.end() > end.end():
        raise WarcError(f"{path}: its first record has no length")
    return end.end() + int(length[1]) + len(_END)


def _there(folder: Path, digest: str) -> Path | None:
    found = folder.glob(f"import-{digest[:12]}-*.warc*")
    return next((path for path in sorted(found) if not path.name.endswith(".part")), None)


def _place(source: Path, target: Path, form: Form, digest: str, *, copy: bool) -> tuple[How, str | None]:
    if form == "records" and not copy:
        try:
            os.link(source.resolve(), target)
        except OSError:  # another file system, or one without hard links
            target.symlink_to(source.resolve())
        sync_folder(target.parent)
        return "linked", None
    part = target.with_name(f"{target.name}.part")
    damage = None
    with part.open("w+b") as out:
        if form == "records":
            with source.open("rb") as stream:
                shutil.copyfileobj(stream, out, _STEP)
        else:
            damage = rewrite(source, out, name=target.name, is_arc=form == "arc", digest=digest)
        out.flush()
        os.fsync(out.fileno())
    part.rename(target)
    sync_folder(target.parent)
    return "copied" if form == "records" else "rewritten", damage
