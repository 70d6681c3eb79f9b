"""A version's paragraphs as they are read: what is left out of them, and where it stood."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crawler.archive.defacements import HONEST
from crawler.records import Role, SpamSpan

LEFT_OUT: tuple[Role, ...] = ("repeat", "boilerplate", "spam")
TITLE = -1
"""Position of spans in the title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A paragraph as it was stored, with its place."""

    position: int
    section_id: int
    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of a paragraph that is read, or the gap where something was cut out."""

    text: str
    cut: int | None = None
    """Number of the removal, from 1; its text is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A paragraph that is read."""

    position: int
    section_id: int
    role: Role
    pieces: tuple[Piece, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """Of a data table's row, its cells; none of anything else."""
        text = "".join(piece.text for piece in self.pieces)
        return tuple(text.split("\t")) if "\t" in text and not any(piece.cut for piece in self.pieces) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What the reading text leaves out, or only flags."""

    number: int
    position: int
    text: str
    reason: str
    """``repeat``, ``boilerplate``, ``spam``; ``suspected`` where it was left in."""
    rule: str | None
    """Of an injected run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A version as it is read, and all that this leaves out."""

    title: tuple[Piece, ...]
    blocks: tuple[Block, ...]
    removals: tuple[Removal, ...]


def read(title: str, printed: Sequence[Printed], spans: Sequence[SpamSpan]) -> Reading:
    """Take a version apart; what is read is ``article_texts`` to the letter, *spans* are those of all positions."""
    removals: list[Removal] = []
    by_place: dict[int, list[SpamSpan]] = {}
    for span in sorted(spans, key=lambda span: (span.position, span.start)):
        by_place.setdefault(span.position, []).append(span)
    pieces = tuple(_pieces(title, by_place.get(TITLE, ()), removals))
    blocks = []
    for one in printed:
        if one.role in LEFT_OUT:
            removals.append(
                Removal(
                    number=len(removals) + 1,
                    position=one.position,
                    text=one.text,
                    reason=one.role,
                    rule=next((span.rule for span in by_place.get(one.position, ())), None),
                )
            )
        else:
            found = tuple(_pieces(one.text, by_place.get(one.position, ()), removals))
            blocks.append(Block(position=one.position, section_id=one.section_id, role=one.role, pieces=found))
    return Reading(title=pieces, blocks=tuple(blocks), removals=tuple(removals))


def _pieces(text: str, spans: Sequence[SpamSpan], removals: list[Removal]) -> Iterator[Piece]:
    at = 0
    for span in spans:
        if not span.cut and span.rule in HONEST:
            continue
        reason = "suspected" if not span.cut else "repeat" if span.rule == "repeat" else "spam"
        number = len(removals) + 1
        removals.append(Removal(number=number, position=span.position, text=span.text, reason=reason, rule=span.rule))
        if span.cut:
            yield Piece(text=text[at : span.start])
            yield Piece(text="", cut=number)
            at = span.end
    yield Piece(text=text[at:])
