"""Where bytes and rows meet: one worker's connection to the archive and its WARC files.

Bytes are written at once; rows gather until ``flush``, which stores them in one transaction. So no row ever points at
bytes that are not there.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from crawler.archive import frontier, health, hosts, looks, media, queries, runs, seeds, writer
from crawler.archive.batch import Batch, Fetched, Observation, StoredArticle, StoredCapture, Written
from crawler.archive.connection import open_archive
from crawler.archive.frontier import Done, Failed, Operation, Queued, Retried, Shell
from crawler.archive.health import Standing
from crawler.archive.hosts import Answered, KnownHost
from crawler.archive.looks import Known, Look
from crawler.archive.media import Linked
from crawler.archive.runs import Counters
from crawler.catalogue import Portal
from crawler.records import Article, Capture, CaptureKind, Exchange, Listed, MediaKind, RecordRef, Rendering
from crawler.version import EXTRACTOR, SOFTWARE
from crawler.warc.files import WarcError
from crawler.warc.http import parse_response
from crawler.warc.reader import read_original
from crawler.warc.record import RENDERED_TYPE, Original, original_at
from crawler.warc.writer import WarcWriter

REVISIT_BYTES = 400
"""A smaller payload is stored again: a revisit record would need more."""
NOWHERE = RecordRef(file="", offset=0, length=0)


class Twin(Protocol):
    """Where a frontier outlives the file that it is in: what was stored there is told here afterwards."""

    def add(self, run_id: str, operations: Sequence[Operation | Retried]) -> None:
        """Carry out *operations*, soon and in their order."""


class Sink:
    """Writes what one worker process brings. For one thread.

    *first_serial* and *max_age* are those of its WARC files (`WarcWriter`).
    """

    def __init__(
        self,
        *,
        db: Path,
        warc: Path,
        run_id: str,
        info: Mapping[str, str],
        twin: Twin | None = None,
        first_serial: int = 1,
        max_age: timedelta = timedelta.max,
    ) -> None:
        self._conn = open_archive(db)
        self._twin = twin
        if twin is not None:
            seeds.begin_own_ids(self._conn)
        self._warc = warc
        self._run_id = run_id
        self._info = {"software": SOFTWARE, **info}
        self._first_serial = first_serial
        self._max_age = max_age
        self._writers: dict[str, WarcWriter] = {}
        self._captures: dict[RecordRef, StoredCapture] = {}
        self._articles: list[StoredArticle] = []
        self._observations: list[Observation] = []
        self._frontier: list[Operation] = []
        self._hosts: list[Answered] = []
        self._media: list[Fetched] = []
        self._asked: set[tuple[str, str]] = set()
        self._payloads: dict[tuple[str, str], RecordRef] = {}

    # The wire.

    def record(
        self,
        exchange: Exchange,
        *,
        portal_id: str,
        kind: CaptureKind,
        key: str | None = None,
        listed: Listed | None = None,
        via: str | None = None,
    ) -> Capture:
        """Append *exchange* to the portal's WARC file; the capture that describes its response.

        A payload that the portal sent before becomes a ``revisit`` of the first record with it. Raises WarcError.
        """
        response = parse_response(exchange.response)
        head = response.head
        capture = Capture(
            run_id=self._run_id,
            portal_id=portal_id,
            kind=kind,
            url=exchange.url,
            fetched_at=exchange.started_at,
            status=head.status or 0,
            content_type=head.get("Content-Type"),
            content_encoding=head.get("Content-Encoding"),
            etag=head.get("ETag"),
            last_modified=head.get("Last-Modified"),
            payload_sha256=hashlib.sha256(response.entity).hexdigest(),
            record=NOWHERE,
            truncated=exchange.truncated or (None if response.whole else "unspecified"),
            key=key,
            listed=listed,
            body=response.entity,
        )
        first = self._first_with(capture)
        original = self._original(first) if first else None
        record = self._writer(portal_id).write_exchange(
            exchange,
            payload=capture.body,
            payload_sha256=capture.payload_sha256,
            revisit=original,
            fields=_fields(exchange, via) if original is None else None,  # a revisit stays small
        )
        return replace(capture, record=record, revisit_of=first if first and original else None)

    def record_rendering(
        self,
        rendering: Rendering,
        document: RecordRef,
        *,
        portal_id: str,
        kind: CaptureKind,
        key: str | None = None,
        listed: Listed | None = None,
        via: str | None = None,
    ) -> Capture:
        """Append a page as it was drawn from the record *document*; the capture that describes it.

        It has no validators: an unchanged document may load something new. Raises WarcError.
        """
        digest = hashlib.sha256(rendering.html).hexdigest()
        fields = dict(rendering.facts) | ({"via": via} if via else {})
        record = self._writer(portal_id).write_rendering(rendering, document=document, fields=fields)
        return Capture(
            run_id=self._run_id,
            portal_id=portal_id,
            kind=kind,
            url=rendering.url,
            fetched_at=rendering.drawn_at,
            status=200,
            content_type=RENDERED_TYPE,
            payload_sha256=digest,
            record=record,
            key=key,
            listed=listed,
            body=rendering.html,
        )

    def close_warc(self, portal_id: str) -> None:
        """Finish the portal's WARC file."""
        writer_of_portal = self._writers.pop(portal_id, None)
        if writer_of_portal is not None:
            writer_of_portal.close()

    # The rows.

    @property
    def pending(self) -> int:
        """Results that wait for the next transaction."""
        return len(self._captures) + len(self._articles)

    def add_capture(self, capture: Capture, *, encoding: str | None = None, encoding_basis: str | None = None) -> None:
        """A capture's row; the codec of its text where that was decided."""
        before = self._captures.get(capture.record)
        if before is not None and encoding is None:
            encoding, encoding_basis = before.encoding, before.encoding_basis
        self._captures[capture.record] = StoredCapture(
            capture=replace(capture, body=b""), encoding=encoding, encoding_basis=encoding_basis
        )
        self._remember(capture)

    def add_article(self, article: Article, url: str) -> None:
        """An article's rows: its capture's, and what was read of it, under its canonical *url*."""
        self._articles.append(StoredArticle(article=article, url=url))
        self._remember(article.capture)

    def observe(self, observation: Observation) -> None:
        """What became of a known article where nothing was read."""
        self._observations.append(observation)

    def enqueue(self, request: Queued) -> None:
        """A request waits."""
        self._frontier.append(request)
        self._asked.add((request.portal_id, request.key))

    def done(self, capture: Capture, *, note: str | None = None) -> None:
        """The request behind *capture* brought what it was for; *note* stays with it."""
        if capture.key is not None:
            self._frontier.append(Done(portal_id=capture.portal_id, key=capture.key, record=capture.record, note=note))

    def failed(self, portal_id: str, key: str, reason: str) -> None:
        """A request ended without what it was for."""
        self._frontier.append(Failed(portal_id=portal_id, key=key, reason=reason))

    def keep_program(self, portal_id: str, key: str, program: Mapping[str, Any]) -> None:
        """Keep how the program is asked for that is behind the list page under *key*."""
        self._frontier.append(Shell(portal_id=portal_id, key=key, program=program))

    def answered(self, host: Answered) -> None:
        """A host was reached."""
        self._hosts.append(host)

    def fetched(self, operation: Fetched) -> None:
        """A linked file or picture was asked for."""
        self._media.append(operation)

    def flush(self) -> list[Written]:
        """Store all rows in one transaction, after the bytes they point at; what became of each article.

        Raises WarcError, sqlite3.Error; the rows then wait for another try.
        """
        gathered = (self._captures, self._articles, self._observations, self._frontier, self._hosts, self._media)
        if not any(gathered):
            return []
        for open_writer in self._writers.values():
            open_writer.flush()
        batch = Batch(
            run_id=self._run_id,
            extractor=EXTRACTOR,
            captures=tuple(self._captures.values()),
            articles=tuple(self._articles),
            observations=tuple(self._observations),
            frontier=tuple(self._frontier),
            hosts=tuple(self._hosts),
            media=tuple(self._media),
        )
        written = writer.write(self._conn, batch, is_shard=self._twin is not None)
        if self._twin is not None:
            self._twin.add(self._run_id, batch.frontier)
        for stored in (*gathered, self._asked, self._payloads):
            stored.clear()
        return written

    # In a crawl on several hosts.

    def take_up(self, portals: Sequence[Portal], past: Iterable[Path], rows: Sequence[tuple[Any, ...]]) -> None:
        """Begin with *portals* in this shard: their *past*, as seeds, and their frontier, as rows of its twin.

        Raises ArchiveError where a seed was made by another version of this program.
        """
        for seed in past:
            seeds.take_up(self._conn, seed)
        runs.enter(self._conn, self._run_id, portals)
        frontier.take_up(self._conn, rows)

    def save_portal(self, portal_id: str, *, status: str, reason: str | None, counters: Counters) -> None:
        """A portal's line in the run, where no parent writes it."""
        runs.save_portal(self._conn, self._run_id, portal_id, status=status, reason=reason, counters=counters)

    # The end.

    def close(self) -> None:
        """Finish every WARC file and close the archive; what was not flushed is lost."""
        for portal_id in list(self._writers):
            self.close_warc(portal_id)
        self._conn.close()

    # What is known.

    def seen(self, portal_id: str, keys: Collection[str], *, tonight_only: bool) -> set[str]:
        """Of *keys*, those that need no request; *tonight_only*: those that this run asked for or will ask for."""
        asked = {key for key in keys if (portal_id, key) in self._asked}
        rest = [key for key in keys if key not in asked]
        return asked | frontier.known(self._conn, portal_id, rest, run_id=self._run_id, tonight_only=tonight_only)

    def retry_failed(self, portal_id: str) -> None:
        """Let what failed in earlier runs wait again."""
        retried = frontier.retry_failed(self._conn, portal_id)
        if self._twin is not None:
            self._twin.add(self._run_id, retried)

    def max_seq(self, portal_id: str) -> int:
        """The last place in the portal's stored queue."""
        return frontier.max_seq(self._conn, portal_id)

    def next_queued(self, portal_id: str, *, after_seq: int, limit: int) -> list[Queued]:
        """The oldest stored requests behind *after_seq*."""
        return frontier.next_queued(self._conn, portal_id, after_seq=after_seq, limit=limit)

    def due(self, portal_id: str, *, everything: bool, after: str, limit: int) -> list[Known]:
        """Stored articles that this run should look at again; *everything*: also what is not due."""
        return looks.due(self._conn, portal_id, run_id=self._run_id, everything=everything, after=after, limit=limit)

    def newest(self, portal_id: str, *, limit: int) -> list[Known]:
        """The newest stored articles that this run did not look at."""
        return looks.newest(self._conn, portal_id, run_id=self._run_id, limit=limit)

    def looked_at(self, portal_id: str, keys: Collection[str]) -> dict[str, Look]:
        """Of *keys*, the stored articles that are not going to be asked for, with the last look at each."""
        return looks.looked_at(self._conn, portal_id, [key for key in keys if (portal_id, key) not in self._asked])

    def media_due(self, portal_id: str, kind: MediaKind, *, before: tuple[str, str], limit: int) -> list[Linked]:
        """The next *limit* of one kind that this run should ask for, backwards by the addresses *before*."""
        return media.due(self._conn, portal_id, kind, run_id=self._run_id, before=before, limit=limit)

    def program(self, portal_id: str, key: str) -> dict[str, Any] | None:
        """How the program is asked for that is known to be behind the list page under *key*."""
        return frontier.program_of(self._conn, portal_id, key)

    def state_of(self, portal_id: str, url: str) -> str | None:
        """The stored state of the article at a canonical address; None where there is none."""
        return looks.state_of(self._conn, portal_id, url)

    def first_seen_since(self, portal_id: str, moment: datetime) -> int:
        """How many of the portal's stored articles were first seen at *moment* or later."""
        return health.first_seen_since(self._conn, portal_id, moment)

    def standing(self, portal_id: str) -> Standing:
        """Since when the portal is not well, as this run ends not well."""
        return health.standing(self._conn, portal_id, self._run_id)

    def family(self, portal_id: str) -> str | None:
        """The CMS family that the portal is known by."""
        return runs.family_of(self._conn, portal_id)

    def remember_family(self, portal_id: str, family: str | None) -> None:
        """Know the portal by *family* from now on, beside the transactions of results."""
        runs.remember_family(self._conn, portal_id, family)

    def host(self, host: str) -> KnownHost | None:
        """How a host was reached last, as it is stored."""
        return hosts.find(self._conn, host)

    def validators(self, portal_id: str, url: str) -> dict[str, str]:
        """Headers that make a request for a known article conditional."""
        return queries.validators(self._conn, portal_id, url)

    def _first_with(self, capture: Capture) -> RecordRef | None:
        """The record that this response repeats, or that a 304 stands for."""
        if capture.status == 304:
            return queries.last_record(self._conn, capture.portal_id, capture.key) if capture.key else None
        if capture.status != 200 or capture.truncated or len(capture.body) < REVISIT_BYTES:
            return None
        waiting = self._payloads.get((capture.portal_id, capture.payload_sha256))
        stored = waiting or queries.find_original(
            self._conn, capture.payload_sha256, portal_id=capture.portal_id, url=capture.url
        )
        return stored.record if isinstance(stored, queries.StoredRecord) else stored

    def _original(self, first: RecordRef) -> Original | None:
        """What the first record says of itself; None where its file is gone: then the bytes are kept again.

        Of a file that is in the object store the row says it: no crawl waits for a store.
        """
        if (row := queries.find_archived(self._conn, first)) is not None:
            return original_at(first, url=row.url, fetched_at=row.fetched_at)
        try:
            return read_original(self._warc, first)
        except WarcError:
            return None

    def _remember(self, capture: Capture) -> None:
        """A later response of the same batch may be a revisit of this one."""
        if capture.revisit_of is None and capture.status == 200 and not capture.truncated:
            self._payloads.setdefault((capture.portal_id, capture.payload_sha256), capture.record)

    def _writer(self, portal_id: str) -> WarcWriter:
        if portal_id not in self._writers:
            self._writers[portal_id] = WarcWriter(
                self._warc, portal_id, info=self._info, max_age=self._max_age, first_serial=self._first_serial
            )
        return self._writers[portal_id]


def _fields(exchange: Exchange, via: str | None) -> dict[str, str]:
    """What a metadata record says of an exchange."""
    tls = exchange.tls
    fields = {
        "via": via,
        "tls-protocol": tls and tls.protocol,
        "tls-cipher": tls and tls.cipher,
        "tls-certificate-sha256": tls and tls.certificate_sha256,
        "tls-certificate-problem": tls and tls.certificate_problem,
    }
    return {name: value for name, value in fields.items() if value}
