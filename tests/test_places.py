"""Which places an article names, by the names of its own year, and where it belongs."""

import html
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import divisions
from crawler.archive import mentions, writer
from crawler.archive.connection import open_archive, transaction
from crawler.catalogue import Portal
from crawler.reading.gazetteer import marked
from crawler.reading.places import Places, division_of, find, is_government
from crawler.records import Article, Mention, Paragraph, Role, SpamSpan
from pipelines.clean import clean
from pipelines.extract import extract
from pipelines.places import PlacesPipeline, places
from pipelines.sections import sections
from tests.support.archive import article as stored_article
from tests.support.archive import batch, begin, capture, paragraph
from tests.test_extract_rules import page

QIANXIAN = Portal(id="qianxian", name="乾县人民政府", division="610424", homepage="https://www.snqianxian.gov.cn/")
SANQINYOU = Portal(id="sanqinyou", name="三秦游网", division="610000", homepage="http://www.sanqinyou.com/")


def names(found: Places, year: int = 2014) -> dict[str, int]:
    """The names that the mentioned codes have in *year*, each with its count."""
    return {name_of(mention.division_code, year): mention.count for mention in found.mentions}


def name_of(code: str, year: int) -> str:
    place = divisions.resolve(code, year)
    return (place.county or place.prefecture or place.province).name


def named(body: str, *, year: int = 2014, home: str | None = None, title: str | None = None) -> dict[str, int]:
    return names(find(title, body, year=year, home=home), year)


def valid(year: int) -> list[divisions.Division]:
    return [row for row in divisions.rows() if row.from_year <= year <= (row.to_year or year)]


# Names.


def test_full_names_are_counted_in_title_and_text() -> None:
    found = named("张家口市怀来县和涿鹿县的企业……张家口市委决定", title="张家口市帮扶企业")
    assert found == {"张家口市": 3, "怀来县": 1, "涿鹿县": 1}


def test_both_scripts_name_the_same_places() -> None:
    assert named("黑龍江省嘉蔭縣、乾縣、瀋陽市") == named("黑龙江省嘉荫县、乾县、沈阳市") != {}
    assert named("江乾區") == named("江干区") != {}  # as machines convert it


def test_a_name_inside_a_longer_one_does_not_count() -> None:
    assert named("崇礼县举办滑雪赛，礼县") == {"崇礼县": 1, "礼县": 1}
    assert named("崇礼县举办滑雪赛") == {"崇礼县": 1}


def test_nor_does_it_where_the_longer_one_is_of_another_year() -> None:
    assert named("崇礼县，后来的崇礼区", year=2024) == {"崇礼区": 1}
    assert named("崇礼县，后来的崇礼区", year=2014) == {"崇礼县": 1}


def test_a_name_has_the_code_of_the_articles_year() -> None:
    assert find(None, "湖北省襄樊市", year=2009, home=None).mentions[-1] == Mention(division_code="420600", count=1)
    assert named("湖北省襄樊市", year=2014) == {"湖北省": 1}
    assert named("涪陵地区", year=1990) == {"涪陵地区": 1}


@pytest.mark.parametrize("year", [1, 1949, 2024, 9999])
def test_years_beyond_the_table_have_its_first_or_its_last_names(year: int) -> None:
    assert named("陕西省乾县", year=year) == {"陕西省": 1, "乾县": 1}


def test_autonomous_divisions_are_known_by_their_everyday_names() -> None:
    assert named("甘南州和大通县、鄂温克旗、东乡族自治县") == {
        "甘南藏族自治州": 1, "大通回族土族自治县": 1, "鄂温克族自治旗": 1, "东乡族自治县": 1,
    }  # fmt: skip


def test_provinces_count_by_their_short_names_too() -> None:
    assert named("从新疆到内蒙古，陕西和吉林") == {
        "新疆维吾尔自治区": 1, "内蒙古自治区": 1, "陕西省": 1, "吉林省": 1,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["黄河南岸", "沿河北路", "太行山东麓", "太湖南侧", "上海南站", "江西路"])
def test_banks_slopes_and_streets_are_no_provinces(text: str) -> None:
    assert named(text) == {}


