"""Classic ASP in GB2312 with tables, and ASP.NET whose pager posts the page's form."""

from collections.abc import Sequence
from urllib.parse import parse_qs

from crawler.demo.site import Asked, Response, Site
from tests.support.planting import cut, in_pages, page, plant
from tests.zoo import Planted, ZooPortal

PER_PAGE = 9


def portals() -> list[ZooPortal]:
    """One portal a generation."""
    return [classic(), dot_net()]


def classic() -> ZooPortal:
    """``list.asp?s=8``; a page beyond the last is the last one again."""
    planted = plant(25, lambda n: f"/shownews.asp?newsid={400 - n}")
    by_id = {article.path.partition("=")[2]: article for article in planted}
    cut_up = dict(in_pages(planted, PER_PAGE))

    def script(asked: Asked) -> Response | None:
        query = parse_qs(asked.query)
        if asked.path == "/shownews.asp":
            return page(_article(by_id[query["newsid"][0]], "gb2312"), "gb18030")
        if asked.path != "/list.asp":
            return None
        number = min(int(query.get("page", ["1"])[0]), len(cut_up))
        return page(_classic_list(cut_up[number], planted[8], number, len(cut_up)), "gb18030")

    site = Site({}, script=script)
    return ZooPortal(name="asp", family="asp", site=site, lists=("/list.asp?s=8",), planted=planted)


def _classic_list(items: Sequence[Planted], hot: Planted, number: int, pages: int) -> str:
    rows = "".join(
        f'<tr><td height="24"><img src="images/dot.gif"> [<a href="list.asp?s={n % 3}">要闻</a>] '
        f'<a href="shownews.asp?newsid={article.path.partition("=")[2]}" target=_blank title="{article.title}">'
        f"{cut(article.title)}</a></td><td><font color=#999999>[{article.day.replace('-0', '-')}]</font></td></tr>"
        for n, article in enumerate(items)
    )
    back = f"<a href='list.asp?s=8&page={number - 1}'>上一页</a>" if number > 1 else "上一页"
    on = f"<a href='list.asp?s=8&page={number + 1}'>下一页</a> <a href='list.asp?s=8&page={pages}'>尾页</a>"
    return f"""<html><head><meta http-equiv="Content-Type" content="text/html; charset=gb2312"><title>政务要闻</title></head>
<body><table width=1000><tr><td><a href="index.asp">首页</a> <a href="list.asp?s=9">部门动态</a>
<a href="About.asp?id=1">柳溪概况</a> <a href="guestbook.asp?id=2">留言</a> <a href="Search.asp?typeid=3">搜索</a>
<a href="http://www.other.example/shownews.asp?newsid=7">市里的新闻</a></td></tr></table>
<table width=700>{rows}</table><p>首页 {back} {on if number < pages else "下一页 尾页"} 页次：{number}/{pages}页 共25条</p>
<table><tr><td>热点：<a href="shownews.asp?newsid={hot.path.partition("=")[2]}">{cut(hot.title)}</a></td></tr></table>
</body></html>"""


def dot_net() -> ZooPortal:
    """``NewsList.aspx?ModelId=1``: the pager posts the form; without its state the first page comes again."""
    planted = plant(21, lambda n: f"/Info.aspx?ModelId=1&Id={5400 - n}")
    by_id = {article.path.rpartition("=")[2]: article for article in planted}
    cut_up = dict(in_pages(planted, PER_PAGE))

    def script(asked: Asked) -> Response | None:
        if asked.path == "/Info.aspx":
            return page(_article(by_id[parse_qs(asked.query)["Id"][0]], "utf-8"))
        if asked.path != "/NewsList.aspx":
            return None
        form = parse_qs(asked.body)
        is_valid = form.get("__EVENTTARGET") == ["AspNetPager1"] and form.get("__VIEWSTATE", [""])[0].startswith(
            "/wEP+"
        )
        number = int(form["__EVENTARGUMENT"][0]) if asked.method == "POST" and is_valid else 1
        return page(_net_list(cut_up[number], number, len(cut_up)))

    site = Site({}, script=script)
    return ZooPortal(name="aspx", family="asp", site=site, lists=("/NewsList.aspx?ModelId=1",), planted=planted)


def _net_list(items: Sequence[Planted], number: int, pages: int) -> str:
    rows = "".join(
        f'<li><a id="rptList_ctl{n:02}_hl" title="{article.title}" href="{article.path}">{cut(article.title)}</a>'
        f"<span>{article.day}</span></li>"
        for n, article in enumerate(items)
    )
    numbers = "".join(_pager_link(str(n), n) for n in range(1, pages + 1) if n != number)
    following = _pager_link("下一页", number + 1) if number < pages else '<a disabled="disabled">下一页</a>'
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>柳溪新闻</title></head><body>
<form method="post" action="./NewsList.aspx?ModelId=1" id="form1">
<div class="aspNetHidden"><input type="hidden" name="__EVENTTARGET" id="__EVENTTARGET" value="">
<input type="hidden" name="__EVENTARGUMENT" id="__EVENTARGUMENT" value="">
<input type="hidden" name="__VIEWSTATE" id="__VIEWSTATE" value="/wEP+DwUKMTY4{number}=="></div>
<ul class="menu"><li><a href="/Default.aspx">首页</a></li><li><a href="NewsList.aspx?ModelId=2">乡镇动态</a></li></ul>
<ul class="news">{rows}</ul><div id="AspNetPager1">{numbers}{following}</div>
<input type="text" name="keyword" value=""><input type="submit" name="Button1" value="搜索"></form></body></html>"""


def _pager_link(words: str, number: int) -> str:
    return f'<a class="pager" href="javascript:__doPostBack(&#39;AspNetPager1&#39;,&#39;{number}&#39;)">{words}</a>'


def _article(article: Planted, charset: str) -> str:
    return f"""<html><head><meta http-equiv="Content-Type" content="text/html; charset={charset}"><title>{article.title}</title>
</head><body><table width=960><tr><td align=center><h1>{article.title}</h1></td></tr>
<tr><td id="PrintTxt"><p>　　{article.text}</p></td></tr></table></body></html>"""
