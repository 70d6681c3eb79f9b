"""Sites with feeds: RSS 2.0 and 1.0 beside Atom, with the slips that real ones have."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime

from crawler.demo.site import Response, Site
from crawler.text.timestamps import CHINA
from tests.support.planting import page, plant
from tests.zoo import Planted, ZooPortal, article_html

PER_FEED = 10
XML = (("Content-Type", "application/xml"),)


def portals() -> list[ZooPortal]:
    """One site whose three columns have a feed each, of another format and charset."""
    planted = plant(30, lambda n: f"/news/{3000 + n}")
    rss, rdf, atom = (planted[start : start + PER_FEED] for start in range(0, 30, PER_FEED))
    pages = {article.path: page(article_html(article).decode()) for article in planted}
    pages["/rss.xml"] = Response(headers=XML, body=_rss(rss).encode("gb18030"))
    pages["/rdf.php"] = Response(headers=XML, body=_rdf(rdf).encode())
    pages["/atom/"] = Response(headers=XML, body=_atom(atom).encode())
    feeds = ", ".join(f'"{{base}}{path}"' for path in ("/rss.xml", "/rdf.php", "/atom/"))
    return [
        ZooPortal(
            name="feed",
            family="feed",
            site=Site(pages),
            lists=(),
            planted=planted,
            entry=(f"feeds = [{feeds}]",),
            quiet_requests=4,
        )
    ]


def _rss(items: Sequence[Planted]) -> str:
    """In GB2312, times of midnight in China told in GMT (the day before), a bare ampersand, HTML's entities."""
    entries = "".join(
        f"<item><title><![CDATA[{article.title}]]></title><link>{article.path}?from=timeline</link>"
        f"<description>{article.text[:30]}&hellip;&nbsp;A&B</description>"
        f"<guid isPermaLink='false'>{number}@liuxi</guid><pubDate>{_in_gmt(article.day)}</pubDate></item>"
        for number, article in enumerate(items)
    )
    foreign = "<item><title>省里的新闻说了什么</title><link>http://news.shaanxi.example/news/3001</link></item>"
    return (
        f'\n<?xml version="1.0" encoding="gb2312"?><rss version="2.0"><channel><title>柳溪要闻</title><link>/</link>'
        f"<ttl>5</ttl>{foreign}{entries}</channel></rss>"
    )


def _in_gmt(day: str) -> str:
    midnight = datetime.fromisoformat(day).replace(tzinfo=CHINA)
    return format_datetime(midnight.astimezone(UTC), usegmt=True)


def _rdf(items: Sequence[Planted]) -> str:
    entries = "".join(
        f'<item rdf:about="{article.path}"><title>{article.title}</title><link>{article.path}#comments</link>'
        f"<dc:date>{article.day} 10:30:00</dc:date></item>"
        for article in items
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE rdf:RDF SYSTEM "http://www.liuxi.example/rdf.dtd">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="/"><title>部门动态</title><link>/</link></channel>
{entries}</rdf:RDF>"""


def _atom(items: Sequence[Planted]) -> str:
    entries = "".join(
        f'<entry><title type="html">&lt;b&gt;{article.title}&lt;/b&gt;</title><id>tag:liuxi,2023:{number}</id>'
        f'<link rel="edit" href="admin/{number}"/><link rel="alternate" href="{article.path[6:]}"/>'
        f"<updated>2024-01-01T00:00:00Z</updated><published>{article.day}T00:30:00+08:00</published>"
        f'<content type="html">&lt;p&gt;{article.text}&lt;/p&gt;</content></entry>'
        for number, article in enumerate(items)
    )
    return f"""<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="/news/">
<title>乡镇动态</title><link rel="self" href="/atom/"/><updated>2024-01-01T00:00:00Z</updated>{entries}</feed>"""
