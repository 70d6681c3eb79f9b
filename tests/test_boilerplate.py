"""What stands on much of a portal's pages becomes boilerplate, from counts alone, and is given up by them."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.archive import boilerplate, normaliser, search, writer
from crawler.archive.connection import open_archive, transaction
from crawler.archive.texts import text_of_version
from crawler.records import Paragraph
from tests.support.archive import article, batch, begin, contents, number, paragraph

COUNTIES = ("lingyang", "qingshui", "anping", "shiqiao", "dongling", "nanwan")
FOOTER = "青岚县融媒体中心主办，未经授权不得转载本网内容"
SLOGAN = "幸福都是奋斗出来的，让我们撸起袖子加油干。"


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = begin(open_archive(tmp_path / "archive.db"), *COUNTIES)
    yield conn
    conn.close()


def print_page(
    conn: sqlite3.Connection,
    page: int,
    *paragraphs: str | Paragraph,
    portal: str = "lingyang",
    month: int = 1,
    day: int = 0,
) -> int:
    """Store a page as it was on a *day*, published in a *month* counted from January 2023; its article's id."""
    item = article(
        url=f"https://{portal}.example/{page}.html",
        portal_id=portal,
        day=day,
        title=f"第{page}篇",
        published=f"{2023 + (month - 1) // 12}-{1 + (month - 1) % 12:02}-05",
        paragraphs=tuple(one if isinstance(one, Paragraph) else paragraph(one) for one in paragraphs),
    )
    [written] = writer.write(conn, batch(item))
    return written.article_id


def news(page: int, portal: str = "lingyang") -> list[str]:
    """Three paragraphs that no other page has."""
    return [f"{portal}第{page}篇报道的第{part}段，讲这一天发生的事。" for part in "一二三"]


def print_months(conn: sqlite3.Connection, pages: range, *, months: int = 3, portal: str = "lingyang") -> None:
    """Pages with the footer, evenly over months."""
    for page in pages:
        print_page(conn, page, *news(page, portal), FOOTER, portal=portal, month=1 + page % months)


def roles(conn: sqlite3.Connection, text: str, portal: str = "lingyang") -> Counter[str]:
    """The roles that a paragraph has on a portal's pages."""
    rows = conn.execute(
        "SELECT role FROM version_sections JOIN sections ON sections.id = section_id"
        " JOIN versions ON versions.id = version_sections.version_id JOIN articles ON articles.id = article_id"
        " WHERE sections.text = ? AND portal_id = ?",
        (text, portal),
    )
    return Counter(role for (role,) in rows)


def body(conn: sqlite3.Connection, article_id: int) -> str:
    return str(conn.execute("SELECT body FROM article_texts WHERE article_id = ?", (article_id,)).fetchone()[0])


def learned(conn: sqlite3.Connection) -> list[tuple[str, str]]:
    rows = conn.execute(
        "SELECT portal_id, text FROM boilerplate JOIN sections ON sections.id = section_id WHERE since IS NOT NULL"
    )
    return rows.fetchall()


# Learned.


def test_a_footer_on_thirty_pages_of_three_months_is_boilerplate_of_all_of_them(conn: sqlite3.Connection) -> None:
    print_months(conn, range(30))
    assert boilerplate.learn(conn) == 30
    assert learned(conn) == [("lingyang", FOOTER)]
    assert roles(conn, FOOTER) == {"boilerplate": 30}
    assert body(conn, 1) == "\n".join(news(0))
    assert text_of_version(conn, 1) == "\n".join([*news(0), FOOTER])
    assert search.check(conn) == []


def test_a_page_that_comes_later_gets_it_at_the_next_call(conn: sqlite3.Connection) -> None:
    print_months(conn, range(30))
    boilerplate.learn(conn)
    later = print_page(conn, 30, *news(30), FOOTER, month=4)
    assert body(conn, later).endswith(FOOTER)
    assert boilerplate.learn(conn) == 1
    assert body(conn, later) == "\n".join(news(30))
    assert search.check(conn) == []


def test_where_nothing_is_new_nothing_changes(conn: sqlite3.Connection) -> None:
    print_months(conn, range(30))
    boilerplate.learn(conn)
    before = contents(conn)
    assert boilerplate.learn(conn) == 0
    assert contents(conn) == before


def test_an_older_version_of_an_edited_page_has_it_too(conn: sqlite3.Connection) -> None:
    print_months(conn, range(30))
    print_page(conn, 0, "改写过的第一段，内容与先前不同。", *news(0)[1:], FOOTER, day=3)
    boilerplate.learn(conn)
    assert roles(conn, FOOTER) == {"boilerplate": 31}


