"""Spellings of one word meet; words that differ stay apart."""

import re
import unicodedata
from hashlib import blake2b, sha256
from importlib import resources

import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.text.folding import FOLD_VERSION, fold, fold_hash

WORDS = [
    ("乾县", "乾縣", "干县"),
    ("干部", "乾部", "幹部"),
    ("解民忧", "解民憂", "解民懮"),
    ("才能", "纔能", "才能"),
    ("陕西", "陝西", "陜西"),
    ("沿着", "沿著"),
    ("沉下身子", "沈下身子"),
    ("沈阳", "瀋陽", "瀋阳"),
    ("计划", "計劃", "計畫"),
    ("答复", "答覆", "答復"),
    ("了解", "瞭解"),
    ("借此", "藉此"),
    ("面条", "麵條", "麪條"),
    ("头发", "頭髮"),
    ("发展", "發展"),
    ("村里", "村裡", "村裏"),
    ("邻村", "鄰邨", "隣村"),
    ("只有", "衹有", "祇有"),
    ("台湾", "臺灣", "台灣"),
    ("实干", "實乾", "實幹"),
    ("干活", "乾活", "幹活"),
    ("干群关系", "乾群關系", "幹羣關係"),
    ("联系", "聯系", "聯繫"),
    ("率先垂范", "率先垂范", "率先垂範"),
    ("千里走访", "千裡走訪", "千里走訪"),
    ("然后", "然后", "然後"),
    ("标准", "標准", "標凖"),
    ("嘉荫县", "嘉蔭縣"),
    ("周末", "周末", "週末"),
    ("征求", "征求", "徵求"),
]
MANY_FROM_ONE = (
    "干乾幹榦 后後 里裏裡 面麵麪 发發髮 历歷曆 准準凖 几幾 松鬆 丑醜 余餘馀 了瞭 才纔 沉沈 忧憂懮 只隻祇衹 台臺檯颱 复復複覆 于於"
    " 云雲 谷穀 卜蔔 斗鬥鬪 向嚮 系係繫 征徵 钟鐘鍾 冲衝沖 出齣 当當噹 党黨 范範 丰豐 刮颳 胡鬍 划劃畫 回迴 汇匯彙 伙夥 获獲穫"
    " 姜薑 借藉 克剋 困睏 蜡蠟 累纍 帘簾 卤鹵滷 蒙濛懞矇 弥彌瀰 辟闢 扑撲 仆僕 朴樸 千韆 秋鞦 曲麯 舍捨 术術 苏蘇甦 它牠 坛壇罈"
    " 团團糰 涂塗 万萬 吁籲 郁鬱 御禦 愿願 折摺 症癥 致緻 制製 种種 周週 朱硃 筑築 着著 家傢 板闆 表錶 别彆 布佈 彩綵 参參 叹嘆歎"
    " 志誌 占佔 升昇陞 游遊 欲慾 咸鹹 淀澱 碍礙 尽盡儘 据據 卷捲 夸誇 么麼 霉黴 蔑衊 凭憑 签簽籤 确確 洒灑 晒曬 尸屍 托託 洼窪 喂餵"
    " 纤纖縴 咽嚥 叶葉 佣傭 涌湧 岳嶽 灶竈 扎紮 赞贊讚 脏髒臟 采採 群羣 峰峯 启啟啓 众眾衆 陕陝陜 为為爲 线線綫 污汙汚 村邨"
).split()
"""A Simplified character, and the Traditional ones that converters, by guess or by error, write for it."""
TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)
CHINESE = st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF) | st.sampled_from(",。、(1A"))


