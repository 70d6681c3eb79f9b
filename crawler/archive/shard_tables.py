"""Tables of what travels between an archive and the shards that workers on other hosts write."""

from typing import Any

from crawler.archive.tables import create


def shards(db: Any) -> None:
    """Migration 5."""
    create(
        db,
        "merged_shards",
        {"name": str, "sha256": str, "merged_at": str, "captures": int, "articles": int, "versions": int},
        pk="name",
        without_rowid=True,
    )
    # Sketches that were made where an article was read, and are still to be compared (crawler/archive/reprints.py).
    create(
        db,
        "reprint_sketches",
        {"article_id": int, "version_id": int, "keys": str},
        pk="article_id",
        foreign_keys={"article_id": "articles"},
    )
    # In a shard: what it was given of the past, so that what it found out can be told from it. Empty in an archive.
    create(
        db,
        "seeded_portals",
        {"portal_id": str, "cms": str},
        pk="portal_id",
        nullable={"cms"},
        foreign_keys={"portal_id": "portals"},
        without_rowid=True,
    )
    create(
        db,
        "seeded_articles",
        {"article_id": int, "last_seen": str, "state": str},
        pk="article_id",
        foreign_keys={"article_id": "articles"},
    )


def samples(db: Any) -> None:
    """Migration 6: what most candidates for reprints are told apart by (crawler/archive/sketches.py)."""
    create(
        db,
        "reprint_samples",
        {"article_id": int, "version_id": int, "sample": bytes},
        pk="article_id",
        foreign_keys={"article_id": "articles"},
    )
