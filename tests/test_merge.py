"""Shards of a night, merged in any order and any number of times, make the archive that one machine would have made."""

import itertools
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.archive import afterwards, search, withholding, writer
from crawler.archive.batch import Batch, Fetched, Observation, StoredArticle, StoredCapture
from crawler.archive.connection import ArchiveError, open_archive
from crawler.archive.consistency import check_articles, check_captures, check_orphans, check_references
from crawler.archive.frontier import Done, Queued
from crawler.archive.merge import Merged, merge
from crawler.records import Attachment, Mention, SpamSpan
from tests.support.archive import START, article, batch, begin, capture, paragraph
from tests.support.merging import says, shard

EARLIER = "20231201T000000Z-000001"
PORTALS = ("lingyang", "shuyuan")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = archive(tmp_path / "home.db")
    yield conn
    conn.close()


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        conn = begin(open_archive(path), *PORTALS)
        conn.execute("INSERT INTO runs VALUES (?, '2023-12-01T00:00:00Z', '2023-12-01T01:00:00Z', 'ok')", (EARLIER,))
        conn.close()
        return path.read_bytes()


def archive(path: Path, *batches: Batch) -> sqlite3.Connection:
    path.write_bytes(_empty())
    conn = open_archive(path)
    for each in batches:
        writer.write(conn, each)
    return conn


def url(number: int) -> str:
    return f"https://www.lingyang.example/xw/t{number}.html"


def text(number: int, shown: str) -> str:
    return f"本县第{number}件实事{shown}已经办好，群众都说好。" * 6


def page(number: int, shown: str, *, day: int, **changes: Any) -> Batch:
    """An article page was asked for and read."""
    item = article(
        text(number, shown), f"落款{number}", url=url(number), day=day, title=f"第{number}件{shown}", **changes
    )
    return batch(
        item, frontier=(*asked(number), Done(portal_id="lingyang", key=url(number), record=item.article.capture.record))
    )


def looked_at(number: int, state: Any, *, day: int) -> Batch:
    """A known article was looked at: a 304, or it did not answer with a page."""
    seen = capture(day=day, url=url(number), status={"live": 304, "gone": 404, "redirected": 302}[state], payload="")
    observation = Observation(
        portal_id="lingyang", url=url(number), seen_at=START + timedelta(days=day), state=state, record=seen.record,
        redirect_to="https://elsewhere.example/" if state == "redirected" else None,
    )  # fmt: skip
    done = Done(portal_id="lingyang", key=url(number), record=seen.record)
    return batch(captures=(StoredCapture(capture=seen),), observations=(observation,), frontier=(*asked(number), done))


def asked(number: int) -> tuple[Queued]:
    return (Queued(portal_id="lingyang", key=url(number), seq=number, url=url(number), kind="article"),)


def sound(conn: sqlite3.Connection) -> None:
    for check in (check_references, check_orphans, check_articles, check_captures):
        assert list(check(conn)) == []
    assert search.check(conn) == []


def differences(one: sqlite3.Connection, other: sqlite3.Connection) -> dict[str, Any]:
    left, right = says(one), says(other)
    return {
        table: (sorted(set(rows) - set(right[table])), sorted(set(right[table]) - set(rows)))
        for table, rows in left.items()
        if rows != right[table]
    }


Event = tuple[int, str]
"""An article, and what became of it: what its page shows, or a state."""
TONIGHT = st.dictionaries(st.integers(1, 3), st.sampled_from(["甲", "乙", "丙", "gone", "redirected"]), max_size=3)
"""What one host would see: it looks at an article once a night."""
EVENTS = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from(["甲", "乙", "丙", "live", "gone", "redirected"])),
    min_size=1,
    max_size=9,
)


def batches_of(events: Sequence[Event], *, first_day: int) -> list[Batch]:
    return [
        looked_at(number, what, day=day) if what.isascii() else page(number, what, day=day)
        for day, (number, what) in enumerate(events, first_day)
    ]


def shares(before: Sequence[Event], tonight: Sequence[dict[int, str]]) -> list[list[Event]]:
    """What each host has to tell.

    Two look at one article at most: who died, and who came after. Of what is no article yet nobody says that it is
    gone, nor that it still is of what was gone before.
    """
    last = {number: what for number, what in before if what != "live"}
    articles = {number for number, what in before if not what.isascii()}
    looks = Counter[int]()
    told = []
    for seen in tonight:
        own = [
            (number, what)
            for number, what in seen.items()
            if looks[number] < 2 and (not what.isascii() or (number in articles and last[number] != what))
        ]
        looks.update(number for number, _ in own)
        told.append(own)
    return told


