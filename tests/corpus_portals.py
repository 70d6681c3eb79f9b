"""The real pages of ../shared/corpus as portals on loopback: behind list pages, as ``/<id>.html``.

    python -m tests.corpus_portals        crawls them into a temporary archive and says what was read (make corpus)

Most saved pages have no address that could be served. One portal for each SiteIDCode, one for all the rest.
"""

import html
import json
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from crawler import divisions
from crawler.demo.server import serve
from crawler.demo.site import Response, Site
from tests.conftest import NO_SHARED, SHARED
from tests.support.crawling import Archive

PER_PAGE = 20
REST = "rest"
HOSTS = tuple(f"127.0.{30 + number // 250}.{1 + number % 250}" for number in range(500))


def pages_by_portal(corpus: Path) -> dict[str, list[dict[str, Any]]]:
    """The article pages of the manifest, by the site code in their tags."""
    portals: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with (corpus / "manifest.jsonl").open(encoding="utf-8") as manifest:
        for page in map(json.loads, manifest):
            if page["kind"] == "article":
                code = (page.get("gov_meta") or {}).get("SiteIDCode") or ""
                portals[f"site-{code.lower()}" if re.fullmatch(r"\w+", code) else REST].append(page)
    return dict(portals)


def site_of(pages: list[dict[str, Any]], folder: Path) -> Site:
    """One portal: its pages as they are, and list pages that lead to them."""
    answers = {}
    last = -(-len(pages) // PER_PAGE)
    for number in range(1, last + 1):
        items = "".join(
            f'<li><a href="/{page["id"]}.html">{html.escape(page["title"] or page["id"])}</a>'
            f"<span>{(page['date'] or '')[:10]}</span></li>"
            for page in pages[(number - 1) * PER_PAGE : number * PER_PAGE]
        )
        following = f'<a href="/list_{number + 1}.html">下一页</a>' if number < last else ""
        listing = f'<html><head><meta charset="utf-8"></head><body><ul>{items}</ul>{following}</body></html>'
        answers[f"/list_{number}.html"] = Response(headers=(("Content-Type", "text/html"),), body=listing.encode())
    for page in pages:
        body = (folder / f"{page['id']}.html").read_bytes()
        answers[f"/{page['id']}.html"] = Response(headers=(("Content-Type", "text/html"),), body=body)
    return Site(answers)


def division_of(portal_id: str) -> str:
    """The division in a site code where there is such a one; else the province that a footer among the rest names."""
    code = portal_id.removeprefix("site-")[:6]
    return code if code.isdigit() and divisions.exists(code) else "130000"


def catalogue(urls: dict[str, str]) -> str:
    """An entry a portal; articles are whatever has an id's address."""
    return "\n".join(
        f'[[portal]]\nid = "{name}"\nname = "{name}"\ndivision = "{division_of(name)}"\nhomepage = "{url}/"\n'
        f"lists = [\"{url}/list_1.html\"]\narticle = '/(?!list_)[\\w-]+\\.html$'\ndelay = 0\n"
        for name, url in urls.items()
    )


def crawl_corpus(archive: Archive, corpus: Path) -> dict[str, list[dict[str, Any]]]:
    """Serve and crawl all of it; the pages by portal."""
    portals = pages_by_portal(corpus)
    with serve({name: site_of(pages, corpus / "pages") for name, pages in portals.items()}, hosts=HOSTS) as urls:
        archive.write_catalogue(catalogue(urls))
        crawled = archive.crawl()
    print(crawled.words, file=sys.stderr)
    return portals


def missing(archive: Archive, pages: Iterable[dict[str, Any]]) -> list[str]:
    """Ids of the articles without a row, or with a row without text."""
    stored = {
        Path(url).stem
        for (url,) in archive.query(
            "SELECT url FROM articles JOIN article_texts ON article_id = id WHERE length(body) > 0"
        )
    }
    return sorted(page["id"] for page in pages if page["id"] not in stored)


def main() -> int:
    """Crawl, and say what is missing."""
    if not SHARED.is_dir():
        print(NO_SHARED)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder))
        portals = crawl_corpus(archive, SHARED / "corpus")
        pages = [page for group in portals.values() for page in group]
        lost = missing(archive, pages)
        print(
            f"{len(pages)} articles on {len(portals)} portals; {len(pages) - len(lost)} stored with text; missing: {lost}"
        )
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
