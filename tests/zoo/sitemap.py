"""Sites with sitemaps: an index of zipped parts, and a news sitemap."""

import gzip
from collections.abc import Sequence

from crawler.demo.site import Response, Site
from tests.support.planting import in_pages, page, plant
from tests.zoo import Planted, ZooPortal, article_html, day_of

PER_PART = 12
XML = (("Content-Type", "text/xml"),)
NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def portals() -> list[ZooPortal]:
    """One portal a kind."""
    return [indexed(), news()]


def indexed() -> ZooPortal:
    """Three parts, gzipped and labelled as files; a night later only the index is looked at."""
    planted = plant(30, lambda n: f"/xwzx/{day_of(n)[:4]}/{day_of(n)[5:].replace('-', '')}/{5000 + n}.html")
    pages = {article.path: page(article_html(article).decode()) for article in planted}
    parts = []
    for number, items in in_pages(planted, PER_PART):
        name = f"/sitemap-{number}.xml.gz"
        body = gzip.compress(_urlset(items).encode(), mtime=0)
        pages[name] = Response(headers=(("Content-Type", "application/x-gzip"),), body=body)
        parts.append(f"<sitemap><loc>{name}</loc><lastmod>2023-06-0{number}T03:00:00+08:00</lastmod></sitemap>")
    parts.append("<sitemap><loc>http://www.other.example/sitemap.xml</loc></sitemap>")
    index = f'<?xml version="1.0" encoding="UTF-8"?><sitemapindex {NAMESPACE}>{"".join(parts)}</sitemapindex>'
    pages["/sitemap.xml"] = Response(headers=XML, body=index.encode())
    return _portal("sitemap-index", pages, planted, "/sitemap.xml")


def _urlset(items: Sequence[Planted]) -> str:
    others = "".join(f"<url><loc>{path}</loc></url>" for path in ("/", "/xwzx/", "/xwzx/list_2.html", "/a/2023.pdf"))
    entries = "".join(
        f"<url><loc>{article.path}</loc><lastmod>2023-06-01</lastmod><priority>0.5</priority></url>"
        for article in items
    )
    foreign = "<url><loc>http://www.other.example/xwzx/2023/0528/5000.html</loc></url>"
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset {NAMESPACE}>{others}{entries}{foreign}</urlset>'


def news() -> ZooPortal:
    """Titles and days in Google's extension, a picture with a title of its own, addresses without a date."""
    planted = plant(20, lambda n: f"/content/{7000 + n}")
    entries = "".join(
        f"<url><loc>{article.path}</loc><image:image><image:loc>/p.jpg</image:loc><image:title>图</image:title>"
        f"</image:image><news:news><news:publication><news:name>柳溪网</news:name><news:language>zh-cn</news:language>"
        f"</news:publication><news:publication_date>{article.day}T08:00:00+08:00</news:publication_date>"
        f"<news:title>{article.title}</news:title></news:news></url>"
        for article in planted
    )
    urlset = f"""<?xml version="1.0" encoding="UTF-8"?><urlset {NAMESPACE}
 xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">{entries}</urlset>"""
    pages = {article.path: page(article_html(article).decode()) for article in planted}
    pages["/news-sitemap.xml"] = Response(headers=XML, body=urlset.encode())
    return _portal("sitemap-news", pages, planted, "/news-sitemap.xml")


def _portal(name: str, pages: dict[str, Response], planted: Sequence[Planted], path: str) -> ZooPortal:
    entry = (f'sitemaps = ["{{base}}{path}"]',)
    return ZooPortal(name=name, family="sitemap", site=Site(pages), lists=(), planted=planted, entry=entry)
