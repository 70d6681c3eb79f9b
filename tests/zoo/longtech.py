"""Longtech: a column that pages by address, and a disclosure column whose list a program sends."""

from collections.abc import Sequence
from urllib.parse import parse_qs

from crawler.demo.site import Asked, Response, Site
from tests.support.planting import plant
from tests.zoo import HTML, Planted, ZooPortal

COLUMN, COLUMN_PATH = "6791573", "/zwyw/jryw/index.html"
ORGAN, CATEGORY = "6617041", "6718758"
PUBLIC_PATH = f"/public/column/{ORGAN}"
LABEL = "/site/label/8888"
ARTICLES = 26
PER_PAGE = 10
PAGES = -(-ARTICLES // PER_PAGE)


def portals() -> list[ZooPortal]:
    """A news column and a disclosure column."""
    return [_column(), _public()]


def _column() -> ZooPortal:
    planted = plant(ARTICLES, lambda n: f"/zwyw/jryw/{565511011 - 10 * n}.html")
    pages = {article.path: Response(headers=HTML, body=_article(article)) for article in planted}
    pages[COLUMN_PATH] = _column_page(planted, 1)
    site = Site(pages, script=lambda asked: _answer_column(planted, asked))
    return ZooPortal(name="longtech", family="longtech", site=site, lists=(COLUMN_PATH,), planted=planted)


def _public() -> ZooPortal:
    planted = plant(ARTICLES, lambda n: f"/public/{ORGAN}/{1045671 - n}.html")
    pages = {article.path: Response(headers=HTML, body=_article(article)) for article in planted}
    pages[PUBLIC_PATH] = Response(headers=HTML, body=_shell().encode())
    site = Site(pages, script=lambda asked: _answer_label(planted, asked))
    lists = (f"{PUBLIC_PATH}?type=4&catId={CATEGORY}&action=list",)
    return ZooPortal(name="longtech-public", family="longtech", site=site, lists=lists, planted=planted)


def _answer_column(planted: Sequence[Planted], asked: Asked) -> Response | None:
    """Later pages; a number beyond the last one gives the last page again."""
    if asked.path != f"/content/column/{COLUMN}":
        return None
    wanted = int(parse_qs(asked.query).get("pageIndex", ["1"])[0])
    return _column_page(planted, min(max(wanted, 1), PAGES))


def _column_page(planted: Sequence[Planted], page: int) -> Response:
    pinned, hot = planted[2], planted[-1]
    shown = [pinned, *planted[(page - 1) * PER_PAGE : page * PER_PAGE]]
    items = "\n".join(
        f'<li class="{"odd" if n % 2 else ""}"><span class="right date">{article.day}</span><a class="left" href="{article.path}" target="_blank" '
        f'title="{article.title}"><span class="{"top" if article is pinned else ""}">{article.title[:15]}...</span></a></li>'
        + ('<li class="lm_line"></li>' if n % 5 == 4 else "")
        for n, article in enumerate(shown)
    )
    body = f"""<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="SiteName" content="柳溪县人民政府"><meta name="SiteId" content="6781961">
<title>今日要闻_柳溪县人民政府</title></head><body>
<ul class="nav"><li><a href="/">首页</a></li><li><a href="/content/column/6791574">部门动态</a></li><li><a href="/15021221.html">镇街动态</a></li></ul>
<div class="navleft"><h3>热点</h3><a href="{hot.path}" title="{hot.title}">{hot.title}</a><a href="http://www.dongling.example/zwyw/565511999.html">东岭新闻</a></div>
<div class="navjz clearfix"><ul class="doc_list list-{COLUMN}">
<li class="columnName"><a class="title" href="/zwyw/jryw/index.html">今日要闻</a></li>
{items}
</ul><div id="page_{COLUMN}" class="ls-page"></div>
<script type="text/javascript">Ls.pagination("#page_{COLUMN}", function(pageIndex){{ location.href='/content/column/{COLUMN}?pageIndex=' + pageIndex;}},{{currPage: ({page - 1}+1),pageCount:{PAGES}}});</script>
</div></body></html>"""
    return Response(headers=HTML, body=body.encode())


def _shell() -> str:
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>柳溪县人民政府办公室 信息公开</title></head><body>
<div class="xxgk_nav"><a href="/">首页</a><a href="/public/column/{ORGAN}?type=2">公开指南</a><a href="/public/column/{ORGAN}?type=4&amp;catId=6718734&amp;action=list">规划计划</a></div>
<div id="xxgk_lmcon"></div>
<script type="text/javascript">
$(function () {{
  function load(pageIndex) {{
    $.ajax({{ url: "{LABEL}?IsAjax=1&dataType=html&_=" + Math.random(), data:
      {{labelName: "publicInfoList", siteId: "6793339", pageSize: {PER_PAGE}, pageIndex: "1", action: "list", isDate: true, dateFormat: "yyyy-MM-dd",
        length: 80, organId: "{ORGAN}", type: 4, catId: "{CATEGORY}", cId: "", result: "暂无相关信息", file: "/xxgk/publicInfoList_newest2020"}},
      success: function (html) {{ $("#xxgk_lmcon").html(html); }} }});
  }}
  load(1);
}});
</script></body></html>"""


def _answer_label(planted: Sequence[Planted], asked: Asked) -> Response | None:
    """The list as a piece of markup; for another column, and beyond the last page, the words that there is nothing."""
    if asked.path != LABEL:
        return None
    query = {name: values[0] for name, values in parse_qs(asked.query).items()}
    page = int(query.get("pageIndex", "1"))
    is_ours = (query.get("organId"), query.get("catId"), query.get("labelName")) == (ORGAN, CATEGORY, "publicInfoList")
    shown = planted[(page - 1) * PER_PAGE : page * PER_PAGE] if is_ours else []
    items = "".join(
        f'<li class="clearfix"><a class="title" href="{article.path}" target="_blank" title="{article.title}">{article.title[:16]}...</a><span class="date">{article.day}</span></li>'
        for article in shown
    )
    body = (
        f'<div class="xxgk_navli"><ul class="clearfix xxgk_nav_list">{items or "<li>暂无相关信息</li>"}</ul></div><div id="page_public_info"></div>'
        f'<script>Ls.pagination("#page_public_info", function(pageIndex){{ publicList(pageIndex); }},{{currPage: ({page - 1}+1),pageCount:{PAGES},size:{len(planted)},pageSize:{PER_PAGE}}});</script>'
    )
    return Response(headers=HTML, body=body.encode())


def _article(article: Planted) -> bytes:
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{article.title}_柳溪县人民政府</title>
<meta name="ArticleTitle" content="{article.title}"><meta name="SiteName" content="柳溪县人民政府"></head><body>
<div class="dqwz">您现在的位置：<a href="/">首页</a>&gt;<a href="{COLUMN_PATH}">今日要闻</a></div>
<div class="newscontnet"><h1 class="newstitle">{article.title}</h1><div class="newsinfo"><span>阅读次数：<i id="hits">12</i></span></div>
<div class="wzcon j-fontContent wza-region_content"><p>{article.text}</p></div></div></body></html>""".encode()
