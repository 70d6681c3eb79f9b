"""Injected advertisements: exact spans on planted cases of ten shapes, pages with hidden blocks, clones, false cuts on honest articles, speed.

    python bench/spam.py [--cases 300] [--articles 5000] [--show SHAPE]

Every case is an honest paragraph of `lineage` with an advertisement at a known place: after punctuation, or between any
two characters. Half of the names are in the vocabulary, half are invented. Honest articles have sentences in them that
use the same words as police, courts, lotteries, shops and file names do; each is also read with its own title.
"""

import argparse
import random
import time
from collections import Counter
from datetime import UTC, datetime

import lineage
import opencc

from crawler.records import Capture, RecordRef
from crawler.text import spam
from pipelines.clean import clean
from pipelines.decode import decode
from pipelines.extract import extract
from pipelines.spam import spam as stage

KNOWN = "必威体育 亚博体育 开云体育 乐鱼体育 华体会 爱游戏体育 米乐体育 澳门新葡京 半岛体育 新葡京 必赢 贝博体育 365体育 bet365 betway manbetx 威廉希尔 伟德国际".split()
INVENTED = "金鹄体育 银鹭体育 鹏汇体育 雀宝体育 云鲸体育 赤狐体育 飞鸾体育 玄鲤体育 白犀体育 墨鸦体育 鹰合体育 鹤鼎体育".split()
ENDINGS = "官网 app下载 备用网址 登录入口 最新网址 手机版下载 下载安装 官网登录 注册 备用网站 网页版 平台".split()
GOODS = "彩票 娱乐 棋牌 电竞 真人".split()
QUESTIONS = "有哪些 哪个好 怎么样 靠谱吗".split()
VERSIONS = "老版本 安卓版 手机版 最新版".split()
GAMES = "百家乐 时时彩 六合彩 老虎机 龙虎斗 炸金花 幸运飞艇 快三".split()
TRADES = (
    ("代开发票", "增值税专用发票代开", "先开后付"),
    ("小姐上门", "全套服务", "包满意"),
    ("黑户贷款", "无视征信", "当天放款"),
    ("办证刻章", "毕业证办理", "专业办理"),
)
WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in (*range(0x30, 0x3A), *range(0x61, 0x7B))})

