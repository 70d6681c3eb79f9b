"""What verifying and reprocessing leave to the archive's machine where workers read its WARC files.

    python bench/errands.py [--pages 3000]

The archive is that of `verify`, its files in a folder store; the queue is a PostgreSQL of its own, and a worker is this process.
Seconds are CPU time of this process, in which no other one works; each command runs once alone and once with its work handed out.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from verify import fill

from crawler.archive.connection import open_archive
from crawler.catalogue import Catalogue
from crawler.queue.bench import perform
from crawler.queue.leases import Leases
from crawler.queue.outstanding import Outstanding
from crawler.queue.rereading import RereadingElsewhere
from crawler.queue.schema import prepare
from crawler.queue.verifying import VerifyingElsewhere
from crawler.reprocess import reprocessing
from crawler.store import open_store, point
from crawler.verify.verification import verify
from tests.support.postgres import running


def work(dsn, store, folder):
    """Do all errands; CPU seconds."""

    async def do():
        lease = Leases(dsn, queue="xianzhi", name="bench")
        await lease.register()
        while (errand := await lease.take_errand()) is not None:
            perform(errand, store.url, folder)
            shutil.rmtree(folder, ignore_errors=True)
            await lease.finish(errand)
        await lease.close()

    began = time.process_time()
    asyncio.run(do())
    return time.process_time() - began


class Worked:
    """Hands out, and has it done on the spot, on another clock."""

    def __init__(self, elsewhere, dsn, store, folder):
        self._elsewhere, self._place = elsewhere, (dsn, store, folder)
        self.seconds, self.bytes = 0.0, {}

    def __getattr__(self, name):
        return getattr(self._elsewhere, name)

    def hand_out(self, *args, **options):
        handed = self._elsewhere.hand_out(*args, **options)
        self.seconds = work(*self._place)
        store = self._place[1]
        self.bytes = {kind: sum(each.bytes for each in store.listed(kind)) for kind in ("tasks/", "results/")}
        return handed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=3_000)
    pages = parser.parse_args().pages
    with tempfile.TemporaryDirectory() as name, running() as postgres:
        folder = Path(name)
        db, warc = fill(folder, pages)
        size = sum(path.stat().st_size for path in warc.glob("*.warc.gz"))
        dsn = postgres.database()
        prepare(dsn)

        def verifying(elsewhere=None):
            assert not verify(db=db, warc=warc, elsewhere=elsewhere).findings

        def rereading(elsewhere=None, **of_run):
            options = reprocessing.Options(db=db, warc=warc, restart=True, **of_run)
            result = reprocessing.Reprocessing(options, Catalogue(portals=()), elsewhere=elsewhere)()
            assert (result.summary.counts.failed, result.pages_now) == (0, pages)

        def rewriting(elsewhere=None):
            with closing(open_archive(db)) as conn:  # other rules, so that every page is written
                conn.execute("UPDATE versions SET author = 'other'")
            rereading(elsewhere)

        def dry(elsewhere=None):
            rereading(elsewhere, dry_run=True)

        (folder / "store").mkdir()
        shutil.move(warc, folder / "store" / "warc")
        warc.mkdir()
        store = open_store(str(folder / "store"))
        point(warc, store)
        print(f"{size / 1e6:.0f} MB of WARC files, {pages} pages and {pages // 2} revisits")
        for what in (verifying, dry, rewriting):
            kind = "verify" if what is verifying else "reprocess"
            outstanding = Outstanding(dsn, queue="xianzhi", store=store, kind=kind)
            elsewhere = (
                VerifyingElsewhere(outstanding, db=db, warc=warc, restart=True)
                if what is verifying
                else RereadingElsewhere(outstanding, store)
            )
            began = time.process_time()
            what()
            alone = time.process_time() - began
            worked = Worked(elsewhere, dsn, store, folder / "spool")
            began = time.process_time()
            what(worked)
            here = time.process_time() - began - worked.seconds
            travelled = ", ".join(f"{name} {each / 1e6:.1f} MB" for name, each in worked.bytes.items())
            print(
                f"{what.__name__:10} alone {alone:6.2f} s; here {here:6.2f} s, workers {worked.seconds:6.2f} s; {travelled}"
            )


if __name__ == "__main__":
    main()
