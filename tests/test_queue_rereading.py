"""Pages that workers read again for the archive: what is written is what the archive's own machine writes."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from crawler.archive.connection import open_archive
from crawler.catalogue import Catalogue, Portal
from crawler.queue import parcels
from crawler.queue.errands import RESULTS, TASKS
from crawler.queue.outstanding import Outstanding
from crawler.queue.rereading import RereadingElsewhere
from crawler.queue.schema import prepare
from crawler.reprocess.changes import Summary
from crawler.reprocess.reprocessing import Options, Reprocessing, Result
from crawler.verify.verification import verify
from tests.support.errands import do_errands, into_store, jobs, read_by_older_rules


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Portal]:
    folder = tmp_path_factory.mktemp("old")
    return folder, read_by_older_rules(folder)


class Away:
    """The archive with its files in a store, and a copy that has them at hand."""

    def __init__(self, folder: Path, dsn: str, old: tuple[Path, Portal]) -> None:
        from_folder, self.portal = old
        self.here, self.folder = folder / "here", folder / "away"
        shutil.copytree(from_folder, self.here)
        shutil.copytree(from_folder, self.folder)
        self.db = self.folder / "archive.db"
        self.store = into_store(self.folder / "warc", folder / "store")
        self.files = len(self.store.names("warc/"))
        self.dsn, self.spool = dsn, folder / "spool"
        prepare(dsn)

    def reprocess_here(self, **options: object) -> Result:
        place = Options(db=self.here / "archive.db", warc=self.here / "warc", **options)  # type: ignore[arg-type]
        return Reprocessing(place, Catalogue(portals=(self.portal,)))()

    def reprocess(
        self,
        *,
        portal: Portal | None = None,
        on_progress: Callable[[Reprocessing, int], None] = lambda *_: None,
        meanwhile: Callable[[Reprocessing], object] | None = None,
        **options: object,
    ) -> Result:
        """With workers who have done everything before it is asked for."""
        outstanding = Outstanding(self.dsn, queue="xianzhi", store=self.store, kind="reprocess")
        elsewhere = RereadingElsewhere(outstanding, self.store)
        hand_out = elsewhere.hand_out

        def and_do(*args: object, **more: object) -> object:
            left = hand_out(*args, **more)  # type: ignore[arg-type]
            (meanwhile or self.work)(run)
            return left

        elsewhere.hand_out = and_do  # type: ignore[assignment,method-assign]
        run = Reprocessing(
            Options(db=self.db, warc=self.folder / "warc", **options),  # type: ignore[arg-type]
            Catalogue(portals=(portal or self.portal,)),
            elsewhere=elsewhere,
            on_progress=lambda done, *_: on_progress(run, done),
        )
        return run()

    def work(self, *_: object) -> list[str]:
        return do_errands(self.dsn, self.store, self.spool)

    def passing(self) -> list[str]:
        return [*self.store.names(TASKS), *self.store.names(RESULTS)]


@pytest.fixture
def away(tmp_path: Path, dsn: str, old: tuple[Path, Portal]) -> Away:
    return Away(tmp_path, dsn, old)


_SEEN = """
    SELECT url, warc_file || warc_offset, extractor, seen_at, title, published, meta_published, source, author, editor,
        text_sha256, chars, {replaced} FROM versions JOIN captures ON captures.id = capture_id
