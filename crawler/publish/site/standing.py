"""How portals stand: their last run that ended, when they were last well, what they brought, whether defaced."""

from collections.abc import Mapping
from typing import Any

from crawler.archive.defacements import Defacement, defacements
from crawler.publish.site.asking import ask, cached

KEPT_FOR = 60.0
"""Seconds for which it may be old while a crawl writes."""
COUNTING_MS = 5_000


@cached(KEPT_FOR)
async def standings(datasette: Any, prefix: str = "") -> list[dict[str, Any]]:
    """The portals of the divisions whose codes begin with *prefix*, by place.

    Each has ``id``, ``name``, ``division_code``, ``enabled``, ``articles``; of its last run that ended ``status``,
    ``reason`` and ``last_run`` (day, UTC); ``last_good``: day of the last run in which it was ``ok``. None where there
    is no such run.
    """
    return await ask(
        datasette,
        lambda conn: [dict(row) for row in conn.execute(_STANDINGS, {"prefix": prefix})],
        limit_ms=COUNTING_MS,
    )


@cached(KEPT_FOR)
async def defaced(datasette: Any) -> Mapping[str, Defacement]:
    """Portals into which advertisements were injected, by id."""
    found = await ask(datasette, defacements, limit_ms=COUNTING_MS)
    return {one.portal_id: one for one in found}


# A run that is under way says "interrupted" of every portal until it is over.
_STANDINGS = """
    SELECT known.id, name, division_code, enabled, articles, portal_runs.status, reason,
        substr(started_at, 1, 10) AS last_run, last_good
    FROM (
        SELECT id, name, division_code, enabled,
            (SELECT count(*) FROM articles WHERE portal_id = portals.id) AS articles,
            (SELECT run_id FROM portal_runs JOIN runs ON runs.id = run_id
                WHERE portal_id = portals.id AND runs.status <> 'running' ORDER BY run_id DESC LIMIT 1) AS last_id,
            (SELECT substr(started_at, 1, 10) FROM portal_runs JOIN runs ON runs.id = run_id
                WHERE portal_id = portals.id AND portal_runs.status = 'ok' ORDER BY run_id DESC LIMIT 1) AS last_good
        FROM portals WHERE substr(division_code, 1, length(:prefix)) = :prefix
    ) AS known
    LEFT JOIN portal_runs ON portal_runs.run_id = last_id AND portal_id = known.id
    LEFT JOIN runs ON runs.id = last_id
    ORDER BY division_code, known.id
"""
