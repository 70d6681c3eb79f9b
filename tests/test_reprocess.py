"""Everything archived is read again by today's rules: what is read otherwise becomes a version beside the old one."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.archive import rules, search
from crawler.archive.connection import open_archive
from crawler.archive.lock import LockHeldError, RunLock
from crawler.archive.texts import text_of_version
from crawler.cli.report import report
from crawler.cli.reprocess import reprocess
from crawler.demo.server import serve
from crawler.records import Article
from crawler.reprocess import reprocessing
from crawler.reprocess.changes import Summary
from crawler.reprocess.notes import Notes, Progress
from crawler.reprocess.reprocessing import UnknownPortalError
from crawler.verify.verification import verify
from crawler.version import EXTRACTOR
from tests.support.archive import PORTAL
from tests.support.crawling import Archive, entry, news_site
from tests.support.rereading import (
    OLD,
    Shelf,
    blind,
    contents,
    page,
    without_author,
    without_last_paragraph,
)

PAGES = Path(__file__).parent / "pages"
TEXTS = ("1月2日，凌阳县在城关镇启动年度防汛演练，全县26个部门的300多人参加。", "各乡镇要压实责任，备足物资。")

REAL = (
    "这里才是目录所指的正文。各乡镇、各部门共有三百余人参加了这次演练，现场秩序井然，达到了预期目的。县应急管理局随后对"
    "照预案逐项检查物资储备情况，并就下一步巡查值守、隐患排查和群众转移工作作出安排，要求年底前全部落实到位。"
)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path)
    yield shelf
    shelf.close()


def assert_all_is_well(shelf: Shelf) -> None:
    """The archive agrees with itself and with its bytes, and the index is true."""
    assert search.check(shelf.conn) == []
    findings = [finding for finding in verify(db=shelf.db, warc=shelf.warc).findings if finding.kind != "run"]
    assert findings == []


def versions(shelf: Shelf) -> list[tuple[object, ...]]:
    return shelf.query("SELECT id, capture_id, extractor, replaces, author FROM versions ORDER BY id")


# What is read otherwise.


def test_a_better_reading_is_a_row_beside_the_old_one_and_what_the_article_says(shelf: Shelf) -> None:
    [written] = shelf.see(page(), rules=without_author)
    counts = shelf.reprocess().summary.counts
    assert (counts.pages, counts.captures, counts.reread, counts.failed) == (1, 1, 1, 0)
    assert versions(shelf) == [(1, 1, OLD, None, None), (2, 1, EXTRACTOR, 1, "王建国")]
    assert shelf.query("SELECT id, version_id, author, state FROM articles") == [
        (written.article_id, 2, "王建国", "live")
    ]
    assert shelf.query("SELECT * FROM article_states") == []
    assert_all_is_well(shelf)


def test_a_longer_text_is_found_by_search_and_its_places_are_named(shelf: Shelf) -> None:
    html = page("防汛演练举行", *TEXTS, "陕西省礼泉县派员观摩了演练活动，并介绍了经验。")
    shelf.see(html, rules=without_last_paragraph)
    assert shelf.query("SELECT division_code FROM mentions WHERE division_code = '610425'") == []
    summary = shelf.reprocess().summary
    assert shelf.query("SELECT body LIKE '%礼泉县派员%' FROM article_texts") == [(1,)]
    assert shelf.query("SELECT count FROM mentions WHERE division_code = '610425'") == [(1,)]
    assert text_of_version(shelf.conn, 1).endswith(TEXTS[-1])
    assert summary.fields["text"].changed == 1
    assert "观摩" in (summary.fields["text"].examples[0].after or "")
    assert summary.fields["places"].examples[0].before != summary.fields["places"].examples[0].after
    assert_all_is_well(shelf)


def test_nothing_read_otherwise_leaves_no_trace(shelf: Shelf) -> None:
    for number in range(3):
        shelf.see(page(f"第{number}次防汛演练"), number=number)
    before = contents(shelf.conn)
    counts = shelf.reprocess().summary.counts
    assert (counts.pages, counts.reread, counts.refreshed) == (3, 0, 0)
    assert contents(shelf.conn) == before
    assert not shelf.db.with_name("archive.db.reprocess").exists()


def test_a_second_time_nothing_is_left_to_do(shelf: Shelf) -> None:
    shelf.see(page(), rules=without_author)
    shelf.reprocess()
    before = contents(shelf.conn)
    assert shelf.reprocess().summary.counts.reread == 0
    assert contents(shelf.conn) == before


def test_a_dry_run_tells_the_same_and_writes_nothing(shelf: Shelf) -> None:
    shelf.see(page(), rules=without_author)
    before = contents(shelf.conn)
    told = shelf.reprocess(dry_run=True).summary
    assert contents(shelf.conn) == before
    assert told.as_data() == shelf.reprocess().summary.as_data()


def test_all_cores_read_the_same(shelf: Shelf) -> None:
    for number in range(30):
        shelf.see(page(f"第{number}次防汛演练"), rules=without_author, number=number)
    alone = shelf.reprocess(dry_run=True).summary.as_data()
    assert shelf.reprocess(jobs=2).summary.as_data() == alone
    assert alone["counts"]["reread"] == 30
    assert_all_is_well(shelf)


def test_what_is_no_part_of_a_version_is_brought_up_to_date_in_its_place(shelf: Shelf) -> None:
    def without_column(article: Article) -> Article:
        return replace(article, column=None, attachments=())

    crumbs = '<div class="position">当前位置：<a href="/">首页</a> &gt; <a href="/xw/">今日要闻</a></div>'
    html = page("防汛演练举行", *TEXTS, '见附件：<a href="/files/a.doc">名单.doc</a>', more=crumbs)
    shelf.see(html, rules=without_column)
    counts = shelf.reprocess().summary.counts
    assert (counts.reread, counts.refreshed) == (0, 1)
    assert shelf.query('SELECT "column", version_id FROM articles') == [("今日要闻", 1)]
    assert len(shelf.query("SELECT url FROM attachments")) == 1


# Versions and edits.


def test_every_version_of_the_portal_is_read_again_and_none_is_added(shelf: Shelf) -> None:
    shelf.see(page("旧题目在此"), rules=without_author)
    shelf.see(page("新题目在此"), rules=without_author, day=1)
    shelf.see(page("旧题目在此"), rules=without_author, day=2)  # the same bytes again: a revisit
    assert shelf.reprocess().summary.counts.edits == 0
    assert [(row[1], row[3]) for row in versions(shelf)] == [(1, None), (2, None), (3, None), (1, 1), (2, 2), (3, 3)]
    assert shelf.query("SELECT version_id, title, state FROM articles") == [(6, "旧题目在此", "edited")]
    assert_all_is_well(shelf)


def test_an_edit_that_older_rules_did_not_see_is_a_version_of_the_portal(shelf: Shelf) -> None:
    shelf.see(page(author="王建国"), rules=without_author)
    shelf.see(page(author="李卫民"), rules=without_author, day=3)
    shelf.see(page(author="李卫民", more="<!-- 2 -->"), rules=without_author, day=5)
    assert len(versions(shelf)) == 1
    counts = shelf.reprocess().summary.counts
    assert (counts.reread, counts.edits) == (1, 1)
    assert versions(shelf)[1:] == [(2, 1, EXTRACTOR, 1, "王建国"), (3, 2, EXTRACTOR, None, "李卫民")]
    assert shelf.query("SELECT version_id, author, state FROM articles") == [(3, "李卫民", "edited")]
    assert shelf.query("SELECT since, state, capture_id FROM article_states") == [("2024-01-04T00:00:00Z", "edited", 2)]
    assert_all_is_well(shelf)


def test_a_page_that_stood_in_for_an_article_is_no_edit_of_it(shelf: Shelf) -> None:
    """What a portal answers while it is in trouble may read like an article."""
    notice = page("网站维护公告", "因系统升级，本网站将于今晚停止服务，给您带来的不便敬请谅解，感谢支持。" * 2)
    shelf.see(page(), rules=without_author)
    shelf.store([shelf.capture(notice, day=1)], rules=blind)
    gone = shelf.capture(page(author="李卫民", more="<!-- 已删 -->"), day=2)
    shelf.store([gone], rules=blind)
    shelf.observe("gone", day=2, capture=gone)
    shelf.see(page(more="<!-- 3 -->"), rules=without_author, day=3)
    counts = shelf.reprocess().summary.counts
    assert (counts.reread, counts.edits) == (1, 0)
    assert_all_is_well(shelf)


def test_a_capture_that_came_late_is_no_edit_where_the_next_version_says_the_same(shelf: Shelf) -> None:
    shelf.see(page("旧题目在此"), rules=without_author)
    shelf.see(page("新题目在此"), rules=without_author, day=2)
    shelf.see(page("新题目在此", more="<!-- 1 -->"), rules=without_author, day=1)
    assert shelf.reprocess().summary.counts.edits == 0
    assert [row[3] for row in versions(shelf)] == [None, None, 1, 2]
    assert_all_is_well(shelf)


def test_what_came_late_is_not_what_the_article_says_where_an_answer_304_was_behind_it(shelf: Shelf) -> None:
    """An import of older captures: what one shows came and went, as the crawl that answered 304 knew."""
    shelf.see(page("今天的题目"), rules=without_author)
    shelf.observe("live", day=5, capture=shelf.capture("", day=5, status=304))
    shelf.see(page("别的题目"), rules=without_author, day=3)
    assert shelf.reprocess().summary.counts.edits == 0
    assert shelf.query("SELECT title, state FROM articles") == [("今天的题目", "live")]
    shelf.see(page("新题目在此"), extractor=EXTRACTOR, day=9)
    assert shelf.reprocess().summary.counts.edits == 0
    assert_all_is_well(shelf)


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.integers(0, 2), min_size=2, max_size=5).flatmap(lambda shown: st.permutations(list(enumerate(shown))))
)
def test_in_whatever_order_captures_came_each_version_differs_from_the_one_before(
    arrived: list[tuple[int, int]],
) -> None:
    titles = ("第一个题目", "第二个题目", "第三个题目")
    with tempfile.TemporaryDirectory() as folder, closing(Shelf(Path(folder))) as shelf:
        for day, shown in arrived:
            shelf.see(page(titles[shown], more=f"<!-- {day} -->"), day=day, extractor=EXTRACTOR)
        shelf.reprocess()
        told = [title for (title,) in shelf.query("SELECT title FROM versions ORDER BY seen_at, id")]
        assert all(before != after for before, after in pairwise(told))
        _, last = max(arrived)
        assert shelf.query("SELECT title FROM articles") == [(titles[last],)]


def test_after_reprocessing_a_crawl_finds_nothing_new_in_what_did_not_change(shelf: Shelf) -> None:
    shelf.see(page(), rules=without_author)
    shelf.reprocess()
    [written] = shelf.see(page(more="<!-- 计数 -->"), day=1, extractor=EXTRACTOR)
    assert written.outcome == "unchanged"


# What becomes an article, and what is none any more.


def test_a_page_that_was_no_article_becomes_one(shelf: Shelf) -> None:
    shelf.store([shelf.capture(page()), shelf.capture(page(author="李卫民"), day=2)], rules=blind)
    summary = shelf.reprocess().summary
    assert summary.counts.articles == 1
    assert [example.after for example in summary.fields["kind"].examples] == ["article"]
    assert shelf.query("SELECT url, state, first_seen, author FROM articles") == [
        (shelf.url(), "edited", "2024-01-01T00:00:00Z", "李卫民")
    ]
    assert_all_is_well(shelf)


@pytest.mark.parametrize(
    "stub",
    ['<html><script>location.href="/xw/other.html"</script></html>', '<script src="/a.js?__jsl_clearance"></script>'],
)
def test_jumps_and_bot_walls_become_no_articles(shelf: Shelf, stub: str) -> None:
    shelf.store([shelf.capture(stub)], rules=blind)
    assert shelf.reprocess().summary.counts.articles == 0


def test_a_page_that_is_no_article_any_more_keeps_its_version_and_is_told(shelf: Shelf) -> None:
    listing = (PAGES / "list_page.html").read_text(encoding="utf-8")
    shelf.see(listing, rules=lambda article: replace(article, kind="article", title="新闻列表"))
    assert len(versions(shelf)) == 1
    before = contents(shelf.conn)
    summary = shelf.reprocess().summary
    assert summary.counts.lost == 1
    assert [(example.before, example.after) for example in summary.fields["kind"].examples] == [("article", "list")]
    assert contents(shelf.conn) == before


def test_a_page_of_another_site_is_no_article(shelf: Shelf) -> None:
    tags = '<html><meta name="SiteIDCode" content="4401000001"><meta name="SiteName" content="广州市人民政府">'
    shelf.see(page().replace("<html>", tags))
    counts = shelf.reprocess().summary.counts
    assert (counts.lost, counts.reread) == (1, 0)


# What the bytes do not tell.


def test_a_day_that_only_the_list_told_is_not_lost(shelf: Shelf) -> None:
    html = page(date=None)
    shelf.see(html, rules=without_author, listed="2024-01-05")
    assert shelf.query("SELECT published, published_basis FROM articles") == [("2024-01-05", "list")]
    shelf.reprocess()
    assert shelf.query("SELECT published, published_basis, author FROM articles") == [("2024-01-05", "list", "王建国")]
    assert shelf.query("SELECT published FROM versions") == [("2024-01-05",), ("2024-01-05",)]


def test_what_was_learned_of_the_portal_stays(shelf: Shelf) -> None:
    """Boilerplate is no stage's doing: it is not undone, and not counted as a difference."""
    line = "凌阳县人民政府主办　凌阳县融媒体中心承办"
    for number in range(24):
        day = f"2024-0{1 + number % 4}-02 08:30"
        texts = (
            f"第{number}次防汛演练在城关镇举行，共有{number + 30}人参加了活动。",
            f"负责同志{number}号要求压实责任。",
            line,
        )
        shelf.see(page(f"第{number}次防汛演练", *texts, date=day), number=number)
    marked = "SELECT count(*) FROM version_sections WHERE role = 'boilerplate'"
    assert shelf.query(marked) == [(24,)]
    before = contents(shelf.conn)
    assert shelf.reprocess().summary.fields == {}
    assert contents(shelf.conn) == before
    shelf.see(page("另一次", line, TEXTS[0], line), rules=without_author, number=99)
    shelf.reprocess()
    [(version_id,)] = shelf.query("SELECT version_id FROM articles WHERE author IS NOT NULL AND title = '另一次'")
    assert shelf.query("SELECT role FROM version_sections WHERE version_id = ? ORDER BY position", version_id)[-1] == (
        "boilerplate",
    )
    assert_all_is_well(shelf)


