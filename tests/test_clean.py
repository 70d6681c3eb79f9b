"""What is page furniture, and what stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.records import Article, Paragraph
from pipelines.clean import CleanPipeline, clean
from tests.test_extract_rules import FIRST, SECOND, page

LONG = [FIRST, SECOND, FIRST[::-1]]


def article(
    *texts: str, title: str | None = "秋收进展顺利", published: str | None = "2024-06-04T09:00:00+08:00"
) -> Article:
    return Article(
        capture=page("").capture,
        encoding="utf-8",
        kind="article",
        title=title,
        published=published,
        paragraphs=tuple(Paragraph(text=text) for text in texts),
    )


def kept(*texts: str) -> list[str]:
    return [paragraph.text for paragraph in clean(article(*texts)).paragraphs]


@pytest.mark.parametrize(
    "line",
    [
        "|",
        "　|　",
        "——",
        "打印本页",
        "【关闭窗口】",
        "字体：【大 中 小】",
        "浏览次数：102次",
        "点击：",
        "分享到：",
        "扫一扫在手机打开当前页",
        "返回顶部",
        "进入论坛",
        "【内容纠错】",
        "【字体：大 中 小】 【打印本页】 【关闭窗口】",
        "打印|关闭",
        "分享到：  打印　关闭",
        "浏览次数：35 次 [返回顶部]",
        "【信息发布：青岚县农业农村局】 【内容纠错】 【打印文章】",
        "您的浏览器不支持播放，请升级",
        "ADVERTISEMENT",
        "Comments",
        "1\xa0/\xa09",
    ],
)
def test_buttons_and_debris_go_wherever_they_stand(line: str) -> None:
    assert kept(FIRST, line, SECOND, FIRST) == [FIRST, SECOND, FIRST]


@pytest.mark.parametrize(
    "line",
    [
        "责任编辑：李四光",
        "（责编：郝帅、杨迪）",
        "责 任 编 辑：方　晓",
        "（责任编辑 方晓）",
        "本文责编：方晓",
        "凡本网注明“来源：青岚网”的作品，均为青岚网合法拥有版权的作品，未经授权不得转载、摘编或以其它方式使用。",
        "上一篇：青岚县召开防汛会议",
        "下一篇:没有了",
        "<< 上一篇 青岚县召开防汛会议",
        "[上一篇]：青岚县召开防汛会议 [下一篇]：没有了",
        "相关链接",
        "版权所有：青岚县人民政府",
        "主办单位：青岚县政府办",
        "陕ICP备05000924号",
        "网站标识码：6104240099",
        "标签： 秋收 农业",
        "首页 上一页 1 2 下一页 尾页",
        "第1页 共3页 首页 上一页 下一页 尾页",
        "共3页：上一页 [1] [2] [3] 下一页",
        "1 2 3",
        "附件：",
    ],
)
def test_the_foot_of_a_page_goes_at_the_end_and_stays_elsewhere(line: str) -> None:
    assert kept(*LONG, line) == LONG
    assert kept(line, *LONG)[0] == line


@pytest.mark.parametrize(
    "line",
    [
        "您当前的位置：首页 > 新闻中心 > 县域要闻",
        "首页 > 要闻",
        "索引号：610424/2023-00041",
        "发文字号\t青政办〔2023〕12号\t有 效 性\t有效",
        "标　　题\t青岚县人民政府办公室关于秋收的通知",
    ],
)
def test_breadcrumbs_and_index_tables_go_at_the_edges_only(line: str) -> None:
    assert kept(line, *LONG) == LONG
    assert kept(FIRST, line, SECOND) == [FIRST, line, SECOND]


def test_the_repeated_title_and_the_information_line_go_with_what_stands_above_them() -> None:
    line = "青岚县人民政府门户网站 www.qinglan.example 时间：2024-06-04 09:00 来源：青岚日报 点击：3次"
    cleaned = clean(article("某某旅游网欢迎您", "秋收进展\u3000顺利", line, *LONG))
    assert [paragraph.text for paragraph in cleaned.paragraphs] == LONG
    assert [cut.rule for cut in cleaned.removed] == ["above the title", "title", "information line"]
    assert {cut.reason for cut in cleaned.removed} == {"furniture"}


@pytest.mark.parametrize(
    "texts",
    [
        ["青岚山下稻花香", "石桥河畔机声忙", "干部下田帮抢收", "颗粒归仓喜洋洋"],
        ["The county's maize is in. All twelve townships had help.", "Machines came from the plain below."],
    ],
)
def test_a_text_without_full_stops_stays_above_its_information_line(texts: list[str]) -> None:
    assert kept(*texts, "2024-06-04 09:00 来源：青岚日报") == texts


def test_a_title_broken_into_lines_goes_as_a_whole() -> None:
    cleaned = clean(article("秋收", "进展顺利", *LONG))
    assert [paragraph.text for paragraph in cleaned.paragraphs] == LONG


def test_the_title_behind_the_text_stays() -> None:
    assert kept(*LONG, "秋收进展顺利") == [*LONG, "秋收进展顺利"]


def test_behind_the_editor_nothing_is_text() -> None:
    cleaned = clean(article(*LONG, "编辑:秦人", "特产礼品 让旅游便宜起来", "报名优惠200元!"))
    assert [paragraph.text for paragraph in cleaned.paragraphs] == LONG
    assert [cut.rule for cut in cleaned.removed] == ["editor", "behind the end", "behind the end"]


def test_a_sites_address_goes_with_its_licence_and_an_events_stays() -> None:
    site = ["主办：青岚县人民政府", "地址：城关镇人民路1号　邮编：650000", "滇ICP备05000000号"]
    assert kept(*LONG, *site) == LONG
    assert kept(*LONG, *site[:2]) == [*LONG, *site[:2]]


@pytest.mark.parametrize("line", ["记者：今年秋收有什么特点？", f"记者：{FIRST}", "时间：2024年5月8日上午9时"])
def test_what_only_looks_like_an_information_line_stays(line: str) -> None:
    assert kept(line, *LONG) == [line, *LONG]


def test_an_article_that_goes_on_behind_a_label_is_kept() -> None:
    assert kept(*LONG, "相关链接", *LONG, SECOND)[-4:] == [*LONG, SECOND]


@pytest.mark.parametrize("day", ["2012年6月24日", "2024年5月10日"])
def test_a_day_of_the_text_itself_stays(day: str) -> None:
    assert kept(day, *LONG, day) == [day, *LONG, day]


@pytest.mark.parametrize(
    "line",
    [
        "34、金山城市沙滩",
        "2.泡豆子的水要保留",
        "成人票原价：279元",
        "1、发布时间要准确，来源要核实。",
        "图片均来自网络",
        "各区卫生健康委:",
        "主办单位：青岚县文化和旅游局",
        "2019\t35\t40",
        "扫一扫二维码即可办理业务，群众少跑腿。",
        "标签化管理见成效",
        "版权所有者应当依法登记。",
        "3",
        "（一）",
    ],
)
def test_lines_that_look_a_little_like_furniture_stay(line: str) -> None:
    assert line in kept(*LONG, line, SECOND)


@pytest.mark.parametrize(
    ("line", "role"),
    [
        ("（刘一凡）", "byline"),
        ("见习记者 王一凡", "byline"),
        ("图文来源：区委网信办、区融媒体中心", "byline"),
        ("县委书记刘某某(左三)看望慰问贫困户", "caption"),
        ("图为启动仪式。（刘通摄）", "caption"),
        ("驻村:结对子、认亲戚,田间地头办实事", "heading"),
        (SECOND, "body"),
    ],
)
def test_what_stays_has_its_role(line: str, role: str) -> None:
    paragraphs = clean(article(FIRST, line, SECOND + FIRST)).paragraphs
    assert paragraphs[1].text == line
    assert paragraphs[1].role == role


@given(
    st.lists(
        st.one_of(st.text(min_size=1, max_size=60), st.sampled_from([*LONG, "编辑:秦人", "|", "相关链接"])), max_size=12
    )
)
def test_nothing_is_lost_and_nothing_changes(texts: list[str]) -> None:
    cleaned = clean(article(*texts))
    assert sorted([p.text for p in cleaned.paragraphs] + [cut.text for cut in cleaned.removed]) == sorted(texts)


def test_the_pipeline_passes_what_is_no_article() -> None:
    assert CleanPipeline().process_item(7) == 7


@pytest.mark.parametrize("line", ["秋收工作进展顺利 2014-06-03 来源：青岚日报", "秋收工作进展顺利（2014-06-03）"])
def test_the_title_with_the_information_line_behind_it_is_the_repeated_title(line: str) -> None:
    lines = [
        line,
        "全县十二个乡镇抢抓晴好天气，组织农机跨区作业，确保颗粒归仓。",
    ]
    done = clean(article(*lines, title="秋收工作进展顺利"))
    assert [paragraph.text for paragraph in done.paragraphs] == lines[1:]
    assert [cut.rule for cut in done.removed] == ["title"]
