"""Whether two articles tell the same story: by wording, and by the facts that the wording carries."""

from collections.abc import Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from crawler.text.facts import Facts, contradict, facts
from crawler.text.folding import fold, hash_folded
from crawler.text.shingles import containment, jaccard, sample, shingles, sketch

ReprintKind = Literal["same", "edited", "excerpt"]

EDITED = 0.5
"""Jaccard similarity from which a text is an edition of another one. Unrelated county news stays below .3; with three
sentences of ten reworded it is about .55 (``bench/reprints.py``)."""
EXCERPT = 0.7
"""Share of its shingles that an excerpt has in common with the longer text."""
SHORTER = 2 / 3
"""Below this share of the longer text's shingles, a text that is contained in it is an excerpt, else an edition."""
SHORT = 80
"""Folded characters below which wording tells little (详见附件): such articles are the same, title and all, or not."""
SAMPLED = 40
"""Shingles in a sample below which it tells nothing."""
FAR, APART = EDITED - 0.2, EXCERPT - 0.2
"""Likeness and share of samples below which two texts are told apart by these alone. Of 22,500 candidates
(``bench/merge.py``) it spares nine of ten comparisons in vain, and the farthest reprint is at .53 and .85."""
COMPARED = 100_000
"""Folded characters of an article that are looked at; the longest of 101 real ones has 8,000."""


@dataclass(frozen=True, kw_only=True)
class Wording:
    """An article's words, ready to be compared."""

    title: str
    """Folded."""
    body: str = field(repr=False)
    """The reading text, folded."""

    @cached_property
    def shingles(self) -> frozenset[int]:
        """Of the body."""
        return frozenset(shingles(self.body))

    @cached_property
    def facts(self) -> Facts:
        """Of title and body."""
        return facts(self.title + self.body)

    @property
    def is_short(self) -> bool:
        """Whether nothing but the very same is its reprint."""
        return len(self.body) < SHORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """What is kept of an article's words, to find what is like it without reading them again."""

    keys: tuple[int, ...]
    """Signed integers of which likely reprints share one: the body's sketch; of a short one all its words."""
    sample: frozenset[int]
    """Of the body's shingles; empty for a short one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How two articles are alike."""

    kind: ReprintKind
    similarity: float
    """Jaccard similarity of their shingles, 0 to 1."""


def wording(title: str | None, body: str) -> Wording:
    """Fold an article's *title* and its reading text, paragraphs joined by newlines."""
    return Wording(title=fold(title or ""), body=fold(body)[:COMPARED])


def sketched(article: Wording) -> Sketch:
    """The sketch of an article. 0.4 ms for 1,000 characters."""
    if article.is_short:
        words = article.title + article.body
        return Sketch(keys=(hash_folded(words),) if article.body else (), sample=frozenset())
    hashes = shingles(article.body)
    return Sketch(keys=sketch(article.body, hashes), sample=sample(hashes))


def are_far(one: Set[int], other: Set[int]) -> bool:
    """Whether the samples of two articles show that these are two stories; else their words have to be compared."""
    if min(len(one), len(other)) < SAMPLED:
        return False
    return jaccard(one, other) < FAR and containment(one, other) < APART


def compare(one: Wording, other: Wording) -> Likeness | None:
    """How two articles are alike; None where they are two stories. The order does not matter.

    ``same``: nothing but format and script differ. ``edited``: J ≥ `EDITED`. ``excerpt``: most of a text is in one that
    is longer by half or more. Texts whose numbers and names contradict each other are a form filled in twice.
    """
    if one.is_short or other.is_short:
        is_same = one == other and bool(one.body)
        return Likeness(kind="same", similarity=1.0) if is_same else None
    found = _by_wording(one, other)
    if found is None or (one.title, one.body) == (other.title, other.body):
        return found
    return None if contradict(one.facts, other.facts) else found


def _by_wording(one: Wording, other: Wording) -> Likeness | None:
    if one.body == other.body:
        return Likeness(kind="same", similarity=1.0)
    similarity = jaccard(one.shingles, other.shingles)
    sizes = sorted((len(one.shingles), len(other.shingles)))
    if sizes[0] < SHORTER * sizes[1] and containment(one.shingles, other.shingles) >= EXCERPT:
        return Likeness(kind="excerpt", similarity=round(similarity, 3))
    if similarity >= EDITED:
        return Likeness(kind="edited", similarity=round(similarity, 3))
    return None
