"""What pages show of differences: complete, paragraph by paragraph, and in short."""

import time

from hypothesis import given
from hypothesis import strategies as st

from crawler.publish.site.comparison import BORDER, EXCERPT, Excerpts, Passage, excerpt, passages
from crawler.text.differences import Words, differences

TEXTS = st.lists(st.text("甲乙丙丁。", max_size=12), max_size=6)


def said(found: list[Passage]) -> list[tuple[bool, list[str]]]:
    """Passages with their paragraphs as text: [-went-], {+came+}."""
    return [(one.is_changed, ["".join(map(marked, words)) for words in one.paragraphs]) for one in found]


def marked(word: Words) -> str:
    return {"keep": "{}", "remove": "[-{}-]", "add": "{{+{}+}}"}[word.kind].format(word.text)


def test_changed_paragraphs_stand_alone_between_those_that_stayed() -> None:
    before = ["会议今天召开。", "期限是6月10日。", "处分两人。", "会议结束。"]
    after = ["会议今天召开。", "期限是6月25日。", "会议结束。"]
    assert said(passages(differences(before, after))) == [
        (False, ["会议今天召开。"]),
        (True, ["期限是6月[-10-]{+25+}日。", "[-处分两人。-]"]),
        (False, ["会议结束。"]),
    ]
    assert said(passages(differences(after, before)))[1] == (True, ["期限是6月[-25-]{+10+}日。", "{+处分两人。+}"])


def test_paragraphs_that_became_one_say_so() -> None:
    [found] = passages(differences(["会议今天召开。", "期限是6月。"], ["会议今天召开。期限是6月。"]))
    assert marked(Words(kind="remove", text=BORDER)) in said([found])[0][1][0]


def test_the_last_paragraph_that_went_stands_alone() -> None:
    assert said(passages(differences(["一。", "二。"], ["一。"]))) == [(False, ["一。"]), (True, ["[-二。-]"])]


@given(TEXTS, TEXTS)
def test_what_is_shown_is_both_texts(before: list[str], after: list[str]) -> None:
    shown = [word for one in passages(differences(before, after)) for words in one.paragraphs for word in words]
    for texts, other in ((before, "add"), (after, "remove")):
        kept = "".join(word.text for word in shown if word.kind != other)
        assert kept.replace(BORDER, "") == "".join(texts)


@given(TEXTS)
def test_of_the_same_text_nothing_is_changed(texts: list[str]) -> None:
    changes = differences(texts, texts)
    assert not any(one.is_changed for one in passages(changes))
    assert excerpt(changes) == []


@given(TEXTS, TEXTS)
def test_an_excerpt_is_short_and_begins_at_a_change(before: list[str], after: list[str]) -> None:
    changes = differences([text * 30 for text in before], [text * 30 for text in after])
    found = excerpt(changes)
    assert sum(len(word.text) for word in found) <= 3 * EXCERPT
    assert [word.kind for word in found[:2]] != ["keep", "keep"]


@given(TEXTS, TEXTS)
def test_what_an_excerpt_joins_stands_together(before: list[str], after: list[str]) -> None:
    found = excerpt(differences(before, after))
    for texts, other in ((before, "add"), (after, "remove")):
        shown = "".join(word.text for word in found if word.kind != other).replace(BORDER, " ")
        assert all(piece.strip() in " ".join(texts) for piece in shown.split("…"))


def test_texts_that_are_too_long_or_too_late_are_not_compared() -> None:
    assert Excerpts(9).of(["一。"], ["二。"])
    assert Excerpts(9).of(["一" * 30_000], ["二。"]) == []
    late = Excerpts(0)
    time.sleep(0.001)
    assert late.of(["一。"], ["二。"]) == []