# The catalogue's part in the rules.


def test_an_entry_that_was_mended_is_a_better_reading_by_the_same_rules(shelf: Shelf) -> None:
    html = page("防汛演练举行", *TEXTS).replace("</body>", f'<div id="real"><p>{REAL}</p></div></body>')
    shelf.see(html, extractor=EXTRACTOR)
    shelf.reprocess(portal=replace(shelf.portal, body="#real"))
    assert [row[2:4] for row in versions(shelf)] == [(EXTRACTOR, None), (f"{EXTRACTOR}/2", 1)]
    assert shelf.query("SELECT body FROM article_texts") == [(REAL,)]
    shelf.reprocess()
    assert [row[2:4] for row in versions(shelf)][2:] == [(f"{EXTRACTOR}/3", 2)]
    [written] = shelf.see(html.replace("<body>", "<body> "), day=1, extractor=EXTRACTOR)
    assert written.outcome == "unchanged"
    assert_all_is_well(shelf)


def test_a_portal_that_is_another_divisions_now_has_its_articles_placed_anew(shelf: Shelf) -> None:
    shelf.see(page(), extractor=EXTRACTOR)
    [(before,)] = shelf.query("SELECT division_code FROM articles")
    counts = shelf.reprocess(portal=replace(shelf.portal, division="610425")).summary.counts
    assert (before, counts.reread, counts.refreshed) == ("610424", 0, 1)
    assert shelf.query("SELECT division_code, division_basis FROM articles") == [("610425", "portal")]
    assert shelf.query("SELECT division_code FROM portals") == [("610425",)]


