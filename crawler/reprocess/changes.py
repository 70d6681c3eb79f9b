"""What reading again changed: by field, with examples, in sum."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

Field = Literal[
    "kind", "title", "published", "source", "author", "editor", "text", "meta_published", "published_basis", "column",
    "division", "places", "links", "roles", "spam", "encoding",
]  # fmt: skip
FIELDS: tuple[Field, ...] = Field.__args__  # type: ignore[attr-defined]
"""In the order in which they are told."""
EXAMPLES = 5
"""Examples that are kept of each field."""
FAILURES = 20
"""Failures that are kept in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A field of one page that is read otherwise now; None where it is empty."""

    field: Field
    article_id: int | None
    """None for a page that was no article."""
    url: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCounts:
    """What became of one page, or of all of them."""

    pages: int = 0
    captures: int = 0
    """That were read: what came again byte for byte is read once."""
    reread: int = 0
    """Captures that are read otherwise, each with a version of its own now."""
    refreshed: int = 0
    """Articles that say something else besides their version: column, places, links."""
    edits: int = 0
    """Edits of the portal that older rules did not see."""
    articles: int = 0
    """Pages that are articles now."""
    lost: int = 0
    """Captures that are no article by today's rules; their versions stay."""
    failed: int = 0
    """Captures whose bytes could not be had."""

    def __add__(self, other: Self) -> Self:
        sums = {name: getattr(self, name) + getattr(other, name) for name in self.__slots__}
        return type(self)(**sums)


@dataclass(slots=True, kw_only=True)
class FieldChanges:
    """How a field changed."""

    changed: int = 0
    """Filled and emptied ones included."""
    filled: int = 0
    """It was empty."""
    emptied: int = 0
    examples: list[Change] = field(default_factory=list)

    def add(self, change: Change) -> None:
        """Count one more."""
        self.changed += 1
        self.filled += change.before is None
        self.emptied += change.after is None
        if len(self.examples) < EXAMPLES:
            self.examples.append(change)


@dataclass(slots=True, kw_only=True)
class Summary:
    """What reading again came to so far."""

    counts: PageCounts = field(default_factory=PageCounts)
    fields: dict[str, FieldChanges] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    """The first `FAILURES` in words."""

    def add(self, counts: PageCounts, changes: Iterable[Change], failures: Iterable[str]) -> None:
        """Take in a page."""
        self.counts += counts
        for change in changes:
            self.fields.setdefault(change.field, FieldChanges()).add(change)
        self.failures += list(failures)[: FAILURES - len(self.failures)]

    def as_data(self) -> dict[str, Any]:
        """For JSON; fields in their order."""
        told = [name for name in FIELDS if name in self.fields]
        return {
            "counts": asdict(self.counts),
            "fields": {name: asdict(self.fields[name]) for name in told},
            "failures": list(self.failures),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Back from `as_data`. Raises KeyError, TypeError for anything else."""
        fields = {
            name: FieldChanges(**{**told, "examples": [Change(**example) for example in told["examples"]]})
            for name, told in data["fields"].items()
        }
        return cls(counts=PageCounts(**data["counts"]), fields=fields, failures=list(data["failures"]))
