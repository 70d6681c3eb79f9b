"""Reprints are found night by night, whatever the portal made of the text; forms filled in anew are none."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bench import lineage
from crawler.archive import reprints, writer
from crawler.archive.connection import open_archive
from crawler.archive.reprints import catch_up, cluster, first_appearance
from crawler.text.folding import fold_hash
from tests.support.archive import article, batch, begin, contents, paragraph

STORY, AUTHOR = next(lineage.stories(1, seed=21))
OTHER, _ = next(lineage.stories(1, seed=22))


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = begin(open_archive(tmp_path / "archive.db"), "lingyang", "shuyuan")
    yield conn
    conn.close()


def store(conn: sqlite3.Connection, story: lineage.Story, number: int, **changes: Any) -> int:
    """Store *story* under the address with the *number*; its article's id."""
    paragraphs = tuple(paragraph(text, key=str(fold_hash(text))) for text in story.texts)
    item = article(
        **{"title": story.title, "paragraphs": paragraphs, "url": f"https://lingyang.example/{number}"} | changes
    )
    [written] = writer.write(conn, batch(item))
    return written.article_id


def changed(change: str) -> lineage.Story:
    return lineage.CHANGES[change](STORY, Random(5), AUTHOR)


def pairs(conn: sqlite3.Connection) -> dict[tuple[int, int], str]:
    rows = conn.execute("SELECT article_id, other_id, kind FROM reprints")
    return {(one, other): kind for one, other, kind in rows}


def samples(conn: sqlite3.Connection) -> dict[int, bytes]:
    return dict(conn.execute("SELECT article_id, sample FROM reprint_samples"))


def ids(members: Iterable[reprints.Member]) -> list[int]:
    return [member.article_id for member in members]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("verbatim", "same"),
        ("format", "same"),
        ("script", "same"),
        ("light", "edited"),
        ("heavy", "edited"),
        ("excerpt", "excerpt"),
    ],
)
def test_a_reprint_of_another_night_is_found(conn: sqlite3.Connection, change: str, kind: str) -> None:
    first, stranger = store(conn, STORY, 1), store(conn, OTHER, 2)
    assert catch_up(conn) == 2
    again = store(conn, changed(change), 3, portal_id="shuyuan")
    assert catch_up(conn) == 1
    assert pairs(conn) == {(first, again): kind}
    assert stranger not in {article_id for pair in pairs(conn) for article_id in pair}


def test_a_story_of_known_lineage_is_found_in_every_shape_and_nothing_else_is(conn: sqlite3.Connection) -> None:
    lines: dict[int, str] = {}
    changes: dict[int, str] = {}
    number = 0
    for story, author in lineage.stories(12, seed=23):
        for told in (story, *lineage.reprints_of(story, author, seed=24)):
            number += 1
            article_id = store(conn, told, number)
            lines[article_id], changes[article_id] = told.lineage, told.change
    for notice in lineage.notices(40, seed=25):
        number += 1
        lines[store(conn, notice, number)] = notice.lineage
    assert catch_up(conn) == number
    found = pairs(conn)
    assert all(lines[one] == lines[other] for one, other in found)
    missed = {
        changes[other]
        for one in changes
        for other in changes
        if changes[one] == "base" and lines[one] == lines[other] and one < other and (one, other) not in found
    }
    assert missed <= {"joined excerpt"}


def test_a_short_text_is_found_only_where_nothing_differs(conn: sqlite3.Connection) -> None:
    for number, (title, text) in enumerate(
        [("预算公开", "详见附件。"), ("预算公开", "详见附件"), ("决算公开", "详见附件。"), ("图片新闻", "")]
    ):
        store(conn, STORY, number, title=title, paragraphs=(paragraph(text),))
    assert catch_up(conn) == 4
    assert pairs(conn) == {(1, 2): "same"}


