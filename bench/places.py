"""Places: what is found in articles that name divisions in known ways, what is taken for one, and what it costs.

    python bench/places.py [--articles 2000] [--corpus ../shared/corpus]

Each article is county news of our own (`lineage`) of 1,600 characters about nobody's county, with five sentences that
name divisions of the article's year in one way, at random places, and three sentences that only look as if they did. The
truth of both is known. Then, where the real pages are there, what government pages name and whether the portal's own
place is among it; these lines are for the eye.
"""

import argparse
import itertools
import json
import pathlib
import random
import statistics
import time
import tracemalloc
from collections import Counter, defaultdict

import lineage
import opencc

from crawler import divisions
from crawler.cli.extract import _chain
from crawler.reading.gazetteer import _everyday, _gazetteer, _short
from crawler.reading.places import find
from crawler.vocabulary import table as vocabulary

SHARED = pathlib.Path(__file__).resolve().parents[2] / "shared"
LENGTH = 1_600
NAMES, TRAPS = 5, 3
TRADITIONAL = opencc.OpenCC("s2t").convert
LAST_YEAR = 2024

FRAMES = (
    "考察团随后赴{}学习取经。",
    "来自{}的客商当场签了合同。",
    "他在{}工作过八年。",
    "产品远销{}等地。",
    "会上，{}代表作了交流发言。",
    "{}派出两支医疗队支援。",
    "当天{}也下起了大雨。",
    "这项技术从{}引进。",
    "两名村民搭车前往{}，下午返回。",
    "记者从{}获悉，道路已经抢通。",
    "今年以来，{}干部挂包帮扶一百二十户。",
    "双方与{}签订协议。",
)
# Nothing here is a division, whatever it looks like.
LURES = """
县卫生局和县民政局到场。
省市和县三级财政各出一份。
各乡镇和县直部门参加。
圆满完成县里下达的任务。
会议传达县委精神。
坚持工业强县、旅游富县、科教兴县。
他曾任县委副书记。
所需经费县级负担。
若干县级以上道路仍在施工。
积极创建国家级示范县。
骨干县医院有三名。
老城区改造和新城区建设同步推进。
城区和郊区的差距在缩小。
实现社会长治久安。
孙中山先生题写了校名。
他在阿里巴巴开了网店。
身体安康，各位来宾鼓掌。
朝阳产业大有可为。
清水河南岸新修了堤坝。
黄河北岸的村子都通了电。
太行山东麓下了雪。
秦巴山区、陕南山区、豫西山区的乡亲。
提高县域竞争力，创新县域经济。
召开县级会议。
农户县外务工有补贴。
随县领导下乡的还有专家。
供应县内市场，对应县级资金。
环县城公路通车。
管理县级公路的单位。
人民和县委心连心。
中心市场区位优势明显。
公安和县法院联合执法。
他被评为先进县管干部。
修完县道修乡道。
免费县城公交开通。
每户县里补五百元。
经过县城时停了十分钟。
这笔账清单县里都有。
全面规范县乡财务。
请各县市区于月底前上报。
市中区域人流密集，东区西区都设了点。
西部山区和东部沿海的差别。
他大学毕业后当上了代县长。
依法治县，以德治县，富民强县。
她把平安和县里的嘱托带回家。
新县长上任第一天就下了乡。
""".strip().split("\n")


class Table:
    """The divisions of a year, by how they can be named."""

    def __init__(self, year):
        self.year = year
        self.rows = {row.code: row for row in divisions.rows() if row.from_year <= year <= (row.to_year or year)}
        times = Counter(row.name for row in self.rows.values())
        nouns = vocabulary("places")["nouns"]
        counties = [row for row in self.rows.values() if row.level == 3 and row.name not in nouns]
        self.provinces = [row for row in self.rows.values() if row.level == 1]
        self.prefectures = [row for row in self.rows.values() if row.level == 2 and times[row.name] == 1]
        self.plain = [row for row in counties if times[row.name] == 1 and len(row.name) > 2]
        self.short = [row for row in counties if times[row.name] == 1 and len(row.name) == 2]
        self.ambiguous = [row for row in counties if times[row.name] > 1]
        everyday = Counter(_everyday(row.name) for row in self.rows.values())
        self.autonomous = [
            row
            for row in self.plain + self.prefectures
            if _everyday(row.name) and not times[_everyday(row.name)] and row.name != "河南蒙古族自治县"
        ]
        shorts = Counter(_short(row.name) for row in self.rows.values() if row.level < 3)
        self.short_prefectures = [row for row in self.prefectures if shorts[_short(row.name)] == 1]
        self.gone = [
            row
            for row in divisions.rows()
            if row.level == 3
            and row.to_year
            and row.to_year < year
            and len(row.name) > 2
            and not times[row.name]
            and not everyday[row.name]
        ]

    def above(self, row):
        return self.rows.get(row.parent_code)

    def province(self, row):
        return self.rows[f"{row.code[:2]}0000"]

    def neighbour(self, chance, row):
        """Another county in its prefecture, as the portal."""
        return chance.choice([other.code for other in self.rows.values() if other.parent_code == row.parent_code])


