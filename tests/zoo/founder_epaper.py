"""Digital newspapers: issues of the last days, one day without any, an older issue that only the calendar leads to."""

from collections.abc import Sequence
from datetime import date, timedelta

from crawler.demo.site import Response, Site
from crawler.text import timestamps
from tests.support.planting import in_pages, page
from tests.zoo import Planted, ZooPortal, text_of, title_of

ARTICLES = 8
"""Of an issue."""
PER_PAGE = 3
AGES = (1, 2, 4, 5)
"""Days since each issue; three days ago the paper did not appear, nor yet today."""
FIRST_AGE = 6
OLD_AGE = 9
"""Of the issue before the first one that the catalogue wants."""


def portals() -> list[ZooPortal]:
    """Two papers, which write the day in their addresses in two ways."""
    return [
        _portal("epaper", "/paper/lxrb/html/{:%Y-%m/%d}/node_{}.htm", "/paper/lxrb/html/{:%Y-%m/%d}/content_{}.htm"),
        _portal("epaper-layout", "/pc/layout/{:%Y%m/%d}/node_0{}.html", "/pc/content/{:%Y%m/%d}/content_{}.html"),
    ]


def _portal(name: str, node: str, content: str) -> ZooPortal:
    """*node* and *content*: addresses of a page and of an article, by day and number."""
    pages: dict[str, Response] = {}
    planted: list[Planted] = []
    today = timestamps.today()
    for age in (*AGES, OLD_AGE):
        day = today - timedelta(days=age)
        issue = [_article(day, age * 10 + n, content) for n in range(ARTICLES)]
        planted += issue if age <= FIRST_AGE else []
        cut_up = dict(in_pages(issue, PER_PAGE))
        for number, items in cut_up.items():
            pages[node.format(day, number)] = page(_page(items, node, day, len(cut_up)))
        pages |= {article.path: page(_article_page(article)) for article in issue}
    first = node.format(today - timedelta(days=FIRST_AGE), 1)
    return ZooPortal(
        name=name, family="founder_epaper", site=Site(pages), lists=(first,), planted=planted, quiet_requests=3
    )


def _article(day: date, number: int, content: str) -> Planted:
    path = content.format(day, 70000 + number)
    return Planted(path=path, title=title_of(number), day=day.isoformat(), text=text_of(number))


def _page(items: Sequence[Planted], node: str, day: date, pages: int) -> str:
    areas = "".join(f'<area coords="0,0,9,9" shape="polygon" href="{article.path}">' for article in items)
    headlines = "".join(
        f'<tr><td class="default"><a href="{article.path}"><div style="display:inline" id="mp{n}">{article.title}</div>'
        f"</a></td></tr>"
        for n, article in enumerate(items)
    )
    others = "".join(
        f'<td class="default"><a id="pageLink" href="{node.format(day, n)}">第{n:02}版：要闻</a></td>'
        f'<td><a href="p{n}.pdf">PDF</a></td>'
        for n in range(1, pages + 1)
    )
    calendar = "".join(
        f'<td><a href="{node.format(day - timedelta(days=back), 1)}">{back}</a></td>' for back in range(-2, 12)
    )
    return f"""<html><head><meta charset="utf-8"><title>柳溪日报</title></head><body>
<div class="nav"><a href="{node.format(day - timedelta(days=1), 1)}">上一期</a>
<a href="http://www.liuxi.example/html/{day:%Y-%m/%d}/content_1.htm">柳溪网</a></div>
<map name="PagePicMap">{areas}</map><table id="bmdhTable"><tr>{others}</tr></table>
<table id="main-ed-articlenav-list">{headlines}</table>
<table class="calendar"><tr>{calendar}</tr></table></body></html>"""


def _article_page(article: Planted) -> str:
    return f"""<html><head><meta charset="utf-8"><title>{article.title}</title></head><body>
<!--enpproperty <articleid>{article.path[-9:-4]}</articleid><date>{article.day} 00:00:00:0</date><author></author>
<title>{article.title}</title><subtitle></subtitle><nodename>要闻</nodename>/enpproperty-->
<table><tr><td class="font01"><founder-title><p>{article.title}</p></founder-title></td></tr></table>
<div id="ozoom"><founder-content><!--enpcontent--><p>　　{article.text}</p><!--/enpcontent--></founder-content></div>
</body></html>"""
