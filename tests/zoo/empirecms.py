"""EmpireCMS: a static column (unknown pages are 404) and a dynamic one (an error page with 200)."""

from collections.abc import Callable, Sequence
from urllib.parse import parse_qs

from crawler.demo.site import Asked, Response, Site
from tests.support.planting import cut, in_pages, page, plant
from tests.zoo import Planted, ZooPortal, day_of

PER_PAGE = 9


def portals() -> list[ZooPortal]:
    """One portal a dialect."""
    return [static(), dynamic()]


def static() -> ZooPortal:
    """``/xinwen/``, ``index_2.html``; the newest articles in folders by day, older ones without."""
    planted = plant(28, lambda n: f"/xinwen/{day_of(n)}/{800 - n}.html" if n < 20 else f"/xinwen/{800 - n}.html")
    pages = {article.path: page(_article(article)) for article in planted}
    cut_up = dict(in_pages(planted, PER_PAGE))
    for number, items in cut_up.items():
        markup = _list(items, planted[6], _static_address, number, len(cut_up))
        pages["/xinwen/" if number == 1 else _static_address(number)] = page(markup)
    return ZooPortal(name="empirecms", family="empirecms", site=Site(pages), lists=("/xinwen/",), planted=planted)


def _static_address(number: int) -> str:
    return "/xinwen/index.html" if number == 1 else f"/xinwen/index_{number}.html"


def dynamic() -> ZooPortal:
    """``/e/action/ListInfo/?classid=3``: page=1 is the second page."""
    planted = plant(21, lambda n: f"/e/action/ShowInfo.php?classid=3&id={800 - n}")
    by_id = {article.path.rpartition("=")[2]: article for article in planted}
    cut_up = dict(in_pages(planted, PER_PAGE))

    def script(asked: Asked) -> Response | None:
        query = parse_qs(asked.query)
        if asked.path == "/e/action/ShowInfo.php":
            return page(_article(by_id[query["id"][0]]))
        if asked.path != "/e/action/ListInfo/":
            return None
        number = int(query.get("page", ["0"])[0]) + 1
        if number not in cut_up:
            return page("<html><head><title>信息提示</title></head><body>此页面不存在</body></html>")
        return page(_list(cut_up[number], planted[6], _dynamic_address, number, len(cut_up)))

    return ZooPortal(
        name="empirecms-php",
        family="empirecms",
        site=Site({}, script=script),
        lists=("/e/action/ListInfo/?classid=3",),
        planted=planted,
    )


def _dynamic_address(number: int) -> str:
    return f"/e/action/ListInfo/?classid=3&page={number - 1}"


def _list(items: Sequence[Planted], hot: Planted, address: Callable[[int], str], number: int, pages: int) -> str:
    rows = "".join(
        f'<li><a href="{article.path}" title="{article.title}">{cut(article.title)}</a><span>{article.day}</span></li>'
        for article in items
    )
    numbers = "&nbsp;".join(
        f"<b>{n}</b>" if n == number else f'<a href="{address(n)}">{n}</a>' for n in range(1, pages + 1)
    )
    following = (
        f'<a href="{address(number + 1)}">下一页</a>&nbsp;<a href="{address(pages)}">尾页</a>' if number < pages else ""
    )
    return f"""<html><head><meta charset="utf-8"><title>新闻 - 柳溪在线</title></head><body>
<div class="menu"><a href="/">首页</a><a href="/bumen/">部门</a><a href="/zhuanti/index.html">专题</a>
<a href="/e/action/ListInfo/?classid=5&page=9">乡镇</a><a href="/e/member/login/">登录</a>
<a href="http://www.other.example/xinwen/2014-06-03/123.html">转载</a></div>
<ul class="box_li">{rows}</ul><div class="list_page"><a title="总数">&nbsp;<b>28</b> </a>&nbsp;&nbsp;{numbers}&nbsp;
{following}</div><div class="side"><ul><li>1 <a href="{hot.path}" title="{hot.title}">{cut(hot.title)}</a></li></ul>
<script src="/d/js/js/hotnews.js"></script></div></body></html>"""


def _article(article: Planted) -> str:
    return f"""<html><head><meta charset="utf-8"><title>{article.title}-柳溪在线</title></head><body>
<table class="title_info"><tr><td><h1>{article.title}</h1></td></tr></table>
<div id="text" class="text"><p>　　{article.text}</p></div>
<script src="/e/public/ViewClick/?classid=3&addclick=1"></script></body></html>"""
