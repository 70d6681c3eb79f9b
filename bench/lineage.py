"""County news whose lineage is known: stories of our own, and what reprinting makes of them. All follows from a seed."""

import random
import unicodedata
from dataclasses import dataclass, field, replace

import opencc

FIRST = "青石柳白龙双永高东南西北安太平新杏枣松竹梅荷云碧金银玉秀清明长大小上下中前后古红黄黑蓝紫丰宝福瑞祥和兴"
SECOND = "溪桥坪岭湾塬河井营集泉杨林花坊店口庄寨堡沟坡塘港滩峰岩洞洲屯坝关庙台阁亭畈垭岔川原洼头梁峪圩浦"
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
GIVEN = "建国华明伟志强军平勇斌辉涛鹏杰浩宇晨阳雪梅兰芳英秀丽娟敏静霞燕玲红玉珍凤琴云莲春秋冬夏海山川林森峰岩石磊鑫淼焱垚文武斯德仁义礼智信忠孝廉正直诚恒毅坚守望远航帆舟波澜清源泉"
POSTS = "县委书记 县长 副县长 镇党委书记 镇长 县农业局局长 县水利局局长 县教育局局长 县卫生局局长 县交通局局长 县民政局局长 县林业局局长 村党支部书记 县财政局局长 县委宣传部部长".split()