def test_short_names_of_prefectures_count_where_something_proves_them() -> None:
    assert named("孙中山在阿里巴巴，维护社会长治久安，咸阳") == {}
    assert named("陕西咸阳，咸阳乾县") == {"陕西省": 1, "咸阳市": 2, "乾县": 1}
    assert named("咸阳市的企业，咸阳的街道") == {"咸阳市": 2}
    assert named("咸阳的街道", home="610424") == {"咸阳市": 1}


def test_signs_part_names_and_white_space_does_not_part_a_chain() -> None:
    assert named("省、市、县，张家口、市") == {}
    assert named("江苏省　南京市 鼓楼区") == {"江苏省": 1, "南京市": 1, "鼓楼区": 1}


@pytest.mark.parametrize("text", ["义乌市场繁荣", "吉林市场监管", "太行东山区域", "和平区间"])
def test_what_goes_on_behind_a_name_can_make_another_word_of_it(text: str) -> None:
    assert not {"义乌市", "吉林市", "东山区", "和平区"} & set(named(text, home="120101"))


def test_names_do_not_begin_inside_other_places() -> None:
    assert named("陕西山区、济南市区、长沙市区、江西山区、云南山区") == {
        "陕西省": 1, "济南市": 1, "长沙市": 1, "江西省": 1, "云南省": 1,
    }  # fmt: skip


# Names of two characters.


@pytest.mark.parametrize(
    "text",
    [
        "县卫生局和县民政局开展活动，县委和县政府",
        "任县委书记以来，工业兴县、旅游富县",
        "国家级示范县、示范县，完成县下达县的任务，召开县委会",
        "若干县和骨干县，贫困户县级补助，随县领导走访",
        "人民和县政府，行政和县级",
        "礼县",
    ],
)
def test_two_characters_that_other_words_make_are_no_county(text: str) -> None:
    assert set(named(f"我县{text}。", home="230722")) <= {"礼县"}


def test_once_and_inside_a_sentence_two_characters_prove_nothing() -> None:
    assert named("他到过礼县看望亲人", home="230722") == {}


def test_two_characters_are_believed_on_their_own_portal_and_in_its_prefecture() -> None:
    assert named("他到过乾县看望亲人", home="610424") == {"乾县": 1}
    assert named("他到过彬县看望亲人", home="610424") == {"彬县": 1}
    assert named("他喝过户县酿的酒", home="610424") == {}


def test_two_characters_are_believed_where_the_text_proves_them() -> None:
    assert named("陕西省乾县的苹果，又说乾县") == {"陕西省": 1, "乾县": 2}
    assert named("三原县、乾县、武功县") == {"三原县": 1, "乾县": 1, "武功县": 1}
    assert named("乾县的苹果红了，我爱乾县") == {"乾县": 2}


def test_doubtful_ones_need_more() -> None:
    assert named("和县委书记谈话，副县长和县民政局") == {}
    assert named("卫生局和县民政局", home="340522") == {}
    assert named("马鞍山市和县的蔬菜") == {"马鞍山市": 1, "和县": 1}
    assert named("当涂县、含山县、和县。") == {"当涂县": 1, "含山县": 1, "和县": 1}


def test_common_nouns_are_names_behind_what_they_lie_in_only() -> None:
    assert named("城区和郊区，老城区改造，新城区建设，城区。", home="610100") == {}
    assert named("晋城市城区的居民住在城区") == {"晋城市": 1, "城区": 1}


# Names of several divisions.


def codes(body: str, *, home: str | None = None) -> set[str]:
    return {mention.division_code for mention in find(None, body, year=2014, home=home).mentions}


def test_what_stands_before_tells_which_is_meant() -> None:
    assert codes("南京市鼓楼区") == {"320100", "320106"}
    assert codes("江苏省徐州市鼓楼区") == {"320000", "320300", "320302"}
    assert codes("福州鼓楼区") == {"350100", "350102"}


def test_elsewhere_in_the_article_it_is_the_same_one() -> None:
    assert find(None, "南京市鼓楼区开会。鼓楼区的居民", year=2014, home="350100").mentions == (
        Mention(division_code="320100", count=1),
        Mention(division_code="320106", count=2),
    )


def test_the_portals_own_prefecture_or_province_tells_too() -> None:
    assert codes("鼓楼区", home="320102") == {"320106"}
    assert codes("朝阳区", home="220000") == {"220104"}
    assert codes("鼓楼区", home="320500") == set()


