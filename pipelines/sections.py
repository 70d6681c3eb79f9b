"""Stage 5: paragraphs become sections: each gets its key, and what the article prints twice is marked."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeVar

from crawler.records import Article, Paragraph, SpamSpan
from crawler.text.folding import fold, hash_folded
from crawler.text.repeats import REPEAT_RULE, SHORT_REPEAT, Copy, repeats

MOSTLY = 0.9
"""Share of a paragraph or a sentence from which it is a repeat: the rest is a figure or a typo that was changed."""
CHANCE = 2
"""Letters in front of a copy that may be the same by chance."""

_LEFT_OUT = frozenset({"boilerplate", "spam"})
"""Roles that another stage decided; such paragraphs neither repeat nor part a copy."""
_SENTENCE = re.compile(r".*?(?:(?:[。！？!?；;…]|\.(?=\s))[”’」』）)\]】]*|\s{2}|\u3000)\s*|.+", re.DOTALL)

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sentence:
    """A sentence of a paragraph: where it is there, and in the folded text of all that is compared."""

    start: int
    end: int
    folded_start: int
    folded_end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A paragraph that is compared, and where it lies in the folded text of all of them."""

    position: int
    key: int
    start: int
    end: int
    sentences: tuple[_Sentence, ...]
    """Empty where something was injected between them."""


def sections(article: Article) -> Article:
    """Give every paragraph its ``fold_hash``, and the role ``repeat`` to those that a later copy is made of.

    What is a copy: `crawler.text.repeats`. Where one ends or begins inside a paragraph that says something new too, its
    sentences there become a cut span of the rule ``repeat``. The first copy stays; texts and their order are never
    changed.
    """
    folds = [fold(paragraph.text) for paragraph in article.paragraphs]
    keys = [hash_folded(folded or text.text) for folded, text in zip(folds, article.paragraphs, strict=True)]
    compared = _without_spam(article, folds)
    copies = repeats("".join(compared.values()))
    marked: set[int] = set()
    spans: list[SpamSpan] = []
    if copies:
        laid_out = list(_lay_out(article, compared, keys))
        copied = _copied(_begun_with_a_sentence(copies, laid_out), laid_out[-1].end)
        marked = {section.position for section in _repeated(laid_out, copied)}
        for section in laid_out:
            if section.position not in marked:
                spans.extend(_spans(section, article.paragraphs[section.position].text, copied))
    return replace(
        article,
        paragraphs=tuple(
            Paragraph(text=paragraph.text, role="repeat" if position in marked else paragraph.role, fold_hash=key)
            for position, (paragraph, key) in enumerate(zip(article.paragraphs, keys, strict=True))
        ),
        spam=tuple(sorted((*article.spam, *spans), key=lambda span: (span.position, span.start))),
    )


def _without_spam(article: Article, folds: Sequence[str]) -> dict[int, str]:
    """The folded text of each paragraph that is compared, by position, without what was injected into it."""
    compared = {
        position: folds[position]
        for position, paragraph in enumerate(article.paragraphs)
        if paragraph.role not in _LEFT_OUT
    }
    for position, group in groupby((span for span in article.spam if span.cut), key=lambda span: span.position):
        if position in compared:
            text, kept, at = article.paragraphs[position].text, "", 0
            for span in group:
                kept += text[at : span.start]
                at = span.end
            compared[position] = fold(kept + text[at:])
    return compared


def _lay_out(article: Article, compared: dict[int, str], keys: Sequence[int]) -> Iterator[_Section]:
    injected = {span.position for span in article.spam}
    start = 0
    for position, folded in compared.items():
        end = start + len(folded)
        sentences = () if position in injected else tuple(_sentences(article.paragraphs[position].text, start))
        if sentences and sentences[-1].folded_end != end:  # NFKC joined letters of two: nothing that anybody writes
            sentences = ()
        yield _Section(position=position, key=keys[position], start=start, end=end, sentences=sentences)
        start = end


def _sentences(text: str, folded_start: int) -> Iterator[_Sentence]:
    for found in _SENTENCE.finditer(text):
        folded_end = folded_start + len(fold(found[0]))
        yield _Sentence(start=found.start(), end=found.end(), folded_start=folded_start, folded_end=folded_end)
        folded_start = folded_end


def _begun_with_a_sentence(copies: Sequence[Copy], laid_out: Sequence[_Section]) -> Iterator[Copy]:
    """Copies whose beginning is the beginning of a sentence, here or there; in forms it is what follows a name."""
    begins = {section.start for section in laid_out}
    begins.update(sentence.folded_start for section in laid_out for sentence in section.sentences)
    for copy in copies:
        # What stands in front of both may end with the same letters.
        if any(at + more in begins for at in (copy.first.source, copy.first.start) for more in range(CHANCE + 1)):
            yield copy


def _copied(copies: Iterable[Copy], size: int) -> bytearray:
    """For each character of the folded text 1 where it is in a piece of a copy, else 0."""
    copied = bytearray(size)
    for copy in copies:
        for piece in copy.pieces:
            copied[piece.start : piece.end] = bytes([1]) * (piece.end - piece.start)
    return copied


def _repeated(laid_out: Iterable[_Section], copied: bytearray) -> Iterator[_Section]:
    """Sections that are nearly all copy; a line without letters goes with the copy that it stands in or beside."""
    seen: set[int] = set()
    for section in laid_out:
        if section.start < section.end:
            is_repeat = _is_copy(section.start, section.end, copied)
        else:
            is_repeat = section.key in seen and any(copied[max(0, section.start - 1) : section.start + 1])
        if is_repeat:
            yield section
        seen.add(section.key)


def _spans(section: _Section, text: str, copied: bytearray) -> Iterator[SpamSpan]:
    """The sentences of a paragraph that are copy, where a row of them is long."""
    for is_copy, group in groupby(section.sentences, lambda s: _is_copy(s.folded_start, s.folded_end, copied)):
        row = list(group)
        if is_copy and row[-1].folded_end - row[0].folded_start >= SHORT_REPEAT:
            start, end = row[0].start, row[-1].end
            yield SpamSpan(
                position=section.position,
                start=start,
                end=end,
                text=text[start:end],
                rule=REPEAT_RULE,
                score=1.0,
                cut=True,
            )


def _is_copy(start: int, end: int, copied: bytearray) -> bool:
    """Whether of the characters from *start* to *end* the first one is copied, and most are."""
    return start == end or (copied[start] == 1 and copied.count(1, start, end) >= MOSTLY * (end - start))


class SectionsPipeline:
    """Scrapy's item pipeline around `sections`."""

    def process_item(self, item: Item) -> Item | Article:
        """Cut an article into sections; items of other kinds pass through."""
        return sections(item) if isinstance(item, Article) else item