# A way gives what is written, the codes that it names, and the portal's division, which is then everyone's.


def plain(table, chance):
    row = chance.choice(table.plain)
    return row.name, [row.code], None


def prefecture(table, chance):
    row = chance.choice(table.prefectures)
    return row.name, [row.code], None


def province(table, chance):
    row = chance.choice(table.provinces)
    return row.name, [row.code], None


def short_province(table, chance):
    row = chance.choice(table.provinces)
    return _short(row.name), [row.code], None


def everyday(table, chance):
    row = chance.choice(table.autonomous)
    return _everyday(row.name), [row.code], None


def chain(table, chance):
    row = chance.choice(table.plain + table.short + table.ambiguous)
    upper = [part for part in (table.province(row), table.above(row)) if part]
    upper = list({part.code: part for part in upper}.values())
    return "".join(part.name for part in upper) + row.name, [part.code for part in (*upper, row)], None


def short_chain(table, chance):
    row = chance.choice(table.short_prefectures)
    return (
        _short(table.province(row).name) + _short(row.name),
        [table.province(row).code, row.code],
        None,
    )


def old_name(table, chance):
    return chance.choice(table.gone).name, [], None


def ambiguous_at_home(table, chance):
    row = chance.choice(table.ambiguous)
    return row.name, [row.code], table.neighbour(chance, row)


def ambiguous(table, chance):
    return chance.choice(table.ambiguous).name, [], None


def short_at_home(table, chance):
    row = chance.choice(table.short)
    return row.name, [row.code], table.neighbour(chance, row)


def short_in_chain(table, chance):
    row = chance.choice(table.short)
    upper = table.above(row) or table.province(row)
    return upper.name + row.name, [upper.code, row.code], None


def short_once(table, chance):
    """Right behind a word, in another province: it proves nothing, and so is not found."""
    row = chance.choice(table.short)
    return row.name, [], None


WAYS = (
    plain, prefecture, province, short_province, everyday, chain, short_chain, old_name, ambiguous_at_home, ambiguous,
    short_at_home, short_in_chain, short_once,
)  # fmt: skip


def article(way, table, chance):
    """Text, the truth as code → count, and the portal's division."""
    author = lineage.Author(chance)
    text = "".join("".join(story) for story in author.story("").paragraphs).replace(author.county, "我县")
    sentences = [sentence + "。" for sentence in text.split("。") if sentence]
    written, truth, home = [], Counter(), None
    while len(written) < NAMES:
        name, named, home_now = way(table, chance)
        if home is None or home_now is None or home_now[:4] == home[:4]:
            home = home or home_now
            written.append(chance.choice(FRAMES).format(name))
            truth.update(named)
            if home_now:  # a portal has one prefecture
                while len(written) < NAMES:
                    written.append(chance.choice(FRAMES).format(name))
                    truth.update(named)
    while sum(map(len, sentences)) > LENGTH - 200:
        sentences.pop()
    for sentence in (*written, *chance.sample(LURES, TRAPS)):
        sentences.insert(chance.randrange(len(sentences) + 1), sentence)
    return "".join(sentences), truth, home


