"""Pages that were made to hurt: each is a function that writes the bytes, so that none is held before it is asked for."""

import gzip
from collections.abc import Callable

STORY = (
    "<html><head><title>春耕开始</title></head><body><div class='TRS_Editor'>"
    + "<p>全县春耕工作已经开始，各村都在整地备种，农机手说今年雨水好。</p>" * 8
    + "</div></body></html>"
)
"""An honest page, small."""

MB = 1_000_000


def _filled(piece: str, size: int) -> bytes:
    """*piece* once, and again up to *size* bytes."""
    data = piece.encode()
    return data * max(1, size // len(data))


def _around(piece: str, size: int) -> bytes:
    """A story whose body begins with *piece* again and again."""
    head, body, rest = STORY.partition("<body>")
    return (head + body).encode() + _filled(piece, size) + rest.encode()


UP_TO_2_MB: dict[str, Callable[[], bytes]] = {
    "paragraphs": lambda: _around("<p>全县春耕工作已经开始，各村都在整地备种。</p>\n", 2 * MB),
    "paragraphs in GB18030": lambda: (
        _around("<p>全县春耕工作已经开始，各村整地备种。</p>", 3 * MB).decode().encode("gb18030")
    ),
    "one paragraph": lambda: _around("全县春耕工作已经开始，各村都在整地备种，", 2 * MB),
    "one line of ideographs": lambda: _filled("一", 2 * MB),
    "digits": lambda: _around("20140603 7:27 ", 2 * MB),
    "information lines": lambda: _around("<p>来源：本站 作者：王一 2014-6-3 7:27:00 责任编辑：李二</p>", 2 * MB),
    "one information line": lambda: _around("来源：本站 作者：王一 2014-6-3 责任编辑：李二 ", 2 * MB),
    "sign-offs": lambda: _around("<p>（记者 王一 通讯员 李二）</p>", 2 * MB),
    "meta tags": lambda: _filled("<meta name='ArticleTitle' content='春耕开始'>", 2 * MB),
    "links to files": lambda: _around("<a href='/f/附件.pdf'>附件：清单.pdf</a>", 2 * MB),
    "scripted links": lambda: _around("<a href=\"javascript:x('/f/1.pdf')\">附</a>", 2 * MB),
    "hidden blocks": lambda: _around("<div style='display:none'>春耕工作开始了。</div>", 2 * MB),
    "named blocks": lambda: _around("<div class='share related'>春耕工作开始了。</div>", 2 * MB),
    "repeats of different length": lambda: "".join(f"<p>{'春耕' * (n % 40)}{n}。</p>" for n in range(18_000)).encode(),
    "brackets": lambda: _filled("（", 2 * MB),
    "spaces": lambda: b" " * 2 * MB + b"<p>x",
    "full-width spaces": lambda: _around("\u3000", 2 * MB),
    "line ends": lambda: _around("一\n", 2 * MB),
    "entities": lambda: _around("&lt;&#x4e00;", 2 * MB),
    "a long title": lambda: _filled(f"<title>{'春耕开始_' * 150_000}</title><p>春耕开始。", 0),
    "comments without end": lambda: _around("<!--" + "-" * 40, 2 * MB),
    "a comment": lambda: b"<!--" + b"-" * (2 * MB) + b"--><p>x",
    "broken UTF-8": lambda: STORY.encode() + b"\xe6\x98\xa5\xe6\x98" * 400_000,
    "random high bytes": lambda: bytes(0x80 + (n * n * 31 + n * 7) % 0x7F for n in range(2 * MB)),
    "a lead byte": lambda: b"\x81" * 2 * MB,
    "Latin": lambda: ("<p>" + "Žluťoučký kůň ".encode("cp1250").decode("latin-1") * 140_000).encode("latin-1"),
    "NUL bytes": lambda: b"\x00" * (2 * MB) + STORY.encode(),
    "UTF-16": lambda: _around("<p>全县春耕工作已经开始，各村都在整地备种。</p>", 2_600_000).decode().encode("utf-16"),
}
"""Up to 2 MB, ordinary or hostile: read, in time."""

DENSER: dict[str, Callable[[], bytes]] = {
    "menu": lambda: _around("<li><a href='/a/b/index.html'>春耕备种</a></li>", 2 * MB),
    "teasers": lambda: _around(
        "<li><a href='/a/b/1.html'>全县春耕工作已经开始</a><span>2014-06-03</span></li>", 2 * MB
    ),
    "titles": lambda: _around("<title>春耕开始</title>", 2 * MB),
    "pictures": lambda: _around("<img src='/f/1.jpg' alt='春耕'>", 2 * MB),
    "all the names that are allowed": lambda: _filled(
        "<title>表彰名单</title><h1>表彰名单公布</h1><p>来源：本站 2014-6-3 7:27</p>" + "<p>王一</p>" * 49_000, 0
    ),
    "30 MB of lone double bytes": lambda: b"<p>" + b"a" * 20_000 + b"\x81a " * 10 * MB,
    "data table": lambda: _around("<tr><td>一</td><td>二</td></tr>", 2 * MB),
    "layout tables": lambda: _around("<table><tr><td>春耕</td></tr></table>", 2 * MB),
    "headings": lambda: _around("<h1>春耕开始</h1>", 2 * MB),
    "line breaks": lambda: _around("春耕<br>", 2 * MB),
    "meta without end": lambda: _filled("<meta ", 2 * MB),
    "scripts": lambda: _around("<script>var a=1</script>", 2 * MB),
    "a long class": lambda: _filled(f"<div class='{'share ' * 330_000}'>春耕", 0),
    "a long address": lambda: _filled(f"<a href='/{'a/../' * 400_000}x.pdf'>春耕", 0),
    "a long script address": lambda: _filled(("<a href='javascript:" + 'x("' * 600_000 + "'>春耕"), 0),
    "a picture of 5 MB in the page": lambda: _around(f"<img src='data:image/png;base64,{'iVBORw0K' * 625_000}'>", 0),
    "all the information lines that are allowed": lambda: _around(
        "<p>来源：本站 作者：王一 2014-6-3 7:27:00 责任编辑：李二</p>", 3_800_000
    ),
    "a tag hidden behind NUL bytes": lambda: (
        b"<\x00p " + b" ".join(b"a%d" % n for n in range(100_000)) + b">" + STORY.encode()
    ),
    "quoted ends after NUL bytes": lambda: (
        b"<p " + b"".join(b"a%d=\x00'>'" % n for n in range(100_000)) + b">" + STORY.encode()
    ),
    "quoted ends behind a script": lambda: (
        b"<script>a<b ='</script><p a='>' " + b"".join(b"a%d='>'" % n for n in range(100_000)) + b">" + STORY.encode()
    ),
    "100,000 nested div": lambda: b"<div>" * 100_000 + STORY.encode(),
    "400,000 nested div": lambda: b"<div>" * 400_000 + STORY.encode(),
    "100,000 nested span": lambda: b"<span>" * 100_000 + STORY.encode(),
    "100,000 nested font": lambda: "<font>文".encode() * 100_000,
    "nested forms of all kinds": lambda: b"<b><i><u><em><font><a><p>" * 15_000 + STORY.encode(),
    "30,000 nested tables": lambda: b"<table><tr><td>" * 30_000 + STORY.encode(),
    "200 nested tables, filled": lambda: (b"<table><tr><td>x</td><td>" + b"<p>y</p>" * 200) * 60,
    "nested named blocks, filled": lambda: (b"<div class='share'>" + b"<p>y</p>" * 500) * 200,
    "2,000,000 attributes": lambda: b"<p " + b"a=1 " * 2_000_000 + b">x",
    "2,000,000 different attributes": lambda: (
        b"<p " + b" ".join(b"a%d" % n for n in range(2_000_000)) + b">" + STORY.encode()
    ),
    "100,000 different attributes": lambda: (
        b"<p " + b" ".join(b"a%d" % n for n in range(100_000)) + b">" + STORY.encode()
    ),
    "1,000 tags of 1,000 attributes": lambda: (b"<p " + b" ".join(b"a%d" % n for n in range(1_000)) + b">x") * 1_000,
    "attributes between many quotes": lambda: b"<p " + b"a='>' " * 500_000 + b">" + STORY.encode(),
    "one line of 20 MB": lambda: _around("全县春耕工作已经开始，", 20 * MB),
    "one line of 8 MB": lambda: _around("全县春耕工作已经开始，", 7_900_000),
    "20 MB in GB18030": lambda: _around("全县春耕工作已经开始，", 30 * MB).decode().encode("gb18030"),
    "20 MB of a lead byte": lambda: b"\x81" * 20 * MB,
    "8 MB of a lead byte": lambda: b"\x81" * 7_900_000,
    "20 MB of spaces": lambda: b" " * 20 * MB,
    "20 MB of paragraphs": lambda: _around("<p>全县春耕工作已经开始，各村都在整地备种。</p>", 20 * MB),
    "7 MB of paragraphs": lambda: _around("<p>全县春耕工作已经开始，各村都在整地备种。</p>", 7 * MB),
    "7 MB of tags": lambda: _around("<p>x</p>", 7 * MB),
    "3 MB of tags": lambda: _around("<p>x", 3 * MB),
    "1.6 MB of tags": lambda: _around("<b>x", 1_600_000),
    "1.2 MB of tags": lambda: _around("<p>", 1_200_000),
    "1 MB of menu items": lambda: _around("<li><a>一", 1_000_000),
    "7 MB of NUL bytes": lambda: b"\x00" * 7 * MB + STORY.encode(),
    "NUL bytes between all": lambda: STORY.encode().replace(b"<", b"\x00<\x00"),
    "7 MB of entities": lambda: _around("&lt;", 7 * MB),
    "an entity bomb": lambda: _filled(
        "<!DOCTYPE html [<!ENTITY a 'aaaaaaaaaa'>"
        + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9))
        + f"]>{STORY}&j;",
        0,
    ),
    "a gzip bomb": lambda: gzip.compress(b"<p>" + b"\x00" * 200 * MB, 9),
    "a gzip bomb of spaces": lambda: gzip.compress(b" " * 30 * MB, 9),
    "a gzip bomb in a gzip bomb": lambda: gzip.compress(gzip.compress(b" " * 1_000 * MB, 9), 9),
    "100,000 gzip members": lambda: gzip.compress(b"") * 100_000,
    "a file of 300 MB": lambda: b"<p>" * 100 * MB,
}
"""Larger or denser: read too, or refused with the limit's name."""
