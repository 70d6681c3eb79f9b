"""Shaanxi's platform: ``1.html``, ``2.html`` … with a pager of links, or one that a script draws."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from crawler.demo.site import Site
from tests.support.planting import in_pages, page, plant
from tests.zoo import Planted, ZooPortal, day_of

LIST = "/xw/xayw/"
PER_PAGE = 10
CHINA = timezone(timedelta(hours=8))
EPOCH_MS = 1288834974657
"""Where the numbers' milliseconds begin (2010-11-04, the epoch of Twitter's snowflakes)."""


def portals() -> list[ZooPortal]:
    """One portal a pager."""
    return [_portal("num-html", 28, scripted=False), _portal("num-html-script", 35, scripted=True), _channels()]


def _portal(name: str, count: int, *, scripted: bool) -> ZooPortal:
    planted = plant(count, lambda n: f"/xw/zwzx/qxrd/{_snowflake(n)}.html")
    cut = [items for _, items in in_pages(planted, PER_PAGE)]
    pages = {article.path: page(_article(article)) for article in planted}
    for number, articles in enumerate(cut, 1):
        pager = _script(number, len(cut)) if scripted else _links(number, len(cut), "{}.html")
        pages[f"{LIST}{number}.html"] = page(_list([planted[15], *articles], pager))
    return ZooPortal(name=name, family="num_html", site=Site(pages), lists=(f"{LIST}1.html",), planted=planted)


def _channels() -> ZooPortal:
    """The same pager over channels and contents that have short numbers."""
    planted = plant(24, lambda n: f"/contents/16432/{456789 - n}.html")
    cut = [items for _, items in in_pages(planted, PER_PAGE)]
    pages = {article.path: page(_article(article)) for article in planted}
    for number, articles in enumerate(cut, 1):
        name = f"16432_{number}" if number > 1 else "16432"
        pages[f"/channels/{name}.html"] = page(_list(articles, _links(number, len(cut), "16432_{}.html")))
    lists = ("/channels/16432.html",)
    return ZooPortal(name="num-html-channels", family="num_html", site=Site(pages), lists=lists, planted=planted)


def _snowflake(number: int) -> int:
    """Milliseconds above 22 bits of machine and sequence, as the platform's numbers tell their minute."""
    made = datetime.fromisoformat(f"{day_of(number)}T09:26:38").replace(tzinfo=CHINA)
    return (round(made.timestamp() * 1000) - EPOCH_MS << 22) + number * 4097


def _links(number: int, last: int, name: str) -> str:
    def step(words: str, to: int) -> str:
        if to in {0, number, last + 1}:
            return f'<span class="disabled">{words}</span>'
        return f'<a href="{name.format(to) if to > 1 else name.format(1).replace("_1", "")}">{words}</a>'

    numbers = "".join(step(str(to), to) for to in range(1, last + 1))
    return f'<div class="page">{step("上一页", number - 1)}{numbers}{step("下一页", number + 1)}共{last}页</div>'


def _script(number: int, last: int) -> str:
    return f"""<div class="m-page" id="page"></div><script>
$("#page").createPager({{ pageCount: "{last}", current: {number}, backFn: function (p) {{ location.href = p + ".html"; }} }});
</script>"""


def _list(articles: Sequence[Planted], pager: str) -> str:
    items = "\n".join(
        f'<li class="clearfix"><a href="{each.path}" target="_blank" title="{each.title}">{each.title[:15]}…</a>'
        f'<span class="time">{each.day}</span></li>'
        for each in articles
    )
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>柳溪要闻_柳溪县人民政府</title>
<meta name="SiteName" content="柳溪县人民政府"><meta name="ColumnName" content="柳溪要闻"></head><body>
<div class="nav"><a href="/">首页</a><a href="/xw/1.html">新闻</a><a href="/zwgk/ldzc/1.html">领导之窗</a></div>
<div class="side"><h3>图片新闻<a href="/xw/tpxw/1.html">&gt;&gt;</a></h3>
<a href="/xw/tpxw/1790000000000000001.html"><img src="/a.jpg" alt="柳溪春色"></a></div>
<div class="con"><ul class="list">
{items}
<li class="clearfix"><a href="http://www.shaanxi.gov.cn/xw/sxyw/1833316118612205570.html">省政府召开常务会议</a><span>2023-05-01</span></li>
</ul>{pager}</div>
<div class="footer">主办：柳溪县人民政府办公室</div></body></html>"""


def _article(article: Planted) -> str:
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{article.title}_柳溪县人民政府</title>
<meta name="SiteName" content="柳溪县人民政府"><meta name="ArticleTitle" content="{article.title}">
<meta name="PubDate" content="{article.day} 09:24"><meta name="ContentSource" content="柳溪县融媒体中心"></head><body>
<div class="nav"><a href="/">首页</a><a href="/xw/1.html">新闻</a></div>
<h1>{article.title}</h1><div class="info">时间：{article.day} 09:24　来源：柳溪县融媒体中心</div>
<div class="con_main"><p>　　{article.text}</p></div>
<div class="footer">主办：柳溪县人民政府办公室</div></body></html>"""
