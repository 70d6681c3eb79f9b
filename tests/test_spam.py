"""Injected advertisements are found to the character, cut only where that is sure, and honest news stays whole."""

import json
import time
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from crawler.cli.extract import extract as extract_command
from crawler.records import Article, Paragraph, Removal
from crawler.text.disguise import plain
from crawler.text.folding import fold
from crawler.text.spam import marks, sounds, spans, without_cuts
from crawler.vocabulary import table
from pipelines.clean import clean
from pipelines.extract import extract
from pipelines.sections import sections
from pipelines.spam import SpamPipeline
from pipelines.spam import spam as mark
from tests.test_extract_rules import FIRST, SECOND, page

BEFORE = "县委县政府高度重视乡村振兴工作，组织全县干部"
AFTER = "深入田间地头，帮助群众解决实际困难。"
CHAIN = "金鹄体育备用网站_金鹄彩票下载2.1.0老版本_和金鹄差不多的平台有哪些"


def found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in spans(text)]


def cut(text: str) -> list[str]:
    return [text[span.start : span.end] for span in spans(text) if span.cut]


# What is found.


@pytest.mark.parametrize(
    "run",
    [
        CHAIN,
        CHAIN.replace("_", "|"),
        CHAIN.replace("_", "｜"),
        CHAIN.replace("_", " 丨 "),
        "365体育备用网站_365彩票下载1.0.0老版本_和365差不多的平台有哪些",
        "必威体育官网_betway必威app下载",
        "必威体育官网-必威app下载-betway手机版登录",
        "鹏汇真人下载6.5.5手机版_鹏汇体育最新网址",
        "必威体育betway网站",
        "亚博体育app下载安装",
        "澳门新葡京官网登录入口",
        "365彩票下载1.0.0老版本",
        "半岛真人下载6.6.6安卓版",
        "开云·体育(中国)官方网站_开云体育app下载",
        "时时彩平台_百家乐网站_老虎机官网",
        "代开发票增值税专用发票代开微信13800138000",
    ],
)
@pytest.mark.parametrize(("before", "after"), [(BEFORE, AFTER), (BEFORE + "，", AFTER), (BEFORE + "“", "”" + AFTER)])
def test_a_run_inside_a_sentence_is_cut_to_the_character(run: str, before: str, after: str) -> None:
    assert cut(before + run + after) == [run]
    assert without_cuts(before + run + after, [(len(before), len(before + run))]) == before + after


def test_the_seed_is_left_as_it_was_written(shared: Path) -> None:
    (path,) = (shared / "seeds").glob("003*.txt")
    text = path.read_text(encoding="utf-8")
    [(start, end)] = [(span.start, span.end) for span in spans(text) if span.cut]
    assert (start, end) == (333, 372)
    assert without_cuts(text, [(start, end)])[322:345] == "以落实全省“365”、州“168”农业发展规划"


def test_the_other_seeds_have_none(shared: Path) -> None:
    for path in (shared / "seeds").glob("*.txt"):
        lines = path.read_text(encoding="utf-8").split("\n")
        assert bool(marks(None, lines)) == path.name.startswith("003")


