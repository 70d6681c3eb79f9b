"""What spiders see on list pages: the article links, their titles and days, and where the next page is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiders.generic import GenericSpider
from spiders.listing import Link, Listing, unique
from spiders.pagers import create_page_script, next_link, numbered_link

URL = "http://www.liuxi.example/xwzx/index.html"


def listing(body: str, *, url: str = URL, number: int = 1) -> Listing:
    return Listing.parse(url=url, number=number, text=f"<html><body>{body}</body></html>")


def found(body: str) -> list[Link]:
    return unique(list(GenericSpider(name="generic").links(listing(body))))


def items(count: int, *, start: int = 1) -> str:
    return "".join(
        f'<li><a href="./202404/t202404{n:02}_{n}.html">柳溪县第{n}次会议召开</a><span>2024-04-{n:02}</span></li>'
        for n in range(start, start + count)
    )


def test_articles_come_with_absolute_address_title_and_day_in_page_order() -> None:
    links = found(f"<ul>{items(3)}</ul>")
    assert links == [
        Link(
            url=f"http://www.liuxi.example/xwzx/202404/t202404{n:02}_{n}.html",
            title=f"柳溪县第{n}次会议召开",
            published=f"2024-04-{n:02}",
        )
        for n in (1, 2, 3)
    ]


def test_menus_and_undated_side_columns_are_no_articles() -> None:
    menu = '<ul class="nav"><li><a href="/col/c1001/">政务公开</a></li><li><a href="/col/c1002/">今日要闻</a></li></ul>'
    side = '<div class="side"><p><a href="/zt/t20240401_900.html">学习贯彻会议精神专题</a></p></div>'
    assert [link.published is not None for link in found(menu + side + f"<ul>{items(2)}</ul>")] == [True, True]


def test_where_no_list_has_days_the_largest_one_is_taken() -> None:
    big = "".join(f'<li><a href="/news/10{n}.html">柳溪县第{n}村通了自来水</a></li>' for n in range(9))
    small = '<div><a href="/news/77.html">网站声明全文</a></div>'
    assert len(found(small + f"<ul>{big}</ul>")) == 9


def test_a_title_cut_short_is_read_from_its_attribute() -> None:
    body = '<ul><li><a href="/t20240401_1.html" title="柳溪县召开春季防火工作会议">柳溪县召开春季…</a><b>2024-04-01</b></li></ul>'
    assert found(body)[0].title == "柳溪县召开春季防火工作会议"


def test_a_picture_and_a_headline_of_one_article_are_one_link() -> None:
    body = (
        '<ul><li><a href="/t20240401_1.html"><img src="a.jpg"></a>'
        '<a href="/t20240401_1.html">柳溪县召开春季防火工作会议</a><b>2024-04-01</b></li></ul>'
    )
    assert [(link.title, link.published) for link in found(body)] == [("柳溪县召开春季防火工作会议", "2024-04-01")]


@pytest.mark.parametrize(
    ("script", "number", "following"),
    [
        ('createPageHTML(25, 0, "index", "html")', 1, "index_1.html"),  # TRS counts from 0
        ('createPageHTML(25, 3, "index", "html");', 4, "index_4.html"),
        ('createPage(25,24,"index","html")', 25, None),
        ("createPageHTML('page_div',10, 1,'xlist','shtml',189);", 1, "xlist_2.shtml"),  # UCAP counts from 1
        ("createPageHTML('page_div',10, 10,'xlist','shtml',189);", 10, None),
        ('/* createPageHTML(9, 0, "old", "html"); */ createPageHTML(25, 1, "index", "html")', 2, "index_2.html"),
        ('</script><!-- createPageHTML(9, 0, "old", "html") --><script>createPage(9,0,"a","html")', 1, "a_1.html"),
        ('<!-- createPageHTML(25, 0, "index", "html"); //-->', 1, "index_1.html"),
        ("nothing", 1, None),
    ],
)
def test_the_next_page_by_a_script_call(script: str, number: int, following: str | None) -> None:
    expected = following and f"http://www.liuxi.example/xwzx/{following}"
    assert create_page_script(listing(f"<script>{script}</script>", number=number)) == expected


@pytest.mark.parametrize(
    "words",
    [
        "下一页",
        "下一頁",
        "下页",
        "后一页",
        "下一页 >",
        "Next",
        "»",
        "下一页>>",
        "[下一页]",
        "【下一页】",
        '<img alt="下一页">',
    ],
)
def test_the_next_page_by_its_name(words: str) -> None:
    assert next_link(listing(f'<a href="list_2.html">{words}</a>')) == "http://www.liuxi.example/xwzx/list_2.html"


@pytest.mark.parametrize("href", ["javascript:goto(2)", "#", "", "mailto:a@b"])
def test_a_next_page_that_is_no_address_is_none(href: str) -> None:
    assert next_link(listing(f'<a href="{href}">下一页</a>')) is None


def test_the_next_page_by_its_number() -> None:
    pager = '<a href="list_1.html">1</a><a href="list_2.html">2</a><a href="list_3.html">[3]</a>'
    assert numbered_link(listing(pager, number=2)) == "http://www.liuxi.example/xwzx/list_3.html"
    assert numbered_link(listing(pager, number=3)) is None


def test_a_base_element_moves_relative_links() -> None:
    page = Listing.parse(
        url=URL, number=1, text='<head><base href="http://www.liuxi.example/a/"></head><a href="b.html">x</a>'
    )
    assert [url for _, url in page.anchors()] == ["http://www.liuxi.example/a/b.html"]


@given(st.text(max_size=400))
def test_any_text_is_a_list_page_without_an_error(text: str) -> None:
    page = Listing.parse(url=URL, number=1, text=text)
    list(GenericSpider(name="generic").links(page))
    GenericSpider(name="generic").next_page(page)


@given(
    st.lists(
        st.sampled_from(
            [
                "<ul>",
                "</li>",
                "<a href='/t20240101_1.html'>",
                "标题标题标题",
                "2024-1-1",
                "<table><tr><td>",
                "</a>",
                "<base href='//'>",
                "<a name=x>",
            ]
        ),
        max_size=30,
    )
)
def test_any_markup_is_a_list_page_without_an_error(pieces: list[str]) -> None:
    page = listing("".join(pieces))
    list(GenericSpider(name="generic").links(page))
    GenericSpider(name="generic").next_page(page)