def test_what_stays_open_does_not_count() -> None:
    assert codes("鼓楼区、朝阳区、和平区") == set()
    assert codes("南京市鼓楼区和徐州市鼓楼区，鼓楼区") == {"320100", "320106", "320300", "320302"}


# What holds for every text.


@pytest.mark.parametrize("year", [1985, 2014, 2024])
def test_every_name_of_a_year_is_found_behind_what_it_lies_in(year: int) -> None:
    rows = {row.code: row for row in valid(year)}
    for row in rows.values():
        before = rows[row.parent_code].name if row.parent_code else ""
        found = find(None, f"会议在{before}{row.name}召开", year=year, home=None)
        assert row.code in {mention.division_code for mention in found.mentions}, row


def test_every_name_of_a_year_is_found_in_traditional_script() -> None:
    convert = opencc.OpenCC("s2t").convert
    for row in valid(2014):
        assert find(None, f"，{convert(row.name)}，", year=2014, home=row.code).mentions, row


PIECES = (
    [row.name for row in valid(2014)][::7]
    + list("，。 和县市区省")
    + ["示范", "人民", "陕西", "咸阳", "乾县", "鼓楼区"]
)


@given(st.lists(st.sampled_from(PIECES)).map("".join), st.sampled_from([None, "610424", "320000", "999999"]))
def test_what_is_counted_is_spelled_there_and_valid_in_the_year(text: str, home: str | None) -> None:
    rows = {row.code: row for row in valid(2014)}
    found = find(None, text, year=2014, home=home)
    spelled = Counter()
    for mention in found.mentions:
        row = rows[mention.division_code]
        spelled[row.name] += mention.count
        assert row.name[:2] in text
    for name, count in spelled.items():
        assert count <= text.count(name[:2])
    assert found.about is None or found.about in {
        code for m in found.mentions for code in lineage(rows[m.division_code])
    }


def lineage(row: divisions.Division) -> set[str | None]:
    return {row.code, row.parent_code, f"{row.code[:2]}0000"}


@given(st.text(), st.text(), st.integers(-10_000, 10_000))
def test_no_text_and_no_year_is_too_strange(title: str, body: str, year: int) -> None:
    find(title, body, year=year, home="610424")


def test_characters_without_width_part_no_name() -> None:
    assert marked("怀\u200b来县，A") == "怀来县|a"


def test_a_page_of_nothing_but_names_takes_no_long_time() -> None:
    began = time.process_time()
    find("南京市鼓楼区" * 200_000, "和县" * 500_000, year=2014, home=None)
    assert time.process_time() - began < 10


# Where an article belongs.


def about(body: str, title: str | None = None) -> str | None:
    code = find(title, body, year=2014, home=None).about
    return name_of(code, 2014) if code else None


def test_an_article_is_about_the_smallest_place_in_which_most_of_what_it_names_lies() -> None:
    assert about("陕西省咸阳市乾县的干部，乾县的群众") == "乾县"
    assert about("张家口市，张家口市委，张家口市的怀来县、崇礼县、涿鹿县") == "张家口市"
    assert about("怀来县来了客人，怀来县和宣化县，怀来县", title="河北新闻") == "怀来县"
    assert about("怀来县、怀来县、乾县、乾县") is None


def test_what_is_named_once_in_passing_is_not_what_it_is_about() -> None:
    assert about("来自怀来县的游客") is None
    assert about("来自四方的游客", title="怀来县迎客") == "怀来县"


def test_a_governments_article_belongs_to_it_or_to_the_part_that_the_page_names() -> None:
    own = {"own": "610400", "is_government": True, "about": "130700"}
    assert division_of(**own, site=None) == ("610400", "portal")
    assert division_of(**own, site="610424") == ("610424", "site_id")
    assert division_of(**own, site="610000") == ("610400", "portal")
    assert division_of(**own, site="610400") == ("610400", "portal")


def test_a_papers_article_belongs_to_the_place_that_it_is_about() -> None:
    own = {"own": "610000", "is_government": False, "site": None}
    assert division_of(**own, about="610424") == ("610424", "text")
    assert division_of(**own, about=None) == ("610000", "portal")


def test_without_a_portal_the_page_alone_tells() -> None:
    assert division_of(own=None, is_government=False, site="610424", about="130700") == ("610424", "site_id")
    assert division_of(own=None, is_government=False, site=None, about="130700") == (None, None)


