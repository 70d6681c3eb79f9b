"""XML as portals send it: feeds and sitemaps, parsed so that they can neither reach out nor blow up.

No document may declare entities: what is expanded from them can be a billion times its size, or a file of this machine.
No feed needs them. Slips that browsers forgive are mended first: HTML's named entities, bare ampersands, control
characters, white space before the declaration.
"""

import re
from html.entities import html5

from lxml import etree

_DECLARATIONS = re.compile(r"<!DOCTYPE[^>\[]*\[|<!ENTITY", re.IGNORECASE)
_PROLOG = re.compile(r"\A[\ufeff\s]*(?:<\?xml[^>]*>)?", re.IGNORECASE)
_NOT_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_AMPERSAND = re.compile(r"&(?:(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos);|(\w{2,31};))?")


class XmlError(ValueError):
    """A document that is no XML, or one that declares entities."""


def parse(text: str) -> etree._Element:
    """Return the root of *text*; what is damaged behind the root's beginning is left out.

    Raises:
        XmlError: there is no element, or the document type has declarations of its own.

    """
    if _DECLARATIONS.search(text):
        raise XmlError("the document declares entities, which no feed needs")
    text = _PROLOG.sub("", _NOT_XML.sub("", text), count=1)
    pieces = text.split("<![CDATA[")
    mended = [_mended(pieces[0])]
    for piece in pieces[1:]:
        inside, end, outside = piece.partition("]]>")
        mended.append(f"<![CDATA[{inside}{end}{_mended(outside)}")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, load_dtd=False, no_network=True, recover=True, huge_tree=False
    )
    try:
        root = etree.fromstring("".join(mended).encode(), parser)
    except etree.XMLSyntaxError as error:
        raise XmlError(f"no XML: {error.msg}") from error
    if root is None:
        raise XmlError("no XML: no element")
    return root


def legal(text: str) -> str:
    """*text* without the characters that no XML document may have."""
    return _NOT_XML.sub("", text)


def local_name(element: etree._Element) -> str:
    """An element's name without its namespace; empty for comments and processing instructions."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def words(element: etree._Element | None) -> str:
    """An element's text with that of its descendants, white space squeezed; empty for none."""
    return " ".join(str(element.xpath("string()")).split()) if element is not None else ""


def _mended(markup: str) -> str:
    """*markup* outside of CDATA, with every ampersand one that XML knows."""
    return _AMPERSAND.sub(_as_xml, markup)


def _as_xml(found: re.Match[str]) -> str:
    if found[1]:
        return found[0]
    meant = html5.get(found[2] or "")
    return meant.replace("\N{NO-BREAK SPACE}", " ") if meant and meant not in "<>&" else f"&amp;{found[0][1:]}"
