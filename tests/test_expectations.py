"""Expectations: what is below them, since when, and how the report says so."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.archive import runs, writer
from crawler.archive.connection import open_archive
from crawler.archive.health import Standing, first_seen_since, standing
from crawler.catalogue import Expect, Portal
from crawler.cli.report import in_words
from crawler.fetch.expectations import Seen, shortfall, with_standing
from crawler.fetch.tally import Tally
from crawler.records import Article
from tests.support.archive import PORTAL, article, batch, begin, capture, paragraph

NEWS, NOTICES = "https://liuxi.example/zwyw/", "https://liuxi.example/tzgg/"


def page(url: str = "https://liuxi.example/1.html", **fields: object) -> Article:
    return Article(capture=capture(url=url), encoding="utf-8", kind="article", **fields)  # type: ignore[arg-type]


def test_nothing_expected_and_nothing_missed_is_no_shortfall() -> None:
    seen = Seen(first_pages={NEWS: 0})
    seen.see_article(page(), ())
    assert shortfall(Expect(), seen, week=0) is None
    assert shortfall(Expect(first_page=10, week=5), Seen(first_pages={NEWS: 10}), week=5) is None


def test_a_list_that_names_too_few_articles_is_named_with_what_was_expected() -> None:
    seen = Seen(first_pages={NEWS: 0, NOTICES: 20})
    assert shortfall(Expect(first_page=10), seen, week=None) == f"{NEWS} names 0 articles, 10 expected"


def test_of_several_poor_lists_the_poorest_is_named() -> None:
    seen = Seen(first_pages={NEWS: 1, NOTICES: 0, "https://liuxi.example/x/": 12})
    words = shortfall(Expect(first_page=10), seen, week=None)
    assert words == f"{NOTICES} names 0 articles, 10 expected (1 more of 3 lists are short)"


def test_the_first_page_of_a_list_is_the_first_with_articles() -> None:
    seen = Seen()
    for articles in (0, 15, 3):
        seen.see_list(NEWS, articles)
    assert seen.first_pages == {NEWS: 15}


def test_too_few_new_articles_a_week_point_at_the_poorest_list() -> None:
    seen = Seen(first_pages={NEWS: 20, NOTICES: 12})
    words = shortfall(Expect(week=5), seen, week=1)
    assert words == f"1 new article in 7 days, 5 expected, poorest list {NOTICES}"
    assert shortfall(Expect(week=5), Seen(), week=0) == "0 new articles in 7 days, 5 expected"
    assert shortfall(Expect(week=5), seen, week=None) is None  # not to be judged


def test_a_field_that_is_empty_is_counted_and_its_first_article_named() -> None:
    seen, filled = Seen(), ("title", "published", "body")
    seen.see_article(page(title="凌阳县修路", published="2024-05-06", paragraphs=(paragraph("正文。"),)), filled)
    seen.see_article(page("https://liuxi.example/2.html", title="凌阳县修渠", paragraphs=(paragraph("x"),)), filled)
    seen.see_article(page("https://liuxi.example/3.html", title="凌阳县修桥"), filled)
    assert shortfall(Expect(filled=filled), seen, week=None) == (
        "published is empty in 2 of 3 articles, first https://liuxi.example/2.html; "
        "body is empty in 1 of 3 articles, first https://liuxi.example/3.html"
    )


def test_a_body_of_furniture_only_is_empty() -> None:
    seen = Seen()
    seen.see_article(page(paragraphs=(paragraph("打印本页", role="boilerplate"),)), ("body",))
    assert seen.unfilled == {"body": (1, "https://liuxi.example/1.html")}


def test_all_that_is_below_stands_in_one_reason_the_most_telling_first() -> None:
    seen = Seen(first_pages={NEWS: 0})
    seen.see_article(page(), ("source",))
    words = shortfall(Expect(first_page=10, week=5, filled=("source",)), seen, week=1)
    assert words is not None
    assert [part.split()[0] for part in words.split("; ")] == [NEWS, "1", "source"]


def test_since_when_and_the_last_good_run_are_said_as_days() -> None:
    bad = Standing(since="2026-11-19T02:00:00Z", last_good="2026-11-18T02:00:00Z")
    assert with_standing("x", bad) == "x (since 2026-11-19; last good run 2026-11-18)"
    assert with_standing("x", Standing(since=bad.since, last_good=None)) == "x (since 2026-11-19; no good run before)"


def test_what_is_below_is_the_verdict_only_where_nothing_worse_happened() -> None:
    assert Tally(below="too few").verdict() == ("below", "too few")
    failed = Tally(below="too few")
    failed.fail(NEWS, "answered 500", is_list=True)
    assert failed.verdict()[0] == "failed"


def test_an_alarm_fails_a_portal_whatever_else_happened() -> None:
    tally = Tally(interrupted=True, blocked="412", alarm="https://x/: says it is 溆浦县人民政府")
    assert tally.verdict() == ("failed", "https://x/: says it is 溆浦县人民政府")


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = open_archive(tmp_path / "archive.db")
    yield conn
    conn.close()


def nights(conn: sqlite3.Connection, *statuses: str) -> Standing:
    """Runs of a portal on the days of one month; where the last one stands."""
    portal = Portal(id="liuxi", name="x", division="610424", homepage=NEWS)
    for day, status in enumerate(statuses, 1):
        run_id = runs.begin(conn, [portal])
        runs.finish(conn, run_id, "failed", [("liuxi", status, None, Tally())])
        conn.execute("UPDATE runs SET started_at = ? WHERE id = ?", (f"2026-11-{day:02}T02:00:00Z", run_id))
    return standing(conn, "liuxi", run_id)


@pytest.mark.parametrize(
    ("statuses", "since", "last_good"),
    [
        (["below"], 1, None),
        (["ok", "below"], 2, 1),
        (["ok", "below", "failed", "below"], 2, 1),
        (["below", "ok", "failed", "interrupted", "blocked", "below"], 3, 2),
        (["ok", "interrupted", "below"], 3, 1),
        (["below", "below"], 1, None),
    ],
)
def test_a_row_of_bad_runs_begins_after_the_last_good_one(
    conn: sqlite3.Connection, statuses: list[str], since: int, last_good: int | None
) -> None:
    found = nights(conn, *statuses)
    assert found.since == f"2026-11-{since:02}T02:00:00Z"
    assert found.last_good == (last_good and f"2026-11-{last_good:02}T02:00:00Z")


def test_a_run_nobody_knows_has_no_standing(conn: sqlite3.Connection) -> None:
    with pytest.raises(LookupError, match="no such run"):
        standing(conn, "liuxi", "no such run")


def test_articles_are_counted_from_the_second_on_in_which_they_were_first_seen(conn: sqlite3.Connection) -> None:
    begin(conn)
    writer.write(conn, batch(*(article("正文。", day=day, url=f"https://x.example/{day}.html") for day in range(5))))
    moment = datetime(2024, 1, 3, tzinfo=UTC)
    assert first_seen_since(conn, PORTAL, moment) == 3
    assert first_seen_since(conn, PORTAL, moment + timedelta(seconds=1)) == 2
    assert first_seen_since(conn, "other", moment) == 0


def test_missing_months_are_counted_and_the_last_ones_in_a_row_named() -> None:
    assert in_words(()) == ""
    assert in_words(("2023-12",)) == "1 month, last 2023-12"
    assert in_words(("2013-02", "2023-11", "2023-12", "2024-01")) == "4 months, last 2023-11 to 2024-01"
