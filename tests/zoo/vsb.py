"""Boda VSB: pages numbered backwards behind the column's own file, and lists that a JSP program prints."""

from collections.abc import Callable, Sequence
from urllib.parse import parse_qs

from crawler.demo.site import Asked, Response, Site
from tests.support.planting import in_pages, page, plant
from tests.zoo import Planted, ZooPortal

PER_PAGE = 10
COLUMN = "/xwzx/zqyw"
PROGRAM = "/xlist.jsp"
TREE = "urltype=tree.TreeTempUrl&wbtreeid=1012"
STYLE = '<link rel="stylesheet" content-type="text/css" href="/system/resource/css/pagedown/sys.css">'


def portals() -> list[ZooPortal]:
    """A portal of files with the newer pager, and one of programs with the older."""
    return [_files(), _programs()]


def _files() -> ZooPortal:
    planted = plant(36, lambda n: f"/info/1012/{4812 - n}.htm")
    cut = [items for _, items in in_pages(planted, PER_PAGE)]
    pages = {article.path: page(_article(article)) for article in planted}
    for number, articles in enumerate(cut, 1):
        up = ".." if number == 1 else "../.."
        items = [*(planted[20:21] if number == 1 else []), *articles]
        pages[_list_path(number, len(cut))] = page(_list(items, up, _pager(number, len(cut), len(planted))))
    return ZooPortal(name="vsb", family="vsb", site=Site(pages), lists=(f"{COLUMN}.htm",), planted=planted)


def _programs() -> ZooPortal:
    planted = plant(24, lambda n: f"/content.jsp?urltype=news.NewsContentUrl&wbtreeid=1012&wbnewsid={39834 - n}")
    site = Site({}, script=_program(planted))
    return ZooPortal(name="vsb-jsp", family="vsb", site=site, lists=(f"{PROGRAM}?{TREE}",), planted=planted)


def _program(planted: Sequence[Planted]) -> Callable[[Asked], Response | None]:
    by_address = {article.path: article for article in planted}
    cut = [items for _, items in in_pages(planted, PER_PAGE)]

    def answer(asked: Asked) -> Response | None:
        article = by_address.get(f"{asked.path}?{asked.query}")
        if article:
            return page(_article(article))
        if asked.path != PROGRAM:
            return None
        number = int(parse_qs(asked.query).get("PAGENUM", ["1"])[0])
        number = min(number, len(cut))  # the program shows its last page for every number beyond
        return page(_list(cut[number - 1], "", _older_pager(number, len(cut), len(planted))))

    return answer


def _list_path(number: int, last: int) -> str:
    return f"{COLUMN}.htm" if number == 1 else f"{COLUMN}/{last - number + 1}.htm"


def _pager(number: int, last: int, articles: int) -> str:
    def step(name: str, css: str, to: int) -> str:
        if to in {number, 0, last + 1}:
            return f'<span class="p_{css}_d p_fun_d">{name}</span>'
        return f'<span class="p_{css} p_fun"><a href="{_relative(number, to, last)}">{name}</a></span>'

    def numbered(to: int) -> str:
        if to == number:
            return f'<span class="p_no_d">{to}</span>'
        return f'<span class="p_no"><a href="{_relative(number, to, last)}">{to}</a></span>'

    numbers = "".join(numbered(to) for to in range(1, last + 1))
    before = step("首页", "first", 1) + step("上页", "prev", number - 1)
    after = step("下页", "next", number + 1) + step("尾页", "last", last)
    goto = f"_simple_list_gotopage_fun({last},'u8_goto',2)"
    return f"""{STYLE}<div class="pb_sys_common pb_sys_normal pb_sys_style1"><span class="p_t">共{articles}条</span>
<span class="p_pages">{before}{numbers}{after}</span><span class="p_t">到第</span><span class="p_goto">
<script language="javascript" src="/system/resource/js/gotopage.js"></script>
<input type="text" class="p_goto_input" id="u8_goto" onkeydown="if(event.keyCode==13){{{goto}}}"></span>
<span class="p_t">页</span><span class="p_goto"><a href="javascript:;" onclick="{goto}">跳转</a></span></div>"""


