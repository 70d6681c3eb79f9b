"""Hebei's platform: channels with a ``ul.pagination`` whose last page leads to itself, under two kinds of address."""

from collections.abc import Callable, Sequence
from urllib.parse import parse_qs

from crawler.demo.site import Asked, Response, Site
from tests.support.planting import in_pages, page, plant
from tests.zoo import Planted, ZooPortal

PER_PAGE = 10


def portals() -> list[ZooPortal]:
    """A portal of queries, and one of files with articles of the older software among its own."""
    return [_queries(), _files()]


def _queries() -> ZooPortal:
    path = "/channel/list/11.html"
    planted = plant(34, lambda n: f"/single/11/{7298 - n}.html")
    pages = {article.path: page(_article(article)) for article in planted}
    site = Site(pages, script=_program(path, planted))
    return ZooPortal(name="channel-list", family="channel_list", site=site, lists=(path,), planted=planted)


def _program(path: str, planted: Sequence[Planted]) -> Callable[[Asked], Response | None]:
    """A page beyond the last one has a list without items."""
    cut = [items for _, items in in_pages(planted, PER_PAGE)]

    def answer(asked: Asked) -> Response | None:
        if asked.path != path:
            return None
        number = int(parse_qs(asked.query).get("page", ["1"])[0])
        articles = cut[number - 1] if number <= len(cut) else []
        pager = _pager(number, len(cut), len(planted), lambda to: f"{path}?page={to}")
        return page(_list([planted[-2], *articles] if number == 1 else articles, pager))

    return answer


def _files() -> ZooPortal:
    planted = plant(26, lambda n: f"/single/185/{20731 - n}.html" if n < 20 else f"/content/2022/{9000 - n}.html")
    cut = [items for _, items in in_pages(planted, PER_PAGE)]
    pages = {article.path: page(_article(article)) for article in planted}
    for number, articles in enumerate(cut, 1):
        pager = _pager(number, len(cut), len(planted), _file)
        pages[_file(number)] = page(_list([planted[12], *articles], pager))
    lists = ("/channel/185/index.html",)
    return ZooPortal(name="channel-list-files", family="channel_list", site=Site(pages), lists=lists, planted=planted)


def _file(number: int) -> str:
    return f"/channel/185/index_{number}.html" if number > 1 else "/channel/185/index.html"


def _pager(number: int, last: int, articles: int, address: Callable[[int], str]) -> str:
    def step(words: str, to: int) -> str:
        return f'<li class="page-item"><a class="page-link" href="{address(min(max(to, 1), last))}">{words}</a></li>'

    numbers = "".join(step(str(to), to) for to in range(1, last + 1))
    return f"""<div class="page-inner">共 {articles} 条</div><ul class="pagination">
{step("首页", 1)}{step("上一页", number - 1)}{numbers}{step("下一页", number + 1)}{step("尾页", last)}</ul>"""


def _list(articles: Sequence[Planted], pager: str) -> str:
    items = "\n".join(
        f'<li><a href="{each.path}" target="_blank" title="{each.title}"><span class="tabs2Right-part1">{each.title[:15]}...</span></a>'
        f'<span class="tabs2Right-part2">{each.day}</span></li>'
        for each in articles
    )
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>柳溪要闻-柳溪县人民政府</title>
<meta name="SiteName" content="柳溪县人民政府"></head><body>
<ul class="menu"><li><a href="/">首页</a></li><li><a href="/channel/list/14.html">通知公告</a></li>
<li><a href="/single/3/12.html">柳溪概况</a></li><li><a href="http://www.hebei.gov.cn/">河北省人民政府</a></li></ul>
<div class="tabs2"><a href="/channel/list/14.html">&gt;&gt;</a></div>
<ul class="list1-ul">
{items}
<li><a href="http://www.hebei.gov.cn/single/1/2.html">省里召开有关会议</a><span class="tabs2Right-part2">2023-05-01</span></li>
</ul>
{pager}
<div class="footer">主办：柳溪县人民政府办公室</div></body></html>"""


def _article(article: Planted) -> str:
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{article.title}-柳溪县人民政府</title>
<meta name="SiteName" content="柳溪县人民政府"><meta name="ArticleTitle" content="{article.title}">
<meta name="PubDate" content="{article.day} 09:24:00"><meta name="ContentSource" content="柳溪县融媒体中心"></head><body>
<ul class="menu"><li><a href="/">首页</a></li></ul>
<div class="breadcrumbs"><a href="/">首页</a> &gt; <a href="/channel/list/11.html">柳溪要闻</a></div>
<div class="Detailcontent"><h1>{article.title}</h1><div class="Detailcontent_info">{article.day} 09:24　来源：柳溪县融媒体中心</div>
<div class="Detailcontent_inner f16"><p>　　{article.text}</p></div></div>
<div class="footer">主办：柳溪县人民政府办公室</div></body></html>"""
