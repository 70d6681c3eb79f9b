"""What is withheld is nowhere that the public looks: no table, no page, no file, no copy."""

import asyncio
import gzip
import hashlib
import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.archive import packages, public, withholding, writer
from crawler.archive.batch import Fetched, StoredCapture
from crawler.archive.connection import open_archive
from crawler.archive.published import publish
from crawler.archive.selection import Selection
from crawler.cli.export import export
from crawler.publish import server
from crawler.records import Attachment, Capture, Image, MediaKind
from crawler.warc.writer import WarcWriter
from tests.support.archive import PORTAL, START, article, batch, begin, capture
from tests.support.sites import close, get, vacuum_into
from tests.support.warc import exchange, write
from tests.support.withheld import HIDDEN_URL, OPEN_URL, SECRET, SHARED, everything, stories


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "archive.db"
    conn = begin(open_archive(path))
    stories(conn)
    conn.close()
    return path


@pytest.fixture
def conn(path: Path) -> Iterator[sqlite3.Connection]:
    conn = open_archive(path)
    yield conn
    conn.close()


@pytest.fixture(scope="module")
def hidden_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hidden") / "archive.db"
    conn = begin(open_archive(path))
    stories(conn)
    withholding.withhold(conn, 1, f"{SECRET} 的理由")
    conn.close()
    return path


@pytest.fixture(scope="module", params=["live", "copy"])
def site(hidden_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    path = hidden_path
    if request.param == "copy":
        path = path.with_name("copy") / path.name
        path.parent.mkdir()
        vacuum_into(hidden_path, path)
    site = server.open_site(path, sql=True)
    yield site
    close(site)


# Tables.


def test_no_table_shows_a_word_or_an_address_of_what_is_withheld(hidden_path: Path) -> None:
    keeper, conn = open_archive(hidden_path, readonly=True), public.open_public(hidden_path)
    assert SECRET in everything(keeper)
    shown = everything(conn)
    assert SECRET not in shown
    assert "公开的一段" in json.loads(shown)["article_texts"][0][1]
    keeper.close()
    conn.close()


def test_a_shared_paragraph_stays_and_is_said_to_come_from_a_version_that_is_shown(hidden_path: Path) -> None:
    conn = public.open_public(hidden_path)
    [(version_id,)] = conn.execute("SELECT first_version_id FROM sections WHERE text = ?", (SHARED,))
    assert conn.execute("SELECT article_id FROM versions WHERE id = ?", (version_id,)).fetchall() == [(2,)]
    conn.close()


def test_every_page_fetched_under_the_address_is_gone_however_it_was_spelled(hidden_path: Path) -> None:
    conn = public.open_public(hidden_path)
    urls = [url for (url,) in conn.execute("SELECT url FROM captures")]
    assert sorted(set(urls)) == [OPEN_URL, f"https://{PORTAL}.example/open/t3.html"]
    conn.close()


def test_where_nothing_is_withheld_the_public_sees_all_of_it(conn: sqlite3.Connection, path: Path) -> None:
    keeper = json.loads(everything(conn))
    shown = public.open_public(path)
    assert json.loads(everything(shown)) == keeper
    shown.close()


def test_every_table_of_the_schema_is_decided_upon(conn: sqlite3.Connection) -> None:
    tables = {name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
    undecided = tables - public.OPEN - public.SHOWN.keys() - {"article_texts", "articles_fts_data"}
    assert undecided == set(), "a new table: which of its rows say something of an article?"


def test_what_is_withheld_later_is_gone_from_the_next_query_and_comes_back(
    conn: sqlite3.Connection, path: Path
) -> None:
    shown = public.open_public(path)
    count = "SELECT count(*) FROM articles"
    assert shown.execute(count).fetchone() == (3,)
    withholding.withhold(conn, 1, "问过")
    assert shown.execute(count).fetchone() == (2,)
    withholding.undo(conn, 1)
    assert shown.execute(count).fetchone() == (3,)
    shown.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT title FROM main.articles",
        'SELECT "title" FROM /**/ "MAIN" . [Articles]',
        "WITH articles AS (SELECT * FROM main.articles) SELECT title FROM articles",
        "WITH article_texts AS (SELECT * FROM main.article_texts) SELECT body FROM article_texts",
        "SELECT id FROM main.articles",
        "SELECT rowid FROM main.articles",
        "SELECT (SELECT reason FROM main.withheld)",
        "SELECT text FROM main.sections",
        "SELECT sql FROM sqlite_temp_master",
        "SELECT sql FROM temp.sqlite_schema",
        "SELECT sql FROM sqlite_stmt",
        "SELECT block FROM articles_fts_data",
        "SELECT 1 FROM articles WHERE EXISTS (SELECT 1 FROM main.articles AS a WHERE a.title LIKE '%zq7%')",
    ],
)
def test_the_tables_behind_the_views_cannot_be_read(hidden_path: Path, sql: str) -> None:
    conn = public.open_public(hidden_path)
    with pytest.raises(sqlite3.DatabaseError, match=r"prohibited|not authorized|no such"):
        conn.execute(sql).fetchall()
    conn.close()


