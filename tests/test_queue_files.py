"""WARC files that workers read for the archive: what they find is what the archive's own machine finds."""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from crawler.cli.reprocess import reprocess
from crawler.cli.verify import verify as verify_command
from crawler.queue import parcels
from crawler.queue.bench import Bench
from crawler.queue.errands import RESULTS, TASKS, Errand
from crawler.queue.leases import Leases
from crawler.queue.outstanding import Outstanding, WithdrawnError
from crawler.queue.schema import prepare
from crawler.queue.verifying import VerifyingElsewhere
from crawler.store import Store, open_store, point
from crawler.verify import verification
from crawler.verify.verification import Progress, verify
from tests.support.errands import as_worker, do_errands, into_store, jobs, read_by_older_rules, silence
from tests.support.hosts import hosts, until
from tests.support.s3 import S3, needs_s3
from tests.support.verified import kinds


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crawled")
    read_by_older_rules(folder)
    return folder


class Away:
    """An archive whose files are in a store, and a queue."""

    def __init__(self, folder: Path, dsn: str, archive: Path) -> None:
        shutil.copytree(archive, folder / "archive")
        self.db, self.warc = folder / "archive" / "archive.db", folder / "archive" / "warc"
        self.store: Store = into_store(self.warc, folder / "store")
        self.in_store = folder / "store" / "warc"
        self.dsn = dsn
        self.spool = folder / "spool"
        prepare(dsn)

    def outstanding(self) -> Outstanding:
        return Outstanding(self.dsn, queue="xianzhi", store=self.store, kind="verify")

    def verify(self, *, workers: bool = True, restart: bool = False, **options: object) -> verification.Result:
        """On the queue, with workers who have done everything before it is asked for."""
        place = {"db": self.db, "warc": self.warc}
        elsewhere = VerifyingElsewhere(self.outstanding(), restart=restart, **place)
        if workers:
            hand_out = elsewhere.hand_out

            def and_do(*args: object, **more: object) -> object:
                keys = hand_out(*args, **more)  # type: ignore[arg-type]
                do_errands(self.dsn, self.store, self.spool)
                return keys

            elsewhere.hand_out = and_do  # type: ignore[assignment,method-assign]
        return verify(**place, restart=restart, elsewhere=elsewhere, **options)  # type: ignore[arg-type]

    def verify_here(self) -> verification.Result:
        return verify(db=self.db, warc=self.warc, restart=True)

    def files(self) -> list[Path]:
        return sorted(self.in_store.iterdir())

    def harm(self) -> None:
        """Damage to a file, a file that is gone, rows that say something else."""
        damaged, gone = self.files()[:2]
        content = bytearray(damaged.read_bytes())
        content[len(content) // 2] ^= 255
        damaged.write_bytes(content)
        gone.unlink()
        with closing(sqlite3.connect(self.db)) as conn, conn:
            conn.execute("UPDATE captures SET etag = 'other', status = 404 WHERE id = (SELECT min(id) FROM captures)")


@pytest.fixture
def away(tmp_path: Path, dsn: str, crawled: Path) -> Away:
    return Away(tmp_path, dsn, crawled)


def passing(store: Store) -> list[str]:
    return [*store.names(TASKS), *store.names(RESULTS)]


def test_workers_find_what_the_archives_own_machine_finds(away: Away) -> None:
    sound, here = away.verify(), away.verify_here()
    assert (sound.findings, sound.counts) == (here.findings, here.counts)
    assert "damaged" not in kinds(here.findings)
    away.harm()
    found, here = away.verify(), away.verify_here()
    assert set(found.findings) == set(here.findings)
    assert {"damaged", "missing", "disagrees"} <= kinds(here.findings)
    assert found.counts == here.counts
    assert passing(away.store) == []
    assert jobs(away.dsn) == []
    assert list(away.spool.iterdir()) == []


def test_a_file_at_hand_is_read_here_and_never_travels(away: Away) -> None:
    at_hand, *others = away.files()
    shutil.copy(at_hand, away.warc)
    asked = away.outstanding()
    elsewhere = VerifyingElsewhere(asked, db=away.db, warc=away.warc, restart=False)
    from crawler.archive.connection import open_archive
    from crawler.verify.units import units_of

    with closing(open_archive(away.db, readonly=True)) as conn:
        units = units_of(conn, db=away.db, warc=away.warc)
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
    assert away.verify(restart=True).findings == away.verify_here().findings
    with pytest.raises(WithdrawnError, match="another verify took its place"):
        next(earlier.answers())
    assert passing(away.store) == []
    assert jobs(away.dsn) == []


def test_an_errand_under_which_workers_die_is_done_by_another_or_reported(away: Away) -> None:
    doomed = away.files()[0].name

    async def bury(lease: Leases) -> list[str]:
        lease._beaten_since -= 60
        return await lease.bury()

    async def fail(lease: Leases) -> None:
        errand = await lease.take_errand()
        assert errand is not None
        await lease.give_back(errand, "its process was killed")

    asked = away.outstanding()
    asked.begin("1")
    asked.hand_out(doomed, [{"file": doomed, "sealed": None}])
    as_worker(away.dsn, Leases.take_errand)
    with silence(away.dsn):
        assert as_worker(away.dsn, bury) == [[f"the worker of {doomed} is gone; the next free one goes on"]]
    for _ in range(2):
        as_worker(away.dsn, fail)
        with silence(away.dsn):
            pass
    [answer] = [(answer.file, answer.path, answer.reason) for answer in asked.answers()]
    assert answer == (doomed, None, "its process was killed (3 times)")


@pytest.mark.parametrize("lines", [[], [{"findings": [{"kind": "no", "where": "a", "what": "b"}], "counts": {}}], [1]])
def test_a_result_that_is_none_is_told_and_not_believed(away: Away, tmp_path: Path, lines: list[object]) -> None:
    elsewhere = VerifyingElsewhere(away.outstanding(), db=away.db, warc=away.warc, restart=False)
    hand_out = elsewhere.hand_out

    def and_forge(*args: object, **more: object) -> object:
        keys = hand_out(*args, **more)  # type: ignore[arg-type]
        parcels.write(tmp_path / "forged", lines)
        for name in away.store.names(TASKS):
            away.store.put(tmp_path / "forged", name.replace(TASKS, RESULTS))
        do_errands(away.dsn, away.store, away.spool)
        return keys

    elsewhere.hand_out = and_forge  # type: ignore[assignment,method-assign]
    found = verify(db=away.db, warc=away.warc, elsewhere=elsewhere).findings
    unchecked = [finding.where for finding in found if finding.kind == "unchecked"]
    assert unchecked == [path.name for path in away.files()]


def test_a_worker_of_another_version_does_no_errand(away: Away, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = away.outstanding()
    asked.begin("1")
    name = asked.hand_out("a.warc.gz", [])
    monkeypatch.setattr("crawler.queue.outstanding.RULES", "xianzhi/0 xianzhi-0")
    assert away.outstanding().hand_out("a.warc.gz", []) != name, "nor is what it did taken for ours"
    monkeypatch.setattr("crawler.queue.errands.RULES", "xianzhi/0 xianzhi-0")
    assert as_worker(away.dsn, Leases.take_errand) == [None]
    assert jobs(away.dsn) == [("todo", "a.warc.gz")] * 2


def test_a_process_that_is_killed_costs_an_errand_a_life_and_a_worker_that_ends_none(away: Away) -> None:
    path = away.files()[0]
    path.unlink()
    os.mkfifo(path)  # whoever reads it waits
    asked = away.outstanding()
    asked.begin("1")
    name = asked.hand_out(path.name, [{"file": path.name, "sealed": None}])
    errand = Errand(job_id=1, kind="verify", name=name, file=path.name, holder=1)
    said: list[tuple[str | None, str]] = []

    async def work() -> None:
        bench = Bench(jobs=1, spool=away.spool, store=away.store.url)
        for end in ("killed", "stopped"):
            bench.give(errand, on_done=lambda _: None, on_failure=lambda _, *words: said.append(words))
            assert not bench.has_room
            await asyncio.to_thread(until, (away.spool / "errands" / "1-1" / "warc" / "store.toml").exists)
            if end == "killed":
                [[place, task]] = bench._busy.values()
                os.kill(place._pid, signal.SIGKILL)
                await task
            else:
                await bench.stop()

    asyncio.run(work())
    died = "its process was killed, perhaps for want of memory"
    assert said == [(died, died), (None, "this worker ends")]
    assert list((away.spool / "errands").iterdir()) == []


@needs_s3
def test_an_object_store_serves_as_well_as_a_folder(away: Away, s3: S3) -> None:
    bucket = open_store(s3.bucket())
    for path in away.files():
        bucket.put(path, f"warc/{path.name}")
    here = away.verify_here()
    point(away.warc, bucket)
    away.store = bucket
    there = away.verify()
    assert (there.findings, there.counts) == (here.findings, here.counts)
    assert passing(bucket) == []


def test_both_commands_share_workers_with_nights_and_workers_end_cleanly(
    tmp_path: Path, dsn: str, crawled: Path
) -> None:
    away = Away(tmp_path / "away", dsn, crawled)
    away.harm()
    here = away.verify_here()

    def run(command: click.Command, *options: str) -> Result:
        return CliRunner().invoke(command, ["--db", str(away.db), "--queue", dsn, "--jobs", "1", "--json", *options])

    with hosts(tmp_path, dsn, away.store.url) as farm:
        worker = farm.work("east", "--jobs", "2")
        verified = run(verify_command)
        reread = run(reprocess, "--dry-run")
        assert worker.drain() == 0, farm.words
    assert verified.exit_code == 1, verified.output
    told = json.loads(verified.stdout)
    found = {(finding["kind"], finding["where"], finding["what"]) for finding in told["findings"]}
    assert found == {tuple(asdict(finding).values()) for finding in here.findings}
    assert told["counts"] == here.counts
    assert reread.exit_code == 1, reread.output
    counts = json.loads(reread.stdout)["counts"]
    assert counts["reread"] > 0
    assert counts["failed"] > 0, "a file is gone"
    assert list((tmp_path / "east" / "errands").iterdir()) == []
    assert passing(away.store) == []


def test_a_folder_that_points_to_no_store_or_another_one_is_wrong_usage(crawled: Path, away: Away) -> None:
    nowhere = str(crawled / "archive.db")
    for db, store in ((nowhere, ()), (str(away.db), ("--store", "/elsewhere"))):
        done = CliRunner().invoke(verify_command, ["--db", db, "--queue", away.dsn, *store])
        assert done.exit_code == 2
        assert "points to" in done.output
    assert CliRunner().invoke(verify_command, ["--db", nowhere, "--store", "/elsewhere"]).exit_code == 2
