"""By which rules all of an archive was read: where today's are others, their differences look like edits of the portal.

A reading that is the same by other rules leaves no trace among the versions. So a reprocessing that came to its end
says so in a file beside the archive; where that is lost, the warning comes once too often.
"""

import contextlib
import sqlite3
from pathlib import Path

from crawler.archive.versions import NUMBER


def note(db: Path, extractor: str) -> None:
    """All of the archive *db* was read by these rules. Where the folder cannot be written, nothing is kept."""
    with contextlib.suppress(OSError):
        _file(db).write_text(f"{extractor}\n", encoding="utf-8")


def warning(conn: sqlite3.Connection, db: Path, extractor: str) -> str | None:
    """What is to be done before a crawl by the rules *extractor*, in words; None where they read the whole archive.

    Looks at the oldest and the newest version only.
    """
    rows = conn.execute(
        "SELECT extractor FROM versions WHERE id IN (SELECT min(id) FROM versions UNION SELECT max(id) FROM versions)"
    )
    others = sorted({rules for (name,) in rows if (rules := name.partition(NUMBER)[0]) != extractor})
    if not others or _noted(db) == extractor:
        return None
    return (
        f"pages of this archive were read by other rules ({', '.join(others)}) than today's ({extractor}): a crawl"
        f" takes their differences for edits of the portals; first run: xianzhi reprocess --db {db}"
    )


def _noted(db: Path) -> str | None:
    try:
        return _file(db).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None


def _file(db: Path) -> Path:
    return db.with_name(f"{db.name}.rules")
