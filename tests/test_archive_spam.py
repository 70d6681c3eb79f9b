"""What was injected is stored beside the text, left out of what is read, confirmed by other hosts, and reported."""

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive import schema, search, spam, writer
from crawler.archive.connection import bring_up_to_date, open_archive
from crawler.archive.texts import text_of_version
from crawler.cli.report import report
from crawler.records import SpamSpan
from crawler.text.spam import marks, without_cuts
from tests.support.archive import RUN, article, batch, begin

PORTALS = ("lingyang", "qinglan", "shuyuan")
RUN_TEXT = "鹏汇体育备用网址登录"
"""Nobody knows where the name begins: one page alone cannot cut it."""
SHORT = "体育备用网址登录"
CHAIN = "金鹄体育备用网站_金鹄彩票下载2.1.0老版本_和金鹄差不多的平台有哪些"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "archive.db"


@pytest.fixture
def conn(db: Path) -> Iterator[sqlite3.Connection]:
    conn = begin(open_archive(db), *PORTALS)
    yield conn
    conn.close()


def span(start: int, text: str, *, position: int = 0, cut: bool = True, rule: str = "chain") -> SpamSpan:
    return SpamSpan(position=position, start=start, end=start + len(text), text=text, rule=rule, score=6.0, cut=cut)


def store(conn: sqlite3.Connection, portal: str, *texts: str, number: int = 1, day: int = 0) -> int:
    """An article as the stage ``spam`` leaves it; its id."""
    url = f"https://{portal}.example/{number}.html"
    item = article(*texts, url=url, portal_id=portal, day=day, spam=tuple(marks("凌阳县启动防汛演练", texts)))
    [written] = writer.write(conn, batch(item))
    return written.article_id


def reading_text(conn: sqlite3.Connection, article_id: int) -> str:
    [(body,)] = conn.execute("SELECT body FROM article_texts WHERE article_id = ?", (article_id,)).fetchall()
    return str(body)


def stored_spans(conn: sqlite3.Connection) -> list[tuple[str, int]]:
    return conn.execute("SELECT text, cut FROM spam_spans ORDER BY version_id, position, start").fetchall()


# The reading text.


def test_the_reading_text_leaves_out_cut_spans_and_the_stored_text_does_not(conn: sqlite3.Connection) -> None:
    found = (span(1, "甲"), span(4, "乙乙", cut=False), span(6, "丙"), span(0, "丁", position=2))
    texts = ("𠀀甲一二乙乙丙三𠀁", "第二段", "丁尾")
    [written] = writer.write(conn, batch(article(*texts, spam=found)))
    assert reading_text(conn, written.article_id) == "𠀀一二乙乙三𠀁\n第二段\n尾"
    assert text_of_version(conn, written.version_id) == "\n".join(texts)
    rows = conn.execute('SELECT position, start, "end", text, rule, score, cut FROM spam_spans').fetchall()
    assert rows == [(s.position, s.start, s.end, s.text, s.rule, s.score, int(s.cut)) for s in found]


@pytest.fixture(scope="module")
def many() -> Iterator[sqlite3.Connection]:
    with tempfile.TemporaryDirectory() as folder:
        conn = begin(open_archive(Path(folder) / "archive.db"))
        yield conn
        conn.close()


_numbers = count()


@given(st.text("甲乙丙𠀀é1_ \n", min_size=1, max_size=12), st.sets(st.integers(0, 12), max_size=8))
def test_any_spans_are_cut_as_python_cuts_them(many: sqlite3.Connection, text: str, edges: set[int]) -> None:
    inside = sorted(edge for edge in edges if edge <= len(text))
    cuts = list(zip(inside[::2], inside[1::2], strict=False))
    item = article(
        text, url=f"https://x.example/{next(_numbers)}", spam=tuple(span(start, text[start:end]) for start, end in cuts)
    )
    [written] = writer.write(many, batch(item))
    assert reading_text(many, written.article_id) == without_cuts(text, cuts)


def test_a_span_whose_place_storing_moved_is_not_kept(conn: sqlite3.Connection) -> None:
    writer.write(conn, batch(article("\ud840\udc00甲乙", spam=(span(2, "甲"),))))
    assert stored_spans(conn) == []


def test_the_index_holds_what_is_read(conn: sqlite3.Connection) -> None:
    store(conn, "lingyang", f"以落实“128”、{CHAIN}县产业规划为载体。")
    assert search.check(conn) == []
    query = "SELECT count(*) FROM articles_fts WHERE articles_fts MATCH ?"
    assert conn.execute(query, ('"产 业"',)).fetchone() == (1,)
    assert conn.execute(query, ('"彩 票"',)).fetchone() == (0,)


# Several hosts.


def test_a_run_on_two_hosts_in_other_surroundings_is_cut_where_its_edges_show(conn: sqlite3.Connection) -> None:
    one = store(conn, "lingyang", f"全县干部群众、{SHORT}积极行动起来。")
    other = store(conn, "qinglan", f"防汛工作部署，{SHORT}各乡镇抓好落实。")
    third = store(conn, "shuyuan", "这里什么也没有。")
    assert stored_spans(conn) == [(SHORT, 0)] * 2
    assert spam.across_hosts(conn) == 2
    assert reading_text(conn, one) == "全县干部群众、积极行动起来。"
    assert reading_text(conn, other) == "防汛工作部署，各乡镇抓好落实。"
    assert reading_text(conn, third) == "这里什么也没有。"
    assert conn.execute("SELECT DISTINCT score FROM spam_spans").fetchall() == [(spam.CERTAIN,)]
    assert search.check(conn) == []
    assert spam.across_hosts(conn) == 0


