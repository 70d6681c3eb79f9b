"""Text comes back as it went in, to the byte, and a paragraph is stored once."""

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.archive import writer
from crawler.archive.connection import open_archive
from crawler.archive.texts import paragraphs_of_version, storable, text_of_version
from crawler.records import Paragraph
from crawler.text.folding import fold_hash
from tests.support.archive import article, batch, begin, paragraph

ROLES = ("body", "heading", "caption", "byline", "repeat", "boilerplate", "spam")
TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["", "\n", "\x00a", "乾縣", "乾县", " 乾县"]
)
PARAGRAPHS = st.lists(
    st.builds(
        lambda text, role, key: paragraph(text, role=role, key=key),
        TEXTS,
        st.sampled_from(ROLES),
        st.sampled_from([None, "a", "b"]),  # different texts under one key: variants of a section, or a collision
    ),
    max_size=12,
).map(tuple)
# One fold each, many bytes: marks, widths, scripts, signs without width, line ends, NFC and NFD.
SPELLINGS = st.sampled_from(
    (
        *("乾县", "乾縣", "干县", "乾\u200b县", "\ufeff乾县", "乾县\r", "乾县\n", "\u2028乾县", "乾县\x00", "「乾县」"),
        *("Café 5G", "Cafe\u0301５Ｇ", "CAFÉ-5g", "café\u00a05g"),
        *("", " ", "\t", "\x00", "——", "—", "\u202e", "\U0001f600"),
    )
)


@pytest.fixture(scope="module")
def conn() -> Iterator[sqlite3.Connection]:
    with tempfile.TemporaryDirectory() as folder:
        conn = begin(open_archive(Path(folder) / "archive.db"))
        yield conn
        conn.close()


_days = iter(range(10**9))


@given(articles=st.lists(PARAGRAPHS, min_size=1, max_size=3))
def test_any_paragraphs_come_back_byte_for_byte(
    conn: sqlite3.Connection, articles: list[tuple[Paragraph, ...]]
) -> None:
    items = []
    for paragraphs in articles:
        day = next(_days)
        items.append(article(paragraphs=paragraphs, day=day % 1000, url=f"https://lingyang.example/{day}"))
    for written, paragraphs in zip(writer.write(conn, batch(*items)), articles, strict=True):
        text = "\n".join(one.text for one in paragraphs)
        assert tuple(paragraphs_of_version(conn, written.version_id)) == paragraphs
        assert text_of_version(conn, written.version_id) == text
        stored = conn.execute("SELECT text_sha256, chars FROM versions WHERE id = ?", (written.version_id,)).fetchone()
        assert stored == (hashlib.sha256(text.encode()).hexdigest(), len(text))


@given(nights=st.lists(st.lists(SPELLINGS, max_size=8), min_size=1, max_size=4))
@example(nights=[["乾縣"], ["乾县"], ["干县", "乾縣"]])
def test_every_version_stays_what_it_was_however_its_article_is_edited(
    conn: sqlite3.Connection, nights: list[list[str]]
) -> None:
    url = f"https://lingyang.example/edited/{next(_days)}"
    said = {}
    for day, texts in enumerate(nights):
        paragraphs = tuple(Paragraph(text=text, fold_hash=fold_hash(text)) for text in texts)
        [written] = writer.write(conn, batch(article(paragraphs=paragraphs, day=day, url=url)))
        said.setdefault(written.version_id, texts)  # other paragraphs of the same text are no edit
    for version_id, texts in said.items():
        assert [one.text for one in paragraphs_of_version(conn, version_id)] == texts
        assert text_of_version(conn, version_id) == "\n".join(texts)


def test_an_article_of_thousands_of_paragraphs_comes_back(conn: sqlite3.Connection) -> None:
    spellings = ("", "第{}条", "第{}條", " 第{}条。", "————")
    texts = tuple(spellings[place % 5].format(place // 5) for place in range(6000))
    paragraphs = tuple(Paragraph(text=text, fold_hash=fold_hash(text)) for text in texts)
    [written] = writer.write(conn, batch(article(paragraphs=paragraphs, url="https://lingyang.example/long")))
    assert tuple(one.text for one in paragraphs_of_version(conn, written.version_id)) == texts


def test_a_paragraph_is_stored_once_however_often_it_is_printed(tmp_path: Path) -> None:
    conn = begin(open_archive(tmp_path / "archive.db"))
    first = article("同一段", "另一段", "同一段", url="https://lingyang.example/1")
    second = article("同一段", url="https://lingyang.example/2")
    writer.write(conn, batch(first))
    writer.write(conn, batch(second))
    assert conn.execute("SELECT id, text, chars, first_version_id FROM sections ORDER BY id").fetchall() == [
        (1, "同一段", 3, 1),
        (2, "另一段", 3, 1),
    ]
    assert conn.execute("SELECT count(*), count(text) FROM version_sections").fetchone() == (4, 0)
    conn.close()


def test_the_first_text_of_a_section_wins_and_a_variant_keeps_its_own(tmp_path: Path) -> None:
    conn = begin(open_archive(tmp_path / "archive.db"))
    texts = ("乾县", "乾縣", "乾县")
    writer.write(conn, batch(article(paragraphs=tuple(paragraph(text, key="乾县") for text in texts))))
    assert conn.execute("SELECT text FROM sections").fetchall() == [("乾县",)]
    assert conn.execute("SELECT text FROM version_sections ORDER BY position").fetchall() == [
        (None,),
        ("乾縣",),
        (None,),
    ]
    conn.close()


def test_an_unknown_version_is_an_error_and_an_empty_one_is_not(tmp_path: Path) -> None:
    conn = begin(open_archive(tmp_path / "archive.db"))
    [written] = writer.write(conn, batch(article()))
    assert text_of_version(conn, written.version_id) == ""
    with pytest.raises(LookupError, match="99"):
        text_of_version(conn, 99)
    conn.close()


@given(st.text())
def test_what_is_storable_stays_and_the_rest_becomes_it(text: str) -> None:
    made = storable(text)
    made.encode()
    assert storable(made) == made
    if not any(0xD800 <= ord(char) < 0xE000 for char in text):
        assert made is text


def test_lone_surrogates_do_not_cost_the_batch(tmp_path: Path) -> None:
    conn = begin(open_archive(tmp_path / "archive.db"))
    bad = "a\ud800b"
    item = article(bad, url="https://lingyang.example/" + bad, title=bad, source=bad, etag=bad, content_type=bad)
    good = article("好", url="https://lingyang.example/good")
    bad_written, _ = writer.write(conn, batch(item, good))
    assert text_of_version(conn, bad_written.version_id) == "a\ufffdb"
    assert [written.outcome for written in writer.write(conn, batch(item, good))] == ["unchanged", "unchanged"]
    conn.close()
