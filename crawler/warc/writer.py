"""One portal's WARC files as they grow: an exchange goes in whole or not at all."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from isal import igzip_lib

from crawler.records import Exchange, RecordRef, Rendering
from crawler.vectors import settle
from crawler.warc import record
from crawler.warc.files import CUT, OPEN, WarcError, file_name, finish, lock
from crawler.warc.record import Original, record_id

LEVEL = 3
"""ISA-L's best: 38 kB pages in 114 µs and 10.9 kB; level 1 in 70 µs and 11.3 kB, zlib's 6 in 527 µs and 10.0 kB."""


def _now() -> datetime:
    return datetime.now(UTC)


class WarcWriter:
    """Writes one portal's exchanges into WARC files of about *max_bytes* each; for one thread.

    A file older than *max_age* is finished with the next exchange or ``flush``, however short it is. *first_serial* is
    the first file's number: where several hosts write, theirs must not meet in names.

    *info* says who archives and how (``software``, ``operator``, ``robots``, ``http-header-user-agent`` …) and opens
    every file. A file is created with its first exchange and locked while it is open. What ``write_exchange`` returned
    from has reached the operating system, so a killed process loses nothing of it; ``flush(fsync=True)`` and ``close``
    take it to the disk. Every failure is a WarcError that names the file.
    """

    def __init__(
        self,
        folder: Path,
        portal_id: str,
        *,
        info: Mapping[str, str],
        max_bytes: int = 1_000_000_000,
        max_age: timedelta = timedelta.max,
        first_serial: int = 1,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        file_name(portal_id, "", 0)  # an unusable id shows now, not with the first page
        self._folder = folder
        self._portal_id = portal_id
        self._info = info
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._clock = clock
        self._serial = first_serial - 1
        self._file: _OpenFile | None = None

    def write_exchange(
        self,
        exchange: Exchange,
        *,
        payload: bytes,
        payload_sha256: str,
        revisit: Original | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> RecordRef:
        """Append an exchange; the place of its ``response`` or, where *revisit* names the original, ``revisit`` record.

        *payload* is the entity (transfer coding removed, content coding kept), *payload_sha256* its hexadecimal digest.
        *fields* go into a ``metadata`` record. The response comes first, so that its place names the whole exchange.
        """
        file = self._file = self._file or self._create()
        answer = record_id(file.name, file.size)
        if revisit is None:
            first = record.response(
                exchange, identifier=answer, warcinfo=file.warcinfo, payload=payload, payload_sha256=payload_sha256
            )
        else:
            first = record.revisit(
                exchange, identifier=answer, warcinfo=file.warcinfo, original=revisit, payload_sha256=payload_sha256
            )
        members = [_member(first)]
        place = RecordRef(file=file.name, offset=file.size, length=len(members[0]))
        identifier = record_id(file.name, file.size + len(members[0]))
        members.append(_member(record.request(exchange, identifier=identifier, response=answer)))
        if fields:
            identifier = record_id(file.name, file.size + sum(map(len, members)))
            members.append(
                _member(
                    record.metadata(
                        uri=exchange.url, date=exchange.started_at, identifier=identifier, about=answer, fields=fields
                    )
                )
            )
        self._append(file, b"".join(members))
        return place

    def write_rendering(self, rendering: Rendering, *, document: RecordRef, fields: Mapping[str, str]) -> RecordRef:
        """Append a drawn page; the place of its ``resource`` record. *fields* go into a ``metadata`` record.

        *document* is the record that it was drawn from.
        """
        file = self._file = self._file or self._create()
        drawn = record_id(file.name, file.size)
        first = record.resource(
            rendering,
            identifier=drawn,
            warcinfo=file.warcinfo,
            document=record_id(document.file, document.offset),
        )
        member = _member(first)
        place = RecordRef(file=file.name, offset=file.size, length=len(member))
        said = record.metadata(
            uri=record.RENDERING + rendering.url,
            date=rendering.drawn_at,
            identifier=record_id(file.name, file.size + len(member)),
            about=drawn,
            fields=fields,
        )
        self._append(file, member + _member(said))
        return place

    def flush(self, *, fsync: bool = False) -> None:
        """Hand everything to the operating system (it is there already) and, with *fsync*, to the disk.

        A file that is old enough is finished.
        """
        if self._file is None:
            return
        if self._is_old(self._file):
            self.close()
        elif fsync:
            self._file.sync()

    def close(self) -> None:
        """Finish the current file and give it its final name; the next exchange would open another one."""
        file, self._file = self._file, None
        if file is not None:
            file.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _create(self) -> "_OpenFile":
        stamp = self._clock().astimezone(UTC)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WarcError(f"{self._folder}: {error.strerror}") from error
        while True:
            self._serial += 1
            name = file_name(self._portal_id, f"{stamp:%Y%m%d%H%M%S}", self._serial)
            file = _OpenFile.create(self._folder, name, opened_at=stamp)
            if file is not None:
                break
        identifier = record_id(name, 0)
        info = {
            **self._info,
            "format": "WARC File Format 1.1",
            "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
            "isPartOf": self._portal_id,
            "digests": "sha256, hexadecimal; payload of a chunked response: the body as sent, chunk framing included",
        }
        opening = record.warcinfo(identifier=identifier, date=stamp, file=name, fields=info)
        try:
            file.append(_member(opening))
        except WarcError:
            file.discard()
            raise
        return file

    def _append(self, file: "_OpenFile", data: bytes) -> None:
        try:
            file.append(data)
        except WarcError:
            if file.is_broken:
                self._file = None  # it ends in half a record: left for salvage
            raise
        if file.size >= self._max_bytes or self._is_old(file):
            self.close()

    def _is_old(self, file: "_OpenFile") -> bool:
        return self._clock() - file.opened_at >= self._max_age


class _OpenFile:
    """A file being written: unbuffered, because a member is written at once, and always ending in a whole exchange."""

    @classmethod
    def create(cls, folder: Path, name: str, *, opened_at: datetime) -> Self | None:
        """Create ``name.open``; None where the *name* is taken."""
        path = folder / (name + OPEN)
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o644)
            file = cls(path, name, descriptor, opened_at)
            is_ours = lock(descriptor)
        except FileExistsError:
            return None
        except OSError as error:
            raise WarcError(f"{path}: {error.strerror}") from error
        if not is_ours or (folder / name).exists() or (folder / (name + CUT)).exists():
            file.discard()
            return None
        return file

    def __init__(self, path: Path, name: str, descriptor: int, opened_at: datetime) -> None:
        self.path = path
        self.name = name
        self.opened_at = opened_at
        self.warcinfo = record_id(name, 0)
        self.size = 0
        self.is_broken = False
        """It could not be cut back after a failure, and is closed."""
        self._descriptor = descriptor

    def append(self, data: bytes) -> None:
        """Append *data* whole; after a failure (a full disk) the file ends where it did before."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            self._cut_back()
            raise WarcError(f"{self.path}: {error.strerror}") from error
        self.size += len(data)

    def sync(self) -> None:
        """Take what was written to the disk."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise WarcError(f"{self.path}: {error.strerror}") from error

    def finish(self) -> None:
        """Close the file and give it its final name."""
        try:
            self.sync()
            finish(self.path, self.name)
        except OSError as error:
            raise WarcError(f"{self.path}: {error.strerror}") from error
        finally:
            os.close(self._descriptor)

    def discard(self) -> None:
        """Remove the file, which holds no exchange yet."""
        self.path.unlink(missing_ok=True)
        if not self.is_broken:
            os.close(self._descriptor)

    def _cut_back(self) -> None:
        try:
            os.ftruncate(self._descriptor, self.size)
            os.lseek(self._descriptor, self.size, os.SEEK_SET)
        except OSError:
            self.is_broken = True
            os.close(self._descriptor)


def _member(data: bytes) -> bytes:
    compressed: bytes = igzip_lib.compress(data, LEVEL, igzip_lib.COMP_GZIP)
    settle()
    return compressed
