"""Rows of ``spam_spans``: what was injected into articles, and what the archive as a whole knows of it.

One page alone leaves doubt: where a name begins that no vocabulary has, whether a phrase is an advertisement. The same
run of text in different surroundings on several hosts leaves none, and what stands around it shows its edges.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations, islice
from typing import NamedTuple
from urllib.parse import urlsplit

from crawler.archive import mentions, reprints, search
from crawler.archive.connection import transaction
from crawler.archive.texts import paragraphs_of_version, storable
from crawler.records import Paragraph, SpamSpan
from crawler.text.folding import fold
from crawler.text.spam import is_all_of, marks

ADVERTISING = ("chain", "phrase", "list")
"""Rules of spans that another host's confirm."""
CERTAIN = 10.0
"""Score of a run that stands on several hosts."""
RUN_CHARS = 8
"""Folded characters from which a run is one and the same wherever it stands: a shorter one is a word."""
AROUND = 6
"""Folded characters on either side that tell surroundings apart."""
LOOKED_AT = 40
"""Places of one run that are compared, an archive."""
BATCH = 200
"""Versions or spans a transaction: a tenth of a second."""


class _Place(NamedTuple):
    """Where a run of text stands."""

    version_id: int
    article_id: int
    is_newest: bool
    host: str
    position: int
    start: int
    end: int
    cut: bool


def store(conn: sqlite3.Connection, version_id: int, texts: Sequence[str], spans: Iterable[SpamSpan]) -> None:
    """Write the spans of a new version, inside the caller's transaction; *texts* are its paragraphs as stored.

    A span whose place storing has moved (lone surrogates, which no page has) is left out.
    """
    conn.executemany(
        'INSERT INTO spam_spans (version_id, position, start, "end", text, rule, score, cut)'
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (version_id, span.position, span.start, span.end, storable(span.text), span.rule, span.score, span.cut)
            for span in spans
            if span.position < 0 or texts[span.position][span.start : span.end] == storable(span.text)
        ],
    )


def catch_up(conn: sqlite3.Connection) -> int:
    """Read what was stored before there was this table, and compare hosts; how many articles changed.

    Batches are transactions of their own; what was done before a kill stays done. *conn* is in autocommit mode.
    """
    return _read_backlog(conn) + across_hosts(conn)


def across_hosts(conn: sqlite3.Connection) -> int:
    """Make certain what stands on several hosts in different surroundings, and cut it where its edges show.

    Returns how many articles that was in. A reprint that carries an advertisement along is the same surroundings.
    """
    raised: set[int] = set()
    for places in _on_several_hosts(conn):
        texts = _surroundings(conn, places)
        if _are_independent(places, texts):
            shown = [place for place in places if not place.cut and _shows_edges(place, texts, places)]
            for batch in _batches(shown):
                with transaction(conn):
                    _cut(conn, batch)
            raised.update(place.article_id for place in shown)
    return len(raised)


# What was stored before.


def _read_backlog(conn: sqlite3.Connection) -> int:
    done: set[int] = set()
    while True:
        with transaction(conn):
            versions = conn.execute(
                "SELECT versions.id, articles.id, articles.version_id = versions.id, versions.title"
                " FROM spam_backlog JOIN versions ON versions.id = spam_backlog.version_id"
                " JOIN articles ON articles.id = article_id ORDER BY versions.id LIMIT ?",
                (BATCH,),
            ).fetchall()
            found = {row[0]: _read(conn, row[0], row[3]) for row in versions}
            newest = [article for version, article, is_newest, _ in versions if is_newest and found[version][1]]
            with search.changing(conn, newest):
                for version_id, (paragraphs, spans) in found.items():
                    store(conn, version_id, [paragraph.text for paragraph in paragraphs], spans)
                    _set_roles(conn, version_id, paragraphs, spans)
            _follow(conn, newest)
            conn.executemany("DELETE FROM spam_backlog WHERE version_id = ?", [(row[0],) for row in versions])
        if not versions:
            return len(done)
        done.update(article for version, article, _, _ in versions if found[version][1])


def _read(conn: sqlite3.Connection, version_id: int, title: str | None) -> tuple[list[Paragraph], list[SpamSpan]]:
    paragraphs = paragraphs_of_version(conn, version_id)
    return paragraphs, marks(title, [paragraph.text for paragraph in paragraphs])


