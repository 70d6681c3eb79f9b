"""An archive whose pages were read by older rules: the bytes are real, what was read of them is what the rules say."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from crawler.archive import afterwards, writer
from crawler.archive.batch import Batch, Observation, StoredArticle, StoredCapture, Written
from crawler.archive.connection import open_archive
from crawler.archive.sink import Sink
from crawler.catalogue import Catalogue, Portal
from crawler.records import Article, Capture, Listed, Paragraph
from crawler.reprocess.reprocessing import Options, Reprocessing, Result
from crawler.text.folding import fold_hash
from pipelines.chain import read_text
from pipelines.places import places
from tests.support.archive import PORTAL, RUN, START, begin
from tests.support.warc import exchange

OLD = "xianzhi-0"
Rules = Callable[[Article], Article | None]
"""From what today's rules read to what older ones did; None for no article."""


def as_today(article: Article) -> Article | None:
    return article if article.kind == "article" else None


def without_author(article: Article) -> Article:
    return replace(article, author=None)


def without_last_paragraph(article: Article) -> Article:
    return replace(article, paragraphs=article.paragraphs[:-1])


def blind(article: Article) -> None:
    """Rules that take nothing for an article."""


def page(
    title: str = "凌阳县启动防汛演练",
    *texts: str,
    author: str | None = "王建国",
    date: str | None = "2024-01-02 08:30",
    more: str = "",
) -> str:
    """An article page; *more* is markup that no reader takes for text."""
    texts = texts or (
        "1月2日，凌阳县在城关镇启动年度防汛演练，全县26个部门的300多人参加。",
        "县委有关负责同志要求，各乡镇要压实责任，备足物资，确保群众安全度汛。",
        "演练持续到下午五时结束，达到了预期目的。",
    )
    told = "　".join(
        part for part in (date and f"发布时间：{date}", "来源：凌阳县融媒体中心", author and f"作者：{author}") if part
    )
    body = "".join(f"<p>{text}</p>" for text in texts)
    return (
        f'<html><head><meta charset="utf-8"><title>{title}</title></head><body>{more}<h1>{title}</h1>'
        f'<p class="info">{told}</p><div class="TRS_Editor">{body}</div></body></html>'
    )


class Shelf:
    """A folder with an archive and its WARC files."""

    def __init__(self, folder: Path, **of_portal: object) -> None:
        self.db, self.warc = folder / "archive.db", folder / "warc"
        self.portal = Portal(
            **{
                "id": PORTAL,
                "name": "凌阳县人民政府",
                "division": "610424",
                "homepage": f"https://{PORTAL}.example/",
                **of_portal,
            }  # type: ignore[arg-type]
        )
        self.conn = begin(open_archive(self.db))
        self.conn.execute("UPDATE portals SET name = ?, division_code = ?", (self.portal.name, self.portal.division))
        self._sink = Sink(db=self.db, warc=self.warc, run_id=RUN, info={"operator": "test"})

    def url(self, number: int = 1) -> str:
        return f"https://{PORTAL}.example/xw/t20240102_{number}.html"

    def capture(
        self, html: str, *, day: float = 0, number: int = 1, listed: str | None = None, status: int = 200
    ) -> Capture:
        """The bytes, written to the WARC file."""
        body = html.encode()
        head = f"HTTP/1.1 {status} OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        return self._sink.record(
            exchange(head + body, url=self.url(number), started_at=START + timedelta(days=day)),
            portal_id=PORTAL,
            kind="article",
            key=self.url(number),
            listed=Listed(published=listed) if listed else None,
        )

    def see(
        self,
        html: str,
        *,
        rules: Rules = as_today,
        extractor: str = OLD,
        day: float = 0,
        number: int = 1,
        listed: str | None = None,
    ) -> list[Written]:
        """A crawl by older rules comes by; what it stored."""
        return self.store([self.capture(html, day=day, number=number, listed=listed)], rules=rules, extractor=extractor)

    def store(self, captures: Sequence[Capture], *, rules: Rules = as_today, extractor: str = OLD) -> list[Written]:
        """What a crawl stores of captures."""
        found: list[StoredArticle] = []
        for capture in captures:
            article = rules(read_text(capture, self.portal))
            if article is not None and article.kind == "article":
                placed = places(with_keys(article), portal=self.portal)
                found.append(StoredArticle(article=placed, url=capture.key or ""))
        stored = tuple(StoredCapture(capture=replace(capture, body=b""), encoding="utf-8") for capture in captures)
        written = writer.write(
            self.conn, Batch(run_id=RUN, extractor=extractor, captures=stored, articles=tuple(found))
        )
        afterwards.learn(self.conn)
        return written

    def observe(self, state: str, *, day: float, number: int = 1, capture: Capture | None = None) -> None:
        """The verdict of a night on a known article."""
        observation = Observation(
            portal_id=PORTAL,
            url=self.url(number),
            seen_at=START + timedelta(days=day),
            state=state,  # type: ignore[arg-type]
            record=capture.record if capture else None,
        )
        captures = (StoredCapture(capture=replace(capture, body=b"")),) if capture else ()
        writer.write(self.conn, Batch(run_id=RUN, extractor=OLD, captures=captures, observations=(observation,)))

    def reprocess(self, *, portal: Portal | None = None, **options: object) -> Result:
        """Read everything again by today's rules."""
        self._sink.close_warc(PORTAL)
        catalogue = Catalogue(portals=(portal or self.portal,))
        return Reprocessing(Options(db=self.db, warc=self.warc, **options), catalogue)()  # type: ignore[arg-type]

    def query(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        return self.conn.execute(sql, values).fetchall()

    def close(self) -> None:
        self._sink.close()
        self.conn.close()


def with_keys(article: Article) -> Article:
    """What older rules made of an article, with the keys of its paragraphs."""
    keyed = tuple(
        Paragraph(text=each.text, role=each.role, fold_hash=fold_hash(each.text)) for each in article.paragraphs
    )
    return replace(article, paragraphs=keyed)


def contents(conn: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the tables that a reader may ask."""
    tables = (
        "articles", "versions", "version_sections", "sections", "article_states", "mentions", "captures", "spam_spans",
        "attachments", "images",
    )  # fmt: skip
    return {table: conn.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables}
