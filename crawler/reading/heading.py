"""An article's title: the prescribed tag, the heading above the text that the page's <title> repeats, the <title>."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lxml import etree

from crawler.reading.lines import Line
from crawler.reading.metatags import plain
from crawler.text.dates import find

MAX_TITLE = 200
"""A longer line is no title (characters)."""

_SQUEEZED = re.compile(r"[\s\u200b\ufeff]+")
_PARTS = re.compile(
    r"\s*(?:_|\||｜|丨|»|>|--+)\s*|\s+[-–—]\s*|\s*[-–—]\s+|(?<=[\u4e00-\u9fff”》）!?！？])[-–—―](?=[\u4e00-\u9fff])"
)
_SITE_WORDS = re.compile(
    r"(?:网|網|网站|门户|政府|频道|頻道|新闻|新聞|中心|首页|动态|要闻|资讯|报|委员会|局|厅|办公室|正文|详情|公告|在线|平台)"
    r"(?:网|网站|-.*)?$|\.(?:com|cn|net|org)"
)
_NO_TITLE = re.compile(
    r"(?:首页|网站首页|正文|详情|信息详情|内容详情|文章内容|详细内容|新闻详情|内容|无标题文档|untitled.*|相关.{0,6}|当前位置.*"
    r"|.{0,12}欢迎.{0,20})[:：]?",
    re.IGNORECASE,
)


def of_page(root: etree._Element) -> str | None:
    """The page's <title> as it stands."""
    element = root.find(".//title")
    if element is None:
        return None
    return plain("".join(element.itertext())) or None


def choose(
    tags: Mapping[str, str], page_title: str | None, above: Sequence[Line], inside: Sequence[Line]
) -> str | None:
    """Return the article's title.

    *above* are the lines before the text, top first; *inside* the first lines of its own block.
    """
    tagged = tags.get("articletitle")
    if tagged and tagged != tags.get("sitename") and len(tagged) <= MAX_TITLE:
        return tagged
    wanted = _squeezed(page_title or "")
    social = tags.get("og:title", "")
    headings = [line for line in [*above, *inside] if _may_be_title(line)]
    if wanted:
        repeated = [run for run in _runs([*above, *inside], wanted) if len(_squeezed(run.text)) >= 4]
        if repeated:
            return max(repeated, key=lambda line: (len(_squeezed(line.text)), line.heading, line.titled)).text
    if social:
        for line in headings:
            if _squeezed(line.text) == _squeezed(social):
                return line.text
    marked = [line for line in headings if (line.heading or line.titled) and not line.is_link and len(line.text) >= 6]
    if marked:
        return max(enumerate(marked), key=lambda pair: (pair[1].heading, pair[0]))[1].text
    return without_site(page_title or social) if page_title or social else None


def _may_be_title(line: Line) -> bool:
    text = line.text
    return 2 <= len(text) <= MAX_TITLE and not _NO_TITLE.fullmatch(text) and not _is_dated(text)


def _is_dated(text: str) -> bool:
    found = find(text)
    return found is not None and found.end - found.start > 0.4 * len(text)


def _runs(lines: Sequence[Line], wanted: str) -> Iterator[Line]:
    """Lines that *wanted* repeats; where a title is broken into lines, the longest run that it repeats as a whole."""
    for index, line in enumerate(lines):
        if not _may_be_title(line) or _squeezed(line.text) not in wanted:
            continue
        text = line.text
        for following in lines[index + 1 : index + 4]:
            if _squeezed(text + following.text) not in wanted or not _may_be_title(following):
                break
            text = f"{text} {following.text}"
        yield replace(line, text=text)


def without_site(title: str) -> str:
    """Cut column and site off a <title>: 标题_要闻_某某县人民政府 → 标题."""
    parts = [part for part in _PARTS.split(title) if part]
    kept = list(parts)
    while len(kept) > 1 and (len(kept) > 2 or _SITE_WORDS.search(kept[-1]) or len(kept[0]) >= 2 * len(kept[-1])):
        kept.pop()
    if len(kept) == len(parts) or not kept:
        return title
    end = title.find(kept[-1]) + len(kept[-1])
    return title[:end].strip()


def _squeezed(text: str) -> str:
    return _SQUEEZED.sub("", text)
