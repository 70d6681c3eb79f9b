"""What changed between two texts: complete to the letter, in sentences that people would name, in bounded time."""

import time

from hypothesis import given
from hypothesis import strategies as st

from crawler.text.differences import PARAGRAPH_END, Difference, Words, differences, sentences, words

TEXTS = st.lists(st.text("县委。召开会议！3 .\n\u3000ab’”", max_size=30).map(lambda t: t.replace("\n", "")), max_size=6)


def told(before: list[str], after: list[str]) -> list[str]:
    """The differences as a person would note them down; what is kept is left out."""
    signs = {"remove": "-", "add": "+"}
    noted = []
    for difference in differences(before, after):
        if difference.kind == "reword":
            noted.append("".join(f"[{signs[w.kind]}{w.text}]" if w.kind in signs else w.text for w in difference.words))
        elif difference.kind in signs:
            sentence = difference.before or difference.after
            assert sentence
            noted.append(signs[difference.kind] + sentence.text.replace(PARAGRAPH_END, "¶"))
    return noted


def joined(found: list[Difference], side: str) -> str:
    return "".join(sentence.text for each in found if (sentence := getattr(each, side)))


@given(TEXTS, TEXTS)
def test_differences_are_complete(before: list[str], after: list[str]) -> None:
    found = differences(before, after)
    assert joined(found, "before") == "\n".join(before)
    assert joined(found, "after") == "\n".join(after)
    for each in found:
        assert (each.kind == "keep") == (each.before is not None and each.after is not None and not each.words)
        if each.words:
            assert "".join(w.text for w in each.words if w.kind != "add") == each.before.text  # type: ignore[union-attr]
            assert "".join(w.text for w in each.words if w.kind != "remove") == each.after.text  # type: ignore[union-attr]


@given(TEXTS)
def test_a_sentence_says_where_it_stands(paragraphs: list[str]) -> None:
    for sentence in sentences(paragraphs):
        if sentence.text == PARAGRAPH_END:
            assert sentence.start == sentence.end == len(paragraphs[sentence.paragraph])
        else:
            assert paragraphs[sentence.paragraph][sentence.start : sentence.end] == sentence.text


@given(TEXTS)
def test_a_text_does_not_differ_from_itself(paragraphs: list[str]) -> None:
    assert told(paragraphs, paragraphs) == []


def test_one_character_is_one_reworded_sentence() -> None:
    before = ["县委召开会议。会议要求抓好春耕生产，覆盖35个村。会议强调安全。", "记者王五"]
    after = ["县委召开会议。会议要求抓好春耕生产，覆盖36个村。会议强调安全。", "记者王五"]
    assert told(before, after) == ["会议要求抓好春耕生产，覆盖[-35][+36]个村。"]


def test_a_sentence_that_went_or_came_is_named_whole() -> None:
    assert told(["甲说好。乙说不好。丙没有说。"], ["甲说好。丙没有说。"]) == ["-乙说不好。"]
    assert told(["甲说好。"], ["甲说好。", "据悉，此事仍在调查之中。"]) == ["+¶", "+据悉，此事仍在调查之中。"]


def test_a_paragraph_that_was_parted_shows_its_border_alone() -> None:
    assert told(["甲说好。乙说不好。"], ["甲说好。", "乙说不好。"]) == ["+¶"]


def test_sentences_without_a_common_word_are_not_called_reworded() -> None:
    assert told(["春耕生产全面展开。"], ["消防演练昨日举行！"]) == ["-春耕生产全面展开。", "+消防演练昨日举行！"]


def test_a_reworded_sentence_is_found_among_new_ones() -> None:
    before = ["李明任副局长，负责日常工作。"]
    after = ["会议公布了人事安排。李明任局长，负责日常工作。散会。"]
    assert told(before, after) == ["+会议公布了人事安排。", "李明任[-副]局长，负责日常工作。", "+散会。"]


def test_quotes_and_dots_stay_with_their_sentence() -> None:
    texts = [sentence.text for sentence in sentences(["他说：“好……”大家都笑了。Mr. Li came.  3.5公里。"])]
    assert texts == ["他说：“好……”", "大家都笑了。", "Mr. ", "Li came.  ", "3.5公里。"]


def test_letters_shared_by_chance_do_not_chop_a_rewording() -> None:
    assert words("于昨日在县城召开", "今日于乡镇举行") == (
        Words(kind="remove", text="于昨日在县城召开"),
        Words(kind="add", text="今日于乡镇举行"),
    )


def test_texts_without_end_are_compared_in_bounded_time() -> None:
    many = [f"第{n}句话。" for n in range(30_000)]
    began = time.perf_counter()
    found = differences(["".join(many)], ["".join(many[::-1])])
    assert joined(found, "before") == "".join(many)
    found = differences(["是。" * 20_000], ["否。" * 10_000 + "是。" * 10_000])
    assert joined(found, "after") == "否。" * 10_000 + "是。" * 10_000
    assert time.perf_counter() - began < 10
