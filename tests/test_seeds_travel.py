"""A seed holds what a crawl asks of a portal's past, and nothing else; a finished shard holds what it has to tell."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler.archive import frontier, health, looks, media, queries, seeds, writer
from crawler.archive.batch import Observation, StoredCapture
from crawler.archive.connection import ArchiveError, open_archive
from crawler.archive.frontier import Done, Queued
from crawler.archive.merge import merge
from crawler.records import Attachment
from tests.support.archive import PORTAL, RUN, START, article, batch, begin, capture
from tests.support.merging import says, shard

HOME = "https://www.lingyang.example/"
PAGE, OTHER = f"{HOME}xw/1.html", f"{HOME}xw/2.html"
TEXT = "凌阳县今天启动了防汛演练，各乡镇都派人参加。" * 20


@pytest.fixture
def home(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An archive with a past: an article with a file, one that is gone, a list page, another portal's article."""
    conn = begin(open_archive(tmp_path / "home.db"), PORTAL, "shuyuan")
    conn.execute("INSERT INTO portal_runs (run_id, portal_id, status) VALUES (?, ?, 'ok')", (RUN, PORTAL))
    conn.execute("INSERT INTO hosts (host, scheme, checked_at) VALUES ('www.lingyang.example', 'https', '2024')")
    conn.execute("INSERT INTO hosts (host, scheme, checked_at) VALUES ('elsewhere.example', 'http', '2024')")
    first = article(TEXT, url=PAGE, etag='"1"', attachments=(Attachment(url=f"{HOME}f.pdf"),))
    second = article(TEXT + "另一篇", url=OTHER, day=1)
    lists = [capture(day=day, url=HOME, kind="list") for day in (0, 1, 2)]
    gone = Observation(portal_id=PORTAL, url=OTHER, seen_at=START.replace(day=5), state="gone")
    writer.write(
        conn,
        batch(
            first,
            second,
            article("别县的消息", url="https://shuyuan.example/1", portal_id="shuyuan"),
            captures=tuple(StoredCapture(capture=own) for own in lists),
            observations=(gone,),
            frontier=(
                *(
                    Queued(portal_id=PORTAL, key=key, seq=n, url=key, kind="article")
                    for n, key in enumerate((PAGE, OTHER))
                ),
                Queued(portal_id=PORTAL, key=HOME, seq=3, url=HOME, kind="list"),
                Done(portal_id=PORTAL, key=PAGE, record=first.article.capture.record),
                Done(portal_id=PORTAL, key=HOME, record=lists[-1].record),
            ),
        ),
    )
    yield conn
    conn.close()


