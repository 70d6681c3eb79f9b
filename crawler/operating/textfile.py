"""Figures of the last run as a text file for Prometheus' node_exporter (its textfile collector)."""

import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import generate_latest

from crawler.fetch.failures import CLASSES

STATUSES = ("ok", "failed", "interrupted")
PORTAL_STATUSES = ("ok", "below", "blocked", "failed", "interrupted")
OUTCOMES = ("new", "changed", "unchanged", "gone")
MAX_PORTALS = 5_000
"""Portals with a line of their own: the country has 3,000."""


def write(file: Path, report: Mapping[str, Any], successes: Mapping[str, float]) -> None:
    """Replace *file*, at once, by figures of the run of *report* (as ``crawl --json`` prints it), which ends now.

    *successes*: portal's id → when it was last ``ok``, or was first crawled where it never was; POSIX time.
    Raises OSError.
    """
    registry = CollectorRegistry()
    _of_run(registry, report)
    _of_pages(registry, report["portals"])
    _of_portals(registry, successes)
    new = file.with_name(f".{file.name}.{os.getpid()}.new")  # the collector reads what ends in .prom
    try:
        new.write_bytes(generate_latest(registry))
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def _of_run(registry: CollectorRegistry, report: Mapping[str, Any]) -> None:
    ended = Gauge("xianzhi_last_run_end_timestamp_seconds", "When the last run ended.", registry=registry)
    ended.set(time.time())
    seconds = Gauge("xianzhi_last_run_duration_seconds", "How long the last run took.", registry=registry)
    seconds.set(report["seconds"])
    status = Gauge("xianzhi_last_run_status", "1 for the status of the last run.", ["status"], registry=registry)
    for name in STATUSES:
        status.labels(name).set(report["status"] == name)
    lost = Gauge("xianzhi_last_run_losses", "What the last run could not keep: dead workers, disks.", registry=registry)
    lost.set(len(report["lost"]))


def _of_pages(registry: CollectorRegistry, lines: Sequence[Mapping[str, Any]]) -> None:
    pages = Gauge("xianzhi_last_run_pages", "Responses that the last run archived.", registry=registry)
    pages.set(sum(line["fetched"] for line in lines))
    bytes_ = Gauge("xianzhi_last_run_received_bytes", "Their bytes on the wire.", registry=registry)
    bytes_.set(sum(line["received"] for line in lines))
    articles = Gauge(
        "xianzhi_last_run_articles", "Articles by what the last run found.", ["outcome"], registry=registry
    )
    for outcome in OUTCOMES:
        articles.labels(outcome).set(sum(line[outcome] for line in lines))
    failed = Gauge("xianzhi_last_run_failures", "Pages that failed, by kind of failure.", ["reason"], registry=registry)
    for reason in CLASSES:
        failed.labels(reason).set(sum(line["failed_by"].get(reason, 0) for line in lines))
    portals = Gauge("xianzhi_last_run_portals", "Portals of the last run by status.", ["status"], registry=registry)
    counts = Counter(line["status"] for line in lines)
    for name in PORTAL_STATUSES:
        portals.labels(name).set(counts[name])


def _of_portals(registry: CollectorRegistry, successes: Mapping[str, float]) -> None:
    if not successes:
        return
    oldest = Gauge(
        "xianzhi_oldest_portal_success_timestamp_seconds",
        "The last success of the portal whose last success is the longest ago.",
        registry=registry,
    )
    oldest.set(min(successes.values()))
    each = Gauge(
        "xianzhi_portal_last_success_timestamp_seconds",
        "When a portal was last ok; where it never was, when it was first crawled.",
        ["portal"],
        registry=registry,
    )
    for portal_id in sorted(successes, key=lambda name: successes[name])[:MAX_PORTALS]:
        each.labels(portal_id).set(successes[portal_id])
