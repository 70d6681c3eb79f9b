"""Epoint (新点): static lists of numbered pages, and disclosure lists that a program sends as JSON."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from crawler.text import dates
from crawler.text.urls import absolute
from spiders.base import PortalSpider
from spiders.listing import Following, Link, Listing, dated_like
from spiders.pagers import next_link, numbered_link

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ARTICLE = re.compile(rf"^[^?#]*/\w{{3,}}/(?:\d{{8}}|\d{{4}}-\d\d-\d\d)/{UUID}\.html(?:[?#]|$)", re.IGNORECASE)
SITE_GUID = re.compile(rf"siteGuid['\"]?\s*[:=]\s*['\"]({UUID})['\"]", re.IGNORECASE)
PROJECT = re.compile(r"projectName['\"]?\s*[:=]\s*['\"]/?([\w-]{1,60})/?['\"]")
PROJECT_NAME = "EWB-FRONT"
SITE_SCRIPT = re.compile(r"/webbuildercommon\.js(?:[?#]|$)", re.IGNORECASE)
ACTION = "rest/lightfrontaction/getgovinfolist"
CATEGORY = re.compile(r"\d{3,30}")
PAGES = re.compile(r"\s*\d{1,5}\s*/\s*(\d{1,5})\s*")
COUNT = re.compile(r"[0-9]{1,9}")
PER_PAGE = 20


class EpointSpider(PortalSpider):
    """``/xwzx/001001/about.html`` (next ``2.html``), and ``/dynamic/zwgk/govInfoPub.html?categorynum=003001``."""

    name = "epoint"

    def behind(self, listing: Listing) -> Following | None:
        """A disclosure page is a shell: the list is asked for, once it is known under which id the portal runs."""
        return behind_shell(listing)

    def links(self, listing: Listing) -> Iterator[Link]:
        """Articles by category, day and UUID; from the program's answer or from the page's dated lists."""
        pattern = self.article_pattern or ARTICLE
        if "asked" not in listing.state:
            yield from dated_like(listing, pattern)
        for record in records_of(answer_of(listing)):
            url = absolute(listing.state.get("page", listing.url), text_in(record, "infourl"))
            if url and pattern.search(url):
                day = dates.find(text_in(record, "infodate"))
                title = text_in(record, "realtitle") or text_in(record, "title")
                yield Link(url=url, title=title or None, published=day.value[:10] if day else None)

    def next_page(self, listing: Listing) -> Following | str | None:
        """By link or number, else the next number beside a page that says it has more; the program's by their total."""
        if "asked" in listing.state:
            answer = answer_of(listing)
            total, seen = str(answer.get("total")), listing.state["seen"] + len(records_of(answer))
            is_last = not COUNT.fullmatch(total) or seen >= int(total)
            return None if is_last else asked({**listing.state, "seen": seen}, listing.number)
        return next_link(listing) or numbered_link(listing) or counted(listing)


def counted(listing: Listing) -> str | None:
    """The next page by the pager's ``<span id="index">2/9</span>``: pages after the first are called ``2.html`` …"""
    for element in listing.tree.xpath("//*[@id='index']"):
        found = PAGES.fullmatch(element.text_content())
        if found and listing.number < int(found[1]):
            return urljoin(listing.base, f"{listing.number + 1}.html")
    return None


def behind_shell(listing: Listing) -> Following | None:
    """What a disclosure page's script would ask for first: the list, or before it the file with the portal's id."""
    if "asked" in listing.state:
        return None
    query = parse_qs(urlsplit(listing.url).query)
    page = listing.state or {
        "page": listing.url,
        "categorynum": query.get("categorynum", [""])[0],
        "deptcode": query.get("deptcode", [""])[0],
    }
    if not CATEGORY.fullmatch(page["categorynum"]):
        return None
    guid = SITE_GUID.search(listing.text)
    if guid:
        project = PROJECT.search(listing.text)
        action = urljoin(page["page"], f"/{project[1] if project else PROJECT_NAME}/{ACTION}")
        return asked({**page, "action": action, "guid": guid[1], "seen": 0}, 0)
    sources = (absolute(listing.base, str(source)) for source in listing.tree.xpath("//script/@src"))
    script = next((url for url in sources if url and SITE_SCRIPT.search(url)), None)
    mark = f"{page['categorynum']} {page['deptcode']}"  # all columns of a portal have the same script
    return Following(url=script, state=page, mark=mark) if script and not listing.state else None


def asked(state: Mapping[str, Any], index: int) -> Following:
    """The request for the list's page *index*, counted from 0."""
    form = {
        "deptcode": state["deptcode"],
        "categorynum": state["categorynum"],
        "pageIndex": index,
        "pageSize": PER_PAGE,
        "siteGuid": state["guid"],
    }
    headers = {"Content-Type": "application/json", "X-Requested-With": "XMLHttpRequest", "Referer": state["page"]}
    return Following(
        url=state["action"], method="POST", body=json.dumps(form), headers=headers, state={**state, "asked": index}
    )


def answer_of(listing: Listing) -> dict[str, Any]:
    """The program's answer, some versions of which are JSON inside JSON; empty where it is neither."""
    if "asked" not in listing.state:
        return {}
    try:
        data = json.loads(listing.text)
        custom = data.get("custom") if isinstance(data, dict) else None
        answer = json.loads(custom) if isinstance(custom, str) else custom
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def records_of(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answer's entries."""
    records = answer.get("data")
    return [record for record in records if isinstance(record, dict)] if isinstance(records, list) else []


def text_in(record: Mapping[str, Any], name: str) -> str:
    """A field's text without markup (titles are coloured by ``<font>``); empty where there is none."""
    return " ".join(re.sub(r"<[^>]{0,200}>", "", str(record.get(name) or "")).split())
