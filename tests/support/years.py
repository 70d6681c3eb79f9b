"""An archive as a reader of the site meets it: the articles of `stories`, years of a county's news with a gap, runs."""

import sqlite3
from contextlib import closing
from itertools import product
from pathlib import Path

from crawler.archive import runs, writer
from crawler.archive.connection import open_archive, transaction
from tests.support import stories
from tests.support.archive import RUN, article, batch

YEARS = (2019, 2020, 2022, 2023)
"""Of 2021 there is nothing: a gap."""
PORTALS = ("lingyang", "qingshui")
WORD = "扶贫"
"""What all these articles are about."""
NUMBER = len(YEARS) * 12 * len(PORTALS)

_EARLIER = "20231201T000000Z-000001"
_STORIES = (
    ("全县{word}工作推进会召开", "会议听取了各乡镇{word}工作情况汇报，研究部署下一步工作。"),
    ("驻村工作队走访贫困户", "工作队员逐户了解生产生活情况，宣讲{word}政策，登记需要解决的困难。"),
    ("{word}车间带动群众就近就业", "车间负责人介绍，目前有三十多名群众在这里上班，每月收入两千多元。"),
    ("县领导检查{word}项目建设进度", "检查组一行先后来到道路硬化、安全饮水和易地搬迁工地，要求按期完工。"),
)


def fill(path: Path) -> None:
    """Make the archive."""
    stories.fill(path)
    with closing(open_archive(path)) as conn:
        with transaction(conn):
            runs.load_divisions(conn)
            _tell_of_runs(conn)
        items = [
            article(
                f"{year}年{month}月，" + text.format(word=WORD),
                stories.SLOGAN if month % 3 == 0 else f"这是{stories.PORTALS[portal][0]}当月的第一条消息。",
                title=title.format(word=WORD),
                published=f"{year}-{month:02}-{10 + n % 9}",
                published_basis="visible",
                source=stories.PORTALS[portal][0],
                portal_id=portal,
                division=stories.PORTALS[portal][1],
                url=f"https://{portal}.example/fp/{year}{month:02}.html",
                day=90 + n,
            )
            for n, (year, month, portal) in enumerate(product(YEARS, range(1, 13), PORTALS))
            for title, text in [_STORIES[n % len(_STORIES)]]
        ]
        writer.write(conn, batch(*items))
        conn.execute("ANALYZE")


def _tell_of_runs(conn: sqlite3.Connection) -> None:
    """Two nights: all was well, then one portal failed."""
    conn.execute("INSERT INTO runs VALUES (?, '2023-12-01T00:00:00Z', '2023-12-01T01:00:00Z', 'ok')", (_EARLIER,))
    conn.execute("UPDATE runs SET status = 'failed', finished_at = '2024-01-01T01:00:00Z' WHERE id = ?", (RUN,))
    conn.executemany(
        "INSERT INTO portal_runs (run_id, portal_id, status, fetched, new, reason) VALUES (?, ?, ?, ?, ?, ?)",
        [
            *((_EARLIER, portal, "ok", 120, 40, None) for portal in stories.PORTALS),
            (RUN, "lingyang", "ok", 64, 12, None),
            (RUN, "qingshui", "ok", 31, 8, None),
            (RUN, "baishi", "failed", 3, 0, "the list page answered 502"),
        ],
    )
