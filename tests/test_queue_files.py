"""WARC files that workers read for the archive: what they find is what the archive's own machine finds."""

import json
import shutil
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest

from crawler.queue import parcels
from crawler.queue.errands import RESULTS, TASKS
from crawler.queue.leases import Leases
from crawler.queue.outstanding import Outstanding, WithdrawnError
from crawler.queue.schema import prepare
from crawler.queue.verifying import VerifyingElsewhere
from crawler.store import Store
from crawler.verify.verification import Progress, Result, verify
from tests.support.crawling import Archive
from tests.support.errands import as_worker, do_errands, into_store, jobs, silence
from tests.support.hosts import hosts
from tests.support.verified import changing, two_nights


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return two_nights(tmp_path_factory.mktemp("crawled"))


class Away:
    """An archive whose files are in a store, and a queue."""

    def __init__(self, folder: Path, dsn: str, archive: Archive) -> None:
        shutil.copytree(archive.folder, folder / "archive")
        self.archive = Archive(folder / "archive")
        self.store: Store = into_store(self.archive.warc, folder / "store")
        self.in_store = folder / "store" / "warc"
        self.dsn = dsn
        self.spool = folder / "spool"
        prepare(dsn)

    def outstanding(self) -> Outstanding:
        return Outstanding(self.dsn, queue="xianzhi", store=self.store, kind="verify")

    def verify(self, *, workers: bool = True, restart: bool = False, **options: object) -> Result:
        """On the queue, with workers who have done everything before it is asked for."""
        place = {"db": self.archive.db, "warc": self.archive.warc}
        elsewhere = VerifyingElsewhere(self.outstanding(), restart=restart, **place)
        if workers:
            hand_out = elsewhere.hand_out

            def and_do(*args: object, **more: object) -> object:
                keys = hand_out(*args, **more)  # type: ignore[arg-type]
                do_errands(self.dsn, self.store, self.spool)
                return keys

            elsewhere.hand_out = and_do  # type: ignore[assignment,method-assign]
        return verify(**place, restart=restart, elsewhere=elsewhere, **options)  # type: ignore[arg-type]

    def verify_here(self) -> Result:
        return verify(db=self.archive.db, warc=self.archive.warc, restart=True)

    def files(self) -> list[Path]:
        return sorted(self.in_store.iterdir())

    def harm(self) -> None:
        """Damage to a file, a file that is gone, rows that say something else."""
        damaged, gone = self.files()[:2]
        content = bytearray(damaged.read_bytes())
        content[len(content) // 2] ^= 255
        damaged.write_bytes(content)
        gone.unlink()
        with changing(self.archive) as conn:
            conn.execute("UPDATE captures SET etag = 'other', status = 404 WHERE id = (SELECT min(id) FROM captures)")


@pytest.fixture
def away(tmp_path: Path, dsn: str, crawled: Archive) -> Away:
    return Away(tmp_path, dsn, crawled)


def passing(store: Store) -> list[str]:
    return [*store.names(TASKS), *store.names(RESULTS)]


def test_workers_find_what_the_archives_own_machine_finds(away: Away) -> None:
    sound = away.verify()
    assert sound.findings == ()
    assert sound.counts == away.verify_here().counts
    away.harm()
    found, here = away.verify(), away.verify_here()
    assert set(found.findings) == set(here.findings)
    assert len(here.findings) >= 3
    assert found.counts == here.counts
    assert passing(away.store) == []
    assert jobs(away.dsn) == []
    assert list(away.spool.iterdir()) == []


def test_a_file_at_hand_is_read_here_and_never_travels(away: Away) -> None:
    at_hand, *others = away.files()
    shutil.copy(at_hand, away.archive.warc)
    asked = away.outstanding()
    elsewhere = VerifyingElsewhere(asked, db=away.archive.db, warc=away.archive.warc, restart=False)
    from crawler.archive.connection import open_archive
    from crawler.verify.units import units_of

    with closing(open_archive(away.archive.db, readonly=True)) as conn:
        units = units_of(conn, db=away.archive.db, warc=away.archive.warc)
    keys = elsewhere.hand_out(units, began_at="2026-11-22T09:00:00Z")
    assert keys == {f"file {path.name}" for path in others}


class Interrupted(Exception):  # noqa: N818
    pass


def test_an_interrupted_verification_goes_on_with_what_workers_did_meanwhile(away: Away) -> None:
    def stop_at_the_first_file(now: Progress) -> None:
        if now.bytes:
            raise Interrupted

    with pytest.raises(Interrupted):
        away.verify(on_progress=stop_at_the_first_file)
    assert [state for state, _ in jobs(away.dsn)] == ["succeeded"] * len(away.files()), "taken in is what was noted"
    with pytest.raises(Interrupted):
        away.verify(workers=False, on_progress=stop_at_the_first_file)
    assert away.verify(workers=False).counts == away.verify_here().counts, "nothing was left for workers to do"
    assert passing(away.store) == []


def test_what_an_earlier_verification_left_is_withdrawn(away: Away) -> None:
    earlier = away.outstanding()
    earlier.begin("20261122")
    earlier.hand_out("gone.warc.gz", [{"what": "ever"}])
    assert away.verify(restart=True).findings == ()
    with pytest.raises(WithdrawnError, match="another verify took its place"):
        next(earlier.answers())
    assert passing(away.store) == []
    assert jobs(away.dsn) == []


def test_an_errand_under_which_workers_die_is_done_by_another_or_reported(away: Away) -> None:
    doomed = away.files()[0].name

    async def die(lease: Leases) -> object:
        while (errand := await lease.take_errand()) is not None and errand.file != doomed:
            await lease.give_back(errand.job_id, None, deaths=errand.deaths)
        return errand

    async def bury(lease: Leases) -> list[str]:
        lease._beaten_since -= 60
        return await lease.bury()

    asked = away.outstanding()
    asked.begin("1")
    asked.hand_out(doomed, [{"file": doomed, "sealed": None}])
    for _ in range(3):
        [errand] = as_worker(away.dsn, die)
        assert errand is not None
        with silence(away.dsn):
            [said] = as_worker(away.dsn, bury)
        assert said == [f"the worker of {doomed} is gone; the next free one goes on"]
    [answer] = [(answer.file, answer.path, answer.reason) for answer in asked.answers()]
    assert answer == (doomed, None, "its worker's host does not answer (3 times)")


@pytest.mark.parametrize("lines", [[], [{"findings": [{"kind": "no", "where": "a", "what": "b"}], "counts": {}}], [1]])
def test_a_result_that_is_none_is_told_and_not_believed(away: Away, tmp_path: Path, lines: list[object]) -> None:
    elsewhere = VerifyingElsewhere(away.outstanding(), db=away.archive.db, warc=away.archive.warc, restart=False)
    hand_out = elsewhere.hand_out

    def and_forge(*args: object, **more: object) -> object:
        keys = hand_out(*args, **more)  # type: ignore[arg-type]
        parcels.write(tmp_path / "forged", lines)
        for name in away.store.names(TASKS):
            away.store.put(tmp_path / "forged", name.replace(TASKS, RESULTS))
        do_errands(away.dsn, away.store, away.spool)
        return keys

    elsewhere.hand_out = and_forge  # type: ignore[assignment,method-assign]
    found = verify(db=away.archive.db, warc=away.archive.warc, elsewhere=elsewhere).findings
    assert {finding.kind for finding in found} == {"unchecked"}
    assert len(found) == len(away.files())


def test_a_worker_of_another_version_does_no_errand(away: Away, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = away.outstanding()
    asked.begin("1")
    asked.hand_out("a.warc.gz", [])
    monkeypatch.setattr("crawler.queue.errands.RULES", "xianzhi/0 xianzhi-0")
    with pytest.raises(ValueError, match=r"a.warc.gz is to be read by .*; this worker is xianzhi/0 xianzhi-0"):
        as_worker(away.dsn, Leases.take_errand)
    assert jobs(away.dsn) == [("todo", "a.warc.gz")]


def test_verify_on_the_queue_is_one_command_and_workers_end_cleanly(tmp_path: Path, dsn: str, crawled: Archive) -> None:
    away = Away(tmp_path / "away", dsn, crawled)
    away.harm()
    here = away.verify_here()
    with hosts(tmp_path, dsn, str(tmp_path / "away" / "store")) as farm:
        worker = farm.work("east", "--jobs", "2")
        done = subprocess.run(
            [sys.executable, "-m", "crawler", "verify", "--db", str(away.archive.db), "--queue", dsn, "--json"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert worker.drain() == 0, farm.words
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    found = {(finding["kind"], finding["where"], finding["what"]) for finding in told["findings"]}
    assert found == {tuple(asdict(finding).values()) for finding in here.findings}
    assert told["counts"] == here.counts
    assert list((tmp_path / "east" / "errands").iterdir()) == []
    assert passing(away.store) == []
