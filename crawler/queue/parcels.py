"""What an errand takes along and brings back: gzip'd JSON lines, read one by one and checked against their types.

A store may be written to by whoever has a worker's credentials, so nothing is taken for what it says it is.
"""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

LINE_BYTES = 64 * 1024 * 1024
"""Of a line at most: a page with everything that was ever captured of it, or the findings of a file."""
LEVEL = 3
T = TypeVar("T")


class ParcelError(Exception):
    """Not a parcel, or not of what was asked for; the message names it."""


def write(path: Path, items: Iterable[object]) -> None:
    """Write records, a line each; equal ones make equal files."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", LEVEL, raw, mtime=0) as file:
        for item in items:
            # The standard library writes half surrogates, which pages have, and reads them again.
            file.write(json.dumps(msgspec.to_builtins(item, order="sorted")).encode() + b"\n")


def read(path: Path) -> Iterator[Any]:
    """The lines of a parcel, for `as_type`. Raises ParcelError where one is none."""
    try:
        with gzip.open(path) as file:
            while line := file.readline(LINE_BYTES + 1):
                if len(line) > LINE_BYTES:
                    raise ParcelError(f"{path.name}: a line is longer than {LINE_BYTES} bytes")
                yield json.loads(line)
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        raise ParcelError(f"{path.name}: is no parcel: {error}") from error


def as_type(item: Any, kind: type[T]) -> T:
    """A line as the record that it was. Raises ParcelError."""
    try:
        return msgspec.convert(item, kind)
    except msgspec.ValidationError as error:
        raise ParcelError(f"not a {kind.__name__}: {error}") from error
