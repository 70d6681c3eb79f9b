"""Sixty articles to be searched, narrowed and counted."""

from pathlib import Path

from crawler.archive import runs, writer
from crawler.archive.batch import Observation
from crawler.archive.connection import open_archive, transaction
from crawler.archive.withholding import withhold
from tests.support.archive import START, article, batch, begin

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
PORTALS = {"qian": "610424", "liquan": "610425", "qingshui": "620521"}
HIDDEN = 7
"""The id of the article that is withheld."""


def fill(path: Path) -> None:
    """Sixty articles about 扶贫, one a month over five years, every fourth one about 水利 too, on three portals."""
    conn = begin(open_archive(path), *PORTALS)
    with transaction(conn):
        runs.load_divisions(conn)
        conn.executemany("UPDATE portals SET division_code = ? WHERE id = ?", [(b, a) for a, b in PORTALS.items()])
        conn.execute("INSERT INTO portal_runs (run_id, portal_id, status) SELECT id, 'qian', 'failed' FROM runs")
        conn.execute("UPDATE runs SET status = 'failed'")
    items = []
    for number in range(60):
        portal = list(PORTALS)[number % 3]
        script = "扶貧" if number % 2 else "扶贫"
        text = f"乾县召开{script}工作会议，第{number}次。" + ("会后检查水利工程。" if number % 4 == 0 else "")
        items.append(
            article(
                "县委办公室讯。" * 30 + text,
                title=f"{'水利建设' if number % 20 == 0 else '工作'}会议第{number}次",
                published=f"{2014 + number // 12}-{number % 12 + 1:02}-0{number % 9 + 1}",
                portal_id=portal,
                division=PORTALS[portal],
                url=f"https://{portal}.example/{number}.html",
                day=number,
            )
        )
    items.append(
        article(HOSTILE, title=HOSTILE, portal_id="qian", division="610424", url="https://qian.example/h.html")
    )
    items.append(
        article(
            "=HYPERLINK(1) 公式",
            title="=1+1",
            portal_id="qian",
            published="2999-01-01",
            url="https://qian.example/f.html",
        )
    )
    items.append(
        article(
            "没有日期", title=None, portal_id="liquan", division="610425", url="https://liquan.example/u.html", day=9
        )
    )
    writer.write(conn, batch(*items))
    gone = Observation(
        portal_id="qian", url="https://qian.example/3.html", seen_at=START.replace(year=2025), state="gone"
    )
    writer.write(conn, batch(observations=(gone,)))
    withhold(conn, HIDDEN, "a private person")
    conn.close()