def test_an_edited_article_is_compared_anew_and_its_old_pairs_go(conn: sqlite3.Connection) -> None:
    first, again = store(conn, STORY, 1), store(conn, STORY, 2)
    catch_up(conn)
    assert pairs(conn) == {(first, again): "same"}
    assert store(conn, OTHER, 1, day=1) == first
    assert catch_up(conn) == 1
    assert pairs(conn) == {}
    store(conn, changed("light"), 1, day=2)
    catch_up(conn)
    assert pairs(conn) == {(first, again): "edited"}


def test_a_character_that_changes_what_a_reprint_was_found_by_does_not_lose_it(conn: sqlite3.Connection) -> None:
    story, author = next(lineage.stories(1, seed=11))
    excerpt = lineage.CHANGES["joined excerpt"](story, Random(11), author)
    first, short = store(conn, story, 1), store(conn, excerpt, 2)
    catch_up(conn)
    assert pairs(conn) == {(first, short): "excerpt"}
    [text] = excerpt.texts
    middle = len(text) // 2
    store(conn, replace(excerpt, paragraphs=((f"{text[:middle]}甲{text[middle:]}",),)), 2, day=1)
    assert catch_up(conn) == 1
    assert pairs(conn) == {(first, short): "excerpt"}


def test_catching_up_twice_changes_nothing(conn: sqlite3.Connection) -> None:
    for number in range(3):
        store(conn, STORY, number)
    catch_up(conn)
    before = contents(conn)
    assert catch_up(conn) == 0
    assert contents(conn) == before


