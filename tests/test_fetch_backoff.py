"""What failed for the moment is tried again, and an unwell host is asked less often."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request

from crawler.fetch.backoff import MAX_RETRY_AFTER, retry_after
from crawler.fetch.statuses import RETRY_STATUSES
from tests.support.fetching import ask, in_reactor
from tests.support.wire import WireServer, page

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
FLOOR = 0.06
TIMEOUT = 1.0  # a crowded machine may take a fifth of a second to begin
FINAL_STATUSES = (200, 301, 400, 403, 404, 501, 505)
STATUSES = (*FINAL_STATUSES, *sorted(RETRY_STATUSES))
MIDDLEWARES = {
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
    "crawler.fetch.backoff.BackoffMiddleware": 550,
}


async def visit(script, *paths, **settings):
    """Outcomes, and the seconds between the server's requests."""
    arrived = []

    def noted(path):
        arrived.append((path, time.monotonic()))
        return script(path, len(arrived))

    settings = {
        "DOWNLOADER_MIDDLEWARES": MIDDLEWARES,
        "BACKOFF_FLOOR": FLOOR,
        "DOWNLOAD_TIMEOUT": TIMEOUT,
        "DOWNLOAD_DELAY_JITTER": 0,
        **settings,
    }
    async with WireServer(noted) as server:
        requests = [Request(server.url(path), meta={"kind": "article", "key": path}) for path in paths]
        outcomes = await ask(*requests, **settings)
    gaps = [round(later - earlier, 3) for (_, earlier), (_, later) in pairwise(arrived)]
    return outcomes, [path for path, _ in arrived], gaps


def always(*steps):
    return lambda _path, _count: list(steps)


def first(times, *steps):
    return lambda _path, count: list(steps) if count <= times else [page(b"well")]


def busy(status="503 Busy", *headers):
    return page(b"busy", status=status, headers=headers)


async def trial():
    soon = format_datetime(NOW + timedelta(seconds=1), usegmt=True)
    dated = busy("503 Busy", f"Date: {format_datetime(NOW, usegmt=True)}", f"Retry-After: {soon}")
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
    visits = {
        "recovers": visit(first(1, busy("500 Oops")), "/a"),
        "closed": visit(always("close"), "/a"),
        "cut": visit(always(cut, "close"), "/a"),
        "timeout": visit(always(5.0), "/a"),
        "seconds": visit(first(1, busy("429 Slow down", "Retry-After: 1")), "/a", "/b", CONCURRENT_REQUESTS=2),
        "date": visit(first(1, dated), "/a"),
        "garbage": visit(first(1, busy("429 Slow down", "Retry-After: soon")), "/a"),
        "doubling": visit(always(busy()), "/a", "/b"),
        "recovery": visit(first(4, busy("429 Slow down")), *(f"/{n}" for n in range(30)), RETRY_TIMES=9),
        **{status: visit(always(busy(f"{status} Odd")), "/a", BACKOFF_FLOOR=0.001) for status in STATUSES},
    }
    return dict(zip(visits, await asyncio.gather(*visits.values()), strict=True))


@cache
def found():
    return in_reactor(trial)


@pytest.mark.parametrize("status", sorted(RETRY_STATUSES))
def test_a_passing_trouble_is_tried_three_times_and_then_passes_on(status):
    [outcome], paths, _ = found()[status]
    assert (outcome.status, outcome.retry_times, len(paths)) == (status, 2, 3)


@pytest.mark.parametrize("status", FINAL_STATUSES)
def test_every_other_answer_is_final(status):
    [outcome], paths, _ = found()[status]
    assert (outcome.status, outcome.retry_times, len(paths)) == (status, 0, 1)


def test_a_later_try_may_bring_the_page():
    [outcome], _, _ = found()["recovers"]
    assert (outcome.status, outcome.body, outcome.retry_times) == (200, b"well", 1)


def test_each_try_has_its_own_exchange():
    [outcome], _, _ = found()["recovers"]
    assert outcome.exchange.response == page(b"well")


@pytest.mark.parametrize(("name", "error"), [("closed", "NoAnswer"), ("timeout", "DownloadTimeoutError")])
def test_a_broken_connection_is_tried_again_and_then_passes_on(name, error):
    [outcome], paths, _ = found()[name]
    assert (outcome.error, outcome.retry_times, len(paths)) == (error, 2, 3)


def test_a_response_cut_short_is_not_tried_again():
    [outcome], paths, _ = found()["cut"]
    assert (outcome.status, outcome.flags, len(paths)) == (200, ("dataloss",), 1)


def test_timeouts_slow_the_host_down():
    [outcome], _, gaps = found()["timeout"]
    assert outcome.delay == pytest.approx(4 * FLOOR)
    assert gaps[1] >= TIMEOUT + 2 * FLOOR - 0.02  # counted from the failure, not from the request


def test_retry_after_holds_all_of_the_host_back():
    outcomes, paths, gaps = found()["seconds"]
    assert [outcome.status for outcome in outcomes] == [200, 200]
    assert sorted(paths) == ["/a", "/a", "/b"]
    assert gaps[0] >= 0.99


def test_a_date_is_taken_by_the_servers_clock():
    _, _, gaps = found()["date"]
    assert 0.99 <= gaps[0] < 3


def test_a_senseless_retry_after_only_slows_down():
    _, _, gaps = found()["garbage"]
    assert FLOOR - 0.01 <= gaps[0] < 3


def test_overload_doubles_the_delay_each_time():
    outcomes, paths, gaps = found()["doubling"]
    assert sorted(paths) == ["/a"] * 3 + ["/b"] * 3
    for expected, gap in zip([FLOOR * 2**n for n in range(5)], gaps, strict=True):
        assert gap >= expected - 0.01
    assert outcomes[-1].delay == pytest.approx(FLOOR * 2**5)


def test_the_host_recovers_slowly():
    outcomes, _, gaps = found()["recovery"]
    assert max(outcome.delay for outcome in outcomes) > 4 * FLOOR
    assert outcomes[-1].delay == 0
    slow = [gap for gap in gaps[4:] if gap > FLOOR * 0.9]
    assert len(slow) > 10


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"7", 7),
        (b" 7 ", 7),
        (b"0", None),
        (b"86400", MAX_RETRY_AFTER),
        (b"9" * 5000, MAX_RETRY_AFTER),
        (b"-5", None),
        (b"1.5", None),
        (b"", None),
        (b"soon", None),
        ("３".encode(), None),
        (b"Sun, 01 Mar 2026 02:00:30 GMT", 30),
        (b"Sun, 01 Mar 2026 10:00:30 +0800", 30),
        (b"Sunday, 01-Mar-26 02:00:30 GMT", 30),
        (b"Sun, 01 Mar 2026 03:00:00 GMT", MAX_RETRY_AFTER),
        (b"Sun, 01 Mar 2020 02:00:00 GMT", None),
        (b"Sun, 99 Mar 2026 02:00:00 GMT", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(value, seconds):
    assert retry_after(value, asked_at=NOW) == seconds


@given(st.binary(max_size=60))
def test_no_retry_after_is_an_error(value):
    seconds = retry_after(value, asked_at=NOW)
    assert seconds is None or 0 < seconds <= MAX_RETRY_AFTER


@given(st.datetimes(timezones=st.just(UTC)))
def test_no_date_is_an_error(at):
    seconds = retry_after(format_datetime(at).encode(), asked_at=NOW)
    assert seconds is None or 0 < seconds <= MAX_RETRY_AFTER
