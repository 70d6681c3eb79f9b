"""Families with linked list pages: what is an article's address, what is not, and where the next page is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiders.asp import AspSpider
from spiders.base import PortalSpider
from spiders.dedecms import DedecmsSpider
from spiders.easysite import EasysiteSpider
from spiders.empirecms import EmpirecmsSpider
from spiders.founder import FounderSpider
from spiders.founder_epaper import FounderEpaperSpider
from spiders.ilist import IlistSpider
from spiders.listing import Following, Listing
from spiders.pagers import query_link, with_parameter
from spiders.phpcms import PhpcmsSpider
from spiders.uuid_list import UuidListSpider
from spiders.wordpress import WordpressSpider
from tests.support.planting import uuid_of

SPIDERS: dict[str, PortalSpider] = {
    spider.name: spider(name=spider.name)
    for spider in (
        AspSpider, DedecmsSpider, EasysiteSpider, EmpirecmsSpider, FounderSpider, FounderEpaperSpider, IlistSpider,
        PhpcmsSpider, UuidListSpider, WordpressSpider,
    )
}  # fmt: skip
HOST = "http://www.liuxi.example"
UUID = uuid_of("any")
PIECES = [
    "<ul>", "<li>", "</li>", "<table><tr><td>", "<a href='/2023-05/28/content_1.htm'>", "<a href='?page=2'>", "</a>",
    "下一页", "2", "柳溪县召开会议", "2023-05-28", "<base href='//'>", "<base href='http://['>", "<form action='://'>",
    "<a href=\"javascript:__doPostBack('a','2')\">", "<input type=hidden name=x>", "<article class=hentry>", "<time datetime=x>",
    "<a onclick=\"queryArticleByCondition(this,'http://[')\" tagname='[NEXTPAGE]'>", "共9999999页", "共3页", "countPage = 3",
    f"/columns/{UUID}/templates/{UUID}/blocks/{UUID}?page=", "<input name=article_paging_list_hidden totalpage=² moduleid=1>",
]  # fmt: skip


def listing(body: str, path: str = "/xinwen/", *, number: int = 1, **state: Any) -> Listing:
    return Listing.parse(url=HOST + path, number=number, text=f"<html><body>{body}</body></html>", state=state)


def takes(family: str, href: str, path: str) -> bool:
    return bool(list(SPIDERS[family].links(listing(f'<p><a href="{href}">柳溪县召开会议</a></p>', path))))


@pytest.mark.parametrize(
    ("family", "href"),
    [
        ("asp", "/shownews.asp?newsid=7"),
        ("asp", "Info.aspx?ModelId=1&Id=7"),
        ("asp", "/Article/xwzx/201406/123.html"),
        ("dedecms", "/a/xinwen/2014/0603/123.html"),
        ("dedecms", "/html/20140603/123.html"),
        ("dedecms", "/plus/view.php?aid=12"),
        ("easysite", "/xinwen/1545021/index.html"),
        ("easysite", "./2026052217462526593/"),
        ("empirecms", "/xinwen/2014-06-03/123.html"),
        ("empirecms", "/xinwen/123.html"),
        ("empirecms", "/e/action/ShowInfo.php?classid=3&id=12"),
        ("founder", "2021-11/08/content_1182097.htm"),
        ("founder", "/news/2021-11/08/1182097.html"),
        ("founder_epaper", "content_70220.htm"),
        ("ilist", "/zwgk/x/y/1234.htm"),
        ("phpcms", "/index.php?m=content&c=index&a=show&catid=9&id=12"),
        ("phpcms", "/index.php?s=news&c=show&id=12"),
        ("phpcms", "/show-9-12-1.html"),
        ("phpcms", "/html/xinwen/2014/0603/12.html"),
        ("uuid_list", f"/xinwen/show/{UUID.upper()}.html"),
        ("uuid_list", f"/columns/{UUID}/202401/28/{UUID}.html"),
        ("wordpress", "/2014/06/03/%E6%9F%B3%E6%BA%AA/"),
        ("wordpress", "/archives/123"),
        ("wordpress", "/?p=123"),
    ],
)
def test_an_address_of_an_article_is_taken(family: str, href: str) -> None:
    path = "/html/2014-06/03/node_2.htm" if family == "founder_epaper" else "/xinwen/"
    assert takes(family, href, path)


@pytest.mark.parametrize(
    ("family", "href"),
    [
        ("asp", "/NewsList.asp?id=3"),
        ("asp", "/about.asp?id=1"),
        ("asp", "/xinwen/?id=3"),
        ("dedecms", "/a/xinwen/list_3_2.html"),
        ("dedecms", "/a/xinwen/2014/0603/123_2.html"),
        ("dedecms", "/plus/list.php?tid=3"),
        ("easysite", "/customs/302249/302274/index.html"),
        ("empirecms", "/xinwen/index_2.html"),
        ("empirecms", "/e/action/ListInfo/?classid=3&page=1"),
        ("founder", "2021-11/08/content_1182097_2.htm"),
        ("founder", "node_12_2.htm"),
        ("founder_epaper", "/html/2014-06/02/content_70220.htm"),
        ("ilist", "/info/iList.jsp?cat_id=10015&cur_page=2"),
        ("phpcms", "/index.php?m=content&c=index&a=lists&catid=9"),
        ("phpcms", "/list-9-2.html"),
        ("phpcms", "/show-9-12-2.html"),
        ("uuid_list", f"/xinwen/list/{UUID}.html"),
        ("uuid_list", f"/columns/{UUID}/index.html"),
        ("wordpress", "/category/news/page/2/"),
        ("wordpress", "/2014/06/"),
    ],
)
def test_a_list_a_menu_or_an_articles_further_page_is_not(family: str, href: str) -> None:
    path = "/html/2014-06/03/node_2.htm" if family == "founder_epaper" else "/xinwen/"
    assert not takes(family, href, path)


def test_the_day_stands_in_the_item_of_a_link_whose_column_is_linked_beside_it() -> None:
    item = (
        '<li>[<a href="/a/">要闻</a>] <a href="/a/2014/0603/{0}.html">柳溪县第{0}次会议召开</a><i>2014-06-0{0}</i></li>'
    )
    links = list(SPIDERS["dedecms"].links(listing("<ul>" + item.format(1) + item.format(2) + "</ul>")))
    assert [link.published for link in links] == ["2014-06-01", "2014-06-02"]


@pytest.mark.parametrize(
    ("body", "number", "following"),
    [
        ('<a href="?id=3&page=2">2</a>', 1, "/list?id=3&page=2"),
        ('<a href="?id=3&page=9">尾页</a>', 4, "/list?id=3&page=5"),
        ('<a href="?id=3&page=9">尾页</a>', 9, None),
        ('<a href="?id=3&total=80&page=2">2</a>', 1, "/list?id=3&total=80&page=2"),
        ('<a href="?id=4&page=9">另一栏目</a>', 1, None),
        ("页次：<b>2</b>/12页", 2, "/list?id=3&page=3"),
        ("共 <b>12</b> 页", 12, None),
        ("", 1, None),
    ],
)
def test_a_parameter_counts_pages_up_to_the_last_one(body: str, number: int, following: str | None) -> None:
    page = listing(body, f"/list?id=3&page={number}" if number > 1 else "/list?id=3", number=number)
    assert query_link(page, "page") == (following and HOST + following)


def test_a_parameter_is_set_in_place_of_an_older_one() -> None:
    assert with_parameter(f"{HOST}/l?page=1&id=3#top", "page", 2) == f"{HOST}/l?id=3&page=2"


def test_a_form_is_posted_with_its_hidden_fields_and_the_pressed_control() -> None:
    form = """<form action="?id=3"><input type="hidden" name="__VIEWSTATE" value="/wE+"><input type="text" name="q">
    <a href="javascript:__doPostBack('pager','2')">下一页</a></form>"""
    following = SPIDERS["asp"].next_page(listing(form, "/list.aspx?id=3"))
    assert isinstance(following, Following)
    assert (following.method, following.url) == ("POST", f"{HOST}/list.aspx?id=3")
    assert following.body == "__VIEWSTATE=%2FwE%2B&__EVENTTARGET=pager&__EVENTARGUMENT=2"


@pytest.mark.parametrize("family", SPIDERS)
@given(pieces=st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=25))
def test_any_markup_is_a_list_page_without_an_error(family: str, pieces: list[str]) -> None:
    page = listing("".join(pieces), "/html/2014-06/03/node_2.htm?id=3")
    list(SPIDERS[family].links(page))
    SPIDERS[family].next_page(page)
