"""What the demo portals print: the furniture of real CMS families around exactly what was written."""

import gzip
import re
from collections import Counter
from urllib.parse import urljoin, urlsplit

import pytest
from lxml import html

from crawler.demo.portals import article_path, render, site
from crawler.demo.site import Response
from crawler.demo.stories import Portal, Story, edited, load, load_all, visited, with_story, without
from crawler.demo.truth import expected

PORTALS = load_all()
STORIES = [(portal, story) for portal in PORTALS for story in portal.stories]
CONTAINERS = {"trs": "//*[@class='TRS_Editor']", "table": "//td[@class='nr']", "vsb": "//*[@class='v_news_content']"}
CHARSETS = {"trs": "utf-8", "table": "gb2312", "vsb": "big5"}
LIST_LINKS = {
    "trs": "//ul[@class='list_con']/li",
    "table": "//tr[td[2][@width='90']]",
    "vsb": "//li[starts-with(@id,'line_u8_')]",
}

portals = pytest.mark.parametrize("portal", PORTALS, ids=lambda portal: portal.id)


def text_of(portal: Portal, response: Response) -> str:
    is_gzipped = response.header("Content-Encoding") == "gzip"
    return (gzip.decompress(response.body) if is_gzipped else response.body).decode(portal.encoding)


def tree_of(portal: Portal, path: str) -> html.HtmlElement:
    return html.document_fromstring(text_of(portal, render(portal)[path]))


def next_list(portal: Portal, path: str) -> str | None:
    """The next list page as a browser would find it."""
    tree = tree_of(portal, path)
    if portal.family == "trs":
        call = re.search(r'createPageHTML\((\d+), (\d+), "index", "html"\)', html.tostring(tree, encoding="unicode"))
        assert call is not None
        following = int(call[2]) + 1
        return urljoin(path, f"index_{following}.html") if following < int(call[1]) else None
    hrefs = [str(href) for href in tree.xpath("//a[text()='下一页' or text()='下頁']/@href")]
    return urljoin(path, hrefs[0]) if hrefs else None


def list_pages(portal: Portal) -> list[str]:
    found: list[str] = []
    path: str | None = portal.lists[0]
    while path is not None and len(found) < 10:
        found.append(path)
        path = next_list(portal, path)
    return found


def entries(portal: Portal) -> list[tuple[str, str, str]]:
    """Absolute address, words and day of everything the portal's list shows, in order."""
    shown = []
    for path in list_pages(portal):
        for item in tree_of(portal, path).xpath(LIST_LINKS[portal.family]):
            (anchor,) = item.xpath(".//a")
            year, month, day = re.findall(r"\d+", item.text_content().replace(anchor.text_content(), ""))
            address = urljoin(f"http://portal{path}", anchor.get("href"))
            shown.append((address, anchor.get("title") or anchor.text_content(), f"{year}-{month:0>2}-{day:0>2}"))
    return shown


@portals
def test_every_page_is_whole_markup_in_the_portals_encoding(portal: Portal) -> None:
    for path, response in render(portal).items():
        if not (response.header("Content-Type") or "").startswith("text/html"):
            continue
        text = text_of(portal, response)
        assert "\ufffd" not in text, path
        assert "%%" not in text, path
        assert html.document_fromstring(text).find("body") is not None, path


@portals
def test_a_page_declares_the_charset_that_its_family_would(portal: Portal) -> None:
    for story in portal.stories[:3]:
        text = text_of(portal, render(portal)[article_path(portal, story)])
        assert re.search(rf"charset=\"?{CHARSETS[portal.family]}\"", text, re.IGNORECASE)


def test_the_labels_lie_as_they_do_on_real_portals() -> None:
    """gb2312 pages hold names that only GBK has, big5 pages a place name of the Hong Kong supplement."""
    for portal, label in ((load("shuyuan"), "gb2312"), (load("yunzhang"), "big5")):
        text = "\n".join("".join(truth.paragraphs) + (truth.author or "") for truth in expected([portal]))
        with pytest.raises(UnicodeEncodeError):
            text.encode(label)