def quality(count):
    chance = random.Random(5)
    tables = {year: Table(year) for year in (1988, 2002, 2014, 2024)}
    tallies, strays, missed = defaultdict(Counter), Counter(), defaultdict(Counter)
    texts = []
    for way, number in itertools.product(WAYS, range(count // len(WAYS))):
        table = chance.choice(list(tables.values()))
        text, truth, home = article(way, table, chance)
        if number % 3 == 0:
            text = TRADITIONAL(text)
        texts.append(text)
        found = {m.division_code: m.count for m in find(None, text, year=table.year, home=home).mentions}
        tally = tallies[way.__name__]
        tally["true"] += len(truth)
        tally["found"] += len(found)
        tally["right"] += len(truth.keys() & found.keys())
        tally["counted"] += sum(found[code] == truth[code] for code in truth.keys() & found.keys())
        strays.update(f"{table.rows[code].name} ({way.__name__})" for code in found.keys() - truth.keys())
        missed[way.__name__].update(table.rows[code].name for code in truth.keys() - found.keys())
    print(f"{'way':20}{'named':>8}{'found':>8}{'precision':>11}{'recall':>9}{'count right':>13}")
    for way, tally in (*tallies.items(), ("all", sum(tallies.values(), Counter()))):
        shares = [
            f"{tally['right'] / tally[of]:.4f}" if tally["true"] and tally[of] else "-" for of in ("found", "true")
        ]
        counted = f"{tally['counted'] / tally['right']:.4f}" if tally["right"] else "-"
        print(f"{way:20}{tally['true']:8}{tally['found']:8}{shares[0]:>11}{shares[1]:>9}{counted:>13}")
    print("strays:", ", ".join(f"{name} {times}" for name, times in strays.most_common(12)) or "none")
    for way, names in missed.items():
        if names:
            print(f"missed, {way}:", ", ".join(f"{name} {times}" for name, times in names.most_common(8)))
    return texts


def lures():
    """Each lure alone, on the portals of every prefecture that has a county of two characters."""
    table = Table(2014)
    homes = [*sorted({table.neighbour(random.Random(1), row) for row in table.short}), None]
    taken = Counter()
    for lure, home in itertools.product(LURES, homes):
        for mention in find(None, f"他说，{lure}" * 2, year=2014, home=home).mentions:
            if mention.division_code != home:
                taken[lure, table.rows[mention.division_code].name] += 1
    print(f"lures: {len(LURES)} on {len(homes)} portals; taken: {sum(taken.values())} {dict(taken) or ''}")


def cost(texts):
    _gazetteer.cache_clear()
    tracemalloc.start()
    _gazetteer()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    _gazetteer.cache_clear()
    began = time.process_time()
    _gazetteer()
    print(f"the gazetteer: {1000 * (time.process_time() - began):.0f} ms once, {held / 1e6:.1f} MB, for all years")
    rounds = []
    for _ in range(5):
        began = time.process_time()
        for text in texts[:500]:
            find("要闻", text, year=2014, home="610424")
        rounds.append((time.process_time() - began) / sum(map(len, texts[:500])) * LENGTH * 1000)
    print(f"finding: {statistics.median(rounds):.2f} ms CPU for {LENGTH} characters; goal .6")


def real_pages(corpus):
    if not corpus.is_dir():
        print(f"no real pages in {corpus}")
        return
    with (corpus / "manifest.jsonl").open(encoding="utf-8") as manifest:
        pages = [page for page in map(json.loads, manifest) if page["kind"] == "article" and page["is_gov"]]
    own_named = own_found = 0
    for page in pages:
        read = _chain((corpus / "pages" / f"{page['id']}.html").read_bytes(), "")
        if read.division is None:
            continue
        year = int((read.published or "2024")[:4])
        body = "\n".join(paragraph.text for paragraph in read.paragraphs if paragraph.role != "repeat")
        found = find(read.title, body, year=year, home=read.division)
        place = divisions.resolve(read.division, year)
        own = place.county or place.prefecture or place.province
        is_named = own.name in f"{read.title}\n{body}"
        is_found = read.division in {mention.division_code for mention in found.mentions}
        own_named, own_found = own_named + is_named, own_found + (is_named and is_found)
        said = " ".join(f"{name(mention.division_code, year)}×{mention.count}" for mention in found.mentions)
        print(f"  {page['id']:28} of {own.name}, about {found.about and name(found.about, year)}: {said}")
    print(f"the portal's own place, where the text has its full name: found on {own_found} of {own_named} pages")


def name(code, year):
    place = divisions.resolve(code, year)
    return (place.county or place.prefecture or place.province).name


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=2_000)
    parser.add_argument("--corpus", type=pathlib.Path, default=SHARED / "corpus")
    options = parser.parse_args()
    texts = quality(options.articles)
    lures()
    cost(texts)
    real_pages(options.corpus)


if __name__ == "__main__":
    main()