@pytest.fixture
def away(home: sqlite3.Connection, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    seeds.write(home, PORTAL, tmp_path / "seed.db")
    conn = open_archive(tmp_path / "away.db")
    seeds.take_up(conn, tmp_path / "seed.db")
    yield conn
    conn.close()


def answers(conn: sqlite3.Connection) -> dict[str, Any]:
    """What a crawl asks of a portal's past."""
    payload = capture(url=PAGE).payload_sha256
    return {
        "original": queries.find_original(conn, payload, portal_id=PORTAL, url=PAGE),
        "validators": [queries.validators(conn, PORTAL, key) for key in (PAGE, OTHER, HOME)],
        "records": [queries.last_record(conn, PORTAL, key) for key in (PAGE, OTHER, HOME)],
        "due": looks.due(conn, PORTAL, run_id="tonight", everything=True, limit=9),
        "newest": looks.newest(conn, PORTAL, run_id="tonight", limit=9),
        "looked at": looks.looked_at(conn, PORTAL, [PAGE, OTHER]),
        "states": [looks.state_of(conn, PORTAL, key) for key in (PAGE, OTHER)],
        "known": frontier.known(conn, PORTAL, [PAGE, OTHER, HOME, "no"], run_id="tonight"),
        "queued": frontier.next_queued(conn, PORTAL, after_seq=-1, limit=9),
        "files": media.due(conn, PORTAL, "attachment", run_id="tonight", limit=9),
        "standing": health.standing(conn, PORTAL, RUN),
        "seen": health.first_seen_since(conn, PORTAL, START),
    }


def test_a_shard_answers_every_question_of_a_crawl_as_the_archive_does(
    home: sqlite3.Connection, away: sqlite3.Connection
) -> None:
    assert answers(away) == answers(home)
    assert away.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_seed_has_neither_texts_nor_other_portals_nor_old_lists(away: sqlite3.Connection) -> None:
    counts = {
        table: away.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("sections", "version_sections", "articles", "captures", "portals", "hosts")
    }
    assert counts == {"sections": 0, "version_sections": 0, "articles": 2, "captures": 3, "portals": 1, "hosts": 1}


def test_a_shard_s_own_rows_have_ids_that_no_archive_gives(away: sqlite3.Connection) -> None:
    writer.write(away, batch(article("今晚的新闻", url=f"{HOME}xw/3.html", day=9)), is_shard=True)
    for table in ("captures", "articles", "versions", "sections"):
        assert away.execute(f"SELECT max(id) > {seeds.OWN} FROM {table}").fetchone() == (1,)


def test_a_seed_is_taken_up_once_and_beside_others(
    home: sqlite3.Connection, away: sqlite3.Connection, tmp_path: Path
) -> None:
    before = says(away)
    seeds.take_up(away, tmp_path / "seed.db")
    assert says(away) == before
    seeds.write(home, "shuyuan", tmp_path / "other.db")
    seeds.take_up(away, tmp_path / "other.db")
    assert away.execute("SELECT count(*) FROM articles").fetchone() == (3,)


def test_what_is_no_seed_is_refused(away: sqlite3.Connection, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, but long enough to be looked at" * 9)
    with sqlite3.connect(tmp_path / "empty.db") as conn:
        conn.execute("CREATE TABLE portals (id)")
    conn.close()
    for name in ("text.db", "empty.db", "missing.db"):
        with pytest.raises(ArchiveError, match=name):
            seeds.take_up(away, tmp_path / name)


def test_an_unknown_portal_has_no_seed(home: sqlite3.Connection, tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="nowhere"):
        seeds.write(home, "nowhere", tmp_path / "seed.db")


def test_a_finished_shard_tells_what_it_found_out_and_nothing_that_it_was_given(
    home: sqlite3.Connection, tmp_path: Path
) -> None:
    home.execute("UPDATE runs SET status = 'ok'")
    path = shard(
        home,
        tmp_path / "1.db",
        batch(article(TEXT + "今晚改过", url=PAGE, day=9), article("今晚的新闻", url=f"{HOME}xw/3.html", day=9)),
    )
    with sqlite3.connect(path) as conn:
        assert conn.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert conn.execute("SELECT url FROM articles ORDER BY url").fetchall() == [(PAGE,), (f"{HOME}xw/3.html",)]
        assert conn.execute("SELECT count(*) FROM reprint_sketches").fetchone() == (2,)
        assert conn.execute("SELECT count(*) FROM reprint_samples").fetchone() == (2,)
        assert conn.execute("SELECT count(*) FROM captures").fetchone() == (3,)  # the article's earlier page, too
        assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
    conn.close()
    assert not list(tmp_path.glob("1.db-*"))
    assert merge(home, path).versions == 2


PAST_RUN = "20230101T000000000Z-past"


@pytest.mark.parametrize("status", ["ok", "running"])
def test_a_past_of_ten_thousand_pages_does_not_travel_back(
    home: sqlite3.Connection, tmp_path: Path, status: str
) -> None:
    home.execute("INSERT INTO runs VALUES (?, '2023-01-01T00:00:00Z', NULL, ?)", (PAST_RUN, status))
    home.execute("UPDATE frontier SET run_id = ?", (PAST_RUN,))
    give_a_past(home, 10_000)
    tonight = article("今晚的新闻", url=f"{HOME}xw/3.html", day=9)
    done = (
        Queued(portal_id=PORTAL, key=tonight.url, seq=9, url=tonight.url, kind="article"),
        Done(portal_id=PORTAL, key=tonight.url, record=tonight.article.capture.record),
    )
    path = shard(home, tmp_path / "1.db", batch(tonight, frontier=done))
    with sqlite3.connect(path) as conn:
        for table in ("articles", "versions", "captures", "frontier"):
            assert conn.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,), table
    conn.close()
    assert path.stat().st_size < 1_000_000
    assert merge(home, path).articles == 1


def give_a_past(conn: sqlite3.Connection, pages: int) -> None:
    """As many more articles of the portal, fetched and read once."""
    past = [{"id": 1_000 + n, "url": f"{HOME}old/{n}.html", "portal": PORTAL, "run": PAST_RUN} for n in range(pages)]
    conn.execute("BEGIN")
    for statement in _PAST:
        conn.executemany(statement, past)
    conn.execute("COMMIT")


_PAST = (
    """
    INSERT INTO captures (id, warc_file, warc_offset, warc_length, run_id, portal_id, kind, url, fetched_at, status,
        payload_sha256)
    VALUES (:id, 'xianzhi-' || :portal || '-20230101000000-1.warc.gz', :id, 9, :run, :portal, 'article', :url,
        '2023-01-01T00:00:00Z', 200, hex(:id))
    """,
    """
    INSERT INTO articles (id, portal_id, url, chars, state, first_seen, last_seen)
    VALUES (:id, :portal, :url, 9, 'live', '2023-01-01T00:00:00Z', '2023-01-01T00:00:00Z')
    """,
    """
    INSERT INTO versions (id, article_id, capture_id, extractor, seen_at, text_sha256, chars)
    VALUES (:id, :id, :id, '1', '2023-01-01T00:00:00Z', hex(:id), 9)
    """,
    "UPDATE articles SET version_id = id WHERE id = :id",
    """
    INSERT INTO frontier (portal_id, key, seq, url, kind, state, run_id, capture_id, updated_at)
    VALUES (:portal, :url, :id, :url, 'article', 'done', :run, :id, '2023-01-01T00:00:00Z')
    """,
)


def test_a_shard_in_which_nothing_happened_is_empty(home: sqlite3.Connection, tmp_path: Path) -> None:
    path = shard(home, tmp_path / "1.db")
    with sqlite3.connect(path) as conn:
        assert conn.execute("SELECT count(*) FROM articles").fetchone() == (0,)
    conn.close()
    before = says(home)
    merge(home, path)
    assert says(home) == before
