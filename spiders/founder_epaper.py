"""Founder's digital newspapers, day by day: ``/paper/wxrb/html/2014-06/03/node_2.htm``.

The catalogue's list is the front page of any issue: its day is the first one that is asked for, its address the form of
all others. The calendar beside the pages is never followed. From today backwards, each day that no run has looked at is
asked for once; a day without an issue (404) is as good as read. Today and yesterday are asked for every night, for
issues that come late.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from urllib.parse import urlsplit

import scrapy
from scrapy.http import Response

from crawler.records import Capture
from crawler.text import timestamps
from crawler.text.urls import same_site
from spiders.base import PortalSpider
from spiders.listing import Following, Link, Listing, links_like, unique

DAY = re.compile(r"/(?P<year>(?:19|20)\d{2})(?P<first>[-/]?)(?P<month>\d{2})(?P<second>[-/]?)(?P<day>\d{2})(?=/)")
ARTICLE = re.compile(r"/content_\w+\.s?html?$")
PAGE = re.compile(r"/node_\w+\.s?html?$")
"""A page of the paper (版): a picture of it with the headlines of its articles."""
LATE_DAYS = 1
"""How far back from today a day is asked for again."""
NO_ISSUE = {404, 410}
DAYS_AT_ONCE = 60
"""Days that are looked up in the frontier at once."""
ONE_DAY = timedelta(days=1)


class FounderEpaperSpider(PortalSpider):
    """Front pages by date, from them the issue's other pages, from both the articles."""

    name = "founder_epaper"

    def first_pages(self) -> Iterator[scrapy.Request]:
        """Today's and yesterday's front pages; each day leads to the newest one before it that is not known yet."""
        today = timestamps.today()
        for form in self.portal.lists:
            if _day_of(form) is None:
                reason = "names no day: give the front page of the first issue that is wanted"
                self.session.tally(self.portal.id).fail(form, reason, is_list=True)
                continue
            for age in range(LATE_DAYS + 1):
                if today - age * ONE_DAY >= self._first_day(form):
                    yield self._front_page(form, today - age * ONE_DAY)

    def links(self, listing: Listing) -> Iterator[Link]:
        """The articles of the page's own issue, each of its day."""
        day = _day_of(listing.url)
        for link in links_like(listing, self.article_pattern or ARTICLE):
            if day is not None and _day_of(link.url) == day:
                yield Link(url=link.url, title=link.title, published=day.isoformat())

    def next_page(self, listing: Listing) -> None:
        """Pages are found by ``follow``, days by their dates."""

    def parse_list(self, response: Response) -> Iterator[scrapy.Request | Capture]:
        """A page of the paper; where there was no issue, the day before."""
        capture: Capture = response.meta["capture"]
        state = response.meta.get("state") or {}
        if "form" in state and capture.status in NO_ISSUE:
            self.session.store_capture(capture)
            yield from self._before(state["form"], date.fromisoformat(state["day"]))
        else:
            yield from super().parse_list(response)

    def follow(self, listing: Listing) -> Iterator[scrapy.Request]:
        """The articles; from a front page also the issue's other pages, and then the day before."""
        yield from super().follow(listing)
        if "form" in listing.state:
            yield from self._other_pages(listing)
            yield from self._before(listing.state["form"], date.fromisoformat(listing.state["day"]))

    def _other_pages(self, listing: Listing) -> Iterable[scrapy.Request]:
        day = _day_of(listing.url)
        links = unique([link for link in links_like(listing, PAGE) if _day_of(link.url) == day])
        requests = [
            self.list_request(Following(url=link.url), number=number, via=listing.url)
            for number, link in enumerate(links, 2)
            if same_site(link.url, self.hosts)
        ]
        return self.session.unseen(self.portal.id, {request.meta["key"]: request for request in requests}).values()

    def _before(self, form: str, day: date) -> Iterator[scrapy.Request]:
        """The front page of the newest day before *day* that is not known yet, if there is one."""
        first = self._first_day(form)
        while day > first:
            ages = range(1, min(DAYS_AT_ONCE, (day - first).days) + 1)
            requests = [self._front_page(form, day - age * ONE_DAY) for age in ages]
            fresh = self.session.unseen(self.portal.id, {request.meta["key"]: request for request in requests})
            if fresh:
                yield next(iter(fresh.values()))
                return
            day -= len(ages) * ONE_DAY

    def _first_day(self, form: str) -> date:
        since = self.session.options.since
        first = _day_of(form) or timestamps.today()
        return max(first, date.fromisoformat(since)) if since else first

    def _front_page(self, form: str, day: date) -> scrapy.Request:
        url = DAY.sub(rf"/{day:%Y}\g<first>{day:%m}\g<second>{day:%d}", form, count=1)
        return self.list_request(Following(url=url, state={"form": form, "day": day.isoformat()}), number=1)


def _day_of(url: str) -> date | None:
    """The day in an address."""
    found = DAY.search(urlsplit(url).path)
    try:
        return date(int(found["year"]), int(found["month"]), int(found["day"])) if found else None
    except ValueError:
        return None
