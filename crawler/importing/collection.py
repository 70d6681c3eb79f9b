"""What files hold of a portal: each capture with its place and time, and the original of each revisit."""

import mmap
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast, get_args

from crawler.records import RecordRef, Truncation
from crawler.text.urls import same_site
from crawler.warc.checking import Damage, Found, Oversized, walk
from crawler.warc.files import WarcError, open_whole
from crawler.warc.record import RENDERING

CAPTURED = frozenset({"response", "revisit", "resource"})
MAX_CHAIN = 10
"""Revisits of revisits that are followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A record of the portal's."""

    ref: RecordRef
    kind: str
    """``response``, ``revisit`` or ``resource``."""
    url: str
    date: datetime
    """UTC."""
    record_id: str | None
    truncated: Truncation | None
    refers_to: str | None
    refers_to_url: str | None
    refers_to_date: datetime | None
    payload_digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A capture of another host."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A stretch of a file in which there is no whole record, or a record that is too large or does not say what it is
    of."""

    file: str
    offset: int
    why: str

    def __str__(self) -> str:
        return f"{self.file} at byte {self.offset}: {self.why}"


def held(folder: Path, file: str, hosts: Collection[str]) -> Iterator[Held | Elsewhere | Unreadable]:
    """Every capture in *file*, and what of it cannot be read, in order. Raises WarcError where there is no file."""
    with open_whole(folder, file) as stream:
        try:
            data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:
            raise WarcError(f"{folder / file}: is empty") from error
        with data:
            for part in walk(data, file, is_ours=False):
                if isinstance(part, Damage):
                    yield Unreadable(file=file, offset=part.start, why=f"{part.end - part.start} bytes are no record")
                elif isinstance(part, Oversized):
                    yield Unreadable(file=file, offset=part.start, why=part.why)
                elif part.record.fields.get("warc-type") in CAPTURED:
                    yield _held(part, hosts)


def _held(found: Found, hosts: Collection[str]) -> Held | Elsewhere | Unreadable:
    fields = found.record.fields
    url = _bare(fields.get("warc-target-uri", "")).removeprefix(RENDERING)
    if not same_site(url, hosts):
        return Elsewhere(url=url)
    date = _instant(fields.get("warc-date", ""))
    if date is None:
        return Unreadable(file=found.ref.file, offset=found.ref.offset, why="its WARC-Date is none")
    cut = fields.get("warc-truncated")
    return Held(
        ref=found.ref,
        kind=fields["warc-type"],
        url=url,
        date=date,
        record_id=_bare(fields.get("warc-record-id", "")) or None,
        # A revisit is cut short by its nature.
        truncated=None if cut is None or fields["warc-type"] == "revisit" else _truncation(cut),
        refers_to=_bare(fields.get("warc-refers-to", "")) or None,
        refers_to_url=_bare(fields.get("warc-refers-to-target-uri", "")).removeprefix(RENDERING) or None,
        refers_to_date=_instant(fields.get("warc-refers-to-date", "")),
        payload_digest=fields.get("warc-payload-digest"),
    )


class Originals:
    """Finds what revisits stand for; takes about 400 bytes of memory a record."""

    def __init__(self, items: Iterable[Held], stored: Callable[[str, datetime], RecordRef | None]) -> None:
        """*stored* finds the place of a capture that the archive has already, by its address and time."""
        self._stored = stored
        self._by_id: dict[str, Held] = {}
        self._by_time: dict[tuple[str, datetime], Held] = {}
        self._by_digest: defaultdict[str, list[Held]] = defaultdict(list)
        for item in items:
            if item.record_id:
                self._by_id[item.record_id] = item
            if item.kind != "revisit":
                self._by_time[item.url, item.date] = item
                if item.payload_digest:
                    self._by_digest[item.payload_digest].append(item)

    def of(self, revisit: Held) -> RecordRef | None:
        """The record whose payload *revisit* had again; None where it is not at hand.

        What the record names is believed; only one that names nothing is held against digests.
        """
        named = revisit
        for _ in range(MAX_CHAIN):
            found = self._by_id.get(named.refers_to or "") or self._at(named.refers_to_url, named.refers_to_date)
            if found is None:
                return self._unnamed(named)
            if found.kind != "revisit":
                return found.ref if found.date <= revisit.date else None
            named = found
        return None

    def _at(self, url: str | None, date: datetime | None) -> Held | None:
        return self._by_time.get((url, date)) if url and date else None

    def _unnamed(self, revisit: Held) -> RecordRef | None:
        """By what the archive has, or by the digest."""
        if revisit.refers_to_url and revisit.refers_to_date:
            return self._stored(revisit.refers_to_url, revisit.refers_to_date)
        if revisit.refers_to or not revisit.payload_digest:
            return None
        same = [item for item in self._by_digest[revisit.payload_digest] if item.date <= revisit.date]
        best = max(same, key=lambda item: (item.url == revisit.url, item.date), default=None)
        return best.ref if best else None


def _truncation(word: str) -> Truncation:
    return cast("Truncation", word) if word in get_args(Truncation) else "unspecified"


def _instant(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def _bare(value: str) -> str:
    return value.removeprefix("<").removesuffix(">")
