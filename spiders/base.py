"""What every spider does with lists: list page → article links → the next page, as long as there is something new.

A CMS family is a subclass that says where the links and the next page are (``links``, ``next_page``), and what is
behind a page that is only the shell of a program's list (``behind``); everything else happens here and in `articles`.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import asdict, replace
from hashlib import blake2b
from typing import Any

import scrapy
from scrapy.http import Response

from crawler.fetch.challenge import challenge, is_walled
from crawler.reading import heading, kind, lines, metatags, tree
from crawler.reading.identity import contradiction
from crawler.records import Capture
from crawler.text import jumps
from crawler.text.canonical import original
from crawler.text.coding import unpacked
from crawler.text.decoding import decode_page
from crawler.text.urls import same_site
from spiders import subscriptions
from spiders.articles import STUB_BYTES, ArticleSpider
from spiders.listing import Following, Link, Listing, Walk, unique
from spiders.traps import TrapError, is_calendar

NOT_THERE = frozenset({404, 410})
NO_PROGRAM = NOT_THERE | {400, 403, 405, 500}
"""What a program answers that moved, or is asked in a way that it does not know any more."""
LIST_STUB_BYTES = 600
"""A later list page that short is none: servers of TRS send 300 to 400 bytes for pages that were never published."""
OVERLAP = 1
"""Pages looked at behind one that brought nothing new: items are pinned, re-ordered, and move on while we read."""


class RefusalError(Exception):
    """A list page says that there is nothing to read; ``str()`` says it in words."""


class StrangerError(Exception):
    """A list page is not the portal's; ``str()`` says whose it says it is."""


