"""What becomes of an article when it is seen again: versions, states, and any order of arrival."""

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive import writer
from crawler.archive.batch import Batch, Observation, StoredArticle, StoredCapture
from crawler.archive.connection import ArchiveError, open_archive
from crawler.archive.frontier import Done, Queued
from crawler.archive.texts import text_of_version
from crawler.records import Attachment, Image, RecordRef
from tests.support.archive import PORTAL, START, URL, article, batch, begin, capture, contents

DAY = "2024-01-{:02}T00:00:00Z"


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = begin(open_archive(tmp_path / "archive.db"))
    yield conn
    conn.close()


def outcomes(conn: sqlite3.Connection, *items: StoredArticle) -> list[str]:
    return [written.outcome for written in writer.write(conn, batch(*items))]


def observed(day: int, state: Any, **changes: Any) -> Observation:
    fields = {"portal_id": PORTAL, "url": URL, "seen_at": capture(day=day).fetched_at, "state": state}
    return Observation(**(fields | changes))


def row(conn: sqlite3.Connection, columns: str, table: str = "articles") -> Any:
    [only] = conn.execute(f"SELECT {columns} FROM {table}")
    return only


def test_a_new_article_has_its_row_its_version_and_its_capture(conn: sqlite3.Connection) -> None:
    item = article(
        "第一段",
        "第二段",
        published="2024-01-01T08:00:00+08:00",
        published_basis="visible",
        meta_published="2020-02-02",
        source="凌阳日报",
        author="王五,赵六",
        editor="钱七",
        column="要闻",
        division="990001",
        attachments=(Attachment(url="https://lingyang.example/a.pdf", title="名单"),),
        images=(Image(url="https://lingyang.example/b.jpg", caption="现场"),),
        etag='"a"',
        content_type="text/html",
    )
    [written] = writer.write(conn, batch(item))
    assert (written.portal_id, written.url, written.outcome) == (PORTAL, URL, "new")
    assert row(
        conn,
        'id, portal_id, url, title, published, published_basis, source, author, editor, "column", division_code, chars,'
        " state, redirect_to, first_seen, last_seen, version_id",
    ) == (
        written.article_id,
        PORTAL,
        URL,
        "凌阳县启动防汛演练",
        "2024-01-01T08:00:00+08:00",
        "visible",
        "凌阳日报",
        "王五,赵六",
        "钱七",
        "要闻",
        "990001",
        7,
        "live",
        None,
        DAY.format(1),
        DAY.format(1),
        written.version_id,
    )
    assert row(conn, "id, extractor, seen_at, meta_published, chars, replaces", "versions") == (
        written.version_id,
        "rules 1",
        DAY.format(1),
        "2020-02-02",
        7,
        None,
    )
    assert row(conn, "url, title", "attachments") == ("https://lingyang.example/a.pdf", "名单")
    assert row(conn, "url, caption", "images") == ("https://lingyang.example/b.jpg", "现场")
    assert conn.execute("SELECT count(*) FROM article_states").fetchone() == (0,)


def test_a_capture_points_at_the_bytes_it_came_from(conn: sqlite3.Connection) -> None:
    item = article(
        "第一段", encoding="gb18030", record=RecordRef(file="a.warc.gz", offset=7, length=9), truncated="time"
    )
    writer.write(conn, batch(item))
    assert row(conn, "warc_file, warc_offset, warc_length, encoding, fetched_at, truncated, stored", "captures") == (
        "a.warc.gz",
        7,
        9,
        "gb18030",
        "2024-01-01T00:00:00.000000Z",
        "time",
        "local",
    )


def test_a_capture_stored_before_its_text_was_decoded_gains_its_codec(conn: sqlite3.Connection) -> None:
    item = article("第一段", encoding="big5hkscs")
    writer.write(conn, batch(captures=(StoredCapture(capture=item.article.capture),)))
    assert row(conn, "encoding", "captures") == (None,)
    writer.write(conn, batch(item))
    assert row(conn, "encoding", "captures") == ("big5hkscs",)
    writer.write(conn, batch(captures=(StoredCapture(capture=item.article.capture),)))
    assert row(conn, "encoding", "captures") == ("big5hkscs",)


