"""When a portal's night counts as failed."""

import pytest

from crawler.fetch.tally import Tally


@pytest.mark.parametrize(
    ("asked", "failed", "status"),
    [(100, 20, "ok"), (100, 21, "failed"), (4, 1, "ok"), (4, 2, "ok"), (4, 3, "failed"), (0, 0, "ok")],
)
def test_single_pages_fail_a_portal_only_above_a_fifth_of_the_run(asked: int, failed: int, status: str) -> None:
    tally = Tally(fetched=asked)
    for number in range(failed):
        tally.fail(f"http://x/{number}", "answered 500", is_list=False)
    assert tally.verdict()[0] == status


def test_one_failed_list_page_fails_the_portal_and_is_named() -> None:
    tally = Tally(fetched=100)
    tally.fail("http://x/list", "answered 500", is_list=True)
    assert tally.verdict() == ("failed", "list page http://x/list: answered 500")


def test_a_blocked_portal_says_why_and_the_first_reason_stays() -> None:
    tally = Tally()
    tally.block("robots.txt answered 503")
    tally.block("later")
    assert tally.verdict() == ("blocked", "robots.txt answered 503")


def test_a_portal_whose_host_is_down_has_failed_and_is_asked_nothing_more() -> None:
    tally = Tally()
    tally.block("the host a.example cannot be resolved", is_down=True)
    tally.block("robots.txt answered 503")
    assert tally.is_over
    assert tally.verdict() == ("failed", "the host a.example cannot be resolved")


def test_an_interrupted_portal_is_neither_ok_nor_failed() -> None:
    assert Tally(interrupted=True, failed=50).verdict()[0] == "interrupted"
