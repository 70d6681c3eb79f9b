"""Which software made a list page, and which links of a homepage lead to news lists."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.catalogue import FAMILIES
from crawler.demo.site import Asked
from crawler.detection import columns
from crawler.detection.family import BELIEVED, GENERIC, Guess, families, recognise, together
from crawler.text.decoding import decode_body
from crawler.vocabulary import table
from spiders.listing import Listing
from tests import zoo
from tests.zoo import ZooPortal

HOST = "http://www.liuxi.example"
ZOO = zoo.portals()
SHELLS = {"epoint-json", "jpaas-shell", "longtech-public", "nfcms-gkmlpt", "ucap-json"}
"""Pages without articles: all that speaks for a family is how their scripts call its program."""


def first_page(portal: ZooPortal) -> Listing:
    """The first of a portal's list pages, feeds or sitemaps, as a visitor gets it."""
    paths = [*portal.lists, *re.findall(r'"\{base\}([^"]+)"', "".join(portal.entry))]
    if portal.family == "founder_epaper":  # the catalogue names the day to begin with, on which there may be no issue
        paths = [path for path in portal.site.pages if re.search(r"node_0?1\.", path)]
    path = paths[0].partition("#")[0]
    name, _, query = path.partition("?")
    asked = Asked(method="GET", path=name, query=query, headers={}, body="")
    response = portal.site.run(asked) or portal.site.answer(name)
    decoded = decode_body(response.body, content_encoding=None, content_type=response.header("Content-Type"))
    return Listing.parse(url=HOST + path, number=1, text=decoded.text)


def page(markup: str, path: str = "/xwzx/") -> Listing:
    return Listing.parse(url=HOST + path, number=1, text=f"<html><body>{markup}</body></html>")


def articles(shape: str, count: int = 8) -> str:
    """A dated list; *shape* is an address with ``{n}`` for a number."""
    return "<ul>" + "".join(
        f'<li><a href="{shape.format(n=n)}">柳溪县第{n}次召开会议</a><span>2023-05-{n + 10}</span></li>' for n in range(count)
    ) + "</ul>"  # fmt: skip


def test_every_family_of_the_catalogue_has_a_spider_and_all_but_generic_have_signs() -> None:
    assert set(families()) == set(FAMILIES)
    assert set(table("cms")["sign"]) == set(FAMILIES) - {GENERIC}


@pytest.mark.parametrize("portal", ZOO, ids=lambda portal: portal.name)
def test_the_family_of_every_sample_portal_is_recognised_by_its_first_page(portal: ZooPortal) -> None:
    guesses = recognise(first_page(portal))
    assert guesses[0].family == portal.family, guesses[:3]
    assert guesses[0].reasons


@pytest.mark.parametrize("portal", [each for each in ZOO if each.lists], ids=lambda portal: portal.name)
def test_without_scripts_and_names_a_page_is_its_own_familys_or_nobodys(portal: ZooPortal) -> None:
    listing = first_page(portal)
    bare = re.sub(r"(?s)<script.*?</script>|<!--.*?-->|<(?:meta|link)\b[^>]*>", "", listing.text)
    bare = re.sub(r"""\s(?:class|id|style|onclick)=("[^"]*"|'[^']*'|[^\s>]+)""", "", bare)
    guess = recognise(Listing.parse(url=listing.url, number=1, text=bare))[0]
    assert guess.family in {portal.family, GENERIC}
    if portal.name in SHELLS:
        assert guess.family == GENERIC


@pytest.mark.parametrize(
    "shape",
    ["/news/2021/{n}00.html", "/a/2014/0603/{n}123.html", "/xinwen/{n}123.html", "/xw/jryw/{n}5655110.html", "/show.php?id={n}9"],
)  # fmt: skip
def test_addresses_that_many_programs_give_convince_nobody(shape: str) -> None:
    following = '<a href="list_2.html">下一页</a>'
    assert recognise(page(articles(shape) + following))[0].family == GENERIC


def test_a_mark_without_what_the_spider_needs_convinces_nobody() -> None:
    listing = page('<div class="TRS_Editor">' + articles("/news/2021/{n}00.html") + "</div>")
    assert recognise(listing)[0].family == GENERIC


def test_articles_of_other_sites_say_nothing() -> None:
    foreign = articles("http://www.gov.example/202305/t20230501_{n}753651.htm")
    assert {guess.family for guess in recognise(page(foreign)) if guess.score > BELIEVED} == set()


def test_a_familys_articles_among_many_others_count_by_their_share() -> None:
    trs, other = articles("./202305/t20230501_{n}753651.html", 3), articles("/news/2021/{n}00.html", 9)
    own = next(guess for guess in recognise(page(trs)) if guess.family == "trs")
    among = next(guess for guess in recognise(page(trs + other)) if guess.family == "trs")
    assert own.score > BELIEVED > among.score


def test_reasons_name_what_was_found() -> None:
    script = '<script>createPageHTML(25, 0, "index", "html");</script>'
    best = recognise(page(articles("./202305/t20230501_{n}753651.html") + script))[0]
    assert best.family == "trs"
    assert any('createPageHTML(25, 0, "index"' in reason for reason in best.reasons)
    assert any("8 dated articles, next page /xwzx/index_1.html" in reason for reason in best.reasons)


