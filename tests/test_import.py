"""Collections of others, in the shapes in which they lie about, become captures and articles like any night's crawl."""

import gzip
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crawler.archive import withholding, writer
from crawler.archive.connection import open_archive
from crawler.archive.lock import LockHeldError, RunLock
from crawler.catalogue import Portal
from crawler.cli.import_ import import_ as command
from crawler.records import RecordRef
from crawler.settings import ITEM_PIPELINES
from crawler.verify.verification import verify
from crawler.warc.reader import read_capture
from pipelines import chain
from tests.support.archive import article as stored_article
from tests.support.archive import batch, begin, contents
from tests.support.collected import HOME, SHAPES, Place, Taken, arc, heritrix, ours, page, revisit, wget, whole, written
from tests.support.crawling import article_page, text_of, title_of


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


ARTICLES = "SELECT title, body, first_seen, published FROM articles JOIN article_texts ON article_id = id ORDER BY id"


# Shapes.


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_articles_and_every_capture_leads_to_its_bytes(place: Place, shape: str) -> None:
    name, make = SHAPES[shape]
    taken = [page(number, day=number) for number in range(3)]
    found = place.take(place.put(name, make(taken)))
    assert (found.status, found.new, found.failures, found.damage) == ("ok", 3, [], [])
    rows = place.query(ARTICLES)
    assert [(title, body, seen) for title, body, seen, _ in rows] == [
        (title_of(number), text_of(number), one.date) for number, one in enumerate(taken)
    ]
    assert {published for *_, published in rows} == {"2021-05-06"}
    captures = place.query(
        "SELECT warc_file, warc_offset, warc_length, url, fetched_at, kind FROM captures ORDER BY id"
    )
    assert len(captures) == 3
    for (file, offset, length, url, fetched_at, kind), one in zip(captures, taken, strict=True):
        assert (url, fetched_at[:19] + "Z", kind) == (one.url, one.date, "article")
        assert read_capture(place.warc, RecordRef(file=file, offset=offset, length=length)).entity == one.body


def test_files_of_another_archive_of_ours_can_be_imported(place: Place, tmp_path: Path) -> None:
    source = ours([page(1), page(2)], tmp_path / "theirs")
    assert place.take(source).new == 2
    assert place.one("SELECT warc_file FROM captures").startswith("import-")


def test_what_is_rewritten_says_where_it_is_from_and_keeps_every_record_to_the_byte(place: Place) -> None:
    source = place.put("a.warc.gz", whole([page(1)]))
    [brought] = place.take(source).files
    data = gzip.decompress((place.warc / brought.name).read_bytes())
    opening, _, rest = data.partition(b"\r\n\r\nWARC/1.1\r\n")
    assert b"a.warc.gz" in opening
    assert brought.sha256.encode() in opening
    assert b"WARC/1.1\r\n" + rest == gzip.decompress(source.read_bytes())


