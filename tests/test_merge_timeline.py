"""What two observers saw of one article, put together, is what one observer of both would have stored."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from crawler.archive.merging.timeline import Sighting, State, missing, states
from crawler.archive.readings import Fields

Seen = tuple[str, str]
"""When, and what."""


def sighting(at: str, text: str, *, stored: bool = False, capture: int | None = 1) -> Sighting:
    fields = Fields(title=None, published=None, source=None, author=None, editor=None, text_sha256=text)
    return Sighting(at=at, fields=fields, payload_sha256=f"{at} {text}", version=1, is_stored=stored, capture=capture)


def versions(seen: Sequence[Seen]) -> list[Seen]:
    """What one observer stores: a version where the article shows something else than before."""
    return [own for number, own in enumerate(seen) if number == 0 or own[1] != seen[number - 1][1]]


def brought(sightings: Sequence[Sighting]) -> list[Seen]:
    return [(found.at, found.fields.text_sha256) for found in missing(sightings)]


def test_an_article_that_two_saw_alike_has_one_version() -> None:
    assert brought([sighting("1", "a", stored=True), sighting("2", "a")]) == []
    assert brought([sighting("2", "a", stored=True), sighting("1", "a")]) == []


def test_an_edit_is_brought_whoever_comes_first() -> None:
    assert brought([sighting("1", "a", stored=True), sighting("2", "b")]) == [("2", "b")]
    assert brought([sighting("2", "b", stored=True), sighting("1", "a")]) == [("1", "a")]


def test_an_edit_that_was_taken_back_is_two_edits() -> None:
    seen = [sighting("1", "a", stored=True), sighting("2", "b"), sighting("3", "a")]
    assert brought(seen) == [("2", "b"), ("3", "a")]


def test_the_same_bytes_are_no_edit_whatever_rules_read_them() -> None:
    other_rules = replace(sighting("2", "b"), payload_sha256="1 a")
    assert missing([sighting("1", "a", stored=True), other_rules]) == []


def test_what_no_capture_shows_becomes_no_version() -> None:
    assert brought([sighting("1", "a", stored=True), sighting("2", "b", capture=None)]) == []


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=8).flatmap(
        lambda texts: st.tuples(st.just(texts), st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    )
)
def test_two_histories_in_either_order_are_the_history_of_one_observer(seen: tuple[list[str], list[bool]]) -> None:
    texts, whose = seen
    moments = [(str(number), text) for number, text in enumerate(texts)]
    expected = [text for _, text in versions(moments)]
    for first in (True, False):
        stored = {at for at, _ in versions([own for own, side in zip(moments, whose, strict=True) if side is first])}
        sightings = [sighting(at, text, stored=at in stored) for at, text in moments]
        kept = stored | {at for at, _ in brought(sightings)}
        assert [text for _, text in versions([own for own in moments if own[0] in kept])] == expected
        # Versions that were stored apart and show the same, now that what was between them is known to be nothing,
        # stay: nothing is ever deleted. No other is there twice.
        doubled = len(kept) - len(expected)
        assert doubled <= max(0, len(stored) - 1)


def told(*rows: tuple[str, str]) -> list[State]:
    return [State(since=since, state=state, capture=None) for since, state in rows]


def test_an_article_that_answered_after_it_was_gone_is_there_again() -> None:
    rows = states(told(("2", "gone")), edits=(), answers=told(("1", "live"), ("3", "live")))
    assert [(row.since, row.state) for row in rows] == [("2", "gone"), ("3", "live")]


def test_an_article_that_vanished_after_all_had_seen_it_is_gone() -> None:
    rows = states(told(("4", "gone")), edits=(), answers=told(("1", "live"), ("3", "live")))
    assert [(row.since, row.state) for row in rows] == [("4", "gone")]


def test_an_edited_article_that_comes_back_is_edited() -> None:
    rows = states(told(("3", "gone"), ("5", "live")), edits=told(("2", "edited")), answers=())
    assert [(row.since, row.state) for row in rows] == [("2", "edited"), ("3", "gone"), ("5", "edited")]


def test_of_two_changes_in_one_second_the_later_stays() -> None:
    rows = states(told(("2", "gone")), edits=told(("2", "edited")), answers=told(("2", "live")))
    assert [(row.since, row.state) for row in rows] == [("2", "gone")]


@given(st.permutations([("1", "gone"), ("2", "live"), ("3", "edited"), ("4", "redirected"), ("5", "blocked")]))
def test_the_order_in_which_states_are_told_does_not_matter(rows: list[tuple[str, str]]) -> None:
    assert states(told(*rows), edits=(), answers=()) == states(told(*sorted(rows)), edits=(), answers=())
