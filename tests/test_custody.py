"""The chain of custody: each run is sealed, and what was sealed cannot be changed without a trace."""

import hashlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crawler.archive import custody, runs
from crawler.archive.connection import open_archive
from crawler.catalogue import load
from crawler.demo.server import serve
from crawler.fetch.tally import Tally
from tests.support.crawling import Archive, entry, news_site
from tests.support.verified import changing, files, findings, kinds, two_nights


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return two_nights(tmp_path_factory.mktemp("written"))


@pytest.fixture
def archive(written: Archive, tmp_path: Path) -> Archive:
    shutil.copytree(written.folder, tmp_path / "copy")
    return Archive(tmp_path / "copy")


def manifests(archive: Archive) -> list[Path]:
    return sorted((archive.folder / "manifests").glob("*.json"))


def content(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def forge(archive: Archive, path: Path, **changes: Any) -> None:
    """Change a manifest, and its digest in the table, too."""
    before = sha256(path)
    path.write_bytes(custody.canonical(content(path) | changes))
    with changing(archive) as conn:
        conn.execute("UPDATE manifests SET sha256 = ? WHERE sha256 = ?", (sha256(path), before))


# What is sealed.


def test_each_run_has_a_manifest_that_names_the_one_before(written: Archive) -> None:
    first, second = manifests(written)
    rows = written.query("SELECT run_id, sha256, previous_sha256 FROM manifests ORDER BY run_id")
    assert rows == [(first.stem, sha256(first), None), (second.stem, sha256(second), sha256(first))]
    assert content(first)["previous"] is None
    assert content(second)["previous"] == {"run": first.stem, "sha256": sha256(first)}
    runs = written.query("SELECT id, started_at, finished_at, status FROM runs ORDER BY id")
    said = [content(path)["runs"] for path in (first, second)]
    assert [[(run["id"], run["started_at"], run["finished_at"], run["status"]) for run in each] for each in said] == [
        [run] for run in runs
    ]
    assert not any(content(path)["late"] for path in (first, second))


def test_every_file_and_every_row_is_in_one_manifest(written: Archive) -> None:
    said = [content(path) for path in manifests(written)]
    named = {file["name"]: (file["bytes"], file["sha256"]) for manifest in said for file in manifest["files"]}
    assert named == {path.name: (path.stat().st_size, sha256(path)) for path in files(written)}
    for table in custody.COLUMNS:
        spans = [(manifest[table]["from"], manifest[table]["to"]) for manifest in said]
        assert spans[0][0] == 1
        assert spans[1][0] == spans[0][1] + 1
        assert spans[1][1] == written.one(f"SELECT max(id) FROM {table}")


def test_a_manifest_is_canonical_json(written: Archive) -> None:
    for path in manifests(written):
        assert (
            path.read_bytes()
            == json.dumps(content(path), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        )


def test_anybody_with_sqlite_can_compute_the_digest_of_the_rows(archive: Archive) -> None:
    odd = "".join(map(chr, range(1, 128))) + "县\u2028\U00020000"
    with changing(archive) as conn:
        conn.execute("UPDATE versions SET title = ? WHERE id = 2", (odd,))
    for table in custody.COLUMNS:
        span = content(manifests(archive)[0])[table]
        columns = ", ".join(f'"{column}"' for column in span["columns"])
        rows = archive.query(
            f"SELECT json_array({columns}) FROM {table} WHERE id BETWEEN ? AND ? ORDER BY id", span["from"], span["to"]
        )
        lines = "".join(f"{line}\n" for (line,) in rows).encode()
        conn = open_archive(archive.db, readonly=True)
        assert (len(rows), hashlib.sha256(lines).hexdigest()) == custody.rows_digest(
            conn, table, span["from"], span["to"]
        )
        conn.close()


def test_scrapy_itself_seals_its_run(tmp_path: Path) -> None:
    archive, site = Archive(tmp_path), news_site(2)
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        given = {
            "XIANZHI_DB": archive.db,
            "XIANZHI_CATALOGUE": tmp_path / "portals.toml",
            "XIANZHI_ALLOW_NETWORK": "127.0.0.0/8",
        }
        settings = [word for name, value in given.items() for word in ("-s", f"{name}={value}")]
        command = [sys.executable, "-m", "scrapy", "crawl", "generic", "-a", "portal=liuxi", *settings]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    [path] = manifests(archive)
    assert archive.query("SELECT run_id, sha256 FROM manifests") == [(path.stem, sha256(path))]
    assert findings(archive) == []


# Runs that were killed, disks that refuse.


def test_a_killed_run_is_sealed_by_the_next_one_which_says_so(tmp_path: Path) -> None:
    archive, site = Archive(tmp_path), news_site(20)
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        process = archive.start("--delay", "0.05")
        while site.hits.total() < 10:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=10)
        assert manifests(archive) == []
        assert archive.crawl().exit_code == 0
    killed, whole = manifests(archive)
    assert content(killed)["late"]
    assert [run["status"] for run in content(killed)["runs"]] == ["interrupted"]
    assert not content(whole)["late"]
    assert content(whole)["previous"]["sha256"] == sha256(killed)
    assert [file["name"] for path in (killed, whole) for file in content(path)["files"]] == [
        p.name for p in files(archive)
    ]
    assert findings(archive) == []


def seal(archive: Archive, **options: Any) -> custody.Seal | None:
    conn = open_archive(archive.db)
    try:
        return custody.seal(conn, db=archive.db, warc=archive.warc, **options)
    finally:
        conn.close()


def end_another_run(archive: Archive, run_id: str = "20990101T000000.000Z-0000") -> None:
    with changing(archive) as conn:
        conn.execute("INSERT INTO runs VALUES (?, '2099-01-01T00:00:00Z', '2099-01-01T00:00:01Z', 'ok')", (run_id,))


def test_a_night_on_the_queue_is_sealed_once_when_it_is_home_whatever_was_sealed_meanwhile(archive: Archive) -> None:
    portals = load(archive.folder / "portals.toml").portals
    with closing(open_archive(archive.db)) as conn:
        night = runs.begin(conn, portals, is_on_queue=True)
        assert seal(archive, late=True) is None
        end_another_run(archive)
        between = seal(archive, late=True)
        assert between is not None
        assert content(archive.folder / "manifests" / f"{between.run_id}.json")["running"] == [night]
        runs.finish(conn, night, "ok", [(portal.id, "ok", None, Tally()) for portal in portals])
    home = seal(archive)
    assert home is not None
    assert (home.run_id, home.previous_sha256) == (night, between.sha256)
    end_another_run(archive, "20990102T000000.000Z-0000")
    following = seal(archive)
    assert following is not None
    assert [run["id"] for run in content(manifests(archive)[-1])["runs"]] == [following.run_id]
    assert findings(archive) == []


def test_without_a_new_run_nothing_is_sealed(archive: Archive) -> None:
    assert seal(archive) is None
    assert len(manifests(archive)) == 2


def test_a_clock_that_went_back_does_not_break_the_chain(archive: Archive) -> None:
    end_another_run(archive, "19990101T000000.000Z-0000")
    sealed = seal(archive)
    assert sealed is not None
    assert sealed.previous_sha256 == sha256(manifests(archive)[2])
    end_another_run(archive)
    following = seal(archive)
    assert following is not None
    assert following.previous_sha256 == sealed.sha256
    assert findings(archive) == []


def test_what_one_manifest_could_not_cover_the_next_one_does(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[int, str]] = []
    end_another_run(archive)
    conn = open_archive(archive.db)
    with monkeypatch.context() as patch:
        patch.setattr(custody.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        custody.seal_and_say(conn, db=archive.db, warc=archive.warc, say=lambda *words: said.append(words))
    assert said[0][0] == logging.WARNING
    assert kinds(findings(archive)) == {"manifest"}
    end_another_run(archive, "20990102T000000.000Z-0000")
    custody.seal_and_say(conn, db=archive.db, warc=archive.warc, say=lambda *words: said.append(words))
    conn.close()
    assert said[1][0] == logging.INFO
    assert len(content(manifests(archive)[-1])["runs"]) == 2
    assert findings(archive) == []


def test_a_file_that_could_not_be_finished_is_in_the_manifest_after(archive: Archive) -> None:
    with changing(archive) as conn:
        conn.execute("DELETE FROM manifests")
    last = files(archive)[-1]
    opened = last.rename(last.with_name(f"{last.name}.open"))
    first = seal(archive)
    assert first is not None
    said = content(archive.folder / "manifests" / f"{first.run_id}.json")
    assert said["unfinished"] == [last.name]
    opened.rename(last)
    end_another_run(archive)
    second = seal(archive)
    assert second is not None
    assert [file["name"] for file in content(archive.folder / "manifests" / f"{second.run_id}.json")["files"]] == [
        last.name
    ]
    assert findings(archive) == []


def test_a_manifest_of_that_name_which_the_archive_does_not_know_is_kept(archive: Archive) -> None:
    with changing(archive) as conn:
        conn.execute("DELETE FROM manifests WHERE previous_sha256 IS NOT NULL")
    last = manifests(archive)[-1]
    known = last.read_bytes()
    time.sleep(1.1)  # another moment is another manifest
    sealed = seal(archive, late=True)
    assert sealed is not None
    assert sealed.sha256 == sha256(last)
    assert last.with_name(f"{last.name}.before").read_bytes() == known


def test_behind_a_manifest_that_is_lost_the_next_one_is_over_everything(archive: Archive) -> None:
    manifests(archive)[-1].unlink()
    end_another_run(archive)
    sealed = seal(archive)
    assert sealed is not None
    said = content(archive.folder / "manifests" / f"{sealed.run_id}.json")
    assert said["captures"]["from"] == 1
    assert [file["name"] for file in said["files"]] == [path.name for path in files(archive)]
    assert {finding.where for finding in findings(archive)} == {
        f"manifest {archive.query('SELECT id FROM runs')[1][0]}"
    }


# Tampering.


def test_a_whole_forgery_of_bytes_and_rows_is_found_by_the_manifest(archive: Archive) -> None:
    """The newest file taken away with everything that pointed into it: archive and files agree, the seal does not."""
    last = files(archive)[-1]
    last.unlink()
    ours = "(SELECT id FROM captures WHERE warc_file = ?)"
    with changing(archive) as conn:
        for statement in (
            f"UPDATE articles SET version_id = 4, state = 'live' WHERE version_id IN (SELECT id FROM versions WHERE capture_id IN {ours})",
            f"DELETE FROM article_states WHERE capture_id IN {ours}",
            f"DELETE FROM versions WHERE capture_id IN {ours}",
            f"UPDATE frontier SET capture_id = NULL WHERE capture_id IN {ours}",
            "DELETE FROM captures WHERE warc_file = ?",
        ):
            conn.execute(statement, (last.name,))
        run = conn.execute("SELECT max(id) FROM runs").fetchone()[0]
        conn.execute("DELETE FROM portal_runs WHERE run_id = ?", (run,))
    found = findings(archive)
    assert {"missing", "manifest"} <= kinds(found)
    told = [finding.what for finding in found if finding.kind == "manifest"]
    assert any("rows of captures" in what for what in told)
    assert any("rows of versions" in what for what in told)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE captures SET kind = 'other' WHERE id = 9",
        "UPDATE versions SET meta_published = '2014-06-03' WHERE id = 3",
        "UPDATE versions SET extractor = 'other rules' WHERE id = 3",
        "UPDATE runs SET started_at = '2020-01-01T00:00:00Z'",
        "UPDATE runs SET status = 'failed'",
        "UPDATE portal_runs SET fetched = 1",
        "UPDATE portal_runs SET reason = 'made up'",
        "DELETE FROM manifests WHERE previous_sha256 IS NULL",
        "UPDATE manifests SET previous_sha256 = NULL",
        "UPDATE manifests SET previous_sha256 = sha256",
        "UPDATE manifests SET sha256 = lower(hex(randomblob(32)))",
    ],
)
def test_a_change_that_only_the_manifest_shows_is_found(archive: Archive, change: str) -> None:
    with changing(archive) as conn:
        conn.execute(change)
    assert kinds(findings(archive)) == {"manifest"}


