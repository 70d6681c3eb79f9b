"""The ground truth: what an archive should hold after a crawl of the demo portals."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from crawler.demo.portals import article_path, file_path
from crawler.demo.stories import Portal, Story, load_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an archive should hold of one article."""

    portal_id: str
    id: int
    path: str
    """Of its page on the portal."""
    title: str
    published: str
    """``YYYY-MM-DD`` or ``YYYY-MM-DDThh:mm:ss+08:00``."""
    listed: str
    """The list's day."""
    source: str
    author: str | None
    editor: str
    paragraphs: tuple[str, ...] = field(repr=False)
    """Text, sub-heads, captions and sign-offs once, in page order, injected spam included; no attachment labels."""
    spam: str | None
    reprint_of: str | None
    """``portal/id`` of the same story elsewhere."""
    attachments: tuple[tuple[str, str], ...]
    """Path and words of each linked file."""
    images: tuple[tuple[str, str], ...]
    """Path and caption of each picture."""

    @property
    def reading_text(self) -> str:
        """The paragraphs joined by newlines, without the injected phrase."""
        text = "\n".join(self.paragraphs)
        return text.replace(self.spam, "") if self.spam else text


def expected(portals: Iterable[Portal] | None = None) -> tuple[Expected, ...]:
    """The ground truth of every article of *portals* (default: all bundled ones)."""
    shown = load_all() if portals is None else portals
    return tuple(_expected(portal, story) for portal in shown for story in portal.stories)


def _expected(portal: Portal, story: Story) -> Expected:
    def linked(kind: str) -> tuple[tuple[str, str], ...]:
        return tuple((file_path(portal, story, block), block.text) for block in story.blocks if block.kind == kind)

    time = story.published[11:]
    return Expected(
        portal_id=portal.id,
        id=story.id,
        path=article_path(portal, story),
        title=story.title,
        published=f"{story.day}T{time}:00+08:00" if time else story.day,
        listed=story.list_day,
        source=story.source,
        author=story.author,
        editor=story.editor,
        paragraphs=tuple(block.text for block in story.blocks if block.kind != "file"),
        spam=story.spam,
        reprint_of=story.reprint_of,
        attachments=linked("file"),
        images=linked("picture"),
    )