@pytest.mark.parametrize(("portal", "story"), STORIES, ids=lambda value: str(getattr(value, "id", "")))
def test_an_article_page_prints_what_was_written_inside_its_container(portal: Portal, story: Story) -> None:
    tree = tree_of(portal, article_path(portal, story))
    (container,) = tree.xpath(CONTAINERS[portal.family])
    printed = container.text_content()
    (truth,) = [truth for truth in expected([portal]) if truth.id == story.id]
    assert truth.title in tree.findtext(".//title", "")
    at = 0
    for paragraph in truth.paragraphs:
        at = printed.index(paragraph, at) + len(paragraph)
    page = tree.text_content()
    assert truth.source in page
    assert truth.editor in page
    for author in (truth.author or "").split(","):
        assert author in page


@portals
def test_furniture_stands_outside_the_container(portal: Portal) -> None:
    tree = tree_of(portal, article_path(portal, portal.stories[5]))
    (container,) = tree.xpath(CONTAINERS[portal.family])
    words = {
        "trs": "扫一扫|上一篇|网站标识码|责任编辑",
        "table": "上一篇|友情链接|推荐信息|订购热线",
        "vsb": "上一條|版權所有|責任編輯",
    }
    for word in words[portal.family].split("|"):
        assert word in tree.text_content()
        assert word not in container.text_content()


@portals
def test_the_list_names_every_article_once_with_its_day(portal: Portal) -> None:
    shown = entries(portal)
    assert max(Counter(address for address, _, _ in shown).values()) == 1
    own = {
        urlsplit(address).path: (title, day) for address, title, day in shown if urlsplit(address).netloc == "portal"
    }
    for truth in expected([portal]):
        assert own[truth.path] == (truth.title, truth.listed)
    assert len(shown) == len(portal.stories) + len(portal.links)


def test_the_lists_page_as_their_families_do() -> None:
    assert list_pages(load("qinglan")) == ["/xwzx/jryw/", "/xwzx/jryw/index_1.html", "/xwzx/jryw/index_2.html"]
    assert list_pages(load("shuyuan")) == [f"/news/list_{number}.html" for number in range(1, 5)]
    assert list_pages(load("yunzhang")) == ["/xwzx/zqyw.htm", "/xwzx/zqyw/2.htm", "/xwzx/zqyw/1.htm"]


def test_the_pinned_entry_is_older_than_what_follows_it() -> None:
    days = [day for _, _, day in entries(load("qinglan"))]
    assert days[0] < days[1]
    assert days[1:] == sorted(days[1:], reverse=True)


def test_behind_odd_list_entries_is_what_their_kind_says() -> None:
    answers = {}
    for portal in PORTALS:
        served = site(portal)
        for link in portal.links:
            foreign = urlsplit(link.href).netloc
            answers[link.kind] = None if foreign else served.answer(link.href)
    moved, jump, forbidden, gone = (answers[kind] for kind in ("moved", "jump", "forbidden", "gone"))
    assert answers["foreign"] is None
    assert moved is not None
    assert moved.status == 301
    assert moved.header("Location") == "/xwzx/jryw/202111/t20211124_4090167.html"
    assert jump is not None
    assert b"location.href" in jump.body
    assert forbidden is not None
    assert forbidden.status == 200
    assert gone is not None
    assert gone.status == 404
    robots = site(load("qinglan")).answer("/robots.txt").body.decode()
    forbidden_href = next(link.href for link in load("qinglan").links if link.kind == "forbidden")
    assert any(forbidden_href.startswith(line.split(": ")[1]) for line in robots.splitlines() if "Disallow" in line)


