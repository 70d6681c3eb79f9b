"""A word gives the same tokens alone and in a text, and every token knows where it is printed."""

import sqlite3
import unicodedata

import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.text.folding import fold
from crawler.text.tokens import PlacedTokens, tokens

fold("")  # loads its table, which takes longer than a first hypothesis example may
ODD = "-'’－ aZ19①½㎡Ⅷ㈱ﬁİ乾县〇。　\u0301\u00ad\u200bｶﾞ\u1100\u1161\u11a8각བོدى"
TEXT = st.text(st.characters() | st.sampled_from(ODD))
CHINESE = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF) | st.sampled_from("，。、“”（"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("乾縣新聞網", "干 县 新 闻 网"),
        ("covid-19疫情", "covid 19 疫 情"),
        ("COVID—19", "covid 19"),
        ("5G網絡", "5 g 网 络"),
        ("２０１４年６月", "2014 年 6 月"),
        ("G312国道", "g 312 国 道"),
        ("E-mail、email", "email email"),
        ("Xi’an Xi'an", "xian xian"),
        ("①100户", "1 100 户"),
        ("10㎡", "10 m 2"),
        ("3.5万", "3 5 万"),
        ("共\u200b产\u00ad党", "共 产 党"),
        ("bo\u00adok", "book"),
        ("Cafe\u0301", "café"),
        ("ﾊﾞｽ", "バ ス"),
        ("--a-1-b--", "a 1 b"),
        ("——。、\n", ""),
    ],
)
def test_a_text_is_cut_as_a_reader_would_search_it(text: str, expected: str) -> None:
    assert " ".join(tokens(text)) == expected


@given(TEXT)
def test_tokens_hold_what_the_fold_holds_and_nothing_else(text: str) -> None:
    assert "".join(tokens(text)) == fold(text)


@given(CHINESE, CHINESE)
def test_what_is_printed_in_a_chinese_text_is_a_phrase_of_its_tokens(before: str, after: str) -> None:
    assert tokens(before + after) == tokens(before) + tokens(after)


@given(TEXT)
def test_tokens_know_their_places(text: str) -> None:
    placed = PlacedTokens(text)
    assert placed.tokens == tokens(text)
    spans = [placed.span(number, number) for number in range(len(placed.tokens))]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)


@given(st.lists(st.sampled_from(["乾县", "covid-19", "E-mail", "2014", "①", "ｶﾞ", "각"]), max_size=9))
def test_a_tokens_place_holds_the_word_that_it_was_made_of(words: list[str]) -> None:
    text = "，".join(words)
    placed = PlacedTokens(text)
    for number, token in enumerate(placed.tokens):
        start, end = placed.span(number, number)
        assert tokens(text[start:end]) == [token]


def test_a_text_in_either_script_has_the_same_tokens() -> None:
    text = "青岚县面对面了解群众所思所盼所忧，逐条答复；只有把根扎在村里，才能知道我们需要什么。"
    assert tokens(opencc.OpenCC("s2tw").convert(text)) == tokens(text)


def test_sqlites_tokenizer_leaves_every_token_as_it_is() -> None:
    assigned = (chr(code) for code in range(0x110000) if unicodedata.category(chr(code))[0] in "LMNS")
    characters = sorted({folded for char in assigned for folded in fold(char)})
    conn = sqlite3.connect(":memory:")
    conn.execute("CREATE VIRTUAL TABLE held USING fts5 (text, content = '', tokenize = 'ascii')")
    conn.execute("CREATE VIRTUAL TABLE seen USING fts5vocab (held, instance)")
    conn.execute("INSERT INTO held (rowid, text) VALUES (1, ?)", (" ".join(characters),))
    assert [term for (term,) in conn.execute("SELECT term FROM seen ORDER BY offset")] == characters
    conn.close()
