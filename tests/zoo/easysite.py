"""EasySite: pages as files beside the column (404 beyond the last), and from its program, with links of the column's."""

from collections.abc import Sequence
from urllib.parse import parse_qs

from crawler.demo.site import Asked, Response, Site
from tests.support.planting import cut, in_pages, page, plant
from tests.zoo import Planted, ZooPortal

PER_PAGE = 10


def portals() -> list[ZooPortal]:
    """One portal a pager."""
    return [filed(), program()]


def filed() -> ZooPortal:
    """A district whose columns have names: ``/web/ywdt84/dtxx94/``; pages are called by a part of a hash."""
    column = "/web/ywdt84/dtxx94/"
    planted = plant(25, lambda n: f"{column}{1545021 - n}/")
    pages = {f"{article.path}index.html": page(_article(article)) for article in planted}
    pages |= {article.path: page(_article(article)) for article in planted}
    cut_up = dict(in_pages(planted, PER_PAGE))
    for number, items in cut_up.items():
        name = "index.html" if number == 1 else f"3b3662a6-{number}.html"
        links = "".join(
            f'<a style="cursor:pointer" onclick="queryArticleByCondition(this,\'{column}3b3662a6-{to}.html\')" '
            f'tagname="{column}3b3662a6-{to}.html" class="pagingNormal">{words}</a>'
            for words, to in (("上一页", number - 1), ("下一页", number + 1), ("尾页", len(cut_up)))
            if 1 <= to <= len(cut_up)
        )
        last = '<a tagname="[NEXTPAGE]" class="pagingDisabled">下一页</a>' if number == len(cut_up) else ""
        pages[column + name] = page(_list(column, items, planted[4], links + last, len(cut_up)))
    lists = (f"{column}index.html",)
    return ZooPortal(name="easysite", family="easysite", site=Site(pages), lists=lists, planted=planted)


def program() -> ZooPortal:
    """Columns are numbers too; later pages are fragments of ``/eportal/ui`` with the column's relative links."""
    column = "/liuxi/302249/302274/"
    planted = plant(25, lambda n: f"{column}{4600000 - n}/")
    pages = {f"{article.path}index.html": page(_article(article)) for article in planted}
    pages |= {article.path: page(_article(article)) for article in planted}
    cut_up = dict(in_pages(planted, PER_PAGE))

    def script(asked: Asked) -> Response | None:
        query = parse_qs(asked.query)
        if asked.path != "/eportal/ui" or query["pageId"] != ["302274"] or query["moduleId"] != ["a1b2"]:
            return None
        return page(_fragment(column, cut_up[int(query["currentPage"][0])], "", len(cut_up)))

    pages[f"{column}index.html"] = page(_list(column, cut_up[1], planted[4], "", len(cut_up)))
    site = Site(pages, script=script)
    return ZooPortal(
        name="easysite-program", family="easysite", site=site, lists=(f"{column}index.html",), planted=planted
    )


def _fragment(column: str, items: Sequence[Planted], pager: str, pages: int) -> str:
    rows = "".join(
        f'<li class="clearfix"><a href="{article.path.replace(column, "./")}index.html" target="_blank" title="{article.title}" '
        f'istitle="true">{cut(article.title)}</a><span class="date">{article.day}</span></li>'
        for article in items
    )
    return f"""<div class="portlet" opentype="page"><ul class="list">{rows}</ul><div class="easysite-paging">{pager}
<input type="hidden" name="article_paging_list_hidden" moduleid="a1b2" totalpage="{pages}" pagesize="{PER_PAGE}"></div></div>"""


def _list(column: str, items: Sequence[Planted], hot: Planted, pager: str, pages: int) -> str:
    page_id = column.rstrip("/").rpartition("/")[2]
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>今日柳溪</title></head><body>
<div style="display:none" easysite="easysiteHiddenDiv"><input id="contextPath" value="/eportal" type="hidden"/>
<input id="eprotalCurrentPageId" value="{page_id}" type="hidden"/></div>
<div class="nav"><a href="/">首页</a><a href="/web/zwgk/index.html">政务公开</a><a href="/liuxi/302250/index.html">公告</a>
<a href="http://www.other.example/web/ywdt84/dtxx94/1545000/index.html">市里</a></div>
{_fragment(column, items, pager, pages)}
<div class="side"><a href="{hot.path}index.html"><img src="/p.jpg"></a></div></body></html>"""


def _article(article: Planted) -> str:
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{article.title}</title>
<meta name="ArticleTitle" content="{article.title}"><meta name="ColumnName" content="今日柳溪"></head><body>
<div class="easysite-news-title"><h2>{article.title}</h2></div><div class="easysite-news-content">
<div class="easysite-news-text" id="easysiteText"><p>　　{article.text}</p></div></div></body></html>"""
