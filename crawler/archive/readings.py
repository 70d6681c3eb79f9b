"""Articles made ready for the archive, before its transaction begins: checking and hashing need no lock."""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

from crawler.archive.batch import StoredArticle
from crawler.archive.texts import key_of, storable
from crawler.archive.times import to_second
from crawler.records import Article, Paragraph


class Fields(NamedTuple):
    """What makes a version: a portal that changes one of these has edited its article."""

    title: str | None
    published: str | None
    source: str | None
    author: str | None
    editor: str | None
    text_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An article whose every string can be stored."""

    article: Article
    url: str
    seen_at: str
    fields: Fields
    paragraphs: tuple[Paragraph, ...]
    chars: int


def read(item: StoredArticle) -> Reading:
    """Prepare an article. Raises ValueError where the stage ``sections`` has not been."""
    article = item.article
    paragraphs = tuple(_storable_paragraph(paragraph) for paragraph in article.paragraphs)
    text = "\n".join(paragraph.text for paragraph in paragraphs)
    return Reading(
        article=article,
        url=storable(item.url),
        seen_at=to_second(article.capture.fetched_at),
        fields=Fields(
            title=text_or_none(article.title),
            published=text_or_none(article.published),
            source=text_or_none(article.source),
            author=text_or_none(article.author),
            editor=text_or_none(article.editor),
            text_sha256=hashlib.sha256(text.encode()).hexdigest(),
        ),
        paragraphs=paragraphs,
        chars=len(text),
    )


def _storable_paragraph(paragraph: Paragraph) -> Paragraph:
    key = key_of(paragraph)
    text = storable(paragraph.text)
    return paragraph if text is paragraph.text else Paragraph(text=text, role=paragraph.role, fold_hash=key)


def text_or_none(value: str | None) -> str | None:
    """``storable``, where there is a text."""
    return value if value is None else storable(value)
