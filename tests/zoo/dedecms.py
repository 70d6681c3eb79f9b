"""DedeCMS: static pages in GB2312, and its list program in UTF-8; a page beyond the last is 404 or an empty list."""

from collections.abc import Sequence
from urllib.parse import parse_qs

from crawler.demo.site import Asked, Response, Site
from tests.support.planting import cut, in_pages, page, plant
from tests.zoo import Planted, ZooPortal, day_of

PER_PAGE = 8


def portals() -> list[ZooPortal]:
    """One portal a dialect."""
    return [static(), dynamic()]


def static() -> ZooPortal:
    """``/a/xinwen/`` and ``list_3_2.html``; the pager's last words are a form."""
    planted = plant(25, lambda n: f"/a/xinwen/{day_of(n)[:4]}/{day_of(n)[5:].replace('-', '')}/{900 - n}.html")
    pages = {article.path: page(_article(article, "gb2312"), "gb18030") for article in planted}
    cut_up = dict(in_pages(planted, PER_PAGE))
    for number, items in cut_up.items():
        numbers = "".join(_number(f"list_3_{n}.html", n, number) for n in range(1, len(cut_up) + 1))
        following = f"<li><a href='list_3_{number + 1}.html'>下一页</a></li>" if number < len(cut_up) else ""
        markup = _list(items, planted[2], f"{numbers}{following}", len(cut_up), "gb2312")
        pages[f"/a/xinwen/list_3_{number}.html"] = page(markup, "gb18030")
    pages["/a/xinwen/"] = pages["/a/xinwen/list_3_1.html"]
    return ZooPortal(name="dedecms", family="dedecms", site=Site(pages), lists=("/a/xinwen/",), planted=planted)


def dynamic() -> ZooPortal:
    """``/plus/list.php?tid=3``: later pages by ``PageNo``, with the total in every link."""
    planted = plant(20, lambda n: f"/plus/view.php?aid={900 - n}")
    articles = {article.path.partition("=")[2]: article for article in planted}
    cut_up = dict(in_pages(planted, PER_PAGE))
    address = f"/plus/list.php?tid=3&TotalResult={len(planted)}&PageNo="

    def script(asked: Asked) -> Response | None:
        query = parse_qs(asked.query)
        if asked.path == "/plus/view.php":
            return page(_article(articles[query["aid"][0]], "utf-8"))
        if asked.path != "/plus/list.php":
            return None
        number = int(query.get("PageNo", ["1"])[0])
        numbers = "".join(_number(f"{address}{n}", n, number) for n in range(1, len(cut_up) + 1))
        return page(_list(cut_up.get(number, []), planted[2], numbers, len(cut_up), "utf-8"))

    return ZooPortal(
        name="dedecms-php",
        family="dedecms",
        site=Site({}, script=script),
        lists=("/plus/list.php?tid=3",),
        planted=planted,
    )


def _number(address: str, number: int, current: int) -> str:
    return f'<li class="thisclass">{number}</li>' if number == current else f"<li><a href='{address}'>{number}</a></li>"


def _list(items: Sequence[Planted], hot: Planted, pager: str, pages: int, charset: str) -> str:
    rows = "".join(
        f'<li>[<b><a href="/plus/list.php?tid=3">今日要闻</a></b>] <a href="{article.path}" class="title">'
        f"{'<b>' if n == 0 else ''}{article.title}{'</b>' if n == 0 else ''}</a>"
        f'<span class="info"><small>日期：</small>{article.day} 10:2{n}:00<small>点击：</small>{80 + n}</span>'
        f'<p class="intro">{article.text[:40]}...</p></li>'
        for n, article in enumerate(items)
    )
    return f"""<html><head><meta http-equiv="Content-Type" content="text/html; charset={charset}"/>
<title>今日要闻_柳溪新闻网</title><script src="/include/dedeajax2.js"></script></head><body class="articlelist">
<ul id="navMenu"><li><a href="/">主页</a></li><li><a href="/a/bumen/">部门动态</a></li>
<li><a href="/plus/list.php?tid=5&PageNo=7">乡镇</a></li><li><a href="http://www.other.example/a/x/2014/0603/1.html">友情</a>
</li></ul><div class="listbox"><ul class="e2">{rows}</ul></div>
<div class="dede_pages"><ul class="pagelist"><li>首页</li>{pager}
<li><span class="pageinfo">共 <strong>{pages}</strong>页<strong>25</strong>条</span></li></ul></div>
<div class="hot"><h2>热点内容</h2><ul><li><a href="{hot.path}">{cut(hot.title)}</a></li></ul></div></body></html>"""


def _article(article: Planted, charset: str) -> str:
    return f"""<html><head><meta http-equiv="Content-Type" content="text/html; charset={charset}"/>
<title>{article.title}_柳溪新闻网</title></head><body class="articleview"><div class="viewbox">
<div class="title"><h2>{article.title}</h2></div>
<div class="content"><table width="100%"><tr><td><p>　　{article.text}</p></td></tr></table></div>
<div class="dede_pages"><ul class="pagelist"></ul></div></div></body></html>"""
