"""Hanweb JCMS: a data island of three pages' records in the column page, the rest by ``dataproxy.jsp``, in two ways."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from crawler.demo.site import Asked, Response, Site
from tests.support.planting import plant
from tests.zoo import HTML, Planted, ZooPortal, day_of

XML = (("Content-Type", "text/xml;charset=UTF-8"),)
ARTICLES = 30
PER_PAGE = 4
BATCH = 3 * PER_PAGE


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of one dialect."""

    proxy: str
    columnid: str
    """As the island names it: some portals encrypt it."""
    unitid: str
    list_path: str
    planted: Sequence[Planted]
    is_old: bool
    is_paged: bool = False
    """Its program counts pages (``page=4``) and knows no records: asked for some, it sends the first ones."""

    def record(self, article: Planted) -> str:
        cut = article.title[:12] + "..."
        if self.is_old:
            row = f"<a href='{article.path}' class='bt_link' title='{article.title}' target='_blank'><span>{article.title}</span><i>{article.day}</i></a>"
            return f"<li>{row}</li>"
        return f'<li style=""><a target="_blank" href="{article.path}" title="{article.title}">{cut}</a><span class="bt-data-time">{article.day}</span></li>'

    def store(self, first: int, last: int, *, page: int) -> str:
        """Records *first* to *last*, counted from 1, as the software writes them."""
        group = (
            f"{self.proxy}?page={page}&appid=1&appid=1&webid=49&path=/&columnid={self.columnid}&unitid={self.unitid}"
            "&webname=%E6%9F%B3%E6%BA%AA%E5%8E%BF%E4%BA%BA%E6%B0%91%E6%94%BF%E5%BA%9C&permissiontype=0"
        )
        records = "\n".join(
            f"<record><![CDATA[\n{self.record(article)}]]></record>" for article in self.planted[first - 1 : last]
        )
        return (
            f"<datastore>\n<totalrecord>{len(self.planted)}</totalrecord><totalpage>{-(-len(self.planted) // PER_PAGE)}</totalpage>\n"
            f'<nextgroup><![CDATA[<a href="{group}"></a>]]></nextgroup>\n<recordset>\n{records}\n</recordset>\n</datastore>'
        )

    def answer(self, asked: Asked) -> Response | None:
        """What the program says to the page's script; an empty record set to whoever asks for another column."""
        if asked.path != self.proxy:
            return None
        query, form = parse_qs(asked.query), parse_qs(asked.body)
        if (asked.method != "POST" and not self.is_paged) or not asked.headers.get("Referer"):
            return Response(status=403, headers=HTML, body=b"<html><body>Forbidden</body></html>")
        form = form or query
        is_ours = form.get("columnid") == [self.columnid] and form.get("unitid") == [self.unitid]
        if not self.is_paged:
            first, last = (int(query[name][0]) for name in ("startrecord", "endrecord"))
        elif asked.method == "POST":
            first, last = 1, BATCH
        else:
            page = int(query["page"][0])
            first, last = (page - 1) * PER_PAGE + 1, page * PER_PAGE
        store = self.store(first, last, page=5) if is_ours else "<datastore><recordset></recordset></datastore>"
        return Response(headers=XML, body=f"<?xml version='1.0' encoding='UTF-8'?>\n{store}".encode())