def test_no_page_of_the_corpus_has_one(shared: Path) -> None:
    lines = (shared / "corpus" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    articles = [json.loads(line) for line in lines]
    assert len(articles) > 100
    for truth in articles:
        assert marks(truth.get("title"), truth.get("body") or []) == [], truth["id"]


def test_a_description_at_the_end_of_a_paragraph_is_cut_with_its_full_stop() -> None:
    run = "必威体育官网提供必威体育app下载，betway最新登录网址，欢迎广大玩家注册，全网最高返水，真人百家乐等你来玩。"
    assert cut(f"工作稳步推进。{run}") == [run]
    assert cut(f"工作稳步推进。{run}下一步，县里还要巩固成果。") == [run]


def test_an_advertisement_with_a_telephone_is_cut_as_a_whole() -> None:
    run = "【代开发票】增值税专用发票代开，加微信：fp13800138000，先开后付。"
    assert cut(f"各村认真整改。{run}下一步继续推进。") == [run]


def test_a_paragraph_that_is_nothing_else_is_one_span() -> None:
    for text in (
        "必威体育 | 澳门新葡京 | 时时彩平台 | 真人百家乐",
        "亚博体育官网登录 必赢手机版下载",
        "【必威体育官网】",
    ):
        assert cut(text) == [text]


def test_of_a_stuffed_title_the_honest_part_is_left() -> None:
    honest = "青岚县召开防汛工作会议"
    for title, run in (
        (f"必威体育官网_亚博app下载_{honest}_青岚县人民政府", "必威体育官网_亚博app下载"),
        (f"{honest}_{CHAIN}", CHAIN),
    ):
        assert found(title) == [run]


@pytest.mark.parametrize("run", ["必威体育betway备用网址", CHAIN])
@pytest.mark.parametrize(
    "disguise",
    [
        "\u200b".join,
        lambda run: "".join(chr(ord(char) + 0xFEE0) if char.isascii() and char.isalnum() else char for char in run),
        lambda run: run.replace("体", "體").replace("网", "網").replace("备", "備").replace("么", "麼"),
        lambda run: "".join(f"&#{ord(char)};" for char in run),
        lambda run: "".join(f"&#x{ord(char):x}" for char in run),
        lambda run: run.replace("e", "е").replace("a", "а").upper(),  # Cyrillic
    ],
)
def test_a_disguise_hides_nothing_and_moves_no_edge(run: str, disguise) -> None:
    hidden = disguise(run)
    assert cut(BEFORE + hidden + AFTER) == [hidden]


# What is honest.


@pytest.mark.parametrize(
    "text",
    [
        "今年共安排体育彩票公益金200万元，为12个村配备健身器材。",
        "体育彩票公益金资助项目公示_部门动态_青岚县人民政府",
        "警方破获一起百家乐网络赌博案_警方要闻_青岚县政府",
        "国家反诈中心App下载安装_操作指南",
        "民警走村入户，指导群众完成国家反诈中心App下载安装300人次。",
        "附件_2014年体育彩票公益金使用情况_v1.0.0.xls",
        "附件：12_体育局_全民健身实施计划_第2.1.0版.doc",
        "学习强国_下载_官网",
        "嫌疑人以百家乐、炸金花、老虎机等方式聚众赌博，抽头渔利5万元，被判处有期徒刑。",
        "打击赌博违法犯罪，严查六合彩、时时彩等私彩，取缔窝点3处。",
        "金沙县体育馆免费开放，江南体育中心投入使用，半岛体育记者到场采访。",
        "皇冠国际大酒店、大发超市和永利社区参加活动。",
        "县农商行推出无抵押贷款产品，咨询电话：张经理13800138000。",
        "旅客可登录12306官网购票，手机版2.1.0更新后老版本将停用，请下载安装新版本。",
        "“仇(qiú)”“单(shàn)”“查(zhā)”作姓氏时读音不同。",
        "重庆时时彩早已停售，请勿相信所谓预测软件下载。",
    ],
)
def test_news_that_uses_the_same_words_is_left_alone(text: str) -> None:
    assert spans(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "县公安局破获一起利用“必威体育betway网站”进行网络赌博的案件。",
        "法院审理查明，被告人代理“亚博体育app下载”业务，发展下线30人。",
    ],
)
def test_what_police_and_courts_tell_of_is_told_but_never_cut(text: str) -> None:
    assert [(span.rule, span.cut) for span in spans(text)] == [("report", False)]


def test_a_title_tells_what_its_article_reports() -> None:
    body = "平台名为必威体育betway网站，注册会员三千余人。"
    assert [span.cut for span in marks("青岚县举办丰收节", [body])] == [True]
    assert [span.cut for span in marks("青岚警方打掉一赌博团伙", [body])] == [False]


def test_a_chain_is_spliced_into_reports_of_police_too() -> None:
    assert cut(f"民警破获一起网络赌博案，抓获嫌疑人{CHAIN}三十余名。") == [CHAIN]


def test_where_an_edge_is_open_it_is_only_told() -> None:
    assert [(span.rule, span.cut) for span in spans(f"{BEFORE}鹏汇体育备用网址登录{AFTER}")] == [("phrase", False)]


def test_a_page_peppered_with_sounds_is_flagged_and_a_rare_name_is_not() -> None:
    clone = "國(guó)務院辦公(gong)廳關於印(yìn)發通知，各地(dì)認真貫徹落實，確(què)保取得實效。"
    assert [[(span.rule, span.cut) for span in own] for own in sounds([clone, FIRST])] == [[("pinyin", False)], []]
    assert sounds(["仇(qiú)姓老人今年九十岁。", FIRST]) == [[], []]


# What holds for any text.


@given(
    st.text(
        st.sampled_from("必威体育betway官网下载_|和差不多的平台有哪些。，“”县委13800 \u200b＿＆&#;\n彩票代开发票微信"),
        max_size=60,
    )
)
def test_spans_are_in_order_apart_and_inside_the_text(text: str) -> None:
    place = 0
    for span in spans(text):
        assert place <= span.start < span.end <= len(text)
        place = span.end


@given(st.text(max_size=80))
def test_a_place_without_disguise_leads_back_to_what_it_stood_for(text: str) -> None:
    bare = plain(text)
    assert len(bare.places()) == len(bare.text)
    for char, (start, end) in zip(bare.text, bare.places(), strict=True):
        assert 0 <= start < end <= len(text)
        # A text that hides nothing keeps its full-width signs.
        assert char in {plain(text[start:end]).text, plain(text[start:end] + "\xad").text}


def test_the_vocabulary_lists_every_character_behind_which_a_word_may_hide() -> None:
    words = table("spam")
    used = {char for listed in words.values() if isinstance(listed, list) for word in listed for char in word}
    behind = {fold(char) for char in used} - {""}
    hiding = {char for char in map(chr, range(0x3400, 0xA000)) if fold(char) != char and fold(char) in behind}
    assert "".join(sorted(hiding - set(words["traditional"]))) == ""
    assert all(unicodedata.category(char)[0] == "L" for char in words["lookalikes"])


