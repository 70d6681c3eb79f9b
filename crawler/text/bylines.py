"""Labelled lines around an article's text: 来源: … 作者: … 责任编辑: …

The words are data (``vocabulary/bylines.toml``). A value that is not there stays None: a wrong author is worse than
none.
"""

import re
from functools import cache
from typing import NamedTuple

from crawler.text.dates import HALF_WIDTH, Dated, find
from crawler.vocabulary import table

MAX_LINE = 300
"""Longer lines are prose (characters)."""
MAX_SOURCE = 80
MAX_NAME = 15
"""A newsroom in the place of a person has at most so many characters."""

_SEPARATOR = r"\s*(?:[:|丨/]|\]\s*:?)\s*"
# The newsroom before its reporter: 青岚县融媒体中心记者:…
_NEWSROOM = r"(?P<newsroom>[\u4e00-\u9fff]{0,12}(?:中心|报|報|网|網|社|台|频道|客户端)(?:记者|記者|通讯员|通訊員))"
_BRACKETS = "[]()【】〔〕〖〗<>"
# Where a value ends although no label follows.
_VALUE_END = re.compile(
    r"\x1f|\s{2,}|[|丨\[\]【】〔〕〖〗<>;；]|\s(?=打印|关闭|收藏|纠错|进入|参与|发表|我要|保存|下载|复制|返回|分享|大\s|A[-+]|收听|朗读)"
)
_KINDS = {"bare": "source", "newsroom": "author"}
"""What a label means that is no word of the vocabulary."""
NAME_SPLIT = re.compile(r"[\s、，,;；/&]+|(?<=[\u4e00-\u9fff])和(?=[\u4e00-\u9fff])")
_HAN_NAME = re.compile(r"[\u4e00-\u9fff]{2,4}|[\u4e00-\u9fff]{1,8}·[\u4e00-\u9fff·]{1,12}")
_ONE_HAN = re.compile(r"[\u4e00-\u9fff]")
_LATIN_NAME = re.compile(r"[A-Z][A-Za-z.'-]+(?: [A-Z][A-Za-z.'-]+){0,3}")
_PLACE_OR_OFFICE = re.compile(
    r"(?:[县縣市区區乡鄉镇鎮村省州局部委办网社报台院校组]|中心|公司|记者|编辑|报道|摄影|供稿|来源)$"
)
_FUNCTION_WORD = re.compile(r"[的了们]|.[于是为被将并]$")
_SENTENCE_END = re.compile(r"[。！？?]")
_UPDATE = re.compile(r"(?:更新|修改)(?:时间|日期|時間)?于?\s*:?\s*\Z")
_TRUNCATED = re.compile(r"(?:\.{2,}|…+)$")


class Byline(NamedTuple):
    """What one line says of its article."""

    published: str | None = None
    is_update: bool = False
    """Whether ``published`` is the day of a change and no other is there."""
    source: str | None = None
    author: str | None = None
    chief_editor: str | None = None
    editor: str | None = None
    labels: int = 0
    """Labels of any kind found."""
    rest: str = ""
    """What no label or date explains."""


@cache
def _labels() -> re.Pattern[str]:
    """One alternation over all labels; the group's name tells the kind."""
    kinds = table("bylines")["labels"]
    return re.compile(
        rf"(?<![A-Za-z\u4e00-\u9fff])(?:{_alternatives(kinds)}|{_NEWSROOM}){_SEPARATOR}|(?P<bare>(?:来源|來源)于\s*)"
    )


@cache
def _bracketed_labels() -> re.Pattern[str]:
    """Labels of editors that a gap parts from names, in brackets of their own: (编辑 苏伟)."""
    kinds = table("bylines")["labels"]
    one = r"[\u4e00-\u9fff·]{2,4}"
    editors = _alternatives({kind: kinds[kind] for kind in ("chief_editor", "editor")})
    return re.compile(rf"(?<=[\[(])\s*(?:{editors})\s+(?={one}(?:[\s、,]+{one}){{0,3}}\s*[\])])")


