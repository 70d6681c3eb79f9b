"""Stage 4: injected advertisements are marked, in the title, in the paragraphs, and where no reader looks."""

from dataclasses import replace
from typing import TypeVar

from crawler.reading.prune import ADVERTISEMENTS
from crawler.records import Article, Paragraph, Removal, SpamSpan
from crawler.text.spam import is_all_of, marks, spans

Item = TypeVar("Item")

CERTAIN = 10.0
"""Score of an advertisement in a block that the page hides, or that is nothing but links."""


def spam(article: Article) -> Article:
    """Mark injected advertisements; no text is changed.

    A paragraph that is nothing else gets the role ``spam``. What was hidden, or removed as furniture, and advertises
    comes back with that role, behind the other paragraphs: as evidence.
    """
    texts = [paragraph.text for paragraph in article.paragraphs]
    found = marks(article.title, texts)
    hidden = [removal for removal in article.removed if _advertises(removal)]
    if not found and not hidden:
        return article
    whole = {span.position for span in found if span.position >= 0 and is_all_of(span, texts[span.position])}
    return replace(
        article,
        paragraphs=(
            *(replace(p, role="spam") if index in whole else p for index, p in enumerate(article.paragraphs)),
            *(Paragraph(text=removal.text, role="spam") for removal in hidden),
        ),
        removed=tuple(removal for removal in article.removed if removal not in hidden),
        spam=(*found, *(_whole(len(texts) + index, removal) for index, removal in enumerate(hidden))),
    )


def _advertises(removal: Removal) -> bool:
    """What a reader may have seen has to be an advertisement from end to end."""
    if removal.rule in ADVERTISEMENTS:
        return True
    found = spans(removal.text)
    return len(found) == 1 and found[0].cut and (found[0].start, found[0].end) == (0, len(removal.text))


def _whole(position: int, removal: Removal) -> SpamSpan:
    text = removal.text
    return SpamSpan(position=position, start=0, end=len(text), text=text, rule=removal.rule, score=CERTAIN, cut=True)


class SpamPipeline:
    """Scrapy's item pipeline around `spam`."""

    def process_item(self, item: Item) -> Item | Article:
        """Mark advertisements in articles; other items pass."""
        return spam(item) if isinstance(item, Article) else item
