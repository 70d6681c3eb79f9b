"""Whatever a page is said to be, its text comes out right."""

import json
import time

import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.text.encoding import Decoded, resolve

NEWS = (
    "本报讯 连日来,青岚县各乡镇抢抓农时,组织干部深入田间地头,帮助困难群众解决春耕生产中的实际问题。"
    "县农业农村局抽调技术人员一百二十名,分成十个小组,走村入户开展技术指导,发放资料三千余份。"
    "截至目前,全县已完成玉米播种八万亩,其余地块预计本月底前全部种完,群众普遍反映服务及时、措施管用。"
)
TRADITIONAL = opencc.OpenCC("s2tw").convert(NEWS)
JAPANESE = "県内の市町村では、農業の振興と地域の活性化に向けた取り組みが進められている。カタカナのニュースもある。"
KOREAN = "군은 올해 농촌 지역의 소득을 높이기 위하여 새로운 지원 사업을 시작한다고 밝혔다. 내년부터 예산을 늘린다."
RUSSIAN = "Администрация города сообщает, что в этом году начнётся строительство новой школы и дороги."
ENGLISH = "It’s the county’s “biggest” fair – café owners said naïve things…"


def page(text: str, label: str | None) -> str:
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={label}">' if label else ""
    return f"<html><head>{meta}<title>{text[:12]}</title></head><body><p>{text}</p></body></html>"


def read(text: str, codec: str, *, label: str | None = None, header: str | None = None) -> Decoded:
    data = page(text, label).encode(codec)
    decoded = resolve(data, content_type=f"text/html; charset={header}" if header else None)
    assert decoded.text == page(text, label)
    return decoded


LABELS = [None, "gb2312", "utf-8", "big5", "iso-8859-1", "no-such-charset", "punycode"]


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("header", [None, "gb2312", "utf-8", "ISO-8859-1"])
@pytest.mark.parametrize(
    ("text", "codec"), [(NEWS, "utf-8"), (NEWS, "gb18030"), (TRADITIONAL, "big5hkscs"), (TRADITIONAL, "utf-8")]
)
def test_no_label_leads_astray(text: str, codec: str, label: str | None, header: str | None) -> None:
    assert read(text, codec, label=label, header=header).encoding == codec


def test_a_traditional_page_of_the_mainland_is_read_as_gb() -> None:
    assert read(TRADITIONAL, "gb18030").encoding == "gb18030"


def test_labels_are_kept_as_they_stand_there() -> None:
    decoded = read(NEWS, "utf-8", label="gb2312", header="GBK")
    assert (decoded.basis, decoded.header_label, decoded.page_label) == ("utf-8 strict", "GBK", "gb2312")


@pytest.mark.parametrize(
    ("markup", "label"),
    [
        ("<meta charset=gbk>", "gbk"),
        ("<META content='text/html;charset=GB2312' http-equiv=content-type>", "GB2312"),
        ('<?xml version="1.0" encoding="big5"?><html/>', "big5"),
        ('<script charset="gb2312" src="a.js"></script>', None),
        ("<p>charset=gbk</p>", None),
    ],
)
def test_a_page_labels_itself_in_meta_tags_and_xml_declarations_only(markup: str, label: str | None) -> None:
    assert resolve(markup.encode(), content_type=None).page_label == label


def test_characters_that_gb2312_and_big5_lack_are_read() -> None:
    assert "镕" in read(NEWS + "朱镕、喆、€", "gb18030", label="gb2312").text
    assert "𠝹" in read(TRADITIONAL + "𠝹着", "big5hkscs", label="big5").text
    assert "𬴂" in read(NEWS + "𬴂" * 30, "gb18030", label="gb2312").text


@pytest.mark.parametrize("text", ["联通", "版权所有", "青岚县", "一"])
def test_a_few_characters_are_read_with_the_help_of_the_label(text: str) -> None:
    assert read(text, "gb18030", label="gb2312").encoding == "gb18030"
    assert read(text, "utf-8", label="utf-8").encoding == "utf-8"


def test_a_few_traditional_characters_are_read_with_the_help_of_the_label() -> None:
    assert read("版權所有", "big5hkscs", label="big5").encoding == "big5hkscs"


def test_the_catalogue_hints_where_bytes_leave_a_choice() -> None:
    data = "公告".encode("big5hkscs")
    assert resolve(data, content_type=None, hint="big5hkscs").text == "公告"
    assert resolve(NEWS.encode("gb18030"), content_type=None, hint="big5").encoding == "gb18030"


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_decides_and_is_no_text(mark: str) -> None:
    assert resolve(NEWS.encode(mark), content_type="text/html; charset=gb2312").text == NEWS


