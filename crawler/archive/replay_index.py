"""The index by which a replay finds what was captured: a line a capture, of what archive and record say of it.

An answer 304 has no line of its own: pywb 2.10 makes of its ``revisit`` record a 304 without a body, of which a reader
sees an empty page, and wabac.js 2.26 shows nothing. Where only pywb will read the index, the record that the answer
stands for has a second line, at the answer's time (wabac.js wants a record's own time in its line). Elsewhere a replay
shows the capture that is nearest in time.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from crawler.archive.selection import Chosen
from crawler.records import RecordRef
from crawler.warc import cdxj
from crawler.warc.cdxj import Place
from crawler.warc.sorting import ExternalSort

NOT_MODIFIED = 304


class Index:
    """Gathers the lines, in files in *folder* where they are many. *with_unchanged*: second lines for answers 304."""

    def __init__(self, folder: Path, *, with_unchanged: bool = False) -> None:
        self._files = ExitStack()
        self._lines = self._files.enter_context(ExternalSort(folder))
        self._unchanged = self._files.enter_context(ExternalSort(folder)) if with_unchanged else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()

    def add(self, capture: Chosen, fields: Mapping[str, str], ref: RecordRef) -> None:
        """Index a *capture* whose record has these named fields (in lower case) and lies at *ref* for the replay."""
        kind = fields.get("warc-type")
        url = fields.get("warc-target-uri", "").strip("<>")
        at = fields.get("warc-date", capture.fetched_at)
        if capture.status == NOT_MODIFIED:
            if self._unchanged is not None and capture.revisit_of is not None:
                self._unchanged.add(f"{capture.revisit_of:020} 1 {json.dumps([url, at])}\n".encode())
            return
        if not capture.status:
            return  # what came is no HTTP: a replay has nothing to show
        place = Place(
            mime=cdxj.REVISIT if kind == "revisit" else cdxj.media_type(capture.content_type),
            status=None if kind == "resource" else capture.status,
            digest=fields.get("warc-payload-digest") or f"sha256:{capture.payload_sha256}",
            length=ref.length,
            offset=ref.offset,
            filename=ref.file,
        )
        self._lines.add(cdxj.line(url, at, place))
        if self._unchanged is not None and capture.stands_in:
            self._unchanged.add(f"{capture.id:020} 0 {json.dumps(asdict(place))}\n".encode())

    def lines(self) -> Iterator[bytes]:
        """All lines, sorted; once."""
        place: Place | None = None
        for line in self._unchanged or ():  # the record, then what stands for it
            _, is_answer, said = line.split(b" ", 2)
            if is_answer == b"0":
                place = Place(**json.loads(said))
            elif place is not None:
                url, at = json.loads(said)
                self._lines.add(cdxj.line(url, at, place))
        return iter(self._lines)
