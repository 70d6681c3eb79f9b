"""Files and pictures of an article: absolute addresses, titles, captions."""

import re
from collections.abc import Iterator
from itertools import chain, islice
from urllib.parse import unquote

from lxml import etree

from crawler.records import Attachment, Image
from crawler.text.urls import absolute

_FILE = re.compile(
    r"\.(?:pdf|docx?|xlsx?|pptx?|wps|et|dps|ofd|rtf|txt|csv|zip|rar|7z|tar|gz|ceb|mp[34]|avi|wmv|flv|mov)(?=$|[?#])",
    re.IGNORECASE,
)
_DOWNLOAD = re.compile(r"/(?:module/download/downfile|.{0,40}download\.(?:jsp|aspx|do|php))\b", re.IGNORECASE)
_IN_SCRIPT = re.compile(
    r"['\"]([^'\"<>]{4,300}\.(?:pdf|docx?|xlsx?|pptx?|wps|ofd|zip|rar)(?:\?[^'\"]{0,100})?)['\"]", re.IGNORECASE
)
_ANNEX = re.compile(r"[【\[(（]?\s*(?:相关)?附件")
_LAZY = ("data-src", "data-original", "data-lazy-src", "original", "file", "src")
_NO_PICTURE = re.compile(
    r"^data:|/icons?/|icon_|\.ico(?=$|\?)|spacer|blank\.|loading|qrcode|/share|/logo|/fileico|filetype", re.IGNORECASE
)
_MIN_SIDE = 60
"""Smaller pictures are signs (pixels, by their attributes)."""


def attachments(element: etree._Element, base: str) -> tuple[Attachment, ...]:
    """Return the files that links inside *element* lead to, and annexes listed below it; in page order, each once."""
    found: dict[str, Attachment] = {}
    for link in chain(element.iter("a"), *(listed.iter("a") for listed in _annexes(element))):
        for href in _targets(link):
            url = absolute(base, href)
            if url and url not in found:
                said = " ".join("".join(link.itertext()).split()) or link.get("title")
                found[url] = Attachment(url=url, title=said or unquote(url.rsplit("/", 1)[-1]))
    return tuple(found.values())


def _annexes(element: etree._Element) -> Iterator[etree._Element]:
    """The blocks below the text that say that they list its annexes: some templates put them there."""
    for outer in (element, element.getparent()):
        for block in outer.itersiblings() if outer is not None else ():
            said = islice((text.strip() for text in block.itertext() if text.strip()), 1)
            if isinstance(block.tag, str) and any(map(_ANNEX.match, said)):
                yield block


def _targets(link: etree._Element) -> Iterator[str]:
    href = link.get("href") or ""
    if _FILE.search(href) or _DOWNLOAD.search(href):
        yield href
        return
    if href.lower().startswith("javascript:") or link.get("onclick"):
        script = f"{href} {link.get('onclick') or ''}"
        yield from (found[1] for found in _IN_SCRIPT.finditer(script))


def images(element: etree._Element, base: str) -> tuple[Image, ...]:
    """Return the pictures inside *element* in page order, each once; signs and spacers are left out."""
    found: dict[str, Image] = {}
    for picture in element.iter("img"):
        if _is_small(picture):
            continue
        source = next((value for name in _LAZY if (value := picture.get(name))), "")
        url = absolute(base, source) if source and not _NO_PICTURE.search(source) else None
        if url and url not in found:
            found[url] = Image(url=url, caption=_caption(picture))
    return tuple(found.values())


def _is_small(picture: etree._Element) -> bool:
    sides = [(picture.get(name) or "").removesuffix("px") for name in ("width", "height")]
    return any(int(side) < _MIN_SIDE for side in sides if side.isdecimal() and len(side) < 6)


def _caption(picture: etree._Element) -> str | None:
    figure = next((node for node in picture.iterancestors("figure")), None)
    legend = figure.find(".//figcaption") if figure is not None else None
    text = "".join(legend.itertext()) if legend is not None else ""
    text = " ".join((text or picture.get("alt") or "").split())
    return text if text and not _FILE.search(text) and "." not in text[-5:] else None
