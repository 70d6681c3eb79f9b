"""A hand-made news site of 2008: layout tables, charset called gb2312, no meta tags, ``/news/201406/112.html``."""

from collections.abc import Iterable

from crawler.demo.markup import Entry, escape, fill, link, neighbours, newest_first, slices
from crawler.demo.stories import Block, ListLink, Portal, Story

PER_PAGE = 9
INDENT = "&nbsp;&nbsp;&nbsp;&nbsp;"


def article_path(story: Story) -> str:
    """Path of the article's page."""
    return f"/news/{story.day[:7].replace('-', '')}/{story.id}.html"


def pages(portal: Portal) -> dict[str, str]:
    """Every HTML page of the portal by its path."""
    entries = portal.entries()
    around = {"head": fill("table_head"), "foot": fill("table_foot")}
    printed = {article_path(story): _article(portal, story, around) for story in portal.stories}
    cut = list(slices(entries, PER_PAGE))
    for number, items in enumerate(cut, start=1):
        printed[f"/news/list_{number}.html"] = fill(
            "table_list",
            items="\n".join(_row(entry) for entry in items),
            total=len(entries),
            pages=len(cut),
            current=number,
            pager=_pager(number, len(cut)),
            **around,
        )
    printed["/"] = fill("table_home", items="\n".join(_row(entry) for entry in entries[:8]), **around)
    return printed


def _row(entry: Entry) -> str:
    href = entry.href if isinstance(entry, ListLink) else article_path(entry)
    anchor = f'<a href="{escape(href)}" target=_blank>{escape(entry.title)}</a>'
    return f'  <tr><td height="26">·{anchor}</td><td width="90" align="right">[{_loose(entry.list_day)}]</td></tr>'


def _pager(number: int, last: int) -> str:
    names = {"首页": 1, "上一页": number - 1, "下一页": number + 1, "尾页": last}
    shown = (name if to in {number, 0, last + 1} else link(f"list_{to}.html", name) for name, to in names.items())
    return " ".join(shown)


def _article(portal: Portal, story: Story, around: dict[str, str]) -> str:
    ordered = newest_first(portal.stories)
    newer, older = neighbours(ordered, story)
    related = [other for other in ordered if other.source == story.source and other is not story][:3]
    names = escape((story.author or "").replace(",", " "))
    return fill(
        "table_article",
        title=escape(story.title),
        published=_loose(story.published),
        source=escape(story.source),
        byline=f"　作者：{names}" if names and not story.signed else "",
        visits=portal.visits + story.id,
        id=story.id,
        body=_body(story),
        debris="  <tr><td>|</td></tr>" if story.layout == "one" else "",
        editor=escape(story.editor),
        previous=link(article_path(newer), newer.title) if newer else "没有了",
        next=link(article_path(older), older.title) if older else "没有了",
        related=_rows(related, "  <tr><td>·{}</td></tr>"),
        latest=_rows(ordered[:5], '  <tr><td bgcolor="#FFFFFF">·{}</td></tr>'),
        **around,
    )


def _loose(date: str) -> str:
    """``2014-06-03 07:27`` as old ASP prints it: ``2014-6-3 7:27:00``."""
    day, _, time = date.partition(" ")
    year, month, of_month = day.split("-")
    plain = f"{year}-{int(month)}-{int(of_month)}"
    if not time:
        return plain
    hour, minute = time.split(":")
    return f"{plain} {int(hour)}:{minute}:00"


def _rows(stories: Iterable[Story], row: str) -> str:
    return "\n".join(row.format(link(article_path(story), story.title)) for story in stories)


def _body(story: Story) -> str:
    # Two editors, two habits: one ends paragraphs with <P>, the other with <BR>.
    printed = [_paragraph(block) for block in story.blocks]
    text = "\n".join(f"<P>{part}</P>" for part in printed) if story.id % 2 else "<br>\n<br>\n".join(printed)
    if story.layout == "twice":
        return f"{text}\n{text}"
    if story.layout != "hidden":
        return text
    box = '<INPUT type=checkbox value=0 name=titlecheckbox sourceid="SourcePh" style="display:none">'
    copy = "\n".join(f"<P>{part}</P>" for part in printed)
    return f'{text}\n<div id="printcontent" style="display:none">{box}\n{copy}\n</div>'


def _paragraph(block: Block) -> str:
    text, href = escape(block.text), escape(block.href or "")
    if block.kind == "picture":
        return f'<center><IMG src="{href}" border=0 width=500></center><center>{text}</center>'
    if block.kind == "file":
        return f'{INDENT}<a href="{href}">{text}</a>'
    if block.kind == "heading":
        return f"{INDENT}<b>{text}</b>"
    return f"{INDENT}{text}"