@settings(max_examples=25)
@given(
    withheld=st.sets(st.integers(1, 6)), texts=st.lists(st.lists(st.integers(0, 8), min_size=1), min_size=6, max_size=6)
)
def test_a_paragraph_is_shown_where_an_article_that_is_shown_has_it(withheld: set[int], texts: list[list[int]]) -> None:
    conn = begin(open_memory())
    items = [
        article(*(f"段落{n}" for n in text), url=f"https://{PORTAL}.example/{number}.html")
        for number, text in enumerate(texts)
    ]
    writer.write(conn, batch(*items))
    for article_id in withheld:
        withholding.withhold(conn, article_id, "问过")
    public.hide(conn)
    shown = {text for (text,) in conn.execute("SELECT text FROM sections")}
    assert shown == {f"段落{n}" for number, text in enumerate(texts, 1) if number not in withheld for n in text}
    bodies = dict(conn.execute("SELECT article_id, body FROM article_texts"))
    assert bodies == {
        number: "\n".join(f"段落{n}" for n in text) for number, text in enumerate(texts, 1) if number not in withheld
    }
    conn.close()


# Files and pictures.


@dataclass(frozen=True)
class Files:
    """Two articles of a portal that link files, the first of them withheld, and what was had of the files."""

    db: Path
    warc: Path

    def captures(self, conn: sqlite3.Connection) -> set[str]:
        rows = conn.execute("SELECT url FROM captures WHERE kind IN ('attachment', 'image')")
        return {name_of(url) for (url,) in rows}

    def requests(self, conn: sqlite3.Connection) -> set[str]:
        return {
            name_of(url) for (url,) in conn.execute("SELECT url FROM frontier WHERE kind IN ('attachment', 'image')")
        }


def name_of(url: str) -> str:
    return unquote(url).rsplit("/", 1)[1]


