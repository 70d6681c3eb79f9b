"""Paragraphs get their keys, and what an article prints twice is marked."""

from collections import Counter
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from crawler.records import Article, Capture, Paragraph, RecordRef
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


def test_the_pipeline_passes_other_items_on() -> None:
    stage = SectionsPipeline()
    assert stage.process_item(CAPTURE) is CAPTURE
    assert stage.process_item(article(LEAD)).paragraphs[0].fold_hash == fold_hash(LEAD)