def test_a_header_is_learned_at_its_end_and_stays_where_it_is_text(conn: sqlite3.Connection) -> None:
    for page in range(30):
        print_page(conn, page, FOOTER, *news(page), *news(page + 100), month=1 + page % 3)
    quoted = print_page(conn, 30, *news(30), *news(130), FOOTER, *news(230), *news(330), month=3)
    boilerplate.learn(conn)
    assert roles(conn, FOOTER) == {"boilerplate": 30, "body": 1}
    assert FOOTER in body(conn, quoted)


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([(page, (*news(page), FOOTER), 1 + page % 3) for page in range(15)], id="on too few pages"),
        pytest.param([(page, (*news(page), FOOTER), 1 + page % 2) for page in range(60)], id="in two months only"),
        pytest.param(
            [(page, (*news(page), *[FOOTER][: page % 5 < 2]), 1 + page % 6) for page in range(100)], id="on 4 of 10 pages"
        ),
        pytest.param(
            [(page, (*news(page), *news(page + 100), FOOTER, *news(page + 200), *news(page + 300)), 1 + page % 3)
             for page in range(40)], id="in the middle of the text",
        ),
        pytest.param([(page, (*news(page), "特此通知。"), 1 + page % 3) for page in range(40)], id="a form of words"),
        pytest.param(
            [(page, (*news(page), paragraph("(记者 林禾 通讯员 石见山)", role="byline")), 1 + page % 3) for page in range(40)],
            id="a sign-off",
        ),
    ],
)  # fmt: skip
def test_what_is_rare_or_brief_or_belongs_to_the_text_is_none(
    conn: sqlite3.Connection, pages: list[tuple[int, tuple[str, ...], int]]
) -> None:
    for page, texts, month in pages:
        print_page(conn, page, *texts, month=month)
    boilerplate.learn(conn)
    assert learned(conn) == []
    assert conn.execute("SELECT count(*) FROM version_sections WHERE role = 'boilerplate'").fetchone() == (0,)


def test_a_slogan_that_travels_through_six_counties_is_none(conn: sqlite3.Connection) -> None:
    for portal in COUNTIES:
        for page in range(40):
            slogan = [SLOGAN] if page % 8 == 0 else []
            print_page(conn, page, *news(page, portal), *slogan, portal=portal, month=1 + page % 3)
    boilerplate.learn(conn)
    assert learned(conn) == []


def test_what_is_boilerplate_of_one_portal_is_text_of_another(conn: sqlite3.Connection) -> None:
    print_months(conn, range(30))
    quoted = print_page(conn, 0, *news(0, "qingshui"), FOOTER, portal="qingshui")
    boilerplate.learn(conn)
    assert roles(conn, FOOTER, "qingshui") == {"body": 1}
    assert body(conn, quoted).endswith(FOOTER)


# An article keeps its body.


def test_an_article_that_is_nothing_else_keeps_it(conn: sqlite3.Connection) -> None:
    second = "本站内容仅供参考，以正式文件为准"
    for page in range(30):
        print_page(conn, page, *news(page), FOOTER, second, month=1 + page % 3)
    alone = print_page(conn, 30, FOOTER, month=3)
    both = print_page(conn, 31, paragraph("图为会场", role="caption"), FOOTER, second, month=3)
    boilerplate.learn(conn)
    assert len(learned(conn)) == 2
    assert body(conn, alone) == FOOTER
    assert body(conn, both) == f"图为会场\n{FOOTER}\n{second}"
    assert search.check(conn) == []


# Given up.


def test_what_the_portal_prints_no_more_is_text_again_in_the_role_it_had(conn: sqlite3.Connection) -> None:
    for page in range(30):
        last = paragraph(FOOTER, role="heading" if page % 2 else "body")
        print_page(conn, page, *news(page), last, month=1 + page % 3)
    before = contents(conn)["version_sections"]
    boilerplate.learn(conn)
    for page in range(30, 80):
        print_page(conn, page, *news(page), month=4 + page % 6)
    boilerplate.learn(conn)
    assert roles(conn, FOOTER) == {"boilerplate": 30}  # on 30 of 80 pages: it stays
    for page in range(80, 130):
        print_page(conn, page, *news(page), month=10 + page % 6)
    boilerplate.learn(conn)
    assert learned(conn) == []
    assert set(before) <= set(contents(conn)["version_sections"])
    assert contents(conn)["boilerplate_places"] == contents(conn)["boilerplate_unsettled"] == []
    assert body(conn, 1).endswith(FOOTER)
    assert search.check(conn) == []


def test_a_template_that_leaves_the_pages_leaves_the_counts(conn: sqlite3.Connection) -> None:
    print_months(conn, range(40))
    boilerplate.learn(conn)
    for page in range(35):
        print_page(conn, page, *news(page), month=1 + page % 3, day=100)
    boilerplate.learn(conn)
    assert learned(conn) == []
    assert roles(conn, FOOTER) == {"body": 40}


