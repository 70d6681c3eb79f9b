"""Later copies are what stood there before, and any text is searched in time."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.text.repeats import COMPARED, EDIT, repeats

WORDS = st.lists(
    st.sampled_from(["青岚县组织千名干部走进田间地头", "铺设管道四千余米", "驻村工作组", "水", "一二", "ab" * 9]),
    max_size=60,
).map("".join)
SHORT_AND_LONG = st.text("青岚县水ab", max_size=300) | WORDS


@given(SHORT_AND_LONG, SHORT_AND_LONG, st.integers(0, 200))
def test_every_piece_stood_there_before_to_the_letter(text: str, between: str, cut: int) -> None:
    whole = text + between + text[:cut] + text
    end = 0
    for copy in repeats(whole):
        assert end <= copy.first.start
        for piece in copy.pieces:
            assert whole[piece.source : piece.source_end] == whole[piece.start : piece.end]
            assert piece.source_end <= copy.first.start
            assert end <= piece.start < piece.end
            assert piece is copy.first or piece.start - end <= EDIT
            end = piece.end
        assert end == copy.last.end <= len(whole)


@given(st.randoms(use_true_random=False), st.integers(200, 400))
def test_a_text_twice_is_one_copy(chance: random.Random, chars: int) -> None:
    text = "".join(map(chr, chance.sample(range(0x4E00, 0x9FA5), chars)))
    [copy] = repeats(text * 2)
    assert (copy.first.source, copy.first.start, copy.last.end) == (0, len(text), 2 * len(text))


@pytest.mark.parametrize("alphabet", ["a", "ab", "abcd", "人民政府工作报告县乡镇村"])
@pytest.mark.parametrize("chars", [1, 30, 200])
def test_hostile_texts_take_no_time(alphabet: str, chars: int) -> None:
    chance = random.Random(1)
    words = ["".join(chance.choices(alphabet, k=chars)) for _ in range(40)]
    text = "".join(chance.choices(words, k=COMPARED // chars))
    begun = time.process_time()
    repeats(text * 3)
    assert time.process_time() - begun < 2