def test_a_revisit_points_at_its_original(conn: sqlite3.Connection) -> None:
    first = capture(day=0)
    again = capture(day=1, revisit_of=first.record)
    writer.write(conn, batch(captures=(StoredCapture(capture=first), StoredCapture(capture=again))))
    assert conn.execute("SELECT revisit_of FROM captures ORDER BY id").fetchall() == [(None,), (1,)]
    stray = capture(day=2, revisit_of=RecordRef(file="gone.warc.gz", offset=5, length=1))
    with pytest.raises(ArchiveError, match=r"no capture lies in gone\.warc\.gz at 5"):
        writer.write(conn, batch(captures=(StoredCapture(capture=stray),)))


def test_a_page_that_is_no_article_leaves_its_capture_only(conn: sqlite3.Connection) -> None:
    assert writer.write(conn, batch(article("目录", kind="list"), article("别的", kind="other", day=1))) == []
    assert conn.execute("SELECT count(*) FROM captures").fetchone() == (2,)
    assert conn.execute("SELECT count(*) FROM articles").fetchone() == (0,)


def test_the_same_address_on_two_portals_is_two_articles(tmp_path: Path) -> None:
    conn = begin(open_archive(tmp_path / "other.db"), "lingyang", "qiaoxi")
    there = article("第一段", portal_id="qiaoxi", record=RecordRef(file="b", offset=0, length=1))
    assert outcomes(conn, article("第一段"), there) == ["new", "new"]
    conn.close()


def test_an_unchanged_article_is_only_seen_later(conn: sqlite3.Connection) -> None:
    first, second, third = (article("第一段", day=day) for day in range(3))
    assert outcomes(conn, first) == ["new"]
    assert outcomes(conn, second, third) == ["unchanged", "unchanged"]
    assert row(conn, "state, first_seen, last_seen, version_id") == ("live", DAY.format(1), DAY.format(3), 1)
    assert row(conn, "count(*)", "versions") == (1,)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "另一标题"},
        {"published": "2024-01-02"},
        {"source": "新华社"},
        {"author": "王五"},
        {"editor": "钱七"},
        {"paragraphs": ()},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_what_readers_see_is_a_version_and_an_edit(
    conn: sqlite3.Connection, change: dict[str, Any]
) -> None:
    assert outcomes(conn, article("第一段"), article("第一段", day=1, **change)) == ["new", "changed"]
    assert conn.execute("SELECT id, seen_at, replaces FROM versions ORDER BY id").fetchall() == [
        (1, DAY.format(1), None),
        (2, DAY.format(2), None),
    ]
    assert row(conn, "state, last_seen, version_id") == ("edited", DAY.format(2), 2)
    assert row(conn, "since, state, capture_id", "article_states") == (DAY.format(2), "edited", 2)
    for field, value in change.items():
        if field != "paragraphs":
            assert row(conn, field) == (value,)


@pytest.mark.parametrize("change", [{"column": "政务"}, {"meta_published": "2024-05-05"}, {"division": "990003"}])
def test_a_change_of_anything_else_is_none(conn: sqlite3.Connection, change: dict[str, Any]) -> None:
    assert outcomes(conn, article("第一段"), article("第一段", day=1, **change)) == ["new", "unchanged"]


def test_a_text_that_changes_back_has_three_versions(conn: sqlite3.Connection) -> None:
    items = [article(text, day=day) for day, text in enumerate(("甲", "乙", "甲"))]
    assert outcomes(conn, *items) == ["new", "changed", "changed"]
    versions = [version for (version,) in conn.execute("SELECT id FROM versions ORDER BY id")]
    assert [text_of_version(conn, version) for version in versions] == ["甲", "乙", "甲"]


def test_two_captures_of_one_second_replay_to_the_same(conn: sqlite3.Connection) -> None:
    first = article("甲", record=RecordRef(file="a", offset=0, length=1), payload="a")
    second = article("乙", record=RecordRef(file="a", offset=9, length=1), payload="b")
    assert outcomes(conn, first, second) == ["new", "changed"]
    once = contents(conn)
    assert outcomes(conn, first, second) == ["unchanged", "unchanged"]
    assert contents(conn) == once


