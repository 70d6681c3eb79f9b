"""The zoo: one sample portal for each CMS family, in its markup, with what was planted in it.

A family's module (``tests/zoo/FAMILY.py``) has a function ``portals() -> list[ZooPortal]``; a spider without one fails
the suite.
"""

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass

from crawler.demo.site import Site


@dataclass(frozen=True, kw_only=True)
class Planted:
    """An article that a crawl must find, once."""

    path: str
    """Of its page, as the archive names it (canonical, without scheme and host)."""
    title: str
    """As its list page has it, whole."""
    day: str
    """As its list page has it, YYYY-MM-DD."""
    text: str
    """Its only paragraph, or its first one."""


@dataclass(frozen=True, kw_only=True)
class ZooPortal:
    """A portal as its software would serve it."""

    name: str
    """Of the dialect: ``trs-shtml``."""
    family: str
    site: Site
    lists: tuple[str, ...]
    """Paths of the first list pages."""
    planted: Sequence[Planted]
    entry: tuple[str, ...] = ()
    """Further lines of its catalogue entry."""
    new: Planted | None = None
    """An article that ``renew`` adds for the second night."""
    quiet_requests: int = 2
    """Requests of a night on which nothing changed: robots.txt and the first list pages."""


def portals() -> list[ZooPortal]:
    """Every sample portal, by family."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [portal for name in names for portal in importlib.import_module(f"{__name__}.{name}").portals()]


HTML = (("Content-Type", "text/html; charset=utf-8"),)


def article_html(article: Planted) -> bytes:
    """A plain page of *article*, without a date: so the archive must have the list's."""
    return (
        f'<html><head><meta charset="utf-8"><title>{article.title}</title></head><body><h1>{article.title}</h1>'
        f'<div class="content"><p>{article.text}</p></div></body></html>'
    ).encode()


def title_of(number: int) -> str:
    """A headline of our own, different for each article."""
    places = "柳溪 安平 石桥 青坪 东岭 南湾 北塬 西河 双井 大营".split()
    deeds = "修通通村公路 建成标准化卫生室 举办农民技能培训班 启动水渠清淤工程 发放良种补贴 完成危房改造".split()
    return f"{places[number % 10]}镇{deeds[number % 6]}惠及{200 + number}户群众"


def text_of(number: int) -> str:
    """A paragraph of our own, different for each article."""
    return (
        f"记者从县里获悉，{title_of(number)}的工作已于日前完成。这项工程总投资{number + 30}万元，历时{number % 9 + 2}个月，"
        f"由县直部门与镇村干部共同推进，沿线{number + 3}个村民小组的群众从中受益，大家对工程质量表示满意。"
    )


def day_of(number: int) -> str:
    """Newest first: number 0 is the newest."""
    return f"{2023 - number // 28}-05-{28 - number % 28:02}"
