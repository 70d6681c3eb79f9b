"""What addresses say without being asked: article or not, which day, which pattern they follow."""

import re
from urllib.parse import parse_qsl, urlsplit

ARTICLE_PATH = re.compile(
    r"""(?:^|[/_=-])(?:
        t?(?:19|20)\d{2}[-/_]?\d{1,2}[-/_]?\d{0,2}   # a date
      | \w*[0-9a-f]{32}                              # a hash
      | [0-9a-f]{8}-[0-9a-f-]{27}                    # a uuid
      | [a-z_]*\d{2,}                                # a number
    )[\w-]*(?:\.\w{2,6})?/?$""",
    re.IGNORECASE | re.VERBOSE,
)
ARTICLE_QUERY = re.compile(r"(?:id|aid|newsid|articleid)=\d+", re.IGNORECASE)
LIST_NAME = re.compile(
    r"(?:^|/)(?:index|list|default|node|channel|col|more|search|tag|page)[\w-]*(?:\.\w{2,6})?/?$", re.IGNORECASE
)
FILE_NAME = re.compile(
    r"\.(?:pdf|docx?|xlsx?|pptx?|zip|rar|7z|jpe?g|png|gif|bmp|mp[34]|avi|exe|apk|css|js)$", re.IGNORECASE
)
DAY_PATH = re.compile(r"/((?:19|20)\d{2}[-/]?(?:0[1-9]|1[0-2])[-/]?(?:0[1-9]|[12]\d|3[01]))(?=/|$)")
DAY_PARAMETERS = frozenset({"date", "day", "month", "year", "ymd", "rq", "riqi", "calendar"})
VARIABLE = re.compile(r"[0-9a-f]*\d[0-9a-f]*(?:-[0-9a-f]+)*", re.IGNORECASE)
"""Numbers, hashes and uuids in a path."""


def may_be_article(url: str) -> bool:
    """Whether the address of a page of unknown software looks like an article's."""
    parts = urlsplit(url)
    is_other = LIST_NAME.search(parts.path) or FILE_NAME.search(parts.path)
    return not is_other and bool(ARTICLE_PATH.search(parts.path) or ARTICLE_QUERY.search(parts.query))


def days_in(url: str) -> frozenset[str]:
    """The days, months and years by which an address asks for news: ``/2014-06/03/``, ``date=2014-06-03``."""
    parts = urlsplit(url)
    asked = (f"{name}={value}" for name, value in parse_qsl(parts.query) if name.lower() in DAY_PARAMETERS)
    return frozenset({*asked, *DAY_PATH.findall(parts.path)})


def pattern_of(url: str) -> str:
    """The pattern that an address follows: numbers and hashes in its path folded, of its query only the names."""
    parts = urlsplit(url)
    names = sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)})
    return f"{parts.netloc.lower()}{VARIABLE.sub('#', parts.path)}{'?' if names else ''}{'&'.join(names)}"
