"""What would keep a crawl going for ever: pages without end, calendars, pagers that turn in circles."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping

from spiders.addresses import days_in, pattern_of

log = logging.getLogger(__name__)


class TrapError(Exception):
    """A list leads on and on; ``str()`` says how, for people."""


class Traps:
    """What one run has met of one portal; *limits*: addresses of one pattern that it may ask for, by kind."""

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._limits = limits
        self._met: dict[str, set[int]] = {}
        self._asked: Counter[tuple[str, str]] = Counter()
        self._said: set[tuple[str, str]] = set()

    def adds_to_list(self, start: str, keys: Iterable[str]) -> bool:
        """Whether a page names what no page before it named, of the list that begins at *start*."""
        met = self._met.setdefault(start, set())
        before = len(met)
        met.update(hash(key) for key in keys)
        return len(met) > before

    def count(self, kind: str, url: str) -> None:
        """Count an address that is going to be asked for. Raises TrapError at the limit of its pattern."""
        pattern, limit = pattern_of(url), self._limits[kind]
        if self._asked[kind, pattern] == limit:
            words = f"leads to more than {limit:,} {kind} pages like {pattern} in one run; the next one goes on here"
            if (kind, pattern) not in self._said:
                self._said.add((kind, pattern))
                log.warning("%s %s", url, words, extra={"url": url})
            raise TrapError(words)
        self._asked[kind, pattern] += 1


def is_calendar(here: str, there: str) -> bool:
    """Whether the way from one list page to the next is one through the days of a calendar, which has no end."""
    return not days_in(there) <= days_in(here)
