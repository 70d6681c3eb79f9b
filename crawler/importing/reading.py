"""One record of a collection: read from its file, recognised, and taken through the stages."""

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from crawler.archive.batch import Observation, StoredArticle, StoredCapture
from crawler.catalogue import Portal
from crawler.importing.collection import Held
from crawler.reading.identity import contradiction
from crawler.records import Article, Capture, CaptureKind, RecordRef
from crawler.text.canonical import canonical
from crawler.warc.files import WarcError
from crawler.warc.reader import read_capture, read_record, response_of
from pipelines import chain

_READ = re.compile(r"(?:text/html|application/xhtml|text/xml|application/(?:\w+\+)?xml|text/plain)", re.IGNORECASE)
_ATTACHED = re.compile(
    r"application/(?:pdf|msword|vnd\.|zip|x-zip|x-rar|rar|x-7z|rtf|octet-stream|wps|ofd|x-download)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A record that is to be read."""

    item: Held
    original: RecordRef | None
    """The record that has the payload, of a revisit."""
    portal: Portal
    run_id: str
    folder: Path
    """Of the WARC files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a record; nothing where it could not even be kept as a capture."""

    capture: StoredCapture | None = None
    article: StoredArticle | None = None
    observation: Observation | None = None
    failure: str | None = None
    """Why it is no page to read, in words."""


def read(task: Task) -> Outcome:
    """Read a record and what the page in it says. Whatever a page does, it raises nothing."""
    try:
        capture = _capture(task)
    except WarcError as error:
        return Outcome(failure=str(error))
    if capture.status == 304:
        return Outcome(capture=_stored(capture), observation=_unchanged(capture, task.portal))
    if capture.status != 200 or not _is_page(capture):
        return Outcome(capture=_stored(replace(capture, kind=_kind(capture))))
    if capture.truncated:
        return Outcome(capture=_stored(capture), failure=f"{capture.url}: was cut short ({capture.truncated})")
    try:
        article = chain.read(capture, task.portal)
    except (ValueError, RecursionError) as error:
        return Outcome(capture=_stored(capture), failure=f"{capture.url}: {' '.join(str(error).split())[:200]}")
    return _outcome(article, task.portal)


def _outcome(article: Article, portal: Portal) -> Outcome:
    capture = article.capture
    stranger = contradiction(article.site_id, article.site_name, division=portal.division, name=portal.name)
    if stranger:
        return Outcome(capture=_stored(capture, article), failure=f"{capture.url}: {stranger}")
    is_wanted = portal.article is None or re.search(portal.article, capture.url) is not None
    if article.kind == "article" and is_wanted:
        article = replace(article, capture=replace(capture, kind="article"))
        url = canonical(capture.url, homepage=portal.homepage)
        return Outcome(article=StoredArticle(article=article, url=url))
    is_feed = "xml" in (capture.content_type or "") and "xhtml" not in (capture.content_type or "")
    kind: CaptureKind = capture.kind if article.kind != "list" else "feed" if is_feed else "list"
    return Outcome(capture=_stored(replace(capture, kind=kind), article))


def _capture(task: Task) -> Capture:
    """The response as it was archived. Raises WarcError."""
    item = task.item
    record = read_record(task.folder, item.ref)
    response = read_capture(task.folder, item.ref, task.original) if task.original else response_of(record)
    head, entity = response.head, response.entity
    # Other archivers undo chunks and leave the header that announces them.
    is_announced = "chunked" in (head.get("Transfer-Encoding") or "").lower()
    is_whole = response.whole or (is_announced and entity == record.block[head.length :])
    return Capture(
        run_id=task.run_id,
        portal_id=task.portal.id,
        kind="other",
        url=item.url,
        fetched_at=item.date,
        status=head.status or 0,
        content_type=head.get("Content-Type"),
        content_encoding=head.get("Content-Encoding"),
        etag=head.get("ETag"),
        last_modified=head.get("Last-Modified"),
        payload_sha256=hashlib.sha256(b"" if head.status == 304 else entity).hexdigest(),
        record=item.ref,
        revisit_of=task.original,
        truncated=item.truncated or (None if is_whole else "unspecified"),
        body=entity,
    )


def _unchanged(capture: Capture, portal: Portal) -> Observation:
    return Observation(
        portal_id=portal.id,
        url=canonical(capture.url, homepage=portal.homepage),
        seen_at=capture.fetched_at,
        state="live",
        record=capture.record,
    )


def _is_page(capture: Capture) -> bool:
    return _kind(capture) == "other" and (not capture.content_type or _READ.match(capture.content_type) is not None)


def _kind(capture: Capture) -> CaptureKind:
    """What a response is that is no page, by what it says of itself."""
    if urlsplit(capture.url).path == "/robots.txt":
        return "robots"
    if capture.status == 200 and (capture.content_type or "").lower().startswith("image/"):
        return "image"
    if capture.status == 200 and _ATTACHED.match(capture.content_type or ""):
        return "attachment"
    return "other"


def _stored(capture: Capture, article: Article | None = None) -> StoredCapture:
    return StoredCapture(
        capture=replace(capture, body=b""),
        encoding=article.encoding if article else None,
        encoding_basis=article.encoding_basis if article else None,
    )
