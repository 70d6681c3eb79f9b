"""A version is what a reader would call one: 200 changes around an article are none, 200 of one character are.

The pages are of five systems' markup, with what real ones have around the article; each is read by the stages and stored
by the writer on two nights.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from crawler.archive import writer
from crawler.archive.batch import Batch, StoredArticle, StoredCapture
from crawler.archive.connection import open_archive
from crawler.records import Article
from pipelines.chain import read
from tests.support.archive import EXTRACTOR, RUN, begin, capture

CASES = 200


@dataclass(frozen=True, kw_only=True)
class Story:
    """What readers come for."""

    title: str
    paragraphs: tuple[str, ...]
    published: str
    source: str
    editor: str


@dataclass(frozen=True, kw_only=True)
class Around:
    """What stands around it, and changes from day to day."""

    today: str = "今天是2024年1月2日 星期二"
    weather: str = "晴 -3℃～8℃"
    clicks: str = "1024"
    menu: tuple[str, ...] = ("首页", "新闻中心", "政务公开", "办事服务", "互动交流")
    advertisement: str = '<a href="/ad/1"><img src="/images/ad1.jpg" width="980" alt=""></a>'
    related: tuple[str, ...] = ("我县召开年度经济工作会议", "县领导检查安全生产工作", "全县春耕备耕工作有序推进")
    hot: tuple[str, ...] = ("关于春节放假的通知", "凌阳县招聘公告", "县城公交线路调整")
    neighbours: tuple[str, str] = ("县图书馆新馆开放", "冬小麦长势良好")
    footer: str = "版权所有 2024 凌阳县人民政府　您是第88231位访客"
    build: str = "v=20240102"
    comment: str = "served by node 3"
    indent: str = "\n"
    gap: str = ""
    attributes: str = ""
    encoding: str = "utf-8"


# The markup of five systems.


def paragraphs(story: Story, around: Around) -> str:
    return around.indent.join(f"<p{around.attributes}>{around.gap}{text}{around.gap}</p>" for text in story.paragraphs)


def links(titles: tuple[str, ...], *, behind: str = "") -> str:
    return "".join(f'<li><a href="/xw/{n}.html" title="{t}">{t}</a>{behind}</li>' for n, t in enumerate(titles))


def head(story: Story, around: Around, *, meta: str = "") -> str:
    charset = "gb2312" if around.encoding == "gb18030" else around.encoding
    return (
        f'<!DOCTYPE html><html><head><meta charset="{charset}">{meta}<title>{story.title}_凌阳县人民政府</title>'
        f'<script src="/js/main.js?{around.build}"></script><link rel="stylesheet" href="/css/a.css?{around.build}"></head>'
        f"{around.indent}<body{around.attributes}><!-- {around.comment} -->{around.indent}"
        f'<div class="top">{around.today} {around.weather}</div><ul class="nav">{links(around.menu)}</ul>'
        f"{around.advertisement}"
    )


def foot(around: Around) -> str:
    return (
        f'<div class="related"><h3>相关新闻</h3><ul>{links(around.related, behind="<span>2023-12-29</span>")}</ul></div>'
        f'<div class="hot"><h3>热点排行</h3><ul>{links(around.hot)}</ul></div>{around.indent}'
        f'<div class="footer">{around.footer}</div></body></html>'
    )


def trs(story: Story, around: Around) -> str:
    said = {
        "ArticleTitle": story.title,
        "PubDate": story.published,
        "ContentSource": story.source,
        "SiteName": "凌阳县人民政府",
    }
    meta = "".join(f'<meta name="{name}" content="{value}">' for name, value in said.items())
    return (
        f"{head(story, around, meta=meta)}<h1>{story.title}</h1><div class='info'>发布时间：{story.published}　"
        f"来源：{story.source}　点击数：<span id='hits'>{around.clicks}</span></div>"
        f"<div class='TRS_Editor'>{paragraphs(story, around)}</div><p class='editor'>责任编辑：{story.editor}</p>{foot(around)}"
    )


def vsb(story: Story, around: Around) -> str:
    before, after = around.neighbours
    return (
        f"{head(story, around)}<form name='_newscontent_fromname'><div><h1>{story.title}</h1><div>{story.published}　"
        f"来源：{story.source}　责任编辑：{story.editor}　浏览：<span>{around.clicks}</span>次</div>"
        f"<div id='vsb_content'><div class='v_news_content'>{paragraphs(story, around)}</div></div>"
        f"<p>上一条：<a href='1.htm'>{before}</a></p><p>下一条：<a href='2.htm'>{after}</a></p></div></form>{foot(around)}"
    )


def jcms(story: Story, around: Around) -> str:
    return (
        f"{head(story, around)}<div class='main'><table width='900'><tr><td class='title'>{story.title}</td></tr>"
        f"<tr><td>发布日期：{story.published}　来源：{story.source}　浏览次数：{around.clicks}　字体：[ 大 中 小 ]</td></tr>"
        f"<tr><td><div id='zoom'>{paragraphs(story, around)}</div></td></tr><tr><td>责任编辑：{story.editor}</td></tr>"
        f"</table></div>{foot(around)}"
    )


def table(story: Story, around: Around) -> str:
    lines = around.indent.join(f"{around.gap}　　{text}<br>" for text in story.paragraphs)
    before, after = around.neighbours
    return (
        f"{head(story, around)}<table><tr><td align='center'><b>{story.title}</b></td></tr>"
        f"<tr><td align='center'>文章来源：{story.source}　点击数：{around.clicks}　更新时间：{story.published}　责任编辑：{story.editor}"
        f"</td></tr><tr><td id='fontzoom'{around.attributes}>{lines}</td></tr></table>"
        f"<li>上一篇文章：<a href='1.html'>{before}</a></li><li>下一篇文章：<a href='2.html'>{after}</a></li>{foot(around)}"
    )


def dedecms(story: Story, around: Around) -> str:
    before, after = around.neighbours
    return (
        f"{head(story, around)}<div class='viewbox'><div class='title'><h2>{story.title}</h2></div>"
        f"<div class='info'><small>时间:</small>{story.published}<small>来源:</small>{story.source}"
        f"<small>责任编辑:</small>{story.editor}<small>点击:</small>{around.clicks}次</div>"
        f"<div class='content'>{around.advertisement}{paragraphs(story, around)}</div><div class='context'><ul>"
        f"<li>上一篇：<a href='1.html'>{before}</a></li><li>下一篇：<a href='2.html'>{after}</a></li></ul></div></div>"
        f"{foot(around)}"
    )


Markup = Callable[[Story, Around], str]
MARKUPS: tuple[Markup, ...] = (trs, vsb, jcms, table, dedecms)

# What is told, and what changes.

DEEDS = (
    "走访慰问困难群众 检查春耕备耕情况 调研道路建设项目 召开脱贫攻坚推进会 开展职业技能培训 修缮老旧灌溉水渠".split()
)
PLACES = "柳溪 安平 石桥 青坪 东岭 南湾 北塬 西河".split()
AROUND = Around()


def story(number: int) -> Story:
    chance = random.Random(number)
    told = tuple(
        f"{chance.randint(1, 28)}日，{chance.choice(PLACES)}镇{chance.choice(DEEDS)}，惠及群众{chance.randint(30, 900)}户。"
        f"县里有关负责人在{chance.choice(PLACES)}村说：“这项工作要在{chance.randint(2, 12)}月底前完成，不能拖。”"
        f"群众代表{chance.randint(1, 99)}号对此表示满意。"
        for _ in range(chance.randint(3, 6))
    )
    return Story(
        title=f"{chance.choice(PLACES)}镇{chance.choice(DEEDS)}",
        paragraphs=told,
        published=f"2024-01-{chance.randint(1, 28):02} {chance.randint(8, 17):02}:{chance.randint(0, 59):02}",
        source="凌阳县融媒体中心",
        editor=chance.choice(("李卫民", "王建国", "赵晓霞")),
    )


CHANGES: dict[str, Callable[[Around, random.Random], Around]] = {
    "the day": lambda a, c: replace(a, today=f"今天是2024年{c.randint(2, 12)}月{c.randint(1, 28)}日 星期五"),
    "the weather": lambda a, c: replace(a, weather=f"多云 {c.randint(0, 9)}℃～{c.randint(10, 30)}℃"),
    "the counter": lambda a, c: replace(a, clicks=str(c.randint(2000, 99999))),
    "an advertisement": lambda a, c: replace(
        a, advertisement=f'<div id="ad"><script>show({c.random()})</script></div>'
    ),
    "no advertisement": lambda a, _: replace(a, advertisement=""),
    "the menu": lambda a, c: replace(a, menu=(*a.menu, f"专题专栏{c.randint(1, 9)}", "数据开放")),
    "related links": lambda a, c: replace(a, related=(f"县委第{c.randint(1, 99)}次学习会召开",) * c.randint(1, 8)),
    "the ranking": lambda a, c: replace(a, hot=tuple(c.sample((*a.hot, "防汛工作部署", "高考成绩公布"), 4))),
    "the neighbours": lambda a, c: replace(a, neighbours=(f"第{c.randint(1, 9)}届运动会开幕", "春运工作启动")),
    "the footer": lambda a, c: replace(
        a, footer=f"版权所有 2025 凌阳县人民政府　您是第{c.randint(90000, 99999)}位访客"
    ),
    "scripts": lambda a, c: replace(a, build=f"v={c.randint(20240103, 20251231)}"),
    "comments": lambda a, c: replace(a, comment=f"served by node {c.randint(4, 40)} in {c.random():.3f} s"),
    "line ends": lambda a, _: replace(a, indent="\r\n\r\n"),
    "indentation": lambda a, _: replace(a, indent="\n\t        ", gap="\n            "),
    "blanks around paragraphs": lambda a, _: replace(a, gap=" &nbsp; "),
    "attributes": lambda a, c: replace(
        a, attributes=f' style="color:#{c.randint(100, 999)}" data-v-{c.randint(1, 99)}=""'
    ),
    "the encoding": lambda a, _: replace(a, encoding="gb18030"),
    "all of it": lambda a, c: replace(
        a,
        today="今日 2025-03-04",
        clicks="7",
        menu=a.menu[:2],
        related=(),
        hot=(),
        footer=f"ICP备{c.randint(1, 9)}号",
        indent="",
    ),
}
"""What a portal changes of a page without changing the article."""


def edited(told: Story, number: int) -> Story:
    """One character changed, put in or taken out, anywhere that a reader reads."""
    chance, where = random.Random(number), number % 10
    if where == 0:
        return replace(told, title=one_character(told.title, chance))
    if where == 1:
        return replace(told, source=told.source[:-1])
    if where == 2:
        return replace(told, editor=told.editor[:-1] + "军")
    if where == 3:
        return replace(told, published=told.published[:-1] + str((int(told.published[-1]) + 1) % 10))
    last = len(told.paragraphs) - 1
    place = {8: 0, 9: last}.get(where, chance.randint(0, last))
    texts = list(told.paragraphs)
    texts[place] = one_character(texts[place], chance, at={8: 0, 9: len(texts[place]) - 1}.get(where))
    return replace(told, paragraphs=tuple(texts))


def one_character(text: str, chance: random.Random, *, at: int | None = None) -> str:
    at = chance.randrange(len(text)) if at is None else at
    way = chance.choice(("changed", "put in", "taken out"))
    new = "" if way == "taken out" else chance.choice("新县1，村".replace(text[at], ""))
    return text[:at] + new + (text[at:] if way == "put in" else text[at + 1 :])


# The trial.


@dataclass(frozen=True)
class Case:
    name: str
    markup: Markup
    nights: tuple[tuple[Story, Around], tuple[Story, Around]]


def template_changes() -> Iterator[Case]:
    names = list(CHANGES)
    for number in range(CASES):
        name, markup = names[number % len(names)], MARKUPS[number // len(names) % len(MARKUPS)]
        around = CHANGES[name](AROUND, random.Random(number))
        yield Case(f"{name} ({markup.__name__})", markup, ((story(number), AROUND), (story(number), around)))


def edits() -> Iterator[Case]:
    for number in range(CASES):
        told, markup = story(number), MARKUPS[number // 10 % len(MARKUPS)]
        yield Case(f"edit {number} ({markup.__name__})", markup, ((told, AROUND), (edited(told, number), AROUND)))


def article_of(case: Case, number: int, night: int) -> Article:
    """The page as the stages read it."""
    told, around = case.nights[night]
    page = case.markup(told, around).encode(around.encoding)
    url = f"https://www.lingyang.example/xw/{number}.html"
    return read(capture(day=night, url=url, payload=f"{number} {night}", body=page))


@pytest.mark.parametrize(("cases", "outcome", "versions"), [(template_changes, "unchanged", 1), (edits, "changed", 2)])
def test_a_template_is_no_version_and_a_character_is_one(
    tmp_path: Path, cases: Callable[[], Iterator[Case]], outcome: str, versions: int
) -> None:
    conn = begin(open_archive(tmp_path / "archive.db"))
    told = list(cases())
    assert len({case.nights for case in told}) == CASES
    outcomes: list[str] = []
    for night in (0, 1):
        articles = [article_of(case, number, night) for number, case in enumerate(told)]
        assert [(a.title, a.source, a.editor) for a in articles] == [
            (s.title, s.source, s.editor) for s, _ in (case.nights[night] for case in told)
        ]
        items = tuple(StoredArticle(article=article, url=article.capture.url) for article in articles)
        captures = tuple(StoredCapture(capture=replace(article.capture, body=b"")) for article in articles)
        written = writer.write(conn, Batch(run_id=RUN, extractor=EXTRACTOR, captures=captures, articles=items))
        outcomes = [each.outcome for each in written]
    assert [case.name for case, came in zip(told, outcomes, strict=True) if came != outcome] == []
    assert conn.execute("SELECT count(*) FROM captures").fetchone() == (2 * CASES,)
    assert conn.execute("SELECT count(*) FROM versions").fetchone() == (versions * CASES,)
    conn.close()
