"""Articles written row by row: a small archive for Datasette's own pages."""

import hashlib
import sqlite3
from pathlib import Path
from typing import Any

from crawler.archive.connection import open_archive

RUN = "20250101T000000Z-ab12"
SEEN = "2025-01-01T00:00:00Z"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)> \u202e{{ 7 * 7 }}'
SQLITES_OWN = ("sqlite_", "articles_fts_")
LONG = "我县召开群众路线教育实践活动动员大会，安排部署下一阶段工作。"


def add_portal(conn: sqlite3.Connection) -> None:
    conn.execute("INSERT INTO divisions VALUES ('610424', 1980, '乾县', 3, '610400', NULL)")
    conn.execute("INSERT INTO portals VALUES ('qian', '乾县人民政府', '610424', 'https://www.qian.example/', NULL, 1)")
    conn.execute("INSERT INTO runs VALUES (?, ?, ?, 'ok')", (RUN, SEEN, SEEN))


def add_article(conn: sqlite3.Connection, number: int, *paragraphs: tuple[str, str], **fields: Any) -> None:
    """One article, read from one capture; *paragraphs* are (role, text)."""
    url = fields.pop("url", f"https://www.qian.example/{number}.html")
    values = {"title": f"题目{number}", "published": "2014-06-03", "source": None} | fields
    conn.execute(
        "INSERT INTO captures (id, warc_file, warc_offset, warc_length, run_id, portal_id, kind, url, fetched_at,"
        " status, payload_sha256) VALUES (?, 'xianzhi-qian.warc.gz', ?, 900, ?, 'qian', 'article', ?, ?, 200, ?)",
        (number, number * 1000, RUN, url, SEEN, f"{number:064x}"),
    )
    conn.execute(
        "INSERT INTO articles (id, portal_id, url, title, published, source, division_code, chars, state, first_seen,"
        " last_seen) VALUES (?, 'qian', ?, ?, ?, ?, '610424', 99, 'live', ?, ?)",
        (number, url, values["title"], values["published"], values["source"], SEEN, SEEN),
    )
    conn.execute(
        "INSERT INTO versions (id, article_id, capture_id, extractor, seen_at, title, text_sha256, chars)"
        " VALUES (?, ?, ?, '1', ?, ?, '', 99)",
        (number, number, number, SEEN, values["title"]),
    )
    conn.execute("UPDATE articles SET version_id = ? WHERE id = ?", (number, number))
    for position, (role, text) in enumerate(paragraphs):
        key = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), signed=True)
        conn.execute(
            "INSERT OR IGNORE INTO sections (fold_hash, text, chars, first_version_id) VALUES (?, ?, ?, ?)",
            (key, text, len(text), number),
        )
        conn.execute(
            "INSERT INTO version_sections (version_id, position, section_id, role)"
            " SELECT ?, ?, id, ? FROM sections WHERE fold_hash = ?",
            (number, position, role, key),
        )


def fill(path: Path) -> None:
    """A new archive with five articles, among them a hostile one, one without a date, one from a year to come."""
    conn = open_archive(path)
    add_portal(conn)
    add_article(conn, 1, ("body", LONG), ("repeat", "印了两遍的一段"), title="动员大会召开", source="陕西日报")
    add_article(conn, 2, ("body", LONG), ("body", "另一段"), title="转载", published="2015-01-02T08:00:00+08:00")
    add_article(conn, 3, ("body", HOSTILE), title=HOSTILE, source=HOSTILE, url="javascript:alert(3)")
    add_article(conn, 4, ("body", "无"), title="javascript:alert(4)", source="data:text/html,<b>x", published=None)
    add_article(conn, 5, ("body", "将来"), title="日期写错的文章", published="2999-01-01")
    conn.close()