def test_pages_of_one_portal_are_judged_together() -> None:
    def guess(family: str, score: float, reason: str) -> Guess:
        return Guess(family=family, score=score, reasons=(reason,))

    empty, full = [guess("generic", 2, "")], [guess("trs", 8, "a"), guess("generic", 2, "")]
    best = together([full, empty, full])[0]
    assert (best.family, best.reasons) == ("trs", ("a",))
    assert best.score == pytest.approx(16 / 3)
    assert together([]) == []


def test_a_page_of_millions_of_characters_is_judged_by_its_marks() -> None:
    huge = page(
        "<!--Announced by Visual SiteBuilder 9--><script src='/system/resource/js/a.js'></script>" + "<p>" * 1_500_000
    )
    best = recognise(huge)[0]
    assert (best.family, best.dated) == ("vsb", 0)


@given(
    st.lists(
        st.sampled_from([
            "<a href='/t20240101_1.html'>", "标题标题标题", "2024-1-1", "</a>", "<li>", "<datastore>", "<nextgroup>", "createPageHTML(9,",
            "1,'index','html')", "{", '"publishedTimeStr"', "_CONFIG = {", "SID", "<rss", "<?xml ?>", "<!--", "-->", "<urlset>", "querydata=",
            "下一页", "<base href='//['>", "\0", "\ud800", "<a href='?PageNo=9'>", "<article class=hentry>", "iList.jsp?cat_id=1",
        ]),
        max_size=40,
    ),
    st.sampled_from(["/", "/a/?b=c#d", "/gkmlpt/index", "/node_1.htm", "/1.html", "/channels/1.html", "/list.jsp?x=%%"]),
)  # fmt: skip
def test_any_page_is_recognised_as_something_without_an_error(pieces: list[str], path: str) -> None:
    guesses = recognise(Listing.parse(url=HOST + path, number=1, text="".join(pieces)))
    assert GENERIC in {guess.family for guess in guesses}
    assert [guess.score for guess in guesses] == sorted((guess.score for guess in guesses), reverse=True)


# The columns of a homepage.


@pytest.mark.parametrize(
    "name",
    ["要闻", "今日要闻", "乾县要闻", "政务要闻", "新闻", "柳溪新闻", "时政要闻", "工作动态", "政务动态", "本地新闻", "今日新闻",
     "部门动态", "县直部门动态", "乡镇动态", "镇街动态", "基层动态", "公告公示", "通知公告", "公示公告", "新闻动态", "要闻动态", "县情动态"],
)  # fmt: skip
def test_a_news_column_is_known_by_its_name(name: str) -> None:
    [found] = columns.columns_of(page(f'<a href="/xwzx/a/"> {name} </a>', "/"))
    assert (found.name, found.url) == (name, f"{HOST}/xwzx/a/")


@pytest.mark.parametrize(
    "link",
    [
        '<a href="/zwgk/">政务公开</a>',
        '<a href="/xwzx/1.html">柳溪县今日召开新闻发布会通报有关情况</a>',
        '<a href="https://www.gov.example/xw/">要闻</a>',
        '<a href="javascript:void(0)">要闻</a>',
        '<a href="/">新闻</a>',
        '<a href="/xw.pdf">公告</a>',
        '<a href="/ldzc/">领导之窗</a>',
    ],
)
def test_other_links_are_no_columns(link: str) -> None:
    assert columns.columns_of(page(link, "/")) == []


def test_headlines_come_first_and_what_comes_from_above_last() -> None:
    links = "".join(
        f'<a href="/{number}/">{name}</a>'
        for number, name in enumerate(
            ["公告公示", "国务院要闻", "乡镇动态", "部门动态", "柳溪新闻", "柳溪要闻", "图片新闻"]
        )
    )
    names = [column.name for column in columns.columns_of(page(links, "/"))]
    assert names == ["柳溪要闻", "柳溪新闻", "部门动态", "乡镇动态", "公告公示", "国务院要闻", "图片新闻"]


def test_a_column_that_is_linked_twice_is_one_by_its_best_name() -> None:
    found = columns.columns_of(page('<a href="/xw/">公告</a><a href="/xw/index.html">要闻 &gt;&gt;</a>', "/"))
    assert [(column.name, column.url) for column in found] == [("要闻", f"{HOST}/xw/index.html")]


def test_feeds_that_a_page_offers_to_browsers_are_found() -> None:
    markup = """<link rel="alternate" type="application/rss+xml" href="/feed/"><link rel="alternate" hreflang="en" href="/en/">
        <link rel="Alternate feed" type="Application/Atom+XML" href="atom.xml"><link rel="alternate" type="application/rss+xml"
        href="https://elsewhere.example2/feed">"""
    assert list(columns.feeds_of(page(markup, "/"))) == [f"{HOST}/feed/", f"{HOST}/atom.xml"]


def test_no_real_page_is_taken_for_another_family(shared: Path) -> None:
    """Of the saved pages of ../shared, those that say who made them; the rest is article pages nobody can name."""
    said = {"wordpress": b'generator" content="WordPress', "vsb": b"Visual SiteBuilder"}
    seen = 0
    for file in sorted((shared / "corpus" / "pages").glob("*.html")):
        body = file.read_bytes()
        makers = {family for family, mark in said.items() if mark in body}
        if not makers:
            continue
        decoded = decode_body(body, content_encoding=None, content_type=None)
        best = recognise(Listing.parse(url=f"{HOST}/{file.name}", number=1, text=decoded.text))[0]
        assert best.family in makers | {GENERIC}, file.name
        seen += best.family in makers
    assert seen >= 3