def test_a_portal_that_no_catalogue_has_any_more_is_read_all_the_same(shelf: Shelf) -> None:
    shelf.see(page(), rules=without_author)
    counts = shelf.reprocess(portal=replace(shelf.portal, id="another")).summary.counts
    assert (counts.pages, counts.reread) == (1, 1)


def test_only_what_is_asked_for_is_read(shelf: Shelf) -> None:
    for number in range(3):
        shelf.see(page(f"第{number}次防汛演练"), rules=without_author, day=number, number=number)
    assert shelf.reprocess(dry_run=True, since="2024-01-02", until="2024-01-02").pages_now == 1
    assert shelf.reprocess(dry_run=True, since="2024-01-02").pages_now == 2
    assert shelf.reprocess(dry_run=True, portals=frozenset({PORTAL})).pages_now == 3
    with pytest.raises(UnknownPortalError, match="nobody"):
        shelf.reprocess(portals=frozenset({"nobody"}))


def test_a_page_captured_in_the_days_asked_for_is_read_with_all_its_captures(shelf: Shelf) -> None:
    shelf.see(page(author="王建国"), rules=without_author)
    shelf.see(page(author="李卫民"), rules=without_author, day=9)
    assert shelf.reprocess(since="2024-01-10").summary.counts.edits == 1


