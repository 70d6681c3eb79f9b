"""Differences as pages show them: paragraph by paragraph, what stayed folded; or in short, around the first change."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from crawler.text.differences import PARAGRAPH_END, Difference, Words, differences

EXCERPT = 160
"""Characters of a change in short."""
AROUND = 18
"""Characters that stayed, before and behind a change in short."""
LONGEST = 20_000
"""Characters of a text that is compared for an excerpt."""
BORDER = "¶"
"""Stands for a border of paragraphs that went or came."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Paragraphs in a row that changed, or that stayed as they were."""

    is_changed: bool
    paragraphs: tuple[tuple[Words, ...], ...]


def passages(changes: Sequence[Difference]) -> list[Passage]:
    """What became of a text, by paragraphs of the newer one; a border that was taken away is in its paragraph."""
    return [
        Passage(is_changed, tuple(group))
        for is_changed, group in groupby(_paragraphs(changes), key=lambda one: any(w.kind != "keep" for w in one))
    ]


def _paragraphs(changes: Sequence[Difference]) -> Iterator[tuple[Words, ...]]:
    line: list[Words] = []
    for word in _slid([word for change in changes for word in _words(change)]):
        if word.text != PARAGRAPH_END:
            line.append(word)
            continue
        is_whole = all(each.kind == word.kind for each in line)
        if not is_whole and word.kind != "keep":
            line.append(Words(kind=word.kind, text=BORDER))
        if is_whole or word.kind != "remove":
            yield tuple(line)
            line = []
    if line:
        yield tuple(line)


def _slid(words: list[Words]) -> list[Words]:
    """The same change told by whole paragraphs: where a border and what stands behind it went or came, up to the next
    border, the first border stayed and it was the second one.
    """
    place = 0
    while place < len(words):
        first = words[place]
        place += 1
        if first.text != PARAGRAPH_END or first.kind == "keep":
            continue
        end = place
        while end < len(words) and words[end].kind == first.kind:
            end += 1
        if end < len(words) and words[end].text != PARAGRAPH_END:
            continue
        words[place - 1] = Words(kind="keep", text=PARAGRAPH_END)
        if end < len(words):
            words[end] = first
        place = end
    return words


def _words(change: Difference) -> Sequence[Words]:
    if change.kind == "reword":
        return change.words
    sentence = change.before if change.kind == "remove" else change.after
    return [Words(kind=change.kind, text=sentence.text)] if sentence else []


def excerpt(changes: Sequence[Difference]) -> list[Words]:
    """The first changes with a few characters around them, `EXCERPT` characters or a little more; empty without one."""
    found: list[Words] = []
    pieces = _joined(_slid([word for change in changes for word in _words(change)]))
    size = 0
    for place, word in enumerate(pieces):
        if word.kind == "keep":
            text = _around(
                word.text,
                behind=bool(found) and found[-1].kind != "keep",
                before=place + 1 < len(pieces) and pieces[place + 1].kind != "keep",
            )
        else:
            text = _cut(word.text.replace(PARAGRAPH_END, BORDER), EXCERPT)
        if not text:
            continue
        found.append(Words(kind=word.kind, text=text))
        size += len(text)
        if size > EXCERPT and word.kind != "keep":
            found.append(Words(kind="keep", text="…"))
            break
    return found


def _joined(words: Sequence[Words]) -> list[Words]:
    """The same words with what stayed in one piece between changes: what is left out of it has to show."""
    joined: list[Words] = []
    for word in words:
        if joined and joined[-1].kind == word.kind == "keep":
            joined[-1] = Words(kind="keep", text=joined[-1].text + word.text)
        else:
            joined.append(word)
    return joined


def _around(text: str, *, behind: bool, before: bool) -> str:
    """Of text that stayed, what stands next to a change."""
    text = text.replace(PARAGRAPH_END, " ")
    if len(text) <= AROUND * (behind + before):
        return text
    return f"{text[:AROUND] if behind else ''}{'…' * (behind or before)}{text[-AROUND:] if before else ''}"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"


class Excerpts:
    """Excerpts for one page, as many as fit into its time: hostile texts take half a second each."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def of(self, before: Sequence[str], after: Sequence[str]) -> list[Words]:
        """Of two versions' paragraphs; empty where texts are too long, or the time is over."""
        longest = max(sum(map(len, before)), sum(map(len, after)))
        if longest > LONGEST or time.monotonic() > self._end:
            return []
        return excerpt(differences(before, after))
