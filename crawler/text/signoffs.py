"""Credits inside an article's text: reporters named at its head, sign-offs at its end. They stay in the text."""

import re
from collections.abc import Iterable

from crawler.text.bylines import NAME_SPLIT, is_person, joined, read_line, without_role

DATELINE = 50
"""Characters in which a dateline ends with its reporters' names."""

_NAME = r"(?:[\u4e00-\u9fff·]{2,4}|[\u4e00-\u9fff][ \u3000]{1,2}[\u4e00-\u9fff])"
_NAMES = rf"{_NAME}(?:[\s、，,]+{_NAME}){{0,5}}"

_REPORTER = (
    r"(?:(?:本报|本報|本网|本網|全媒体|融媒体?|见习|实习|特约|首席|通讯|人民网|新华社|中新社)*(?:记者|記者)"
    r"|(?:特约)?(?:通讯员|通訊員)|实习生|實習生)"
)
_NEWSROOM = r"[\u4e00-\u9fff·]{2,12}(?:中心|报|報|网|網|台|社)"
_CREDIT = re.compile(rf"[(（【]\s*(?:{_REPORTER})\s*[:：]?\s*(?P<names>[^()（）【】]{{2,40}})[)）】]")
_DATELINED = re.compile(rf"(?:讯|訊|电|電)\s*[(（]\s*(?P<names>{_NAMES})\s*[)）]")
_REPORTED = re.compile(
    rf"(?:^|[\s　]){_REPORTER}[:：\s　]*(?P<names>{_NAMES}?(?:[\s、，,]+{_REPORTER}[:：\s]*{_NAMES}?)?)"
    r"(?:报道|報道|日前|采写)"
)
_OPENING = re.compile(rf"^\s*(?:{_NEWSROOM})?{_REPORTER}[:：\s　]+(?P<names>{_NAMES})\s*$")
_WRITTEN = re.compile(
    r"^[【\[(（]?\s*(?:文|文字|图文|文图|图/文|文/图|撰文|执笔|作者)\s*[/|:：︱]\s*(?P<names>[^】\])）。]{2,40})[】\])）]?\s*$"
)
_PICTURES = re.compile(r"[\s,，;；](?:图片?|摄影?|攝影?|供图)\s*[/|:：]")
_ROLE_WORD = r"记者|通讯员|供稿|作者|撰稿|特约通讯员|特约记者|本报记者|实习生|图文|文图|文|图|摄影|摄"
_SIGN_OFF = re.compile(
    rf"[(（]\s*(?P<inner>(?:(?:{_ROLE_WORD})[:：\s/、]*){{0,3}}{_NAMES}"
    r"(?:\s*(?:文/图|文图|图/文|摄|供稿|报道|撰稿))?)\s*[)）]\s*。?\s*$"
)
_LABELLED_SIGN_OFF = re.compile(
    r"[(（]\s*(?:本文)?(?:作者|撰稿人?|执笔|供稿人?)\s*[:：]\s*(?P<names>[^()（）]{2,40})[)）]\s*$"
)
_TAIL = re.compile(
    rf"(?:^|[\s。！？.!?”])(?:{_NEWSROOM}(?=[记記]))?"
    r"(?P<inner>(?:[\u4e00-\u9fff]{2,3}\s+)?(?:本报)?(?:记者|記者)\s+[\u4e00-\u9fff]{2,4}"
    r"(?:\s+(?:通讯员|实习生|特约记者|記者|记者)\s+[\u4e00-\u9fff]{2,4})*)\s*$"
)
# 文 and 图 also end names (钟才文): they are roles only where a sign parts them from what precedes.
_ROLE_INSIDE = re.compile(
    rf"\s*(?:文/图|图/文|报道|(?:{_ROLE_WORD})(?<![\u4e00-\u9fff][文图]))(?=[\s:：/、]|$)[\s:：/、]*"
)


def credited(head: Iterable[str]) -> str | None:
    """Return the reporters that the first paragraphs *head* name (新华社巴黎12月9日电（记者唐霁）), or None."""
    for text in head:
        opening = text[:120]
        for pattern in (_OPENING, _WRITTEN, _CREDIT, _REPORTED):
            found = pattern.search(opening)
            people = _persons(found["names"]) if found else None
            if people:
                return people
        found = _DATELINED.search(opening[:DATELINE])
        people = _persons(found["names"], whole=True) if found else None
        if people:
            return people
    return None


def opened(line: str) -> str | None:
    """Return the names of a line that says nothing but who reported (本报记者 石见山, 文/石见山 图/…), or None."""
    found = _OPENING.match(line) or _WRITTEN.match(_PICTURES.split(line, maxsplit=1)[0])
    return _persons(found["names"]) if found else None


def signed(tail: str) -> str | None:
    """Return the names of a sign-off at the end of the last paragraph *tail*, or None.

    （刘薛全）, 王君 记者 黄瑾 实习生 刘富燕, （作者：…）; never （一）, （区）: each needs a family name.
    """
    end = tail[-80:]
    labelled = _LABELLED_SIGN_OFF.search(end)
    if labelled:
        return _leading_name(labelled["names"])
    for pattern in (_SIGN_OFF, _TAIL):
        found = pattern.search(end)
        people = _persons(found["inner"], whole=True) if found else None
        if people:
            return people
    return None


def is_sign_off(line: str) -> bool:
    """Tell whether a whole short line is a credit or a sign-off that belongs to the article."""
    text = line.strip()
    if len(text) > 60:
        return False
    if _OPENING.match(text) or _WRITTEN.match(text):
        return True
    found = _SIGN_OFF.fullmatch(text) or _TAIL.fullmatch(text) or _LABELLED_SIGN_OFF.fullmatch(text)
    if found:
        return True
    read = read_line(text)
    return read.labels > 0 and len(read.rest) < 4 and read.published is None and not (read.chief_editor or read.editor)


def _persons(value: str, *, whole: bool = False) -> str | None:
    """Return only what are persons' names in *value*; with *whole*, None unless everything in it is."""
    pieces = joined([piece for piece in NAME_SPLIT.split(_ROLE_INSIDE.sub(" ", value)) if piece])
    kept = [name for name in map(without_role, pieces) if name]
    people = [name for name in kept if is_person(name)]
    if not people or (whole and len(people) != len(kept)):
        return None
    if is_person(kept[0]):  # beside a sure name, rare family names are names too
        people = [name for name in kept if 2 <= len(name) <= 4 or name in people]
    return ",".join(dict.fromkeys(people))


def _leading_name(value: str) -> str | None:
    """Return the name at the head of *value*, in front of an office."""
    return _persons(re.split(r"[系为，,;；（(]", value, maxsplit=1)[0])
