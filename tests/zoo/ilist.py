"""A county on iList.jsp: the list is a program that gives its last page for any number beyond."""

from collections.abc import Sequence
from urllib.parse import parse_qs

from crawler.demo.site import Asked, Response, Site
from tests.support.planting import cut, in_pages, page, plant
from tests.zoo import Planted, ZooPortal

PER_PAGE = 10


def portals() -> list[ZooPortal]:
    """One portal with two columns: one with a pager of links, one of scripts."""
    linked = plant(24, lambda n: f"/gk/zfxxgk/fdzdnr/{1594150 - n}.htm")
    scripted = [
        Planted(
            path=f"/xw/jrlx/{1700 - n}.htm",
            title=f"{article.title}（续）",
            day=article.day,
            text=f"据悉，{article.text}",
        )
        for n, article in enumerate(plant(12, str))
    ]
    columns = {"15943": dict(in_pages(linked, PER_PAGE)), "24186": dict(in_pages(scripted, PER_PAGE))}

    def script(asked: Asked) -> Response | None:
        if asked.path != "/info/iList.jsp":
            return None
        query = parse_qs(asked.query)
        column = query["cat_id"][0]
        pages = columns[column]
        number = min(int(query.get("cur_page", ["1"])[0]), len(pages))
        return page(_list(column, number, len(pages), pages[number], linked[5]))

    site = Site({article.path: page(_article(article)) for article in [*linked, *scripted]}, script=script)
    lists = ("/info/iList.jsp?cat_id=15943", "/info/iList.jsp?node_id=GKlxx&cat_id=24186&cur_page=1")
    return [
        ZooPortal(name="ilist", family="ilist", site=site, lists=lists, planted=[*linked, *scripted], quiet_requests=3)
    ]


def _list(column: str, number: int, pages: int, items: Sequence[Planted], pinned: Planted) -> str:
    rows = "".join(
        f'<li><span>{article.day}</span><a href="{article.path}" title="{article.title}" target="_blank">'
        f"{cut(article.title)}</a></li>"
        for article in items
    )
    address = f"/info/iList.jsp?cat_id={column}&amp;cur_page="
    links = "".join(f'<a href="{address}{n}">{n}</a>' for n in range(1, pages + 1) if n != number)
    following = f'<a href="{address}{min(number + 1, pages)}">下一页</a>'  # on the last page it leads to itself
    scripts = "<a href='javascript:void(0)' onclick='turn(2)'>下一页</a>"
    pager = f"{links}{following}" if column == "15943" else f"共 {pages} 页　第 {number} 页　{scripts}"
    top = f'<p class="top"><a href="{pinned.path}">{cut(pinned.title)}</a></p>' if column == "15943" else ""
    return f"""<html><head><meta charset="utf-8"><title>今日柳溪</title></head><body>
<div class="nav"><a href="/">首页</a><a href="/info/iList.jsp?cat_id=15971">法定主动公开内容</a>
<a href="/info/iList.jsp?cat_id=15971&cur_page=9">更多</a><a href="/zwgk/index.htm">政务公开</a>
<a href="/xw/jrlx/list.htm">更多新闻</a><a href="http://www.deyang.example/zwgk/x/123456.htm">市政府要闻</a></div>
{top}<div class="list_div"><ul>{rows}</ul></div><div class="page">{pager}</div></body></html>"""


def _article(article: Planted) -> str:
    return f"""<html><head><meta charset="utf-8"><title>{article.title}</title></head><body><section>
<div id="attribute"><span>索引号：LX-{article.path[-8:-4]}</span><span>文号：无</span>
<span>发布日期：{article.day}</span></div><h1>{article.title}</h1><article><p>{article.text}</p></article></section>
</body></html>"""