def test_what_was_done_before_a_kill_stays_done(conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        store(conn, STORY, number)
    monkeypatch.setattr(reprints, "BATCH", 2)
    fails_at = iter([False, False, True])

    class KilledError(Exception):
        pass

    def dies(conn: sqlite3.Connection, *given: Any, real: Any = reprints._compare_batch) -> None:
        real(conn, *given)
        if next(fails_at):
            raise KilledError

    monkeypatch.setattr(reprints, "_compare_batch", dies)
    with pytest.raises(KilledError):
        catch_up(conn)
    monkeypatch.undo()
    assert catch_up(conn) == 1
    assert len(pairs(conn)) == 10


def test_an_article_whose_reading_text_changed_is_compared_again(conn: sqlite3.Connection) -> None:
    first, again = store(conn, STORY, 1), store(conn, STORY, 2)
    catch_up(conn)
    conn.execute(
        "UPDATE version_sections SET role = 'boilerplate' WHERE position > 0"
        " AND version_id = (SELECT version_id FROM articles WHERE id = ?)",
        (again,),
    )
    assert catch_up(conn) == 0
    reprints.forget(conn, [again])
    assert catch_up(conn) == 1
    assert pairs(conn)[first, again] != "same"


def test_an_archive_that_has_no_samples_yet_finds_the_same_and_keeps_those_that_it_needed(
    conn: sqlite3.Connection,
) -> None:
    first, stranger = store(conn, STORY, 1), store(conn, OTHER, 2)
    catch_up(conn)
    before = samples(conn)
    assert set(before) == {first, stranger}
    conn.execute("DELETE FROM reprint_samples")
    again = store(conn, changed("light"), 3)
    catch_up(conn)
    assert pairs(conn) == {(first, again): "edited"}
    assert samples(conn).items() >= {(first, before[first])}


def test_the_sample_of_a_text_that_was_replaced_is_not_believed(conn: sqlite3.Connection) -> None:
    first = store(conn, OTHER, 1)
    catch_up(conn)
    old = samples(conn)[first]
    store(conn, STORY, 1, day=1)
    again = store(conn, changed("light"), 2)
    catch_up(conn)
    assert pairs(conn) == {(first, again): "edited"}
    assert samples(conn)[first] != old


def test_texts_that_samples_tell_apart_are_not_read(conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = "“群众的事再小也是大事，办不好就不能收工，”老支书李青山在动员会上这样对全村的党员干部们说道。"
    stories = [replace(story, paragraphs=((shared,), *story.paragraphs)) for story in (STORY, OTHER)]
    read: list[str] = []
    monkeypatch.setattr(
        reprints, "compare", lambda one, other, real=reprints.compare: read.append(one) or real(one, other)
    )
    for number, story in enumerate(stories):
        store(conn, story, number)
    catch_up(conn)
    assert read == []
    store(conn, stories[0], 2)
    catch_up(conn)
    assert len(read) == 1


def test_a_withheld_or_vanished_article_keeps_its_pairs(conn: sqlite3.Connection) -> None:
    first = store(conn, STORY, 1)
    catch_up(conn)
    conn.execute("UPDATE articles SET state = 'gone' WHERE id = ?", (first,))
    again = store(conn, STORY, 2)
    catch_up(conn)
    assert pairs(conn) == {(first, again): "same"}


def test_a_story_printed_everywhere_is_one_cluster_without_every_pair(conn: sqlite3.Connection) -> None:
    copies = [store(conn, STORY, number) for number in range(150)]
    catch_up(conn)
    assert ids(cluster(conn, copies[70])) == copies
    assert len(pairs(conn)) < 150 * reprints.COMPARED_WITH


def test_a_paragraph_that_travels_makes_no_reprint(conn: sqlite3.Connection) -> None:
    for number, (story, _) in enumerate(lineage.stories(20, seed=26)):
        texts = (*story.texts, lineage.SLOGANS[0])
        store(conn, story, number, paragraphs=tuple(paragraph(text) for text in texts))
    catch_up(conn)
    assert pairs(conn) == {}


def test_a_cluster_is_what_hangs_together_and_begins_where_the_story_appeared_first(conn: sqlite3.Connection) -> None:
    seen_first = store(conn, STORY, 1, published="2014-06-05", day=0)
    earlier = store(conn, changed("light"), 2, published="2014-06-03", day=1)
    undated = store(conn, STORY, 3, published=None, day=2)
    short = store(conn, changed("excerpt"), 4, published="2014-06-01", day=3)
    alone = store(conn, OTHER, 5, day=4)
    catch_up(conn)
    members = cluster(conn, seen_first)
    assert ids(members) == [short, earlier, seen_first, undated]
    assert [member.is_linked_by_excerpt for member in members] == [True, False, False, False]
    assert {first_appearance(conn, article_id).article_id for article_id in (seen_first, earlier, undated)} == {earlier}
    assert ids(cluster(conn, alone)) == [alone]
    assert first_appearance(conn, alone).article_id == alone
    with pytest.raises(LookupError, match="99"):
        cluster(conn, 99)


def test_an_excerpt_does_not_join_what_it_is_an_excerpt_of(conn: sqlite3.Connection) -> None:
    told = [story for story, _ in lineage.stories(4, seed=27)]
    stories = [store(conn, story, number) for number, story in enumerate(told)]
    week = replace(STORY, title="一周要闻", paragraphs=tuple(chain.from_iterable(story.paragraphs for story in told)))
    digest = store(conn, week, 99)
    catch_up(conn)
    assert ids(cluster(conn, digest)) == [*stories, digest]
    assert ids(cluster(conn, stories[0])) == [stories[0], digest]


def test_no_statement_reads_a_whole_table_but_the_one_that_goes_through_the_articles_by_id(
    conn: sqlite3.Connection,
) -> None:
    store(conn, STORY, 1)
    store(conn, STORY, 2)
    statements: set[str] = set()
    conn.set_trace_callback(statements.add)
    catch_up(conn)
    cluster(conn, 1)
    conn.set_trace_callback(None)
    tables = {name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    scanned = {
        step.split()[1]
        for statement in statements
        if statement.split()[0] in {"SELECT", "DELETE", "WITH"}
        for *_, step in conn.execute(f"EXPLAIN QUERY PLAN {statement}")
        if step.startswith("SCAN")
    }
    assert len(statements) > 8
    assert not scanned & tables
