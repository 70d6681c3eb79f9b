"""The five texts that the project began with, wrapped in page markup, through the whole chain."""

import html
from pathlib import Path

import pytest

from crawler.records import Article
from pipelines.clean import clean
from pipelines.extract import extract
from pipelines.sections import sections
from tests.test_extract_rules import page

TITLES = ("群众路线教育的生动实践", "领导挂点 部门包村", "大走訪活動", "举措扎实促发展 作风过硬聚民心", "结对联亲")
MENU = "".join(f'<li><a href="/{n}">栏目{n}</a></li>' for n in range(12))


@pytest.fixture(params=["paragraphs", "breaks"])
def read(request: pytest.FixtureRequest, shared: Path):
    files = sorted((shared / "seeds").glob("*.txt"))
    assert len(files) == len(TITLES)

    def chain(number: int) -> Article:
        lines = [html.escape(line) for line in files[number].read_text(encoding="utf-8").split("\n")]
        inner = "".join(f"<p>{line}</p>" for line in lines) if request.param == "paragraphs" else "<br>".join(lines)
        made = (
            f"<html><head><title>{TITLES[number]}_要闻_某网</title></head><body><ul class='nav'>{MENU}</ul>"
            f"<div class='main'><div class='content'>{inner}</div></div>"
            "<div class='footer'>主办：某县人民政府 陕ICP备00000000号</div></body></html>"
        )
        return sections(clean(extract(page(made))))

    return chain


def body(article: Article) -> list[str]:
    return [paragraph.text for paragraph in article.paragraphs if paragraph.role != "repeat"]


def test_the_first_is_read_without_navigation_advertisement_or_footer(read) -> None:
    article = read(0)
    assert article.title == "群众路线教育的生动实践"
    assert article.published == "2014-06-03T07:27:00+08:00"
    assert article.source == "陕西传媒网-陕西日报"
    assert article.editor == "秦人"
    assert article.author is None
    assert body(article)[0].startswith("乾县开展三个“千帮千”活动3年以来")
    assert body(article)[-1].endswith("开展情况。")
    assert [p.text[:4] for p in article.paragraphs if p.role == "caption"] == ["乾县县委", "乾县县长"]
    assert any("年票" in cut.text for cut in article.removed)


def test_the_second_has_no_bars_and_keeps_its_sign_off(read) -> None:
    article = read(1)
    assert article.kind == "article"
    assert not any(text.strip("| 　") == "" for text in body(article))
    assert body(article)[-1].endswith("王君 记者 黄瑾 实习生 刘富燕")
    assert article.author == "王君,黄瑾,刘富燕"


def test_the_third_is_whole_and_traditional(read, shared: Path) -> None:
    article = read(2)
    text = sorted((shared / "seeds").glob("*.txt"))[2].read_text(encoding="utf-8")
    assert "".join("".join(body(article)).split()) == "".join(text.split())
    assert (article.published, article.published_basis) == ("2014-05-20", "dateline")


def test_the_fourth_has_no_bars_and_names_its_author(read) -> None:
    article = read(3)
    assert not any(text.strip("| 　") == "" for text in body(article))
    assert article.author == "刘薛全"
    assert body(article)[-1].endswith("(刘薛全)")


def test_the_repeat_of_the_fifth_is_folded(read) -> None:
    article = read(4)
    whole = sum(len(paragraph.text) for paragraph in article.paragraphs)
    assert sum(map(len, body(article))) < 0.53 * whole
    assert article.paragraphs[-1].role == "repeat"
    assert "论文部分内容阅读" not in body(article)
