"""An archive whose WARC files are in a store: everything that reads them reads the same."""

import os
import shutil
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from crawler.archive import custody
from crawler.archive.connection import open_archive
from crawler.archive.packages import write_cdxj, write_wacz
from crawler.archive.recovery import adopt
from crawler.archive.selection import Selection
from crawler.archive.sink import Sink
from crawler.catalogue import load
from crawler.cli.verify import run_and_mend
from crawler.merging import bring_home
from crawler.reprocess.reprocessing import Options, Reprocessing
from crawler.spool import Spool, shard_name
from crawler.store import Store, open_store, point
from crawler.verify.verification import verify
from crawler.warc.files import WarcError, digest_of, open_for_reading, open_whole
from crawler.warc.reader import read_record
from crawler.warc.record import record_id, warc_date
from tests.support.archive import PORTAL, RUN, begin
from tests.support.crawling import Archive
from tests.support.s3 import S3, needs_s3
from tests.support.spooled import fill
from tests.support.verified import changing, files, findings, kinds, two_nights
from tests.support.warc import exchange


@dataclass(frozen=True)
class Away:
    """An archive, the same one without its WARC files, and the store that has them."""

    before: Archive
    after: Archive
    store: Store


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return two_nights(tmp_path_factory.mktemp("crawled"))


@pytest.fixture(params=["folder", pytest.param("s3", marks=needs_s3)])
def away(request: pytest.FixtureRequest, crawled: Archive, tmp_path: Path) -> Away:
    if request.param == "s3":
        store = open_store(request.getfixturevalue("s3").bucket())
    else:
        (tmp_path / "store").mkdir()
        store = open_store(str(tmp_path / "store"))
    after = Archive(tmp_path / "after")
    shutil.copytree(crawled.folder, after.folder)
    for path in files(after):
        store.put(path, f"warc/{path.name}")
        path.unlink()
    point(after.warc, store)
    return Away(crawled, after, store)


def test_it_is_verified_to_the_byte(away: Away) -> None:
    here, there = (verify(db=each.db, warc=each.warc, jobs=1, restart=True) for each in (away.before, away.after))
    assert there.findings == here.findings == ()
    assert there.counts == here.counts


def test_damage_in_the_store_is_found(away: Away, tmp_path: Path) -> None:
    damaged, lost = (path.name for path in files(away.before)[:2])
    data = bytearray((away.before.warc / damaged).read_bytes())
    data[-40] ^= 1
    (away.after.warc / damaged).write_bytes(data)
    (away.store.fetch(f"warc/{lost}", tmp_path)).unlink()
    assert kinds(findings(away.after)) >= {"changed", "damaged"}


