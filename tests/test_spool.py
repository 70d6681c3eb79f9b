"""The spool: what a worker fetched is in the store or on its host, whatever dies and whoever is away."""

import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.archive import writer
from crawler.archive.batch import StoredCapture
from crawler.archive.connection import open_archive
from crawler.records import RecordRef
from crawler.spool import NotNowError, Spool, SpoolError, Uploader, shard_name
from crawler.store import Store, open_store
from crawler.warc.reader import read_record
from crawler.warc.record import record_id
from tests.conftest import ROOT
from tests.support.archive import article, batch, begin, capture
from tests.support.s3 import S3, needs_s3
from tests.support.spooled import end, fill, filling, kill

NAME = shard_name(7, 1, now=datetime(2026, 11, 22, 8, 0, 0, tzinfo=UTC))
OTHER = shard_name(7, 2, now=datetime(2026, 11, 22, 8, 0, 1, tzinfo=UTC))
UPLOAD = """
import sys
from pathlib import Path
from crawler.spool import Spool, Uploader
from crawler.store import open_store
Uploader(Spool(Path(sys.argv[1])), open_store(sys.argv[2]), lambda name: print(name, flush=True)).once()
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "store").mkdir()
    return open_store(str(tmp_path / "store"))


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def test_a_shard_that_ended_is_brought_with_its_files_first_and_leaves_nothing_behind(
    spool: Path, store: Store
) -> None:
    fill(spool, NAME, pages=40, segment_bytes=20_000)
    told: list[str] = []
    assert Uploader(Spool(spool), store, told.append).once()
    assert told == [*store.names("warc/"), f"shards/{NAME}.db"]
    assert len(told) > 3
    assert list(spool.iterdir()) == []
    assert places_that_do_not_hold(store) == []


def test_while_its_process_lives_only_what_is_finished_is_brought_and_nothing_is_deleted(
    spool: Path, store: Store
) -> None:
    with filling(spool, NAME, pages=40, segment_bytes=20_000) as process:
        uploader, told = uploader_of(spool, store)
        assert uploader.once()
        [shard] = Spool(spool).shards()
        finished = [f"warc/{path.name}" for path in shard.segments()]
        assert told == finished == store.names("")
        assert len(list(shard.warc.glob("*.open"))) == 1
        end(process)
        assert uploader.once()
    assert Counter(told).most_common(1)[0][1] == 1
    assert store.names("shards/") == [f"shards/{NAME}.db"]
    assert places_that_do_not_hold(store) == []


def test_what_a_killed_process_left_is_salvaged_and_brought(
    spool: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with filling(spool, NAME, pages=40, segment_bytes=20_000) as process:
        kill(process)
    [shard] = Spool(spool).shards()
    [opened] = shard.warc.glob("*.open")
    with opened.open("ab") as file:
        file.write(b"\x1f\x8b half a record")
    uploader, _ = uploader_of(spool, store)
    assert uploader.once()
    assert "whole records kept" in caplog.text
    assert list(spool.iterdir()) == []
    assert [name for name in store.names("warc/") if name.endswith(".cut")]
    assert places_that_do_not_hold(store) == []
    with closing(rows_of(store, NAME)) as conn:
        assert conn.execute("SELECT count(DISTINCT url), count(*) FROM captures").fetchall() == [(40, 40)]


def test_pages_of_a_full_file_whose_rows_were_not_stored_when_the_kill_came_have_theirs(
    spool: Path, store: Store
) -> None:
    with filling(spool, NAME, pages=4, segment_bytes=1) as process:  # every page fills a file
        kill(process)
    assert Uploader(Spool(spool), store, lambda _: None).once()
    with closing(rows_of(store, NAME)) as conn:
        assert conn.execute("SELECT count(*) FROM captures").fetchone() == (4,)


def test_a_shard_once_finished_keeps_its_bytes_however_often_it_is_looked_at(spool: Path, store: Store) -> None:
    with filling(spool, NAME, pages=4) as process:
        kill(process)
    [shard] = Spool(spool).shards()
    contents = []
    for _ in range(2):
        with shard.claimed() as is_ours:
            assert is_ours
            said = list(shard.finish(store))
        contents.append(shard.db.read_bytes())
    assert said == []
    assert contents[0] == contents[1]


def test_a_shard_that_was_given_no_past_keeps_every_row_of_its_own(spool: Path, store: Store) -> None:
    """Of a robots.txt, too, which nothing points at."""
    with Spool(spool).begin(NAME) as shard, closing(begin(open_archive(shard.db))) as conn:
        robots = capture(url="https://lingyang.example/robots.txt", kind="robots")
        writer.write(conn, batch(article("段落"), captures=(StoredCapture(capture=robots),)))
    assert Uploader(Spool(spool), store, lambda _: None).once()
    with closing(rows_of(store, NAME)) as conn:
        assert conn.execute("SELECT kind FROM captures ORDER BY kind").fetchall() == [("article",), ("robots",)]


def test_a_process_that_died_before_it_opened_anything_leaves_nothing(spool: Path, store: Store) -> None:
    with Spool(spool).begin(NAME):
        assert Uploader(Spool(spool), store, lambda _: None).once()
        assert len(Spool(spool).shards()) == 1
    assert Uploader(Spool(spool), store, lambda _: None).once()
    assert (Spool(spool).shards(), store.names("")) == ([], [])


def test_a_folder_half_deleted_when_the_kill_came_is_not_taken_for_a_shard(spool: Path, store: Store) -> None:
    fill(spool, NAME, pages=4)
    (spool / NAME).rename(spool / f"{NAME}.gone")
    (spool / f"{NAME}.gone" / f"{NAME}.db").unlink()
    assert Spool(spool).shards() == []
    assert Uploader(Spool(spool), store, lambda _: None).once()
    assert (list(spool.iterdir()), store.names("")) == ([], [])


def test_a_shard_belongs_to_one_process(spool: Path) -> None:
    with Spool(spool).begin(NAME), pytest.raises(SpoolError, match="another process"), Spool(spool).begin(NAME):
        pass


@pytest.mark.parametrize("name", ["", "..", "../x", "xianzhi-shard-7-20261122080000-1/..", "archive", f"{NAME}.gone"])
def test_hostile_names_of_shards_are_refused(spool: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a shard's name"), Spool(spool).begin(name):
        pass


def test_what_is_no_shard_stays_where_it_is(spool: Path, store: Store) -> None:
    spool.mkdir()
    (spool / "notes.txt").write_text("mine")
    (spool / "xianzhi-shard-mine").mkdir()
    assert Uploader(Spool(spool), store, lambda _: None).once()
    assert sorted(path.name for path in spool.iterdir()) == ["notes.txt", "xianzhi-shard-mine"]


def test_files_of_two_shards_are_numbered_apart(spool: Path) -> None:
    with Spool(spool).begin(NAME) as one, Spool(spool).begin(OTHER) as other:
        assert (one.first_serial, other.first_serial) == (70000010001, 70000020001)


def test_the_spool_says_how_much_it_holds(spool: Path) -> None:
    assert Spool(spool).bytes() == 0
    fill(spool, NAME, pages=4, page_bytes=50_000)
    assert Spool(spool).bytes() == sum(path.stat().st_size for path in spool.rglob("*") if path.is_file())


def test_what_cannot_be_told_yet_is_not_deleted_and_told_again(spool: Path, store: Store) -> None:
    fill(spool, NAME, pages=4)
    told: list[str] = []

    def tell(name: str) -> None:
        if not told:
            told.append("not now")
            raise NotNowError("PostgreSQL is away")
        told.append(name)

    uploader = Uploader(Spool(spool), store, tell)
    assert not uploader.once()
    assert Spool(spool).shards() != []
    assert uploader.once()
    assert told[1:] == store.names("warc/") + store.names("shards/")
    assert Spool(spool).shards() == []


def test_one_shard_that_cannot_be_brought_is_told_once_and_does_not_hold_up_the_others(
    spool: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    for name in (NAME, OTHER):
        fill(spool, name, pages=4)
    shard = Spool(spool).shards()[0]
    shard.db.write_bytes(b"no database" * 1_000)
    uploader, _ = uploader_of(spool, store)
    assert not uploader.once()
    assert not uploader.once()
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert NAME in errors[0]
    assert store.names("shards/") == [f"shards/{OTHER}.db"]
    assert [shard.name for shard in Spool(spool).shards()] == [NAME]
    assert f"warc/{shard.segments()[0].name}" in store.names("warc/")  # its bytes are safe


def test_another_file_under_a_segment_s_name_stays_here_and_both_digests_are_told(
    spool: Path, store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(spool, NAME, pages=4)
    [segment] = Spool(spool).shards()[0].segments()
    other = tmp_path / "other"
    other.write_bytes(b"other")
    store.put(other, f"warc/{segment.name}")
    uploader, told = uploader_of(spool, store)
    assert not uploader.once()
    assert told == []
    assert segment.exists()
    assert store.sha256(f"warc/{segment.name}") in caplog.text


@needs_s3
@pytest.mark.parametrize("seconds", [1, pytest.param(30, marks=pytest.mark.soak)])
def test_a_store_that_goes_away_in_mid_upload_costs_nothing_and_is_told_once(
    s3: S3, spool: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, seconds: int
) -> None:
    monkeypatch.setattr("crawler.spool.upload.POLL_SECONDS", seconds / 10)
    caplog.set_level(logging.INFO)
    store = open_store(s3.bucket())
    for name in (NAME, OTHER):
        fill(spool, name, pages=20, page_bytes=1_000_000, segment_bytes=11_000_000)
    s3.line.cut_after(15_000_000)  # in the second file, which goes in parts
    uploader, told = uploader_of(spool, store)
    stop = threading.Event()
    thread = threading.Thread(target=uploader.run, args=(stop,))
    thread.start()
    wait_for(lambda: not s3.line.is_open)
    wait_for(lambda: caplog.text.count("not uploaded for now") == 1)
    time.sleep(seconds)
    s3.line.mend()
    wait_for(lambda: Spool(spool).shards() == [])
    stop.set()
    thread.join(30)
    said = [record.getMessage() for record in caplog.records if record.name == "crawler.spool.upload"]
    assert len(said) == 2, said
    assert "answers again" in said[1]
    assert sorted(told) == store.names("")
    assert set(Counter(told).values()) == {1}
    assert places_that_do_not_hold(store) == []


@needs_s3
def test_an_upload_that_was_killed_in_the_middle_is_done_again_and_nothing_is_double(s3: S3, spool: Path) -> None:
    url = s3.bucket()
    store = open_store(url)
    fill(spool, NAME, pages=40, page_bytes=1_000_000, segment_bytes=20_000_000)
    environment = os.environ | s3.environment
    for after in (5_000_000, 25_000_000):
        carried = s3.line.carried
        with subprocess.Popen([sys.executable, "-c", UPLOAD, spool, url], cwd=ROOT, env=environment) as upload:
            wait_for(lambda start=carried, size=after: s3.line.carried > start + size)
            kill(upload)
        assert Spool(spool).shards()[0].segments() != []
    told: list[str] = []
    assert Uploader(Spool(spool), store, told.append).once()
    assert sorted(told) == store.names("")
    assert len(store.names("shards/")) == 1
    assert places_that_do_not_hold(store) == []
    assert list(spool.iterdir()) == []


def test_the_end_does_not_wait_for_a_store_that_is_away(spool: Path, tmp_path: Path) -> None:
    fill(spool, NAME, pages=4)
    stop = threading.Event()
    stop.set()
    assert not Uploader(Spool(spool), open_store(str(tmp_path / "not mounted")), lambda _: None).run(stop)
    assert len(Spool(spool).shards()) == 1


def uploader_of(spool: Path, store: Store) -> tuple[Uploader, list[str]]:
    """An uploader, and what it told."""
    told: list[str] = []
    return Uploader(Spool(spool), store, told.append), told


def rows_of(store: Store, name: str) -> sqlite3.Connection:
    """The shard *name* as a folder's store has it."""
    return sqlite3.connect(f"file:{store.url}/shards/{name}.db?mode=ro", uri=True)


def places_that_do_not_hold(store: Store) -> list[str]:
    """Captures of the store's shards whose records are not where they should be in its WARC files."""
    wrong = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "store.toml").write_text(f'url = "{store.url}"')
        for name in store.names("shards/"):
            shard = store.fetch(name, folder)
            with closing(sqlite3.connect(shard)) as conn:
                assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                for url, *place in conn.execute("SELECT url, warc_file, warc_offset, warc_length FROM captures"):
                    ref = RecordRef(file=place[0], offset=place[1], length=place[2])
                    fields = read_record(folder, ref).fields
                    expected = (url, f"<{record_id(ref.file, ref.offset)}>")
                    if (fields["warc-target-uri"], fields["warc-record-id"]) != expected:
                        wrong.append(f"{url} at {ref}")
    return wrong


def wait_for(holds: Callable[[], bool]) -> None:
    """Wait until it does, a minute at most."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
