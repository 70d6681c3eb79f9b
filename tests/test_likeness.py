"""Two articles tell one story where their words agree and their facts do not contradict each other."""

import itertools
import random

import opencc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import lineage
from crawler.text.facts import contradict, facts
from crawler.text.folding import fold
from crawler.text.likeness import SHORT, Likeness, Wording, compare, sketched, wording

TRADITIONAL = opencc.OpenCC("s2t").convert
SAME = Likeness(kind="same", similarity=1.0)
STORIES = list(lineage.stories(30, seed=11))
SENTENCES = st.lists(
    st.builds(lambda seed: lineage.Author(random.Random(seed)).sentence(), st.integers(0, 30)), max_size=12
)


def words(story: lineage.Story) -> Wording:
    return wording(story.title, "\n".join(story.texts))


@given(SENTENCES, SENTENCES)
@settings(max_examples=50)
def test_the_order_of_two_articles_does_not_matter(one: list[str], other: list[str]) -> None:
    a, b = wording("标题", "\n".join(one)), wording("标题", "\n".join(other))
    assert compare(a, b) == compare(b, a)


@given(SENTENCES)
@settings(max_examples=50)
def test_script_does_not_matter(sentences: list[str]) -> None:
    text = "\n".join(sentences)
    one, other = wording("乾县见闻", text), wording("乾縣見聞", TRADITIONAL(text))
    assert one == other
    assert sketched(one) == sketched(other)
    assert compare(one, other) == (SAME if text else None)


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ("verbatim", {"same"}),
        ("format", {"same"}),
        ("script", {"same"}),
        ("light", {"same", "edited"}),
        ("heavy", {"edited"}),
        ("excerpt", {"excerpt"}),
        ("joined excerpt", {"excerpt", "edited"}),
    ],
)
def test_what_was_done_to_a_story_is_told(change: str, kinds: set[str]) -> None:
    for story, author in STORIES:
        found = compare(words(story), words(lineage.CHANGES[change](story, random.Random(story.lineage), author)))
        assert found is not None
        assert found.kind in kinds
        assert (found.similarity == 1) == (found.kind == "same")


def test_two_stories_are_two_stories() -> None:
    texts = [words(story) for story, _ in STORIES]
    assert not any(compare(one, other) for one, other in itertools.combinations(texts, 2))


def test_a_form_filled_in_again_is_another_notice() -> None:
    texts = [words(story) for story in lineage.notices(100, seed=12)]
    assert not any(compare(one, other) for one, other in itertools.combinations(texts, 2))
    assert all(compare(text, text) == SAME for text in texts)


def test_one_corrected_figure_is_an_edit() -> None:
    story, _ = STORIES[0]
    text = "\n".join(story.texts) + "全县共有312户受益。"
    found = compare(wording(story.title, text), wording(story.title, text.replace("312户", "321户")))
    assert found is not None
    assert found.kind == "edited"


def test_the_same_words_under_titles_that_name_others_are_two_notices() -> None:
    text = "经研究决定，现将有关事项予以公布，请各有关单位认真遵照执行，执行中遇到的问题请及时反馈。" * 3
    assert compare(wording("柳溪镇公告", text), wording("石桥镇公告", text)) is None
    assert compare(wording("柳溪镇公告", text), wording("柳溪镇公告（转发）", text)) == SAME


def test_a_short_text_is_a_reprint_only_under_the_same_title() -> None:
    text = "详见附件。"
    assert len(fold(text)) < SHORT
    assert compare(wording("2014年部门预算", text), wording("2014年部门预算", "詳見附件")) == SAME
    assert compare(wording("2014年部门预算", text), wording("2015年部门预算", text)) is None
    assert compare(wording("标题", ""), wording("标题", "")) is None
    assert sketched(wording("标题", "")).keys == ()


def test_numbers_places_and_persons_are_facts_in_their_frames() -> None:
    found = facts(fold("青溪县柳溪镇党委书记王建国说，投入３００万元，王秀英同志于2014年6月参加工作。"))
    assert found["县"] == {"青溪"}
    assert found["镇"] == {"柳溪"}
    assert found["书记+"] == {"王建"}
    assert found["+同志"] == {"王秀英"}
    assert found["投入#万"] == {"300"}
    assert found["志于#年"] == {"2014"}
    assert found["年#月"] == {"6"}


def test_facts_of_one_side_alone_contradict_nothing() -> None:
    one = facts(fold("柳溪镇投入300万元，涉及12个村"))
    assert not contradict(one, {})
    assert not contradict(one, facts(fold("书记王建国介绍，2014年完工")))
    assert not contradict(one, one)
    assert contradict(one, facts(fold("石桥镇投入500万元，涉及31个村")))


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_has_facts_and_a_likeness(one: str, other: str) -> None:
    assert contradict(facts(one), facts(other)) == contradict(facts(other), facts(one))
    compare(wording(one, other * 20), wording(other, one * 20))