@settings(max_examples=15)
@given(EVENTS, st.tuples(TONIGHT, TONIGHT, TONIGHT), st.permutations([0, 1, 2]), st.booleans())
def test_a_night_on_three_hosts_is_the_night_on_one(
    before: list[Event], tonight: tuple[dict[int, str], ...], order: list[int], finished: bool
) -> None:
    """A portal goes from host to host, as workers die; whatever each of them saw."""
    past = [replace(each, run_id=EARLIER) for each in batches_of(before, first_day=0)]
    pieces = [batches_of(own, first_day=20 + 3 * host) for host, own in enumerate(shares(before, tonight))]
    news = [each for piece in pieces for each in piece]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one, home = archive(folder / "one.db", *past, *news), archive(folder / "home.db", *past)
        afterwards.learn(one)
        shards = [shard(home, folder / f"{n}.db", *piece, finished=finished) for n, piece in enumerate(pieces)]
        for place in [*order, *order]:
            merge(home, shards[place])
        afterwards.learn(home)
        assert differences(one, home) == {}
        sound(home)
        home.close()
        one.close()


def whole_night() -> tuple[list[Batch], list[list[Batch]]]:
    """A past, and three hosts' shares of a night with everything that articles have."""
    slogan = "各级各部门要把群众的冷暖放在心上，把实事办好，把好事办实，不辜负群众的期望。"
    injected = "金鹄体育备用网站_金鹄彩票下载"
    file = capture(day=3, url="https://www.lingyang.example/f/1.pdf", kind="attachment", payload="file")

    def told(number: int, *texts: str, day: int, **fields: Any) -> StoredArticle:
        paragraphs = tuple(paragraph(each, key=each) for each in texts)
        return article(url=url(number), day=day, paragraphs=paragraphs, **fields)

    linked = (Attachment(url=file.url, title="附件"),)
    past = [batch(told(1, text(1, "旧"), slogan, day=0, attachments=linked), told(2, text(2, "旧"), day=0))]
    spam = (SpamSpan(position=0, start=3, end=3 + len(injected), text=injected, rule="chain", score=9.0, cut=True),)
    hosts = [
        [
            batch(told(3, text(3, "新"), slogan, day=1, mentions=(Mention(division_code="610424", count=2),))),
            batch(told(4, f"县里的{injected}消息", slogan, day=1, spam=spam)),
        ],
        [
            batch(told(5, slogan, text(1, "旧"), day=2, division="610424", division_basis="portal")),
            batch(told(1, text(1, "改"), slogan, day=2, attachments=linked, portal_id="lingyang")),
            batch(told(6, text(3, "新"), slogan, day=2, attachments=linked)),
        ],
        [
            batch(
                captures=(StoredCapture(capture=file),),
                media=(Fetched(portal_id="lingyang", url=file.url, kind="attachment", record=file.record),),
            ),
            batch(told(7, text(2, "旧"), day=3)),
        ],
    ]
    return past, hosts


def test_everything_that_an_article_has_comes_home_in_every_order(tmp_path: Path) -> None:
    past, hosts = whole_night()
    one = archive(tmp_path / "one.db", *past, *(each for host in hosts for each in host))
    afterwards.learn(one)
    for order in itertools.permutations(range(3)):
        home = archive(tmp_path / "home.db", *past)
        shards = [shard(home, tmp_path / f"{n}.db", *batches) for n, batches in enumerate(hosts)]
        for place in order:
            merge(home, shards[place])
        afterwards.learn(home)
        assert differences(one, home) == {}
        sound(home)
        home.close()
        for left in (*shards, *tmp_path.glob("home.db*")):
            left.unlink()
    assert says(one)["reprints"]
    assert says(one)["spam_spans"]
    one.close()


