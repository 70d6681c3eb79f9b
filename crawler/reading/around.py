"""What stands around an article's text: date, source and people; breadcrumb and site code."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from crawler.reading.lines import EDGE, Line
from crawler.text import bylines, dates, signoffs

REACH_ABOVE = 30
"""Lines above the text in which the information line is looked for."""
REACH_BELOW = 12
SIGNED = 5
"""Paragraphs at the end among which a sign-off is looked for: a footer may follow it, but no text."""
LAST = 30
"""Characters of a paragraph that is text."""
MAX_TRAIL = 160
MAX_PLAIN_DATE = 48
"""A line with a date and no label is an information line up to this length."""
MAX_LATIN_DATE = 96
"""The same where it has no ideograph: words take more room."""

HEADLINE = 12
"""So long a link beside a date is a headline of a list (characters)."""

_TODAY = re.compile(r"设为首页|加入收藏|今天是|今日是|现在是|當前時間|当前时间")
_WEEKDAY = re.compile(r"星期[一二三四五六日天]|[週周][一二三四五六日]")
_LEADS_ON = ("于", "至", "到", "自", "从", "截止", " on", " in", " by", " since", " until", "before", "after")
_SENTENCE = re.compile(r"[\u4e00-\u9fff]{2}")
_HAN = re.compile(r"[\u3400-\u9fff]")
_GOES_ON = ("前", "后", "至", "到", "起", "召", "举", "在", "，", "~")
_PUBLISHED = re.compile(
    r"(?:发布|发表|刊发|刊登|發布|發佈|發表)[于於]\s*$"
    r"|\b(?:published|posted|updated|created)(?:\s(?:on|at))?:\s*$|(?:^|[|·•\x1f])\s*(?:published|posted|updated)\son\s*$",
    re.IGNORECASE,
)
"""What leads on to the page's own date although it does not end as a label does."""
_WHEN = re.compile(r"\W*时\s*间\s*[:：]")
_PLACE = re.compile(r"地\s*[点址]\s*[:：]")
_LABELLED = re.compile(r"[^\s\d:：]{1,8}\s?[:：]")
_UNKNOWN_LABEL = re.compile(r"[\u4e00-\u9fffA-Za-z]{2,}\s*[:：]\s*$")
_SITE_CODE = re.compile(r"网站标识码\s*[:：]?\s*((?:bm)?\d{8,10})", re.IGNORECASE)
_CRUMB_LABEL = re.compile(r"(?:位置|[Ll]ocation)[^:：]{0,4}[:：]")
_CRUMB_SPLIT = re.compile(rf"\s*(?:>+|»|›|→|/|-(?=\s)|::|{EDGE})\s*")
_CRUMB_SIGN = re.compile(r"[>»›→/]")
_NO_COLUMN = re.compile(
    r"正文|内容|详情|信息详情|文章内容|首 ?页|网站首页|当前位置.*|您.{0,8}位置.*|返回.*|浏览.*|查看.*|详细.*|\W*"
)


class Facts(NamedTuple):
    """Who, when and where from, as the page shows it."""

    published: str | None = None
    source: str | None = None
    author: str | None = None
    editor: str | None = None


def read(
    above: Sequence[Line],
    head: Sequence[Line],
    tail: Sequence[Line],
    below: Sequence[Line],
    text: tuple[Sequence[Line], Sequence[Line]],
) -> Facts:
    """Read the information lines.

    *above* and *below* are the lines before and after the text's block, *head* and *tail* short lines at its own
    beginning and end. What is nearest to the text wins. *text* are the first and last paragraphs, for signoffs.
    """
    visible = [line for line in above if not line.hidden]
    near = [*head, *below]
    is_hidden = 2 * sum(line.hidden for line in near) > len(near)  # until a script shows the page
    below = [line for line in below if is_hidden or not line.hidden]
    head, tail = _without_events(head), _without_events(tail)
    nearest = [*reversed(_with_next(visible)), *_with_next(head), *_with_next(tail), *_with_next(below)]
    read_lines = [bylines.read_line(marked) for marked, _ in nearest]
    published = _labelled_date(nearest, read_lines) or _plain_date(nearest[: len(visible) + len(head)], read_lines)
    published = published or _stamp(below[:2])
    source = _first(read_lines, "source") or _account([*above, *head])
    editor = _first(read_lines, "chief_editor") or _first(read_lines, "editor")
    author = _first(read_lines, "author") or _reporter(read_lines[: len(visible) + len(head)]) or _credit(*text)
    return Facts(published, source, author, editor)


def _without_events(lines: Sequence[Line]) -> list[Line]:
    """The lines but for an event's time, which stands above its place (时间：…, 地点：…)."""
    below = [*(line.text for line in lines[1:]), ""]
    return [
        line
        for line, following in zip(lines, below, strict=False)
        if not (_WHEN.match(line.text) and _PLACE.search(following))
    ]


def _with_next(lines: Sequence[Line]) -> list[tuple[str, Line]]:
    """Each line's text with its edges; a bare label takes the next line with it, which is no line of its own then.

    But for a line that has a label itself: the value is missing then.
    """
    texts: list[tuple[str, Line]] = []
    waiting = ""
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else None
        marked = line.marked
        is_label = not waiting and len(marked) <= 8 and marked[-1] in ":："
        if is_label and following and len(following.text) <= 40 and not _LABELLED.match(following.text):
            waiting = marked
        else:
            texts.append((f"{waiting}{marked}", line))
            waiting = ""
    return texts