def _relative(number: int, to: int, last: int) -> str:
    """Links are relative: from the column's own file into its folder, and back from there."""
    if to == 1:
        return "../zqyw.htm"
    name = f"{last - to + 1}.htm"
    return f"zqyw/{name}" if number == 1 else name


def _older_pager(number: int, last: int, articles: int) -> str:
    def step(name: str, css: str, to: int) -> str:
        if number in {to, last if css == "Next" else 1}:
            return f'<span class="{css}Disabled">{name}</span>'
        return f'<a class="{css}" href="?totalpage={last}&PAGENUM={to}&{TREE}">{name}</a>'

    before = step("首页", "Prev", 1) + step("上页", "Prev", number - 1)
    after = step("下页", "Next", number + 1) + step("尾页", "Next", last)
    return f"""<table cellspacing="0" class="headStyle1u8"><tr valign="middle">
<td nowrap align="left" width="1%" id="fanyeu8">共{articles}条&nbsp;&nbsp;{number}/{last}&nbsp;</td>
<td nowrap align="left"><div>{before}{after}</div></td></tr></table>"""


def _list(articles: Sequence[Planted], up: str, pager: str) -> str:
    items = "\n".join(
        f'<li id="line_u8_{at}"><a href="{up}{each.path}" target="_blank" title="{each.title}">{each.title[:14]}...</a>'
        f"<span>{each.day.replace('-', '/')}</span></li>"
        for at, each in enumerate(articles)
    )
    return f"""<!DOCTYPE html><html><head><meta charset="UTF-8"><title>柳溪要闻-柳溪县人民政府</title>
<meta name="pageType" content="2"><meta name="pageTitle" content="柳溪要闻">
<!--Announced by Visual SiteBuilder 9--><link rel="stylesheet" type="text/css" href="/_sitegray/_sitegray_d.css">
<script type="text/javascript">var _jsq_ = function () {{}}; _jsq_(1012,'/list.jsp',-1,1276000000)</script></head><body>
<ul class="nav"><li><a href="{up}/index.htm">首页</a></li><li><a href="{up}/zwgk.htm">政务公开</a></li></ul>
<div class="left"><h3>通知公告<a href="{up}/xwzx/tzgg.htm">&gt;&gt;</a></h3>
<p><a href="{up}/info/1013/4790.htm">关于停水的通知</a></p><p><a href="{up}/info/1013/4789.htm">关于停电的通知</a></p></div>
<div class="main"><div class="dqwz">当前位置：<a href="{up}/index.htm">首页</a>&gt;&gt;柳溪要闻</div>
<ul class="list">
{items}
<li id="line_u8_99"><a href="https://mp.weixin.qq.com/s/abcdefg" target="_blank">微信公众号推送一则</a><span>2023/05/01</span></li>
</ul>
<div class="pages">{pager}</div></div>
<div class="foot">主办：柳溪县人民政府　<a href="https://beian.miit.gov.cn/">备案号</a></div></body></html>"""


def _article(article: Planted) -> str:
    year, month, day = article.day.split("-")
    return f"""<!DOCTYPE html><html><head><meta charset="UTF-8"><title>{article.title}-柳溪县人民政府</title>
<meta name="pageType" content="3"><meta name="pageTitle" content="{article.title}">
<meta name="keywords" content="柳溪县人民政府,柳溪要闻"><!--Announced by Visual SiteBuilder 9-->
<script language="javascript" src="/_sitegray/_sitegray.js"></script></head><body>
<ul class="nav"><li><a href="/index.htm">首页</a></li></ul>
<div class="dqwz">当前位置：<a href="/index.htm">首页</a>&gt;&gt;<a href="/xwzx/zqyw.htm">柳溪要闻</a>&gt;&gt;正文</div>
<form name="_newscontent_fromname"><div class="content"><h1>{article.title}</h1>
<div class="xx">日期：{year}年{month}月{day}日 09:24　来源：柳溪县融媒体中心　点击：[<script>_showDynClicks("wbnews", 1276000000, 1)</script>]</div>
<div id="vsb_content_501"><div class="v_news_content"><p>　　{article.text}</p></div></div><div id="div_vote_id"></div>
<p>【<a href="javascript:window.close();">关闭窗口</a>】</p></div></form>
<div class="foot">主办：柳溪县人民政府</div></body></html>"""
