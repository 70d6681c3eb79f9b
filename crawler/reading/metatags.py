"""The meta tags that 国办发〔2017〕47号 prescribes for government websites, and the few others that help.

Names differ in case on real pages. Two tags may share a lower-cased name (Keywords, keywords): the first that says
something counts.
"""

import html
import re
from collections.abc import Mapping

from lxml import etree

_MARKUP = re.compile(r"<[^<>]{0,300}>")
_KEPT = frozenset(
    [
        "sitename",
        "siteidcode",
        "columnname",
        "articletitle",
        "pubdate",
        "article:published_time",
        "contentsource",
        "url",
        "og:title",
        "og:site_name",
        "og:type",
    ]
)


def read(root: etree._Element) -> Mapping[str, str]:
    """Return the page's tags by lower-cased name, values without markup and stripped; empty ones are left out."""
    tags: dict[str, str] = {}
    for element in root.iter("meta"):
        name = (element.get("name") or element.get("property") or "").strip().lower()
        if name in _KEPT and name not in tags:
            value = plain(element.get("content") or "")
            if value:
                tags[name] = value
    if tags.get("articletitle") in {tags.get("sitename"), tags.get("columnname")}:
        tags.pop("articletitle", None)  # some templates fill it with what they have
    return tags


def plain(value: str) -> str:
    """*value* without escaped markup, entities and doubled white space."""
    if "&" in value:
        value = html.unescape(html.unescape(value))
    if "<" in value:
        value = _MARKUP.sub(" ", value)
    return " ".join(value.split())
