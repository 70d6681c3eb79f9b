"""TRS WCM: lists that count from 0 by four kinds of script, ``.html`` and ``.shtml``, pinned articles, stubs."""

from collections.abc import Sequence
from dataclasses import dataclass

from crawler.demo.site import NOT_FOUND, Response, Site
from tests.support.planting import page, plant
from tests.zoo import HTML, Planted, ZooPortal, day_of

LIST = "/xwzx/zwyw/"
TITLE_CHARS = 16
STUB = Response(headers=HTML, body=b'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>\n' + b" " * 240)
"""What some portals answer beyond the last page that they publish: 200, 300 bytes, nothing in it."""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How one portal's templates differ from another's."""

    name: str
    pager: str
    """Script with the number of pages, the page's own number and the number of articles to be filled in."""
    ext: str = "html"
    has_day: bool = True
    """Articles have their day in the address."""
    articles: int = 30
    per_page: int = 8
    pages_more: int = 0
    """Pages that the script counts and that are not there."""
    missing: Response = NOT_FOUND
    pinned_on_every_page: bool = False
    editor: str = '<div class="TRS_Editor"><p>　　{}</p></div>'


CALL = '<script type="text/javascript">createPageHTML({pages}, {current}, "index", "html");</script>'
HUBEI = "<script>//createPageHTML(1,0,'index','html');\ncreatePageHTML({pages},{current},'index','shtml','black2',{rows});</script>"
CHONGQING = '<script language="JavaScript">createPage({pages},{current},"index","html")</script>'
VARIABLE = r"""<script>
var currentPage = {current};//所在页从0开始
var prevPage = currentPage-1//上一页
var nextPage = currentPage+1//下一页
var countPage = {pages}//共多少页
if(countPage>1&&currentPage!=0&&currentPage!=1)
  document.write("<a href=\"index"+"_" + prevPage + "."+"htm\">上一页</a>&nbsp;");
if(countPage>1&&currentPage!=(countPage-1))
  document.write("<a href=\"index"+"_" + nextPage + "."+"htm\">下一页</a>&nbsp;");
</script>"""

DIALECTS = (
    Dialect(name="trs", pager=CALL),
    Dialect(
        name="trs-shtml",
        pager=HUBEI,
        ext="shtml",
        has_day=False,
        pinned_on_every_page=True,
        editor='<div class="view TRS_UEDITOR trs_paper_default trs_web"><p style="text-align: justify;">　　{}</p></div>',
    ),
    Dialect(name="trs-createpage", pager=CHONGQING, articles=24, pages_more=2, missing=STUB),
    Dialect(
        name="trs-countpage",
        pager=VARIABLE,
        ext="htm",
        articles=33,
        per_page=11,
        editor='<div class="trs_editor_view TRS_UEDITOR"><p>　　{}</p></div>',
    ),
)


def portals() -> list[ZooPortal]:
    """One portal a dialect."""
    return [_portal(dialect) for dialect in DIALECTS]


def _portal(dialect: Dialect) -> ZooPortal:
    planted = plant(dialect.articles, lambda n: LIST + _file(dialect, n))
    cut = [planted[start : start + dialect.per_page] for start in range(0, len(planted), dialect.per_page)]
    pages = {article.path: page(_article(dialect, article)) for article in planted}
    for current, articles in enumerate(cut):
        pinned = planted[-3:-2] if current == 0 or dialect.pinned_on_every_page else []
        pager = dialect.pager.replace("{pages}", str(len(cut) + dialect.pages_more))
        pager = pager.replace("{current}", str(current)).replace("{rows}", str(len(planted)))
        name = f"index_{current}.{dialect.ext}" if current else f"index.{dialect.ext}"
        pages[LIST + name] = page(_list(pinned, articles, pager))
    pages[LIST] = pages[f"{LIST}index.{dialect.ext}"]
    site = Site(pages, missing=dialect.missing)
    return ZooPortal(name=dialect.name, family="trs", site=site, lists=(LIST,), planted=planted)


def _file(dialect: Dialect, number: int) -> str:
    day = day_of(number).replace("-", "")
    name = f"t{day}_{4604853 - number}" if dialect.has_day else f"t{18993630 - number}"
    return f"{day[:6]}/{name}.{dialect.ext}"


def _list(pinned: Sequence[Planted], articles: Sequence[Planted], pager: str) -> str:
    items = "\n".join(
        [_item(article, "<em>[置顶]</em>") for article in pinned] + [_item(each, "") for each in articles]
    )
    return f"""<!DOCTYPE html><html lang="zh-CN"><head><meta charset="UTF-8"><title>政务要闻_柳溪县人民政府</title>
<meta name="SiteName" content="柳溪县人民政府"><meta name="ColumnName" content="政务要闻">
<script src="/images/jquery.min.js"></script></head><body>
<div class="nav"><a href="/">首页</a><a href="/xwzx/">新闻中心</a><a href="/zwgk/t27499842.html">政府领导</a>
<a href="https://www.gov.cn/">中国政府网</a></div>
<div class="side"><h3>热点 <a href="../tzgg/">&gt;&gt;</a></h3><ul><li><a href="../tzgg/202304/t20230402_4400001.html">柳溪县城区道路限行的通告</a></li>
<li><a href="../tzgg/202304/t20230401_4400000.html">柳溪县春季义务植树活动公告</a></li></ul></div>
<div class="con"><div class="position">当前位置：<a href="../../" class="CurrChnlCls">首页</a>&nbsp;&gt;&nbsp;<a href="./" class="CurrChnlCls">政务要闻</a></div>
<ul class="list_con">
{items}
<li><a href="https://www.gov.cn/yaowen/liebiao/202305/t20230501_5753651.htm">国务院办公厅发布有关通知</a><span>2023-05-01</span></li>
</ul>
<div class="page">{pager}</div></div>
<div class="foot"><p>主办：柳溪县人民政府办公室</p><a href="/wzdt/">网站地图</a></div></body></html>"""


def _item(article: Planted, mark: str) -> str:
    title = article.title if len(article.title) <= TITLE_CHARS else f"{article.title[:TITLE_CHARS]}..."
    href = article.path.replace(LIST, "./")
    return (
        f'<li>{mark}<a href="{href}" target="_blank" title="{article.title}">{title}</a><span>{article.day}</span></li>'
    )


def _article(dialect: Dialect, article: Planted) -> str:
    return f"""<!DOCTYPE html><html lang="zh-CN"><head><meta charset="UTF-8"><title>{article.title}_政务要闻_柳溪县人民政府</title>
<!-- 网站标签 --><meta name="SiteName" content="柳溪县人民政府"><meta name="SiteIDCode" content="6100000001">
<!-- 内容标签 --><meta name="ArticleTitle" content="{article.title}"><meta name="PubDate" content="{article.day} 09:24">
<meta name="ContentSource" content="柳溪县融媒体中心"><meta name="Url" content="./{article.path.rsplit("/", 1)[1]}"></head><body>
<div class="nav"><a href="/">首页</a><a href="/xwzx/">新闻中心</a></div>
<div class="position">当前位置：<a href="../../../">首页</a>&gt;<a href="../">政务要闻</a></div>
<h2 class="xl_title">{article.title}</h2>
<div class="xl_info"><span>发布时间：{article.day} 09:24</span><span>来源：柳溪县融媒体中心</span></div>
<div class="xl_con">{dialect.editor.format(article.text)}</div>
<div class="xl_btn"><a href="javascript:window.print()">【打印】</a><a href="javascript:window.close()">【关闭】</a></div>
<div class="foot"><p>主办：柳溪县人民政府办公室</p></div></body></html>"""