@pytest.mark.parametrize(
    "piece",
    [
        "必威体育官网，",
        "必威体育官网_",
        "体育x_",
        "必威体育官网 ",
        "代开发票13800138000。",
        "全县必\u200b威体育官网稳步",
        "&#24517;威体育官网_",
        "和",
    ],
)
def test_a_hostile_paragraph_takes_no_more_than_its_length(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece)) + CHAIN
        began = time.process_time()
        spans(text)
        return time.process_time() - began

    seconds(1_000)
    # Eight times the text: linear is 8, quadratic 64; the better of two, as other processes may crowd out the caches.
    assert min(seconds(160_000), seconds(160_000)) < 32 * max(seconds(20_000), 0.01)


# The stage, on pages.


def article(*texts: str, title: str = "秋收进展顺利", removed: tuple[Removal, ...] = ()) -> Article:
    return Article(
        capture=page("").capture,
        encoding="utf-8",
        kind="article",
        title=title,
        paragraphs=tuple(Paragraph(text=text) for text in texts),
        removed=removed,
    )


def read(block: str) -> Article:
    return sections(
        mark(clean(extract(page(f"<title>秋收</title><div id='zoom'><p>{FIRST}</p><p>{SECOND}</p>{block}</div>"))))
    )


def test_an_article_without_spam_is_the_same_object() -> None:
    honest = article(FIRST, SECOND)
    assert mark(honest) is honest


def test_texts_stay_and_spans_say_where_the_run_is() -> None:
    text = BEFORE + CHAIN + AFTER
    marked = mark(article(FIRST, text, title=f"{CHAIN}_青岚县"))
    assert [p.text for p in marked.paragraphs] == [FIRST, text]
    assert [(s.position, s.start, s.text, s.cut) for s in marked.spam] == [
        (-1, 0, CHAIN, True),
        (1, len(BEFORE), CHAIN, True),
    ]


def test_a_whole_paragraph_gets_the_role() -> None:
    assert [p.role for p in mark(article(FIRST, "必威体育官网 亚博app下载", SECOND)).paragraphs] == [
        "body",
        "spam",
        "body",
    ]


@pytest.mark.parametrize(
    "block",
    [
        '<div style="display:none">{}</div>',
        '<div style="position:absolute;left:-9999px;">{}</div>',
        '<div style="text-indent: -9999px"><p>{}</p></div>',
        '<div style="font-size:0">{}</div>',
        '<div style="height:1px;overflow:hidden">{}</div>',
        '<div style="opacity:0">{}</div>',
        '<marquee width="1" height="1">{}</marquee>',
        "<div id=\"k7\">{}</div><script>document.getElementById('k7').style.display='none'</script>",
    ],
)
def test_a_hidden_block_is_kept_as_spam_where_it_advertises_and_an_introduction_for_the_blind_is_not(
    block: str,
) -> None:
    advertisement = "必威体育官网提供亚博app下载"
    hidden = read(block.format(advertisement))
    assert [(p.text, p.role) for p in hidden.paragraphs if p.role == "spam"] == [(advertisement, "spam")]
    assert [(s.rule, s.cut) for s in hidden.spam] == [("hidden advertisement", True)]
    honest = read(block.format("欢迎使用无障碍浏览，按快捷键进入正文区域，秋收工作进展顺利。"))
    assert honest.spam == ()
    assert not [p for p in honest.paragraphs if p.role == "spam"]


def test_links_to_betting_sites_are_kept_as_spam_and_other_links_stay_furniture() -> None:
    links = ["必威体育官网", "亚博app下载", "青岚县第三次常务会议召开"]
    read_ = read("".join(f'<p><a href="http://{n}.example/">{text}</a></p>' for n, text in enumerate(links)))
    assert [p.text for p in read_.paragraphs if p.role == "spam"] == links[:2]
    assert [(cut.text, cut.reason) for cut in read_.removed] == [(links[2], "furniture")]


def test_other_items_pass() -> None:
    assert SpamPipeline().process_item("x") == "x"


def test_extract_prints_the_text_without_the_run_and_says_what_it_left_out(tmp_path: Path) -> None:
    text = BEFORE + CHAIN + AFTER
    html = f"<meta charset=utf-8><title>秋收</title><div id=zoom><p>{FIRST}</p><p>{SECOND}</p><p>{text}</p><p>必威体育官网 亚博app下载</p></div>"
    (tmp_path / "a.html").write_text(html, encoding="utf-8")
    printed = json.loads(CliRunner().invoke(extract_command, [str(tmp_path / "a.html")]).stdout)
    assert printed["body"] == [FIRST, SECOND, BEFORE + AFTER]
    assert printed["removed"] == [
        {"text": CHAIN, "reason": "spam", "rule": "chain"},
        {"text": "必威体育官网 亚博app下载", "reason": "spam", "rule": "phrase"},
    ]
