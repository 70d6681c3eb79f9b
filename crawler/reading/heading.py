"""An article's title: the prescribed tag, the heading above the text that the page's <title> repeats, the <title>."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from lxml import etree

from crawler.reading.lines import Line
from crawler.reading.metatags import plain
from crawler.text import bylines, signoffs
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
    r"|.{0,12}欢迎.{0,20}|.{0,12}(?:登录|注册)|https?://.*)[:：]?",
    re.IGNORECASE,
)


SHORT = 6
"""A shorter line is a button or a column (characters)."""
NEAR = 12
"""Lines above the text among which a title without a mark is looked for."""
_LEVELS = ("h1", "h2", "h3", "h4", "h5", "h6")
_NAMED = re.compile(r"^(?:信 ?息|公 ?文|文 ?件)?(?:名 ?称|标 ?题)\s*[:：]\s*([^\t]{6,200})")
_SITES = re.compile(
    r"(?:人民政府|政府|政务|门户|官方|官)(?:门户)?(?:网站|网)?$|(?:网|网站|门户|官网|频道|委员会|管委会|办公室|信息公开)$"
    r"|^(?:工作|新闻|部门|基层|乡镇|政务|图片|通知|本地|本县|时政|政策|媒体)(?:动态|要闻|新闻|公告|中心|资讯|聚焦|发布|信息|文件)$"
)
_BANNER = re.compile(r"(?:人民政府|门户网站|政府网站?|政务网|信息网|官网)$")
MAX_BANNER = 16
_CRUMB = re.compile(r"位置\s*[:：]|首 ?页\s*[>›»→/-]")
_BUTTON = re.compile(r"[【\[(（〖]*(?:扫一扫|分享|打印|纠错|关闭|微信|即可将|用微信|字体|字号|当前位置|您.{0,4}位置)")
SHORT_REST = 20
"""What an information line says besides (characters)."""


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
    if tagged and len(tagged) <= MAX_TITLE:
        return _whole(tagged, [*above, *inside]) if bylines.is_truncated(tagged) else tagged
    social = tags.get("og:title", "")
    repeated = max(
        _runs([*above, *inside], page_title or ""),
        key=lambda line: (len(_squeezed(line.text)), line.heading, line.titled),
        default=None,
    )
    named = _named([*above[-NEAR:], *inside])
    if repeated and not (named and len(named) > len(repeated.text)):
        return repeated.text
    if named:
        return named
    headings = [line for line in [*above, *inside] if _may_be_title(line)]
    if social:
        for line in headings:
            if _squeezed(line.text) == _squeezed(social):
                return line.text
    whole = without_site(page_title or social) if page_title or social else None
    marked = _marked(above, inside)
    if marked:
        return marked
    return whole if whole and not _is_sites(whole) else _headline(above, inside) or whole


def _whole(truncated: str, lines: Sequence[Line]) -> str:
    """The line that begins as a title that its template cut; the title as it is where there is none."""
    stem = _squeezed(truncated).rstrip(".…")
    begun = (line.text for line in lines if len(stem) >= SHORT and _squeezed(line.text).startswith(stem))
    return next((text for text in begun if len(text) <= MAX_TITLE), truncated)


def _named(lines: Sequence[Line]) -> str | None:
    """The title that an index table names (信息名称：…)."""
    found = next((found for line in lines if (found := _NAMED.match(line.text))), None)
    return found[1].strip() if found else None


def _marked(above: Sequence[Line], inside: Sequence[Line]) -> str | None:
    """The heading, or the line named as a title, next to the text: above it, else at its own beginning.

    A heading that is a link counts where there is no other.
    """
    usable = [line for line in [*reversed(above), *inside] if (line.heading or line.titled) and not line.hidden]
    usable = [line for line in usable if len(line.text) >= SHORT and _may_be_title(line) and not _is_banner(line.text)]
    for rank in (3, 2, 1):
        for index, line in enumerate(usable):
            informs = bylines.read_line(line.text).labels and _undated(line.text) == line.text
            if _rank(line) == rank and not informs:
                upper = usable[index + 1] if index + 1 < len(usable) else line
                # A subtitle is set as the next lower heading.
                is_subtitle = line.tag in _LEVELS and upper.tag in _LEVELS and upper.tag < line.tag
                is_subtitle = is_subtitle and not _is_sites(upper.text)
                return _undated(upper.text if is_subtitle and _are_neighbours(above, upper, line) else line.text)
    return None


def _rank(line: Line) -> int:
    """A heading before what is only named like one, and both before a heading that leads elsewhere."""
    if line.is_link:
        return 1 if line.heading else 0
    return 3 if line.heading else 2


def _is_banner(text: str) -> bool:
    """Tell whether a heading is the site's name."""
    return len(text) <= MAX_BANNER and _BANNER.search(text) is not None