def _set_roles(
    conn: sqlite3.Connection, version_id: int, paragraphs: Sequence[Paragraph], spans: Iterable[SpamSpan]
) -> None:
    conn.executemany(
        "UPDATE version_sections SET role = 'spam' WHERE version_id = ? AND position = ?",
        [
            (version_id, span.position)
            for span in spans
            if span.position >= 0 and is_all_of(span, paragraphs[span.position].text)
        ],
    )


# What stands on several hosts.


def _on_several_hosts(conn: sqlite3.Connection) -> list[list[_Place]]:
    """The places of each run that is on several hosts and not yet cut everywhere."""
    marks = ", ".join("?" * len(ADVERTISING))
    rows = conn.execute(
        "SELECT spam_spans.text, versions.id, articles.id, articles.version_id = versions.id, url, position, start,"  # noqa: S608
        ' "end", cut'
        " FROM spam_spans JOIN versions ON versions.id = spam_spans.version_id"
        f" JOIN articles ON articles.id = article_id WHERE rule IN ({marks}) AND position >= 0"
        " ORDER BY versions.id, position, start",
        ADVERTISING,
    )
    runs: defaultdict[str, list[_Place]] = defaultdict(list)
    for text, version_id, article_id, is_newest, url, position, start, end, cut in rows:
        run = fold(text)
        if len(run) >= RUN_CHARS:
            host = urlsplit(url).hostname or ""
            runs[run].append(_Place(version_id, article_id, bool(is_newest), host, position, start, end, bool(cut)))
    return [
        places
        for places in runs.values()
        if len({place.host for place in places}) > 1 and not all(place.cut for place in places)
    ]


def _surroundings(conn: sqlite3.Connection, places: Iterable[_Place]) -> dict[tuple[int, int], str]:
    """The paragraphs in which places are, by version and position."""
    keys = {(place.version_id, place.position) for place in places}
    rows = conn.execute(
        "SELECT version_id, position, coalesce(here.text, sections.text)"
        " FROM version_sections AS here JOIN sections ON sections.id = section_id"
        " JOIN (SELECT json_extract(value, '$[0]') AS v, json_extract(value, '$[1]') AS p FROM json_each(?))"
        " ON version_id = v AND position = p",
        (json.dumps(sorted(keys)),),
    )
    return {(version_id, position): text for version_id, position, text in rows}


def _are_independent(places: Sequence[_Place], texts: dict[tuple[int, int], str]) -> bool:
    """Whether two hosts have other text before the run, and other text behind it."""
    around = {
        (place.host, before, behind)
        for place in islice(places, LOOKED_AT)
        for before, behind in [_around(place, texts)]
    }
    return any(
        one[0] != other[0] and one[1] != other[1] and one[2] != other[2] for one, other in combinations(around, 2)
    )


def _around(place: _Place, texts: dict[tuple[int, int], str]) -> tuple[str, str]:
    text = texts[place.version_id, place.position]
    before, behind = text[max(0, place.start - 4 * AROUND) : place.start], text[place.end : place.end + 4 * AROUND]
    return fold(before)[-AROUND:], fold(behind)[:AROUND]


def _shows_edges(place: _Place, texts: dict[tuple[int, int], str], places: Sequence[_Place]) -> bool:
    """Whether both neighbours of the run are no letters, or others than elsewhere: the same one may be part of it."""
    own = _neighbours(place, texts)
    others = [_neighbours(other, texts) for other in islice(places, LOOKED_AT) if other.host != place.host]
    return all(not own[side] or any(other[side] != own[side] for other in others) for side in (0, 1))


def _neighbours(place: _Place, texts: dict[tuple[int, int], str]) -> tuple[str, str]:
    """The folded characters right before and right behind; empty for signs and where nothing is."""
    text = texts[place.version_id, place.position]
    return fold(text[max(0, place.start - 1) : place.start]), fold(text[place.end : place.end + 1])


def _cut(conn: sqlite3.Connection, places: Sequence[_Place]) -> None:
    newest = sorted({place.article_id for place in places if place.is_newest})
    with search.changing(conn, newest):
        conn.executemany(
            "UPDATE spam_spans SET cut = 1, score = ? WHERE version_id = ? AND position = ? AND start = ?",
            [(CERTAIN, place.version_id, place.position, place.start) for place in places],
        )
    _follow(conn, newest)


def _follow(conn: sqlite3.Connection, article_ids: Sequence[int]) -> None:
    """Let what depends on reading texts follow."""
    if article_ids:
        mentions.refresh(conn, article_ids)
        reprints.forget(conn, article_ids)


def _batches(places: Sequence[_Place]) -> Iterable[Sequence[_Place]]:
    return (places[start : start + BATCH] for start in range(0, len(places), BATCH))
