"""Paragraphs get their keys, and what an article prints twice is marked."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.records import Article, Capture, Paragraph, RecordRef, SpamSpan
from crawler.text.folding import fold_hash
from pipelines.sections import SectionsPipeline, sections

CAPTURE = Capture(
    run_id="r",
    portal_id="qinglan",
    kind="article",
    url="http://www.qinglan.example/art/1.html",
    fetched_at=datetime(2024, 5, 1, tzinfo=UTC),
    status=200,
    payload_sha256="0" * 64,
    record=RecordRef(file="a.warc.gz", offset=0, length=1),
)
LEAD = "青岚县组织千名干部走进田间地头,与困难群众结成帮扶对子,春耕以来已解决灌溉、农资、贷款等实际问题二百余件。"
VILLAGE = "在河口镇柳林村,驻村工作组帮村民打了三眼机井,铺设管道四千余米,六百亩旱地变成了水浇地,村民齐声称赞。"
COMPANY = "县工信局选派业务骨干进驻企业,从用地手续、资金周转、技术人才三个方面帮助企业破解难题,当年见到了成效。"
END = "下一步,县里将把好做法固定下来,让服务群众的路越走越宽。"


def article(*texts: str | Paragraph) -> Article:
    paragraphs = tuple(text if isinstance(text, Paragraph) else Paragraph(text=text) for text in texts)
    return Article(capture=CAPTURE, encoding="utf-8", kind="article", title="驻村帮扶", paragraphs=paragraphs)


def roles(*texts: str | Paragraph) -> list[str]:
    return [paragraph.role for paragraph in sections(article(*texts)).paragraphs]


def test_every_paragraph_has_the_key_of_its_folded_text() -> None:
    read = sections(article(LEAD, "————", END))
    assert [paragraph.fold_hash for paragraph in read.paragraphs] == [
        fold_hash(LEAD),
        fold_hash("————"),
        fold_hash(END),
    ]


def test_texts_stay_as_they_are() -> None:
    texts = ["　　ＡＢＣ  乾縣 ", LEAD, LEAD, ""]
    assert [paragraph.text for paragraph in sections(article(*texts)).paragraphs] == texts


def test_a_body_printed_twice_is_marked_from_the_second_copy_on() -> None:
    body = ["驻村:结对子", LEAD, VILLAGE, "驻企:开药方", COMPANY, END]
    assert roles(*body, *body) == ["body"] * 6 + ["repeat"] * 6


def test_a_second_copy_without_the_opening_is_marked() -> None:
    assert roles(LEAD, "驻村", VILLAGE, COMPANY, "驻村", VILLAGE, COMPANY) == ["body"] * 4 + ["repeat"] * 3


def test_a_copy_in_the_other_script_or_width_is_a_repeat() -> None:
    assert roles("乾县干部在行动," + LEAD, "乾縣幹部在行動，" + LEAD) == ["body", "repeat"]


def test_a_long_paragraph_that_recurs_alone_is_a_repeat() -> None:
    long = LEAD + VILLAGE + COMPANY + LEAD + END
    rest = [f"{number}. {COMPANY}" for number in range(30)]
    assert roles(long, *rest, long) == ["body"] * 31 + ["repeat"]


def test_a_brief_printed_twice_is_marked() -> None:
    assert roles("驻村帮扶", LEAD, LEAD) == ["body", "body", "repeat"]


def test_a_caption_or_a_lead_that_a_long_article_prints_again_is_no_repeat() -> None:
    rest = [f"{number}. {COMPANY}" for number in range(6)]
    assert roles(LEAD, *rest, LEAD) == ["body"] * 8


def test_short_lines_that_recur_are_no_repeats() -> None:
    assert roles("图为现场", LEAD, "图为现场", VILLAGE, "记者 林禾", COMPANY, "记者 林禾") == ["body"] * 7


def test_the_cells_of_a_table_are_no_repeats() -> None:
    cells = [
        "姓名",
        "是否党员",
        "王一",
        "是",
        "李二",
        "否",
        "张三",
        "是",
        "是",
        "否",
        "是",
        "否",
        "合格",
        "合格",
        "合格",
    ]
    assert "repeat" not in roles(*cells)


def test_a_heading_between_repeated_paragraphs_goes_with_them() -> None:
    heading = Paragraph(text="驻村", role="heading")
    assert roles(heading, VILLAGE, COMPANY, heading, VILLAGE) == ["heading", "body", "body", "repeat", "repeat"]


def test_other_roles_stay() -> None:
    byline = Paragraph(text="(林禾)", role="byline")
    caption = Paragraph(text="图为柳林村的新机井", role="caption")
    assert roles(LEAD, caption, byline) == ["body", "caption", "byline"]


def test_furniture_and_spam_are_left_to_the_stages_that_found_them() -> None:
    spam = Paragraph(text=LEAD, role="spam")
    footer = Paragraph(text="版权所有", role="boilerplate")
    assert roles(spam, LEAD, footer, LEAD, footer) == ["spam", "body", "boilerplate", "repeat", "boilerplate"]


def test_a_repeat_goes_on_beyond_furniture() -> None:
    footer = Paragraph(text="打印本页", role="boilerplate")
    half = [VILLAGE[:25], COMPANY[:25]]
    assert roles(*half, half[0], footer, half[1]) == ["body", "body", "repeat", "boilerplate", "repeat"]


def test_everything_else_of_the_article_stays() -> None:
    before = article(LEAD)
    after = sections(before)
    assert (after.title, after.capture, after.kind) == (before.title, before.capture, before.kind)


@given(st.lists(st.sampled_from([LEAD, VILLAGE, COMPANY, END, "图为现场", "——"]), max_size=12))
def test_a_reader_loses_no_paragraph(texts: list[str]) -> None:
    kept = Counter(p.text for p in sections(article(*texts)).paragraphs if p.role != "repeat")
    assert set(kept) == set(texts)


# Copies that are not to the letter, and copies inside a paragraph.

BODY = (LEAD, VILLAGE, COMPANY, END)
NOTICE = (
    "关于{}公司年产{}吨饲料项目环境影响评价文件的公示。根据建设项目环境影响评价审批程序的有关规定,经审议,我局拟对该项目环境影响评价文件"
    "作出审批意见。为保证审批意见的严肃性和公正性,现将评价文件的基本情况予以公示,公示期为{}日至{}日。联系电话:0000-1234567,"
    "通讯地址:青岚县城关镇中山路1号,邮编000000。"
)
WATER = "因管网检修,定于6月{}日8时至18时对{}片区暂停供水,请该片区用户提前做好储水准备,由此带来的不便敬请谅解。"
REFRAIN = "青青的岚山弯弯的河,哥哥赶着羊群过山坡,山坡上开满了金银花,妹妹唱着丰收的歌。"
BASIS = "违反了饲料管理条例第二十二条第一款的规定,依据该条例第四十一条第一款予以处罚"


def reading_text(*texts: str | Paragraph) -> list[str]:
    """What a reader gets: no repeated paragraphs, no cut spans."""
    read = sections(article(*texts))
    kept = []
    for position, paragraph in enumerate(read.paragraphs):
        text = paragraph.text
        for span in reversed([span for span in read.spam if span.position == position and span.cut]):
            assert text[span.start : span.end] == span.text
            text = text[: span.start] + text[span.end :]
        kept += [text] if paragraph.role != "repeat" else []
    return kept


@pytest.mark.parametrize(
    "second",
    [
        pytest.param((LEAD.replace("田间", "由间"), VILLAGE, COMPANY, END), id="a typo near the beginning"),
        pytest.param((LEAD, VILLAGE.replace("四千", "五千"), COMPANY, END), id="a figure corrected"),
        pytest.param((LEAD, VILLAGE.replace("齐声", ""), COMPANY, END), id="a word left out"),
        pytest.param((LEAD, VILLAGE, COMPANY, END.replace("越走越宽", "越走越宽阔")), id="a word added at the end"),
        pytest.param((LEAD + VILLAGE, COMPANY + END), id="paragraphs merged"),
        pytest.param((LEAD[:20], LEAD[20:], VILLAGE[:30], VILLAGE[30:], COMPANY, END), id="paragraphs split"),
        pytest.param((LEAD, COMPANY, END), id="a paragraph left out"),
        pytest.param((LEAD, VILLAGE, COMPANY[:20]), id="cut in mid-sentence"),
        pytest.param((LEAD, VILLAGE[:20] + "……"), id="cut early"),
    ],
)
def test_a_second_copy_need_not_be_to_the_letter(second: tuple[str, ...]) -> None:
    assert roles(*BODY, *second) == ["body"] * 4 + ["repeat"] * len(second)


def test_a_first_copy_that_is_one_paragraph_stays_and_the_second_in_four_goes() -> None:
    assert roles("".join(BODY), *BODY) == ["body"] + ["repeat"] * 4


def test_what_a_second_copy_adds_stays() -> None:
    added = "会后,县领导还到现场看望了参加劳动的青年志愿者,听取了乡镇干部的意见。"
    assert roles(*BODY, LEAD, VILLAGE, added, COMPANY) == ["body"] * 4 + ["repeat", "repeat", "body", "body"]
    assert reading_text(*BODY, LEAD + VILLAGE + added) == [*BODY, added]


@pytest.mark.parametrize(
    ("paragraph", "stays"),
    [
        pytest.param("".join(BODY) * 2, "".join(BODY), id="twice"),
        pytest.param("".join(BODY) * 3, "".join(BODY), id="three times"),
        pytest.param("".join(BODY) + "\u3000\u3000" + "".join(BODY), "".join(BODY) + "\u3000\u3000", id="after a gap"),
        pytest.param("".join(BODY) + LEAD + VILLAGE[:30], "".join(BODY), id="cut in mid-sentence"),
        pytest.param("".join(BODY) + "".join(BODY).replace("三眼", "四眼"), "".join(BODY), id="lightly changed"),
    ],
)
def test_of_a_paragraph_that_says_everything_twice_the_second_copy_is_a_cut_span(paragraph: str, stays: str) -> None:
    read = sections(article("驻村帮扶", paragraph))
    assert [one.role for one in read.paragraphs] == ["body", "body"]
    assert read.paragraphs[1].text == paragraph
    assert reading_text("驻村帮扶", paragraph) == ["驻村帮扶", stays]
    assert {(span.position, span.rule, span.cut) for span in read.spam} == {(1, "repeat", True)}


def test_english_is_cut_by_its_sentences_too() -> None:
    story = (
        "The county council met on Tuesday. It voted 7 to 2 for the new library, which will cost 4.5 million dollars. "
    )
    assert reading_text(story + story + "Work begins in May.") == [story + "Work begins in May."]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([NOTICE.format("青禾", 500, 3, 8), NOTICE.format("丰茂", 800, 9, 14)], id="two notices"),
        pytest.param([NOTICE.format(*row) for row in (("青禾", 5, 3, 8), ("远山", 7, 9, 14), ("丰茂", 8, 9, 14))], id="three"),
        pytest.param([WATER.format(*row) for row in ((1, "东街"), (2, "西街"), (3, "南关"))], id="other day and place"),
        pytest.param([WATER.format(day, "东街") for day in (1, 2, 3)], id="another day only"),
        pytest.param([WATER.format(day, "东街") for day in (1, 2)], id="twice, another day"),
        pytest.param([REFRAIN, LEAD, REFRAIN, VILLAGE, REFRAIN], id="a refrain"),
        pytest.param(["甲公司", BASIS, "乙公司", BASIS, "丙公司", BASIS], id="long cells of a table"),
        pytest.param([f"{n}是坚持党建引领,把{what}放在突出位置,一件事情接着一件事情办,一年接着一年干。" for n, what in
                      zip("一二三四", ("春耕", "防汛", "就业", "养老"), strict=True)], id="points of a speech"),
    ],
)  # fmt: skip
def test_forms_and_figures_of_speech_are_no_repeats(lines: list[str]) -> None:
    assert roles(*lines) == ["body"] * len(lines)
    assert reading_text(*lines) == lines


def test_what_was_injected_into_one_copy_does_not_hide_the_other() -> None:
    spliced = VILLAGE[:20] + "百家乐官网_时时彩平台有哪些" + VILLAGE[20:]
    span = SpamSpan(position=5, start=20, end=34, text=spliced[20:34], rule="chain", score=6.0, cut=True)
    copied = article(*BODY, LEAD, spliced, COMPANY, END)
    read = sections(Article(capture=CAPTURE, encoding="", kind="article", paragraphs=copied.paragraphs, spam=(span,)))
    assert [one.role for one in read.paragraphs] == ["body"] * 4 + ["repeat"] * 4
    assert read.spam == (span,)


SENTENCES = [sentence + "。" for text in (*BODY, REFRAIN, BASIS) for sentence in text.rstrip("。").split("。")]


@given(st.lists(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=8).map("".join), max_size=8))
def test_a_reader_loses_no_sentence(texts: list[str]) -> None:
    read = "\n".join(reading_text(*texts))
    assert [
        sentence for sentence in SENTENCES if any(sentence in text for text in texts) and sentence not in read
    ] == []


@given(st.lists(st.text(st.sampled_from("青岚县abc 。\u3000ｱﾞ"), max_size=120), max_size=6))
def test_any_text_gets_spans_that_lie_in_it_and_do_not_overlap(texts: list[str]) -> None:
    read = sections(article(*texts, *texts, "".join(texts) * 2))
    for one, other in zip(read.spam, read.spam[1:], strict=False):
        assert (one.position, one.end) <= (other.position, other.start)
    for span in read.spam:
        assert read.paragraphs[span.position].text[span.start : span.end] == span.text != ""


def test_the_pipeline_passes_other_items_on() -> None:
    stage = SectionsPipeline()
    assert stage.process_item(CAPTURE) is CAPTURE
    assert stage.process_item(article(LEAD)).paragraphs[0].fold_hash == fold_hash(LEAD)
