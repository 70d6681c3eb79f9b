"""An archive in which articles have everything that pages tell of them: edits, deletions, reprints, spam, tables."""

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

from crawler.archive import reprints, writer
from crawler.archive.batch import Observation, StoredArticle
from crawler.archive.connection import open_archive
from crawler.records import Attachment, Image, Paragraph, Role, SpamSpan
from crawler.text.folding import fold_hash
from tests.support.archive import RUN, START, article, batch

SLOGAN = "各级各部门要把群众的冷暖放在心上，把实事办好，把好事办实。"
INJECTED = "_金鹄体育备用网站_金鹄彩票下载"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)> \u202e{{ 7 * 7 }}'
PORTALS = {
    "lingyang": ("凌阳县人民政府", "610424"),
    "qingshui": ("清水县人民政府", "620521"),
    "baishi": ("白石日报", "610431"),
}

EDITED, GONE, REPRINT, SPAMMED, HOSTILE_ONE, UNDATED = 1, 2, 3, 4, 5, 6
"""Ids of the articles."""

_LEAD = "本报讯（记者 王一）6月3日，凌阳县召开防汛工作会议，安排部署今年的防汛抢险工作。"
_PLEDGE = "会议要求，各乡镇要在6月10日前完成河道清理，备足沙袋和救生衣，落实二十四小时值班制度。"
_PLEDGE_LATER = "会议要求，各乡镇要在6月25日前完成河道清理，备足沙袋，落实二十四小时值班制度。"
_BLAME = "去年七月的山洪造成三座桥梁垮塌，县水利局两名负责人受到处理。"


def store(conn: sqlite3.Connection, *paragraphs: tuple[Role, str], name: str, **fields: Any) -> int:
    """An article of (role, text); its id. *fields* as in `tests.support.archive.article`."""
    portal = fields.get("portal_id", "lingyang")
    item: StoredArticle = article(
        url=fields.pop("url", f"https://{portal}.example/xw/{name}.html"),
        paragraphs=tuple(Paragraph(text=text, role=role, fold_hash=fold_hash(text)) for role, text in paragraphs),
        division=PORTALS[portal][1],
        **fields,
    )
    [written] = writer.write(conn, batch(item))
    return written.article_id


def observe(conn: sqlite3.Connection, *, name: str, day: int, state: Any, portal: str = "lingyang") -> None:
    """On the *day*th day an article was in *state*."""
    seen = Observation(
        portal_id=portal,
        url=f"https://{portal}.example/xw/{name}.html",
        seen_at=START + timedelta(days=day),
        state=state,
    )
    writer.write(conn, batch(observations=(seen,)))


def fill(path: Path) -> None:
    """Make the archive: six articles on three portals."""
    conn = open_archive(path)
    fold_hash("")
    conn.execute("INSERT INTO runs (id, started_at, status) VALUES (?, '2024-01-01T00:00:00Z', 'running')", (RUN,))
    conn.executemany(
        "INSERT INTO portals (id, name, division_code, homepage, enabled) VALUES (?, ?, ?, ?, 1)",
        [(key, name, code, f"https://{key}.example/") for key, (name, code) in PORTALS.items()],
    )
    whole = {
        "title": "凌阳县安排部署防汛工作",
        "source": "凌阳县融媒体中心",
        "author": "王一,李二",
        "editor": "赵三",
        "column": "凌阳要闻",
        "published_basis": "visible",
        "images": (Image(url="https://lingyang.example/p/1.jpg", caption="会议现场"),),
        "attachments": (Attachment(url="https://lingyang.example/f/1.pdf", title="值班表.pdf"),),
    }
    before: list[tuple[Role, str]] = [
        ("body", _LEAD),
        ("caption", "图为会议现场。李二 摄"),
        ("heading", "河道清理提前"),
        ("body", _PLEDGE),
        ("body", "乡镇\t沙袋（个）\t负责人"),
        ("body", "青龙镇\t3200\t孙四"),
        ("body", "白马乡\t1800\t周五"),
        ("body", _BLAME),
        ("body", SLOGAN),
        ("byline", "（凌阳县融媒体中心 王一）"),
        ("repeat", _LEAD),
        ("boilerplate", "扫一扫在手机打开当前页"),
    ]
    after = [(role, _PLEDGE_LATER if text == _PLEDGE else text) for role, text in before if text != _BLAME]
    day = "2023-06-04T07:27:00+08:00"
    store(conn, *before, name="1", published=day, **whole)
    store(conn, *after, name="1", published=day, day=30, **(whole | {"editor": "钱六"}))

    store(conn, ("body", "县里公布了一批问题线索。" * 8), ("body", SLOGAN), name="2", title="凌阳县通报三起典型问题",
          published="2023-05-01", published_basis="url")  # fmt: skip
    observe(conn, name="2", day=60, state="gone")

    store(conn, *before, name="3", portal_id="qingshui", title="凌阳县安排部署防汛工作（转载）", published="2023-06-06",
          source="凌阳县人民政府", day=2)  # fmt: skip

    clean = "全县春耕工作已经开始，各村都在整地备种。"
    spammed = clean[:10] + INJECTED + clean[10:]
    store(conn, ("body", spammed), ("body", SLOGAN), ("spam", f"官网{INJECTED}"), name="4", portal_id="baishi",
          title=f"春耕开始{INJECTED}", published="2019-03-02", day=3,
          spam=(
              SpamSpan(position=-1, start=4, end=4 + len(INJECTED), text=INJECTED, rule="chain", score=9.0, cut=True),
              SpamSpan(position=0, start=10, end=10 + len(INJECTED), text=INJECTED, rule="chain", score=9.0, cut=True),
          ))  # fmt: skip
    store(conn, ("body", HOSTILE), ("heading", HOSTILE), ("spam", HOSTILE), name="5", title=HOSTILE, source=HOSTILE,
          author=HOSTILE, url="https://lingyang.example/xw/5.html?<script>'\"",
          images=(Image(url="javascript:alert(3)", caption=HOSTILE),))  # fmt: skip
    store(conn, ("body", "没有日期的一篇。"), name="6", portal_id="baishi", title=None, day=5)
    reprints.catch_up(conn)
    conn.execute("ANALYZE")
    conn.close()