def test_what_is_learned_later_breaks_no_seal(archive: Archive) -> None:
    with changing(archive) as conn:
        conn.execute("UPDATE captures SET stored = 'archived', encoding = 'gb18030', encoding_basis = 'learned'")
        conn.execute("UPDATE version_sections SET role = 'heading' WHERE version_id = 2")
    assert findings(archive) == []


def test_a_manifest_that_was_edited_is_found(archive: Archive) -> None:
    path = manifests(archive)[0]
    path.write_bytes(path.read_bytes().replace(b'"late":false', b'"late":true'))
    found = findings(archive)
    assert kinds(found) == {"manifest"}
    assert any("is not the file that was sealed" in finding.what for finding in found)


def test_a_manifest_forged_together_with_the_table_breaks_the_link_behind_it(archive: Archive) -> None:
    forge(archive, manifests(archive)[0], late=True)
    found = findings(archive)
    assert kinds(found) == {"manifest"}
    assert any("as the one before is not there" in finding.what for finding in found)


def test_the_newest_manifest_taken_away_leaves_a_run_without_one(archive: Archive) -> None:
    manifests(archive)[-1].unlink()
    with changing(archive) as conn:
        conn.execute("DELETE FROM manifests WHERE previous_sha256 IS NOT NULL")
    [finding] = findings(archive)
    assert finding.what == "it has ended, and no manifest is over it"


def test_an_archive_from_before_there_were_manifests_is_well(archive: Archive) -> None:
    shutil.rmtree(archive.folder / "manifests")
    with changing(archive) as conn:
        conn.execute("DELETE FROM manifests")
    assert findings(archive) == []
    assert seal(archive) is not None
    assert len(content(manifests(archive)[0])["runs"]) == 2
    assert findings(archive) == []