HIDDEN_FILES = frozenset({f"{SECRET}.pdf", f"{SECRET}-名单.pdf", f"{SECRET}-gone.pdf", f"{SECRET}-loose.jpg"})
SHOWN_FILES = frozenset({"both.jpg", "公开.pdf", "gone.jpg", "moved.jpg", "there.jpg"})


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The withheld article links a file, one in Chinese, one that is gone, and a picture that the other one links, too.

    The other one links besides a file in Chinese, a picture that is gone, and one that moved. A picture that no row
    links any more was linked by whoever.
    """
    folder = tmp_path_factory.mktemp("files")
    base = f"https://{PORTAL}.example/files/"
    linked = {
        HIDDEN_URL: ([f"{SECRET}.pdf", f"{SECRET}-名单.pdf", f"{SECRET}-gone.pdf"], ["both.jpg"]),
        OPEN_URL: (["公开.pdf"], ["both.jpg", "gone.jpg", "moved.jpg"]),
    }
    asked: list[tuple[MediaKind, str, int, str | None]] = [
        ("attachment", f"{SECRET}.pdf", 200, None),
        ("attachment", f"{SECRET}-名单.pdf", 200, None),
        ("attachment", f"{SECRET}-gone.pdf", 404, None),
        ("image", "both.jpg", 200, None),
        ("attachment", "公开.pdf", 200, None),
        ("image", "gone.jpg", 404, None),
        ("image", "moved.jpg", 301, "there.jpg"),
        ("image", "there.jpg", 200, None),
        ("image", f"{SECRET}-loose.jpg", 200, None),
    ]
    place = Files(folder / "archive.db", folder / "warc")
    with WarcWriter(place.warc, PORTAL, info={"software": "xianzhi/0"}, clock=lambda: START) as file:

        def had(url: str, status: int, body: bytes, **fields: Any) -> Capture:
            message = b"HTTP/1.1 %d X\r\nContent-Type: text/html\r\n\r\n%b" % (status, body)
            ref = write(file, exchange(message, url=url, started_at=START))
            digest = hashlib.sha256(body).hexdigest()
            return capture(url=url, status=status, record=ref, payload_sha256=digest, **fields)

        conn = begin(open_archive(place.db))
        for url, (attached, pictured) in linked.items():
            page = article(f"正文在 {url}", url=url, title="题目")
            links = replace(
                page.article,
                capture=had(url, 200, url.encode()),
                attachments=tuple(Attachment(url=base + name) for name in attached),
                images=tuple(Image(url=base + name) for name in pictured),
            )
            writer.write(conn, batch(replace(page, article=links)))
        captures, fetched = [], []
        for kind, name, status, leads_to in asked:
            one = had(base + quote(name), status, name.encode(), kind=kind)
            captures.append(StoredCapture(capture=one))
            of_link = name if name != "there.jpg" else "moved.jpg"
            if leads_to is None and "loose" not in name:
                record, reason = (one.record, None) if status == 200 else (None, f"answered {status}")
                fetched.append(Fetched(portal_id=PORTAL, url=base + of_link, kind=kind, record=record, reason=reason))
        writer.write(conn, batch(captures=tuple(captures), media=tuple(fetched)))
        withholding.withhold(conn, 1, "问过")
        conn.close()
    return place


def test_a_file_is_shown_where_an_article_that_is_shown_links_to_it(files: Files) -> None:
    keeper, shown = open_archive(files.db, readonly=True), public.open_public(files.db)
    assert files.captures(keeper) == HIDDEN_FILES | SHOWN_FILES
    assert files.captures(shown) == SHOWN_FILES
    assert files.requests(shown) == SHOWN_FILES - {"there.jpg"}
    assert SECRET not in everything(shown)
    keeper.close()
    shown.close()


def test_where_nothing_of_a_portal_is_withheld_every_file_of_it_is_shown(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    vacuum_into(files.db, path)
    conn = open_archive(path)
    withholding.undo(conn, 1)
    conn.close()
    shown = public.open_public(path)
    assert files.captures(shown) == HIDDEN_FILES | SHOWN_FILES
    shown.close()


def test_neither_the_site_nor_a_copy_nor_an_export_nor_a_package_has_a_withheld_file(
    files: Files, tmp_path: Path
) -> None:
    copy, package, index = tmp_path / "copy.db", tmp_path / "a.wacz", tmp_path / "a.cdxj"
    publish(files.db, copy, progress=lambda *_: None)
    packages.write_wacz(files.db, files.warc, package, Selection(), progress=lambda *_: None)
    packages.write_cdxj(files.db, files.warc, index, Selection(), progress=lambda *_: None)
    assert CliRunner().invoke(export, [str(tmp_path / "study"), "--db", str(files.db)]).exit_code == 0
    with closing(sqlite3.connect(copy)) as conn:
        assert files.captures(conn) == SHOWN_FILES
    with zipfile.ZipFile(package) as zipped:
        inside = b"".join(zipped.read(name) for name in zipped.namelist() if not name.startswith("archive/"))
        indexed = gzip.decompress(zipped.read("indexes/index.cdx.gz"))
        records = b"".join(gzip.decompress(zipped.read(name)) for name in zipped.namelist() if "archive/" in name)
    written = b"".join(path.read_bytes() for path in (tmp_path / "study").rglob("*") if path.is_file())
    for data in (copy.read_bytes(), inside, indexed, records, index.read_bytes(), written):
        assert SECRET.encode() not in data
    assert b"there.jpg" in records
    assert records.count(b"both.jpg") > 1
    site = server.open_site(files.db, sql=True)
    for table in ("captures", "frontier"):
        listed = get(site, f"/archive/{table}.json?_shape=array&kind__in=attachment,image").text
        assert "both.jpg" in listed
        assert SECRET not in listed
    close(site)


def open_memory() -> sqlite3.Connection:
    from crawler.archive.schema import MIGRATIONS, migrate

    conn = sqlite3.connect(":memory:", isolation_level=None)
    migrate(conn, from_version=0, migrations=MIGRATIONS)
    return conn


# The site.


class Links(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in {"href", "action"} and value]


def walk(site: Any, *starts: str, limit: int) -> dict[str, str]:
    """*starts* and what they link of the database's pages, by address."""

    async def fetch() -> dict[str, str]:
        waiting, pages = list(starts), dict[str, str]()
        while waiting and len(pages) < limit:
            path = waiting.pop(0)
            if path in pages:
                continue
            response = await site.client.get(path)
            pages[path] = f"{response.status_code} {response.text}"
            if response.headers.get("content-type", "").startswith("text/html"):
                for link in Links(response.text).found:
                    address = urlsplit(urljoin(f"http://localhost{path}", link))
                    target = f"{address.path}?{address.query}" if address.query else address.path
                    if address.netloc == "localhost" and target not in pages and address.path.startswith("/archive"):
                        waiting.append(target)
        return pages

    return asyncio.run(fetch())


