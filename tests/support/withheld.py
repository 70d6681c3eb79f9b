"""An article that is withheld, with a word of its own in everything that it has, and what stands beside it."""

import json
import sqlite3
from dataclasses import replace

from crawler.archive import writer
from crawler.archive.batch import Observation, StoredCapture
from crawler.archive.frontier import Done, Failed, Queued
from crawler.records import Attachment, Image, Mention, SpamSpan
from tests.support.archive import PORTAL, RUN, START, article, batch, capture, paragraph

SECRET = "zq7secret"
"""In every string of the article that is withheld; nothing else has it."""
HIDDEN_URL = f"https://{PORTAL}.example/{SECRET}/t1.html"
TWIN_URL = f"http://www.{PORTAL}.example/{SECRET}/t1.html?_t=1700000000000"
SHARED = "印在两篇文章里的一段话，别处也有。"
OPEN_URL = f"https://{PORTAL}.example/open/t2.html"


def stories(conn: sqlite3.Connection) -> None:
    """The article that will be withheld (1, in two versions), one that shares a paragraph with it (2), and one more."""
    hidden = article(
        SHARED,
        f"{SECRET} 第一段",
        url=HIDDEN_URL,
        title=f"{SECRET} 的题目",
        source=f"{SECRET} 报",
        author=f"{SECRET} 作者",
        editor=f"{SECRET} 编辑",
        column=f"{SECRET} 栏目",
        etag=f"{SECRET}-etag",
        published="2014-06-03",
        attachments=(Attachment(url=f"https://{PORTAL}.example/{SECRET}.doc", title=f"{SECRET} 附件"),),
        images=(Image(url=f"https://{PORTAL}.example/{SECRET}.jpg", caption=f"{SECRET} 图"),),
        mentions=(Mention(division_code="610424", count=2),),
        spam=(SpamSpan(position=1, start=0, end=9, text=SECRET, rule="phrase", score=1.0, cut=False),),
    )
    edited = replace(
        hidden,
        article=replace(
            hidden.article,
            capture=capture(day=1, url=TWIN_URL),
            paragraphs=(paragraph(SHARED), paragraph(f"{SECRET} 改过的一段")),
            spam=(),
        ),
    )
    other = article(SHARED, "公开的一段", url=OPEN_URL, title="公开的题目", published="2014-06-04")
    third = article("第三篇", url=f"https://{PORTAL}.example/open/t3.html", title="第三篇", published="2014-06-04")
    unchanged = StoredCapture(capture=capture(day=2, url=f"https://{PORTAL}.example/x/../{SECRET}/t1.html"))
    attached = StoredCapture(capture=capture(day=2, url=f"https://{PORTAL}.example/{SECRET}.doc", kind="attachment"))
    asked = [
        Queued(portal_id=PORTAL, key=key, seq=number, url=key, kind="article", request={"title": key})
        for number, key in enumerate((HIDDEN_URL, OPEN_URL))
    ]
    looks = [
        Observation(
            portal_id=PORTAL, url=url, seen_at=START.replace(month=2), state=state, redirect_to=to,
            record=capture(day=2, url=to).record,
        )
        for url, state, to in ((HIDDEN_URL, "redirected", OPEN_URL), (OPEN_URL, "redirected", HIDDEN_URL))
    ]  # fmt: skip
    seen = [StoredCapture(capture=capture(day=2, url=url)) for url in (HIDDEN_URL, OPEN_URL)]
    for items, changes in (
        ((hidden, other, third), {"frontier": tuple(asked)}),
        ((edited,), {}),
    ):
        writer.write(conn, batch(*items, **changes))
    writer.write(
        conn,
        batch(
            captures=(unchanged, attached, *seen),
            observations=tuple(looks),
            frontier=(
                Done(portal_id=PORTAL, key=HIDDEN_URL, note=f"leads to {SECRET}"),
                Failed(portal_id=PORTAL, key=OPEN_URL, reason=f"leads to {HIDDEN_URL}"),
            ),
        ),
    )
    conn.execute("UPDATE attachments SET capture_id = (SELECT id FROM captures WHERE kind = 'attachment')")
    conn.execute("INSERT INTO reprints VALUES (1, 2, 0.9, 'same'), (2, 3, 0.9, 'edited')")
    conn.execute("INSERT INTO reprint_marks SELECT id, version_id FROM articles")
    conn.execute(
        "INSERT INTO portal_runs (run_id, portal_id, status, reason) VALUES (?, ?, 'failed', ?)",
        (RUN, PORTAL, f"2 of 3 pages failed, first {HIDDEN_URL}: answered 500"),
    )


def everything(conn: sqlite3.Connection) -> str:
    """All that can be read of tables and views without naming a schema."""
    names = conn.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE '%_fts%'")
    return json.dumps({name: conn.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in names.fetchall()})