class PortalSpider(ArticleSpider):
    """Crawls one portal of the catalogue: ``scrapy crawl FAMILY -a portal=ID``."""

    # What a family says.

    def links(self, listing: Listing) -> Iterable[Link]:
        """The articles that a list page names, in page order; double ones and foreign hosts may be among them."""
        raise NotImplementedError

    def next_page(self, listing: Listing) -> str | Following | None:
        """The address of the next list page, or how it is asked for, or None on the last one."""
        raise NotImplementedError

    def behind(self, listing: Listing) -> Following | None:
        """How the list is asked for of which this page, which names no articles, is only the shell."""
        return None

    def first_page(self, listed: str) -> Following:
        """How the page is asked for that the catalogue lists as *listed*."""
        return Following(url=listed)

    # What all of them do.

    async def start(self) -> AsyncIterator[Any]:
        """The catalogue's lists, feeds and sitemaps; what an earlier run left undone is in the frontier already."""
        for request in self.first_pages():
            yield request
        for url in self.portal.feeds:
            yield self.feed_request(url, self.parse_feed)
        for url in self.portal.sitemaps:
            yield self.feed_request(url, self.parse_sitemap)

    def first_pages(self) -> Iterator[scrapy.Request]:
        """A request for the first page of each list: the catalogue's page, or the program known to be behind it."""
        for listed in self.portal.lists:
            shell = self._shell(Walk(start=listed))
            is_whole = self.session.options.full or self._is_unseen(shell)
            program = None if is_whole else self.session.sink.program(self.portal.id, shell.meta["key"])
            walk = Walk(start=listed, is_whole=is_whole, program=program)
            request = self.list_request(Following(**program), number=1, walk=walk) if program else None
            # A program that failed last night counts as unseen: the shell may know another one.
            yield request if request and not self._is_unseen(request) else self._shell(replace(walk, program=None))

    def list_request(
        self, page: Following, *, number: int, via: str | None = None, walk: Walk | None = None
    ) -> scrapy.Request:
        """A request for a list page, the *number*th of its list, found on the page *via*."""
        request = self.portal_request(
            page.url,
            kind="list",
            callback=self.parse_list,
            number=number,
            via=via,
            state=dict(page.state),
            walk=(walk or Walk()).as_meta(),
        )
        if page.body:  # pages behind one address differ by what is posted to it
            request.meta["key"] += "#" + blake2b(page.body.encode(), digest_size=8).hexdigest()
        if page.mark:
            request.meta["key"] += f"#{page.mark}"
        return request.replace(method=page.method, body=page.body.encode(), headers=dict(page.headers))

    def parse_list(self, response: Response) -> Iterator[scrapy.Request | Capture]:
        """Requests for the articles that are new here and for the next page, then the list page's own capture."""
        capture: Capture = response.meta["capture"]
        number, walk = response.meta["number"], Walk(**response.meta.get("walk") or {})
        if capture.status in NOT_THERE and number > 1:  # pagers promise more pages than servers keep
            self.session.store_capture(capture)
            return
        if walk.program and number == 1 and capture.status in NO_PROGRAM:
            lost = f"its program {capture.url} answered {capture.status}"
            shell = self._shell(replace(walk, program=None, lost=lost))
            if self.session.is_unasked(self.portal.id, shell.meta["key"]):
                self.session.store_capture(capture)
                yield shell
                return
        state = response.meta.get("state")
        yield from self._parsed(
            capture,
            lambda text: self.follow(Listing.parse(url=capture.url, number=number, text=text, state=state, walk=walk)),
            is_later=number > 1,
        )

    def follow(self, listing: Listing) -> Iterator[scrapy.Request]:
        """What a list page leads to.

        Raises TrapError where it leads on and on, StrangerError where it is another's, RefusalError where it is none.
        """
        self._check_identity(listing)
        named = unique([replace(link, url=original(link.url)) for link in self.links(listing)])
        own = [link for link in named if same_site(link.url, self.hosts)]
        if listing.number == 1 and listing.walk.start:
            self.session.tally(self.portal.id).seen.see_list(listing.walk.start, len(own))
        links = {self.identity(link.url): link for link in own if self.is_wanted(link)}
        fresh = self.session.unseen(self.portal.id, links)
        for link in fresh.values():
            self.traps.count("article", link.url)
            yield self.article_request(link, via=listing.url)
        if not own:
            requests = list(self._look_behind(listing)) if listing.number == 1 else []
            if not requests:
                _check_readable(listing)
            yield from requests
        elif listing.number == 1 and listing.walk.program:
            self.session.sink.keep_program(self.portal.id, self._shell(listing.walk).meta["key"], listing.walk.program)
        if named:
            yield from self._go_on(listing, links, is_fresh=bool(fresh))

    def _check_identity(self, listing: Listing) -> None:
        tags = metatags.read(listing.tree)
        words = contradiction(
            tags.get("siteidcode"), tags.get("sitename"), division=self.portal.division, name=self.portal.name
        )
        if words:
            raise StrangerError(words)

    def _go_on(self, listing: Listing, links: Iterable[str], *, is_fresh: bool) -> Iterator[scrapy.Request]:
        """The next page, as long as pages bring something new: to the archive, or on a first walk to the list."""
        walk = listing.walk
        brings = self.traps.adds_to_list(walk.start, links) if walk.is_whole else is_fresh
        known = 0 if brings else walk.known + 1
        if known > (OVERLAP if walk.is_whole or listing.number > 1 else 0):
            return
        following = self.next_page(listing)
        following = Following(url=following) if isinstance(following, str) else following
        if following and same_site(following.url, self.hosts) and not is_calendar(listing.url, following.url):
            walk = replace(walk, known=known, program=None, lost="")
            request = self.list_request(following, number=listing.number + 1, via=listing.url, walk=walk)
            if self.session.is_unasked(self.portal.id, request.meta["key"]):
                self.traps.count("list", following.url)
                yield request

    def _look_behind(self, listing: Listing) -> Iterator[scrapy.Request]:
        """From a shell to the list's program, or where it only leads; from one that names nothing to the shell."""
        walk = listing.walk
        following = self.behind(listing) or _moved(listing)
        if following and same_site(following.url, self.hosts):
            program = asdict(replace(following, headers=dict(following.headers), state=dict(following.state)))
            request = self.list_request(following, number=1, via=listing.url, walk=replace(walk, program=program))
        elif walk.program:
            request = self._shell(replace(walk, program=None))
        else:
            request = None
        if request and self.session.is_unasked(self.portal.id, request.meta["key"]):
            yield request
        elif walk.lost:
            self.session.tally(self.portal.id).fail(listing.url, walk.lost, is_list=True)

    def _shell(self, walk: Walk) -> scrapy.Request:
        return self.list_request(self.first_page(walk.start), number=1, walk=walk)

    def _is_unseen(self, request: scrapy.Request) -> bool:
        """Whether no run was answered under the request's key."""
        return bool(self.session.unseen(self.portal.id, {request.meta["key"]: request}))

    # Feeds and sitemaps.

    def feed_request(
        self, url: str, callback: Any, *, mark: str = "", number: int = 1, via: str | None = None
    ) -> scrapy.Request:
        """A request for a feed or a sitemap, conditional where it was read before; *number*: how deep it lies."""
        request = self.portal_request(url, kind="feed", callback=callback, number=number, via=via)
        since = self.session.options.since
        for each in (mark, since and f"since={since}"):  # what was read for --since was not read whole
            request.meta["key"] += f"#{each}" if each else ""
        if not self.session.options.full and not self._is_unseen(request):
            request.headers.update(self.session.validators(self.portal.id, request.meta["key"]))
        return request

    def parse_feed(self, response: Response) -> Iterator[scrapy.Request | Capture]:
        """Requests for what a feed names that is new here, then the feed's own capture."""
        capture: Capture = response.meta["capture"]
        yield from self._parsed(capture, lambda text: subscriptions.follow_feed(self, capture.url, text))

    def parse_sitemap(self, response: Response) -> Iterator[scrapy.Request | Capture]:
        """Requests for what a sitemap names that is new here or was changed, then the sitemap's own capture."""
        capture: Capture = response.meta["capture"]
        depth = response.meta["number"]
        yield from self._parsed(
            capture, lambda text: subscriptions.follow_sitemap(self, capture.url, text, depth=depth)
        )

    # What came.

    def _parsed(
        self, capture: Capture, follow: Callable[[str], Iterator[scrapy.Request]], *, is_later: bool = False
    ) -> Iterator[scrapy.Request | Capture]:
        """What the text of a list or a feed leads to (*follow*), then its capture, or its failure."""
        page = unpacked(capture.body, capture.content_encoding)
        is_stub = is_later and capture.status == 200 and len(page) < LIST_STUB_BYTES and not is_walled(page)
        wall = None if is_stub else challenge(capture.status, page)
        if wall:
            self.session.store_wall(capture, wall)
        elif capture.status == 304:
            self.session.store_capture(capture)
        elif capture.status != 200 or capture.truncated:
            yield capture
        else:
            decoded = decode_page(page, content_type=capture.content_type, hint=self.portal.encoding)
            try:
                yield from follow(decoded.text)
            except (RefusalError, TrapError) as error:
                self.session.store_failure(capture, str(error))
            except StrangerError as error:
                self.session.store_stranger(capture, str(error))
            else:
                yield capture


def _moved(listing: Listing) -> Following | None:
    """Where a page leads that is no list and only a jump to one; None for every other page."""
    target = jumps.target(listing.text, base=listing.url) if len(listing.text) <= STUB_BYTES else None
    return Following(url=target) if target and target != listing.url else None


def _check_readable(listing: Listing) -> None:
    """Of a page that names no articles: raise RefusalError where the server speaks and not the list.

    That a later page is not there is an end of its list.
    """
    try:
        root = tree.parse(listing.text)
    except tree.LimitError:  # so much is no refusal
        return
    if root is None:
        return
    title, layout = heading.of_page(root), lines.lay_out(root)
    is_end = listing.number > 1 and kind.is_missing(title, "\n".join(line.text for line in layout.lines))
    if not is_end and kind.refuses(title, layout):
        raise RefusalError(f"is no list: {title or layout.lines[0].text}"[: kind.MAX_QUOTE])
