"""A portal whose software nobody knows: a dated list with 下一页."""

from crawler.demo.site import Response, Site
from tests.zoo import HTML, Planted, ZooPortal, article_html, day_of, text_of, title_of

PER_PAGE = 10


def portals() -> list[ZooPortal]:
    """One portal of 25 articles on three list pages."""
    planted = [
        Planted(path=f"/news/2021/{100 + n}.html", title=title_of(n), day=day_of(n), text=text_of(n)) for n in range(25)
    ]
    pages = {article.path: Response(headers=HTML, body=article_html(article)) for article in planted}
    for page, start in enumerate(range(0, len(planted), PER_PAGE), 1):
        items = "".join(
            f'<li><a href="{article.path}">{article.title}</a><span>{article.day}</span></li>'
            for article in planted[start : start + PER_PAGE]
        )
        following = f'<a href="/news/list_{page + 1}.html">下一页</a>' if start + PER_PAGE < len(planted) else ""
        path = "/news/" if page == 1 else f"/news/list_{page}.html"
        pages[path] = Response(headers=HTML, body=f"<html><body><ul>{items}</ul>{following}</body></html>".encode())
    return [ZooPortal(name="generic", family="generic", site=Site(pages), lists=("/news/",), planted=planted)]
