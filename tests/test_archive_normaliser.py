"""Another fold regroups the paragraphs of an archive; not a byte of what its versions say changes."""

import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive import boilerplate, connection, normaliser, reprints, search, writer
from crawler.archive.connection import ArchiveError, open_archive, transaction
from crawler.archive.texts import paragraphs_of_version, text_of_version
from crawler.records import Paragraph
from crawler.text.folding import FOLD_VERSION, fold_hash
from tests.support.archive import article, batch, begin, contents, number

Fold = Callable[[str], int]
TEXTS = ("乾县", "乾縣", "干县", "", " ", "\x00", "\x00a", "a\n", "——", "幹部")
ARTICLES = st.lists(st.lists(st.sampled_from(TEXTS), max_size=6), min_size=1, max_size=5)
FOLDS = st.lists(st.integers(0, 4), min_size=len(TEXTS), max_size=len(TEXTS)).map(
    lambda keys: dict(zip(TEXTS, (key - 2 for key in keys), strict=True)).__getitem__
)


def write(conn: sqlite3.Connection, articles: list[list[str]], fold: Fold) -> list[int]:
    """Store articles whose paragraphs are keyed by *fold*; their versions."""
    items = [
        article(
            paragraphs=tuple(Paragraph(text=text, fold_hash=fold(text)) for text in texts),
            url=f"https://lingyang.example/{place}",
        )
        for place, texts in enumerate(articles)
    ]
    return [written.version_id for written in writer.write(conn, batch(*items))]


@cache
def empty() -> bytes:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    connection.bring_up_to_date(conn, Path("in memory"))
    begin(conn)
    conn.execute("UPDATE normaliser SET version = ?", (FOLD_VERSION,))
    made = conn.serialize()
    conn.close()
    return made


def archive(*, fold: Fold = number, articles: list[list[str]] | None = None, path: Path | None = None) -> Any:
    """An archive in memory, or at *path*, with articles in which *fold* made the keys."""
    if path is not None:
        path.write_bytes(empty())
    conn = sqlite3.connect(path or ":memory:", isolation_level=None)
    if path is not None:
        conn.execute("PRAGMA journal_mode = WAL")
    else:
        conn.deserialize(empty())
    conn.execute("PRAGMA foreign_keys = ON")
    write(conn, articles or [], fold)
    return conn


def sections(conn: sqlite3.Connection) -> list[Any]:
    return conn.execute("SELECT fold_hash, text, chars, first_version_id FROM sections ORDER BY fold_hash").fetchall()


def places(conn: sqlite3.Connection) -> list[Any]:
    return conn.execute(
        "SELECT version_id, position, fold_hash, here.text, role FROM version_sections AS here"
        " JOIN sections ON sections.id = section_id ORDER BY version_id, position"
    ).fetchall()


def ids(conn: sqlite3.Connection) -> dict[str, int]:
    return dict(conn.execute("SELECT text, id FROM sections"))


@given(articles=ARTICLES, old=FOLDS, new=FOLDS)
def test_an_archive_becomes_what_the_new_fold_would_have_written(
    articles: list[list[str]], old: Fold, new: Fold
) -> None:
    conn, other = archive(fold=old, articles=articles), archive(fold=new, articles=articles)
    before = {version: text_of_version(conn, version) for (version,) in conn.execute("SELECT id FROM versions")}
    with transaction(conn):
        normaliser.refold(conn, new)
    assert {version: text_of_version(conn, version) for version in before} == before
    assert sections(conn) == sections(other)
    assert places(conn) == places(other)
    assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
    conn.close()
    other.close()


@given(articles=ARTICLES, old=FOLDS, new=FOLDS)
def test_a_section_keeps_its_id_where_its_text_leads_and_no_id_is_used_again(
    articles: list[list[str]], old: Fold, new: Fold
) -> None:
    conn = archive(fold=old, articles=articles)
    had = {section_id: new(text) for text, section_id in ids(conn).items()}
    with transaction(conn):
        normaliser.refold(conn, new)
    has = {section_id: key for key, section_id in conn.execute("SELECT fold_hash, id FROM sections")}
    for key in has.values():
        oldest = min((section_id for section_id, before in had.items() if before == key), default=None)
        kept = {section_id for section_id, now in has.items() if now == key}
        assert kept == {oldest} if oldest is not None else min(kept) > max(had)
    conn.close()


def test_only_what_the_new_fold_touches_is_written() -> None:
    conn = archive(articles=[["乾县", "别的"], ["幹部"], ["别的"]])
    conn.execute("CREATE TEMP TABLE written (version_id)")
    conn.execute(
        "CREATE TEMP TRIGGER watch UPDATE ON main.version_sections BEGIN INSERT INTO written VALUES (new.version_id); END"
    )
    with transaction(conn):
        normaliser.refold(conn, lambda text: number("乾县" if text == "幹部" else text))
    assert conn.execute("SELECT version_id FROM written").fetchall() == [(2,)]
    conn.close()