@pytest.mark.parametrize(
    ("name", "homepage", "is_one"),
    [
        ("乾县人民政府", "http://127.0.0.1/", True),
        ("乾县门户网站", "https://www.snqianxian.gov.cn/", True),
        ("云南日报数字报", "https://yndaily.yunnan.cn/", False),
        ("三秦游网（陕西文化旅游网）", "http://www.sanqinyou.com/", False),
        ("会宁在线", "http://www.notgov.cn/", False),
    ],
)
def test_a_governments_portal_is_known_by_its_name_or_its_host(name: str, homepage: str, is_one: bool) -> None:
    assert is_government(name=name, homepage=homepage) is is_one


# The stage.


def article(*texts: str | Paragraph, **changes: object) -> Article:
    fields = {"capture": capture(), "encoding": "utf-8", "kind": "article", "title": "要闻", "published": "2014-06-03"}
    paragraphs = tuple(text if isinstance(text, Paragraph) else Paragraph(text=text) for text in texts)
    return Article(**(fields | {"paragraphs": paragraphs} | changes))


def mentioned(read: Article) -> dict[str, int]:
    return names(Places(mentions=read.mentions, about=None))


@pytest.mark.parametrize("role", ["repeat", "boilerplate", "spam"])
def test_what_readers_are_not_shown_names_nothing(role: Role) -> None:
    read = places(article("怀来县", Paragraph(text="涿鹿县", role=role), Paragraph(text="宣化县", role="byline")))
    assert mentioned(read) == {"怀来县": 1, "宣化县": 1}


def test_cut_spans_name_nothing_and_flagged_ones_do() -> None:
    def span(position: int, start: int, end: int, *, cut: bool) -> SpamSpan:
        return SpamSpan(position=position, start=start, end=end, text="", rule="x", score=9.0, cut=cut)

    spans = (span(-1, 0, 3, cut=True), span(1, 0, 3, cut=True), span(1, 4, 7, cut=True), span(1, 8, 11, cut=False))
    read = places(article("涿鹿县", "怀来县，宣化县，乐亭县", title="蔚县，赤城县", spam=spans))
    assert mentioned(read) == {"涿鹿县": 1, "乐亭县": 1, "赤城县": 1}


def test_an_undated_article_has_the_names_of_the_year_in_which_it_was_fetched() -> None:
    fetched = capture(fetched_at=datetime(2014, 1, 1, tzinfo=UTC))
    assert mentioned(places(article("崇礼县", published=None, capture=fetched))) == {"崇礼县": 1}
    assert mentioned(places(article("崇礼县", published="2024-01-01", capture=fetched))) == {}


def test_the_stage_says_where_an_article_belongs_and_how_that_is_known() -> None:
    read = places(article("乾县的苹果，乾县的梨"), portal=SANQINYOU)
    assert (read.division, read.division_basis) == ("610424", "text")
    read = places(article("怀来县的苹果，怀来县的梨"), portal=QIANXIAN)
    assert (read.division, read.division_basis) == ("610424", "portal")


def test_pages_that_are_no_articles_and_other_items_pass_as_they_are() -> None:
    stage, catalogue = PlacesPipeline(), replace(article("乾县、乾县"), kind="list")
    assert stage.process_item(catalogue) is catalogue
    assert stage.process_item(capture()) == capture()
    assert mentioned(stage.process_item(article("陕西省乾县"))) == {"陕西省": 1, "乾县": 1}


# The five texts that the project began with.

SEEDS = [
    ("610424", {"乾县"}),
    ("511827", {"宝兴县"}),
    ("230722", {"嘉荫县"}),
    ("623023", {"舟曲县"}),
    ("130700", {"张家口市", "怀来县", "崇礼县", "涿鹿县"}),
]
STRAYS = {"和县", "礼县", "户县"}


def seed(shared: Path, number: int) -> Article:
    text = sorted((shared / "seeds").glob("*.txt"))[number].read_text(encoding="utf-8")
    inner = "".join(f"<p>{html.escape(line)}</p>" for line in text.split("\n"))
    made = page(f"<html><head><title>要闻</title></head><body><div class='content'>{inner}</div></body></html>")
    read = sections(clean(extract(made)))
    return replace(read, published=read.published or "2014-06-03")


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("at_home", [True, False])
def test_the_seeds_name_their_places_and_no_stray(shared: Path, number: int, at_home: bool) -> None:
    code, expected = SEEDS[number]
    portal = replace(QIANXIAN, division=code) if at_home else None
    found = set(mentioned(places(seed(shared, number), portal=portal)))
    assert expected <= found
    assert not STRAYS & found


