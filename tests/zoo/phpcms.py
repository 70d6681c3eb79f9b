"""PHPCMS v9 dynamic and rewritten, and Xunrui CMS; on the last page 下一页 leads to that page again."""

from collections.abc import Callable, Sequence
from urllib.parse import parse_qs

from crawler.demo.site import Asked, Response, Site
from tests.support.planting import cut, in_pages, page, plant
from tests.zoo import Planted, ZooPortal

PER_PAGE = 10


def portals() -> list[ZooPortal]:
    """One portal a dialect."""
    return [
        _dynamic(
            "phpcms", "/index.php?m=content&c=index&a=lists&catid=9", "/index.php?m=content&c=index&a=show&catid=9&id="
        ),
        _dynamic("phpcms-xunrui", "/index.php?s=news&c=category&id=7", "/index.php?s=news&c=show&id="),
        _rewritten(),
    ]


def _dynamic(name: str, column: str, article: str) -> ZooPortal:
    planted = plant(24, lambda n: f"{article}{700 - n}")
    by_id = {each.path.rpartition("=")[2]: each for each in planted}
    cut_up = dict(in_pages(planted, PER_PAGE))

    def script(asked: Asked) -> Response | None:
        if asked.path != "/index.php":
            return None
        if "=show&" in asked.query:
            return page(_article(by_id[parse_qs(asked.query)["id"][0]]))
        number = min(int(parse_qs(asked.query).get("page", ["1"])[0]), len(cut_up))
        return page(_list(cut_up[number], planted[4], lambda n: f"{column}&page={n}", number, len(cut_up)))

    return ZooPortal(name=name, family="phpcms", site=Site({}, script=script), lists=(column,), planted=planted)


def _rewritten() -> ZooPortal:
    planted = plant(24, lambda n: f"/show-9-{700 - n}-1.html")
    pages = {article.path: page(_article(article)) for article in planted}
    cut_up = dict(in_pages(planted, PER_PAGE))
    for number, items in cut_up.items():
        markup = _list(items, planted[4], lambda n: f"/list-9-{n}.html", number, len(cut_up))
        pages[f"/list-9-{number}.html"] = page(markup)
    return ZooPortal(
        name="phpcms-rewritten", family="phpcms", site=Site(pages), lists=("/list-9-1.html",), planted=planted
    )


def _list(items: Sequence[Planted], hot: Planted, address: Callable[[int], str], number: int, pages: int) -> str:
    rows = "".join(
        f'<li><span class="rt">{article.day} 11:05:00</span>·<a href="{article.path}" target="_blank" '
        f"{'style=color:red' if n == 0 else ''}>{article.title}</a></li>"
        for n, article in enumerate(items)
    )
    numbers = "".join(
        f"<span>{n}</span> " if n == number else f'<a href="{address(n)}">{n}</a> ' for n in range(1, pages + 1)
    )
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>今日要闻 - 崇山新闻网</title>
<script>$(document).ready(function () {{ $("#nav").load("/index.php?m=content&c=index&a=nav"); }});</script></head><body>
<div class="nav"><a href="/">首页</a><a href="/index.php?m=content&c=index&a=lists&catid=10">部门</a>
<a href="/index.php?m=content&c=search&a=init&typeid=1">搜索</a><a href="/list-12-1.html">专题</a>
<a href="http://www.other.example/index.php?m=content&c=index&a=show&catid=9&id=12">省内</a></div>
<div class="crumbs"><a href="/">首页</a><span> &gt; </span>今日要闻</div><ul class="list lh24 f14">{rows}</ul>
<div id="pages" class="text-c"><a class="a1">24条</a> <a href="{address(max(1, number - 1))}" class="a1">上一页</a>
{numbers}<a href="{address(min(pages, number + 1))}" class="a1">下一页</a></div>
<div class="sidebar"><h5>频道本月排行</h5><ul><li><span>1</span><a href="{hot.path}">{cut(hot.title)}</a></li></ul></div>
</body></html>"""


def _article(article: Planted) -> str:
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{article.title} - 今日要闻 - 崇山新闻网</title>
</head><body><div class="col-left"><div id="Article"><h1>{article.title}</h1><div class="content">
<p>　　{article.text}</p></div></div></div></body></html>"""
