"""A worker's figures for Prometheus, over HTTP: what it has fetched, what waits in its spool, how the queue stands."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from crawler.fetch.failures import CLASSES
from crawler.fetch.tally import Tally
from crawler.operating.textfile import OUTCOMES, PORTAL_STATUSES
from crawler.queue.line import QueueAway
from crawler.room import free_of
from crawler.spool import Spool

_TOTALS = {
    "pages": ("Responses that were archived.", "", ("",)),
    "received_bytes": ("Their bytes on the wire.", "", ("",)),
    "articles": ("Articles by what was found.", "outcome", OUTCOMES),
    "failures": ("Pages that failed, by kind of failure.", "reason", CLASSES),
    "portals": ("Portals that have ended here, by status.", "status", PORTAL_STATUSES),
}
"""Counters: what they say, their label, and its values."""
Counts = Counter[tuple[str, str]]
"""Numbers by counter and value of its label."""


class WorkerFigures(Collector):
    """What a worker has done since it started, from its portals' tallies as they move."""

    def __init__(self, spool: Path, look_at_queue: Callable[[], Mapping[str, int]]) -> None:
        """*look_at_queue* returns tasks by state, or raises QueueAway."""
        self._spool = spool
        self._look_at_queue = look_at_queue
        self._lock = threading.Lock()
        self._totals: Counts = Counter()
        self._told: dict[str, tuple[str, Counts]] = {}
        """By portal: the shard that it was in, and what was told of it."""

    def tell(self, shard: str, portal_id: str, tally: Tally, has_ended: bool) -> None:
        """How far a portal is: totals of what it brought into a shard."""
        now = _counts(tally)
        with self._lock:
            before_in, before = self._told.pop(portal_id, (shard, Counter()))
            self._totals += now - before if before_in == shard else now
            if has_ended:
                self._totals["portals", tally.verdict()[0]] += 1
            else:
                self._told[portal_id] = (shard, now)

    def collect(self) -> Iterable[Metric]:
        """All figures as they are now."""
        yield from self._of_work()
        yield from self._of_spool()
        yield from self._of_queue()

    def _of_work(self) -> Iterator[Metric]:
        with self._lock:
            totals = self._totals.copy()
        for name, (words, label, values) in _TOTALS.items():
            family = CounterMetricFamily(f"xianzhi_{name}", words, labels=[label] if label else [])
            for value in values:
                family.add_metric([value] if label else [], totals[name, value])
            yield family

    def _of_spool(self) -> Iterator[Metric]:
        spool = Spool(self._spool)
        yield _gauge("xianzhi_spool_bytes", "What is on this host and not in the store.", spool.bytes())
        began = spool.oldest()
        if began is not None:
            words = "When the oldest shard was begun that is not in the store."
            yield _gauge("xianzhi_spool_oldest_shard_timestamp_seconds", words, began.timestamp())
        yield _gauge("xianzhi_spool_free_bytes", "Room on the spool's disk.", free_of(self._spool))

    def _of_queue(self) -> Iterator[Metric]:
        states: Mapping[str, int] | None = None
        with suppress(QueueAway):
            states = self._look_at_queue()
        yield _gauge("xianzhi_queue_up", "1 where the queue answers.", states is not None)
        if states is not None:
            family = GaugeMetricFamily("xianzhi_queue_tasks", "Tasks of the queue by state.", labels=["state"])
            for state, number in states.items():
                family.add_metric([state], number)
            yield family


@contextmanager
def served(figures: WorkerFigures, *, host: str, port: int) -> Iterator[int]:
    """Serve *figures* at ``/metrics``; the port, where 0 was asked for a free one. Raises OSError."""
    registry = CollectorRegistry()
    registry.register(figures)
    server, thread = start_http_server(port, addr=host, registry=registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _counts(tally: Tally) -> Counts:
    counts: Counts = Counter({("pages", ""): tally.fetched, ("received_bytes", ""): tally.received})
    counts.update({("articles", outcome): getattr(tally, outcome) for outcome in OUTCOMES})
    counts.update({("failures", reason): number for reason, number in tally.failures.items()})
    return counts


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)
