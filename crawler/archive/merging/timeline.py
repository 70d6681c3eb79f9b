"""Two histories of one article joined: the versions that one observer would have stored, and the states it would tell.

Nothing here knows of a database. Each side brings *sightings*: the moments at which it is known what the article
showed. Between two neighbours that show the same, nothing changed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from crawler.archive.readings import Fields

ANSWERS = ("live", "edited")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What an article showed at one moment."""

    at: str
    """UTC, to the second."""
    fields: Fields
    payload_sha256: str
    version: int
    """The version, of either side, that says what was shown."""
    is_stored: bool = False
    """The archive has a version of this moment."""
    capture: int | None = None
    """The archive's capture that shows it; None where it is not known."""
    is_theirs: bool = False
    """The version is the shard's."""

    def shows_the_same(self, other: "Sighting") -> bool:
        """The same bytes are never an edit, whatever rules read them."""
        return self.payload_sha256 == other.payload_sha256 or self.fields == other.fields


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A row of ``article_states``."""

    since: str
    state: str
    capture: int | None


def missing(sightings: Iterable[Sighting]) -> list[Sighting]:
    """Of *sightings*, in any order, those that have to become versions, by time.

    One a run of equal ones, where the archive has no version of the run: the first whose capture is known. A run that
    none of them can stand for is passed over.
    """
    found = []
    for run in _runs(sorted(sightings, key=lambda sighting: (sighting.at, not sighting.is_stored))):
        if not any(sighting.is_stored for sighting in run):
            found += [sighting for sighting in run if sighting.capture is not None][:1]
    return found


def _runs(sightings: Sequence[Sighting]) -> list[list[Sighting]]:
    runs = [sightings[:1]] if sightings else []
    for before, after in pairwise(sightings):
        if after.shows_the_same(before):
            runs[-1] = [*runs[-1], after]
        else:
            runs.append([after])
    return [list(run) for run in runs]


def states(told: Iterable[State], *, edits: Iterable[State], answers: Iterable[State]) -> list[State]:
    """The history of states that follows from what was *told*, from *edits* and from *answers*, in any order.

    An edit is a version later than the first one, an answer a sighting. The article begins as ``live``; a row is a
    change; of two in one second the later stays, of those that differ in rank what tells more.
    """
    events = [(event.since, _RANKS[event.state in ANSWERS], event) for event in told]
    events += [(event.since, 1, event) for event in edits]
    events += [(event.since, 0, event) for event in answers]
    now, is_edited = "live", False
    rows: dict[str, State] = {}
    for _, _, event in sorted(events, key=lambda found: (found[0], found[1], found[2].state)):
        is_edited = is_edited or event.state == "edited"
        state = event.state if event.state not in ANSWERS else ("edited" if is_edited else "live")
        if state != now:
            rows[event.since] = State(since=event.since, state=state, capture=event.capture)
            now = state
    return list(rows.values())


_RANKS = {True: 1, False: 2}
"""In one second: an answer, what was told of one, what was told of none."""