def test_a_capture_is_one_article_though_its_canonical_address_is_made_otherwise_now(conn: sqlite3.Connection) -> None:
    item = article("甲")
    [new, known] = writer.write(conn, batch(item, replace(item, url=URL + "?made=otherwise")))
    assert (known.outcome, known.article_id, known.version_id) == ("unchanged", new.article_id, new.version_id)


def test_better_rules_on_the_same_bytes_are_no_edit(conn: sqlite3.Connection) -> None:
    assert outcomes(conn, article("第一段", payload="page")) == ["new"]
    better = batch(article("第一段", "第二段", day=1, payload="page"), extractor="rules 2")
    assert [written.outcome for written in writer.write(conn, better)] == ["unchanged"]
    assert row(conn, "state, version_id") == ("live", 1)


def test_after_a_reprocessing_the_same_rules_are_compared(conn: sqlite3.Connection) -> None:
    writer.write(conn, batch(article("旧读法")))
    digest = hashlib.sha256("新读法".encode()).hexdigest()
    conn.execute(
        "INSERT INTO versions (capture_id, extractor, article_id, seen_at, title, text_sha256, chars, replaces)"
        " SELECT capture_id, 'rules 2', article_id, seen_at, title, ?, 3, id FROM versions",
        (digest,),
    )
    same, other = article("新读法", day=1), article("第二段", day=2)
    assert [written.outcome for written in writer.write(conn, batch(same, other, extractor="rules 2"))] == [
        "unchanged",
        "changed",
    ]


def test_a_page_that_goes_and_comes_back_leaves_its_states(conn: sqlite3.Connection) -> None:
    writer.write(conn, batch(article("第一段")))
    gone = capture(day=1, status=404)
    observation = observed(1, "gone", record=gone.record)
    writer.write(conn, batch(captures=(StoredCapture(capture=gone),), observations=(observation,)))
    assert row(conn, "state, last_seen") == ("gone", DAY.format(1))
    moved = observed(2, "redirected", redirect_to="https://lingyang.example/")
    writer.write(conn, batch(observations=(moved, observed(3, "redirected", redirect_to="https://lingyang.example/"))))
    assert row(conn, "state, redirect_to") == ("redirected", "https://lingyang.example/")
    writer.write(conn, batch(article("第一段", day=4), observations=(observed(5, "live"),)))
    assert row(conn, "state, redirect_to, last_seen") == ("live", None, DAY.format(6))
    writer.write(conn, batch(article("第二段", day=6), observations=(observed(7, "blocked"),)))
    assert outcomes(conn, article("第二段", day=8)) == ["unchanged"]
    assert conn.execute("SELECT since, state FROM article_states ORDER BY since").fetchall() == [
        (DAY.format(2), "gone"),
        (DAY.format(3), "redirected"),
        (DAY.format(5), "live"),
        (DAY.format(7), "edited"),
        (DAY.format(8), "blocked"),
        (DAY.format(9), "edited"),
    ]


def test_what_is_older_than_the_last_observation_does_not_change_todays_state(conn: sqlite3.Connection) -> None:
    writer.write(conn, batch(article("新", day=5), observations=(observed(9, "gone"),)))
    assert outcomes(conn, article("旧", day=2)) == ["changed"]
    assert outcomes(conn, article("新", day=7)) == ["unchanged"]
    writer.write(conn, batch(observations=(observed(8, "blocked"),)))
    assert row(conn, "state, first_seen, last_seen") == ("gone", DAY.format(3), DAY.format(8))
    assert text_of_version(conn, row(conn, "version_id")[0]) == "新"


def test_an_older_capture_that_comes_late_tells_of_an_edit(conn: sqlite3.Connection) -> None:
    writer.write(conn, batch(article("新", day=5)))
    assert outcomes(conn, article("旧", day=2)) == ["changed"]
    assert row(conn, "state, first_seen, title, version_id") == ("edited", DAY.format(3), "凌阳县启动防汛演练", 1)
    assert row(conn, "since, state, capture_id", "article_states") == (DAY.format(6), "edited", 1)


def test_an_observation_of_no_article_is_passed_over(conn: sqlite3.Connection) -> None:
    writer.write(conn, batch(observations=(observed(1, "gone"),)))
    assert conn.execute("SELECT count(*) FROM articles").fetchone() == (0,)