HONEST = (
    "今年，全县共安排体育彩票公益金{n}万元，为{n}个村配备健身器材。",
    "中国体育彩票{n}期开奖结果揭晓，我县一站点中出大奖，奖金{n}万元。",
    "福利彩票销售站点严禁向未成年人出售彩票和兑付奖金。",
    "体彩中心提醒广大购彩者理性投注，量力而行。",
    "县公安局破获一起利用“必威体育betway网站”进行网络赌博的案件，涉案金额{n}万元。",
    "嫌疑人在其开设的赌场内以百家乐、炸金花、老虎机等方式聚众赌博，抽头渔利{n}元。",
    "法院以开设赌场罪判处被告人有期徒刑{n}个月，该团伙代理“亚博体育app”发展下线{n}人。",
    "打击赌博违法犯罪，严查六合彩、时时彩等私彩，取缔窝点{n}处。",
    "民警走村入户指导群众完成国家反诈中心App下载安装{n}人次。",
    "请广大群众下载安装“国家反诈中心”APP，不点击陌生链接，不下载不明软件。",
    "县税务局查处一起虚开增值税专用发票案，涉案发票{n}份，犯罪嫌疑人通过微信群发布代开发票信息。",
    "警惕“裸聊”诈骗，民警提醒：陌生视频不要接，陌生软件不要装。",
    "党员干部登录“学习强国”平台，在线学习{n}小时，积分位居全市前列。",
    "附件下载：{n}_体育局_2014年体育彩票公益金使用情况_v1.0.0.xls",
    "附件：关于印发_全民健身实施计划_的通知_{n}.doc",
    "全县体育产业总产值{n}万元，体育平台建设稳步推进，江南体育中心投入使用。",
    "“半岛体育”记者从县文体局获悉，足球进校园活动覆盖{n}所学校。",
    "金沙县体育馆免费开放，{n}名群众报名参加太极拳培训。",
    "永利社区银河小区凤凰路改造完成，惠及居民{n}户。",
    "皇冠国际大酒店和大发超市参加了消费扶贫活动，销售额{n}万元。",
    "12306网站和手机App下载量突破{n}万，旅客可登录官网购票。",
    "县文化馆的电子游戏厅专项整治检查经营场所{n}家，收缴老虎机{n}台。",
    "政务服务网提供在线注册、登录、查询，网址是www.example.gov.cn，客服电话0910-12345。",
    "县农商行推出无抵押贷款产品，咨询电话：张经理13800138000，首批授信{n}万元。",
    "世界杯期间，警方严打赌球，查获利用境外网站买球的人员{n}名。",
    "手机版2.1.0更新后，老版本将停止服务，请及时下载安装新版本。",
    "会上播放了警示教育片，剖析了沉迷百家乐、挪用公款{n}万元的案例。",
    "“六合彩”害人不浅，村民王某输掉{n}万元后幡然醒悟，如今是村里的禁赌宣传员。",
    "县文旅局_县融媒体中心_联合推出“云游”栏目，点击量{n}万。",
    "报名网址http://www.example.cn/2014/06_03/index_{n}.html，咨询电话0910-55{n}。",
    "开云服饰产业园投产，年产值{n}万元，华体会展公司承办了开园仪式。",
    "重庆时时彩已于多年前停售，请勿相信任何所谓“预测软件下载”。",
    "真人秀节目在我县开机，娱乐频道全程直播，观看人数达{n}万。",
    "代办点开展上门服务，为行动不便老人办理社保认证{n}人次，24小时热线0910-66{n}。",
    "棋牌室噪音扰民问题得到解决，社区与{n}家棋牌娱乐场所签订承诺书。",
    "乐鱼小镇、米乐农场、九游谷景区等{n}个项目签约落地。",
    "（國(guó)务院）“仇(qiú)”“单(shàn)”“查(zhā)”作姓氏时读音不同，老师讲了{n}遍。",
    "电竞产业园引进企业{n}家，电竞赛事直播平台落户我县。",
    "电子竞技、棋牌、足球等{n}个项目列入全民健身运动会。",
)
TITLES = (
    "{c}体育彩票公益金资助项目公示_部门动态_{c}人民政府",
    "{c}警方破获百家乐网络赌博案_警方要闻_{c}政府",
    "国家反诈中心App下载安装_操作指南_{c}公安局",
    "学习强国_下载_官网",
    "附件_2014年{c}体育局_v1.0.0.xls",
    "中国体育彩票_开奖公告_{c}体彩中心",
    "{c}召开打击赌博专项行动推进会",
)


class Advertiser:
    """Makes advertisements of one name."""

    def __init__(self, chance):
        self.chance = chance
        self.name = chance.choice(KNOWN if chance.random() < 0.5 else INVENTED)
        self.short = self.name.removesuffix("体育")

    def searched(self):
        return self.name + self.chance.choice(ENDINGS)

    def version(self):
        goods, version = self.chance.choice(GOODS), ".".join(str(self.chance.randint(0, 9)) for _ in range(3))
        return f"{self.short}{goods}下载{version}{self.chance.choice(VERSIONS)}"

    def question(self):
        return f"和{self.short}差不多的平台{self.chance.choice(QUESTIONS)}"

    def chain(self, joint="_"):
        parts = [self.searched(), self.version(), self.question(), self.searched()]
        return joint.join(self.chance.sample(parts[:3], self.chance.choice((2, 3))) if joint == "_" else parts[:3])


def known(chance):
    advertiser = Advertiser(chance)
    advertiser.name = chance.choice(KNOWN)
    advertiser.short = advertiser.name.removesuffix("体育")
    return advertiser


def chain(chance):
    return Advertiser(chance).chain()


def barred(chance):
    return Advertiser(chance).chain(chance.choice("|｜丨"))


def phrase(chance):
    advertiser = known(chance)
    return advertiser.name + chance.choice(("betway", "yabo", "manbetx", "")) + chance.choice(ENDINGS)


