"""WARC files that came before their rows: a worker uploads them at once, its shard when its portals have ended."""

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler.archive.merge import merged_names
from crawler.spool import SHARDS_IN_STORE, first_serial, first_serial_beside
from crawler.store import store_behind
from crawler.warc.files import Listed

LONGEST_SHARD = timedelta(days=1)
"""After which the shard of a WARC file in the store should be there, too; if not, its host was lost, perhaps."""


def awaited(conn: sqlite3.Connection, warc: Path, rowless: Mapping[str, Listed]) -> set[str]:
    """Those of *rowless*, WARC files without a row, whose rows a shard has or will have.

    That shard lies in the store that *warc* points to and was not merged, or it is nowhere and the file came less than
    `LONGEST_SHARD` ago. Raises StoreError.
    """
    shard_of = {
        name: serial for name, file in rowless.items() if file.stored_at and (serial := first_serial_beside(name))
    }
    store = store_behind(warc)
    if not shard_of or store is None:
        return set()
    merged = merged_names(conn)
    known = {first_serial(name) for name in merged}
    unmerged = {
        first_serial(name)
        for stored in store.names(SHARDS_IN_STORE)
        if (name := stored.removeprefix(SHARDS_IN_STORE)) not in merged
    }
    latest = datetime.now(UTC) - LONGEST_SHARD
    young = {name for name in shard_of if (at := rowless[name].stored_at) and at > latest}
    return {name for name, serial in shard_of.items() if serial in unmerged or (name in young and serial not in known)}
