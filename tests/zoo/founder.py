"""News sites on Founder's system: the pager drawn by a script, and one of links; unknown pages are 404."""

from collections.abc import Sequence

from crawler.demo.site import Site
from tests.support.planting import cut, in_pages, page, plant
from tests.zoo import Planted, ZooPortal, day_of

PER_PAGE = 9


def portals() -> list[ZooPortal]:
    """One portal a pager."""
    return [_portal("founder-script", "/", "node_223", True), _portal("founder-links", "/news/", "node_12", False)]


def _portal(name: str, folder: str, node: str, is_script: bool) -> ZooPortal:
    planted = plant(26, lambda n: f"{folder}{day_of(n)[:7]}/{day_of(n)[8:]}/content_{1182097 - n}.htm")
    pages = {article.path: page(_article(article)) for article in planted}
    cut_up = dict(in_pages(planted, PER_PAGE))
    for number, items in cut_up.items():
        pager = _script(node, number, len(cut_up)) if is_script else _links(node, number, len(cut_up))
        pages[folder + _file(node, number)] = page(_list(items, planted[7], pager))
    return ZooPortal(name=name, family="founder", site=Site(pages), lists=(f"{folder}{node}.htm",), planted=planted)


def _file(node: str, number: int) -> str:
    return f"{node}.htm" if number == 1 else f"{node}_{number}.htm"


def _script(node: str, number: int, pages: int) -> str:
    return f"""<script language="JavaScript">
var currentPage = {number - 1};//page shown, from 0
var prevPage = currentPage - 1;
var countPage = {pages};//pages in all
if (currentPage + 1 < countPage) document.write("<a href=\\"{node}_" + (currentPage + 2) + ".htm\\">下一页</a>");
</script>"""


def _links(node: str, number: int, pages: int) -> str:
    numbers = "".join(f'<a href="{_file(node, n)}">{n}</a> ' for n in range(1, pages + 1) if n != number)
    return numbers + (f'<a href="{_file(node, number + 1)}">下一页</a>' if number < pages else "")


def _list(items: Sequence[Planted], hot: Planted, pager: str) -> str:
    rows = "".join(
        f'<li><a href="{article.path}" target="_blank" title="{article.title}">{cut(article.title)}</a>'
        f'<span class="time">{article.day} 08:{index:02}</span></li>'
        for index, article in enumerate(items)
    )
    return f"""<html><head><meta charset="utf-8"><title>柳溪新闻</title></head><body>
<div class="nav"><a href="/node_2.htm">首页</a> <a href="node_5.htm">时政</a>
<a href="/2021-11/node_88.htm">专题</a><a href="http://paper.liuxi.example/html/2023-05/28/content_7.htm">数字报</a></div>
<ul class="list"><!--newslist-->{rows}<!--/newslist--></ul><div id="displaypagenum"><center>{pager}</center></div>
<div class="side"><h3>图片新闻</h3><a href="{hot.path}"><img src="p.jpg"></a><a href="{hot.path}">{cut(hot.title)}</a>
<a href="{hot.path.replace(".htm", "_2.htm")}">第二页</a></div></body></html>"""


def _article(article: Planted) -> str:
    number = article.path.rpartition("_")[2].removesuffix(".htm")
    return f"""<html><head><meta charset="utf-8"><title>{article.title}-柳溪新闻网</title>
<!--enpproperty <articleid>{number}</articleid><date>{article.day} 08:00:00.0</date><author></author>
<title>{article.title}</title><keyword></keyword><nodename>柳溪新闻</nodename>/enpproperty-->
</head><body><h1 class="biaoti">{article.title}</h1><div id="rwb_zw"><!--enpcontent--><p>　　{article.text}</p>
<!--/enpcontent--></div></body></html>"""
