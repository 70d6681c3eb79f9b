"""UCAP: ``.shtml`` lists counted from 1 (two dialects), and lists that only the site's search knows (two more)."""

import json
from collections.abc import Callable, Sequence
from hashlib import md5
from urllib.parse import parse_qs

from crawler.demo.site import Asked, Response, Site
from tests.support.planting import page, plant
from tests.zoo import Planted, ZooPortal, day_of

PER_PAGE = 9
CHANNEL = "2f108fffb18d499dbbf9a72141151036"
SEARCH = f"/common/search/{CHANNEL}"
JSON = (("Content-Type", "application/json;charset=UTF-8"),)
PAGING = """<div id="page_div"></div><script type="text/javascript">
createPageHTML('page_div',{pages}, {number},'list','shtml',{rows});</script>"""
HUNAN_PAGING = "<script>createPageHTML('paging',{pages},{number},'index','html',{rows});</script>"
ASKING = """<script type="text/javascript">
var channelId = "%s"; var page = 1;
$.ajax({url: "/common/search/" + channelId + "?_isAgg=true&_isJson=true&_pageSize=15&_template=index&page=" + page,
  type: "GET", dataType: "json", success: function (answer) { show(answer.data.results); }});
</script>"""


def portals() -> list[ZooPortal]:
    """One portal a dialect."""
    return [
        _static("ucap", "/liuxi/c104060/", "list.shtml", PAGING, _hashed),
        _static("ucap-paging", "/liuxi/zwdt/", "index.html", HUNAN_PAGING, _dated),
        _drawn(),
        _search_only(),
    ]


def _static(name: str, folder: str, first: str, paging: str, address: Callable[[int], str]) -> ZooPortal:
    planted = plant(31, address)
    stem, ext = first.split(".")
    cut = [planted[start : start + PER_PAGE] for start in range(0, len(planted), PER_PAGE)]
    pages = {article.path: page(_article(article)) for article in planted}
    for number, articles in enumerate(cut, 1):
        pager = paging.replace("{pages}", str(len(cut))).replace("{number}", str(number))
        path = f"{folder}{stem}_{number}.{ext}" if number > 1 else folder + first
        pages[path] = page(_list([planted[25], *articles], pager.replace("{rows}", str(len(planted)))))
    path = folder if first == "index.html" else folder + first
    pages[path] = pages[folder + first]
    return ZooPortal(name=name, family="ucap", site=Site(pages), lists=(path,), planted=planted)


def _drawn() -> ZooPortal:
    """The column's page is a frame: a script asks the search for everything in it."""
    planted = plant(38, _numbered)
    pages = {article.path: page(_article(article)) for article in planted}
    pages["/hlj/c107862/list.shtml"] = page(_list([], ASKING % CHANNEL))
    site = Site(pages, script=_search(planted))
    lists = ("/hlj/c107862/list.shtml",)
    return ZooPortal(name="ucap-json", family="ucap", site=site, lists=lists, planted=planted)


def _search_only() -> ZooPortal:
    """The catalogue names the search itself."""
    planted = plant(26, _numbered)
    site = Site({each.path: page(_article(each)) for each in planted}, script=_search(planted))
    lists = (f"{SEARCH}?_isAgg=true&_isJson=true&_pageSize=10&_template=index&page=1",)
    return ZooPortal(name="ucap-search", family="ucap", site=site, lists=lists, planted=planted)


def _search(planted: Sequence[Planted]) -> Callable[[Asked], Response | None]:
    """Answers page by page; beyond the last one with no results."""

    def answer(asked: Asked) -> Response | None:
        query = parse_qs(asked.query)
        if asked.path != SEARCH or query.get("_isJson") != ["true"]:
            return None
        page, size = int(query["page"][0]), int(query["_pageSize"][0])
        shown = planted[(page - 1) * size : page * size]
        data = {"total": len(planted), "rows": size, "page": page, "results": [_result(each) for each in shown]}
        return Response(headers=JSON, body=json.dumps({"code": 200, "data": data}, ensure_ascii=False).encode())

    return answer


def _result(article: Planted) -> dict[str, object]:
    title = article.title.replace("群众", "<em>群众</em>")
    return {
        "title": title,
        "url": article.path,
        "content": article.text,
        "publishedTimeStr": f"{article.day} 09:24:00",
        "domainMetaList": [{"resultList": [{"key": "source", "value": "柳溪县融媒体中心"}]}],
    }


def _month(number: int) -> str:
    return day_of(number)[:7].replace("-", "")


def _hashed(number: int) -> str:
    return f"/liuxi/c104060/{_month(number)}/{md5(str(number).encode(), usedforsecurity=False).hexdigest()}.shtml"


def _dated(number: int) -> str:
    return f"/liuxi/zwdt/{_month(number)}/t{day_of(number).replace('-', '')}_{24991123 - number}.html"


def _numbered(number: int) -> str:
    return f"/hlj/c107862/{_month(number)}/c00_{31909085 - number}.shtml"


def _list(articles: Sequence[Planted], pager: str) -> str:
    items = "\n".join(
        f'<li><a href="{each.path}" target="_blank" title="{each.title}"><i></i>{each.title[:15]}...</a>'
        f'<span class="date">[{each.day}]</span></li>'
        for each in articles
    )
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>柳溪要闻_柳溪县人民政府</title>
<meta name="SiteName" content="柳溪县人民政府"><meta name="SiteIDCode" content="6100000001">
<meta name="ColumnName" content="柳溪要闻"><script src="/xhtml/js/page.js"></script></head><body>
<div class="nav"><a href="/liuxi/index.shtml">首页</a><a href="/liuxi/c104061/list.shtml">通知公告</a>
<a href="/liuxi/xzf/nav_list.shtml">县政府</a><a href="https://www.gov.cn/">中国政府网</a></div>
<div class="left"><h3>专题 <a href="/liuxi/c104099/list.shtml">&gt;&gt;</a></h3>
<a href="/liuxi/c104099/202304/0123456789abcdef0123456789abcdef.shtml">乡村振兴专题</a></div>
<div class="list_con"><ul id="list">
{items}
</ul>
{pager}</div>
<div class="footer"><p>主办单位：柳溪县人民政府办公室</p></div></body></html>"""


def _article(article: Planted) -> str:
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{article.title}_柳溪县人民政府</title>
<meta name="SiteName" content="柳溪县人民政府"><meta name="SiteIDCode" content="6100000001">
<meta name="ArticleTitle" content="{article.title}"><meta name="PubDate" content="{article.day} 09:24:00">
<meta name="ContentSource" content="柳溪县融媒体中心"></head><body>
<div class="nav"><a href="/liuxi/index.shtml">首页</a></div>
<div class="article"><h1><UCAPTITLE>{article.title}</UCAPTITLE></h1>
<div class="info">发布时间：<PUBLISHTIME>{article.day} 09:24:00</PUBLISHTIME>　来源：柳溪县融媒体中心</div>
<div class="article_content"><UCAPCONTENT><p style="text-indent: 2em;">{article.text}</p></UCAPCONTENT></div></div>
<div class="footer"><p>主办单位：柳溪县人民政府办公室</p></div></body></html>"""
