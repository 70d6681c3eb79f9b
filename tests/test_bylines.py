"""Information lines, credits and sign-offs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.text import bylines, signoffs


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("2014-6-3 7:27:00  来源:青岚网-青岚日报  进入论坛", "source", "青岚网-青岚日报"),
        ("发布日期：2016-07-20 来源：石桥镇 浏览次数： 字号：〖大 中 小〗", "source", "石桥镇"),
        ("2019年10月08日 来源: 《青岚日报》 作者: 记者 苏禾 字体： 小 大", "source", "《青岚日报》"),
        ("2019年10月08日 来源: 《青岚日报》 作者: 记者 苏禾 字体： 小 大", "author", "苏禾"),
        ("信息来源：青岚日报 | 发布时间：2018-04-19", "source", "青岚日报"),
        ("来源｜县融媒体中心 编辑｜莫秋玉 编审｜肖家云", "source", "县融媒体中心"),
        ("來源：青嵐日報 責任編輯：溫如玉", "chief_editor", "溫如玉"),
        ("本文来源于国家统计局 2024-05-11 09:36:26", "source", "国家统计局"),
        ("来源：青岚在线 某某网收集 2009-11-01", "source", "青岚在线"),
        ("【来源：县政府办】 发布日期：2023-07-19", "source", "县政府办"),
        ("来源：青岚日报\x1f参与互动\x1f", "source", "青岚日报"),
        ("编 辑：苏 伟 一 审：魏 倩 二 审：罗兴美", "editor", "苏伟"),
        ("（责任编辑：周雁）", "chief_editor", "周雁"),
        ("责任编辑：石桥镇融媒体站", "chief_editor", "石桥镇融媒体站"),
        ("责编：郝帅、杨迪", "chief_editor", "郝帅,杨迪"),
        ("（责任编辑 郝帅）", "chief_editor", "郝帅"),
        ("（编辑 郝帅 杨迪）", "editor", "郝帅,杨迪"),
        ("本文责编：郝帅", "chief_editor", "郝帅"),
        ("责任编辑：郝帅（实习）", "chief_editor", "郝帅"),
        ("责任编辑：郝帅 返回首页", "chief_editor", "郝帅"),
        ("来源：本站原创 作者：医技党支部", "author", "医技党支部"),
        ("作者：方敏北京大学经济学院教授", "author", "方敏"),
        ("来源：青岚日报 记者：张三、李明 通讯员：王小二", "author", "张三,李明,王小二"),
        ("作者：张三 记者：张三 通讯员：", "author", "张三"),
        ("更新时间：2014-06-05 发布时间：2014-06-03 10:00", "published", "2014-06-03T10:00:00+08:00"),
        ("更新时间：2014-06-05 来源：青岚日报", "published", "2014-06-05"),
        ("责任编辑：文静", "chief_editor", "文静"),
        ("作者：阿依努尔·买买提", "author", "阿依努尔·买买提"),
    ],
)
def test_a_labelled_value_is_read(line: str, field: str, value: str) -> None:
    assert getattr(bylines.read_line(line), field) == value


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("信息来源: 发布日期：2024-07-05 13:57", "source"),
        ("责任编辑：", "chief_editor"),
        ("责任编辑：admin", "chief_editor"),
        ("责任编辑：系统管理员", "chief_editor"),
        ("审核：李明远 校对：王一", "editor"),
        ("（编辑 出版工作会议在县城召开）", "editor"),
        ("记者：请介绍一下秋收情况。", "author"),
        ("资金来源渠道多样，群众的收入来源稳定。", "source"),
        ("参展作者、县文联干部张娟：受益良多。", "author"),
        ("来源：" + "长" * 200, "source"),
    ],
)
def test_an_empty_or_foreign_value_stays_none(line: str, field: str) -> None:
    assert getattr(bylines.read_line(line), field) is None


def test_what_labels_and_date_explain_is_not_in_the_rest() -> None:
    assert bylines.read_line("发布时间：2024-09-10 09:24 来源：县政府办").rest == ""
    assert bylines.read_line("县融媒体中心出品 2024-09-10").rest == "县融媒体中心出品"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("新华社青岚12月9日电（记者唐霁）法国9日", "唐霁"),
        ("新华社深圳5月12日电（记者戴小河、印朋）由我国", "戴小河,印朋"),
        ("青岚网10月4日讯（记者陈智 整合） 国庆", "陈智"),
        ("本报讯（记者 张三立 通讯员 李四光）", "张三立,李四光"),
        ("记者梁爽报道 6月10日，全县", "梁爽"),
        ("见习记者 王一凡", "王一凡"),
        ("【文/青岚网专栏 王文】", "王文"),
        ("【本报记者 王一凡】秋收", "王一凡"),
        ("本报讯(张三立 李四光)10月12日", "张三立,李四光"),
        ("新华社青岚5月19日电（张三立、李四光）由我国", "张三立,李四光"),
        ("本报青岚10月12日电 记者张三立、通讯员李四光报道：秋收", "张三立,李四光"),
        ("图/文：张三立", "张三立"),
        ("县里发来贺电（略）", None),
        ("青岚网讯（第三次会议）", None),
        ("记者从会上了解到，今年计划全面完成。", None),
        ("本报记者在现场看到，秩序井然。", None),
    ],
)
def test_reporters_are_read_from_the_head_of_the_text(text: str, names: str | None) -> None:
    assert signoffs.credited([text]) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("赢得群众的肯定。(刘薛全)", "刘薛全"),
        ("更加富有成效。 王君 记者 黄瑾 实习生 刘富燕", "王君,黄瑾,刘富燕"),
        ("（特约通讯员：林兴勇）", "林兴勇"),
        ("(作者：方敏北京大学经济学院教授)", "方敏"),
        ("县融媒体中心记者 王一凡", "王一凡"),
        ("三类情形适用本办法。（一）", None),
        ("共有十二个乡镇（区）", None),
        ("（县委办）", None),
        ("完成投资三亿元（含税）", None),
        ("县长石见山（左二）", None),
        ("政府工作报告（全文）", None),
        ("供稿人签字（盖章）", None),
        ("做好防汛工作。（方　敏）", "方敏"),
        ("做好防汛工作。（张三立 方 敏）", "张三立,方敏"),
    ],
)
def test_a_sign_off_names_people_and_nothing_else(text: str, names: str | None) -> None:
    assert signoffs.signed(text) == names


@given(st.text(max_size=320))
def test_any_line_is_read_without_an_error(line: str) -> None:
    bylines.read_line(line)
    signoffs.signed(line)
    signoffs.is_sign_off(line)
    signoffs.credited([line])


@pytest.mark.parametrize(
    ("line", "source", "author", "editor"),
    [
        ("来源：青岚日报作者：张三责任编辑：李明", "青岚日报", "张三", "李明"),
        ("来源：珠江商报发布时间：2024-06-25 10:03:27", "珠江商报", None, None),
        ("来源｜青岚县融媒体中心 编辑｜莫昌玉 编审｜肖家云", "青岚县融媒体中心", None, "莫昌玉"),
        ("［发布时间］2014-06-03 ［来源］青岚日报", "青岚日报", None, None),
        ("县融媒体中心记者：陈庆彬 编 辑：苏 伟 一 审：魏 倩", None, "陈庆彬", "苏伟"),
        ("文章来源：县教育局 供稿：李明 审核：王五", "县教育局", "李明", None),
        ("供稿：县教育局 2014-06-03", "县教育局", None, None),
        ("發稿時間：2014年6月3日 稿源：青嵐新聞網 責任編輯：張偉明", "青嵐新聞網", None, "張偉明"),
    ],
)
def test_a_label_is_known_behind_another_ones_value(
    line: str, source: str | None, author: str | None, editor: str | None
) -> None:
    read = bylines.read_line(line)
    assert (read.source, read.author, read.chief_editor or read.editor) == (source, author, editor)


@pytest.mark.parametrize(
    "line", ["发布：2014-06-03", "发表于：2014-06-03", "發稿時間：2014-06-03", "时间：2014年6月3日8:5"]
)
def test_a_label_of_time_is_known(line: str) -> None:
    read = bylines.read_line(line)
    assert read.labels == 1
    assert (read.published or "").startswith("2014-06-03")


@pytest.mark.parametrize("word", ["毕业于", "任职于", "全国", "高级", "成立了", "石家庄", "通过", "安排"])
def test_a_word_that_begins_with_a_family_name_is_no_name(word: str) -> None:
    assert not bylines.is_person(word)


@pytest.mark.parametrize("name", ["张家祺", "于文凯", "高金波", "钟才文", "成志明", "石家豪"])
def test_a_name_that_begins_as_a_word_does_is_a_name(name: str) -> None:
    assert bylines.is_person(name)


def test_a_sentence_behind_a_label_names_nobody() -> None:
    value = "公共网络发起人、毕业于青岚大学、代表作《智能社会》高某某，"
    assert bylines.read_line(f"作者：{value}").author is None
    assert signoffs.signed(f"(作者：{value}) ") is None


def test_a_name_keeps_a_last_letter_that_is_also_a_role() -> None:
    assert signoffs.signed("实现多赢、共赢。（钟才文）") == "钟才文"
    assert signoffs.signed("实现多赢、共赢。（李明 文/图）") == "李明"


def test_a_line_of_writers_and_photographers_gives_the_writers() -> None:
    assert signoffs.opened("文/李明 图/王小五") == "李明"
    assert signoffs.opened("文/图 李明") == "李明"
