"""Tables of what the archive knows beyond its pages: search, spam, places, reprints, a portal's boilerplate."""

from typing import Any, get_args

from crawler.archive.tables import UNREAD_ROLES, create, one_of
from crawler.records import DivisionBasis

REPRINT_KINDS = ("same", "edited", "excerpt")

_TEXT = "coalesce(version_sections.text, sections.text)"
# What stands before the first cut span, and what stands behind each of them; NULL without one.
_UNCUT = f"""
SELECT substr({_TEXT}, 1, min(start)) || group_concat(kept, '') FROM (
    SELECT start, substr(
        {_TEXT}, "end" + 1, coalesce((
            SELECT min(following.start) FROM spam_spans AS following
            WHERE following.version_id = cuts.version_id AND following.position = cuts.position
                AND following.cut AND following.start >= cuts."end"
        ), length({_TEXT})) - "end"
    ) AS kept
    FROM spam_spans AS cuts
    WHERE cuts.version_id = version_sections.version_id AND cuts.position = version_sections.position AND cut
    ORDER BY start
)
"""  # noqa: S608 - constants of ours
ARTICLE_TEXTS = f"""
SELECT articles.id AS article_id, coalesce((
    SELECT group_concat(paragraph, char(10)) FROM (
        SELECT coalesce(({_UNCUT}), {_TEXT}) AS paragraph
        FROM version_sections JOIN sections ON sections.id = version_sections.section_id
        WHERE version_sections.version_id = articles.version_id AND version_sections.role NOT IN {UNREAD_ROLES}
        ORDER BY version_sections.position
    )
), '') AS body
FROM articles
"""  # noqa: S608 - constants of ours


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
    # Versions that were stored before this table was, and are still to be read for spam.
    create(db, "spam_backlog", {"version_id": int}, pk="version_id", foreign_keys={"version_id": "versions"})
    db.execute('INSERT INTO "spam_backlog" SELECT "id" FROM "versions"')
    db["article_texts"].drop()
    db.create_view("article_texts", ARTICLE_TEXTS)


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
    basis = one_of("division_basis", get_args(DivisionBasis))
    db.execute(f'ALTER TABLE "articles" ADD COLUMN "division_basis" TEXT CHECK ({basis})')
    # Those whose places were never looked for: every article of an older archive.
    db.execute('CREATE INDEX "idx_articles_unplaced" ON "articles" ("id") WHERE "division_basis" IS NULL')


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
    # Keys of sketches (crawler/text/shingles.py), bands and anchors: candidates share one.
    create(db, "reprint_bands", {"band": int, "article_id": int}, pk=("band", "article_id"), without_rowid=True)
    # Which version of an article was compared; without a row, or with an older one, it is still to be.
    create(db, "reprint_marks", {"article_id": int, "version_id": int}, pk="article_id")


def _boilerplate(db: Any) -> None:
    """Sections that recur, counted by portal (crawler/archive/boilerplate.py), and what was made of the counts."""
    create(
        db,
        "boilerplate",
        {
            "portal_id": str,
            "section_id": int,
            "head": int,
            "tail": int,
            "first_month": str,
            "last_month": str,
            "edge": str,
            "since": str,
        },
        pk=("portal_id", "section_id"),
        nullable={"edge", "since"},
        foreign_keys={"portal_id": "portals", "section_id": "sections"},
        checks=(one_of("edge", ("head", "tail")),),
        without_rowid=True,
    )
    db.execute('CREATE INDEX "idx_boilerplate_learned" ON "boilerplate" ("portal_id") WHERE "since" IS NOT NULL')
    create(
        db,
        "boilerplate_pages",
        {"portal_id": str, "month": str, "pages": int},
        pk=("portal_id", "month"),
        foreign_keys={"portal_id": "portals"},
        without_rowid=True,
    )
    create(
        db,
        "boilerplate_places",
        {"version_id": int, "position": int, "role": str},
        pk=("version_id", "position"),
        foreign_keys={"version_id": "versions"},
        without_rowid=True,
    )
    # The last version that was counted: one row.
    create(db, "boilerplate_mark", {"id": int, "version_id": int}, pk="id", checks=('"id" = 1',))
    db.execute("INSERT INTO boilerplate_mark (id, version_id) VALUES (1, 0)")
    # Portals of which something was learned or given up; their articles up to the one named agree with it already.
    create(
        db,
        "boilerplate_unsettled",
        {"portal_id": str, "article_id": int},
        pk="portal_id",
        foreign_keys={"portal_id": "portals"},
        without_rowid=True,
    )
