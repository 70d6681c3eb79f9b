"""Dates as pages print them: in information lines, meta tags, addresses and datelines.

A date is a string as the contract has it: ``YYYY-MM-DD``, or ``YYYY-MM-DDThh:mm:ss+08:00`` where the page gives a time
(China has had one time zone since 1949). A day that no calendar has, or a year outside `YEARS`, is no date.
"""

import re
from datetime import date, time
from typing import NamedTuple

YEARS = range(1990, 2100)
"""Years in which a portal may have published: the web is no older."""

# Full-width digits and separators have a half-width twin each, so that positions stay as they are.
HALF_WIDTH = str.maketrans("０１２３４５６７８９／－．：（）【】［］｜　\xa0﹕∶︰", "0123456789/-.:()[][]|  :::")

_TIME = r"(?P<hour>[01]?\d|2[0-4])\s?[:时時点點]\s?(?P<minute>[0-5]?\d)(?:\s?[:分]\s?(?P<second>[0-5]\d))?"
_BETWEEN = r"(?:\s|T|,|-|\||星期.|[週周][一二三四五六日]|\([^()]{1,4}\))*(?P<half>上午|下午|晚上|凌晨|AM|PM)?\s*"
_VISIBLE = re.compile(
    r"(?<![\d.])(?P<year>(?:19|20)\d{2})"
    r"(?:\s?(?:[-/.]|——?|–)\s?(?P<month>\d{1,2})\s?(?:[-/.]|——?|–)\s?(?P<day>\d{1,2})(?![\d.]*\d{4})"
    r"|\s?年\s?(?P<month2>\d{1,2})\s?月\s?(?P<day2>\d{1,2})\s?[日号號]"
    r"|\s(?P<month3>\d{1,2})\s?/\s?(?P<day3>\d{1,2}))"
    rf"(?:{_BETWEEN}{_TIME})?(?!\d)"
)
_MONTHS = {
    name: number
    for names in (
        "一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月",
        "jan feb mar apr may jun jul aug sep oct nov dec",
    )
    for number, name in enumerate(names.split(), 1)
}
# The date of Chinese blogs: 十一月 6th, 2009.
_BLOG = re.compile(
    r"(?P<month>十[一二]?月|[一二三四五六七八九]月)\s(?P<day>\d{1,2})(?:st|nd|rd|th)?,\s(?P<year>(?:19|20)\d{2})(?!\d)"
)
# English pages name the month: November 20, 2019 · Nov. 20, 2019 · 20 November 2019. Their times are in zones of their
# own, so the day is all that is taken.
_ENGLISH_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_ENGLISH_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_ENGLISH_YEAR = r"(?P<year>(?:19|20)\d{2})(?!\d)"
_ENGLISH = tuple(
    re.compile(rf"(?<![a-z\d]){order}", re.IGNORECASE)
    for order in (
        rf"{_ENGLISH_MONTH}\s{_ENGLISH_DAY},?\s{_ENGLISH_YEAR}",
        rf"{_ENGLISH_DAY}\s{_ENGLISH_MONTH},?\s{_ENGLISH_YEAR}",
        # Java's own print, which templates leave as it is: Tue Jun 03 07:27:00 CST 2014
        rf"{_ENGLISH_MONTH}\s{_ENGLISH_DAY}\s[\d:]{{8}}\s[A-Z]{{3}}\s{_ENGLISH_YEAR}",
    )
)
# A notice's date in words: 二〇一四年六月三日, with every zero that is typed for 〇.
_ZERO = "〇零○Ｏ０O0"
_IN_HAN = re.compile(
    rf"(?P<year>[一二][九{_ZERO}][一二三四五六七八九{_ZERO}]{{2}})年(?P<month>十[一二]?|[一二三四五六七八九])月"
    r"(?P<day>[二三]?十[一二三四五六七八九]?|[一二三四五六七八九])[日号號]"
)
_FIGURES = str.maketrans("一二三四五六七八九" + _ZERO, "123456789" + "0" * len(_ZERO))
_IN_URL = re.compile(
    r"/(?:t|c)?(?P<year>(?:19|20)\d{2})(?:[-/_]?)(?P<month>0[1-9]|1[0-2]|[1-9](?=[-/_]))(?:[-/_]?)"
    r"(?P<day>0[1-9]|[12]\d|3[01]|[1-9](?=[-/_]))(?=[-/_.]|\Z)"
)
_TRS_URL = re.compile(r"/t(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})_\d+")
_YEAR_IN_URL = re.compile(r"/((?:19|20)\d{2})(?:0[1-9]|1[0-2])?(?=[-/_])")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})年")
# Most lines have the century of no year and are spared the rest.
_ANY_YEAR = re.compile(rf"[12１２][90９０]|[一二][九{_ZERO}]")
_DATELINE = re.compile(r"(?P<month>\d{1,2})月(?P<day>\d{1,2})日(?:讯|訊|电|電|消息)")