def test_an_archive_of_another_fold_is_keyed_anew_when_it_is_opened_for_writing(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    texts = ["乾县干部下乡修渠。", "乾縣幹部下鄉修渠。", "——"]
    archive(path=path, articles=[texts]).execute("UPDATE normaliser SET version = 0").connection.close()
    conn = open_archive(path)
    assert normaliser.fold_version(conn) == FOLD_VERSION
    assert {paragraph.fold_hash for paragraph in paragraphs_of_version(conn, 1)} == set(map(fold_hash, texts))
    assert conn.execute("SELECT count(*) FROM sections").fetchone() == (2,)
    assert text_of_version(conn, 1) == "\n".join(texts)
    conn.close()


def test_a_copy_is_made_before_and_none_of_an_archive_without_texts(tmp_path: Path) -> None:
    path, copy = tmp_path / "archive.db", tmp_path / "archive.db.fold0-backup"
    archive(path=path).execute("UPDATE normaliser SET version = 0").connection.close()
    open_archive(path).close()
    assert not copy.exists()
    conn = open_archive(path)
    write(conn, [["乾县", "乾縣"]], number)
    conn.execute("UPDATE normaliser SET version = 0")
    before = contents(conn)
    conn.close()
    open_archive(path).close()
    copied = sqlite3.connect(copy)
    assert contents(copied) == before
    copied.close()


def test_the_index_and_the_reprints_are_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    conn = archive(path=path, articles=[["渠水" * 60], ["渠水" * 60]])
    search.catch_up(conn)
    reprints.catch_up(conn)
    conn.execute("UPDATE normaliser SET version = 0")
    before = contents(conn)
    assert before["reprints"]
    conn.close()
    conn = open_archive(path)
    for table in ("articles_fts_docsize", "reprint_bands", "reprint_marks", "reprints"):
        assert conn.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    assert (search.catch_up(conn), reprints.catch_up(conn)) == (2, 2)
    assert search.check(conn) == []
    assert contents(conn)["reprints"] == before["reprints"]
    conn.close()


def test_what_is_boilerplate_is_learned_anew(tmp_path: Path) -> None:
    path, footer = tmp_path / "archive.db", "凌阳县融媒体中心主办"
    conn = archive(path=path)
    for page in range(30):
        paragraphs = tuple(Paragraph(text=text, fold_hash=number(text)) for text in (f"第{page}条新闻。", footer))
        url = f"https://lingyang.example/{page}"
        writer.write(conn, batch(article(paragraphs=paragraphs, day=page * 4, url=url)))
    boilerplate.learn(conn)
    before = places(conn)
    assert [role for *_, role in before].count("boilerplate") == 30
    conn.execute("UPDATE normaliser SET version = 0")
    conn.close()
    conn = open_archive(path)
    boilerplate.learn(conn)
    assert [role for *_, role in places(conn)] == [role for *_, role in before]
    assert conn.execute("SELECT count(*) FROM boilerplate_unsettled").fetchone() == (0,)
    conn.close()


def test_what_is_interrupted_leaves_everything_as_it_was() -> None:
    conn = archive(articles=[["乾县", "乾縣"], ["幹部", "乾县"]])
    before = contents(conn)

    def interrupting(text: str) -> int:
        if text == "幹部":
            conn.interrupt()
        return 1

    with pytest.raises(sqlite3.OperationalError, match="interrupted"), transaction(conn):
        normaliser.refold(conn, interrupting)
    assert contents(conn) == before
    with transaction(conn):
        normaliser.refold(conn, len)
    assert [key for key, *_ in sections(conn)] == [2]
    conn.close()


@pytest.mark.parametrize("readonly", [False, True])
def test_an_archive_of_a_newer_fold_is_refused_and_left_alone(tmp_path: Path, readonly: bool) -> None:
    path = tmp_path / "archive.db"
    archive(path=path, articles=[["乾县"]]).execute("UPDATE normaliser SET version = 99").connection.close()
    before = path.read_bytes()
    with pytest.raises(ArchiveError, match=r"archive\.db: is of a newer xianzhi \(fold 99.*update xianzhi"):
        open_archive(path, readonly=readonly)
    assert path.read_bytes() == before


def test_a_reader_of_an_archive_of_an_older_fold_is_told_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    archive(path=path).execute("UPDATE normaliser SET version = 0").connection.close()
    with pytest.raises(ArchiveError, match=r"archive\.db: .*older fold \(0\); xianzhi crawl brings it up to date"):
        open_archive(path, readonly=True)
