"""xianzhi verify finds whatever is not as it was written, and says what to do about it."""

import fcntl
import gzip
import json
import mmap
import os
import shutil
import sqlite3
import subprocess
import sys
import zlib
from functools import partial
from pathlib import Path
from typing import get_args

import brotli
import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from crawler.archive import custody_checks
from crawler.archive.connection import open_archive
from crawler.archive.findings import Finding, Kind, rows_of
from crawler.records import RecordRef
from crawler.verify.files import check_file
from crawler.verify.mending import finish_what_a_crash_left, mend
from crawler.verify.notes import Notes
from crawler.verify.repairs import REPAIRS
from crawler.verify.units import Outcome
from crawler.verify.verification import Progress, verify
from crawler.warc.reader import entries, read_record
from crawler.warc.readers import complaints
from crawler.warc.writer import WarcWriter
from tests.support.crawling import Archive
from tests.support.verified import changing, files, findings, kinds, two_nights
from tests.support.warc import INFO, archived, exchange, write


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """What no test changes."""
    return two_nights(tmp_path_factory.mktemp("written"))


@pytest.fixture
def archive(written: Archive, tmp_path: Path) -> Archive:
    """A copy to do harm to."""
    shutil.copytree(written.folder, tmp_path / "copy")
    return Archive(tmp_path / "copy")


@pytest.fixture
def unsealed(archive: Archive) -> Archive:
    """A copy without manifests, so that everything has to be found by comparison alone."""
    shutil.rmtree(archive.folder / "manifests")
    with changing(archive) as conn:
        conn.execute("DELETE FROM manifests")
    return archive


