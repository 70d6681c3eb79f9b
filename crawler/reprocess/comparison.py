"""A reading held against the one that is stored: what is read otherwise, by field, before and after."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from crawler.archive.readings import Reading
from crawler.archive.rereadings import Shown, StoredReading
from crawler.archive.texts import storable
from crawler.records import Article
from crawler.reprocess.changes import Field

BeforeAndAfter = tuple[str | None, str | None]
Differing = dict[Field, BeforeAndAfter]

AROUND, QUOTED = 12, 60
"""Characters before and from the first difference of two texts that are quoted."""

_OF_VERSION: tuple[Field, ...] = ("title", "published", "source", "author", "editor")


def differences(stored: StoredReading, reading: Reading) -> Differing:
    """The fields in which a version would differ; roles and injected runs only where the text is the same."""
    return dict(_differences(stored, reading))


def _differences(stored: StoredReading, reading: Reading) -> Iterator[tuple[Field, BeforeAndAfter]]:
    now, before = reading.fields, stored.fields
    for name in _OF_VERSION:
        if getattr(now, name) != getattr(before, name):
            yield name, (getattr(before, name), getattr(now, name))
    article = reading.article
    meta_published = article.meta_published and storable(article.meta_published)
    if meta_published != stored.meta_published:
        yield "meta_published", (stored.meta_published, meta_published)
    if now.text_sha256 != before.text_sha256:
        yield "text", (None, None)
        return
    roles = tuple(paragraph.role for paragraph in reading.paragraphs)
    if roles != stored.roles:
        yield "roles", (_counted(stored.roles), _counted(roles))
    if not _have_same_spans(stored, article):
        old = _counted("cut" if span.cut else "flagged" for span in stored.spans)
        yield "spam", (old, _counted("cut" if span.cut else "flagged" for span in article.spam))


def _have_same_spans(stored: StoredReading, article: Article) -> bool:
    if len(stored.spans) != len(article.spam):
        return False
    return all(
        (old.position, old.start, old.end, old.rule) == (new.position, new.start, new.end, new.rule)
        and (old.was_raised or (old.score, old.cut) == (new.score, new.cut))
        for old, new in zip(stored.spans, article.spam, strict=True)
    )


def besides(shown: Shown, article: Article) -> Differing:
    """What an article would say otherwise besides its version."""
    column = article.column and storable(article.column)
    told: Differing = {
        "published_basis": (shown.published_basis, article.published_basis),
        "column": (shown.column, column),
        "division": (
            _joined(shown.division, shown.division_basis),
            _joined(article.division, article.division_basis),
        ),
    }
    differing: Differing = {name: (before, after) for name, (before, after) in told.items() if before != after}
    mentions = {mention.division_code: mention.count for mention in article.mentions}
    if mentions != shown.mentions:
        differing["places"] = _named(shown.mentions), _named(mentions)
    links = {storable(file.url) for file in article.attachments} | {storable(image.url) for image in article.images}
    if not links <= shown.links:
        differing["links"] = None, " ".join(sorted(links - shown.links))
    return differing


def excerpts(old: str, reading: Reading) -> tuple[str | None, str | None]:
    """A few words of both texts from where they begin to differ."""
    new = "\n".join(paragraph.text for paragraph in reading.paragraphs)
    same = next(
        (n for n, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new))
    )
    start = max(0, same - AROUND)
    before, after = (text[start : start + AROUND + QUOTED] for text in (old, new))
    return before if old else None, after if new else None


def _counted(names: Iterable[str]) -> str | None:
    """``body 12, heading 1``; None for nothing."""
    return ", ".join(f"{name} {count}" for name, count in sorted(Counter(names).items())) or None


def _named(mentions: Mapping[str, int]) -> str | None:
    return " ".join(f"{code}×{count}" for code, count in sorted(mentions.items())) or None


def _joined(*words: str | None) -> str | None:
    return " ".join(word for word in words if word) or None