TOPICS = {
    "水利": (
        "清淤渠道|加固病险水库|铺设输水管网|更换老旧闸门|疏浚河床|修建蓄水池|测量水位|砌护河堤|安装滴灌设备|打深水井",
        "汛期来临之前|枯水季节|连续三周无雨之后|抢在封冻之前|灌溉高峰到来时",
        "下游农田浇上了头遍水|旱地变成了水浇地|家家拧开龙头就有清水|险段不再渗漏|水费比往年省了一截|抽水站日夜不停",
    ),
    "教育": (
        "改造危旧校舍|配备音乐教室|招聘特岗教师|开办寄宿食堂|开展家访|组织支教|更新课桌椅|添置图书|开设足球课|评选优秀班主任",
        "秋季开学前|寒假期间|中考结束之后|家长会上|新学期第一周",
        "孩子们搬进了亮堂的教室|辍学的学生又回来了|山里娃也弹上了电子琴|午饭有荤有素|家长放心外出打工|升学率比去年高",
    ),
    "卫生": (
        "巡回义诊|筛查高血压|接种疫苗|培训乡村医生|建立健康档案|配送平价药品|上门换药|改建产房|采集血样|宣讲防病知识",
        "流感多发时节|重阳节前后|赶集日|入冬以后|每月逢五",
        "老人不出村就量了血压|看病报销当场办结|小病不再往城里跑|产妇住进了新病房|药价降了下来|慢性病有人管",
    ),
    "农业": (
        "推广良种|测土配方|嫁接果树|搭建大棚|防治蚜虫|机收小麦|晾晒玉米|订单种植辣椒|养殖肉牛|加工粉条",
        "立夏过后|三夏大忙里|霜降前|春分时节|连阴雨刚停",
        "一亩地多收了两袋粮|果子卖到了省城|合作社年底分了红|荒坡披上了绿装|客商开车到地头收购|种粮大户添了新农机",
    ),
    "交通": (
        "硬化通村道路|拓宽急弯|架设便民桥|增设公交站点|安装波形护栏|整治超限运输|补划标线|清除塌方|栽植行道树|修补坑槽",
        "雨季结束后|春运开始前|国庆长假前夕|夜间车少时段|大雪封山之前",
        "班车开到了家门口|运菜少绕了一座山|学生不再蹚水过河|事故比去年同期少|快递当天能到村|赶集只要一刻钟",
    ),
    "文化": (
        "排演新编秦腔|修缮古戏台|送电影下乡|举办剪纸展|普查老物件|收集民歌|开放图书馆|教唱合唱|组织社火巡游|拍摄纪录片",
        "正月里|农闲时|文化遗产日|端午节当天|周末晚上",
        "台下坐满了乡亲|失传的唱腔又响了起来|年轻人拜了师傅|戏服是村民自己缝的|老艺人教到深夜|展厅里排起长队",
    ),
    "民政": (
        "核查低保对象|发放棉衣棉被|修缮敬老院|慰问困难家庭|办理残疾人证|资助孤儿上学|公示救助名单|安装防滑扶手|登记留守老人|调解邻里纠纷",
        "寒潮到来前|春节临近|入户走访时|年度复核期间|雪后第二天",
        "五保老人住上了暖房|该进的进了该退的退了|面粉和食用油送到了炕头|孤寡老人有人陪着说话|补助打进了一卡通|矛盾没有出村",
    ),
    "环保": (
        "关停小造纸厂|整治畜禽粪污|清理垃圾堆|淘汰燃煤锅炉|监测水质|栽种芦苇|回收农膜|取缔采砂船|处理扬尘|巡查排污口",
        "督察组离开以后|秋冬季攻坚中|世界环境日前后|接到群众举报当晚|采暖期开始前",
        "臭水沟里又见了鱼|蓝天多了起来|村口不再焚烧秸秆|白鹭飞回了河滩|堆了多年的垃圾运走了|窗户敢打开了",
    ),
    "安全": (
        "排查烟花爆竹|检查煤矿通风|演练消防疏散|检测电梯|约谈企业负责人|张贴警示标识|查处无证经营|培训安全员|更换灭火器|封闭废弃矿井",
        "节前一周|高温天气里|复工复产之际|夜查行动中|安全生产月",
        "隐患逐条销了号|职工会用灭火器了|三家企业停产整改|通道重新畅通|没有发生一起伤亡|台账一天一更新",
    ),
    "旅游": (
        "打造赏花步道|改建农家客栈|评定星级饭店|推出一日游线路|培训讲解员|举办采摘节|修复古城墙|开通观光小火车|制作导览图|整顿黑导游",
        "油菜花开时|黄金周里|旅游旺季前|首届采摘节上|周末自驾高峰",
        "民宿一床难求|土特产卖断了货|停车场天天爆满|大娘的凉皮摊火了|回头客占了一半|古城夜里亮起了灯",
    ),
    "工业": (
        "引进电子厂|扩建标准厂房|改造生产线|招聘普工|对接银行贷款|申报专利|试产新面料|铺设蒸汽管道|办理用地手续|调试机器人",
        "开工仪式后|订单最忙的月份|项目签约当天|设备进场时|第三季度",
        "在家门口领上了工资|第一批货发往沿海|产值翻了一番|车间三班倒|税收比上年增加|空置厂房全租了出去",
    ),
    "党建": (
        "讲授党课|公开村务账目|选派第一书记|评议干部作风|设立意见箱|轮训支部书记|结对帮扶|整顿软弱支部|认领微心愿|压缩会议文件",
        "主题教育中|换届之后|组织生活会上|七一前夕|半年考核时",
        "干部裤腿上沾满了泥|账目贴在墙上人人看得懂|会少了下村的人多了|群众敢当面提意见|办事不用求人|老党员又戴上了党徽",
    ),
}
VOICES = "以前想都不敢想|现在心里踏实多了|只要肯干就有奔头|这回是真办事|头一回见这么快|我们说了算|不怕吃苦就怕没路|孩子们高兴我就高兴|今年能过个好年|再干几年也值".split(
    "|"
)
DOUBTS = "资金缺口还不小|有的村至今没有动工|年轻劳力大多在外|技术人员一人管着三个镇|山高路远材料难运|老办法一时改不过来|配套设施还没跟上|后期管护没人负责".split(
    "|"
)
SLOGANS = (
    "各级各部门要认真贯彻落实会议精神，切实把思想和行动统一到县委的决策部署上来，为建设富裕和谐美丽的新县城而努力奋斗。",
    "要坚持以人民为中心的发展思想，着力解决群众最关心最直接最现实的利益问题，不断增强群众的获得感幸福感安全感。",
    "要强化责任担当，狠抓工作落实，确保各项目标任务如期完成，以优异成绩迎接新的考验。",
)
SYNONYMS = {
    "组织": "动员",
    "负责": "牵头",
    "介绍": "告诉记者",
    "开始": "着手",
    "投入": "拿出",
    "涉及": "覆盖",
    "坚持": "一直",
    "来到": "走进",
    "计划": "打算",
    "目前": "眼下",
}