@pytest.mark.parametrize("spellings", WORDS, ids=lambda spellings: spellings[0])
def test_spellings_of_one_word_meet(spellings: tuple[str, ...]) -> None:
    assert len({fold(spelling) for spelling in spellings}) == 1
    assert len({fold_hash(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize("characters", MANY_FROM_ONE)
def test_a_converter_may_choose_any_character_that_was_simplified_to_one(characters: str) -> None:
    assert {fold(character) for character in characters} == {fold(characters[0])}


@pytest.mark.parametrize("script", ["s2t", "s2tw", "s2hk"])
def test_every_common_character_folds_as_what_it_is_converted_to(script: str) -> None:
    codes = (bytes((lead, trail)) for lead in range(0xB0, 0xD8) for trail in range(0xA1, 0xFF))
    common = [code.decode("gb2312") for code in codes if code < b"\xd7\xfa"]
    assert len(common) == 3755
    convert = opencc.OpenCC(script).convert
    assert [character for character in common if fold(convert(character)) != fold(character)] == []


def test_different_words_stay_apart() -> None:
    words = ["乾县", "岐县", "千县", "干部", "干群", "土部", "2014", "2015"]
    assert len({fold(word) for word in words}) == len(words)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ＷＴＯ、Wto", "wtowto"),
        ("“千帮千”活动3年以来，", "千帮千活动3年以来"),
        ("２０１４年６月３日 7:27", "2014年6月3日727"),
        ("① 100㎡", "1100m2"),
        ("a_b-c\u200b\u3000d\u00a0e", "abcde"),
        ("Cafe\u0301", "café"),
        ("ﾊﾞｽ", "バス"),
        ("————", ""),
        ("", ""),
    ],
)
def test_width_case_and_punctuation_do_not_count(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize("script", ["s2t", "s2tw", "s2hk"])
def test_a_converted_article_folds_as_the_original(script: str) -> None:
    text = (
        "青岚县组织党员干部走村入户,面对面了解群众所思所盼所忧,把征求到的意见逐条答复。"
        "县里复耕荒地八百亩,制定了发展计划,沿着河堤修筑道路,头顶烈日挥洒汗水的干群齐心协力。"
        "群众说:只有把根扎在村里,才能知道我们需要什么。范围内的困难户都领到了面粉和食用油。"
    )
    assert fold(opencc.OpenCC(script).convert(text)) == fold(text)


@given(TEXT)
def test_a_fold_holds_nothing_but_letters_and_digits(text: str) -> None:
    assert re.fullmatch(r"[^\W_]*", fold(text))


@given(TEXT)
def test_normal_forms_fold_alike(text: str) -> None:
    assert fold(unicodedata.normalize("NFKC", text)) == fold(text)
    assert fold(unicodedata.normalize("NFD", text)) == fold(text)


@given(CHINESE, CHINESE)
def test_what_is_printed_in_a_text_is_found_in_its_fold(before: str, after: str) -> None:
    assert fold(before + after) == fold(before) + fold(after)


@given(CHINESE)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(TEXT)
def test_a_key_is_blake2b_of_the_fold_in_signed_64_bits(text: str) -> None:
    digest = blake2b((fold(text) or text).encode(), digest_size=8).digest()
    assert fold_hash(text) == int.from_bytes(digest, "big", signed=True)
    assert -(2**63) <= fold_hash(text) < 2**63


def test_lines_without_letters_have_their_own_keys() -> None:
    assert fold_hash("——") != fold_hash("***")
    assert fold_hash("") == fold_hash("")


def test_a_lone_surrogate_has_a_key() -> None:
    assert isinstance(fold_hash("\ud800"), int)


def test_every_row_of_the_table_does_something_and_leads_to_an_end() -> None:
    t2s = opencc.OpenCC("t2s").convert
    lines = (resources.files("crawler.vocabulary") / "folding.tsv").read_text("utf-8").splitlines()
    rows = [tuple(line.split("\t")) for line in lines if line and not line.startswith("#")]
    table = dict(rows)
    assert len(table) == len(rows)
    for char, folded in rows:
        assert len(char) == len(folded) == 1
        assert t2s(char) == char, f"{char} never reaches the table"
        assert t2s(folded) == folded
        assert folded not in table, f"{char} folds to {folded}, which folds on"


def test_a_change_of_the_fold_asks_for_a_new_version() -> None:
    everyday = bytes(byte for lead in range(0xA1, 0xFF) for trail in range(0x40, 0xFF) for byte in (lead, trail))
    characters = everyday.decode("gbk", "ignore") + everyday.decode("big5", "ignore")
    digest = sha256("\n".join(fold(char) for char in sorted(set(characters))).encode()).hexdigest()[:16]
    assert {FOLD_VERSION: digest} == {1: "60db7e6b2fc1633e"}, (
        "archives hold keys of this version: raise FOLD_VERSION with the fold"
    )