def title(chance):
    return "_".join((Advertiser(chance).searched(), Advertiser(chance).version(), Advertiser(chance).searched()))


def description(chance):
    name = known(chance).name
    return f"{name}官网提供{name}app下载，{name}最新登录网址，欢迎广大玩家注册，全网最高返水，真人{chance.choice(GAMES)}等你来玩。"


def link_paragraph(chance):
    return chance.choice((" | ", " ", "_", "　")).join(known(chance).searched() for _ in range(chance.randint(2, 6)))


def versioned(chance):
    return known(chance).version()


def disguised(chance):
    advertiser = known(chance)
    made = advertiser.name + "betway" + chance.choice(ENDINGS) if chance.random() < 0.5 else Advertiser(chance).chain()
    way = chance.randrange(5)
    if way == 0:
        return "\u200b".join(made)
    if way == 1:
        return made.translate(WIDE)
    if way == 2:
        return opencc.OpenCC("s2t").convert(made)
    if way == 3:
        return "".join(f"&#{ord(char)};" if ord(char) > 0x3000 else char for char in made)
    return made.replace("e", "е").replace("a", "а").replace("o", "о")


def trade(chance):
    first, second, third = chance.choice(TRADES)
    phone = f"1{chance.choice('3578')}{chance.randrange(10**9):09d}"
    return chance.choice(
        (
            f"{first}，电话微信{phone}，{second}，{third}。",
            f"{first}{second}微信{phone}",
            f"【{first}】{second}，加微信{phone}，{third}。",
        )
    )


def games(chance):
    one, two, three = chance.sample(GAMES, 3)
    return chance.choice(
        (
            f"{one}平台_{two}网站_{three}官网",
            f"{one}技巧，{two}开户，{three}在线投注，注册送体验金88元。",
            f"{one}app下载_{two}走势图",
        )
    )


SHAPES = {
    "chain": chain,
    "barred chain": barred,
    "phrase": phrase,
    "title": title,
    "description": description,
    "paragraph": link_paragraph,
    "version": versioned,
    "disguised": disguised,
    "trade": trade,
    "games": games,
}


def planted(shape, chance):
    """A text with an advertisement, and where it is."""
    made = SHAPES[shape](chance)
    author = lineage.Author(chance)
    if shape == "title":
        own = f"{author.county}{chance.choice(author.deeds)}"
        return (
            (f"{made}_{own}", 0, len(made))
            if chance.random() < 0.5
            else (f"{own}_{made}", len(own) + 1, len(own) + 1 + len(made))
        )
    if shape == "paragraph":
        return made, 0, len(made)
    honest = "".join(author.sentence() for _ in range(chance.randint(2, 5)))
    if made.endswith("。"):
        places = [
            0,
            len(honest),
            *(at + 1 for at, char in enumerate(honest[:-1]) if char == "。" and honest[at + 1] != "”"),
        ]
    elif chance.random() < 0.5:
        places = [at + 1 for at, char in enumerate(honest) if char in "，。“、"]
    else:
        places = [
            at
            for at in range(1, len(honest))
            if not honest[at - 1 : at + 1].isalnum() or not honest[at - 1 : at + 1].isascii()
        ]
    at = chance.choice(places)
    return honest[:at] + made + honest[at:], at, at + len(made)


def quality(cases, show):
    print(f"{'shape':14} {'exact':>6} {'cut':>6} {'wrong cuts':>10}   of {cases}")
    for shape in SHAPES:
        chance = random.Random(f"spam {shape}")
        found = Counter()
        for _ in range(cases):
            text, start, end = planted(shape, chance)
            spans = spam.spans(text)
            is_exact = [(span.start, span.end) for span in spans] == [(start, end)]
            found["exact"] += is_exact
            found["cut"] += is_exact and spans[0].cut
            found["wrong"] += any(span.cut and not (start <= span.start and span.end <= end) for span in spans)
            if show == shape and not is_exact:
                print(
                    "   ",
                    text[max(0, start - 12) : start],
                    "[",
                    text[start:end],
                    "]",
                    text[end : end + 12],
                    spans and [(text[s.start : s.end], s) for s in spans],
                )
        print(f"{shape:14} {found['exact'] / cases:6.3f} {found['cut'] / cases:6.3f} {found['wrong']:10}")