TRADITIONAL = opencc.OpenCC("s2t").convert


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An article; `lineage` names the story it tells, `change` what was done to it."""

    lineage: str
    change: str
    title: str
    paragraphs: tuple[tuple[str, ...], ...] = field(repr=False)
    """Sentences by paragraph."""

    @property
    def texts(self):
        return tuple("".join(sentences) for sentences in self.paragraphs)


def place(chance):
    return chance.choice(FIRST) + chance.choice(SECOND)


def person(chance):
    return chance.choice(SURNAMES) + "".join(chance.choices(GIVEN, k=chance.choice((1, 2, 2))))


class Author:
    """Writes stories: one county, a few people and villages, one topic a story."""

    def __init__(self, chance):
        self.chance = chance
        self.county = place(chance) + "县"
        self.places = [place(chance) + chance.choice("镇乡村") for _ in range(5)]
        self.people = [(person(chance), chance.choice(POSTS)) for _ in range(4)]
        self.topic = chance.choice(sorted(TOPICS))
        self.deeds, self.times, self.fruits = (words.split("|") for words in TOPICS[self.topic])

    def sentence(self):
        chance = self.chance
        who, post = chance.choice(self.people)
        where, deed, other = chance.choice(self.places), *chance.sample(self.deeds, 2)
        when, fruit, number = chance.choice(self.times), chance.choice(self.fruits), chance.randint(12, 9800)
        frames = (
            f"{when}，{self.county}组织{number}人到{where}{deed}，{fruit}。",
            f"{where}的{person(chance)}说：“{chance.choice(VOICES)}，{fruit}。”",
            f"{post}{who}介绍，全县已{deed}{number}处，{chance.choice(DOUBTS)}，下一步还要{other}。",
            f"{chance.randint(1, 12)}月{chance.randint(1, 28)}日，记者来到{where}，{number}名群众正在{deed}。",
            f"{where}投入{number / 10}万元用于{deed}，涉及{chance.randint(2, 60)}个村民小组，{fruit}。",
            f"过去这里{chance.choice(DOUBTS)}，{when}开始{deed}，如今{fruit}。",
            f"“{chance.choice(VOICES)}。”{where}村民{person(chance)}望着{place(chance)}方向，一边{deed}一边同{who}拉家常。",
            f"按照计划，{self.county}年内将{deed}{number}公里，同时{other}，{chance.choice(DOUBTS)}的问题由{post}负责督办。",
            f"在{where}，{fruit}，{number}户人家都说{chance.choice(VOICES)}。",
            f"{who}坚持每周到{where}住两晚，{when}他带头{deed}，{chance.randint(20, 78)}岁的{person(chance)}也跟着{other}。",
        )
        return chance.choice(frames)

    def story(self, lineage):
        paragraphs = tuple(
            tuple(self.sentence() for _ in range(self.chance.randint(2, 5))) for _ in range(self.chance.randint(5, 13))
        )
        title = f"{self.county}{self.chance.choice(self.deeds)} {self.chance.choice(self.fruits)}"
        if self.chance.random() < 0.2:  # a paragraph that travels is no reprint
            paragraphs = (*paragraphs, (self.chance.choice(SLOGANS),))
        return Story(lineage=lineage, change="base", title=title, paragraphs=paragraphs)


# What reprinting makes of a story.


def verbatim(story, _chance, _author):
    return replace(story, change="verbatim")


def reformatted(story, chance, _author):
    """Other paragraphs, spaces, marks and widths; the same words."""
    wide = str.maketrans(
        {**{chr(code): chr(code + 0xFEE0) for code in range(0x30, 0x3A)}, "，": ",", "。": "．", "“": '"', "”": '"'}
    )
    sentences = [sentence for paragraph in story.paragraphs for sentence in paragraph]
    paragraphs, at = [], 0
    while at < len(sentences):
        size = chance.randint(1, 6)
        paragraphs.append(tuple("　　" + sentence.translate(wide) for sentence in sentences[at : at + size]))
        at += size
    return replace(
        story, change="format", paragraphs=tuple(paragraphs), title=unicodedata.normalize("NFKC", story.title)
    )


def converted(story, _chance, _author):
    paragraphs = tuple(tuple(map(TRADITIONAL, sentences)) for sentences in story.paragraphs)
    return replace(story, change="script", title=TRADITIONAL(story.title), paragraphs=paragraphs)


def edited(share, change):
    """*share* of the sentences left out, replaced by others, or reworded."""

    def edit(story, chance, author):
        places = [(i, j) for i, sentences in enumerate(story.paragraphs) for j in range(len(sentences))]
        chosen = set(chance.sample(places, max(1, round(share * len(places)))))
        paragraphs = []
        for i, sentences in enumerate(story.paragraphs):
            new = [reworded(s, chance, author) if (i, j) in chosen else s for j, s in enumerate(sentences)]
            paragraphs.append(tuple(sentence for sentence in new if sentence))
        return replace(story, change=change, paragraphs=tuple(filter(None, paragraphs)))

    return edit


def reworded(sentence, chance, author):
    way = chance.random()
    if way < 0.2:
        return ""
    if way < 0.6:
        return author.sentence()
    for word, other in SYNONYMS.items():
        sentence = sentence.replace(word, other)
    clauses = sentence.rstrip("。”").split("，")
    chance.shuffle(clauses)
    return "，".join(clauses) + "。"


def excerpt(story, chance, _author):
    """A third of the paragraphs, in order."""
    count = max(1, round(len(story.paragraphs) / 3))
    chosen = sorted(chance.sample(range(len(story.paragraphs)), count))
    return replace(story, change="excerpt", paragraphs=tuple(story.paragraphs[i] for i in chosen))


def joined_excerpt(story, chance, author):
    """An excerpt that was put into one paragraph."""
    short = excerpt(story, chance, author)
    return replace(short, change="joined excerpt", paragraphs=(tuple(s for p in short.paragraphs for s in p),))


CHANGES = {
    "verbatim": verbatim,
    "format": reformatted,
    "script": converted,
    "light": edited(0.05, "light"),
    "heavy": edited(0.3, "heavy"),
    "excerpt": excerpt,
    "joined excerpt": joined_excerpt,
}


# Forms that are filled in: the same words, another matter.


def form_appointment(chance, county):
    who, town = person(chance), place(chance)
    year, month, day = chance.randint(1962, 1988), chance.randint(1, 12), chance.randint(1, 20)
    return (
        f"关于{who}同志任前公示的公告",
        "根据《党政领导干部选拔任用工作条例》和干部监督工作的有关规定，经县委常委会研究，现将拟提拔任用干部的有关情况公示如下，广泛听取群众意见。",
        f"{who}，{chance.choice('男女')}，汉族，{year}年{month}月出生，{place(chance)}人，大学文化程度，{year + 22}年{chance.randint(1, 12)}月参加工作，现任{town}镇党委{chance.choice(('副书记', '委员'))}，拟任{place(chance)}镇镇长。",
        f"公示时间：{chance.randint(1, 12)}月{day}日至{chance.randint(1, 12)}月{day + 7}日。公示期间，干部群众可通过来信、来电、来访等形式，向县委组织部反映公示对象在德、能、勤、绩、廉等方面存在的问题。反映问题要坚持实事求是的原则，以个人名义反映的提倡签署真实姓名，以单位名义反映的应加盖公章。",
        f"联系电话：12380。受理部门：{county}县委组织部干部监督科，邮政编码：710001。",
    )


def form_tender(chance, county):
    town, company = place(chance) + "镇", place(chance) + place(chance) + "建筑工程有限公司"
    return (
        f"{town}{chance.choice(('饮水安全', '道路硬化', '学校改造', '敬老院'))}工程中标结果公示",
        f"{county}县公共资源交易中心受{town}人民政府委托，就{town}项目以公开招标方式组织采购，评标工作已经结束，现将评标结果公示如下。",
        f"项目编号：GX{chance.randint(2011, 2019)}-{chance.randint(100, 999)}。开标时间：{chance.randint(2011, 2019)}年{chance.randint(1, 12)}月{chance.randint(1, 28)}日。第一中标候选人：{company}，投标报价{chance.randint(300000, 9000000)}元，工期{chance.randint(40, 300)}天，项目经理{person(chance)}。",
        "公示期为三个工作日。投标人或者其他利害关系人对评标结果有异议的，应当在公示期内以书面形式向招标人提出，招标人自收到异议之日起3日内作出答复，作出答复前暂停招标投标活动。逾期不予受理。",
        f"招标人：{town}人民政府，联系人：{person(chance)}，电话：{chance.randint(1000000, 9999999)}。",
    )


def form_outage(chance, county):
    start = chance.randint(5, 9)
    return (
        "停水通知",
        "尊敬的用水户：因供水管网改造施工需要，我公司定于近期对部分区域实施临时停水，请广大用户提前做好储水准备，并关好水龙头，以免恢复供水时造成不必要的损失。",
        f"停水时间：{chance.randint(1, 12)}月{chance.randint(1, 28)}日{start}时至{start + chance.randint(6, 12)}时。停水范围：{place(chance)}路、{place(chance)}路沿线及{place(chance)}小区，涉及用户{chance.randint(100, 4000)}户。",
        "恢复供水后，水质短时间内可能出现发黄现象，请打开水龙头排放一会儿再使用。由此给您带来的不便，敬请谅解，感谢您的理解与支持。",
        f"客服电话：96116。{county}县自来水公司。",
    )


def form_weather(chance, county):
    low, rain = chance.randint(-9, 18), chance.randint(3, 70)
    return (
        f"{county}县一周天气预报",
        f"预计未来一周我县以{chance.choice(('多云', '晴到多云', '阴雨'))}天气为主，其中{chance.randint(1, 12)}月{chance.randint(1, 14)}日至{chance.randint(15, 28)}日有一次降水过程，过程雨量{rain}毫米，山区局地可达{rain + chance.randint(5, 40)}毫米。",
        f"周内最高气温{low + chance.randint(6, 14)}度，最低气温{low}度，偏北风{chance.randint(2, 5)}级，相对湿度{chance.randint(30, 90)}%。",
        "气象部门提醒：降水时段请注意防范局地强降水可能引发的山洪、滑坡、泥石流等次生灾害，农户要及时清沟排水，做好设施农业的加固工作，驾驶员雨天行车要减速慢行，保持车距，确保安全。",
    )


def form_land(chance, county):
    who = person(chance)
    return (
        f"{county}县自然资源局不动产登记公告",
        "根据《不动产登记暂行条例实施细则》第十七条的规定，拟对下列不动产权利予以首次登记，现予公告。如有异议，请自本公告之日起十五个工作日内将异议书面材料送达我局不动产登记中心，逾期无人提出异议或者异议不成立的，将予以登记。",
        f"权利人：{who}，坐落：{place(chance)}镇{place(chance)}村{chance.randint(1, 20)}组，权利类型：宅基地使用权，面积{chance.randint(80, 260)}平方米，用途：住宅，登记编号{chance.randint(10**7, 10**8)}。",
        f"异议书面材料送达地址：县政务服务大厅二楼{chance.randint(1, 30)}号窗口，联系方式：{chance.randint(1000000, 9999999)}。",
    )


FORMS = (form_appointment, form_tender, form_outage, form_weather, form_land)


def notices(count, *, seed):
    """*count* notices, each of a matter of its own; all of one county's offices, so that nothing but the matter differs."""
    chance = random.Random(seed)
    county = place(chance)
    for number in range(count):
        title, *texts = FORMS[number % len(FORMS)](chance, county)
        yield Story(
            lineage=f"notice {number}", change="notice", title=title, paragraphs=tuple((text,) for text in texts)
        )


def stories(count, *, seed):
    """*count* base stories, each with the one who wrote it (for sentences that fit)."""
    for number in range(count):
        author = Author(random.Random(f"{seed} {number}"))
        yield author.story(f"story {number}"), author


def reprints_of(story, author, *, seed):
    """Every kind of reprint of a story."""
    chance = random.Random(f"{seed} {story.lineage}")
    for change in CHANGES.values():
        yield change(story, chance, author)