def _labelled_date(nearest: Sequence[tuple[str, Line]], found: Sequence[bylines.Byline]) -> str | None:
    """The date of the nearest line that has labels and little else; the day of a change only where no other is."""
    stamped = [
        line
        for (marked, _), line in zip(nearest, found, strict=True)
        if line.published and line.labels and _is_stamp(marked) and len(line.rest) <= MAX_PLAIN_DATE
    ]
    return next((line.published for line in sorted(stamped, key=lambda line: line.is_update)), None)


def _plain_date(nearest: Sequence[tuple[str, Line]], found: Sequence[bylines.Byline]) -> str | None:
    """The date of the nearest short line without labels."""
    for (marked, line), byline in zip(nearest, found, strict=False):
        if byline.published and not _is_item(marked, line) and _is_short(line.text) and _is_stamp(marked):
            dated = dates.find(marked)
            # 2007年6月29日第十届…通过 speaks of a day; a stamp stands alone or before a sign.
            if dated is None or not _SENTENCE.match(marked, dated.end) or bylines.read_line(marked).labels:
                return byline.published
    return None


def _stamp(below: Sequence[Line]) -> str | None:
    """The date and hour that stand by themselves right below the text; below a link they are its."""
    for line in below:
        dated = dates.find(line.text)
        if line.is_link:
            return None
        if dated and len(dated.value) > len("2014-06-03") and dated.end - dated.start >= len(line.text) - 2:
            return dated.value
    return None


def _is_item(marked: str, line: Line) -> bool:
    """Tell whether a dated line is of a list; some templates link the page's own date."""
    dated = dates.find(marked)
    if dated is None:
        return line.is_link
    rest = len(line.text) - line.linked - (dated.end - dated.start)
    is_item = line.is_link or (line.linked >= HEADLINE and rest <= HEADLINE // 2)
    return is_item and not _PUBLISHED.search(marked[: dated.start].replace(EDGE, ""))


def _is_short(text: str) -> bool:
    return len(text) <= (MAX_PLAIN_DATE if _HAN.search(text) else MAX_LATIN_DATE)


def _is_stamp(marked: str) -> bool:
    """Tell whether a date is the page's own: not today's, not in a sentence, not behind another label (开始时间：)."""
    dated = dates.find(marked)
    if dated is None or _TODAY.search(marked):
        return False
    before, behind = marked[: dated.start].replace(EDGE, ""), marked[dated.end :].lstrip()
    if _PLACE.search(behind):
        return False
    if behind.startswith(_GOES_ON) and not _is_labelled(behind.lstrip("，")):
        return False
    if _PUBLISHED.search(before):
        return True
    if before.rstrip().endswith(_LEADS_ON):
        return False
    return not _UNKNOWN_LABEL.search(before) or bylines.read_line(before).labels > 0


def _is_labelled(text: str) -> bool:
    read = bylines.read_line(text)
    return read.labels > 0 and not read.rest


def _first(found: Sequence[bylines.Byline], field: str) -> str | None:
    return next((value for value in (getattr(line, field) for line in found) if value), None)


def _account(above: Sequence[Line]) -> str | None:
    """The publishing account that stands without a label (微信, 百家号, 客户端)."""
    for line in reversed(above):
        if line.account and not line.hidden:
            text = line.text
            dated = dates.find(text)
            if dated:
                text = text[: dated.start]
            text = text.strip()
            if 2 <= len(text) <= 30 and not text.startswith("By ") and bylines.read_line(text).labels == 0:
                return text
    return None


def _reporter(found: Sequence[bylines.Byline]) -> str | None:
    """The reporter whom a line names without a colon (本报记者 石见山)."""
    rests = (_WEEKDAY.sub("", line.rest).strip() for line in found)
    return next((names for rest in rests if 4 <= len(rest) <= 40 and (names := signoffs.opened(rest))), None)


def _credit(head: Sequence[Line], tail: Sequence[Line]) -> str | None:
    """Names in the text itself: a sign-off at its end, the reporter of its dateline."""
    texts = [line.text for line in tail or head if line.linked <= 0.5 * len(line.text)]
    for text in reversed(texts[-SIGNED:]):
        signed = signoffs.signed(text)
        if signed:
            return signed
        if len(text) >= LAST and text.endswith("。"):
            break
    return signoffs.credited(line.text for line in head[:4])


def column(tags: Mapping[str, str], above: Sequence[Line], title: str | None) -> str | None:
    """Return the column: the prescribed tag, or the last step of the breadcrumb."""
    tagged = tags.get("columnname")
    if tagged:
        return tagged
    for line in above:
        if len(line.text) <= MAX_TRAIL and (_CRUMB_LABEL.search(line.text) or _is_trail(line)):
            steps = [step.replace(EDGE, "").strip() for step in _CRUMB_SPLIT.split(line.marked)]
            named = [step for step in steps if step and not _NO_COLUMN.fullmatch(step) and step != title]
            named = [step for step in named if not _CRUMB_LABEL.search(step)]
            if len(named) > 1 or (named and _CRUMB_SIGN.search(line.text) and len(steps) > 2):
                return named[-1] if len(named[-1]) <= 30 else None
    return None


def _is_trail(line: Line) -> bool:
    return (
        line.text.startswith(("首页", "首 页", "网站首页")) and bool(_CRUMB_SIGN.search(line.text)) and line.linked > 0
    )


def site_code(lines: Sequence[Line]) -> str | None:
    """Return the site's code from the footer (网站标识码：4210830008), for pages without the tag."""
    for line in reversed(lines):
        if "标识码" in line.text:
            found = _SITE_CODE.search(line.text)
            if found:
                return found[1].lower()
    return None