def test_a_run_that_may_be_longer_than_was_seen_stays_uncut(conn: sqlite3.Connection) -> None:
    store(conn, "lingyang", f"全县干部群众{RUN_TEXT}积极行动起来。")
    store(conn, "qinglan", f"防汛工作部署{RUN_TEXT}各乡镇抓好落实。")
    assert stored_spans(conn) == [(SHORT, 0)] * 2
    assert spam.across_hosts(conn) == 0


def test_a_reprint_confirms_nothing(conn: sqlite3.Connection) -> None:
    for portal in PORTALS:
        store(conn, portal, f"全县干部群众、{SHORT}积极行动起来。")
    assert spam.across_hosts(conn) == 0
    assert {cut for _, cut in stored_spans(conn)} == {0}


def test_two_pages_of_one_host_confirm_nothing(conn: sqlite3.Connection) -> None:
    store(conn, "lingyang", f"全县干部群众、{SHORT}积极行动起来。", number=1)
    store(conn, "lingyang", f"防汛工作部署，{SHORT}各乡镇抓好落实。", number=2)
    assert spam.across_hosts(conn) == 0


def test_what_police_tell_in_many_counties_is_never_cut(conn: sqlite3.Connection) -> None:
    store(conn, "lingyang", "民警破获利用“必威体育betway网站”赌博的案件。")
    store(conn, "qinglan", "法院判处代理“必威体育betway网站”的被告人罚金。")
    assert spam.across_hosts(conn) == 0
    assert {cut for _, cut in stored_spans(conn)} == {0}


# Archives that were written before.


def test_what_was_stored_before_is_read_once(db: Path) -> None:
    old = sqlite3.connect(db, isolation_level=None)
    bring_up_to_date(old, db, migrations=schema.MIGRATIONS[:2])
    begin(old)
    text = f"以落实“128”、{CHAIN}县产业规划为载体。"
    old.execute(
        "INSERT INTO captures (id, warc_file, warc_offset, warc_length, run_id, portal_id, kind, url, fetched_at, status,"
        " payload_sha256) VALUES (1, 'a', 0, 1, ?, 'lingyang', 'article', 'u', '2024', 200, '0')",
        (RUN,),
    )
    old.executescript(f"""
        INSERT INTO articles (id, portal_id, url, title, chars, state, first_seen, last_seen)
            VALUES (1, 'lingyang', 'https://lingyang.example/1', '规划', 9, 'live', '2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z');
        INSERT INTO versions (id, article_id, capture_id, extractor, seen_at, title, text_sha256, chars)
            VALUES (1, 1, 1, 'rules 1', '2024-01-01T00:00:00Z', '规划', '0', 9);
        UPDATE articles SET version_id = 1;
        INSERT INTO sections (id, fold_hash, text, chars, first_version_id)
            VALUES (1, 1, '{text}', 9, 1), (2, 2, '必威体育官网 亚博app下载', 9, 1);
        INSERT INTO version_sections (version_id, position, section_id, role) VALUES (1, 0, 1, 'body'), (1, 1, 2, 'body');
    """)
    old.close()
    conn = open_archive(db)
    assert conn.execute("SELECT count(*) FROM spam_backlog").fetchone() == (1,)
    search.catch_up(conn)
    assert spam.catch_up(conn) == 1
    assert reading_text(conn, 1) == text.replace(CHAIN, "")
    assert conn.execute("SELECT role FROM version_sections ORDER BY position").fetchall() == [("body",), ("spam",)]
    assert conn.execute("SELECT count(*) FROM spam_backlog").fetchone() == (0,)
    assert search.check(conn) == []
    assert spam.catch_up(conn) == 0
    conn.close()


# The report.


def reported(db: Path, *options: str) -> str:
    result = CliRunner().invoke(report, ["--defaced", "--db", str(db), *options])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_report_names_defaced_portals_with_dates_and_an_example(conn: sqlite3.Connection, db: Path) -> None:
    store(conn, "lingyang", f"以落实“128”、{CHAIN}县产业规划为载体。", day=1)
    store(conn, "lingyang", "以落实“128”县产业规划为载体。", day=5)  # cleaned
    store(conn, "lingyang", f"以落实“365”、{CHAIN}县农业规划为载体。", number=2, day=3)
    store(conn, "lingyang", f"以落实“365”、{CHAIN}县农业规划为载体。", number=2, day=9)  # still there
    store(conn, "qinglan", "民警破获利用“必威体育betway网站”赌博的案件。")
    [one] = json.loads(reported(db, "--json"))
    assert one == {
        "portal_id": "lingyang",
        "name": "lingyang county",
        "articles": 2,
        "certain": 2,
        "still": 1,
        "first_seen": "2024-01-02T00:00:00Z",
        "last_seen": "2024-01-10T00:00:00Z",
        "example": CHAIN,
        "rule": "chain",
        "url": "https://lingyang.example/2.html",
    }
    shown = " ".join(reported(db).split())
    assert "1 defaced portal" in shown
    assert "2024-01-02" in shown
    assert CHAIN in shown


def test_the_report_says_where_there_are_none_and_refuses_what_does_not_fit(conn: sqlite3.Connection, db: Path) -> None:
    assert json.loads(reported(db, "--json")) == []
    assert "no defaced portals" in " ".join(reported(db).split())
    assert CliRunner().invoke(report, ["--defaced", "--run", RUN, "--db", str(db)]).exit_code == 2
