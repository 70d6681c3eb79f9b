"""The text of a version: paragraphs, each stored once however often it is printed, and the way back to every byte."""

import json
import sqlite3
from collections.abc import Sequence

from crawler.archive.tables import UNREAD_ROLES
from crawler.records import Paragraph


class Sections:
    """Writes the paragraphs of versions, inside the caller's transaction; remembers what it met in it."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._met: dict[int, tuple[int, str]] = {}

    def store(self, version_id: int, paragraphs: Sequence[Paragraph]) -> None:
        """Write a version's paragraphs; a place has its own text only where the section's differs by a byte."""
        self._meet(version_id, paragraphs)
        self._conn.executemany(
            "INSERT INTO version_sections (version_id, position, section_id, role, text) VALUES (?, ?, ?, ?, ?)",
            [self._row(version_id, position, paragraph) for position, paragraph in enumerate(paragraphs)],
        )

    def _meet(self, version_id: int, paragraphs: Sequence[Paragraph]) -> None:
        unmet: dict[int, Paragraph] = {}
        for paragraph in paragraphs:
            if key_of(paragraph) not in self._met:
                unmet.setdefault(key_of(paragraph), paragraph)
        self._conn.executemany(
            "INSERT INTO sections (fold_hash, text, chars, first_version_id) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (fold_hash) DO NOTHING",
            [(key, paragraph.text, len(paragraph.text), version_id) for key, paragraph in unmet.items()],
        )
        rows = self._conn.execute(
            "SELECT fold_hash, id, text FROM sections WHERE fold_hash IN (SELECT value FROM json_each(?))",
            (json.dumps(list(unmet)),),
        )
        self._met.update((key, (section_id, text)) for key, section_id, text in rows)

    def _row(self, version_id: int, position: int, paragraph: Paragraph) -> tuple[int, int, int, str, str | None]:
        section_id, text = self._met[key_of(paragraph)]
        own_text = paragraph.text if paragraph.text != text else None
        return version_id, position, section_id, paragraph.role, own_text


def key_of(paragraph: Paragraph) -> int:
    """The key of its section. Raises ValueError where the stage ``sections`` has not set it."""
    if paragraph.fold_hash is None:
        raise ValueError("a paragraph without its key: the stage sections comes before storing")
    return paragraph.fold_hash


def paragraphs_of_version(conn: sqlite3.Connection, version_id: int) -> list[Paragraph]:
    """The paragraphs of a version as they were stored, in order. Raises LookupError for an unknown version."""
    rows = conn.execute(
        "SELECT coalesce(version_sections.text, sections.text), role, fold_hash"
        " FROM version_sections JOIN sections ON sections.id = section_id WHERE version_id = ? ORDER BY position",
        (version_id,),
    )
    paragraphs = [Paragraph(text=text, role=role, fold_hash=key) for text, role, key in rows]
    if not paragraphs and conn.execute("SELECT 1 FROM versions WHERE id = ?", (version_id,)).fetchone() is None:
        raise LookupError(f"no version has the id {version_id}")
    return paragraphs


def text_of_version(conn: sqlite3.Connection, version_id: int) -> str:
    """All paragraphs joined by newlines, whatever their role: what ``text_sha256`` and ``chars`` are over."""
    return "\n".join(paragraph.text for paragraph in paragraphs_of_version(conn, version_id))


def reading_text_of_version(conn: sqlite3.Connection, version_id: int) -> str:
    """What a reader is shown of a version, as ``article_texts`` has it of the newest one: without what is left out."""
    rows = conn.execute(
        "SELECT coalesce(version_sections.text, sections.text),"
        ' (SELECT json_group_array(json_array(start, "end")) FROM spam_spans AS span WHERE cut'
        "  AND span.version_id = version_sections.version_id AND span.position = version_sections.position)"
        " FROM version_sections JOIN sections ON sections.id = section_id"
        " WHERE version_id = ? AND role NOT IN (SELECT value FROM json_each(?)) ORDER BY version_sections.position",
        (version_id, json.dumps(UNREAD_ROLES)),
    )
    return "\n".join(_without(text, json.loads(spans)) for text, spans in rows)


def _without(text: str, spans: list[list[int]]) -> str:
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + text[end:]
    return text


def storable(text: str) -> str:
    """*text* with U+FFFD for lone surrogates, which no page has, UTF-8 cannot say, and SQLite refuses."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