def test_a_batch_is_stored_whole_or_not_at_all(conn: sqlite3.Connection) -> None:
    before = contents(conn)
    bad = article("第一段", url="https://lingyang.example/2", published_basis="guess")
    operations = (Queued(portal_id=PORTAL, key=URL, seq=1, url=URL, kind="article"),)
    with pytest.raises(sqlite3.IntegrityError):
        writer.write(conn, batch(article("第一段"), bad, frontier=operations))
    assert contents(conn) == before
    assert not conn.in_transaction


def test_an_article_without_section_keys_is_a_mistake_of_ours(conn: sqlite3.Connection) -> None:
    item = article("第一段")
    [only] = item.article.paragraphs
    raw = replace(item, article=replace(item.article, paragraphs=(replace(only, fold_hash=None),)))
    with pytest.raises(ValueError, match="the stage sections comes before"):
        writer.write(conn, batch(raw))


def test_a_time_without_a_zone_is_refused(conn: sqlite3.Connection) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        writer.write(conn, batch(article("第一段", fetched_at=START.replace(tzinfo=None))))


SIGHTINGS = st.dictionaries(
    st.tuples(st.integers(0, 7), st.sampled_from(["u1", "u2"])), st.sampled_from("甲乙丙"), min_size=1, max_size=10
)


@pytest.fixture(scope="module")
def empty() -> Iterator[sqlite3.Connection]:
    with tempfile.TemporaryDirectory() as folder:
        conn = begin(open_archive(Path(folder) / "archive.db"))
        yield conn
        conn.close()


def sighting(day: int, url: str, text: str) -> Batch:
    return batch(
        article(text, day=day, url=url),
        observations=(observed(day, "gone", url=url),) if day % 3 == 2 else (),
        frontier=(
            Queued(portal_id=PORTAL, key=url, seq=1, url=url, kind="article"),
            Done(portal_id=PORTAL, key=url, record=capture(day=day, url=url).record),
        ),
    )


@given(texts=SIGHTINGS, data=st.data())
def test_in_any_order_neighbouring_versions_differ_and_the_newest_is_shown(
    empty: sqlite3.Connection, texts: dict[tuple[int, str], str], data: st.DataObject
) -> None:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    empty.backup(conn)
    for day, url in data.draw(st.permutations(list(texts))):
        writer.write(conn, sighting(day, url, texts[day, url]))
        once = contents(conn)
        writer.write(conn, sighting(day, url, texts[day, url]))
        assert contents(conn) == once
    for article_id, url, version_id, *seen in conn.execute(
        "SELECT id, url, version_id, first_seen, last_seen FROM articles"
    ):
        versions = conn.execute(
            "SELECT id, text_sha256 FROM versions WHERE article_id = ? ORDER BY seen_at", (article_id,)
        ).fetchall()
        assert all(one[1] != other[1] for one, other in pairwise(versions))
        days = [day for day, other in texts if other == url]
        assert seen == [DAY.format(min(days) + 1), DAY.format(max(days) + 1)]
        assert version_id == versions[-1][0]
        assert text_of_version(conn, version_id) == texts[max(days), url]
    conn.close()


@given(texts=SIGHTINGS)
def test_a_whole_history_a_second_time_changes_nothing(
    empty: sqlite3.Connection, texts: dict[tuple[int, str], str]
) -> None:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    empty.backup(conn)
    batches = [replace(sighting(day, url, texts[day, url]), frontier=()) for day, url in sorted(texts)]
    for one in batches:
        writer.write(conn, one)
    once = contents(conn)
    for one in batches:
        writer.write(conn, one)
    assert contents(conn) == once
    for article_id, url in conn.execute("SELECT id, url FROM articles"):
        shown = [texts[key] for key in sorted(texts) if key[1] == url]
        changes = [text for before, text in pairwise([None, *shown]) if text != before]
        versions = conn.execute("SELECT id FROM versions WHERE article_id = ? ORDER BY seen_at", (article_id,))
        assert [text_of_version(conn, version_id) for (version_id,) in versions] == changes
    conn.close()