@cache
def _glued_labels() -> re.Pattern[str]:
    """Labels that need no gap before them, behind the line's first: 来源:青岚日报发布时间:….

    Words of two letters end longer labels of another meaning (活动时间), so few of them count.
    """
    tables = table("bylines")
    kinds = {
        kind: [word for word in words if len(word) >= 4 or word in tables["glued"]["words"]]
        for kind, words in tables["labels"].items()
    }
    return re.compile(rf"(?:{_alternatives({k: words for k, words in kinds.items() if words})})\s*:\s*")


def _alternatives(kinds: dict[str, list[str]]) -> str:
    return "|".join(
        f"(?P<{kind}>{'|'.join(sorted((_spaced(word) for word in words), key=len, reverse=True))})"
        for kind, words in kinds.items()
    )


def _found(text: str) -> list[re.Match[str]]:
    """The labels of a line, in its order."""
    strict = list(_labels().finditer(text))
    if not strict and ("编" in text or "編" in text):
        return list(_bracketed_labels().finditer(text))
    if not strict or text.count(":") <= len(strict):
        return strict
    taken = {label.end() for label in strict}
    glued = [label for label in _glued_labels().finditer(text, strict[0].end()) if label.end() not in taken]
    return sorted([*strict, *glued], key=re.Match.start)


def _spaced(word: str) -> str:
    return r"\s{0,4}".join(map(re.escape, word.replace(" ", "")))


@cache
def _people() -> tuple[re.Pattern[str], frozenset[str], frozenset[str]]:
    """Role words around a name, values that name nobody, and family names.

    Roles of one character (文, 图) count only where a sign or a space parts them from the name: 文静 is a name.
    """
    words = table("bylines")["people"]
    long = "|".join(sorted((re.escape(word) for word in words["roles"] if len(word) > 1), key=len, reverse=True))
    short = "|".join(re.escape(word) for word in words["roles"] if len(word) == 1)
    before = rf"^(?:(?:{long})[:：/\s]*|(?:{short})[:：/\s]+)+"
    around = re.compile(rf"{before}|(?:[/\s]*(?:{long})|[/\s]+(?:{short}))+$")
    surnames = frozenset("".join(words["surnames"].split()))
    return around, frozenset(words["nobody"]), surnames


def read_line(line: str) -> Byline:
    """Read an information line or a credit: date, source and people by their labels.

    Labels stand before a colon or a bar; a value ends at the next label, at a date, at a bracket or a wide gap.
    """
    if len(line) > MAX_LINE:
        return Byline(rest=line)
    text = line.translate(HALF_WIDTH).replace("︱", "|")
    dated, is_update = _dated(text)
    if dated is not None:
        # The date ends the value before it and is none itself.
        text = text[: dated.start] + ";" * (dated.end - dated.start) + text[dated.end :]
    matches = _found(text)
    values: dict[str, str] = {}
    ends = [*(label.start() for label in matches[1:]), len(text)]
    rest = [text[: matches[0].start()] if matches else text]
    for label, end in zip(matches, ends, strict=False):
        kind = _KINDS.get(label.lastgroup or "", label.lastgroup or "")
        value, remainder = _value(line[label.end() : end], text[label.end() : end])
        rest.append(remainder)
        if value:
            former = values.setdefault(kind, value)
            if kind == "author" and former is not value:
                values[kind] = f"{former} {value}"
    giver = values.get("contributor", "")  # a person, or the office that sent it in
    person = names(giver)
    is_signed = person is not None and all(map(is_person, person.split(",")))
    return Byline(
        published=dated.value if dated else None,
        is_update=is_update,
        source=_source(values.get("source", "")) or (None if is_signed else _source(giver)),
        author=names(values.get("author", "")) or (person if is_signed else None),
        chief_editor=names(values.get("chief_editor", "")),
        editor=names(values.get("editor", "")),
        labels=len(matches),
        rest=" ".join("".join(rest).replace(";", " ").split()),
    )


def _dated(text: str) -> tuple[Dated | None, bool]:
    """A line's date, and whether it is the day of a change; a labelled one behind that is the better one."""
    first = find(text)
    if first is None or not _UPDATE.search(text, 0, first.start):
        return first, False
    behind = text[first.end :]
    later = find(behind)
    if later is None or not _labels().search(behind, 0, later.start):
        return first, True
    return Dated(later.value, first.end + later.start, first.end + later.end), False