def xianzhi(archive: Archive, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "crawler", "verify", "--db", str(archive.db), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def place_of(archive: Archive, where: str) -> RecordRef:
    [(file, offset, length)] = archive.query(
        f"SELECT warc_file, warc_offset, warc_length FROM captures WHERE {where} LIMIT 1"
    )
    return RecordRef(file=file, offset=offset, length=length)


# All is well.


def test_nothing_is_found_in_an_archive_as_it_was_written(written: Archive) -> None:
    result = verify(db=written.db, warc=written.warc)
    assert result.findings == ()
    for name in ("captures", "versions", "sections", "manifests"):
        assert result.counts[name] == written.one(f"SELECT count(*) FROM {name}"), name
    assert result.counts["files"] == len(files(written)) == 2
    assert result.counts["bytes"] == result.bytes_now == sum(path.stat().st_size for path in files(written))
    assert not written.db.with_name("a.db.verify").exists()


def test_several_processes_find_what_one_does(archive: Archive) -> None:
    files(archive)[0].unlink()
    with changing(archive) as conn:
        conn.execute("UPDATE sections SET text = text || '某' WHERE id = 3")
    alone = findings(archive)
    assert kinds(alone) == {"missing", "text", "search"}
    assert findings(archive, jobs=2) == alone


def test_an_archive_is_verified_while_it_is_only_readable(written: Archive) -> None:
    before = {path: path.read_bytes() for path in written.folder.rglob("*") if path.is_file()}
    assert findings(written) == []
    assert {path: path.read_bytes() for path in written.folder.rglob("*") if path.is_file()} == before


# Bytes.


@settings(max_examples=60)
@given(data=st.data())
def test_any_byte_that_changes_in_a_sealed_file_is_found(written: Archive, data: st.DataObject) -> None:
    path = files(written)[0]
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    conn = open_archive(written.db, readonly=True)
    folder = written.folder / "harmed"
    folder.mkdir(exist_ok=True)
    (folder / path.name).write_bytes(content)
    try:
        sealed = custody_checks.sealed_files(conn, written.db)[path.name]
        found = check_file(folder, path.name, rows_of=partial(rows_of, conn), sealed=sealed).findings
    finally:
        conn.close()
        shutil.rmtree(folder)
    assert "changed" in kinds(found)
    assert {finding.where.partition(" at byte")[0] for finding in found} == {path.name}


@pytest.mark.parametrize("place", ["begin", "middle", "checksum"])
def test_a_flipped_byte_costs_one_record_and_the_others_are_still_checked(unsealed: Archive, place: str) -> None:
    ref = place_of(unsealed, "kind = 'article' AND status = 200 AND revisit_of IS NULL")
    path = unsealed.warc / ref.file
    content = bytearray(path.read_bytes())
    at = {"begin": ref.offset + 3, "middle": ref.offset + ref.length // 2, "checksum": ref.offset + ref.length - 6}[
        place
    ]
    content[at] ^= 4
    path.write_bytes(content)
    result = verify(db=unsealed.db, warc=unsealed.warc)
    of_records = unsealed.one("SELECT count(*) FROM captures")
    assert "damaged" in kinds(list(result.findings))
    assert all(f"{ref.file} at byte {ref.offset}" in finding.where for finding in result.findings)
    assert result.counts["captures"] >= of_records - 1


@pytest.mark.parametrize("cut", [1, 30, 5_000])
def test_a_file_whose_tail_is_cut_off_is_found(unsealed: Archive, cut: int) -> None:
    path = files(unsealed)[0]
    os.truncate(path, path.stat().st_size - cut)
    assert "damaged" in kinds(findings(unsealed))


def test_a_file_cut_off_between_two_records_is_found_by_its_rows(unsealed: Archive) -> None:
    ref = place_of(unsealed, "id = (SELECT max(id) FROM captures)")
    os.truncate(unsealed.warc / ref.file, ref.offset)
    assert kinds(findings(unsealed)) == {"disagrees"}


def test_a_missing_file_is_named_once_with_what_pointed_into_it(unsealed: Archive) -> None:
    gone = files(unsealed)[0]
    captures = unsealed.one("SELECT count(*) FROM captures WHERE warc_file = ?", gone.name)
    gone.unlink()
    [finding] = findings(unsealed)
    assert (finding.kind, finding.where) == ("missing", gone.name)
    assert f"{captures} captures point into it" in finding.what


@pytest.mark.parametrize("stray", [b"\0", b"stray", b"\x1f\x8b\x08\0\0\0\0\0\0\xffhalf a member"])
def test_bytes_that_belong_to_no_record_are_found(unsealed: Archive, stray: bytes) -> None:
    path = files(unsealed)[1]
    path.write_bytes(path.read_bytes() + stray)
    [finding] = findings(unsealed)
    assert finding.kind == "damaged"
    assert f"the last {len(stray)} bytes are no whole record" in finding.what


def test_a_record_without_a_row_is_listed(unsealed: Archive) -> None:
    ref = place_of(unsealed, "kind = 'robots'")
    with changing(unsealed) as conn:
        conn.execute("DELETE FROM captures WHERE kind = 'robots'")
    found = findings(unsealed)
    assert next(finding.where for finding in found if finding.kind == "unlisted") == f"{ref.file} at byte {ref.offset}"
    assert kinds(found) == {"unlisted", "run"}


def test_a_record_forged_with_all_its_digests_right_does_not_fit_its_row(unsealed: Archive, tmp_path: Path) -> None:
    ref = place_of(unsealed, "kind = 'article' AND status = 200 AND revisit_of IS NULL")
    record = read_record(unsealed.warc, ref)
    forged = record.block.replace("柳溪县".encode(), "溪柳县".encode())
    with WarcWriter(tmp_path / "forged", "liuxi", info=INFO) as writer:
        made = write(writer, exchange(forged, url=record.fields["warc-target-uri"]))
    path = unsealed.warc / ref.file
    content, other = (
        path.read_bytes(),
        (tmp_path / "forged" / made.file).read_bytes()[made.offset : made.offset + made.length],
    )
    path.write_bytes(content[: ref.offset] + other + content[ref.offset + ref.length :])
    found = findings(unsealed)
    assert any("WARC-Record-ID" in finding.what for finding in found)
    assert any(finding.what.startswith("payload:") for finding in found)


def test_a_file_that_only_another_reader_cannot_read_is_told(
    unsealed: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawler.warc.readers._READERS", {"Reader": lambda stream, with_digests: iter([None])})
    found = findings(unsealed)
    assert kinds(found) == {"unreadable"}
    assert all(finding.what.startswith("Reader: finds 1 records where there are") for finding in found)


def test_how_a_portal_packs_its_pages_is_no_damage(tmp_path: Path) -> None:
    page = "柳溪县新闻".encode() * 9_000
    broken = bytearray(gzip.compress(os.urandom(60_000) + page))
    broken[40_000:40_100] = bytes(100)
    bodies = {"br": brotli.compress(page), "gzip": bytes(broken), "deflate": zlib.compress(page)[:50], "zstd": page}
    sent = [
        f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        for coding, body in bodies.items()
    ]
    path = archived(tmp_path, *map(exchange, sent))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        assert list(complaints(data, records=1 + 2 * len(sent), with_digests=True)) == []


# Rows.


@pytest.mark.parametrize(
    "change",
    [
        "url = 'https://elsewhere.example/'",
        "fetched_at = '2020-01-01T00:00:00.000000Z'",
        "fetched_at = 'yesterday'",
        "status = 404",
        "content_type = 'text/plain'",
        "etag = '\"made up\"'",
        "last_modified = 'Thu, 01 Jan 1970 00:00:00 GMT'",
        "payload_sha256 = upper(payload_sha256)",
        "warc_length = warc_length - 1",
        "warc_offset = warc_offset + 1",
        "revisit_of = 1",
        "portal_id = 'other'",
    ],
)
def test_a_changed_capture_is_found(unsealed: Archive, change: str) -> None:
    with changing(unsealed) as conn:
        conn.execute(f"UPDATE captures SET {change} WHERE id = (SELECT max(id) FROM captures WHERE revisit_of IS NULL)")
    found = findings(unsealed)
    assert kinds(found) & {"disagrees", "reference", "article"}, found


@pytest.mark.parametrize("change", ["revisit_of = NULL", "revisit_of = revisit_of + 1", "revisit_of = id"])
def test_a_revisit_that_points_elsewhere_is_found(unsealed: Archive, change: str) -> None:
    with changing(unsealed) as conn:
        conn.execute(
            f"UPDATE captures SET {change} WHERE id = (SELECT max(id) FROM captures WHERE revisit_of IS NOT NULL)"
        )
    assert kinds(findings(unsealed)) & {"revisit", "disagrees"}


HARM = {
    "a section's text": ("UPDATE sections SET text = replace(text, '村', '镇') WHERE id = 4", "text"),
    "a section's key": ("UPDATE sections SET fold_hash = fold_hash + 1 WHERE id = 4", "text"),
    "a section's length": ("UPDATE sections SET chars = 1 WHERE id = 4", "text"),
    "a paragraph of its own": (
        "UPDATE version_sections SET text = '别的' WHERE version_id = 4 AND position = 0",
        "text",
    ),
    "a paragraph gone": ("DELETE FROM version_sections WHERE version_id = 4 AND position = 0", "text"),
    "a version's hash": ("UPDATE versions SET text_sha256 = 'x' WHERE id = 4", "text"),
    "a version's length": ("UPDATE versions SET chars = chars + 1 WHERE id = 4", "text"),
    "a version's time": ("UPDATE versions SET seen_at = '2020-01-01T00:00:00Z' WHERE id = 4", "article"),
    "a span of spam": (
        "INSERT INTO spam_spans VALUES (4, 0, 1, 3, '赌场', 'chain', 1.0, 0)",
        "text",
    ),
    "a title": ("UPDATE articles SET title = '别的题目' WHERE id = 4", "article"),
    "a title, for the index": ("UPDATE articles SET title = '别的题目' WHERE id = 4", "search"),
    "another article's version": ("UPDATE articles SET version_id = 5 WHERE id = 4", "article"),
    "no version": ("UPDATE articles SET version_id = NULL WHERE id = 4", "article"),
    "a state without history": ("UPDATE articles SET state = 'gone' WHERE id = 4", "article"),
    "a history that is gone": ("DELETE FROM article_states WHERE state = 'gone'", "article"),
    "an edit that never was": ("UPDATE articles SET state = 'edited' WHERE id = 7", "article"),
    "a place to go to": ("UPDATE articles SET redirect_to = 'https://x.example/' WHERE id = 4", "article"),
    "a last sight before the first": ("UPDATE articles SET last_seen = '2020-01-01T00:00:00Z' WHERE id = 4", "article"),
    "a capture that is gone": ("DELETE FROM captures WHERE id = 7", "reference"),
    "captures that a run counted": ("DELETE FROM captures WHERE id = 7", "run"),
    "a version that a run counted": ("DELETE FROM versions WHERE id = (SELECT max(id) FROM versions)", "run"),
    "an article that is gone": ("DELETE FROM articles WHERE id = 4", "reference"),
    "a section that nobody has": (
        "INSERT INTO sections (fold_hash, text, chars, first_version_id) VALUES (-7, 'x', 1, 1)",
        "orphan",
    ),
    "a portal that is gone": ("DELETE FROM portals", "reference"),
    "marks of no article": ("INSERT INTO reprint_marks VALUES (999, 1)", "orphan"),
    "the index emptied": ("INSERT INTO articles_fts (articles_fts) VALUES ('delete-all')", "search"),
}


@pytest.mark.parametrize("harm", HARM)
def test_a_changed_row_is_found(unsealed: Archive, harm: str) -> None:
    statement, kind = HARM[harm]
    with changing(unsealed) as conn:
        conn.execute(statement)
    assert kind in kinds(findings(unsealed))


def test_a_database_with_a_damaged_page_is_told_of_and_the_rest_is_verified(unsealed: Archive) -> None:
    [(page,)] = unsealed.query("SELECT rootpage FROM sqlite_master WHERE name = 'sections'")
    [(size,)] = unsealed.query("PRAGMA page_size")
    with unsealed.db.open("rb+") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * 200)
    result = verify(db=unsealed.db, warc=unsealed.warc)
    assert "database" in kinds(list(result.findings))
    assert result.counts["captures"] == unsealed.one("SELECT count(*) FROM captures")


# A crash, and a crawl that goes on.


def reopen(archive: Archive) -> Path:
    path = files(archive)[1]
    return path.rename(path.with_name(f"{path.name}.open"))


def test_a_file_that_a_crash_left_open_is_told_of_and_still_checked(unsealed: Archive) -> None:
    path = reopen(unsealed)
    [finding] = findings(unsealed)
    assert (finding.kind, finding.where) == ("unfinished", path.name.removesuffix(".open"))


def test_a_file_that_is_being_written_may_end_in_half_a_record_and_be_ahead_of_its_rows(unsealed: Archive) -> None:
    path = reopen(unsealed)
    with changing(unsealed) as conn:
        conn.execute("PRAGMA foreign_keys = OFF")
        conn.execute("DELETE FROM captures WHERE id = (SELECT max(id) FROM captures)")
        conn.execute("DELETE FROM article_states")
    with path.open("ab") as file:
        file.write(b"\x1f\x8b\x08half a record")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        assert not kinds(findings(unsealed)) & {"damaged", "unfinished", "unlisted", "unreadable", "disagrees"}


def test_a_file_that_is_being_written_is_still_checked_up_to_there(unsealed: Archive) -> None:
    path = reopen(unsealed)
    ref = place_of(unsealed, f"warc_file = '{path.name.removesuffix('.open')}' AND kind = 'list'")
    with path.open("rb+") as file:
        file.seek(ref.offset + ref.length // 2)
        file.write(b"\0\0\0\0")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "damaged" in kinds(findings(unsealed))


# Going on.


def interrupt(archive: Archive, after: int) -> list[Progress]:
    seen: list[Progress] = []

    def on_progress(now: Progress) -> None:
        seen.append(now)
        if len(seen) == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(db=archive.db, warc=archive.warc, on_progress=on_progress)
    return seen


def go_on(archive: Archive, **options: bool) -> tuple[list[Progress], tuple[Finding, ...]]:
    seen: list[Progress] = []
    result = verify(db=archive.db, warc=archive.warc, on_progress=seen.append, **options)
    return seen, result.findings


def test_an_interrupted_verification_goes_on_where_it_was_and_keeps_what_it_found(unsealed: Archive) -> None:
    with changing(unsealed) as conn:
        conn.execute("UPDATE articles SET state = 'gone' WHERE id = 4")
    whole = findings(unsealed)
    done = interrupt(unsealed, after=9)
    assert done[-1].bytes > 0
    seen, found = go_on(unsealed)
    assert list(found) == whole
    assert len(seen) == seen[-1].units - 9
    assert seen[-1].done == seen[-1].units
    assert seen[-1].bytes < done[-1].bytes + 1


def test_a_file_that_changed_since_is_looked_at_again(unsealed: Archive) -> None:
    interrupt(unsealed, after=9)
    for path in files(unsealed):
        path.write_bytes(path.read_bytes() + b"stray")
    assert "damaged" in kinds(list(go_on(unsealed)[1]))


@pytest.mark.parametrize("spoil", ["restart", "half a line", "other rules"])
def test_it_begins_anew_where_told_to_or_where_what_was_noted_is_of_no_use(unsealed: Archive, spoil: str) -> None:
    interrupt(unsealed, after=9)
    notes = unsealed.db.with_name("a.db.verify")
    lines = notes.read_text(encoding="utf-8").splitlines()
    if spoil == "half a line":
        notes.write_text("\n".join([lines[0], *lines[1:][:3], lines[4][:20]]), encoding="utf-8")
    elif spoil == "other rules":
        notes.write_text("\n".join(['{"software": "another"}', *lines[1:]]), encoding="utf-8")
    seen, found = go_on(unsealed, restart=spoil == "restart")
    assert found == ()
    assert len(seen) == seen[-1].units - (3 if spoil == "half a line" else 0)


@pytest.mark.parametrize("refusal", ["full", "read-only"])
def test_where_nothing_can_be_noted_it_goes_without(tmp_path: Path, refusal: str) -> None:
    noted = tmp_path / "a.db.verify"
    if refusal == "full":
        noted.symlink_to("/dev/full")
    else:
        noted.mkdir()  # can neither be opened nor deleted, as on a read-only disk
    notes = Notes(tmp_path / "a.db", warc=tmp_path)
    notes.begin({"chain": Outcome(key="chain", mark="", findings=[])})
    notes.add(Outcome(key="archive search", mark="", findings=[]))
    notes.close(is_done=True)


# The command.


def test_the_command_says_that_all_is_well(written: Archive) -> None:
    done = xianzhi(written)
    assert done.returncode == 0, done.stderr
    assert "All is whole and agrees." in done.stdout
    assert "2 files" in done.stdout


def test_the_command_says_what_is_wrong_where_and_how_to_repair_it(archive: Archive) -> None:
    path = files(archive)[0]
    path.write_bytes(path.read_bytes()[:-9])
    done = xianzhi(archive)
    assert done.returncode == 1
    assert path.name in done.stdout
    assert REPAIRS["damaged"] in done.stdout
    told = json.loads(xianzhi(archive, "--json").stdout)
    assert told["ok"] is False
    assert {finding["kind"] for finding in told["findings"]} >= {"damaged", "changed"}
    assert all(set(finding) == {"kind", "where", "what", "repair"} for finding in told["findings"])


def test_an_archive_that_cannot_be_used_is_wrong_usage(tmp_path: Path) -> None:
    assert xianzhi(Archive(tmp_path)).returncode == 2


def test_every_kind_of_finding_has_its_repair() -> None:
    assert set(REPAIRS) == set(get_args(Kind))


# Repairs.


def repaired(archive: Archive) -> tuple[list[str], set[str]]:
    said = list(finish_what_a_crash_left(archive.db, archive.warc))
    result, more = mend(verify(db=archive.db, warc=archive.warc), db=archive.db, warc=archive.warc)
    return said + more, kinds(list(result.findings))


def forget_last_capture(archive: Archive) -> None:
    with changing(archive) as conn:
        conn.execute("UPDATE frontier SET capture_id = NULL WHERE capture_id = (SELECT max(id) FROM captures)")
        conn.execute("DELETE FROM article_states WHERE capture_id = (SELECT max(id) FROM captures)")
        conn.execute("DELETE FROM captures WHERE id = (SELECT max(id) FROM captures)")
        conn.execute("UPDATE portal_runs SET fetched = fetched - 1")


def test_repair_finishes_an_open_file_and_gives_its_records_rows(unsealed: Archive) -> None:
    path = reopen(unsealed)
    captures = unsealed.one("SELECT count(*) FROM captures")
    forget_last_capture(unsealed)
    said, left = repaired(unsealed)
    assert "1 of them had no row" in said[0]
    assert not left & {"unfinished", "unlisted", "disagrees"}
    assert not path.exists()
    assert unsealed.one("SELECT count(*) FROM captures") == captures


def test_repair_adopts_records_of_finished_files(unsealed: Archive) -> None:
    forget_last_capture(unsealed)
    assert "unlisted" in kinds(findings(unsealed))
    said, left = repaired(unsealed)
    assert any("1 records had no row" in line for line in said)
    assert not left & {"unlisted", "disagrees", "revisit"}


def test_repair_makes_the_index_anew(unsealed: Archive) -> None:
    with changing(unsealed) as conn:
        conn.execute("INSERT INTO articles_fts (articles_fts) VALUES ('delete-all')")
    assert kinds(findings(unsealed)) == {"search"}
    assert xianzhi(unsealed, "--repair").returncode == 0
    assert findings(unsealed) == []


def test_repair_touches_nothing_that_was_changed(archive: Archive) -> None:
    path = files(archive)[0]
    harmed = path.read_bytes()[:-9]
    path.write_bytes(harmed)
    assert xianzhi(archive, "--repair").returncode == 1
    assert path.read_bytes() == harmed


def test_what_cannot_be_written_is_said_in_a_line(unsealed: Archive) -> None:
    (unsealed.folder / "manifests").write_text("a file in the folder's place")
    done = xianzhi(unsealed, "--repair")
    assert (done.returncode, done.stderr) == (1, f"xianzhi: {unsealed.folder / 'manifests'}: File exists\n")


def test_repair_waits_for_no_run(archive: Archive) -> None:
    with archive.db.with_name("a.db.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = xianzhi(archive, "--repair")
        assert done.returncode == 3
        assert xianzhi(archive).returncode == 0


# What a crash left without rows, more closely.


def test_adopted_revisits_point_at_the_record_that_they_name(written: Archive, archive: Archive) -> None:
    """Chunked originals too, whose digest in the record is over the framing."""
    second = files(archive)[1].name
    rows = (
        "SELECT warc_offset, revisit_of, payload_sha256, status, kind, url FROM captures WHERE warc_file = ? ORDER BY 1"
    )
    before = archive.query(rows, second)
    assert sum(row[1] is not None for row in before) > 8
    with changing(archive) as conn:
        conn.execute("UPDATE frontier SET capture_id = NULL")
        conn.execute("DELETE FROM article_states")
        conn.execute("DELETE FROM captures WHERE warc_file = ? AND revisit_of IS NOT NULL", (second,))
    conn = sqlite3.connect(archive.db, isolation_level=None)
    try:
        from crawler.archive.recovery import adopt

        assert adopt(conn, archive.warc / second) > 8
    finally:
        conn.close()
    assert archive.query(rows, second) == before
    assert {entry.ref.offset for entry in entries(archive.warc / second)} >= {row[0] for row in before}
