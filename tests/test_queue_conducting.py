"""A night from the archive's side: whatever ends it half-way, it ends once, and what was sealed stays as it was."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
import pytest

from crawler.catalogue import Portal
from crawler.fetch.options import Options
from crawler.queue.conducting import Conductor, Enqueued
from crawler.queue.homeward import Homeward
from crawler.queue.nights import Nights
from crawler.queue.schema import prepare
from crawler.store import StoreError, open_store
from tests.support.crawling import Archive, entry
from tests.support.hosts import hosts, until
from tests.support.verified import findings

EAST = Portal(id="east", name="east", division="610000", homepage="https://east.gov.cn/", lists=("https://e.gov.cn/",))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    (tmp_path / "store").mkdir()
    return Archive(tmp_path)


@pytest.fixture
def conducting(archive: Archive, dsn: str) -> Callable[[], Conductor]:
    """Processes of the archive's host, one after the other."""
    prepare(dsn)
    options = Options(db=archive.db, warc=archive.warc)
    store = open_store(str(archive.folder / "store"))
    return lambda: Conductor(options, dsn=dsn, nights=Nights(dsn, queue="xianzhi"), store=store)


def end(dsn: str, enqueued: Enqueued) -> None:
    """What workers say when all is done."""
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE xianzhi.portals SET status = 'ok' WHERE run_id = %s", (enqueued.run_id,))
        conn.execute("UPDATE procrastinate_jobs SET status = 'succeeded'")


def statuses(archive: Archive) -> Sequence[object]:
    return [status for (status,) in archive.query("SELECT status FROM runs ORDER BY rowid")]


def test_a_night_whose_end_was_cut_off_behind_its_seal_is_brought_home_again_and_the_seal_holds(
    archive: Archive, dsn: str, conducting: Callable[[], Conductor]
):
    end(dsn, conducting().enqueue([(EAST,)]))
    assert [result.status for result in conducting().catch_up()] == ["ok"]
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE xianzhi.nights SET ended_at = NULL")
    (archive.folder / "a.db.passing-left").mkdir()
    sealed = archive.query("SELECT * FROM runs")
    time.sleep(1)  # the second that a run ended at is sealed, too
    assert [result.status for result in conducting().catch_up()] == ["ok"]
    assert archive.query("SELECT * FROM runs") == sealed
    assert not list(archive.folder.glob("*.passing-*")), "nor what the killed process was about to merge"
    assert findings(archive) == []


def test_a_night_that_never_came_into_the_queue_or_whose_queue_was_lost_does_not_run_for_ever(
    archive: Archive, dsn: str, conducting: Callable[[], Conductor]
):
    (archive.folder / "store").rename(archive.folder / "away")
    with pytest.raises(StoreError):
        conducting().enqueue([(EAST,)])
    (archive.folder / "away").rename(archive.folder / "store")
    assert conducting().enqueue([(EAST,)]).run_id
    assert statuses(archive) == ["interrupted", "running"]
    with psycopg.connect(dsn) as conn:
        conn.execute("DELETE FROM xianzhi.nights")
        conn.execute("DELETE FROM procrastinate_jobs")
    assert conducting().enqueue([(EAST,)]).run_id
    assert statuses(archive) == ["interrupted", "interrupted", "running"]


def test_a_night_all_of_whose_portals_another_one_took_meanwhile_is_none(
    archive: Archive, dsn: str, conducting: Callable[[], Conductor], monkeypatch: pytest.MonkeyPatch
):
    conducting().enqueue([(EAST,)])
    monkeypatch.setattr(Nights, "free", lambda self, groups: list(groups))  # as it was a moment before
    late = conducting().enqueue([(EAST,)])
    assert (late.run_id, late.refused) == (None, [EAST])
    assert list(conducting().catch_up()) == []


def test_who_waits_for_a_night_that_the_queue_lost_is_told_so_in_words(tmp_path: Path, dsn: str):
    with hosts(tmp_path, dsn) as farm, psycopg.connect(dsn, autocommit=True) as conn:
        farm.archive.write_catalogue(entry("east", "http://127.0.0.1:9"))
        with farm.night() as night:
            until(lambda: conn.execute("SELECT to_regclass('xianzhi.nights')").fetchone() != (None,))
            until(lambda: conn.execute("DELETE FROM xianzhi.nights").rowcount)
            ended = night.end()
    assert ended.exit_code == 1
    assert ended.words.splitlines()[-1].startswith("Error: the queue does not know the night ")
    assert "Traceback" not in ended.words


def test_a_spool_whose_name_was_not_written_to_its_end_gets_another_one(tmp_path: Path, dsn: str):
    homeward = Homeward(dsn, tmp_path / "spool", open_store(str(tmp_path)))
    assert homeward.spool_id() == homeward.spool_id()
    (tmp_path / "spool" / "id").write_bytes(b"")
    assert homeward.spool_id()


def test_a_worker_whose_tables_are_gone_says_so_in_a_line_and_ends(tmp_path: Path, dsn: str):
    with hosts(tmp_path, dsn) as farm:
        worker = farm.work("first")
        with psycopg.connect(dsn, autocommit=True) as conn:
            until(lambda: conn.execute("SELECT to_regclass('procrastinate_workers')").fetchone() != (None,))
            until(lambda: conn.execute("SELECT FROM procrastinate_workers").rowcount)
            conn.execute("DROP SCHEMA public CASCADE")
        assert worker.process.wait(20) == 1
    assert worker.words.splitlines()[-1].startswith("Error: PostgreSQL: ")
    assert "Traceback" not in worker.words
