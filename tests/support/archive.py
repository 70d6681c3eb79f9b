"""Records as the stages hand them to the archive, and an archive to put them in."""

import hashlib
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

from crawler.archive.batch import Batch, StoredArticle, StoredCapture
from crawler.records import Article, Capture, Paragraph, RecordRef, Role
from crawler.text.folding import fold

RUN = "20240101T000000Z-000001"
PORTAL = "lingyang"
EXTRACTOR = "rules 1"
URL = "https://www.lingyang.example/xw/t20240101_1.html"
START = datetime(2024, 1, 1, tzinfo=UTC)


def begin(conn: sqlite3.Connection, *portals: str) -> sqlite3.Connection:
    """An archive that has a run and portals."""
    fold("")  # loads its table, which takes longer than a first hypothesis example may
    conn.execute("INSERT INTO runs (id, started_at, status) VALUES (?, '2024-01-01T00:00:00Z', 'running')", (RUN,))
    conn.executemany(
        "INSERT INTO portals (id, name, division_code, homepage, enabled) VALUES (?, ?, '990001', ?, 1)",
        [(portal, f"{portal} county", f"https://{portal}.example/") for portal in portals or (PORTAL,)],
    )
    return conn


def capture(*, day: int = 0, url: str = URL, payload: str | None = None, **changes: Any) -> Capture:
    """A capture of the *day*th day; its place in the WARC follows from day and address, its payload from both."""
    key = f"{url} {day}"
    defaults: dict[str, Any] = {
        "run_id": RUN,
        "portal_id": PORTAL,
        "kind": "article",
        "url": url,
        "fetched_at": START + timedelta(days=day),
        "status": 200,
        "payload_sha256": hashlib.sha256((payload or key).encode(errors="replace")).hexdigest(),
        "record": RecordRef(file="xianzhi-lingyang-1.warc.gz", offset=number(key) % 2**40, length=900),
    }
    return Capture(**(defaults | changes))


def paragraph(text: str, *, role: Role = "body", key: str | None = None) -> Paragraph:
    """A paragraph; paragraphs with the same *key* are one section."""
    return Paragraph(text=text, role=role, fold_hash=number(text if key is None else key))


def article(*texts: str, day: int = 0, url: str = URL, **changes: Any) -> StoredArticle:
    """An article of body paragraphs. *changes* named like a field of Capture (but kind) go there, others to Article."""
    of_capture = {
        name: changes.pop(name) for name in list(changes) if name in {*Capture.__slots__, "payload"} - {"kind"}
    }
    fields: dict[str, Any] = {
        "capture": capture(day=day, url=url, **of_capture),
        "encoding": "utf-8",
        "kind": "article",
        "title": "凌阳县启动防汛演练",
        "paragraphs": tuple(paragraph(text) for text in texts),
    }
    return StoredArticle(article=Article(**(fields | changes)), url=url)


def batch(*articles: StoredArticle, **changes: Any) -> Batch:
    """A batch of *articles* and their captures."""
    fields: dict[str, Any] = {
        "run_id": RUN,
        "extractor": EXTRACTOR,
        "articles": articles,
        "captures": tuple(StoredCapture(capture=item.article.capture) for item in articles),
    }
    return Batch(**(fields | changes))


def contents(conn: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that the archive holds, but for when the frontier was touched."""
    tables = [name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    held: dict[str, list[tuple[Any, ...]]] = {}
    for table in tables:
        if table == "sqlite_sequence":
            continue
        columns = [row[1] for row in conn.execute(f'PRAGMA table_info("{table}")') if row[1] != "updated_at"]
        names = ", ".join(f'"{column}"' for column in columns)
        held[table] = conn.execute(f'SELECT {names} FROM "{table}" ORDER BY {names}').fetchall()
    return held


def number(text: str) -> int:
    """A signed 64-bit key of *text*, for tests that need no folding."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