def test_it_comes_back_where_the_portal_prints_it_again(conn: sqlite3.Connection) -> None:
    print_months(conn, range(30))
    for page in range(30, 150):
        print_page(conn, page, *news(page), month=4)
    boilerplate.learn(conn)
    assert roles(conn, FOOTER) == {"body": 30}
    print_months(conn, range(150, 300), months=12)
    boilerplate.learn(conn)
    assert roles(conn, FOOTER) == {"boilerplate": 180}


# Night by night, and after a kill.


@pytest.mark.parametrize("steps", range(1, 171, 17))
def test_a_kill_at_any_moment_loses_nothing(
    conn: sqlite3.Connection, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boilerplate, "BATCH", 7)
    print_months(conn, range(40))
    ticks = count()
    conn.set_progress_handler(lambda: next(ticks) >= steps, 200)  # about 170 in all
    with suppress(sqlite3.OperationalError):
        boilerplate.learn(conn)
    conn.set_progress_handler(None, 0)
    boilerplate.learn(conn)
    assert roles(conn, FOOTER) == {"boilerplate": 40}
    assert contents(conn)["boilerplate_unsettled"] == []
    assert search.check(conn) == []


PAGES = st.lists(
    st.tuples(
        st.sampled_from(COUNTIES[:2]),
        st.integers(0, 5),
        st.lists(st.sampled_from([FOOTER, SLOGAN, *news(1), *news(2), *news(3)]), max_size=12),
        st.integers(1, 4),
        st.booleans(),
    ),
    max_size=12,
)


@settings(max_examples=40)
@given(PAGES)
def test_counts_are_of_each_articles_last_version_however_the_nights_fall(
    nights: list[tuple[str, int, list[str], int, bool]],
) -> None:
    with TemporaryDirectory() as folder:
        conn = begin(open_archive(Path(folder) / "archive.db"), *COUNTIES)
        for day, (portal, page, texts, month, learns) in enumerate(nights):
            print_page(conn, page, *texts, portal=portal, month=month, day=day)
            if learns:
                boilerplate.learn(conn)
        boilerplate.learn(conn)
        rows = conn.execute(
            "SELECT portal_id, section_id, head, tail FROM boilerplate WHERE head OR tail ORDER BY 1, 2"
        )
        assert rows.fetchall() == counted_by_hand(conn)
        pages = conn.execute("SELECT portal_id, sum(pages) FROM boilerplate_pages GROUP BY 1 ORDER BY 1").fetchall()
        assert pages == conn.execute("SELECT portal_id, count(*) FROM articles GROUP BY 1 ORDER BY 1").fetchall()
        conn.close()


def counted_by_hand(conn: sqlite3.Connection) -> list[tuple[str, int, int, int]]:
    heads: Counter[tuple[str, int]] = Counter()
    tails: Counter[tuple[str, int]] = Counter()
    for article_id, portal_id in conn.execute("SELECT id, portal_id FROM articles").fetchall():
        sections = [
            (section_id if own != article_id else None)
            for section_id, own in conn.execute(
                "SELECT section_id, first.article_id FROM version_sections JOIN sections ON sections.id = section_id"
                " JOIN versions AS first ON first.id = first_version_id"
                " WHERE version_id = (SELECT max(id) FROM versions WHERE article_id = ?) ORDER BY position",
                (article_id,),
            )
        ]
        heads.update((portal_id, one) for one in set(sections[:5]) - {None})
        tails.update((portal_id, one) for one in set(sections[-5:]) - {None})
    return sorted((*key, heads[key], tails[key]) for key in heads.keys() | tails.keys())


def test_another_fold_has_everything_counted_again(conn: sqlite3.Connection) -> None:
    print_months(conn, range(30))
    boilerplate.learn(conn)
    with transaction(conn):
        normaliser.refold(conn, lambda text: number(text + "!"))
    search.catch_up(conn)
    assert learned(conn) == []
    assert boilerplate.learn(conn) == 30
    assert learned(conn) == [("lingyang", FOOTER)]
    assert roles(conn, FOOTER) == {"boilerplate": 30}


# What it costs.


def test_a_night_reads_no_whole_table(conn: sqlite3.Connection) -> None:
    print_months(conn, range(30))
    boilerplate.learn(conn)
    print_months(conn, range(30, 33))
    statements: set[str] = set()
    conn.set_trace_callback(statements.add)
    boilerplate.learn(conn)
    conn.set_trace_callback(None)
    scans = set()
    for statement in statements:
        if statement.split()[0] in {"SELECT", "UPDATE", "DELETE", "WITH"}:
            plan = [row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {statement}")]
            grows = {
                "boilerplate",
                "boilerplate_places",
                "versions",
                "version_sections",
                "sections",
                "articles",
                "older",
            }
            scans |= {(statement, step) for step in plan if step.startswith("SCAN") and step.split()[1] in grows}
    assert len(statements) > 10
    assert scans == set()
