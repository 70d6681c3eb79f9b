"""What one portal brought in one run."""

from collections import Counter
from dataclasses import dataclass, field

from crawler.fetch.expectations import Seen
from crawler.fetch.failures import class_of

FAILED_SHARE = 5
"""A portal is ``failed`` above a fifth of the run's pages."""
MAX_REASONS = 5
"""Failures that the report words."""
FAILED_PAGES = 3
"""Fewer are single pages, even on a night that asks for hardly more."""


@dataclass(slots=True, kw_only=True)
class MediaTally:
    """Files and pictures of articles. None of them fails a portal: old pages are full of dead pictures."""

    answers: int = 0
    """Responses, redirects and failures among them."""
    captured: int = 0
    """Addresses behind which a file or picture was had, whole or cut at the limit of size."""
    failed: int = 0
    reasons: list[str] = field(default_factory=list)
    """The first few failures in words, as ``URL: reason``."""
    stopped: str | None = None
    """Why no more were asked for in this run."""
    is_left: bool = False
    """Whether the run has still to look for them."""

    def fail(self, url: str, reason: str) -> None:
        """Count one that could not be had."""
        self.failed += 1
        if len(self.reasons) < MAX_REASONS:
            self.reasons.append(f"{url}: {reason}")


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counters of one portal in one run, and what they say of it."""

    fetched: int = 0
    """Responses archived, of every kind."""
    received: int = 0
    """Their bytes on the wire, and those of what was loaded to draw them."""
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    failed: int = 0
    unanswered: int = 0
    """Of the failed ones, those without a response."""
    failures: Counter[str] = field(default_factory=Counter)
    """The failed ones by their class (`crawler.fetch.failures`)."""
    reasons: list[str] = field(default_factory=list)
    """The first few failures in words, as ``URL: reason``."""
    blocked: str | None = None
    """Why the portal is asked for nothing more tonight."""
    is_down: bool = False
    """Whether that is no refusal: there is no way to its host."""
    broken_list: str | None = None
    """The first list page that failed."""
    doubt: str | None = None
    """Why articles that seem to be gone were not marked so."""
    alarm: str | None = None
    """A page by which the portal is not the one that the catalogue means."""
    seen: Seen = field(default_factory=Seen)
    """What its expectations are judged by."""
    below: str | None = None
    """What is less than the catalogue expects, in words."""
    interrupted: bool = False
    media: MediaTally = field(default_factory=MediaTally)

    @property
    def is_over(self) -> bool:
        """Whether the portal is asked for nothing more in this run."""
        return self.blocked is not None or self.alarm is not None

    def raise_alarm(self, url: str, reason: str) -> None:
        """The page at *url* is not the portal's; the first one stays."""
        self.alarm = self.alarm or f"{url}: {reason}"

    def block(self, reason: str, *, is_down: bool = False) -> None:
        """The portal does not want us tonight, or *is_down*; the first reason stays."""
        if self.blocked is None:
            self.blocked, self.is_down = reason, is_down

    def fail(self, url: str, reason: str, *, is_list: bool) -> None:
        """Count a page that could not be had."""
        self.failed += 1
        self.failures[class_of(reason)] += 1
        line = f"{url}: {reason}"
        if len(self.reasons) < MAX_REASONS:
            self.reasons.append(line)
        if is_list:
            self.broken_list = self.broken_list or line

    def counts(self) -> tuple[int, ...]:
        """What a display shows."""
        return self.fetched, self.new, self.changed, self.unchanged, self.gone, self.failed

    def verdict(self) -> tuple[str, str | None]:
        """``portal_runs.status`` and its reason."""
        if self.alarm:
            return "failed", self.alarm
        if self.interrupted:
            return "interrupted", "stopped before the end; the next run goes on from here"
        if self.blocked:
            return "failed" if self.is_down else "blocked", self.blocked
        if self.broken_list:
            return "failed", f"list page {self.broken_list}"
        asked = self.fetched - self.media.answers + self.unanswered
        if self.failed >= FAILED_PAGES and self.failed * FAILED_SHARE > asked:
            return "failed", self.doubt or f"{self.failed} of {asked} pages failed, first {self.reasons[0]}"
        if self.below:
            return "below", "; ".join(filter(None, (self.below, self.doubt)))
        return "ok", self.doubt