def test_one_body_is_printed_twice_and_one_has_debris_behind_it() -> None:
    shuyuan = load("shuyuan")
    for story in shuyuan.stories:
        tree = tree_of(shuyuan, article_path(shuyuan, story))
        (container,) = tree.xpath(CONTAINERS["table"])
        copies = container.text_content().count(story.blocks[0].text)
        debris = [cell for cell in tree.xpath("//td") if cell.text_content().strip() == "|"]
        assert (copies, len(debris)) == (
            {"twice": 2, "hidden": 2}.get(story.layout, 1),
            {"one": 1}.get(story.layout, 0),
        )


@portals
def test_pictures_and_attachments_are_there(portal: Portal) -> None:
    answers = render(portal)
    for truth in expected([portal]):
        for path, _ in truth.images:
            assert answers[path].body.startswith(b"\x89PNG")
        for path, _ in truth.attachments:
            assert answers[path].body.startswith(b"%PDF")


# Another night.


def test_an_edit_changes_the_article_page_and_its_truth() -> None:
    before = load("qinglan")
    after = edited(before, 4604853, title="云架山乡春茶喜获丰收", body="更正后的第一段。\n更正后的第二段。")
    path = article_path(before, before.story(4604853))
    assert render(before)[path] != render(after)[path]
    (truth,) = [truth for truth in expected([after]) if truth.id == 4604853]
    assert truth.title == "云架山乡春茶喜获丰收"
    assert truth.paragraphs == ("更正后的第一段。", "更正后的第二段。")


def test_a_deleted_article_is_gone_from_list_and_site() -> None:
    before = load("shuyuan")
    after = without(before, 118)
    path = article_path(before, before.story(118))
    assert path not in render(after)
    assert path not in {urlsplit(address).path for address, _, _ in entries(after)}


def test_a_new_article_stands_on_top_of_the_list() -> None:
    before = load("yunzhang")
    story = Story(
        id=4900,
        title="新的一篇",
        published="2018-12-01",
        source="雲嶂新聞中心",
        editor="古月明",
        blocks=before.stories[0].blocks,
    )
    after = with_story(before, story)
    assert entries(after)[0][1:] == ("新的一篇", "2018-12-01")
    assert article_path(after, story) in render(after)


@portals
def test_a_moved_counter_changes_bytes_but_nothing_that_was_written(portal: Portal) -> None:
    after = visited(portal)
    path = article_path(portal, portal.stories[0])
    assert render(after)[path] != render(portal)[path]
    assert expected([after]) == expected([portal])


def test_a_site_answers_304_until_its_page_changes() -> None:
    before = load("qinglan")
    served = site(before)
    path = article_path(before, before.story(4604853))
    other = article_path(before, before.story(4310047))
    first = served.answer(path)
    etag, modified = first.header("ETag"), first.header("Last-Modified")
    assert served.answer(path, if_none_match=f'W/"x", {etag}').status == 304
    assert served.answer(path, if_modified_since=modified).status == 304
    assert served.answer(path, if_modified_since="yesterday, perhaps").status == 200
    unchanged = served.answer(other)

    served.publish(render(edited(before, 4604853, source="云架山乡")))

    second = served.answer(path, if_none_match=etag, if_modified_since=modified)
    assert second.status == 200
    assert second.header("ETag") != etag
    assert served.answer(path, if_modified_since=modified).status == 200
    assert served.answer(other, if_none_match=unchanged.header("ETag")).status == 304
    assert served.hits[path, 200] == 4


def test_a_page_can_be_replaced_and_removed_by_hand() -> None:
    served = site(load("shuyuan"))
    served.replace("/news/201401/106.html", Response(status=503, headers=(("Retry-After", "5"),)))
    assert served.answer("/news/201401/106.html").status == 503
    served.remove("/news/201401/106.html")
    assert served.answer("/news/201401/106.html").status == 404
    with pytest.raises(KeyError):
        served.remove("/news/201401/106.html")
