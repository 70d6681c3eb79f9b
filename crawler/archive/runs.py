"""Runs in the archive: what stands in ``divisions``, ``portals``, ``runs`` and ``portal_runs``."""

import json
import secrets
import sqlite3
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Protocol

from crawler import divisions
from crawler.archive.connection import transaction
from crawler.archive.times import to_second
from crawler.catalogue import Portal

ON_QUEUE = "on the queue"
"""The reason of a portal that workers have: its run goes on, whatever is begun or sealed here meanwhile."""


class Counters(Protocol):
    """What one portal brought in one run; in pages, ``new``, ``changed`` and ``unchanged`` in articles."""

    fetched: int
    new: int
    changed: int
    unchanged: int
    gone: int
    failed: int


def begin(conn: sqlite3.Connection, portals: Iterable[Portal], *, is_on_queue: bool = False) -> str:
    """Start a run over *portals* and return its id; what an earlier run left ``running`` was interrupted.

    Only for the holder of the run lock. A portal's row says ``interrupted`` until ``finish`` says otherwise, which is
    what it then has to say after a crash. *is_on_queue*: workers on several hosts do it, and nobody here until
    ``finish``.
    """
    portals = list(portals)
    started = datetime.now(UTC)
    milliseconds = started.isoformat(timespec="milliseconds").removesuffix("+00:00")
    run_id = f"{milliseconds.replace('-', '').replace(':', '')}Z-{secrets.token_hex(2)}"  # ids sort by time
    with transaction(conn):
        load_divisions(conn)
        sync_portals(conn, portals)
        end_killed(conn)
        conn.execute("INSERT INTO runs (id, started_at, status) VALUES (?, ?, 'running')", (run_id, to_second(started)))
        conn.executemany(
            "INSERT INTO portal_runs (run_id, portal_id, status, reason) VALUES (?, ?, 'interrupted', ?)",
            ((run_id, portal.id, ON_QUEUE if is_on_queue else None) for portal in portals),
        )
    return run_id


def enter(conn: sqlite3.Connection, run_id: str, portals: Iterable[Portal]) -> None:
    """Note in a shard that *portals* are crawled here, in a run that was begun elsewhere."""
    portals = list(portals)
    with transaction(conn):
        sync_portals(conn, portals)
        conn.execute(
            "INSERT INTO runs (id, started_at, status) VALUES (?, ?, 'running') ON CONFLICT DO NOTHING",
            (run_id, started_at(run_id)),
        )
        conn.executemany(
            "INSERT INTO portal_runs (run_id, portal_id, status) VALUES (?, ?, 'interrupted') ON CONFLICT DO NOTHING",
            ((run_id, portal.id) for portal in portals),
        )


def started_at(run_id: str) -> str:
    """When a run began, as its id says: ``YYYY-MM-DDThh:mm:ssZ``."""
    return f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:11]}:{run_id[11:13]}:{run_id[13:15]}Z"


def end_killed(conn: sqlite3.Connection) -> None:
    """What an earlier run left ``running`` was interrupted, unless workers have it. For the holder of the run lock."""
    conn.execute(
        "UPDATE runs SET status = 'interrupted'"
        " WHERE status = 'running' AND id NOT IN (SELECT run_id FROM portal_runs WHERE reason = ?)",
        (ON_QUEUE,),
    )


def end_forgotten(conn: sqlite3.Connection, on_queue: Collection[str]) -> None:
    """A run that workers have was interrupted where it is none of those *on_queue*. For the holder of the run lock.

    The store was away while it was begun, its process was killed then, or PostgreSQL is another one now.
    """
    conn.execute(
        "UPDATE runs SET status = 'interrupted'"
        " WHERE status = 'running' AND id IN (SELECT run_id FROM portal_runs WHERE reason = ?)"
        " AND id NOT IN (SELECT value FROM json_each(?))",
        (ON_QUEUE, json.dumps(list(on_queue))),
    )


def finish(
    conn: sqlite3.Connection, run_id: str, status: str, portals: Iterable[tuple[str, str, str | None, Counters]]
) -> None:
    """End a run with *status*; *portals*: id, status, reason, counters of each."""
    with transaction(conn):
        for portal_id, portal_status, reason, counters in portals:
            save_portal(conn, run_id, portal_id, status=portal_status, reason=reason, counters=counters)
        conn.execute(
            "UPDATE runs SET status = ?, finished_at = ? WHERE id = ?", (status, to_second(datetime.now(UTC)), run_id)
        )


def save_portal(
    conn: sqlite3.Connection, run_id: str, portal_id: str, *, status: str, reason: str | None, counters: Counters
) -> None:
    """Set a portal's line in a run; the counters are totals of the run so far."""
    conn.execute(
        "INSERT INTO portal_runs (run_id, portal_id, status, fetched, new, changed, unchanged, gone, failed, reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (run_id, portal_id) DO UPDATE SET status = excluded.status, fetched = excluded.fetched,"
        " new = excluded.new, changed = excluded.changed, unchanged = excluded.unchanged, gone = excluded.gone,"
        " failed = excluded.failed, reason = excluded.reason",
        (
            run_id,
            portal_id,
            status,
            counters.fetched,
            counters.new,
            counters.changed,
            counters.unchanged,
            counters.gone,
            counters.failed,
            reason,
        ),
    )


def sync_portals(conn: sqlite3.Connection, portals: Iterable[Portal]) -> None:
    """Write what the catalogue says of *portals*; the others stay as they are: a catalogue may be a part of it.

    A family that was detected stays where the catalogue names none.
    """
    conn.executemany(
        "INSERT INTO portals (id, name, division_code, homepage, cms, enabled) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name, division_code = excluded.division_code,"
        " homepage = excluded.homepage, cms = coalesce(excluded.cms, cms), enabled = excluded.enabled",
        (
            (portal.id, portal.name, portal.division, portal.homepage, portal.cms, int(portal.enabled))
            for portal in portals
        ),
    )


def family_of(conn: sqlite3.Connection, portal_id: str) -> str | None:
    """The CMS family that the archive knows a portal by; None where there is none."""
    row = conn.execute("SELECT cms FROM portals WHERE id = ?", (portal_id,)).fetchone()
    return row[0] if row else None


def families(conn: sqlite3.Connection) -> dict[str, str]:
    """The families that the archive knows its portals by, by id: the catalogue's and the detected ones."""
    return dict(conn.execute("SELECT id, cms FROM portals WHERE cms IS NOT NULL"))


def remember_family(conn: sqlite3.Connection, portal_id: str, family: str | None) -> None:
    """Let the archive know a portal by a CMS family that was detected, or by none any more. Commits by itself."""
    conn.execute("UPDATE portals SET cms = ? WHERE id = ?", (family, portal_id))


def load_divisions(conn: sqlite3.Connection) -> None:
    """Make ``divisions`` what the shipped table says; nothing is written where it says so already."""
    shipped = [(row.code, row.from_year, row.name, row.level, row.parent_code, row.to_year) for row in divisions.rows()]
    columns = "code, from_year, name, level, parent_code, to_year"
    if set(conn.execute(f"SELECT {columns} FROM divisions")) != set(shipped):  # noqa: S608 - names of ours
        conn.execute("DELETE FROM divisions")
        conn.executemany(f"INSERT INTO divisions ({columns}) VALUES (?, ?, ?, ?, ?, ?)", shipped)  # noqa: S608