# What goes wrong.


def test_bytes_that_are_not_there_are_told_and_the_rest_is_read(shelf: Shelf) -> None:
    shelf.see(page(), rules=without_author)
    shelf.reprocess(dry_run=True)  # finishes the file
    [file] = shelf.warc.glob("*.warc.gz")
    data = file.read_bytes()
    shelf.see(page("另一次"), rules=without_author, number=2)
    file.write_bytes(data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :])
    summary = shelf.reprocess().summary
    assert (summary.counts.failed, summary.counts.reread) == (1, 1)
    assert file.name in summary.failures[0]
    file.unlink()
    summary = shelf.reprocess().summary
    assert "no such WARC file" in summary.failures[0]


def test_one_at_a_time_but_for_dry_runs(shelf: Shelf) -> None:
    shelf.see(page())
    with RunLock(shelf.db):
        with pytest.raises(LockHeldError):
            shelf.reprocess()
        assert shelf.reprocess(dry_run=True).pages_now == 1


def test_an_interrupted_one_goes_on_where_it_was(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        shelf.see(page(f"第{number}次防汛演练"), rules=without_author, number=number)
    whole = shelf.reprocess(dry_run=True).summary.as_data()
    monkeypatch.setattr(reprocessing, "WRITTEN_AT_ONCE", 3)

    def interrupt(done: int, pages: int, summary: Summary) -> None:
        assert pages == 9
        run.stop()

    shelf._sink.close_warc(PORTAL)
    options = reprocessing.Options(db=shelf.db, warc=shelf.warc)
    catalogue = reprocessing.Catalogue(portals=(shelf.portal,))
    run = reprocessing.Reprocessing(options, catalogue, on_progress=interrupt)
    stopped = run()
    assert (stopped.is_whole, stopped.pages_now) == (False, 3)
    assert len(versions(shelf)) == 12
    another = shelf.reprocess(dry_run=True, portals=frozenset({PORTAL}))
    assert another.pages_now == 9  # a dry run neither goes on nor is gone on with
    rest = shelf.reprocess()
    assert (rest.is_whole, rest.pages_now) == (True, 6)
    assert rest.summary.as_data() == whole
    assert len(versions(shelf)) == 18
    assert_all_is_well(shelf)


def test_other_rules_begin_anew(shelf: Shelf) -> None:
    shelf.see(page(), rules=without_author)
    notes = shelf.db.with_name("archive.db.reprocess")
    notes.write_text(json.dumps({"about": {"extractor": "others"}, "upto": {PORTAL: "~"}, "summary": {}}))
    assert shelf.reprocess().pages_now == 1
    notes.write_text("{not json")
    assert shelf.reprocess().pages_now == 1


def test_a_kill_loses_nothing_and_the_next_one_goes_on(shelf: Shelf) -> None:
    for number in range(120):
        shelf.see(page(f"第{number}次防汛演练"), rules=without_author, number=number)
    shelf.reprocess(dry_run=True)
    shelf.conn.close()
    catalogue = shelf.db.with_name("portals.toml")
    catalogue.write_text(
        f'[[portal]]\nid = "{PORTAL}"\nname = "{shelf.portal.name}"\ndivision = "610424"\n'
        f'homepage = "{shelf.portal.homepage}"\nlists = ["{shelf.portal.homepage}xw/"]\n',
        encoding="utf-8",
    )
    command = [
        sys.executable, "-m", "crawler", "reprocess", "--jobs", "2", "--json",
        "--db", str(shelf.db), "--warc", str(shelf.warc), "--catalogue", str(catalogue),
    ]  # fmt: skip
    for _ in range(3):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 30
        notes = shelf.db.with_name("archive.db.reprocess")
        while not notes.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["complete"]
    shelf.conn = open_archive(shelf.db)
    assert shelf.query("SELECT count(*), count(replaces), count(author) FROM versions") == [(240, 120, 120)]
    assert shelf.query("SELECT count(*) FROM articles WHERE author IS NULL") == [(0,)]
    assert_all_is_well(shelf)


# Before the next crawl.


def advice(shelf: Shelf, extractor: str = EXTRACTOR) -> str | None:
    return rules.warning(shelf.conn, shelf.db, extractor)


def test_an_archive_that_other_rules_read_says_so_until_all_of_it_was_read_again(shelf: Shelf) -> None:
    assert advice(shelf) is None
    shelf.see(page())
    told = f"({OLD}) than today's ({EXTRACTOR})"
    assert told in (advice(shelf) or "")
    shelf.reprocess(dry_run=True)
    shelf.reprocess(portals=frozenset({PORTAL}))
    shelf.reprocess(since="2024-01-02")
    assert told in (advice(shelf) or "")
    shelf.reprocess()
    assert shelf.query("SELECT extractor FROM versions") == [(OLD,)], "it was read as before"
    assert advice(shelf) is None
    assert "xianzhi reprocess" in (advice(shelf, "xianzhi-9") or "")


def test_an_archive_that_todays_rules_read_has_nothing_to_say(shelf: Shelf) -> None:
    shelf.see(page(), extractor=EXTRACTOR)
    shelf.see(page(author=None), day=1, extractor=f"{EXTRACTOR}/2")
    assert advice(shelf) is None


def test_where_the_folder_cannot_be_written_the_advice_stays_and_nothing_breaks(shelf: Shelf) -> None:
    shelf.see(page())
    shelf.db.with_name("archive.db.rules").mkdir()
    assert shelf.reprocess().is_whole
    assert advice(shelf) is not None


def test_a_crawl_and_a_report_say_what_to_do_first(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    with serve({"liuxi": news_site(2)}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        assert "reprocess" not in archive.crawl("--jobs", "1").words
        with closing(open_archive(archive.db)) as conn:
            conn.execute("UPDATE versions SET extractor = ?", (OLD,))
        lines = [line for line in archive.crawl("--jobs", "1").words.splitlines() if "reprocess" in line]
    assert len(lines) == 1
    assert f"WARNING pages of this archive were read by other rules ({OLD})" in lines[0]
    assert f"first run: xianzhi reprocess --db {archive.db}" in lines[0]
    assert "xianzhi reprocess" in CliRunner().invoke(report, ["--db", str(archive.db)]).stdout


# What is printed.


def run(shelf: Shelf, *options: str) -> tuple[int, str]:
    catalogue = shelf.db.with_name("portals.toml")
    catalogue.write_text(
        f'[[portal]]\nid = "{PORTAL}"\nname = "{shelf.portal.name}"\ndivision = "610424"\n'
        f'homepage = "{shelf.portal.homepage}"\nlists = ["{shelf.portal.homepage}xw/"]\n',
        encoding="utf-8",
    )
    shelf._sink.close_warc(PORTAL)
    places = ["--db", str(shelf.db), "--warc", str(shelf.warc), "--catalogue", str(catalogue)]
    result = CliRunner().invoke(reprocess, [*places, "--jobs", "1", *options])
    return result.exit_code, result.stdout


def test_people_are_told_what_changed_by_field_with_examples(shelf: Shelf) -> None:
    shelf.see(page(), rules=lambda article: replace(article, author=None, title="旧\x1b[31m题目"))
    code, words = run(shelf, "--dry-run")
    assert code == 0
    assert "1 captures would be read otherwise" in words
    lines = [line.split() for line in words.splitlines()]
    assert ["author", "1", "1", "0", "–", "王建国"] in lines
    assert ["title", "1", "0", "0", "旧[31m题目", "凌阳县启动防汛演练"] in lines
    assert "nothing was written" in words


def test_scripts_are_told_the_same(shelf: Shelf) -> None:
    shelf.see(page(), rules=without_author)
    code, words = run(shelf, "--json")
    told = json.loads(words)
    assert code == 0
    assert told["counts"]["reread"] == 1
    assert told["fields"]["author"] == {
        "changed": 1,
        "filled": 1,
        "emptied": 0,
        "examples": [{"field": "author", "article_id": 1, "url": shelf.url(), "before": None, "after": "王建国"}],
    }


def test_exit_codes_are_the_contracts(shelf: Shelf, tmp_path: Path) -> None:
    shelf.see(page())
    assert run(shelf)[0] == 0
    assert run(shelf, "--portal", "nobody")[0] == 2
    for file in shelf.warc.iterdir():
        file.unlink()
    assert run(shelf)[0] == 1


def test_on_a_full_disk_nothing_is_noted(tmp_path: Path) -> None:
    (tmp_path / f"a.db.reprocess.{os.getpid()}").symlink_to("/dev/full")
    Notes(tmp_path / "a.db", {}).write(Progress())
    assert list(tmp_path.iterdir()) == []