def test_no_page_of_the_site_shows_a_trace(site: Any, hidden_path: Path) -> None:
    conn = open_archive(hidden_path, readonly=True)
    tables = [
        name
        for (name,) in conn.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE '%_fts_%'"
        )
    ]
    conn.close()
    starts = ["/", "/archive", "/archive.json"]
    starts += [f"/archive/{table}" for table in tables]
    starts += [f"/archive/{table}.csv?_stream=1&_labels=on" for table in tables]
    starts += [f"/archive/articles?_facet={name}" for name in ("source", "author", "editor", "column")]
    starts += [
        f"/archive/articles.json?_search={SECRET}",
        "/archive/articles?_search_title=题目&_facet_year=published",
        "/archive/articles?_sort=title",
        "/archive/versions?_facet=title",
        "/archive/captures?_facet=url",
        "/archive/sections?_facet=text",
        "/archive/newest_articles",
        "/archive/articles_of_a_county.json?county=&year=",
        "/archive/articles_sharing_paragraphs?article=2",
        f"/archive/articles_with_a_paragraph?paragraph={SHARED}",
    ]
    pages = walk(site, *starts, limit=len(starts) + 40)
    assert sum(page.startswith("200") for page in pages.values()) > 90
    assert [path for path, page in pages.items() if SECRET in page.replace(path, "") and SECRET not in path] == []
    assert "公开的题目" in pages["/"]


@pytest.mark.parametrize(
    "path",
    ["/archive/articles/1", "/archive/articles/1.json", "/archive/article_texts/1", "/archive/versions/1",
     "/archive/attachments/1,x", "/archive/withheld/1", "/archive/reprints/1,2"],
)  # fmt: skip
def test_what_is_withheld_has_no_page(site: Any, path: str) -> None:
    assert get(site, path).status_code == 404


def test_a_table_keeps_its_keys_its_links_and_its_labels(site: Any) -> None:
    rows = get(site, "/archive/versions.json?_labels=on&_shape=array").json()
    assert [row["article_id"]["label"] for row in rows] == ["第三篇", "公开的题目"]
    assert get(site, "/archive/articles.json").json()["primary_keys"] == ["id"]
    assert "article_states" in get(site, "/archive/articles/2.json?_extras=foreign_key_tables").text
    counted = {one["name"]: one["count"] for one in get(site, "/archive.json").json()["tables"]}
    assert counted["articles"] == 2


def test_readers_with_sql_of_their_own_are_told_that_a_table_is_closed(site: Any) -> None:
    answer = get(site, "/archive.json?sql=select+title+from+main.articles")
    assert answer.status_code == 400
    assert "prohibited" in answer.json()["error"]
    assert get(site, "/archive.json?sql=select+title+from+articles&_shape=arrayfirst").json() == [
        "公开的题目",
        "第三篇",
    ]


def test_a_reader_who_knew_the_names_of_our_views_could_not_pass_for_one(site: Any) -> None:
    name = f"{public._PREFIX} articles"
    forged = f'with "{name}" as (select title from main.articles) select title from "{name}"'
    answer = get(site, "/archive.json", params={"sql": forged, "_shape": "array"})
    assert answer.status_code == 400
    assert SECRET not in answer.text


def test_a_running_site_shows_it_no_more_from_the_next_page_on(conn: sqlite3.Connection, path: Path) -> None:
    site = server.open_site(path, sql=False)
    assert SECRET in get(site, "/archive/articles/1").text
    withholding.withhold(conn, 1, "问过")
    assert get(site, "/archive/articles/1").status_code == 404
    withholding.undo(conn, 1)
    assert SECRET in get(site, "/archive/articles/1").text
    close(site)