def test_ids_that_were_given_stay(home: sqlite3.Connection, tmp_path: Path) -> None:
    for each in (page(1, "甲", day=0), page(2, "甲", day=1)):
        writer.write(home, each)
    tables = ("captures", "articles", "versions", "sections")
    before = {table: home.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    merge(home, shard(home, tmp_path / "1.db", page(3, "乙", day=4), page(1, "乙", day=5)))
    for table in ("captures", "versions", "sections"):
        assert set(before[table]) <= set(home.execute(f"SELECT * FROM {table}"))
    keys = [row[:3] for row in before["articles"]]
    assert home.execute("SELECT id, portal_id, url FROM articles ORDER BY id").fetchall()[:2] == keys


def test_an_article_that_a_killed_worker_had_and_its_successor_asked_for_again_is_there_once(
    home: sqlite3.Connection, tmp_path: Path
) -> None:
    killed = shard(home, tmp_path / "1.db", page(1, "甲", day=1), finished=False)
    successor = shard(home, tmp_path / "2.db", page(1, "甲", day=2))
    for path in (successor, killed):
        merge(home, path)
    assert home.execute("SELECT state, first_seen, last_seen FROM articles").fetchall() == [
        ("live", "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z")
    ]
    assert home.execute("SELECT count(*) FROM versions").fetchone() == (1,)
    assert home.execute("SELECT count(*) FROM captures").fetchone() == (2,)


def test_an_unchanged_answer_to_one_host_tells_that_an_edit_another_one_saw_was_taken_back(
    home: sqlite3.Connection, tmp_path: Path
) -> None:
    writer.write(home, page(1, "甲", day=0))
    edited = shard(home, tmp_path / "1.db", page(1, "乙", day=1))
    unchanged = shard(home, tmp_path / "2.db", looked_at(1, "live", day=2))
    for order in ((edited, unchanged), (unchanged, edited)):
        conn = copy_of(home, tmp_path / f"{order[0].stem}-first.db")
        for path in order:
            merge(conn, path)
        assert [row for (row,) in conn.execute("SELECT title FROM versions ORDER BY seen_at")] == [
            "第1件甲", "第1件乙", "第1件甲",
        ]  # fmt: skip
        assert conn.execute("SELECT title, state FROM articles").fetchall() == [("第1件甲", "edited")]
        sound_but_for_the_index(conn)
        conn.close()


def copy_of(conn: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    conn.execute("VACUUM INTO ?", (str(path),))
    return open_archive(path)


def test_an_article_that_one_host_misses_and_the_next_one_finds_is_there(
    home: sqlite3.Connection, tmp_path: Path
) -> None:
    writer.write(home, page(1, "甲", day=0))
    gone = shard(home, tmp_path / "1.db", looked_at(1, "gone", day=1))
    there = shard(home, tmp_path / "2.db", looked_at(1, "live", day=2))
    for path in (there, gone):
        merge(home, path)
    assert home.execute("SELECT state FROM articles").fetchall() == [("live",)]
    assert home.execute("SELECT since, state FROM article_states ORDER BY since").fetchall() == [
        ("2024-01-02T00:00:00Z", "gone"), ("2024-01-03T00:00:00Z", "live"),
    ]  # fmt: skip


def test_a_withheld_article_stays_withheld_whatever_comes_home(home: sqlite3.Connection, tmp_path: Path) -> None:
    writer.write(home, page(1, "甲", day=0))
    withholding.withhold(home, "1", reason="names a child")
    merge(home, shard(home, tmp_path / "1.db", page(1, "乙", day=2)))
    afterwards.learn(home)
    assert home.execute("SELECT count(*) FROM withheld").fetchone() == (1,)
    assert home.execute("SELECT count(*) FROM articles_fts_docsize").fetchone() == (0,)
    assert home.execute("SELECT count(*) FROM versions").fetchone() == (2,)


def test_a_merge_that_is_interrupted_changes_nothing(home: sqlite3.Connection, tmp_path: Path) -> None:
    writer.write(home, page(1, "甲", day=0))
    path = shard(home, tmp_path / "1.db", *(page(n, "乙", day=n) for n in range(1, 9)))
    before = says(home)
    for calls in (1, 30, 60, 90):
        count = itertools.count(1)
        home.set_progress_handler(lambda calls=calls, count=count: next(count) == calls, 50)
        with pytest.raises((sqlite3.OperationalError, ArchiveError)):
            merge(home, path)
        home.set_progress_handler(None, 0)
        assert says(home) == before
    assert merge(home, path).articles == 7
    sound_but_for_the_index(home)


def sound_but_for_the_index(conn: sqlite3.Connection) -> None:
    afterwards.learn(conn)
    sound(conn)


def test_a_shard_is_not_read_twice_and_one_that_grew_is_merged_again(home: sqlite3.Connection, tmp_path: Path) -> None:
    path = shard(home, tmp_path / "1.db", page(1, "甲", day=0))
    assert merge(home, path) == Merged(name="1.db", captures=1, articles=1, versions=1)
    assert merge(home, path) == Merged(name="1.db", was_known=True)
    conn = open_archive(path)
    writer.write(conn, page(2, "甲", day=1), is_shard=True)
    conn.close()
    assert merge(home, path) == Merged(name="1.db", captures=1, articles=1, versions=1)


def test_a_family_that_a_worker_detected_is_known_at_home_and_one_that_it_doubted_no_more(
    home: sqlite3.Connection, tmp_path: Path
) -> None:
    home.execute("UPDATE portals SET cms = 'dedecms' WHERE id = 'shuyuan'")
    path = shard(home, tmp_path / "1.db", page(1, "甲", day=0), finished=False)
    with sqlite3.connect(path) as conn:
        conn.execute("UPDATE portals SET cms = 'trs' WHERE id = 'lingyang'")
        conn.execute("UPDATE portals SET cms = NULL WHERE id = 'shuyuan'")
    conn.close()
    merge(home, path)
    assert home.execute("SELECT id, cms FROM portals ORDER BY id").fetchall() == [
        ("lingyang", "trs"),
        ("shuyuan", None),
    ]


def test_places_in_the_queue_are_told_apart(home: sqlite3.Connection, tmp_path: Path) -> None:
    for n in (1, 2):
        merge(home, shard(home, tmp_path / f"{n}.db", batch(frontier=asked(1) + asked(n + 1))))
    for place in home.execute("SELECT count(*), count(DISTINCT seq) FROM frontier WHERE state = 'queued'"):
        assert place == (3, 3)


# What is no shard of this archive.


def test_a_shard_of_an_older_schema_is_merged_and_stays_as_it_is(home: sqlite3.Connection, tmp_path: Path) -> None:
    path = shard(home, tmp_path / "1.db", page(1, "甲", day=0))
    with sqlite3.connect(path) as conn:
        for table in ("merged_shards", "reprint_sketches", "reprint_samples", "seeded_articles", "seeded_portals"):
            conn.execute(f"DROP TABLE {table}")
        conn.execute("PRAGMA user_version = 4")
    conn.close()
    before = path.read_bytes()
    assert merge(home, path).articles == 1
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.glob("1.db*")) == ["1.db"]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("PRAGMA user_version = 99", "newer xianzhi"),
        ("PRAGMA application_id = 7", "no shard"),
        ("UPDATE articles SET title = x'00ff'", "another type"),
        ("UPDATE captures SET warc_file = '../../etc/passwd'", "leads elsewhere"),
        ("UPDATE versions SET article_id = 99", "not there"),
        ("CREATE TRIGGER evil AFTER INSERT ON articles BEGIN DELETE FROM articles; END", "triggers"),
        ("ALTER TABLE articles RENAME TO hidden; CREATE VIEW articles AS SELECT * FROM hidden", "another one"),
        ("DELETE FROM version_sections", "another archive's"),
        ("UPDATE captures SET kind = 'bomb'", "tampered"),
        ("UPDATE articles SET version_id = NULL", "no version"),
        ("UPDATE reprint_sketches SET keys = '[1, 2'", "list of numbers"),
        ("UPDATE reprint_sketches SET keys = '[\"1\"]'", "list of numbers"),
        ("UPDATE reprint_samples SET sample = x'00'", "cut off"),
    ],
)
def test_what_is_no_shard_or_was_tampered_with_is_refused_by_name(
    home: sqlite3.Connection, tmp_path: Path, damage: str, words: str
) -> None:
    path = shard(home, tmp_path / "1.db", page(1, "甲", day=0))
    conn = sqlite3.connect(path)
    conn.executescript(f"PRAGMA ignore_check_constraints = ON; {damage}")
    conn.close()
    before = says(home)
    with pytest.raises(ArchiveError, match=words) as error:
        merge(home, path)
    assert str(path) in str(error.value)
    assert says(home) == before
    assert not home.in_transaction


def test_a_file_that_is_cut_off_is_refused(home: sqlite3.Connection, tmp_path: Path) -> None:
    path = shard(home, tmp_path / "1.db", *(page(n, "甲", day=n) for n in range(1, 20)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ArchiveError, match="damaged"):
        merge(home, path)
    path.write_text("nothing of the kind")
    with pytest.raises(ArchiveError, match="no shard"):
        merge(home, path)


def test_the_shard_of_another_archive_is_refused(home: sqlite3.Connection, tmp_path: Path) -> None:
    other = archive(tmp_path / "other.db", page(1, "甲", day=0))
    path = shard(other, tmp_path / "1.db", page(1, "乙", day=2))
    other.close()
    shutil.copy(path, tmp_path / "copy.db")
    with pytest.raises(ArchiveError, match="another archive's"):
        merge(home, path)
    assert home.execute("SELECT count(*) FROM articles").fetchone() == (0,)
