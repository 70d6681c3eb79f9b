"""Guangdong's platform: server-made lists with numbers from 1, and the disclosure platform's JSON behind a script."""

import json
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import parse_qs

from crawler.demo.site import Asked, Response, Site
from tests.support.planting import plant
from tests.zoo import HTML, Planted, ZooPortal

JSON = (("Content-Type", "application/json"),)
LIST = "/xwzx/zwyw/index.html"
INDEX = "/gkmlpt/index"
SID = "752001"
ARTICLES = 28
PER_PAGE = 10


def portals() -> list[ZooPortal]:
    """A news column, and a disclosure index of two categories, of which the catalogue names one."""
    return [_news(), _disclosure()]


def _news() -> ZooPortal:
    planted = plant(ARTICLES, lambda n: f"/xwzx/zwyw/content/post_{9360641 - n}.html")
    pages = {article.path: Response(headers=HTML, body=_article(article)) for article in planted}
    last = -(-len(planted) // PER_PAGE)
    for page in range(1, last + 1):
        path = LIST if page == 1 else f"/xwzx/zwyw/index_{page}.html"
        pages[path] = Response(headers=HTML, body=_list(planted, page, last).encode())
    return ZooPortal(name="nfcms", family="nfcms", site=Site(pages), lists=(LIST,), planted=planted)


def _disclosure() -> ZooPortal:
    planted = plant(ARTICLES, lambda n: f"/gkmlpt/content/10/10799/post_{10799155 - n}.html")
    pages = {article.path: Response(headers=HTML, body=_article(article)) for article in planted}
    pages[INDEX] = Response(headers=HTML, body=_index().encode())
    site = Site(pages, script=lambda asked: _answer(planted, asked))
    lists = (f"{INDEX}#475",)
    return ZooPortal(name="nfcms-gkmlpt", family="nfcms", site=site, lists=lists, planted=planted)


def _list(planted: Sequence[Planted], page: int, last: int) -> str:
    pinned = planted[3]
    shown = planted[(page - 1) * PER_PAGE : page * PER_PAGE]
    rows = [(pinned.path.replace("post_", "mpost_"), pinned), *((article.path, article) for article in shown)]
    items = "\n".join(
        f'<li><a href="{href}" target="_blank" title="{article.title}">{article.title[:13]}...</a><span class="time">{article.day}</span></li>'
        for href, article in rows
    )
    names = {n: "index.html" if n == 1 else f"index_{n}.html" for n in range(1, last + 1)}
    numbers = "".join(f'<a href="{names[n]}" class="{"cur" if n == page else ""}">{n}</a>' for n in names)
    following = f'<a href="{names[page + 1]}" class="next">&gt;</a>' if page < last else ""
    hot = planted[-1]
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="SiteName" content="柳溪县人民政府"><title>政务要闻</title>
<script>var _NFCMS_SITE_ID = 440112; if (/Android|iPhone/i.test(navigator.userAgent)) document.location.href = "/xwzx/zwyw/mindex.html";</script></head><body>
<ul class="nav"><li><a href="/">首页</a></li><li><a href="/zwgk/index.html">政务公开</a></li><li><a href="/gkmlpt/index">政府信息公开平台</a></li></ul>
<div class="right"><h3>热点</h3><p><a href="{hot.path}">{hot.title}</a></p><p><a href="http://www.gd.example/content/post_1.html">省政府召开常务会议</a></p></div>
<ul class="news_list">
{items}
</ul><div class="page">{numbers}{following}<a href="{names[last]}" class="last">尾页</a></div>
<script src="//statistics.gd.example/js/wm.js"></script></body></html>"""


def _index() -> str:
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>柳溪县人民政府信息公开目录</title>
<script>window._CONFIG = {{ TITLE: '柳溪县', SID: '{SID}', TREE: [{{"id":475,"name":"工作动态","children":[]}},{{"id":476,"name":"公示公告","children":[]}}] }};</script></head>
<body><div id="app"><div class="menu"><a href="/">首页</a><a href="/gkmlpt/guide">公开指南</a><a href="/gkmlpt/annualreport">年报</a></div></div>
<script src="/gkmlpt/js/app.js"></script></body></html>"""


def _answer(planted: Sequence[Planted], asked: Asked) -> Response | None:
    """The program: JSON in pages from 1; other categories and pages beyond the last are empty."""
    if not asked.path.startswith("/gkmlpt/api/all/"):
        return None
    query = parse_qs(asked.query)
    is_ours = asked.path.endswith("/475") and query.get("sid") == [SID]
    page = int(query.get("page", ["1"])[0])
    shown = planted[(page - 1) * PER_PAGE : page * PER_PAGE] if is_ours else []
    base = f"http://{asked.headers['Host']}"
    body = {
        "classify": {"id": 475, "name": "工作动态", "post_count": len(planted)},
        "articles": [
            {
                "id": 10799155 - n,
                "title": article.title,
                "url": "https://www.gd.example/content/post_7.html" if article is planted[5] else base + article.path,
                "post_url": base + article.path,
                "display_publish_time": int(datetime.fromisoformat(f"{article.day}T09:30:00+08:00").timestamp()),
                "publisher": "柳溪县人民政府办公室",
            }
            for n, article in enumerate(shown)
        ],
        "total": len(planted),
    }
    return Response(headers=JSON, body=json.dumps(body).encode())


def _article(article: Planted) -> bytes:
    mobile = article.path.replace("post_", "mpost_")
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{article.title} - 柳溪县人民政府</title>
<meta name="ArticleTitle" content="{article.title}"><meta name="SiteName" content="柳溪县人民政府">
<script>if (/Android|iPhone/i.test(navigator.userAgent)) document.location.href = "{mobile}";</script></head><body>
<div class="crumbs"><a href="/">首页</a> &gt; <a href="{LIST}">政务要闻</a></div><h1 class="title">{article.title}</h1>
<div class="article-content" id="zoomcon"><p>{article.text}</p></div></body></html>""".encode()
