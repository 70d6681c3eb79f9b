"""Stage 3: what is page furniture leaves the text, and is kept with the rule that removed it."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

from crawler.records import Article, Paragraph, Removal, Role
from crawler.text import bylines, signoffs
from crawler.vocabulary import table

Item = TypeVar("Item")

MAX_RULED = 220
"""Longer paragraphs are prose, whatever they say (characters)."""
HEAD = 12
"""Paragraphs at the beginning among which the repeated title and the information line are looked for."""
TAIL = 0.5
"""Rules for the end hold behind this part of the text's characters."""
MAX_SITE = 40
"""Characters of what else a line says that has a date and two labels: the site's name and address."""
END_REST = 0.5
"""An end of the text is believed where what follows is shorter than this part of what precedes."""

_STOP = re.compile(r"[。！？!?；;]")
_SENTENCE = re.compile(r"[。！？]|[\u4e00-\u9fff]\?")
_OF_EVENT = re.compile(r"\s*(?:时\s*间|日\s*期)\s*[:：]")
_PROSE = 25
"""A paragraph of so many characters with a full stop is prose, and no line above a title."""
DAY = len("2014-06-03")
ABOVE = 0.5
"""What stands above the title or the information line leaves the text up to this part of its characters: the line may
stand below a text without 。 (a list of names, another language)."""
_LONG = 50
"""What a sub-head stands above is longer (characters)."""
_BRACKETS = str.maketrans("【】〖〗〔〕", "[][][]")
_EMPTY = re.compile(r"[\[(（【]\s*[\])）】]")
"""Brackets around a date that was taken out."""
_CAPTION = re.compile(
    r"^(?:图为|图:|资料图|图注|图\d*[:：]|△|▲|◎ ?图)|(?:摄|供图|/摄)[)）]?$"
    r"|[(（](?:左|右|前|中|后)排?[一二三四五六七八九十]?[)）]|^[(（]?(?:资料图片?|图片来源.*|图源.*)[)）]?$"
)
_END = re.compile(r"[。！？!?；;：:，,.…”]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    name: str
    at: str
    ends: bool
    above: str | None
    """The rule that has to have removed the line below."""
    pattern: re.Pattern[str]


@cache
def _rules() -> tuple[_Rule, ...]:
    rules = table("furniture")["rule"]
    joined = "|".join(_any_of(rule["lines"]) for rule in rules if rule.get("joins"))
    row = _Rule(
        name="buttons", at="any", ends=False, above=None, pattern=re.compile(rf"(?>[\[(]*(?:{joined})[\])]*[ |/]*+)++")
    )
    return (
        *(
            _Rule(
                name=rule["name"],
                at=rule["at"],
                ends=rule.get("ends", False),
                above=rule.get("above"),
                pattern=re.compile(_any_of(rule["lines"])),
            )
            for rule in rules
        ),
        row,
    )


def _any_of(lines: Sequence[str]) -> str:
    return "|".join(f"(?:{line})" for line in lines)


def clean(article: Article) -> Article:
    """Remove page furniture; credits and sign-offs stay with the role ``byline``, captions and sub-heads get theirs.

    Every removed paragraph is added to ``removed`` with its rule, in page order behind what was removed before.
    """
    if not article.paragraphs:
        return article
    texts = [paragraph.text for paragraph in article.paragraphs]
    forms = [_form(text) if _may_be_furniture(text) else "" for text in texts]
    cut: list[str | None] = [None] * len(texts)
    _cut_anywhere(forms, cut)
    _cut_head(article, texts, cut)
    _cut_tail(texts, forms, cut)
    _cut_edges(forms, cut)
    kept = [index for index, rule in enumerate(cut) if rule is None]
    return replace(
        article,
        paragraphs=tuple(
            replace(article.paragraphs[index], role=role)
            for index, role in zip(kept, _roles([article.paragraphs[index] for index in kept]), strict=True)
        ),
        removed=(
            *article.removed,
            *(Removal(text=texts[i], reason="furniture", rule=rule) for i, rule in enumerate(cut) if rule is not None),
        ),
    )


def _may_be_furniture(text: str) -> bool:
    """Most paragraphs are plainly prose: they are spared the rules."""
    return len(text) <= MAX_RULED and (len(text) < _LONG or text.count("。") < 2)


def _form(text: str) -> str:
    """The form that rules are matched against: half-width, square brackets, white space single."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_BRACKETS).split())


def _cut_anywhere(forms: Sequence[str], cut: list[str | None]) -> None:
    rules = [rule for rule in _rules() if rule.at == "any"]
    for index, form in enumerate(forms):
        if form and not form.endswith("。"):  # buttons are no sentences
            cut[index] = next((rule.name for rule in rules if rule.pattern.fullmatch(form)), None)


def _cut_head(article: Article, texts: Sequence[str], cut: list[str | None]) -> None:
    """The repeated title, the information line, and what stands above them without being prose."""
    title = _squeezed(article.title or "")
    above = -1
    for index in range(min(HEAD, len(texts))):
        if cut[index] is not None:
            continue
        run = _title_run(texts, index, title) or int(_is_dated_title(texts[index], article))
        if run:
            cut[index : index + run] = ["title"] * run
            above = index + run - 1
        elif _is_information(texts[index], article):
            cut[index] = "information line"
            above = index
        elif _is_prose(texts[index]):
            break
    others = [index for index in range(above) if cut[index] is None and not _is_prose(texts[index])]
    if sum(len(texts[index]) for index in others) <= ABOVE * sum(map(len, texts)):
        for index in others:
            cut[index] = "above the title"


def _title_run(texts: Sequence[str], index: int, title: str) -> int:
    """How many paragraphs from *index* on repeat the title; 0 for none."""
    joined = ""
    for count in range(1, 5):
        if index + count > len(texts):
            break
        joined += _squeezed(texts[index + count - 1])
        if joined == title:
            return count if title else 0
        if not title.startswith(joined):
            break
    return 0


def _is_dated_title(text: str, article: Article) -> bool:
    """Tell whether a line is the title with the information line behind it."""
    line = bylines.read_line(text)
    rest = _EMPTY.sub("", line.rest)
    return line.published is not None and bool(article.title) and _squeezed(rest) == _squeezed(article.title or "")


def _is_information(text: str, article: Article) -> bool:
    """Tell whether a line at the head says when and where from, and nothing else."""
    if len(text) > MAX_RULED or _SENTENCE.search(text):  # what is said behind 记者: may be an interview's
        return False
    line = bylines.read_line(text)
    if _OF_EVENT.match(text) and (line.published or "")[:DAY] != (article.published or "")[:DAY]:
        return False
    if line.labels:
        told = line.published or line.source or not (line.author or line.editor or line.chief_editor)
        return bool(told) and len(line.rest) <= (MAX_SITE if line.published and line.labels > 1 else 16)
    # A day alone may belong to the text: the date of a speech or a notice.
    published = line.published or ""
    return published == article.published and len(published) > DAY and len(line.rest) <= 12


def _is_prose(text: str) -> bool:
    return len(text) >= _PROSE and bool(_STOP.search(text))


def _cut_tail(texts: Sequence[str], forms: Sequence[str], cut: list[str | None]) -> None:
    """Rules for the end; a rule that ends the text takes what follows with it."""
    rules = [rule for rule in _rules() if rule.at == "tail"]
    sizes = [len(text) for text in texts]
    total, before = sum(sizes), 0
    for index, form in enumerate(forms):
        if before >= TAIL * total and form:
            rule = next((rule for rule in rules if rule.pattern.fullmatch(form)), None)
            if rule is not None:
                cut[index] = cut[index] or rule.name
                rest = total - before - sizes[index]
                if rule.ends and rest <= END_REST * before and not _goes_on(texts[index + 1 :]):
                    cut[index + 1 :] = [done or "behind the end" for done in cut[index + 1 :]]
                    return
        before += sizes[index]


def _goes_on(texts: Sequence[str]) -> bool:
    """Tell whether the article goes on: prose that is no site's own statement."""
    return sum(len(text) for text in texts if _is_prose(text)) >= 4 * _PROSE


def _cut_edges(forms: Sequence[str], cut: list[str | None]) -> None:
    """Rules for the edges, as long as what is outside of them is cut too."""
    orders = ((range(len(forms)), {"edge"}), (range(len(forms) - 1, -1, -1), {"edge", "end"}))
    for order, places in orders:
        rules = [rule for rule in _rules() if rule.at in places]
        for index in order:
            if cut[index] is None:
                below = cut[index + 1] if index + 1 < len(cut) else None
                fitting = (rule for rule in rules if rule.above in {None, below})
                rule = next((rule for rule in fitting if forms[index] and rule.pattern.fullmatch(forms[index])), None)
                if rule is None:
                    break
                cut[index] = rule.name


def _roles(paragraphs: Sequence[Paragraph]) -> list[Role]:
    last = len(paragraphs) - 1
    return [
        _role(
            paragraph,
            leads=0 < index < last and len(paragraphs[index + 1].text) > _LONG,
            at_edge=min(index, last - index) < HEAD,
        )
        for index, paragraph in enumerate(paragraphs)
    ]


def _role(paragraph: Paragraph, *, leads: bool, at_edge: bool) -> Role:
    """The role of a paragraph; *leads* tells that it stands inside the text above a longer one, *at_edge* that it is
    among the first or last ones, where credits stand.
    """
    text = paragraph.text
    if paragraph.role not in {"body", "heading"}:
        return paragraph.role
    if len(text) > 60:
        return "body"
    if at_edge and signoffs.is_sign_off(text):
        return "byline"
    if len(text) <= 40 and _CAPTION.search(text):
        return "caption"
    if len(text) <= 40 and not _END.search(text) and leads:
        return "heading"
    return "body"


def _squeezed(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


class CleanPipeline:
    """Scrapy's item pipeline around `clean`."""

    def process_item(self, item: Item) -> Item | Article:
        """Clean articles; other items pass."""
        return clean(item) if isinstance(item, Article) else item
