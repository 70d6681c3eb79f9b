"""What one worker process learns of the hosts it asks: under which scheme each is reached, and its TLS."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from crawler.archive.hosts import Answered, Scheme
from crawler.archive.sink import Sink
from crawler.records import Exchange

OTHER: dict[Scheme, Scheme] = {"http": "https", "https": "http"}
PORTS: dict[Scheme, int] = {"http": 80, "https": 443}
RECHECK = timedelta(days=7)
"""How long a scheme that failed is left alone while the other one is well."""


class Place(NamedTuple):
    """A host under one of the two schemes."""

    host: str
    """In lower case, with its port where that is not the scheme's own."""
    scheme: Scheme

    @classmethod
    def of(cls, url: str) -> "Place":
        """Where an http(s) address leads."""
        parts = urlsplit(url)
        scheme: Scheme = "https" if parts.scheme == "https" else "http"
        host = parts.netloc.rpartition("@")[2].lower()
        return cls(host.removesuffix(f":{PORTS[scheme]}"), scheme)

    @property
    def other(self) -> "Place":
        """The same host under the other scheme; an odd port stays."""
        return Place(self.host, OTHER[self.scheme])


class Hosts:
    """One a process. A host is noted once a run, and again where it answers under another scheme or certificate."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._noted: set[tuple[Place, str | None]] = set()
        self._answered: set[Place] = set()
        self._failures: dict[Place, tuple[datetime, str]] = {}

    def answered(self, exchange: Exchange) -> None:
        """A response came."""
        place, tls = Place.of(exchange.url), exchange.tls
        mark = place, tls.certificate_sha256 if tls else None
        if mark in self._noted:
            return
        self._noted.add(mark)
        self._answered.add(place)
        failed_at, failure = self._failures.get(place.other, (None, None))
        self._sink.answered(
            Answered(
                host=place.host,
                scheme=place.scheme,
                checked_at=exchange.started_at,
                tls=tls,
                other_failed_at=failed_at,
                other_failure=failure,
            )
        )

    def failed(self, place: Place, reason: str) -> None:
        """It could not be reached."""
        self._failures[place] = datetime.now(UTC), reason

    def is_avoided(self, place: Place) -> bool:
        """Whether it could lately not be reached while its other scheme could, in this run or before."""
        if place in self._failures and place.other in self._answered:
            return True
        known = self._sink.host(place.host)
        if known is None or known.scheme == place.scheme or known.other_failed_at is None:
            return False
        return datetime.now(UTC) - known.other_failed_at < RECHECK
