"""Which portals print injected advertisements, since when, and whether they still do: from ``spam_spans``."""

import sqlite3
from dataclasses import dataclass

HONEST = ("report", "repeat")
"""Rules of spans that are no defacement: news that tells of such things, and what an article prints twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defacement:
    """A portal with injected advertisements."""

    portal_id: str
    name: str
    articles: int
    """In which something was injected at some time."""
    certain: int
    """Of these, where it was sure enough to be cut; the others are suspected."""
    still: int
    """Of these, whose newest version has it."""
    first_seen: str
    """UTC."""
    last_seen: str
    """UTC; where the newest version has it, when that was last looked at."""
    example: str
    """The surest run, the newest of these."""
    rule: str
    url: str
    """Of the example."""


def defacements(conn: sqlite3.Connection) -> list[Defacement]:
    """Every portal with injected advertisements, those with the most certain articles first."""
    rows = conn.execute(_DEFACEMENTS)
    names = [column[0] for column in rows.description]
    return [Defacement(**dict(zip(names, row, strict=True))) for row in rows]


_DEFACEMENTS = f"""
WITH found AS (
    SELECT portal_id, articles.id AS article_id, url, spam_spans.text, rule, score, cut, seen_at,
        articles.version_id = versions.id AS is_newest,
        iif(articles.version_id = versions.id, last_seen, seen_at) AS until
    FROM spam_spans JOIN versions ON versions.id = spam_spans.version_id JOIN articles ON articles.id = article_id
    WHERE rule NOT IN {HONEST}
),
surest AS (
    SELECT *, row_number() OVER (
        PARTITION BY portal_id ORDER BY cut DESC, score DESC, seen_at DESC, article_id
    ) AS place FROM found
)
SELECT portals.id AS portal_id, name, count(DISTINCT found.article_id) AS articles,
    count(DISTINCT iif(found.cut, found.article_id, NULL)) AS certain,
    count(DISTINCT iif(is_newest, found.article_id, NULL)) AS still,
    min(found.seen_at) AS first_seen, max(until) AS last_seen,
    (SELECT text FROM surest WHERE portal_id = portals.id AND place = 1) AS example,
    (SELECT rule FROM surest WHERE portal_id = portals.id AND place = 1) AS rule,
    (SELECT url FROM surest WHERE portal_id = portals.id AND place = 1) AS url
FROM found JOIN portals ON portals.id = found.portal_id
GROUP BY portals.id ORDER BY certain DESC, articles DESC, portals.id
"""  # noqa: S608 - constants of ours