def portals() -> list[ZooPortal]:
    """Today's version, one that is paged, and an older one: unit encrypted, only years in addresses, days in links."""
    island = _portal(
        "jcms-island",
        Column(
            proxy="/module/web/jpage/dataproxy.jsp",
            columnid="12117",
            unitid="25630",
            list_path="/col/col12117/index.html",
            planted=plant(ARTICLES, lambda n: f"/art/{_slashed(n)}/art_12117_{498200 - n}.html"),
            is_old=False,
        ),
    )
    older = _portal(
        "jcms-older",
        Column(
            proxy="/module/jpage/dataproxy.jsp",
            columnid="b7e1c5a4d2",
            unitid="9f02ee41c7",
            list_path="/col/col6613/index.html",
            planted=plant(ARTICLES, lambda n: f"/col/col6613/art/{day_of(n)[:4]}/art_{7**20 + n:032x}.html"),
            is_old=True,
        ),
    )
    paged = _portal(
        "jcms-paged",
        Column(
            proxy="/module/web/jpage/dataproxy.jsp",
            columnid="87",
            unitid="259",
            list_path="/col/col87/index.html",
            planted=plant(ARTICLES, lambda n: f"/art/{_slashed(n)}/art_87_{498200 - n}.html"),
            is_old=False,
            is_paged=True,
        ),
    )
    return [island, older, paged]


def _slashed(number: int) -> str:
    """Year, month and day without zeros in front: ``2023/5/9``."""
    return "/".join(str(int(part)) for part in day_of(number).split("-"))


def _portal(name: str, column: Column) -> ZooPortal:
    pages = {article.path: Response(headers=HTML, body=_article(article)) for article in column.planted}
    pages[column.list_path] = Response(headers=HTML, body=_list(column).encode())
    site = Site(pages, script=column.answer)
    return ZooPortal(name=name, family="jcms", site=site, lists=(column.list_path,), planted=column.planted)


def _list(column: Column) -> str:
    hot = column.planted[-1]
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="SiteName" content="柳溪县人民政府">
<title>柳溪县人民政府 政务要闻</title>
<script src="/script/0/1810191421594459.js" type="text/javascript"></script></head><body>
<div class="nav"><a href="/">首页</a><a href="/col/col12000/index.html">政务公开</a><a href="/col/col12117/index.html">政务要闻</a></div>
<div class="side"><h3>热点新闻</h3><a href="{hot.path}" title="{hot.title}">{hot.title}</a>
<div id="777"><script type="text/xml"><datastore><recordset><record><![CDATA[<a href="{hot.path}">{hot.title}</a>]]></record></recordset></datastore></script></div></div>
<div class="bt-right"><div id="{column.unitid}" style="width:100%;display:inline-block;"><script type="text/xml">{column.store(1, BATCH, page=1).replace(f"<totalrecord>{len(column.planted)}</totalrecord>", "")}</script></div>
<script type="text/javascript">
jQuery(document).ready(function(){{ $("#{column.unitid}").jpage({{theme:'default', perPage:{PER_PAGE}, barRefresh:true, showMode:'full',
dataBefore:'<ul>',dataAfter:'</ul>',totalRecord:{len(column.planted)},openCookies:0,barPosition:'bottom',titleMsg:'',proxyUrl:'{column.proxy}',
ajaxParam:{{col:1,webid:49,path:'/',columnid:'{column.columnid}',sourceContentType:1,unitid:'{column.unitid}',webname:'柳溪县人民政府',permissiontype:0}}}}); }});
</script></div>
<div class="foot"><a href="https://beian.example/">公安备案</a><a href="http://www.dongling.example/art/2023/5/1/art_1_2.html">东岭县人民政府</a>
<script src="/module/visitcount/articlehits.jsp?colid=12117"></script></div></body></html>"""


def _article(article: Planted) -> bytes:
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>柳溪县人民政府 政务要闻 {article.title}</title>
<meta name="ArticleTitle" content="{article.title}"><meta name="SiteName" content="柳溪县人民政府"><meta name="ColumnName" content="政务要闻">
</head><body><div class="bt-position"><a href="/">首页</a> &gt; <a href="/col/col12117/index.html">政务要闻</a></div>
<p class="bt-article-title">{article.title}</p><div class="bt-article-y"><span>浏览次数：</span><script src="/module/visitcount/articlehits.js"></script></div>
<div class="main-txt"><div id="zoom"><!--ZJEG_RSS.content.begin--><p style="text-indent:2em;">{article.text}</p><!--ZJEG_RSS.content.end--></div></div>
</body></html>""".encode()