"""
CONTENTS = {
    "versions": _SEEN.format(replaced="(SELECT old.text_sha256 FROM versions AS old WHERE old.id = versions.replaces)"),
    "articles": 'SELECT articles.url, a.title, a.author, a.text_sha256, articles."column", published_basis, division_code,'
    " state, first_seen, last_seen, division_basis FROM articles JOIN versions AS a ON a.id = version_id",
    "states": "SELECT url, since, s.state, capture_id FROM article_states AS s JOIN articles ON id = article_id",
    "mentions": "SELECT url, mentions.division_code, count FROM mentions JOIN articles ON id = article_id",
    "captures": "SELECT id, encoding, encoding_basis FROM captures",
    "sections": "SELECT text, chars FROM sections",
    "text": "SELECT text_sha256, position, role FROM version_sections JOIN versions ON id = version_id",
}


def contents(db: Path) -> dict[str, list[tuple[object, ...]]]:
    """What an archive says, without the ids that it gave."""
    with closing(open_archive(db, readonly=True)) as conn:
        return {name: sorted(conn.execute(sql).fetchall(), key=repr) for name, sql in CONTENTS.items()}


def told(summary: Summary) -> dict[str, object]:
    """What a summary says, examples in any order."""
    fields = {
        name: (changes.changed, changes.filled, changes.emptied, sorted(map(repr, changes.examples)))
        for name, changes in summary.fields.items()
        if changes.changed <= 5
    }
    return {"counts": summary.counts, "fields": fields, "failures": sorted(summary.failures)}


def test_what_workers_read_is_written_as_the_archives_own_machine_writes_it(away: Away) -> None:
    before = contents(away.db)
    dry = away.reprocess(dry_run=True)
    assert contents(away.db) == before
    here, there = away.reprocess_here(), away.reprocess()
    assert told(there.summary) == told(here.summary) == told(dry.summary)
    assert {"text", "author", "kind", "encoding", "column"} <= here.summary.fields.keys()
    assert here.summary.counts.edits == 1
    assert contents(away.db) == contents(away.here / "archive.db")
    assert away.reprocess().summary.counts.reread == 0
    assert not [each for each in verify(db=away.db, warc=away.folder / "warc").findings if each.kind != "run"]
    assert away.passing() == []
    assert jobs(away.dsn) == []
    assert list(away.spool.iterdir()) == []


def test_a_portal_that_is_another_divisions_now_has_its_articles_placed_anew(away: Away) -> None:
    away.portal = replace(away.portal, name="礼泉县人民政府", division="610425")
    assert told(away.reprocess().summary) == told(away.reprocess_here().summary)
    assert contents(away.db) == contents(away.here / "archive.db")


def test_pages_whose_bytes_are_at_hand_only_are_read_here(away: Away) -> None:
    last = away.store.names("warc/")[-1].removeprefix("warc/")
    shutil.copy(away.here / "warc" / last, away.folder / "warc" / last)
    Path(away.store.url, "warc", last).unlink()
    assert told(away.reprocess().summary) == told(away.reprocess_here().summary)
    assert contents(away.db) == contents(away.here / "archive.db")


def test_an_interrupted_one_goes_on_where_it_was(away: Away, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.reprocess.reprocessing.WRITTEN_AT_ONCE", 1)

    def stop_in_the_first_file(run: Reprocessing, done: int) -> None:
        if done == 3:
            run.stop()

    first = away.reprocess(on_progress=stop_in_the_first_file)
    assert not first.is_whole
    rest = away.reprocess()
    assert rest.is_whole
    here = away.reprocess_here()
    assert contents(away.db) == contents(away.here / "archive.db")
    assert rest.summary.counts.reread == here.summary.counts.reread
    assert away.passing() == []
    assert jobs(away.dsn) == []


def test_what_was_read_before_a_crawl_is_not_written_after_it(away: Away) -> None:
    """Another version of the archive's past is another task: what workers made of the old one is thrown away."""
    stopped = away.reprocess(meanwhile=Reprocessing.stop)
    assert not stopped.is_whole
    waiting = dict.fromkeys(file for _, file in jobs(away.dsn))
    assert waiting
    away.work()
    with closing(sqlite3.connect(away.db)) as conn, conn:
        conn.execute("UPDATE articles SET \"column\" = '新栏目' WHERE url LIKE '%_13.html'")
    done: list[str] = []
    away.reprocess(meanwhile=lambda _: done.extend(away.work()))
    assert done == [next(iter(waiting))]
    assert away.passing() == []


def test_a_result_that_is_none_is_told_and_its_pages_are_read_the_next_time(away: Away, tmp_path: Path) -> None:
    parcels.write(tmp_path / "forged", [{"portal_id": "a"}])
    before = contents(away.db)

    def forge(_: Reprocessing) -> None:
        for name in away.store.names(TASKS):
            away.store.put(tmp_path / "forged", name.replace(TASKS, RESULTS))
        away.work()

    forged = away.reprocess(meanwhile=forge)
    assert forged.summary.counts.failed > 0
    assert "no worker could read it" in forged.summary.failures[0]
    assert contents(away.db) == before
    assert away.reprocess().summary.counts.reread == away.reprocess_here().summary.counts.reread