def test_the_mark_of_an_included_file_does_not_make_a_gb_page_utf8() -> None:
    decoded = resolve(b"\xef\xbb\xbf" + NEWS.encode("gb18030"), content_type=None)
    assert (decoded.text, decoded.encoding) == (NEWS, "gb18030")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_seen_by_its_zeros(codec: str) -> None:
    assert read(NEWS, codec).encoding == codec


def test_a_stray_zero_does_not_make_a_page_utf16() -> None:
    text = page("plain words of a county page " * 20, None)
    assert resolve((text + "\0" + text).encode(), content_type=None).encoding == "utf-8"


@pytest.mark.parametrize("lost", [1, 2])
def test_a_page_cut_inside_a_character_is_still_utf8(lost: int) -> None:
    decoded = resolve(NEWS.encode()[:-lost], content_type="text/html; charset=gb2312")
    assert decoded.encoding == "utf-8"
    assert decoded.text == NEWS[:-1] + "\ufffd"
    assert "1 broken" in decoded.basis


def test_a_summary_cut_inside_a_character_leaves_the_rest_of_the_page_whole() -> None:
    data = b'<meta name="description" content="' + NEWS.encode()[:50] + b'"><p>' + NEWS.encode() + b"</p>"
    assert NEWS in resolve(data, content_type=None).text


def test_a_gb_page_with_a_broken_byte_is_still_gb() -> None:
    data = page(NEWS, "gb2312").encode("gb18030") + b"<p>\xff</p>" + NEWS.encode("gb18030")[:-1]
    decoded = resolve(data, content_type=None)
    assert decoded.encoding == "gb18030"
    assert decoded.text.startswith(page(NEWS, "gb2312"))


@pytest.mark.parametrize(
    ("text", "codec", "label"),
    [
        (JAPANESE, "cp932", "shift_jis"),
        (JAPANESE, "euc-jp", "euc-jp"),
        (KOREAN, "cp949", "euc-kr"),
        (RUSSIAN, "cp1251", "windows-1251"),
        (RUSSIAN, "koi8-r", "koi8-r"),
        (ENGLISH, "cp1252", "iso-8859-1"),
    ],
)
def test_other_languages_are_not_taken_for_chinese(text: str, codec: str, label: str) -> None:
    assert read(text, codec).encoding == codec
    assert read(text, codec, label=label).encoding == codec


@pytest.mark.parametrize("shift", ["", "x"])
@pytest.mark.parametrize("script", ["", "<script>var a = 1;</script>" * 2_000])
def test_a_long_page_is_guessed_from_its_first_text(shift: str, script: str) -> None:
    text = shift + script + f"<p>{JAPANESE}</p>" * 1_000
    assert resolve(text.encode("cp932"), content_type=None).text == text


def test_ascii_is_utf8() -> None:
    assert resolve(b"", content_type=None).encoding == "utf-8"
    assert resolve(b"<p>plain</p>", content_type="text/html; charset=gbk").encoding == "utf-8"


@given(st.binary(max_size=400), st.none() | st.text(max_size=60), st.sampled_from(LABELS))
def test_any_bytes_have_a_text(data: bytes, content_type: str | None, hint: str | None) -> None:
    decoded = resolve(data, content_type=content_type, hint=hint)
    assert decoded.text.encode("utf-8").decode("utf-8") == decoded.text


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0\ufeff"), min_size=1, max_size=200))
def test_every_text_survives_in_utf8(text: str) -> None:
    assert resolve(text.encode(), content_type="text/html; charset=utf-8").text == text


def test_every_sample_decodes_to_the_text_it_should(shared) -> None:
    folder = shared / "encodings"
    wrong = []
    for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines():
        sample = json.loads(line)
        data = (folder / "samples" / sample["id"]).read_bytes()
        if resolve(data, content_type=sample["header"]).text != data.decode(sample["codec"]).removeprefix("\ufeff"):
            wrong.append(sample["id"])
    assert wrong == []


def test_decoding_keeps_pace_with_the_crawl() -> None:
    data = page(NEWS * 200, "utf-8").encode("gb18030")  # 60 kB, mislabelled: the slowest ordinary way
    resolve(data, content_type=None)
    start = time.process_time()
    for _ in range(20):
        resolve(data, content_type=None)
    assert 20 * len(data) / (time.process_time() - start) > 10e6  # bytes a second; 40 MB/s measured, 20 asked for
