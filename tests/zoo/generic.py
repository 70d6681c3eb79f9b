"""A portal whose software nobody knows: a dated list with 下一页."""

from tests.support.crawling import news_site, text_of, title_of
from tests.zoo import Planted, ZooPortal


def portals() -> list[ZooPortal]:
    """One portal of 25 articles on three list pages."""
    planted = [
        Planted(path=f"/news/2021/{100 + n}.html", title=title_of(n), day=f"2021-05-{1 + n % 28:02}", text=text_of(n))
        for n in range(25)
    ]
    return [ZooPortal(name="generic", family="generic", site=news_site(25), lists=("/news/",), planted=planted)]