def capture(html):
    return Capture(
        run_id="",
        portal_id="",
        kind="article",
        url="https://x.example/",
        fetched_at=datetime.now(UTC),
        status=200,
        payload_sha256="",
        record=RecordRef(file="", offset=0, length=0),
        body=html.encode(),
    )


def hidden(cases):
    """Blocks that a reader does not see, on pages."""
    chance = random.Random("spam hidden")
    styles = (
        'style="display:none"',
        'style="position:absolute;left:-9999px"',
        'style="text-indent:-9999px"',
        'style="font-size:0"',
        'style="height:0;overflow:hidden"',
    )
    found = 0
    for _ in range(cases):
        author, made = lineage.Author(chance), chance.choice((chain, description, trade, link_paragraph))(chance)
        paragraphs = "".join(f"<p>{author.sentence()}{author.sentence()}{author.sentence()}</p>" for _ in range(5))
        html = f"<html><head><title>{author.county}要闻</title></head><body><div class='content'>{paragraphs}<div {chance.choice(styles)}>{made}</div></div></body></html>"
        read = stage(clean(extract(decode(capture(html)))))
        said = "".join(paragraph.text for paragraph in read.paragraphs if paragraph.role != "spam")
        found += made not in said and any(
            made in paragraph.text for paragraph in read.paragraphs if paragraph.role == "spam"
        )
    print(f"{'hidden block':14} {found / cases:6.3f}")


def peppered(cases):
    """Clones that have the sound behind their characters."""
    chance = random.Random("spam pinyin")
    flagged = 0
    for _ in range(cases):
        texts = list(lineage.Author(chance).story("a").texts)
        flagged += any(
            spam.sounds(["".join(c + ("(guó)" if chance.random() < 0.02 else "") for c in text) for text in texts])
        )
        flagged -= any(spam.sounds(texts))
    print(f"{'pinyin clone':14} {flagged / cases:6.3f}")


def honest(count):
    chance = random.Random("honest")
    articles = []
    for number in range(count):
        author = lineage.Author(chance)
        paragraphs = ["".join(sentences) for sentences in author.story(str(number)).paragraphs]
        for sentence in chance.sample(HONEST, chance.randint(1, 5)):
            at = chance.randrange(len(paragraphs))
            paragraphs[at] += sentence.format(n=chance.randint(2, 999))
        own = (
            chance.choice(TITLES).format(c=author.county)
            if chance.random() < 0.3
            else author.county + chance.choice(author.deeds)
        )
        articles.append((own, paragraphs))
    cuts, flags, rules = Counter(), Counter(), Counter()
    for own, paragraphs in articles:
        for span in spam.marks(own, paragraphs):
            (cuts if span.cut else flags)[span.text] += 1
            rules[span.rule] += 1
    print(f"\n{count} honest articles: {cuts.total()} cuts {dict(cuts)}, {flags.total()} flags {dict(rules)}")
    for text, number in flags.most_common(12):
        print(f"    {number:5} {text}")
    others = [list(lineage.Author(chance).story("a").texts) for _ in range(1_000)]
    for name, group in (("with such sentences", [[own, *texts] for own, texts in articles]), ("without them", others)):
        began = time.process_time()
        for own, *texts in group:
            spam.marks(own, texts)
        spent = time.process_time() - began
        size, chars = (sum(len(measure(text)) for texts in group for text in texts) for measure in (str.encode, str))
        print(
            f"    {name}: {size / spent / 1e6:.1f} MB/s, {spent / len(group) * 1000:.3f} ms an article of {chars / len(group):.0f} characters"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--articles", type=int, default=5000)
    parser.add_argument("--show", choices=SHAPES)
    options = parser.parse_args()
    quality(options.cases, options.show)
    peppered(options.cases)
    hidden(options.cases)
    honest(options.articles)


if __name__ == "__main__":
    main()
