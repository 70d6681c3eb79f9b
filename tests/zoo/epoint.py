"""Epoint: a static column (``about.html``, ``2.html`` …) and a disclosure column behind ``getgovinfolist``."""

import json
from collections.abc import Sequence
from uuid import UUID, uuid5

from crawler.demo.site import Asked, Response, Site
from tests.support.planting import plant
from tests.zoo import HTML, Planted, ZooPortal, day_of

JSON = (("Content-Type", "application/json;charset=UTF-8"),)
SCRIPT = (("Content-Type", "application/javascript"),)
GUID = "7eb5f7f1-9041-43ad-8e13-8fcb82ea831a"
SPACE = UUID("0a1b2c3d-0000-4000-8000-000000000000")
LIST = "/xwzx/001001/about.html"
SHELL = "/dynamic/zwgk/govInfoPub.html"
CATEGORY = "003001003"
ACTION = "/EWB-FRONT/rest/lightfrontaction/getgovinfolist"
ARTICLES = 45
PER_PAGE = 15


def portals() -> list[ZooPortal]:
    """A static column whose pager has no addresses, and a disclosure column."""
    return [_static(), _disclosure()]


def _static() -> ZooPortal:
    planted = plant(ARTICLES, lambda n: f"/xwzx/001001/{day_of(n).replace('-', '')}/{uuid5(SPACE, str(n))}.html")
    pages = {article.path: Response(headers=HTML, body=_article(article)) for article in planted}
    last = -(-len(planted) // PER_PAGE)
    for page in range(1, last + 1):
        path = LIST if page == 1 else f"/xwzx/001001/{page}.html"
        pages[path] = Response(headers=HTML, body=_list(planted, page, last).encode())
    return ZooPortal(name="epoint", family="epoint", site=Site(pages), lists=(LIST,), planted=planted)


def _disclosure() -> ZooPortal:
    planted = plant(ARTICLES, lambda n: f"/govxxgk/001/{day_of(n)}/{uuid5(SPACE, f'g{n}')}.html")
    pages = {article.path: Response(headers=HTML, body=_article(article)) for article in planted}
    pages[SHELL] = Response(headers=HTML, body=_shell().encode())
    info = json.dumps({"projectName": "/EWB-FRONT", "siteGuid": GUID})
    pages["/js/webBuilderCommon.js"] = Response(
        headers=SCRIPT, body=f"// WebBuilder\nvar siteInfo = {info};\nvar Util = {{}};\n".encode()
    )
    site = Site(pages, script=lambda asked: _answer(planted, asked))
    lists = (f"{SHELL}?categorynum={CATEGORY}",)
    return ZooPortal(name="epoint-json", family="epoint", site=site, lists=lists, planted=planted)


def _list(planted: Sequence[Planted], page: int, last: int) -> str:
    shown = [planted[4], *planted[(page - 1) * PER_PAGE : page * PER_PAGE]]
    items = "\n".join(
        f'<li class="ewb-list-node clearfix"><a href="{article.path}" title="{article.title}" target="_blank" class="ewb-list-name">{article.title[:14]}...</a>'
        f'<span class="ewb-list-date">{article.day}</span></li>'
        for article in shown
    )
    hot = planted[-1]
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="SiteName" content="柳溪县人民政府"><title>政务要闻</title></head><body>
<div class="ewb-nav"><a href="/">首页</a><a href="/xwzx/001002/about.html">部门动态</a><a href="/zwgk/openness.html">政务公开</a></div>
<div class="ewb-side"><p><a href="{hot.path}" title="{hot.title}">{hot.title}</a></p>
<p><a href="http://www.dongling.example/xwzx/001001/20230501/{uuid5(SPACE, "x")}.html">东岭县要闻</a></p></div>
<ul class="ewb-list">
{items}
</ul>
<div class="pager"><ul class="wb-page-items clearfix"><li class="wb-page-li"><a href="javascript:void(0)" class="wb-page-default wb-page-first">首页</a></li>
<li class="wb-page-li"><a href="javascript:void(0)" class="wb-page-next">下页 &gt;</a></li>
<li class="wb-page-li"><span id="index" class="wb-page-default wb-page-number wb-page-family">{page}/{last}</span></li></ul></div>
<script src="/js/webBuilderCommon.js"></script><script src="/js/gxhwebbuildercommon.js"></script></body></html>"""


def _shell() -> str:
    return """<!DOCTYPE html><html><head><meta charset="utf-8"><title>政府信息公开</title></head><body>
<div class="ewb-nav"><a href="/">首页</a><a href="/dynamic/zwgk/govInfoGuide.html">公开指南</a></div>
<div id="container"><script type="text/template" id="tpl">{{#data}}<li><a href="{{infourl}}">{{title}}</a><span>{{infodate}}</span></li>{{/data}}</script></div>
<script src="/js/lib/jquery.min.js"></script><script src="/js/webBuilderCommon.js"></script><script src="/js/ajaxReq.js"></script></body></html>"""


def _answer(planted: Sequence[Planted], asked: Asked) -> Response | None:
    """The program: JSON in, JSON out, pages from 0; without the portal's id, and beyond the last page, no entries."""
    if asked.path != ACTION:
        return None
    if asked.method != "POST" or "json" not in asked.headers.get("Content-Type", ""):
        return Response(status=405, headers=HTML, body=b"<html><body>Method Not Allowed</body></html>")
    form = json.loads(asked.body)
    index, size = int(form["pageIndex"]), int(form["pageSize"])
    is_ours = form["siteGuid"] == GUID and form["categorynum"] == CATEGORY
    shown = planted[index * size : (index + 1) * size] if is_ours else []
    data = [
        {
            "infoid": article.path[-41:-5],
            "infourl": article.path,
            "title": f'<font color="#ff0000">{article.title[:10]}...</font>',
            "realtitle": article.title,
            "infodate": f"{article.day} 00:00:00",
            "deptname": "柳溪县政府办",
        }
        for article in shown
    ]
    body = {"controls": [], "custom": {"data": data, "total": len(planted) if is_ours else 0}, "status": {"code": 200}}
    return Response(headers=JSON, body=json.dumps(body, ensure_ascii=False).encode())


def _article(article: Planted) -> bytes:
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{article.title}</title><meta name="ArticleTitle" content="{article.title}">
<meta name="SiteName" content="柳溪县人民政府"></head><body><div class="ewb-location"><a href="/">首页</a> &gt; <a href="{LIST}">政务要闻</a></div>
<div class="ewb-article"><h3 class="article-title">{article.title}</h3><div class="ewb-article-info"><span>【字体：大 中 小】</span></div>
<div id="ivs_content" class="mian-cont"><p>{article.text}</p></div></div><script src="/js/webBuilderCommon.js"></script></body></html>""".encode()