def _are_neighbours(lines: Sequence[Line], upper: Line, lower: Line) -> bool:
    return any(first is upper and second is lower for first, second in pairwise(lines))


def _headline(above: Sequence[Line], inside: Sequence[Line]) -> str | None:
    """The line above the information line, on pages that mark no heading."""
    near = [*above[-NEAR:], *inside[:SHORT]]
    informs = [index for index, line in enumerate(near) if not line.hidden and _is_information(line.text)]
    for line in reversed(near[: informs[-1]] if informs else above[-NEAR:]):
        is_plain = not (line.hidden or line.furniture or line.linked > 0.5 * len(line.text))
        if is_plain and len(line.text) >= SHORT and _may_be_title(line) and not bylines.read_line(line.text).labels:
            return None if _is_sites(line.text) else line.text
    return None


def _is_information(text: str) -> bool:
    read = bylines.read_line(text)
    return (read.published is not None or read.source is not None) and len(read.rest) <= SHORT_REST


def _is_sites(title: str, least: int = SHORT) -> bool:
    """Tell whether a <title> names the site or its column and no article."""
    return len(_squeezed(title)) < least or bool(_NO_TITLE.fullmatch(title) or _SITES.search(title.strip(" -_|()（）")))


def _undated(text: str) -> str:
    """A heading without the date and the labels that some templates put behind it."""
    dated = find(text)
    if dated is None or dated.start < SHORT:
        return text
    kept = text[: dated.start].rstrip(" \u3000(（[【-—|")
    behind = text[dated.end :].strip(" )）]】")
    return kept if not behind or bylines.read_line(behind).labels else text


def _may_be_title(line: Line) -> bool:
    text = line.text
    if not 2 <= len(text) <= MAX_TITLE or _NO_TITLE.fullmatch(text) or _BUTTON.match(text) or _CRUMB.search(text):
        return False
    return not _is_dated(text) and signoffs.opened(text) is None


def _is_dated(text: str) -> bool:
    found = find(text)
    return found is not None and found.end - found.start > 0.4 * len(text)


def _runs(lines: Sequence[Line], page_title: str) -> Iterator[Line]:
    """Lines that the page's title repeats; where one is broken into lines, the longest run that it repeats as a whole.

    A line that the page's title holds in the middle of its words is a column's name in a site's: 项目建设 in
    青岚县项目建设办公室.
    """
    wanted = _squeezed(page_title)
    for index, line in enumerate(lines):
        squeezed = _squeezed(line.text)
        if squeezed not in wanted or not _may_be_title(line):
            continue
        text = line.text
        for following in lines[index + 1 : index + 4]:
            if _squeezed(text + following.text) not in wanted or not _may_be_title(following):
                break
            text = f"{text} {following.text}"
        if len(_squeezed(text)) >= 4 and _stands_alone(_squeezed(text), wanted) and not _is_sites(text, least=4):
            yield replace(line, text=text)


def _stands_alone(text: str, wanted: str) -> bool:
    if 2 * len(text) >= len(wanted):
        return True
    start = wanted.find(text)
    end = start + len(text)
    return (start == 0 or not wanted[start - 1].isalnum()) and (end == len(wanted) or not wanted[end].isalnum())


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
