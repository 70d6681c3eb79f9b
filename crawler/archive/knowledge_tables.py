"""Tables of what the archive knows beyond its pages: search, spam, places, reprints, a portal's boilerplate."""

from typing import Any

from crawler.archive.tables import create, one_of

REPRINT_KINDS = ("same", "edited", "excerpt")


def knowledge(db: Any) -> None:
    """Migration 3."""
    _normaliser(db)
    _search(db)
    _spam(db)
    _places(db)
    _reprints(db)
    _boilerplate(db)


def _normaliser(db: Any) -> None:
    """The version of folding by which keys and indexes of this archive were made: one row."""
    create(db, "normaliser", {"id": int, "version": int}, pk="id", checks=('"id" = 1',))
    # All that was written before this table was. A new archive is brought from there to today's like an old one.
    db.execute("INSERT INTO normaliser (id, version) VALUES (1, 1)")


def _search(db: Any) -> None:
    """The full-text index (crawler/archive/search.py). It keeps no text: what is taken out has to be told what it was.

    The text is the first column, because FTS5 spends two bytes a word and article on naming any other one.
    """
    db.execute("CREATE VIRTUAL TABLE articles_fts USING fts5 (body, title, content = '', tokenize = 'ascii')")


def _spam(db: Any) -> None:
    create(
        db,
        "spam_spans",
        {
            "version_id": int,
            "position": int,
            "start": int,
            "end": int,
            "text": str,
            "rule": str,
            "score": float,
            "cut": int,
        },
        pk=("version_id", "position", "start"),
        foreign_keys={"version_id": "versions"},
        checks=('"cut" IN (0, 1)',),
        without_rowid=True,
    )


def _places(db: Any) -> None:
    create(
        db,
        "mentions",
        {"article_id": int, "division_code": str, "count": int},
        pk=("article_id", "division_code"),
        foreign_keys={"article_id": "articles"},
        without_rowid=True,
    )
    db["mentions"].create_index(["division_code", "article_id"])
    db.execute('ALTER TABLE "articles" ADD COLUMN "division_basis" TEXT')


def _reprints(db: Any) -> None:
    create(
        db,
        "reprints",
        {"article_id": int, "other_id": int, "similarity": float, "kind": str},
        pk=("article_id", "other_id"),
        foreign_keys={"article_id": "articles", "other_id": "articles"},
        checks=('"article_id" < "other_id"', one_of("kind", REPRINT_KINDS)),
        without_rowid=True,
    )
    db["reprints"].create_index(["other_id", "article_id"])
    # A band is 64 bits over its number and four slots; candidates share one.
    create(db, "reprint_bands", {"band": int, "article_id": int}, pk=("band", "article_id"), without_rowid=True)
    # Which version of an article was compared; without a row, or with an older one, it is still to be.
    create(db, "reprint_marks", {"article_id": int, "version_id": int}, pk="article_id")


def _boilerplate(db: Any) -> None:
    """Sections counted by portal, as far as they recur; those that are boilerplate since a night."""
    create(
        db,
        "boilerplate",
        {"portal_id": str, "section_id": int, "pages": int, "since": str},
        pk=("portal_id", "section_id"),
        nullable={"since"},
        foreign_keys={"portal_id": "portals", "section_id": "sections"},
        without_rowid=True,
    )
