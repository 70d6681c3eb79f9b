"""Hanweb jpaas: lists as markup inside JSON; columns with their first page, and columns that are empty shells."""

import json
from collections.abc import Sequence
from html import escape
from urllib.parse import parse_qs

from crawler.demo.site import Asked, Response, Site
from tests.support.planting import plant
from tests.zoo import HTML, Planted, ZooPortal, day_of

JSON = (("Content-Type", "application/json;charset=UTF-8"),)
LIST = "/col/col1229187636/index.html"
UNIT = "/api-gateway/jpaas-publish-server/front/page/build/unit"
ARTICLES = 25
PER_PAGE = 10
QUERY = {
    "parseType": "bulidstatic", "webId": "3549", "tplSetId": "zfHuDn7pjzPV0dB1wLhu9", "pageType": "column",
    "tagId": "当前栏目列表", "editType": "null", "pageId": "1229187636",
}  # fmt: skip


def portals() -> list[ZooPortal]:
    """A column page that holds its first page, and one that holds none."""
    return [_portal("jpaas", is_shell=False), _portal("jpaas-shell", is_shell=True)]


def _portal(name: str, *, is_shell: bool) -> ZooPortal:
    planted = plant(ARTICLES, lambda n: _path(n, in_column=is_shell))
    pages = {article.path: Response(headers=HTML, body=_article(article)) for article in planted}
    pages[LIST] = Response(headers=HTML, body=_list(planted, is_shell=is_shell).encode())
    site = Site(pages, script=lambda asked: _answer(planted, asked))
    return ZooPortal(name=name, family="jpaas", site=site, lists=(LIST,), planted=planted)


def _path(number: int, *, in_column: bool) -> str:
    year, name = day_of(number)[:4], f"art_{11**25 + number:032x}.html"
    return f"/col/col1229187636/art/{year}/{name}" if in_column else f"/art/{year}/{name}"


def _markup(planted: Sequence[Planted], page: int) -> str:
    """The unit's markup for one page; beyond the last one there are no items."""
    items = "".join(
        f'<li class="clearfix"><a class="bt_link" href="{article.path}" title="{article.title}" target="_blank">{article.title[:14]}...</a>'
        f'<span class="bt_time">{article.day}</span></li>'
        for article in planted[(page - 1) * PER_PAGE : page * PER_PAGE]
    )
    query = escape(str(QUERY), quote=True)
    return (
        f'<div id="当前栏目列表"><div class="page-content"><ul>{items}</ul></div></div>'
        f'<table class="pagination" queryData="{query}" unitUrl="{UNIT}" count="{len(planted)}" rows="{PER_PAGE}" pageNo="{page}"></table>'
    )


def _answer(planted: Sequence[Planted], asked: Asked) -> Response | None:
    if asked.path != UNIT:
        return None
    if not asked.headers.get("Referer"):
        return Response(status=403, headers=HTML, body=b"<html><body>403 Forbidden</body></html>")
    query = {name: values[0] for name, values in parse_qs(asked.query).items()}
    if any(query.get(name) != value for name, value in QUERY.items()):
        return Response(headers=JSON, body=json.dumps({"success": False, "code": "500", "data": None}).encode())
    page = int(json.loads(query.get("paramJson", '{"pageNo":1}'))["pageNo"])  # a bare pageNo counts for nothing
    body = {"success": True, "code": "200", "message": "", "data": {"html": _markup(planted, page)}}
    return Response(headers=JSON, body=json.dumps(body, ensure_ascii=False).encode())


def _list(planted: Sequence[Planted], *, is_shell: bool) -> str:
    hot = planted[-1]
    script = f'<script parseType="bulidstatic" url="{UNIT}" queryData="{escape(str(QUERY))}" src="/cms_files/default/script/ajax/page/page.js"></script>'
    links = "".join(
        f'<a href="/col/col12291876{n}/index.html">{name}</a>' for n, name in enumerate(("政务公开", "政务服务"))
    )
    side = (
        ""
        if is_shell
        else f'<div class="side"><h3>热点</h3><a href="{hot.path}" title="{hot.title}">{hot.title}</a></div>'
    )
    banner = str({**QUERY, "tagId": "飘窗"})
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>要闻</title><meta name="ColumnName" content="要闻"></head><body>
<div class="nav"><a href="/">首页</a>{links}</div>
<script parseType="bulidstatic" url="{UNIT}" queryData="{escape(banner)}"></script>{side}
<div class="main">{script if is_shell else _markup(planted, 1)}</div>
<div class="foot"><p>主办：柳溪县人民政府</p><a href="https://www.dongling.example/art/2023/art_{0:032x}.html">东岭县人民政府</a></div></body></html>"""


def _article(article: Planted) -> bytes:
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{article.title}</title><meta name="ArticleTitle" content="{article.title}">
<meta name="SiteName" content="柳溪县人民政府"></head><body><div class="path"><a href="/">首页</a> &gt; <a href="{LIST}">要闻</a></div>
<h1 class="art-title">{article.title}</h1><div class="article-bar"><a href="javascript:window.print()">打印</a></div>
<div id="zoom"><!--ZJEG_RSS.content.begin--><p style="text-align: justify;">{article.text}</p><!--ZJEG_RSS.content.end--></div></body></html>""".encode()
