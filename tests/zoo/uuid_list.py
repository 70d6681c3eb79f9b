"""Portals of UUIDs: 雅安's counties (pages by ``?page=``) and Hebei (later pages from the column's block)."""

from collections.abc import Sequence
from urllib.parse import parse_qs

from crawler.demo.site import Asked, Response, Site
from tests.support.planting import cut, in_pages, page, plant, uuid_of
from tests.zoo import Planted, ZooPortal, day_of

PER_PAGE = 10


def portals() -> list[ZooPortal]:
    """One portal a dialect."""
    return [yaan(), hebei()]


def yaan() -> ZooPortal:
    """``/xinwen/list/{uuid}.html``: the list is a program, a page beyond its end shows no items."""
    planted = plant(27, lambda n: f"/xinwen/show/{uuid_of(f'yaan {n}')}.html")
    column = f"/xinwen/list/{uuid_of('yaan column')}.html"
    cut_up = dict(in_pages(planted, PER_PAGE))

    def script(asked: Asked) -> Response | None:
        number = int(parse_qs(asked.query).get("page", ["1"])[0])
        return page(_yaan_list(cut_up.get(number, []), len(cut_up), planted[3])) if asked.path == column else None

    site = Site({article.path: page(_yaan_article(article)) for article in planted}, script=script)
    return ZooPortal(name="uuid-yaan", family="uuid_list", site=site, lists=(column,), planted=planted)


def _yaan_list(items: Sequence[Planted], pages: int, pinned: Planted) -> str:
    rows = "".join(
        f'<li><a href="{article.path}" target="_blank" title="{article.title}"><i></i>{cut(article.title)}</a>'
        f"<span>{article.day}</span></li>"
        for article in ([pinned, *items] if items else [])
    )
    other = uuid_of("another column")
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>柳溪要闻-柳溪县人民政府</title>
<meta name="SiteName" content="柳溪县人民政府"><meta name="ColumnName" content="柳溪要闻"></head><body>
<div class="nav"><ul><li><a href="/">首页</a></li><li><a href="/xinwen/list/{other}.html">部门动态</a></li>
<li><a href="/gongkai/list/{other}.html">政府信息公开</a></li><li><a href="http://www.yaan.example/xinwen/show/{other}.html">
市政府要闻</a></li></ul></div>
<div class="id-list id-list-li02 data-list"><ul>{rows}</ul></div>
<div class="xy-page mt40 mb40"><span>共{pages}页</span><a href="javascript:goPage(1)">首页</a>
<a class="pagenext" href="javascript:next()">下一页</a></div>
<script>function goPage(p){{ if (p >= 1 && p <= {pages}) location.href = location.pathname + '?page=' + p; }}</script>
</body></html>"""


def _yaan_article(article: Planted) -> str:
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{article.title}-柳溪县人民政府</title>
<meta name="ArticleTitle" content="{article.title}"><meta name="ContentSource" content="柳溪县融媒体中心"></head><body>
<div class="page-nav02">当前位置：<a href="/">首页</a> &gt; <a href="/xinwen/">新闻</a></div>
<div class="page-con"><h1>{article.title}</h1><div class="page-text"><p>　　{article.text}</p></div></div>
<div class="footer">主办：柳溪县人民政府办公室</div></body></html>"""


def hebei() -> ZooPortal:
    """``/columns/{uuid}/index.html``: later pages are the bare items of its block, none beyond the last page."""
    column = f"/columns/{uuid_of('hebei column')}/"
    planted = plant(
        31, lambda n: f"{column}{day_of(n).replace('-', '')[:6]}/{day_of(n)[8:]}/{uuid_of(f'hebei {n}')}.html"
    )
    block = f"{column}templates/{uuid_of('template')}/blocks/{uuid_of('block')}"
    cut_up = dict(in_pages(planted, PER_PAGE))

    def script(asked: Asked) -> Response | None:
        number = int(parse_qs(asked.query).get("page", ["1"])[0])
        return page(_hebei_items(cut_up.get(number, []))) if asked.path == block else None

    pages = {article.path: page(_hebei_article(article)) for article in planted}
    pages[f"{column}index.html"] = page(_hebei_list(column, block, cut_up[1]))
    return ZooPortal(
        name="uuid-hebei",
        family="uuid_list",
        site=Site(pages, script=script),
        lists=(f"{column}index.html",),
        planted=planted,
    )


def _hebei_items(items: Sequence[Planted]) -> str:
    return "".join(
        f'<li class="list-li"><a href="{article.path}" title="{article.title}" target="_blank">{cut(article.title)}</a>'
        f"<p>{article.day}</p></li>\n"
        for article in items
    )


def _hebei_list(column: str, block: str, items: Sequence[Planted]) -> str:
    other = uuid_of("another column")
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>柳溪县人民政府 要闻</title></head><body>
<ul class="menu"><li><a href="/columns/{other}/index.html">政务公开</a></li>
<li><a href="http://www.hebei.example{column}202305/28/{other}.html">省政府要闻</a></li></ul>
<ul class="list" id="list">{_hebei_items(items)}</ul><div id="pagination" class="pagination"></div>
<script>
var total = 31, size = {PER_PAGE};
function load(page) {{ $.get("{block}?page=" + page + "&fix=0", function (html) {{ $("#list").html(html); }}); }}
</script></body></html>"""


def _hebei_article(article: Planted) -> str:
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{article.title}</title>
<meta name="ArticleTitle" content="{article.title}"><meta name="PubDate" content="{article.day} 09:30"></head><body>
<div class="xxgk"><h1 class="title">{article.title}</h1><div id="zoom"><p>{article.text}</p></div></div></body></html>"""