@pytest.mark.parametrize("number", range(5))
def test_a_paper_knows_where_the_seeds_belong(shared: Path, number: int) -> None:
    code, _ = SEEDS[number]
    read = places(seed(shared, number), portal=replace(SANQINYOU, division=f"{code[:2]}0000"))
    assert (read.division, read.division_basis) == (code, "text")


# The archive.


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = begin(open_archive(tmp_path / "archive.db"))
    conn.execute("UPDATE portals SET division_code = '610424', name = '乾县人民政府'")
    yield conn
    conn.close()


def rows(conn: sqlite3.Connection) -> list[tuple[object, ...]]:
    return conn.execute("SELECT division_code, count FROM mentions ORDER BY article_id, division_code").fetchall()


def division(conn: sqlite3.Connection) -> tuple[object, ...]:
    return conn.execute("SELECT division_code, division_basis FROM articles").fetchone()


def write(conn: sqlite3.Connection, *texts: str, stage: bool = True, **changes: object) -> None:
    item = stored_article(*texts, published="2014-06-03", **changes)
    read = places(item.article, portal=QIANXIAN) if stage else item.article
    writer.write(conn, batch(replace(item, article=read)))


def test_the_archive_holds_the_mentions_of_the_newest_version(conn: sqlite3.Connection) -> None:
    write(conn, "怀来县", "怀来县", "涿鹿县")
    assert rows(conn) == [("130730", 2), ("130731", 1)]
    assert division(conn) == ("610424", "portal")
    write(conn, "涿鹿县", day=1)
    assert rows(conn) == [("130731", 1)]


def test_an_older_version_that_comes_late_changes_no_mention(conn: sqlite3.Connection) -> None:
    write(conn, "涿鹿县", day=5)
    write(conn, "怀来县", day=1)
    assert rows(conn) == [("130731", 1)]


def test_articles_of_older_archives_get_their_places(conn: sqlite3.Connection) -> None:
    write(conn, "怀来县", stage=False)
    assert (rows(conn), division(conn)) == ([], (None, None))
    assert mentions.catch_up(conn) == 1
    assert (rows(conn), division(conn)) == ([("130730", 1)], ("610424", "portal"))
    assert mentions.catch_up(conn) == 0


def test_catching_up_takes_any_number_of_articles(conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mentions, "CATCH_UP_BATCH", 2)
    for number in range(5):
        write(conn, f"怀来县第{number}村", stage=False, url=f"https://www.lingyang.example/{number}.html")
    assert mentions.catch_up(conn) == 5
    assert len(rows(conn)) == 5


def test_a_code_that_an_older_program_took_from_the_page_stays(conn: sqlite3.Connection) -> None:
    conn.execute("UPDATE portals SET division_code = '610400', name = '咸阳市人民政府'")
    write(conn, "怀来县", stage=False, division="610424")
    mentions.catch_up(conn)
    assert division(conn) == ("610424", "site_id")
    with transaction(conn):
        mentions.refresh(conn, [1])
    assert division(conn) == ("610424", "site_id")


def test_what_is_learned_of_a_stored_article_changes_its_mentions(conn: sqlite3.Connection) -> None:
    conn.execute("UPDATE portals SET division_code = '610000', name = '三秦游网'")
    write(
        conn,
        paragraphs=(paragraph("怀来县怀来县"), paragraph("乾县人民政府主办，乾县人民政府承办，乾县")),
        title="蔚县，要闻",
    )
    with transaction(conn):
        conn.execute("UPDATE version_sections SET role = 'boilerplate' WHERE position = 1")
        conn.execute(
            'INSERT INTO spam_spans (version_id, position, start, "end", text, rule, score, cut)'
            " VALUES (1, -1, 0, 2, '蔚县', 'x', 9, 1)"
        )
        mentions.refresh(conn, [1])
    assert rows(conn) == [("130730", 2)]
    assert division(conn) == ("130730", "text")
