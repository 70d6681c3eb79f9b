"""Stage 4: paragraphs become sections: each gets its key, and what the article prints twice is marked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from crawler.records import Article, Paragraph
from crawler.text.folding import fold, hash_folded

LONG_REPEAT = 200
"""Letters and ideographs that make a run of paragraphs a repeat wherever it stands. Honest articles print captions,
prices, telephone numbers and leads again: up to 140 characters on the 101 articles of the development set."""
SHORT_REPEAT = 40
"""Letters and ideographs from which a run is a repeat where it is a third of the article: a brief printed twice."""

_LEFT_OUT = frozenset({"boilerplate", "spam"})
"""Roles that another stage decided; such paragraphs neither repeat nor part a run."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A paragraph with what decides whether it is a repeat."""

    position: int
    key: int
    chars: int
    """Length of the folded text."""


def sections(article: Article) -> Article:
    """Give every paragraph its ``fold_hash``, and the role ``repeat`` to runs of paragraphs that were there before.

    A run is a repeat where its different paragraphs are long together (`LONG_REPEAT`, `SHORT_REPEAT`); captions, names,
    table cells and standing phrases recur in honest articles. The first copy stays as it is; texts and their order are
    never changed.
    """
    found = [_section(position, paragraph) for position, paragraph in enumerate(article.paragraphs)]
    candidates = [section for section in found if article.paragraphs[section.position].role not in _LEFT_OUT]
    enough = min(LONG_REPEAT, max(SHORT_REPEAT, _different_chars(candidates) / 3))
    runs = [run for run in _runs_seen_before(candidates) if _different_chars(run) >= enough]
    repeats = {section.position for run in runs for section in run}
    return replace(
        article,
        paragraphs=tuple(
            Paragraph(
                text=paragraph.text,
                role="repeat" if section.position in repeats else paragraph.role,
                fold_hash=section.key,
            )
            for paragraph, section in zip(article.paragraphs, found, strict=True)
        ),
    )


def _section(position: int, paragraph: Paragraph) -> _Section:
    folded = fold(paragraph.text)
    return _Section(position=position, key=hash_folded(folded or paragraph.text), chars=len(folded))


def _runs_seen_before(candidates: Sequence[_Section]) -> Iterator[list[_Section]]:
    """Maximal runs of neighbouring sections whose keys were all there before them."""
    seen: set[int] = set()
    run: list[_Section] = []
    for section in candidates:
        if section.key in seen:
            run.append(section)
        else:
            seen.add(section.key)
            if run:
                yield run
                run = []
    if run:
        yield run


def _different_chars(group: Sequence[_Section]) -> int:
    """Folded characters of a group of sections, each text counted once."""
    return sum({section.key: section.chars for section in group}.values())


class SectionsPipeline:
    """Scrapy's item pipeline around `sections`."""

    def process_item(self, item: Item) -> Item | Article:
        """Cut an article into sections; items of other kinds pass through."""
        return sections(item) if isinstance(item, Article) else item
