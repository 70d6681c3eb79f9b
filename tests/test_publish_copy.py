"""A published copy: what the public may see and nothing else, whole or not there, and noticed by a running site."""

import asyncio
import gc
import json
import logging
import sqlite3
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from crawler.archive import public, search_query, withholding, writer
from crawler.archive.connection import ArchiveError, open_archive
from crawler.archive.lock import LockHeldError
from crawler.archive.published import FOR_CRAWLS, INDEXES_FOR_CRAWLS, INDEXES_FOR_READERS, publish, row_counts
from crawler.catalogue import load
from crawler.cli import main
from crawler.cli.publish import publish as command
from crawler.publish import newest, server
from crawler.publish.site import asking
from crawler.reprocess.reprocessing import Options, Reprocessing
from crawler.text.query import parse
from crawler.verify.verification import verify
from crawler.warc.files import lock
from tests.support.archive import PORTAL, article, batch, begin
from tests.support.crawling import entry
from tests.support.sites import close, get
from tests.support.withheld import SECRET, SHARED, everything, stories
from tests.test_publish_serve import serving


def copy_of(db: Path, out: Path) -> Any:
    return publish(db, out, progress=lambda _what, _done: None)


def add_article(db: Path, number: int) -> None:
    with closing(open_archive(db)) as conn:
        writer.write(
            conn, batch(article(f"第{number}段", url=f"https://{PORTAL}.example/{number}.html", title=f"第{number}篇"))
        )


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Three articles, of which one is withheld."""
    path = tmp_path / "archive.db"
    with closing(begin(open_archive(path))) as conn:
        stories(conn)
        withholding.withhold(conn, 1, f"{SECRET} 的理由")
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "news.db"


@pytest.fixture
def copy(db: Path, out: Path) -> Iterator[sqlite3.Connection]:
    copy_of(db, out)
    with closing(sqlite3.connect(f"file:{out}?mode=ro", uri=True)) as conn:
        yield conn


# What is in it.


def test_the_copy_has_what_the_public_sees_of_the_archive(db: Path, copy: sqlite3.Connection) -> None:
    with closing(public.open_public(db)) as shown:
        due = json.loads(everything(shown))
    held = json.loads(everything(copy))
    ours = {name for name in held if not name.startswith("sqlite_")}
    assert ours == {name for name in due if not name.startswith("sqlite_")} - FOR_CRAWLS
    for name in ours:
        assert sorted(map(str, held[name])) == sorted(map(str, due[name])), name
    assert len(held["articles"]) == 2


def test_no_byte_of_the_file_is_of_what_is_withheld(db: Path, out: Path) -> None:
    assert SECRET.encode() in db.read_bytes()
    copy_of(db, out)
    assert SECRET.encode() not in out.read_bytes()
    with closing(sqlite3.connect(out)) as conn:
        conn.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab (main, articles_fts, row)")
        words = {word for (word,) in conn.execute("SELECT term FROM temp.words")}
    assert {"公", "开", "篇"} <= words
    assert words.isdisjoint({SECRET, "栏", "附"})


def test_search_finds_in_the_copy_what_it_finds_in_the_archive(db: Path, out: Path) -> None:
    copy_of(db, out)
    with closing(open_archive(out, readonly=True)) as copy, closing(public.open_public(db)) as archive:
        for typed in ("公开", SHARED, "第三篇", SECRET, "从:2014", "-公开", "网站:lingyang 公开"):
            assert search_query.matching_ids(copy, parse(typed)) == search_query.matching_ids(archive, parse(typed))
        assert search_query.matching_ids(copy, parse("公开")) == [2]


def test_every_index_is_in_the_copy_but_those_for_crawls_and_some_for_readers_more(
    db: Path, copy: sqlite3.Connection
) -> None:
    names = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name NOT IN ({})"
    sql = names.format(", ".join(f"'{table}'" for table in FOR_CRAWLS))
    with closing(open_archive(db, readonly=True)) as archive:
        due = {name for (name,) in archive.execute(sql)}
    held = {name for (name,) in copy.execute(sql)}
    assert due - held == INDEXES_FOR_CRAWLS
    assert held - due == INDEXES_FOR_READERS.keys()
    assert copy.execute("SELECT count(*) FROM sqlite_stat1").fetchone() > (10,)


def test_how_many_rows_a_table_has_is_known_without_counting(copy: sqlite3.Connection) -> None:
    counts = row_counts(copy)
    assert counts.pop("articles_fts") is None
    ours = {table: count for table, count in counts.items() if not table.startswith("sqlite_")}
    assert ours == {table: copy.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ours}
    assert {"articles", "withheld", "article_texts"} <= ours.keys()


def test_a_cut_span_is_cut_in_the_copy_too(tmp_path: Path) -> None:
    from crawler.records import SpamSpan

    db, out = tmp_path / "archive.db", tmp_path / "news.db"
    span = SpamSpan(position=0, start=2, end=6, text="买彩票_", rule="chain", score=9.0, cut=True)
    with closing(begin(open_archive(db))) as conn:
        writer.write(conn, batch(article("今天买彩票_下雨", spam=(span,))))
    copy_of(db, out)
    with closing(sqlite3.connect(out)) as conn:
        assert conn.execute("SELECT body FROM article_texts").fetchall() == [("今天下雨",)]


# Where it goes.


def made_beside(db: Path, out: Path) -> list[str]:
    """What lies there beside archive and copy."""
    return [path.name for path in out.parent.iterdir() if path != out and not path.name.startswith(db.name)]


def test_an_older_copy_is_replaced_and_nothing_is_left_beside(db: Path, out: Path) -> None:
    copy_of(db, out)
    add_article(db, 7)
    assert copy_of(db, out).articles == 3
    assert made_beside(db, out) == []


def test_what_is_no_copy_is_not_replaced(db: Path, out: Path) -> None:
    out.write_bytes(b"a year of notes")
    link = out.with_name("link.db")
    link.symlink_to(db)
    other = out.with_name("other.db")
    open_archive(other).close()
    before = db.read_bytes()
    for place in (db, link, other, out, out.parent):
        with pytest.raises(ArchiveError, match="no published copy"):
            copy_of(db, place)
    with pytest.raises(ArchiveError, match="does not exist"):
        copy_of(db, out.parent / "none" / "news.db")
    assert (out.read_bytes(), db.read_bytes()) == (b"a year of notes", before)


def test_a_log_of_another_file_is_not_left_for_the_copy(db: Path, out: Path) -> None:
    out.with_name("news.db-wal").write_bytes(b"x")
    with pytest.raises(ArchiveError, match=r"news\.db-wal"):
        copy_of(db, out)


def test_a_copy_that_fails_leaves_the_last_one(db: Path, out: Path) -> None:
    copy_of(db, out)
    before = out.read_bytes()
    add_article(db, 8)

    def stop(what: str, _done: int) -> None:
        if what == "article_texts":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish(db, out, progress=stop)
    assert out.read_bytes() == before
    assert made_beside(db, out) == []


def test_two_at_once_are_one_too_many(db: Path, out: Path) -> None:
    with out.with_name(f".{out.name}.xianzhi-part").open("wb") as part:
        assert lock(part.fileno())
        with pytest.raises(LockHeldError):
            copy_of(db, out)
    assert copy_of(db, out).articles == 2  # what a killed process left is no obstacle


def test_a_copy_can_be_published_and_is_never_written(db: Path, out: Path) -> None:
    copy_of(db, out)
    assert copy_of(out, out.with_name("second.db")).articles == 2
    before = out.read_bytes()
    with pytest.raises(ArchiveError, match="published copy"):
        open_archive(out)
    assert out.read_bytes() == before


def test_what_only_the_archive_has_is_not_missed_in_a_copy(db: Path, out: Path) -> None:
    copy_of(db, out)
    catalogue = out.with_name("portals.toml")
    catalogue.write_text(entry("x", "http://x.example"), encoding="utf-8")
    rereading = Options(db=out, warc=out.parent, jobs=1, dry_run=True)
    for read in (lambda: verify(db=out, warc=out.parent), Reprocessing(rereading, load(catalogue))):
        with pytest.raises(ArchiveError, match="published copy"):
            read()


def test_the_command_says_what_it_made(db: Path, out: Path) -> None:
    done = CliRunner().invoke(command, [str(out), "--db", str(db), "--json"])
    said = json.loads(done.output)
    assert (done.exit_code, said["articles"], said["bytes"]) == (0, 2, out.stat().st_size)
    assert "2 articles" in CliRunner().invoke(command, [str(out), "--db", str(db)]).output
    with pytest.raises(SystemExit) as ended:
        main(["publish", str(db), "--db", str(db)])
    assert ended.value.code == 2


# How it is served.


def test_a_copy_is_served_as_what_nobody_writes(db: Path, out: Path) -> None:
    copy_of(db, out)
    site = server.open_site(out, sql=True)
    assert not site.get_database().is_mutable
    assert get(site, "/news/articles/2").status_code == 200
    assert {table["name"]: table["count"] for table in get(site, "/news.json").json()["tables"]}["articles"] == 2
    assert get(site, "/news/articles/1").status_code == 404
    assert get(site, "/news/article_texts/2.json?_shape=array").json()[0]["body"].endswith("公开的一段")
    close(site)


class Readers:
    """Four readers who never stop asking, and what they were told."""

    def __init__(self, address: str) -> None:
        self.seen: list[int] = []
        self.failed: list[str] = []
        self._address = address
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read) for _ in range(4)]

    def __enter__(self) -> "Readers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, articles: int) -> None:
        """Until one of them is told of so many; two seconds where the machine has nothing else to do."""
        deadline = time.monotonic() + 30
        while articles not in self.seen[-4:]:
            assert time.monotonic() < deadline, "the new copy is not seen"
            time.sleep(0.05)

    def _read(self) -> None:
        with httpx.Client(timeout=30) as client:
            while not self._stop.is_set():
                try:
                    answer = client.get(f"{self._address}news/articles.json?_shape=array&_size=max")
                    self.seen.append(len(answer.raise_for_status().json()))
                except httpx.HTTPError as error:
                    self.failed.append(repr(error))


def test_a_running_site_notices_each_new_copy_and_loses_no_request(db: Path, out: Path) -> None:
    copy_of(db, out)
    with serving(out, "--port", "0", cwd=out.parent) as (_, address), Readers(address) as readers:
        readers.wait_for(2)  # a site that was not ready yet would begin with the next copy
        for number in (10, 11):
            add_article(db, number)
            copy_of(db, out)
            readers.wait_for(number - 7)
    assert readers.failed == []
    assert set(readers.seen) == {2, 3, 4}


class Server:
    """What uvicorn is to an application: its start, requests, and its end."""

    def __init__(self, app: newest.NewestCopy) -> None:
        self._app = app
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._said: asyncio.Queue[str] = asyncio.Queue()

    async def __aenter__(self) -> httpx.AsyncClient:
        async def send(message: Any) -> None:
            await self._said.put(message["type"])

        self._life = asyncio.create_task(self._app({"type": "lifespan"}, self._messages.get, send))
        await self._messages.put({"type": "lifespan.startup"})
        assert await self._said.get() == "lifespan.startup.complete"
        transport = httpx.ASGITransport(app=self._app)  # type: ignore[arg-type]
        return httpx.AsyncClient(transport=transport, base_url="http://localhost")

    async def __aexit__(self, *_: object) -> None:
        await self._messages.put({"type": "lifespan.shutdown"})
        await self._life
        assert await self._said.get() == "lifespan.shutdown.complete"


def move(source: Path, target: Path) -> None:
    source.replace(target)


async def count(client: httpx.AsyncClient) -> int:
    return int((await client.get("/news/articles.json")).json()["filtered_table_rows_count"])


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await is_so():  # noqa: ASYNC110 - a server has no event for a test
            await asyncio.sleep(0.02)


async def until_there_are(articles: int, client: httpx.AsyncClient) -> None:
    async def is_so() -> bool:
        return await count(client) == articles

    await until(is_so)


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "LOOK_SECONDS", 0.05)
    # Python's own, which knows that SystemExit ends a thread; pytest's keeps it, and with it all that the thread had.
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)


@pytest.mark.usefixtures("quick_looks")
def test_the_site_over_an_older_copy_gives_everything_back(db: Path, out: Path) -> None:
    sites: list[weakref.ref[Any]] = []

    def opened() -> Any:
        site = server.open_site(out, sql=False)
        sites.append(weakref.ref(site))
        return site

    async def trial() -> None:
        app = newest.NewestCopy(out, opened)
        async with Server(app) as client:
            await until_there_are(2, client)
            threads = threading.active_count()
            for number in range(20, 23):
                add_article(db, number)
                copy_of(db, out)
                await until_there_are(number - 17, client)
            await asyncio.sleep(0.3)
            assert threading.active_count() <= threads + 1  # that in which the file is opened
            gc.collect()
            assert [site() is None for site in sites] == [True, True, True, False]

    copy_of(db, out)
    asyncio.run(trial())


@pytest.mark.usefixtures("quick_looks")
def test_what_takes_long_to_count_is_counted_before_a_reader_asks_for_it(db: Path, out: Path) -> None:
    sites: list[Any] = []

    def opened(path: Path = out) -> Any:
        sites.append(server.open_site(path, sql=False))
        return sites[-1]

    async def is_counted() -> bool:
        counted = {name.rpartition(".")[2] for _, name, _, _ in asking._kept.get(sites[-1], ())}
        return {"coverage", "facts", "_gathered", "articles_by_code"} <= counted

    async def trial() -> None:
        async with Server(newest.NewestCopy(out, opened)) as client:
            await until(is_counted)
            add_article(db, 20)
            copy_of(db, out)
            await until_there_are(3, client)
            await until(is_counted)
        assert len(sites) == 2
        async with Server(newest.NewestCopy(db, lambda: opened(db), is_copy=False)):
            await until(is_counted)

    copy_of(db, out)
    asyncio.run(trial())


@pytest.mark.usefixtures("quick_looks")
def test_the_site_over_a_new_copy_answers_while_it_counts(db: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "WARMED", ("/search",) * 1_000_000)

    async def trial() -> None:
        async with Server(newest.NewestCopy(out, lambda: server.open_site(out, sql=False))) as client:
            for articles in (2, 3, 4):
                await until_there_are(articles, client)
                add_article(db, 20 + articles)
                copy_of(db, out)

    copy_of(db, out)
    asyncio.run(trial())


@pytest.mark.usefixtures("quick_looks")
def test_a_file_that_cannot_be_served_leaves_the_last_good_one(
    db: Path, out: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = out.with_name("good.db"), out.with_name("bad.db")
    bad.write_bytes(b"no database at all" * 100)

    async def is_noticed() -> bool:
        return "cannot be served" in caplog.text

    async def trial() -> None:
        async with Server(newest.NewestCopy(out, lambda: server.open_site(out, sql=False))) as client:
            move(out, good)
            await asyncio.sleep(0.2)
            assert await count(client) == 2
            move(bad, out)
            await until(is_noticed)
            assert await count(client) == 2
            add_article(db, 30)
            copy_of(db, good)
            move(good, out)
            await until_there_are(3, client)

    copy_of(db, out)
    with caplog.at_level(logging.ERROR):
        asyncio.run(trial())
