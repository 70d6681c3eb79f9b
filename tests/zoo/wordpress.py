"""WordPress: a theme with marks and slugs in Chinese, and an old one without; a page beyond the last is 404."""

from collections.abc import Callable, Sequence
from urllib.parse import quote, unquote

from crawler.demo.site import Site
from tests.support.planting import in_pages, page, plant
from tests.zoo import Planted, ZooPortal, day_of, title_of

PER_PAGE = 8


def portals() -> list[ZooPortal]:
    """One portal a theme."""
    slugs = plant(25, lambda n: f"/{day_of(n).replace('-', '/')}/{quote(title_of(n))}/")
    numbers = plant(20, lambda n: f"/archives/{900 - n}")
    return [
        _portal("wordpress", "/category/news/", slugs, _marked),
        _portal("wordpress-old", "/archives/category/news", numbers, _unmarked),
    ]


def _portal(
    name: str, column: str, planted: Sequence[Planted], draw: Callable[[Sequence[Planted], str, str], str]
) -> ZooPortal:
    pages = {unquote(article.path): page(_article(article)) for article in planted}
    cut_up = dict(in_pages(planted, PER_PAGE))
    for number, items in cut_up.items():
        older = f"{column.rstrip('/')}/page/{number + 1}/" if number < len(cut_up) else ""
        path = column if number == 1 else f"{column.rstrip('/')}/page/{number}/"
        sticky = [planted[5], *items] if number == 1 and planted[5] not in items else items
        pages[path] = page(draw(sticky, column, older))
    return ZooPortal(name=name, family="wordpress", site=Site(pages), lists=(column,), planted=planted)


def _marked(items: Sequence[Planted], column: str, older: str) -> str:
    posts = "".join(
        f'<article id="post-{n}" class="post-{n} post type-post status-publish format-standard hentry category-news">'
        f'<header class="entry-header"><span class="cat-links"><a href="{column}" rel="category tag">新闻</a></span>'
        f'<h2 class="entry-title"><a href="{article.path}" rel="bookmark">{article.title}</a></h2>'
        f'<div class="entry-meta"><a href="{article.path}" rel="bookmark">'
        f'<time class="updated" datetime="2024-02-02T08:00:00+08:00">2024年2月2日</time>'
        f'<time class="entry-date published" datetime="{article.day}T00:30:00+08:00">{article.day}</time></a>'
        f'<span class="author vcard"><a class="url fn n" href="/author/admin/">admin</a></span></div></header>'
        f'<div class="entry-summary"><p>{article.text[:30]}&hellip; <a href="{article.path}" class="more-link">阅读全文</a>'
        f'</p></div><a href="{article.path}#respond">发表评论</a></article>'
        for n, article in enumerate(items)
    )
    pager = f'<div class="nav-previous"><a href="{older}">&larr; 较早文章</a></div>' if older else ""
    return _around(posts, f'<nav class="navigation posts-navigation">{pager}<div class="nav-next"></div></nav>')


def _unmarked(items: Sequence[Planted], column: str, older: str) -> str:
    posts = "".join(
        f'<div class="entry"><h2><a href="{article.path}" title="{article.title}">{article.title}</a></h2>'
        f"<small>{article.day} | 分类：<a href='{column}'>新闻</a></small><p>{article.text[:30]}…</p></div>"
        for article in items
    )
    return _around(posts, f'<div class="page_navi"><a class="next" href="{older}">下一页</a></div>' if older else "")


def _around(posts: str, pager: str) -> str:
    return f"""<!DOCTYPE html><html lang="zh-CN"><head><meta charset="UTF-8"><title>新闻 &#8211; 柳溪在线</title>
<link rel="alternate" type="application/rss+xml" href="/feed/"><meta name="generator" content="WordPress 5.9"></head>
<body class="archive category category-news"><ul class="menu"><li class="menu-item"><a href="/">首页</a></li>
<li class="menu-item"><a href="/about/">关于</a></li><li><a href="http://www.other.example/2023/05/28/zhuanzai/">转载</a></li>
</ul><main>{posts}{pager}</main><aside class="widget"><h3>归档</h3><ul><li><a href="/2023/05/">2023年5月</a></li>
<li><a href="/tag/xinwen/">新闻</a></li><li><a href="/archives/date/2023/05">五月</a></li></ul></aside></body></html>"""


def _article(article: Planted) -> str:
    return f"""<!DOCTYPE html><html lang="zh-CN"><head><meta charset="UTF-8"><title>{article.title} &#8211; 柳溪在线</title></head>
<body class="single single-post"><article class="post type-post hentry"><header class="entry-header">
<h1 class="entry-title">{article.title}</h1></header><div class="entry-content"><p>{article.text}</p></div></article>
</body></html>"""
