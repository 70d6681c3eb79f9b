"""TRS WCM: UTF-8, mandated meta tags, ``createPageHTML``, ``./202404/t20240423_4604853.html``, ``.TRS_Editor``."""

from crawler.demo.markup import Entry, escape, fill, link, neighbours, newest_first, slices
from crawler.demo.stories import Block, ListLink, Portal, Story

LIST = "/xwzx/jryw/"
PER_PAGE = 11
TITLE_CHARS = 24
"""Longer titles are cut in the list; the whole one is in the link's title attribute."""


def article_path(story: Story) -> str:
    """Path of the article's page."""
    return LIST + _relative(story)


def pages(portal: Portal) -> dict[str, str]:
    """Every HTML page of the portal by its path."""
    entries = portal.entries()
    around = {"head": fill("trs_head"), "foot": fill("trs_foot")}
    printed = {article_path(story): _article(portal, story, around) for story in portal.stories}
    cut = list(slices(entries, PER_PAGE))
    for number, items in enumerate(cut):
        page = fill(
            "trs_list",
            items="\n".join(_item(entry, "./") for entry in items),
            pages=len(cut),
            current=number,
            **around,
        )
        printed[f"{LIST}index_{number}.html" if number else f"{LIST}index.html"] = page
    printed[LIST] = printed[f"{LIST}index.html"]
    latest = [entry for entry in entries if isinstance(entry, Story)][:8]
    printed["/"] = fill("trs_home", items="\n".join(_item(story, LIST) for story in latest), **around)
    return printed


def _relative(story: Story) -> str:
    return f"{story.day[:7].replace('-', '')}/{_file(story)}"


def _file(story: Story) -> str:
    return f"t{story.day.replace('-', '')}_{story.id}.html"


def _item(entry: Entry, base: str) -> str:
    href = entry.href if isinstance(entry, ListLink) else base + _relative(entry)
    title = entry.title if len(entry.title) <= TITLE_CHARS else f"{entry.title[:TITLE_CHARS]}..."
    top = '<em class="zd">[置顶]</em>' if isinstance(entry, Story) and entry.pinned else ""
    anchor = f'<a href="{escape(href)}" target="_blank" title="{escape(entry.title)}">{escape(title)}</a>'
    return f"      <li>{top}{anchor}<span>{entry.list_day}</span></li>"


def _article(portal: Portal, story: Story, around: dict[str, str]) -> str:
    ordered = newest_first(portal.stories)
    newer, older = neighbours(ordered, story)
    related = [other for other in ordered if other.editor == story.editor and other is not story][:3]
    names = escape((story.author or "").replace(",", " "))
    texts = [block.text for block in story.blocks if block.kind == "text"]
    return fill(
        "trs_article",
        title=escape(story.title),
        published=story.published,
        source=escape(story.source),
        author=names,
        byline=f"\n      <span>作者：{names}</span>" if names and not story.signed else "",
        description=escape(texts[0][:80]),
        editor=escape(story.editor),
        file=_file(story),
        id=story.id,
        visits=portal.visits + story.id % 997,
        body=_body(story),
        previous=_neighbour(newer),
        next=_neighbour(older),
        related="\n".join(f"        <li>{link(article_path(other), other.title)}</li>" for other in related),
        **around,
    )


def _neighbour(story: Story | None) -> str:
    return link(f"../{_relative(story)}", story.title) if story else "没有了"


def _body(story: Story) -> str:
    inner = "\n".join(_paragraph(block) for block in story.blocks)
    if story.day >= "2020":
        return (
            f'<div class="view TRS_UEDITOR trs_paper_default trs_web"><div class="TRS_Editor">\n{inner}\n</div></div>'
        )
    style = '<style type="text/css">\n.TRS_Editor P{line-height:2;font-family:宋体;font-size:12pt;}\n</style>'
    return f'<div class="TRS_Editor">{style}<div class="Custom_UnionStyle">\n{inner}\n</div></div>'


def _paragraph(block: Block) -> str:
    text, href = escape(block.text), escape(block.href or "")
    if block.kind == "picture":
        image = f'<img src="./{href}" OLDSRC="{href}" alt="" border="0" width="600"/>'
        return f'<p style="text-align: center;">{image}</p>\n<p style="text-align: center;">{text}</p>'
    if block.kind == "file":
        return f'<p>　　<a appendix="true" href="./{href}" OLDSRC="{href}" target="_blank">{text}</a></p>'
    if block.kind == "heading":
        return f"<p>　　<strong>{text}</strong></p>"
    return f'<p style="text-align: justify;">　　<span style="font-size: 16px;">{text}</span></p>'
