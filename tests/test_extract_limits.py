"""Hostile pages: any bytes are read, or refused with the limit's name, in time."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.reading.tree import MAX_CHARS, MAX_CROWDING, MAX_ELEMENTS, LimitError, parse
from pipelines.clean import clean
from pipelines.extract import extract
from pipelines.sections import sections
from tests.support import hostile, measured
from tests.test_extract_rules import page

MEGABYTES = 300
"""Peak memory above that of a small page."""
NAMED = re.compile(r"the limit is [\d,]+$|longer than 33,554,432 bytes$|more than 64 gzip members$")

MARKUP = (
    "<p> |</p>|<div style='display:none'>|</div>|<table><tr><td>|</td></tr></table>|<a href='x.pdf'>|</a>|<br>|<h1>|</h1>"
    "|<script>|</script>|<!--enpcontent-->|<!--|-->|<title>|</title>|<body>|</html>|<svg>|<![CDATA[|]]>"
    "|<meta name='PubDate' content='2014-6-3'>|来源：|责任编辑：王一|2014-6-3 7:27|（刘一凡）|&#0;|&#x110000;|&lt;|网站标识码：123"
).split("|")
PIECES = st.lists(st.one_of(st.text(max_size=30), st.sampled_from(MARKUP)), max_size=40)


@given(PIECES)
@settings(max_examples=150)
def test_any_markup_is_read_without_an_error(pieces: list[str]) -> None:
    article = sections(clean(extract(page("".join(pieces)))))
    assert all(paragraph.text.strip() for paragraph in article.paragraphs)


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> measured.Measured:
    """What an honest small page costs: the start of the process."""
    tiny = tmp_path_factory.mktemp("idle") / "tiny.html"
    tiny.write_text(hostile.STORY, encoding="utf-8")
    return measured.extract(tiny)


@pytest.mark.parametrize("name", hostile.UP_TO_2_MB)
def test_a_page_of_2_mb_is_read_within_2_seconds(name: str, tmp_path: Path, idle: measured.Measured) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(hostile.UP_TO_2_MB[name]())
    cost = measured.extract(page)
    assert "error" not in cost.result
    assert cost.cpu_seconds < 2
    assert cost.megabytes - idle.megabytes < MEGABYTES


@pytest.mark.parametrize("name", hostile.DENSER)
def test_a_larger_or_denser_page_is_read_or_refused_in_time(name: str, tmp_path: Path, idle: measured.Measured) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(hostile.DENSER[name]())
    cost = measured.extract(page)
    assert "error" not in cost.result or NAMED.search(cost.result["error"])
    assert cost.cpu_seconds < 3
    assert cost.megabytes - idle.megabytes < MEGABYTES


def test_a_page_beyond_a_limit_is_refused_with_its_name() -> None:
    with pytest.raises(LimitError, match=f"characters; the limit is {MAX_CHARS:,}"):
        parse("一" * (MAX_CHARS + 1))
    with pytest.raises(LimitError, match=f"elements; the limit is {MAX_ELEMENTS:,}"):
        parse("<p>" * (MAX_ELEMENTS + 1))
    with pytest.raises(LimitError, match=f"elements; the limit is {MAX_ELEMENTS:,}"):
        parse("</p>x" * (MAX_ELEMENTS + 1))
    with pytest.raises(LimitError, match=f"attributes: .*; the limit is {MAX_CROWDING:,}"):
        parse("<p " + " ".join(f"a{n}" for n in range(20_000)) + ">")


def test_a_page_at_its_limits_is_read() -> None:
    assert parse("一" * MAX_CHARS) is not None
    assert parse("<p>" * (MAX_ELEMENTS - 1)) is not None


def test_files_written_into_a_page_count_for_nothing() -> None:
    root = parse(f"<p><img src='data:image/png;base64,{'AB+/' * 1_000_000}=='>春耕</p><p>开始</p>")
    assert root is not None
    assert [node.text or node[0].tail for node in root.iter("p")] == ["春耕", "开始"]


@pytest.mark.parametrize("stuffing", ["", "x" * 200_000], ids=["short", "long"])
def test_a_quoted_end_of_a_tag_ends_no_tag(stuffing: str) -> None:
    root = parse(f"<p title='a>b' id=\"c>d\">春耕</p>{stuffing}")
    assert root is not None
    assert dict(next(root.iter("p")).attrib) == {"title": "a>b", "id": "c>d"}
