"""Generated portals for measuring: county news from a grammar of our own, about 40 kB a page, every article different."""

import random
from dataclasses import dataclass, field

PLACES = "柳溪 安平 石桥 青坪 东岭 南湾 北塬 西河 双井 大营 新集 龙泉 白杨 枣林 杏花 马坊 高店 双龙 永兴 太和".split()
BODIES = "县委 县政府 县农业局 县水利局 县教育局 县卫生局 县交通局 县民政局 镇党委 村委会 县财政局 县林业局".split()
DEEDS = "走访慰问困难群众 检查春耕备耕工作 调研道路建设项目 召开脱贫攻坚推进会 开展技能培训 修缮灌溉水渠 发放救助物资 推广良种良法 落实惠民政策 排查安全隐患".split()
FRUITS = "村容村貌明显改善 群众收入稳步提高 项目建设进展顺利 干部作风进一步转变 粮食生产再获丰收 出行条件大为改善 就医上学更加方便 产业基础更加牢固".split()
WAYS = "通过入户走访 结合实际情况 按照统一部署 在前期调研的基础上 本着节约高效的原则 依托专业合作社 利用农闲时节 组织党员骨干".split()
PER_PAGE = 25
FURNITURE = 480
"""Blocks of navigation around the text: they make the page about 40 kB, as real ones are."""


@dataclass(slots=True)
class GeneratedPortal:
    """One portal: article pages, list pages, robots.txt. Everything follows from *seed*."""

    seed: int
    articles: int
    _sentences: list[bytes] = field(init=False)
    _head: bytes = field(init=False)
    _foot: bytes = field(init=False)

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        self._sentences = [self._sentence(chance).encode() for _ in range(3_000)]
        name = PLACES[self.seed % len(PLACES)] + "县人民政府"
        menu = "".join(
            f'<li class="nav-item"><a href="/channel/c{n}/" title="栏目{n}">政务公开栏目{n}</a></li>\n'
            for n in range(FURNITURE // 2)
        )
        links = "".join(
            f'<div class="link"><a href="http://link{n}.example/">友情链接{n}</a></div>\n'
            for n in range(FURNITURE // 4)
        )
        self._head = (
            f'<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="SiteName" content="{name}">'
            f'<meta name="ColumnName" content="今日要闻"><title>%TITLE%_{name}</title>'
            f'<meta name="ArticleTitle" content="%TITLE%"><meta name="PubDate" content="%DATE%">'
            f'<meta name="ContentSource" content="{name}"></head><body><div class="header"><ul class="nav">{menu}</ul></div>'
            f'<div class="position">当前位置：<a href="/">首页</a> &gt; <a href="/xwzx/jryw/">今日要闻</a></div>'
            f'<h1>%TITLE%</h1><div class="info"><span>发布时间：%DATE%</span><span>来源：{name}</span></div>'
            f'<div class="TRS_Editor">'
        ).encode()
        self._foot = (
            f'</div><div class="links">{links}</div><div class="footer">主办单位：{name}　网站标识码：6104240001</div></body></html>'
        ).encode()

    @staticmethod
    def _sentence(chance: random.Random) -> str:
        place, body, deed, fruit, way = (chance.choice(words) for words in (PLACES, BODIES, DEEDS, FRUITS, WAYS))
        return f"{way}，{body}在{place}{chance.choice('镇乡村')}{deed}，惠及{chance.randint(20, 9000)}户，{fruit}。"

    def title(self, number: int) -> str:
        chance = random.Random(self.seed * 1_000_003 + number)
        return f"{chance.choice(PLACES)}镇{chance.choice(DEEDS)}第{number}期"

    @staticmethod
    def date(number: int) -> str:
        return f"{2012 + number % 12}-{1 + number % 12:02d}-{1 + number % 28:02d}"

    def article(self, number: int) -> bytes:
        chance = random.Random(self.seed * 999_983 + number)
        title = self.title(number).encode()
        date = f"{self.date(number)} 09:{number % 60:02d}".encode()
        paragraphs = b"".join(b"<p>" + b"".join(chance.choices(self._sentences, k=4)) + b"</p>\n" for _ in range(12))
        return self._head.replace(b"%TITLE%", title).replace(b"%DATE%", date) + paragraphs + self._foot

    def path(self, number: int) -> str:
        day = self.date(number).replace("-", "")
        return f"/xwzx/jryw/{day[:6]}/t{day}_{number}.html"

    def listing(self, page: int) -> bytes:
        first = page * PER_PAGE
        pages = -(-self.articles // PER_PAGE)
        items = "".join(
            f'<li><a href="{self.path(n)}">{self.title(n)}</a><span>{self.date(n)}</span></li>'
            for n in range(first, min(first + PER_PAGE, self.articles))
        )
        return (
            f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>今日要闻</title></head><body><ul class="list">{items}</ul>'
            f'<script>createPageHTML({pages}, {page}, "index", "html")</script></body></html>'
        ).encode()

    def paths(self) -> list[str]:
        """The article pages' paths."""
        return [self.path(n) for n in range(self.articles)]

    def respond(self, path: str) -> bytes | None:
        """The body behind a path, or None."""
        if path == "/robots.txt":
            return b"User-agent: *\nDisallow: /admin/\n"
        if path in {"/", "/xwzx/jryw/", "/xwzx/jryw/index.html"}:
            return self.listing(0)
        if path.startswith("/xwzx/jryw/index_"):
            return self.listing(int(path.removeprefix("/xwzx/jryw/index_").removesuffix(".html")))
        stem = path.rpartition("_")[2].removesuffix(".html")
        return self.article(int(stem)) if stem.isdecimal() and int(stem) < self.articles else None
