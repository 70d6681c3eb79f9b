"""What the archive knows of a page that is read again: asked of its rows, or packed to travel to another host."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from crawler.archive import rereadings
from crawler.archive.histories import History
from crawler.archive.rereadings import Observed, StoredReading
from crawler.archive.texts import text_of_version


class Past(Protocol):
    """What was read and observed before, by ids that have to be there."""

    def listed_day(self, article_id: int) -> str | None:
        """See `rereadings.listed_day`."""

    def stored_reading(self, version_id: int) -> StoredReading:
        """See `rereadings.stored_reading`."""

    def text(self, version_id: int) -> str | None:
        """A version's text; None where it is not at hand."""

    def answered_at(self, article_id: int, moment: datetime) -> bool:
        """See `Observed.answered_at`."""


class ArchivedPast:
    """Everything that an archive knows; *conn* is only read from."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def listed_day(self, article_id: int) -> str | None:
        """Of any article."""
        return rereadings.listed_day(self._conn, article_id)

    def stored_reading(self, version_id: int) -> StoredReading:
        """Of any version."""
        return rereadings.stored_reading(self._conn, version_id)

    def text(self, version_id: int) -> str | None:
        """Always at hand."""
        return text_of_version(self._conn, version_id)

    def answered_at(self, article_id: int, moment: datetime) -> bool:
        """Of any article."""
        return rereadings.observed(self._conn, article_id).answered_at(moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedPast:
    """What is known of one page, without the texts: those are as long as all the rest."""

    listed: str | None = None
    observed: Observed | None = None
    """None for a page that is no article."""
    readings: tuple[StoredReading, ...] = ()

    @classmethod
    def pack(cls, conn: sqlite3.Connection, history: History) -> Self:
        """What reading the page of *history* may ask for."""
        if history.article_id is None:
            return cls()
        return cls(
            listed=rereadings.listed_day(conn, history.article_id),
            observed=rereadings.observed(conn, history.article_id),
            readings=tuple(
                rereadings.stored_reading(conn, sighting.version_id)
                for sighting in history.sightings
                if sighting.version_id is not None
            ),
        )

    def listed_day(self, _: int) -> str | None:
        """Of the page's article."""
        return self.listed

    def stored_reading(self, version_id: int) -> StoredReading:
        """One of the page's."""
        return next(reading for reading in self.readings if reading.version_id == version_id)

    def text(self, _: int) -> str | None:
        """Never at hand."""
        return None

    def answered_at(self, _: int, moment: datetime) -> bool:
        """Of the page's article."""
        return self.observed is not None and self.observed.answered_at(moment)
