"""What the catalogue expects of a portal against what came: its ``expect``, judged when the portal's run ends."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from crawler.archive.health import Standing
from crawler.archive.sink import Sink
from crawler.archive.tables import UNREAD_ROLES
from crawler.catalogue import Expect, Portal
from crawler.catalogue.portal import ExpectedField
from crawler.fetch.options import Options
from crawler.records import Article

WEEK_DAYS = 7


@dataclass(slots=True, kw_only=True)
class Seen:
    """What one run saw of a portal, as far as its expectations are judged by it."""

    first_pages: dict[str, int] = field(default_factory=dict)
    """List or feed, by its address in the catalogue → articles that its first page names."""
    read: int = 0
    """Articles stored, new or known."""
    unfilled: dict[ExpectedField, tuple[int, str]] = field(default_factory=dict)
    """Expected field → how many of those articles have nothing in it, and the address of the first."""

    def see_list(self, url: str, articles: int) -> None:
        """Note that a page of the list *url* names so many articles.

        A list's first page is the first one with any: what the catalogue names may be a shell that a program fills.
        """
        self.first_pages[url] = self.first_pages.get(url) or articles

    def see_article(self, article: Article, filled: Sequence[ExpectedField]) -> None:
        """Note an article, and which of the expected fields *filled* have nothing in them."""
        self.read += 1
        for name in filled:
            if not _has(article, name):
                count, first = self.unfilled.get(name, (0, article.capture.url))
                self.unfilled[name] = count + 1, first


def judge(portal: Portal, seen: Seen, sink: Sink, options: Options, *, is_cut_short: bool) -> str | None:
    """Say what a portal whose run ends well has brought less than its catalogue expects; None where it is nothing.

    *is_cut_short*: the run was told to leave articles for the next one. Everything has to be stored already.
    """
    begin = datetime.now(UTC) - timedelta(days=WEEK_DAYS)
    is_partial = is_cut_short or (options.since or "") > begin.date().isoformat()
    is_asked = portal.expect.week is not None and not is_partial
    reason = shortfall(portal.expect, seen, week=sink.first_seen_since(portal.id, begin) if is_asked else None)
    return with_standing(reason, sink.standing(portal.id)) if reason else None


def shortfall(expect: Expect, seen: Seen, *, week: int | None) -> str | None:
    """Say all that is below *expect*, the most telling first, each with the address to look at; None if nothing is.

    *week*: articles first seen in the last seven days; None where they are not to be judged.
    """
    return "; ".join([*_lists(expect, seen), *_week(expect, seen, week), *_fields(expect, seen)]) or None


def with_standing(reason: str, standing: Standing) -> str:
    """*reason*, since when it has been so, and when all was last well."""
    last_good = f"last good run {standing.last_good[:10]}" if standing.last_good else "no good run before"
    return f"{reason} (since {standing.since[:10]}; {last_good})"


def _lists(expect: Expect, seen: Seen) -> Iterator[str]:
    wanted = expect.first_page or 0
    short = sorted((named, url) for url, named in seen.first_pages.items() if named < wanted)
    if short:
        named, url = short[0]
        more = f" ({len(short) - 1} more of {len(seen.first_pages)} lists are short)" if len(short) > 1 else ""
        yield f"{url} names {_count(named, 'article')}, {wanted} expected{more}"


def _week(expect: Expect, seen: Seen, week: int | None) -> Iterator[str]:
    if week is not None and expect.week is not None and week < expect.week:
        named, poorest = min(((named, url) for url, named in seen.first_pages.items()), default=(0, ""))
        where = f", poorest list {poorest}" if poorest and named >= (expect.first_page or 0) else ""
        yield f"{_count(week, 'new article')} in {WEEK_DAYS} days, {expect.week} expected{where}"


def _fields(expect: Expect, seen: Seen) -> Iterator[str]:
    for name in expect.filled:
        if name in seen.unfilled:
            count, first = seen.unfilled[name]
            yield f"{name} is empty in {count} of {_count(seen.read, 'article')}, first {first}"


def _has(article: Article, name: ExpectedField) -> bool:
    if name == "body":
        return any(paragraph.role not in UNREAD_ROLES for paragraph in article.paragraphs)
    return bool(getattr(article, name))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
