"""What readers type is understood, whatever they type."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.text import query as grammar
from crawler.text.query import LONGEST, NOTHING, parse
from crawler.text.snippets import highlights, snippet

TYPED = st.text() | st.text(st.sampled_from("乾县 \"“”「」-－:：地区从title site2014'*^+()NEAR\0\ud800"))
"""Anything, and what is nearly a query."""


@pytest.mark.parametrize(
    ("typed", "match"),
    [
        ("扶贫", '"扶 贫"'),
        ("乾縣", '"干 县"'),
        ("村", '"村"'),
        ("扶贫　攻坚", '"扶 贫" AND "攻 坚"'),
        ('"精准 扶贫"', '"精 准 扶 贫"'),
        ("“精准 扶贫” 会议", '"精 准 扶 贫" AND "会 议"'),
        ("「精準 扶貧", '"精 准 扶 贫"'),
        ("推进“千帮千”活动", '"推 进 千 帮 千 活 动"'),
        ("煤矿 -事故 －爆炸", '("煤 矿") NOT ("事 故" OR "爆 炸")'),
        ('煤矿 -"瓦斯 爆炸"', '("煤 矿") NOT ("瓦 斯 爆 炸")'),
        ("标题:脱贫 干部", 'title : "脱 贫" AND "干 部"'),
        ("covid-19疫情", '"covid 19 疫 情"'),
        ("http://www.a.cn/x", '"http www a cn x"'),
        ("从:此", '"从 此"'),
        ("from:here", '"from here"'),
        ("", NOTHING),
        ("-煤矿", NOTHING),
        ('。 - "" ——', NOTHING),
        ("地区:610424", NOTHING),
    ],
)
def test_words_become_what_the_index_is_asked(typed: str, match: str) -> None:
    assert parse(typed).match == match


@pytest.mark.parametrize(
    ("typed", "kind", "value"),
    [
        ("division:6104", "division", "6104"),
        ("地区：610400", "division", "6104"),
        ("地區:610000", "division", "61"),
        ("地区:610424", "division", "610424"),
        ("地区:乾县", "division", "乾县"),
        ("portal:qianxian", "portal", "qianxian"),
        ("网站:qianxian", "portal", "qianxian"),
        ("site:https://WWW.qianxian.gov.cn/xw/", "site", "www.qianxian.gov.cn"),
        ("from:2014", "since", "2014"),
        ("从:2014年6月", "since", "2014-06"),
        ("自:２０１４-6-3", "since", "2014-06-03"),
        ("to:2014", "before", "2015"),
        ("到:2014-06", "before", "2014-07"),
        ("to:2014.12", "before", "2015-01"),
        ("至:20140629", "before", "2014-06-30"),
        ("to:2014-06-30", "before", "2014-07-01"),
        ("to:2014-2", "before", "2014-03"),
        ("to:2016-02-29", "before", "2016-03-01"),
        ("状态:已刪", "state", "gone"),
        ("状态:已删", "state", "gone"),
        ("STATE:gone", "state", "gone"),
    ],
)
def test_filters_are_told_from_words(typed: str, kind: str, value: str) -> None:
    [found] = parse(f"干部 {typed}").filters
    assert (found.kind, found.value, found.excluded) == (kind, value, False)
    [turned] = parse(f"-{typed}").filters
    assert turned.excluded


@pytest.mark.parametrize("typed", ["to:2014-02-30", "from:2014-13", "from:20140", "state:here", "地区:6", "site:***"])
def test_what_only_looks_like_a_filter_is_a_word(typed: str) -> None:
    assert not parse(typed).filters


def test_a_query_can_be_narrowed() -> None:
    narrowed = parse("干部 从:2014").narrowed(grammar.until("2015"), grammar.until("soon"))
    assert [(one.kind, one.value) for one in narrowed.filters] == [("since", "2014"), ("before", "2016")]
    assert narrowed.words == parse("干部").words


@given(TYPED)
def test_nothing_that_can_be_typed_is_an_error(typed: str) -> None:
    conn = sqlite3.connect(":memory:")
    conn.execute("CREATE VIRTUAL TABLE articles_fts USING fts5 (title, body, content = '', tokenize = 'ascii')")
    query = parse(typed)
    for match in (query.match, query.match_unwanted):
        assert conn.execute("SELECT rowid FROM articles_fts WHERE articles_fts MATCH ?", (match,)).fetchall() == []
    conn.close()


def test_of_an_endless_query_the_beginning_counts() -> None:
    assert len(parse("甲 " * LONGEST).words) == LONGEST / 2


@pytest.mark.parametrize(
    ("text", "typed", "marked"),
    [
        ("乾縣、乾县与干县", "乾县", ["乾縣", "乾县", "干县"]),
        ("精准扶\n贫工作", "扶贫", ["扶\n贫"]),
        ("COVID-19疫情", "covid-19 疫", ["COVID-19疫"]),
        ("ＷＴＯ与wto", "WTO", ["ＷＴＯ", "wto"]),
        ("2014年与14年", "14年", ["14年"]),
        ("甲甲甲", "甲甲", ["甲甲甲"]),
        ("煤矿事故", "-煤矿 事故", ["事故"]),
        ("脱贫", "标题:脱贫", []),
        ("", "脱贫", []),
    ],
)
def test_words_are_marked_as_they_are_printed(text: str, typed: str, marked: list[str]) -> None:
    assert [text[start:end] for start, end in highlights(text, parse(typed))] == marked


def test_a_word_wanted_in_the_title_is_marked_there() -> None:
    assert highlights("脱贫", parse("标题:脱贫"), title=True) == [(0, 2)]


def test_a_snippet_shows_where_the_most_words_stand_together() -> None:
    text = "乾县。" + "前言。" * 50 + "精准扶\n贫，乾縣幹部參加" + "后话。" * 50
    shown = snippet(text, parse("扶贫 乾县 没有"), width=40)
    assert [shown.text[start:end] for start, end in shown.marks] == ["扶 贫", "乾縣"]
    assert len(shown.text) == 40
    assert shown.cut_before
    assert shown.cut_after


def test_a_text_without_the_words_shows_its_beginning() -> None:
    shown = snippet("第一句。第二句。", parse("没有"), width=4)
    assert (shown.text, shown.marks, shown.cut_before, shown.cut_after) == ("第一句。", (), False, True)


@given(st.text(st.sampled_from("乾县縣a1-。\n\u0301")), st.text(st.sampled_from('乾县a1 -"')), st.integers(1, 20))
def test_a_snippet_is_a_piece_of_the_text_with_marks_inside_and_apart(text: str, typed: str, width: int) -> None:
    shown = snippet(text, parse(typed), width=width)
    assert shown.text in text.replace("\n", " ")
    assert len(shown.text) == min(width, len(text))
    ends = [0, *(end for _, end in shown.marks)]
    assert all(
        before <= start < end <= len(shown.text) for before, (start, end) in zip(ends, shown.marks, strict=False)
    )
