"""WACZ 1.1.1 as a file: a ZIP of WARC files, their index, a list of pages, and the digests of them all.

https://specs.webrecorder.net/wacz/1.1.1/. What a viewer reads by byte ranges (WARC files, the compressed index) is
stored as it is; the rest is deflated. Nothing in it comes from the clock, so the same content is the same bytes.
"""

import hashlib
import json
import re
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, BinaryIO, Self

VERSION = "1.1.1"
DESCRIPTION = "datapackage.json"
DIGEST = "datapackage-digest.json"

_NAME = re.compile(r"[^a-z0-9._-]")
_MODE = 0o644 << 16


class WaczWriter:
    """Writes a WACZ into *stream*, file after file; *date* (UTC) is the one that the ZIP's entries carry."""

    def __init__(self, stream: BinaryIO, *, date: datetime) -> None:
        self._zip = zipfile.ZipFile(stream, "w", allowZip64=True)
        self._date = date.astimezone(UTC)
        self._resources: list[dict[str, object]] = []

    @contextmanager
    def open(self, path: str, *, deflated: bool = False) -> Iterator[Callable[[bytes], object]]:
        """The function that writes the file *path*, which is whole when the context ends without an error."""
        with self._entry(path, deflated=deflated) as entry:
            counted = _Counted(entry)
            yield counted.write
        self._resources.append(
            {
                "name": _NAME.sub("-", path.rpartition("/")[2].lower()),
                "path": path,
                "hash": f"sha256:{counted.digest.hexdigest()}",
                "bytes": counted.bytes,
            }
        )

    def add(self, path: str, chunks: Iterable[bytes], *, deflated: bool = False) -> None:
        """Write the file *path*."""
        with self.open(path, deflated=deflated) as write:
            for chunk in chunks:
                write(chunk)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def finish(self, about: Mapping[str, str]) -> None:
        """Write what describes the package, as its last files; *about*: ``title``, ``description`` …"""
        package = {"profile": "data-package", "resources": self._resources, "wacz_version": VERSION, **about}
        described = json.dumps(package, ensure_ascii=False, indent=2).encode()
        digest = {"path": DESCRIPTION, "hash": f"sha256:{hashlib.sha256(described).hexdigest()}"}
        for path, content in ((DESCRIPTION, described), (DIGEST, json.dumps(digest, indent=2).encode())):
            with self._entry(path, deflated=True) as entry:
                entry.write(content)

    def _entry(self, path: str, *, deflated: bool) -> IO[bytes]:
        info = zipfile.ZipInfo(path, date_time=self._date.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
        info.create_system = 3
        info.external_attr = _MODE
        # A UTC time, as Info-ZIP has it. Where the directory's entry has no extra fields, wabac.js 2.26
        # believes that the header in front of the file has none, and misses the file: ZIP64 needs one there.
        info.extra = struct.pack("<HHBi", 0x5455, 5, 1, int(self._date.timestamp()))
        return self._zip.open(info, "w", force_zip64=True)


class _Counted:
    """Hands on what is written, and knows its digest and size."""

    def __init__(self, entry: IO[bytes]) -> None:
        self.digest = hashlib.sha256()
        self.bytes = 0
        self._entry = entry

    def write(self, data: bytes) -> None:
        self.digest.update(data)
        self.bytes += len(data)
        self._entry.write(data)