class Dated(NamedTuple):
    """A date found in a text: its value, and the half-open span that it takes there."""

    value: str
    start: int
    end: int


def find(text: str) -> Dated | None:
    """Return the first full date in *text*, with its time where one follows.

    It is the day that readers see: a zone behind a time moves nothing (`timestamps.read` does that).
    """
    if not _ANY_YEAR.search(text):
        return None
    for found in _VISIBLE.finditer(text.translate(HALF_WIDTH)):
        value = _value(found)
        if value is not None:
            return Dated(value, found.start(), found.end())
    return _in_words(text)


def _in_words(text: str) -> Dated | None:
    """Return the first date whose month is a word."""
    for pattern in (_BLOG, *_ENGLISH):
        found = pattern.search(text)
        day = _day(found["year"], str(_MONTHS[found["month"][:3].lower()]), found["day"]) if found else None
        if found and day:
            return Dated(day, found.start(), found.end())
    return _in_han(text)


def _in_han(text: str) -> Dated | None:
    """Return the first date whose numbers are ideographs."""
    found = _IN_HAN.search(text)
    day = _day(found["year"].translate(_FIGURES), _number(found["month"]), _number(found["day"])) if found else None
    return Dated(day, found.start(), found.end()) if found and day else None


def _number(numeral: str) -> str:
    """A numeral below a hundred in figures: 二十 → 20, 十二 → 12, 三 → 3."""
    tens, ten, ones = numeral.rpartition("十")
    figures = (tens or "一" * len(ten)) + (ones or "〇")
    return figures.translate(_FIGURES)


def of_url(url: str) -> str | None:
    """Return the day that an address names (``/2024/6/19/``, ``/202404/t20240423_1.html``), or None.

    Portals name the day a page was made, often before it was published: equal in 191 of 257 public pairs.
    """
    found = _TRS_URL.search(url) or _IN_URL.search(url)
    return _day(found["year"], found["month"], found["day"]) if found else None


def of_dateline(text: str, url: str) -> str | None:
    """Return the day of a dateline (黑龍江日報5月20日訊) at the head of *text*, or None.

    Its year comes from the address, or from the text where that names one year only; else the day stays unknown.
    """
    found = _DATELINE.search(text[:60].translate(HALF_WIDTH))
    if found is None:
        return None
    in_url = _YEAR_IN_URL.search(url)
    years = {in_url[1]} if in_url else set(_YEAR.findall(text.translate(HALF_WIDTH)))
    return _day(years.pop(), found["month"], found["day"]) if len(years) == 1 else None


def _value(found: re.Match[str]) -> str | None:
    day = _day(
        found["year"],
        found["month"] or found["month2"] or found["month3"],
        found["day"] or found["day2"] or found["day3"],
    )
    if day is None or found["hour"] is None:
        return day
    hour = int(found["hour"])
    if found["half"] in {"下午", "晚上", "PM"} and hour < 12:
        hour += 12
    moment = time(hour % 24, int(found["minute"]), int(found["second"] or 0))
    return f"{day}T{moment.isoformat()}+08:00"


def _day(year: str, month: str, day: str) -> str | None:
    try:
        made = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return made.isoformat() if made.year in YEARS else None