def test_what_is_in_neither_place_is_missing(away: Away, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    point(away.after.warc, open_store(str(tmp_path / "empty")))
    assert kinds(findings(away.after)) == {"missing"}


def test_a_package_for_replay_is_the_same_file(away: Away, tmp_path: Path) -> None:
    for write in (write_wacz, write_cdxj):
        made = []
        for number, each in enumerate((away.before, away.after)):
            out = tmp_path / f"{number}"
            write(each.db, each.warc, out, Selection(), progress=lambda *_: None)
            made.append(out.read_bytes())
        assert made[0] == made[1]


def test_reading_it_again_finds_nothing_new(away: Away) -> None:
    catalogue = load(away.after.folder / "portals.toml")
    counts = [
        Reprocessing(Options(db=each.db, warc=each.warc, jobs=1, dry_run=True), catalogue)().summary.counts
        for each in (away.before, away.after)
    ]
    assert counts[0] == counts[1]
    assert (counts[1].captures > 10, counts[1].failed, counts[1].reread) == (True, 0, 0)


def test_a_manifest_says_the_same_of_a_file_there_as_here(away: Away) -> None:
    for path in files(away.before):
        assert digest_of(away.after.warc, path.name) == digest_of(away.before.warc, path.name)
    with closing(open_archive(away.after.db)) as conn:
        conn.execute("DELETE FROM manifests")
        custody.seal(conn, db=away.after.db, warc=away.after.warc, late=True)
    assert findings(away.after) == []


def test_records_without_a_row_are_adopted_from_there(away: Away) -> None:
    second = files(away.before)[1]
    with closing(open_archive(away.after.db)) as conn:
        conn.execute("PRAGMA foreign_keys = OFF")
        conn.execute("DELETE FROM captures WHERE warc_file = ? AND kind = 'robots'", (second.name,))
        assert adopt(conn, away.after.warc / second.name) == 1


@pytest.mark.parametrize(("stored", "is_revisit"), [("archived", True), ("local", False)])
def test_a_page_that_came_again_is_a_revisit_without_a_look_into_the_store_and_kept_again_where_its_file_was_lost(
    tmp_path: Path, stored: str, is_revisit: bool
) -> None:
    db, warc = tmp_path / "a.db", tmp_path / "warc"
    page = exchange(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000)
    with closing(begin(open_archive(db))) as conn:
        captures = []
        for number in (1, 2):
            sink = Sink(db=db, warc=warc, run_id=RUN, info={}, first_serial=number)
            captures.append(sink.record(page, portal_id=PORTAL, kind="article"))
            sink.add_capture(captures[-1])
            sink.flush()
            sink.close()
            conn.execute("UPDATE captures SET stored = ?", (stored,))
            (warc / captures[0].record.file).unlink(missing_ok=True)
    first, again = captures
    assert again.revisit_of == (first.record if is_revisit else None)
    if is_revisit:
        fields = read_record(warc, again.record).fields
        assert fields["warc-refers-to"] == f"<{record_id(first.record.file, first.record.offset)}>"
        assert fields["warc-refers-to-date"] == warc_date(page.started_at)


def test_what_lies_here_is_read_here(away: Away) -> None:
    [first, *_] = files(away.before)
    (away.after.warc / first.name).write_bytes(b"nearer")
    for opened in (open_for_reading, open_whole):
        with opened(away.after.warc, first.name) as file:
            assert file.read() == b"nearer"


@pytest.mark.parametrize("name", ["../a.db", "/etc/passwd", "..", "", "store.toml/..", "县.warc.gz", ".hidden"])
def test_hostile_names_reach_no_other_object(away: Away, name: str) -> None:
    for read in (open_for_reading, open_whole, digest_of):
        with pytest.raises(WarcError):
            read(away.after.warc, name)


def test_a_file_read_from_end_to_end_leaves_no_copy(
    away: Away, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(copies))
    [first, *_] = files(away.before)
    with open_whole(away.after.warc, first.name) as file:
        assert file.read() == first.read_bytes()
        assert file.name.endswith(first.name)
        assert list(copies.iterdir()) == []


@needs_s3
def test_a_store_that_is_away_is_said_and_nothing_is_called_missing(s3: S3, crawled: Archive, tmp_path: Path) -> None:
    archive = Archive(tmp_path / "after")
    shutil.copytree(crawled.folder, archive.folder)
    point(archive.warc, open_store(s3.bucket()))
    s3.line.cut()
    command = [sys.executable, "-m", "crawler", "verify", "--db", archive.db]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "s3://" in done.stderr


def test_a_workers_file_waits_for_its_shard_and_is_named_where_none_comes_for_a_day(tmp_path: Path) -> None:
    """A night on a queue: WARC files are in the store before their shard, and a host may be lost in between."""
    home, store = Archive(tmp_path / "home"), open_store(str(tmp_path))
    home.warc.mkdir(parents=True)
    point(home.warc, store)
    with closing(begin(open_archive(home.db))) as conn:
        conn.execute("INSERT INTO portal_runs (run_id, portal_id, status) VALUES (?, ?, 'ok')", (RUN, PORTAL))
    for number in (1, 2):
        fill(tmp_path / "spool", shard_name(3, number), pages=2 + number)
    coming, lost = Spool(tmp_path / "spool").shards()
    stored = [segment for shard in (coming, lost) for segment in shard.segments()]
    for segment in stored:
        store.put(segment, f"warc/{segment.name}")
    assert awaited_and_unlisted(home) == (2, 0)
    for segment in stored:
        os.utime(tmp_path / "warc" / segment.name, (0, 0))
    assert awaited_and_unlisted(home) == (0, 3 + 4)
    list(coming.finish(store))
    store.put(coming.db, f"shards/{coming.db.name}")
    assert awaited_and_unlisted(home) == (1, 4)
    _, said = run_and_mend(home.db, home.warc, jobs=1, restart=True, repair=True)
    assert [line for line in said if "had no row" in line] == [
        f"{stored[1].name}: 4 records had no row, and have one now"
    ]
    assert bring_home([], db=home.db, warc=home.warc, store=store).exit_code == 0
    assert awaited_and_unlisted(home) == (0, 0)
    with changing(home) as conn:
        conn.execute("DELETE FROM captures")
    os.utime(tmp_path / "warc" / stored[0].name)
    assert awaited_and_unlisted(home) == (0, 3 + 4)  # its shard is here, and has brought what it had


def awaited_and_unlisted(archive: Archive) -> tuple[int, int]:
    result = verify(db=archive.db, warc=archive.warc, restart=True)
    return result.counts["awaited"], sum(finding.kind == "unlisted" for finding in result.findings)
