"""What the demo portals say: enough of it, all different, and nothing about any real place."""

from collections import Counter
from datetime import datetime

import opencc
import pytest

from crawler import divisions
from crawler.demo.portals import article_path
from crawler.demo.stories import Portal, blocks, load_all
from crawler.demo.truth import Expected, expected

PORTALS = load_all()
TRUTH = expected()
MACHINE_ERRORS = str.maketrans("乾懮纔", "干忧才")


@pytest.fixture(scope="module")
def simplified() -> opencc.OpenCC:
    return opencc.OpenCC("tw2s")


def plain(text: str, converter: opencc.OpenCC) -> str:
    """*text* in Simplified characters."""
    return str(converter.convert(text.translate(MACHINE_ERRORS)))


def by_name(name: str) -> Expected:
    return next(truth for truth in TRUTH if f"{truth.portal_id}/{truth.id}" == name)


@pytest.mark.parametrize("portal", PORTALS, ids=lambda portal: portal.id)
def test_a_portal_has_about_thirty_articles_of_its_own(portal: Portal) -> None:
    assert 28 <= len(portal.stories) <= 34
    assert len({story.id for story in portal.stories}) == len(portal.stories)
    assert len({article_path(portal, story) for story in portal.stories}) == len(portal.stories)
    assert len({story.title for story in portal.stories}) == len(portal.stories)


@pytest.mark.parametrize("truth", TRUTH, ids=lambda truth: f"{truth.portal_id}/{truth.id}")
def test_an_article_is_as_long_as_county_news_and_dated_when_there_was_some(truth: Expected) -> None:
    assert 240 <= sum(len(paragraph) for paragraph in truth.paragraphs) <= 1_500
    assert 2013 <= datetime.fromisoformat(truth.published).year <= 2024
    assert truth.source
    assert truth.editor
    assert all(paragraph == paragraph.strip() and paragraph for paragraph in truth.paragraphs)


def test_no_two_articles_share_a_paragraph_but_the_reprint(simplified: opencc.OpenCC) -> None:
    places: dict[str, list[Expected]] = {}
    for truth in TRUTH:
        for paragraph in truth.paragraphs:
            places.setdefault(plain(paragraph, simplified), []).append(truth)
    shared = {text: found for text, found in places.items() if len(found) > 1 and len(text) > 12}
    assert shared
    for found in shared.values():
        names = {f"{truth.portal_id}/{truth.id}" for truth in found}
        assert len(found) == 2
        assert any(truth.reprint_of in names for truth in found)


def test_the_reprint_has_the_same_text_in_the_other_script(simplified: opencc.OpenCC) -> None:
    (copy,) = [truth for truth in TRUTH if truth.reprint_of]
    original = by_name(copy.reprint_of or "")
    assert original.portal_id != copy.portal_id
    assert copy.paragraphs != original.paragraphs
    assert [plain(paragraph, simplified) for paragraph in copy.paragraphs] == list(original.paragraphs)


def test_no_real_place_is_named(simplified: opencc.OpenCC) -> None:
    names = {division.name for division in divisions.rows() if len(division.name) > 2}
    text = plain("\n".join("\n".join((truth.title, truth.source, *truth.paragraphs)) for truth in TRUTH), simplified)
    assert not [name for name in names if name in text]


def test_the_traditional_portal_reads_like_a_machine_conversion() -> None:
    text = "\n".join(truth.reading_text for truth in TRUTH if truth.portal_id == "yunzhang")
    assert "乾部" in text
    assert "解民懮" in text
    assert "纔" in text
    assert not set(text) & set("干忧国县镇农业")


def test_the_odd_cases_are_all_there() -> None:
    stories = [story for portal in PORTALS for story in portal.stories]
    assert Counter(story.layout for story in stories) == {"plain": len(stories) - 3, "one": 1, "hidden": 1, "twice": 1}
    assert sum(story.pinned for story in stories) == 1
    assert sum(story.gzip for story in stories) == 1
    assert sum(story.listed is not None and story.listed != story.day for story in stories) == 1
    assert {link.kind for portal in PORTALS for link in portal.links} == {
        "foreign",
        "forbidden",
        "gone",
        "jump",
        "moved",
    }
    assert all(any(truth.images for truth in TRUTH if truth.portal_id == portal.id) for portal in PORTALS)
    assert any(truth.attachments for truth in TRUTH)


def test_the_injected_phrase_stands_inside_a_sentence_and_not_in_the_reading_text() -> None:
    (spammed,) = [truth for truth in TRUTH if truth.spam]
    spam = spammed.spam or ""
    (paragraph,) = [paragraph for paragraph in spammed.paragraphs if spam in paragraph]
    before, after = paragraph.split(spam)
    assert before[-1] not in "。！？"
    assert after
    assert spam.count("_") == 2
    assert spam not in spammed.reading_text
    assert before + after in spammed.reading_text


def test_a_body_is_read_line_by_line() -> None:
    kinds = [
        (block.kind, block.text, block.href)
        for block in blocks("正文[注](见下)\n## 小标题\n![图说](a.png)\n[表.pdf](b.pdf)\n")
    ]
    assert kinds == [
        ("text", "正文[注](见下)", None),
        ("heading", "小标题", None),
        ("picture", "图说", "a.png"),
        ("file", "表.pdf", "b.pdf"),
    ]