def test_the_stages_are_those_of_a_crawl_in_their_order(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = [path.split(".")[1] for path, _ in sorted(ITEM_PIPELINES.items(), key=lambda item: item[1])]
    passed: list[str] = []

    def noting(name: str, stage: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            passed.append(name)
            return stage(*args, **options)

        return run

    for name in stages[:-1]:
        monkeypatch.setattr(chain, name, noting(name, getattr(chain, name)))
    place.take(place.put("a.warc.gz", wget([page(1)])))
    assert [*passed, "store"] == stages


# Files and pictures.


def linking(number: int, *links: str) -> Taken:
    return page(number, text=f"{text_of(number)}</p>{''.join(links)}<p>特此通知。")


def file(path: str, body: bytes, *, day: float = 0, kind: str = "application/pdf", **changes: Any) -> Taken:
    return Taken(url=f"{HOME}{path}", day=day, body=body, headers=(("Content-Type", kind),), **changes)


LINKING = linking(1, '<a href="/files/名单.pdf">名单</a>', '<a href="/files/gone.pdf">附件</a>', '<img src="/1.jpg">')
FILES = (
    file("files/%E5%90%8D%E5%8D%95.pdf", b"%PDF-1.4 first", day=1),
    file("files/%E5%90%8D%E5%8D%95.pdf", b"%PDF-1.4 second", day=2),
    file("files/gone.pdf", b"not found", day=1, status="404 Not Found"),
    file("1.jpg", b"\xff\xd8\xff", day=-1, kind="image/jpeg"),
    file("other.jpg", b"\xff\xd8", kind="image/jpeg"),
)
LINKED = """
    SELECT linked.url, captures.url, fetched_at FROM (
        SELECT url, capture_id FROM attachments UNION ALL SELECT url, capture_id FROM images) AS linked
    LEFT JOIN captures ON captures.id = capture_id ORDER BY linked.url
"""


@pytest.mark.parametrize("order", [(0, 1), (1, 0), None], ids=["pages first", "files first", "together"])
def test_an_article_has_its_files_and_pictures_where_the_collection_has_them(
    place: Place, order: tuple[int, int] | None
) -> None:
    sources = [place.put("pages.warc.gz", wget([LINKING])), place.put("files.warc.gz", wget(FILES))]
    found = [place.take(*sources)] if order is None else [place.take(sources[number]) for number in order]
    assert sum(each.linked for each in found) == 2
    rows = {url.removeprefix(HOME): (of, at) for url, of, at in place.query(LINKED)}
    assert rows == {
        "1.jpg": (FILES[3].url, "2013-05-05T08:00:00.000000Z"),
        "files/gone.pdf": (None, None),
        "files/名单.pdf": (FILES[0].url, "2013-05-07T08:00:00.000000Z"),
    }
    assert place.take(*sources).linked == 0
    assert verify(db=place.db, warc=place.warc).findings == ()


# Again, and late.


def test_the_same_files_again_change_nothing(place: Place) -> None:
    sources = [
        place.put("a.warc.gz", wget([page(1), page(2)])),
        place.put("b.warc.gz", whole([page(3)])),
        place.put("c.arc", arc([page(4)])),
    ]
    place.take(*sources)
    with closing(sqlite3.connect(place.db)) as conn:
        before = contents(conn)
    moved = sources[0].rename(sources[0].with_name("moved.warc.gz"))
    again = place.take(moved, *sources[1:])
    with closing(sqlite3.connect(place.db)) as conn:
        after = contents(conn)
    assert (again.stored, again.known, again.status) == (0, 4, "ok")
    assert {table for table in after if after[table] != before[table]} <= {"runs", "manifests", "frontier"}
    assert len(list(place.warc.iterdir())) == 3


def test_history_grows_by_date_in_whatever_order_the_files_are_named(place: Place) -> None:
    first, second = (
        "第一稿的内容，比较长的一段话，说的是修路的事情。" * 3,
        "第二稿的内容，另外一段话，说的是修渠的事情，改了。" * 3,
    )
    files = [
        place.put(f"{day}.warc.gz", wget([page(1, day=day, text=text)]))
        for day, text in ((20, first), (10, second), (0, first))
    ]
    found = place.take(*files)
    assert (found.new, found.changed) == (1, 2)
    bodies = place.query("SELECT seen_at, text_sha256 FROM versions ORDER BY id")
    assert [seen for seen, _ in bodies] == [page(1, day=day).date for day in (0, 10, 20)]
    assert bodies[0][1] == bodies[2][1] != bodies[1][1]
    assert place.query("SELECT state, first_seen, last_seen FROM articles") == [
        ("edited", page(1, day=0).date, page(1, day=20).date)
    ]


def test_what_an_archive_knew_from_later_on_gains_its_past(place: Place) -> None:
    conn = begin(open_archive(place.db), "liuxi")
    late = stored_article(text_of(1), url=f"{HOME}news/1.html", portal_id="liuxi", title="改过的题目", day=0)
    writer.write(conn, batch(late))
    conn.close()
    found = place.take(place.put("a.warc.gz", wget([page(1), page(2)])))
    assert (found.new, found.changed) == (1, 1)
    assert place.query("SELECT id, title, state, first_seen FROM articles ORDER BY id")[0] == (
        1, "改过的题目", "edited", page(1).date,
    )  # fmt: skip
    assert place.one("SELECT count(*) FROM versions WHERE article_id = 1") == 2


def test_an_import_is_a_run_that_says_nothing_of_a_portals_health(place: Place) -> None:
    found = place.take(place.put("a.warc.gz", wget([page(1)])))
    assert place.query("SELECT id, status, finished_at IS NOT NULL FROM runs") == [(found.run_id, "ok", 1)]
    assert place.one("SELECT count(*) FROM portal_runs") == 0
    assert place.query("SELECT id, homepage FROM portals") == [("liuxi", HOME)]
    assert place.one("SELECT count(*) FROM manifests") == 1


def test_what_is_imported_can_be_searched_at_once(place: Place) -> None:
    place.take(place.put("a.warc.gz", wget([page(1)])))
    assert place.one("SELECT count(*) FROM articles_fts") == 1


def test_what_is_withheld_stays_so(place: Place) -> None:
    place.take(place.put("a.warc.gz", wget([page(1)])))
    with closing(open_archive(place.db)) as conn:
        withholding.withhold(conn, 1, "问过")
    place.take(place.put("b.warc.gz", wget([page(1, day=3, text="改了" * 60)])))
    assert place.one("SELECT count(*) FROM articles_fts") == 0


# Revisits.


@pytest.mark.parametrize("refers", ["place", "id", "digest"])
def test_a_revisit_is_a_sighting_with_the_originals_text(place: Place, refers: str) -> None:
    original = page(1)
    data = written([original, page(2), revisit(original, day=30)], version="WARC/1.1", zipped=True, refers=refers)
    found = place.take(place.put("a.warc.gz", data))
    assert (found.new, found.changed, found.unchanged, found.unresolved) == (2, 0, 1, [])
    assert place.query("SELECT first_seen, last_seen FROM articles WHERE id = 1") == [
        (original.date, revisit(original, day=30).date)
    ]
    digest, own, of = place.query("SELECT payload_sha256, id, revisit_of FROM captures ORDER BY id")[2]
    assert place.query("SELECT id FROM captures WHERE payload_sha256 = ? AND id <> ?", digest, own) == [(of,)]


def test_a_revisit_finds_its_original_in_another_file_and_in_an_earlier_import(place: Place) -> None:
    original = page(1)
    both = written([original, revisit(original, day=30)], version="WARC/1.1", zipped=False)
    parts = both.split(b"WARC/1.1\r\n")
    is_revisit = [b"WARC-Type: revisit" in part for part in parts]
    first = b"WARC/1.1\r\n".join(part for part, skip in zip(parts, is_revisit, strict=True) if not skip)
    second = b"WARC/1.1\r\n" + parts[is_revisit.index(True)]
    files = [place.put("b.warc", second), place.put("a.warc", first)]
    lone = place.take(files[0])
    assert (lone.status, lone.stored, len(lone.unresolved)) == ("failed", 0, 1)
    assert "at byte 0: http://www.liuxi.example/news/1.html" in lone.unresolved[0]
    place.take(files[1])
    assert place.take(files[0]).unchanged == 1
    assert place.one("SELECT last_seen FROM articles") == revisit(original, day=30).date


def test_not_modified_is_a_sighting_too(place: Place) -> None:
    original = page(1)
    same = Taken(url=original.url, day=9, body=b"", status="304 Not Modified", headers=())
    found = place.take(place.put("a.warc.gz", heritrix([original, same])))
    assert (found.new, found.unchanged) == (1, 1)
    assert place.one("SELECT last_seen FROM articles") == same.date
    assert place.query("SELECT status, kind FROM captures ORDER BY id") == [(200, "article"), (304, "other")]


def test_what_was_imported_stands_the_archives_own_verification_withheld_or_not(place: Place) -> None:
    original = page(50)
    with_revisit = written([original, page(51), revisit(original, day=30)], version="WARC/1.1", zipped=True)
    shapes = enumerate(SHAPES.values())
    sources = [place.put(f"{n}-{name}", make([page(5 * n), page(5 * n + 1)])) for n, (name, make) in shapes]
    assert place.take(*sources, place.put("r.warc.gz", with_revisit)).status == "ok"
    assert verify(db=place.db, warc=place.warc, jobs=1).findings == ()
    with closing(open_archive(place.db)) as conn:
        withholding.withhold(conn, 1, "问过")
    assert verify(db=place.db, warc=place.warc, jobs=1, restart=True).findings == ()


# What is a page, and whose.
LIST = "".join(f'<li><a href="/news/{n}.html">{title_of(n)}，全县干部群众一起参加竣工仪式</a></li>' for n in range(20))


def test_each_capture_gets_its_kind_and_only_articles_become_articles(place: Place) -> None:
    def of(path: str, body: bytes, content_type: str, status: str = "200 OK") -> Taken:
        return Taken(url=HOME + path, day=0, body=body, status=status, headers=(("Content-Type", content_type),))

    taken = {
        "list": of("news/", f"<html><body><ul>{LIST}</ul></body></html>".encode(), "text/html; charset=utf-8"),
        "robots": of("robots.txt", b"User-agent: *\n", "text/plain"),
        "image": of("a.jpg", b"\xff\xd8\xff", "image/jpeg"),
        "attachment": of("a.pdf", b"%PDF-1.4", "application/pdf"),
        "feed": of("rss.xml", b"<?xml version='1.0'?><rss version='2.0'><channel><item/></channel></rss>", "text/xml"),
        "article": page(1),
        "other": of("a.css", b"a { b: c }", "text/css"),
    }
    gone = of("news/9.html", article_page(title_of(9), text_of(9)).body, "text/html", status="404 Not Found")
    place.take(place.put("a.warc.gz", heritrix([*taken.values(), gone])))
    kinds = dict(place.query("SELECT url, kind FROM captures"))
    assert kinds == {one.url: kind for kind, one in taken.items()} | {gone.url: "other"}
    assert place.query("SELECT url FROM articles") == [(taken["article"].url,)]


def test_what_is_of_other_hosts_is_left_out(place: Place) -> None:
    others = [page(1, url="http://other.example/1.html"), page(2, url="http://news.liuxi.example/2.html")]
    found = place.take(place.put("a.warc.gz", wget([*others, page(3), page(4, url="https://liuxi.example/4.html")])))
    assert (found.elsewhere, found.stored, found.status) == (3, 2, "ok")  # wget's log is the third
    assert place.query("SELECT url FROM articles ORDER BY id") == [(f"{HOME}news/3.html",), (f"{HOME}4.html",)]


def test_files_without_a_page_of_the_portal_are_a_mistake(place: Place) -> None:
    found = place.take(place.put("a.warc.gz", wget([page(1, url="http://other.example/1.html")])))
    assert (found.status, found.exit_code) == ("failed", 1)


def test_the_catalogues_pattern_says_what_is_an_article(place: Place) -> None:
    portal = Portal(id="liuxi", name="柳溪县人民政府", division="610424", homepage=HOME, article=r"/news/1\.html")
    place.take(place.put("a.warc.gz", wget([page(1), page(2)])), portal=portal)
    assert place.query("SELECT url FROM articles") == [(f"{HOME}news/1.html",)]


def test_a_page_that_says_it_is_another_countys_is_archived_and_not_read(place: Place) -> None:
    body = article_page(title_of(1), text_of(1)).body.replace(
        b"<head>",
        '<head><meta name="SiteName" content="舟曲县人民政府"><meta name="SiteIDCode" content="6230230001">'.encode(),
    )
    found = place.take(place.put("a.warc.gz", wget([Taken(url=f"{HOME}news/1.html", day=0, body=body), page(2)])))
    assert (found.new, found.stored) == (1, 2)
    assert "舟曲县" in found.failures[0]


def test_a_body_whose_chunks_were_undone_is_a_whole_one(place: Place) -> None:
    headers = (("Content-Type", "text/html; charset=utf-8"), ("Transfer-Encoding", "chunked"))
    assert place.take(place.put("a.warc.gz", heritrix([page(1, headers=headers)]))).new == 1


def test_an_answer_cut_short_is_archived_and_not_read(place: Place) -> None:
    headers = (("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "99999"))
    found = place.take(place.put("a.warc.gz", heritrix([page(1, headers=headers), page(2)])))
    assert (found.new, found.stored, len(found.failures)) == (1, 2, 1)
    assert place.query("SELECT truncated FROM captures ORDER BY id") == [("unspecified",), (None,)]


# How it runs.


def test_two_processes_give_what_one_gives(place: Place, tmp_path: Path) -> None:
    taken = [page(number % 150, day=number / 24, text=text_of(number % 151)) for number in range(220)]
    source = place.put("a.warc.gz", wget(taken))
    found = place.take(source, jobs=2)
    alone = Place(tmp_path / "alone")
    alone.folder.mkdir()
    assert alone.take(source).new == found.new == 150
    tables = "SELECT url, title, state, first_seen, last_seen FROM articles ORDER BY id"
    assert alone.query(tables) == place.query(tables)


def test_an_interrupted_import_goes_on_where_it_was(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.importing.work.BATCH", 2)

    def interrupt(progress: Any) -> None:
        if progress.step == "reading" and progress.done == 4:
            raise KeyboardInterrupt

    source = place.put("a.warc.gz", wget([page(number) for number in range(7)]))
    cut = place.take(source, on_progress=interrupt)
    assert (cut.status, cut.exit_code, cut.new) == ("interrupted", 130, 4)
    rest = place.take(source)
    assert (rest.status, rest.known, rest.new) == ("ok", 4, 3)
    assert place.query("SELECT status FROM runs ORDER BY id") == [("interrupted",), ("ok",)]


def test_an_import_waits_for_no_run_and_no_run_for_it(place: Place) -> None:
    source = place.put("a.warc.gz", wget([page(1)]))
    with RunLock(place.db), pytest.raises(LockHeldError):
        place.take(source)


# The command.


@pytest.fixture
def run(place: Place) -> Callable[..., Any]:
    (place.folder / "portals.toml").write_text(
        f'[[portal]]\nid = "liuxi"\nname = "柳溪县人民政府"\ndivision = "610424"\nhomepage = "{HOME}"\nlists = ["{HOME}news/"]\n',
        encoding="utf-8",
    )

    def run(*words: str) -> Any:
        shared = ["--db", str(place.db), "--warc", str(place.warc), "--catalogue", str(place.folder / "portals.toml")]
        return CliRunner().invoke(command, [*words, *shared])

    return run


def test_the_command_takes_files_and_folders_and_says_what_came(place: Place, run: Callable[..., Any]) -> None:
    place.put("a.warc.gz", wget([page(1)]))
    place.put("b.ARC", arc([page(2)]))
    place.put("notes.txt", b"no collection")
    done = run(str(place.folder / "found"), "--portal", "liuxi", "--json")
    data = json.loads(done.stdout)
    assert (done.exit_code, data["status"], data["new"], data["kinds"]) == (0, "ok", 2, {"article": 2})
    assert [Path(file["source"]).name for file in data["files"]] == ["a.warc.gz", "b.ARC"]
    again = run(str(place.folder / "found"), "--portal", "liuxi")
    assert again.exit_code == 0
    assert "0 stored, 2 known" in again.stderr


def test_the_command_names_what_it_could_not_read(place: Place, run: Callable[..., Any]) -> None:
    done = run(str(place.put("a.warc", b"nothing")), "--portal", "liuxi")
    assert done.exit_code == 1
    assert "a.warc: is no WARC or ARC file" in done.stderr
    assert "nothing in these files" in done.stderr


def test_an_unknown_portal_is_wrong_usage(place: Place, run: Callable[..., Any]) -> None:
    done = run(str(place.put("a.warc", b"")), "--portal", "liuxy")
    assert done.exit_code == 2
    assert "did you mean liuxi?" in done.stderr


def test_an_empty_folder_is_wrong_usage(place: Place, run: Callable[..., Any]) -> None:
    assert run(str(place.folder), "--portal", "liuxi").exit_code == 2
