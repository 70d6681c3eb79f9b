"""Tables of the archive's own conduct: what it keeps from the public, and the manifests that chain its runs."""

from typing import Any

from crawler.archive.tables import create, one_of


def evidence(db: Any) -> None:
    """Migration 4."""
    _withheld(db)
    _manifests(db)
    _media(db)


def _withheld(db: Any) -> None:
    create(
        db,
        "withheld",
        {"article_id": int, "since": str, "reason": str},
        pk="article_id",
        foreign_keys={"article_id": "articles"},
    )
    # What was withheld and given back, for good: the reason of a taken-back decision is gone from `withheld`.
    create(
        db,
        "withheld_log",
        {"id": int, "article_id": int, "at": str, "action": str, "reason": str},
        pk="id",
        nullable={"reason"},
        foreign_keys={"article_id": "articles"},
        checks=(one_of("action", ("withhold", "undo")),),
        autoincrement=True,
    )


def _manifests(db: Any) -> None:
    """The digest of each run's manifest, and of the one before it."""
    create(
        db,
        "manifests",
        {"run_id": str, "made_at": str, "sha256": str, "previous_sha256": str},
        pk="run_id",
        nullable={"previous_sha256"},
        foreign_keys={"run_id": "runs"},
        without_rowid=True,
    )


def _media(db: Any) -> None:
    """Rows that wait for the file at an address; the index is empty where all were fetched."""
    for table in ("attachments", "images"):
        db.execute(f'CREATE INDEX "idx_{table}_waiting" ON "{table}" ("url") WHERE "capture_id" IS NULL')
