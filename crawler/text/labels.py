"""What a page is said to be encoded in, by its server and by itself. Both may lie; these are hints, never facts."""

import re

_SCANNED = 8_192
"""Bytes in which a page's own label is looked for (the HTML standard asks for 1,024; real ones come later)."""
_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:+-]{1,40})", re.ASCII | re.IGNORECASE)
_META = re.compile(rb"<meta\b[^>]{0,500}?charset\s*=\s*[\"']?\s*([\w.:+-]{1,40})", re.IGNORECASE)
_XML = re.compile(rb"\s{0,100}<\?xml\b[^>]{0,200}?encoding\s*=\s*[\"']([\w.:+-]{1,40})", re.IGNORECASE)

_LABELS = {
    "utf-8": "utf8 unicode-1-1-utf-8",
    "gb18030": "gbk gb2312 gb-2312 gb-2312-80 gb2312-80 x-gbk cp936 ms936 windows-936 euc-cn chinese",
    "big5hkscs": "big5 big-5 big5-hkscs big5-eten cn-big5 x-x-big5 cp950 ms950 windows-950",
    "cp1252": "windows-1252 iso-8859-1 iso8859-1 latin1 latin-1 us-ascii ascii",
    "cp1250": "windows-1250",
    "cp1251": "windows-1251",
    "iso8859-2": "iso-8859-2 latin2",
    "iso8859-15": "iso-8859-15 latin9",
    "koi8-r": "koi8",
    "cp874": "windows-874 tis-620",
    "cp932": "shift-jis sjis x-sjis windows-31j ms932",
    "euc-jp": "x-euc-jp",
    "cp949": "euc-kr ks-c-5601-1987 ksc5601 ms949 windows-949",
    "utf-16-le": "utf-16le utf-16",
    "utf-16-be": "utf-16be",
}
_CODECS = {label: codec for codec, labels in _LABELS.items() for label in (codec, *labels.split())}
"""Python's codec for a label, with the superset that browsers use too (WHATWG Encoding, section 4.2)."""


def header_label(content_type: str | None) -> str | None:
    """The charset of a Content-Type header, as it stands there."""
    found = _HEADER.search(content_type or "")
    return found[1] if found else None


def page_label(data: bytes) -> str | None:
    """The charset that a page gives itself, in a meta tag or an XML declaration, as it stands there."""
    found = _XML.match(data) or _META.search(data, 0, _SCANNED)
    return found[1].decode("ascii") if found else None


def codec_of(label: str | None) -> str | None:
    """Python's codec for a *label*; GB labels are gb18030, Big5 labels big5hkscs. None for what no page is in."""
    return _CODECS.get((label or "").strip().lower().replace("_", "-"))
