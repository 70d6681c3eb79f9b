"""Boda VSB: Traditional in Big5, ``#vsb_content``, list pages numbered backwards, ``/info/1012/4812.htm``."""

from crawler.demo.markup import Entry, escape, fill, link, neighbours, newest_first, slices
from crawler.demo.stories import Block, ListLink, Portal, Story

LIST = "/xwzx/zqyw"
PER_PAGE = 10


def article_path(story: Story) -> str:
    """Path of the article's page."""
    return f"/info/1012/{story.id}.htm"


def pages(portal: Portal) -> dict[str, str]:
    """Every HTML page of the portal by its path."""
    entries = portal.entries()
    around = {"head": fill("vsb_head"), "foot": fill("vsb_foot")}
    printed = {article_path(story): _article(portal, story, around) for story in portal.stories}
    cut = list(slices(entries, PER_PAGE))
    for number, items in enumerate(cut, start=1):
        up = ".." if number == 1 else "../.."
        page = fill(
            "vsb_list",
            items="\n".join(_item(entry, up, at) for at, entry in enumerate(items)),
            total=len(entries),
            pager=_pager(number, len(cut)),
            **around,
        )
        printed[_list_path(number, len(cut))] = page
    home = fill("vsb_home", items="\n".join(_item(entry, "", at) for at, entry in enumerate(entries[:8])), **around)
    return printed | {"/": home, "/index.htm": home}


def _list_path(number: int, last: int) -> str:
    """Page 1 is the column itself; behind it the numbers run backwards, so that the oldest page is always 1."""
    return f"{LIST}.htm" if number == 1 else f"{LIST}/{last - number + 1}.htm"


def _item(entry: Entry, up: str, at: int) -> str:
    href = entry.href if isinstance(entry, ListLink) else up + article_path(entry)
    anchor = f'<a href="{escape(href)}" target="_blank" title="{escape(entry.title)}">{escape(entry.title)}</a>'
    return f'<li id="line_u8_{at}">{anchor}<span>{entry.list_day}</span></li>'


def _pager(number: int, last: int) -> str:
    def step(name: str, css: str, to: int) -> str:
        if to in {number, 0, last + 1}:
            return f'<span class="p_{css}_d p_fun_d">{name}</span>'
        return f'<span class="p_{css} p_fun">{link(_list_path(to, last), name)}</span>'

    def numbered(to: int) -> str:
        if to == number:
            return f'<span class="p_no_d">{to}</span>'
        return f'<span class="p_no">{link(_list_path(to, last), str(to))}</span>'

    numbers = "".join(numbered(to) for to in range(1, last + 1))
    before = step("首頁", "first", 1) + step("上頁", "prev", number - 1)
    return before + numbers + step("下頁", "next", number + 1) + step("尾頁", "last", last)


def _article(portal: Portal, story: Story, around: dict[str, str]) -> str:
    newer, older = neighbours(newest_first(portal.stories), story)
    names = escape((story.author or "").replace(",", " "))
    year, month, day = story.day.split("-")
    return fill(
        "vsb_article",
        title=escape(story.title),
        published=f"{year}年{month}月{day}日{story.published[10:]}",
        source=escape(story.source),
        byline=f"　作者：{names}" if names and not story.signed else "",
        editor=escape(story.editor),
        id=story.id,
        visits=portal.visits + story.id % 499,
        body="\n".join(_paragraph(block) for block in story.blocks),
        previous=link(f"{newer.id}.htm", newer.title) if newer else "沒有了",
        next=link(f"{older.id}.htm", older.title) if older else "沒有了",
        **around,
    )


def _paragraph(block: Block) -> str:
    text, href = escape(block.text), escape(block.href or "")
    if block.kind == "picture":
        image = f'<img src="{href}" vsbhref="vurl" vurl="{href}" class="img_vsb_content" width="600">'
        return (
            f'<p class="vsbcontent_img" style="text-align:center">{image}</p>\n<p style="text-align:center">{text}</p>'
        )
    if block.kind == "file":
        return f'<p class="vsbcontent_start"><a href="{href}">{text}</a></p>'
    if block.kind == "heading":
        return f'<p style="text-indent:2em"><strong>{text}</strong></p>'
    return f'<p style="text-indent:2em">{text}</p>'
