"""Like texts have like sketches; how like, their shingles say."""

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.text.shingles import (
    ANCHOR_WIDTH,
    ANCHORS,
    BANDS,
    SLOTS,
    containment,
    jaccard,
    packed,
    sample,
    shingles,
    signature,
    sketch,
    unpacked,
)

TEXTS = st.text(max_size=200)
CHINESE = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=ANCHOR_WIDTH, max_size=300)


def keys_of(text: str) -> tuple[int, ...]:
    return sketch(text, shingles(text))


def prose(chance: random.Random, length: int) -> str:
    """Characters as unevenly used as in real text."""
    return "".join(chr(0x4E00 + int(min(chance.paretovariate(0.6), 3000))) for _ in range(length))


def rewritten(text: str, chance: random.Random, share: float) -> str:
    """*text* with its last part replaced."""
    cut = int(len(text) * (1 - share))
    return text[:cut] + prose(chance, len(text) - cut)


@given(TEXTS)
def test_a_text_has_a_shingle_from_each_of_its_characters_but_the_last_two(text: str) -> None:
    hashes = shingles(text)
    assert len(hashes) == max(0, len(text) - 2)
    assert len(set(hashes)) == len({text[at : at + 3] for at in range(len(text) - 2)})


@given(TEXTS, TEXTS)
def test_likeness_is_symmetric_and_between_nothing_and_all(one: str, other: str) -> None:
    a, b = set(shingles(one)), set(shingles(other))
    assert 0 <= jaccard(a, b) == jaccard(b, a) <= containment(a, b) == containment(b, a) <= 1


@given(CHINESE, CHINESE)
def test_a_text_is_like_itself_and_contained_in_what_quotes_it(text: str, more: str) -> None:
    own = set(shingles(text))
    assert jaccard(own, own) == 1
    assert containment(own, set(shingles(more + text))) == 1


def test_a_text_without_shingles_is_like_nothing() -> None:
    assert jaccard(set(), set()) == containment(set(), set(shingles("三个字"))) == 0
    assert keys_of("") == keys_of("两字") == signature(frozenset()) == ()


@pytest.mark.parametrize("length", [90, 400, 1600])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
def test_signatures_agree_in_as_many_slots_as_the_texts_are_alike(length: int, share: float) -> None:
    chance = random.Random(length)
    errors = []
    for _ in range(60):
        text = prose(chance, length)
        one, other = (frozenset(shingles(each)) for each in (text, rewritten(text, chance, share)))
        agreeing = sum(a == b for a, b in zip(signature(one), signature(other), strict=True)) / SLOTS
        errors.append(agreeing - jaccard(one, other))
    assert abs(statistics.mean(errors)) < 0.04
    assert statistics.stdev(errors) < 0.12  # 0.08 at J = .5 by theory


@given(st.text(min_size=3, max_size=300))
def test_a_sketch_is_the_same_every_time_and_fits_a_column(text: str) -> None:
    keys = keys_of(text)
    assert keys == keys_of(text)
    assert BANDS <= len(keys) <= BANDS + ANCHORS
    assert all(-(2**31) <= key < 2**31 for key in keys)


def test_a_sketch_stays_what_it_is_because_archives_hold_it() -> None:
    keys = keys_of("青溪县组织三千名干部走村入户面对面了解群众所思所盼所忧")
    assert (len(keys), keys[0], keys[-1]) == (12, 1704628748, 1787886231)


def test_texts_that_are_alike_share_a_key_and_strangers_do_not() -> None:
    chance = random.Random(3)
    pairs = [(text, rewritten(text, chance, 0.25)) for text in (prose(chance, 800) for _ in range(100))]
    assert all(set(keys_of(one)) & set(keys_of(other)) for one, other in pairs)
    strangers = [set(keys_of(one)) for one, _ in pairs]
    assert sum(bool(one & other) for at, one in enumerate(strangers) for other in strangers[:at]) < 50  # of 4,950


def test_a_third_of_a_text_shares_a_key_with_the_whole() -> None:
    chance = random.Random(4)
    texts = [prose(chance, 1200) for _ in range(100)]
    assert sum(bool(set(keys_of(text)) & set(keys_of(text[500:900]))) for text in texts) >= 85


@given(TEXTS)
def test_a_sample_is_stored_as_it_is(text: str) -> None:
    own = sample(shingles(text))
    assert unpacked(packed(own)) == own
    assert own <= sample(shingles(text + "更多的话"))


def test_a_sample_stays_what_it_is_because_archives_hold_it() -> None:
    own = sample(shingles("青溪县组织三千名干部走村入户面对面了解群众所思所盼所忧"))
    assert packed(own).hex() == "7486effc"


def test_samples_are_as_alike_as_their_texts() -> None:
    chance = random.Random(5)
    errors = []
    for share in (0.1, 0.4, 0.7) * 30:
        text = prose(chance, 1200)
        one, other = shingles(text), shingles(rewritten(text, chance, share))
        errors.append(jaccard(sample(one), sample(other)) - jaccard(set(one), set(other)))
    assert abs(statistics.mean(errors)) < 0.02
    assert statistics.stdev(errors) < 0.06  # 0.04 at J = .5 by theory
