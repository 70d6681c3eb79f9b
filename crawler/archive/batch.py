"""What goes into the archive in one transaction, and what the archive says of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crawler.archive.frontier import Operation
from crawler.archive.hosts import Answered
from crawler.records import Article, Capture, MediaKind, RecordRef

Outcome = Literal["new", "changed", "unchanged"]
ArticleState = Literal["live", "redirected", "gone", "blocked"]
"""What one look at a known article shows of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCapture:
    """A capture, with the codec of its text where that was decided."""

    capture: Capture
    encoding: str | None = None
    encoding_basis: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArticle:
    """An article as a capture showed it, and the canonical address that is its identity within the portal."""

    article: Article
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What became of a known article where nothing was read: it answered as before, or it did not answer."""

    portal_id: str
    url: str
    """The article's canonical address."""
    seen_at: datetime
    state: ArticleState
    """``live``: it answered, unchanged (a 304)."""
    redirect_to: str | None = None
    record: RecordRef | None = None
    """The capture that shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What became of the request for a file or picture that an article links to."""

    portal_id: str
    url: str
    """As the article links it."""
    kind: MediaKind
    record: RecordRef | None = None
    """The capture that it brought, whole or cut at a limit; None where it failed, and is to be asked for again."""
    reason: str | None = None
    """Why it failed, or what is to be said of the capture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The results of one run, each kind in the order of its arrival; captures come first, the frontier last."""

    run_id: str
    extractor: str
    """Name and version of the rules that read the articles."""
    captures: tuple[StoredCapture, ...] = ()
    articles: tuple[StoredArticle, ...] = ()
    """Their captures need not be among *captures*."""
    observations: tuple[Observation, ...] = ()
    frontier: tuple[Operation, ...] = ()
    hosts: tuple[Answered, ...] = ()
    media: tuple[Fetched, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of one article."""

    portal_id: str
    url: str
    outcome: Outcome
    article_id: int
    version_id: int
    """What the article shows now."""
