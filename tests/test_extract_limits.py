"""Hostile pages: any bytes are read, or refused with the limit's name, in time."""

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.reading.tree import MAX_CHARS, MAX_TAGS, LimitError
from pipelines.clean import clean
from pipelines.extract import extract
from pipelines.sections import sections
from tests.test_extract_rules import page

MARKUP = (
    "<p> |</p>|<div style='display:none'>|</div>|<table><tr><td>|</td></tr></table>|<a href='x.pdf'>|</a>|<br>|<h1>|</h1>"
    "|<script>|</script>|<!--enpcontent-->|<!--|-->|<title>|</title>|<body>|</html>|<svg>|<![CDATA[|]]>"
    "|<meta name='PubDate' content='2014-6-3'>|来源：|责任编辑：王一|2014-6-3 7:27|（刘一凡）|&#0;|&#x110000;|&lt;|网站标识码：123"
).split("|")
PIECES = st.lists(st.one_of(st.text(max_size=30), st.sampled_from(MARKUP)), max_size=40)


@given(PIECES)
@settings(max_examples=150, deadline=None)
def test_any_markup_is_read_without_an_error(pieces: list[str]) -> None:
    article = sections(clean(extract(page("".join(pieces)))))
    assert all(paragraph.text.strip() for paragraph in article.paragraphs)


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000 + "文",
        "<p>一二三，" * 100_000,
        "<a href=x>一</a>" * 80_000,
        "<table><tr><td>" * 30_000,
        "一" * 2_000_000,
        " " * 2_000_000 + "一",
        "&lt;" * 400_000,
        "<p " + "a=1 " * 400_000 + ">文",
        "<font>文" * 100_000,
        "\x00" * 1_000_000 + "文",
        "（" * 1_000_000,
        "<p>" + "1" * 200 + "</p>" + "<p>" + "文图" * 100 + "（" * 100 + "</p>" + "<p>一。</p>" * 10,
    ],
    ids=lambda html: html[:12].encode("unicode_escape").decode(),
)
def test_a_pathological_page_is_read_or_refused_in_time(html: str) -> None:
    began = time.process_time()
    with contextlib.suppress(LimitError):
        clean(extract(page(html)))
    assert time.process_time() - began < 3


def test_pages_beyond_the_limits_are_refused_with_the_limits_name() -> None:
    with pytest.raises(LimitError, match=str(MAX_CHARS)):
        extract(page("一" * (MAX_CHARS + 1)))
    with pytest.raises(LimitError, match=str(MAX_TAGS)):
        extract(page("<p>" * (MAX_TAGS + 1)))