def _value(raw: str, normal: str) -> tuple[str, str]:
    """Cut a value at its end; *normal* is *raw* with half-width signs, character by character."""
    skip = len(normal) - len(normal.lstrip(" \t\x1f"))
    end = _VALUE_END.search(normal, skip)
    stop = end.start() if end else len(normal)
    if stop == skip and end and normal[skip] in "[【<":  # the value itself stands in brackets
        return "", normal
    value = raw[skip:stop].strip()
    # A bracket that opened before the label closes here.
    if value.endswith((")", "）")) and value.count("(") + value.count("（") < value.count(")") + value.count("）"):
        value = value[:-1].rstrip()
    return value, normal[stop:]


def _source(value: str) -> str | None:
    """A source: its first words, without what a page prints behind it."""
    value = value.strip(" -—·,，、。.")
    if not value or len(value) > MAX_SOURCE:
        return None
    first, *others = value.split()
    if others and _HAN_NAME.search(first):
        value = first
    return None if is_nobody(value) else value


def is_nobody(value: str) -> bool:
    """Tell whether a value only fills its field (无, 未知, admin, 1)."""
    return value.lower() in _people()[1] or value.isdigit()


def is_truncated(value: str) -> bool:
    """Tell whether a value was cut by its template (四川省…)."""
    return bool(_TRUNCATED.search(value))


def names(value: str) -> str | None:
    """Return the names in *value*, joined by ``,``, without role words; None where it names nobody.

    Names of two letters are often spread (苏　伟). What is no person's name (a newsroom) is kept whole.
    """
    if not value:
        return None
    nobody = _people()[1]
    found: list[str] = []
    pieces = [piece for piece in NAME_SPLIT.split(value.strip(" \u3000\xa0:：-—.。")) if piece]
    for piece in joined(pieces):
        name = without_role(piece)
        if (
            name
            and name.lower() not in nobody
            and not name.isdigit()
            and name not in found
            and not piece.startswith("《")
        ):
            found.append(name)
    if any(map(is_person, found)):
        # Beside one sure name, rare family names are names too.
        return ",".join(name for name in found if is_person(name) or _HAN_NAME.fullmatch(name))
    # A newsroom stands alone or with its place; more is a sentence.
    is_newsroom = len(pieces) <= 2 and not _SENTENCE_END.search(value)
    return found[0] if found and len(found[0]) <= MAX_NAME and is_newsroom else None


def joined(pieces: list[str]) -> list[str]:
    """Put names of single characters together: 苏, 伟 → 苏伟."""
    joined: list[str] = []
    waiting = ""
    for piece in pieces:
        if _ONE_HAN.fullmatch(piece):
            waiting += piece
            if len(waiting) == 2:
                joined.append(waiting)
                waiting = ""
            continue
        joined.append(piece)
    return [*joined, *([waiting] if waiting else [])]


def is_person(name: str) -> bool:
    """Tell whether *name* looks like a person's: a family name with one to three characters, dotted, or Latin."""
    if _LATIN_NAME.fullmatch(name):
        return True
    if not _HAN_NAME.fullmatch(name) or _PLACE_OR_OFFICE.search(name):
        return False
    if "·" in name:
        return True
    return name[0] in _people()[2] and _words().isdisjoint((name, name[:2])) and not _FUNCTION_WORD.search(name)


def without_role(piece: str) -> str:
    """*piece* without role words (记者 …, … 供稿) and without an office glued to the name (方敏北京大学教授)."""
    name = _people()[0].sub("", _people()[0].sub("", piece)).strip("()（）:：《》").partition("(")[0].partition("（")[0]
    for length in (2, 3):
        if name[length:].startswith(_offices()) and is_person(name[:length]):
            return name[:length]
    return name


@cache
def _words() -> frozenset[str]:
    """Common words that begin with a family name (毕业, 全国): no person is called so."""
    return frozenset(table("bylines")["people"]["words"].split())


@cache
def _offices() -> tuple[str, ...]:
    return tuple(table("bylines")["people"]["offices"].split())
