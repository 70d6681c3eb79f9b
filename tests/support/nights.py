"""Two nights over a portal of the zoo: what was stored, and how often the portal was asked."""

from dataclasses import dataclass
from pathlib import Path

from crawler.demo.server import serve
from tests.support.crawling import Archive, Crawled
from tests.zoo import ZooPortal


@dataclass(frozen=True, kw_only=True)
class Night:
    """One crawl."""

    crawled: Crawled
    requests: int
    """Answers of the portal, robots.txt among them."""


@dataclass(frozen=True, kw_only=True)
class Nights:
    """A first night, and one on which nothing was new."""

    first: Night
    quiet: Night
    stored: list[tuple[str, str, str, str]]
    """Of each article after both nights: address without scheme and host, title, day, body."""


def two_nights(portal: ZooPortal, folder: Path) -> Nights:
    archive = Archive(folder)
    with serve({portal.name: portal.site}) as urls:
        base = urls[portal.name]
        lists = ", ".join(f'"{base}{path}"' for path in portal.lists)
        lines = [
            "[[portal]]", f'id = "{portal.name}"', 'name = "柳溪县人民政府"', 'division = "610000"',
            f'homepage = "{base}/"', f"lists = [{lists}]", f'cms = "{portal.family}"', "delay = 0",
            *(line.replace("{base}", base) for line in portal.entry),
        ]  # fmt: skip
        archive.write_catalogue("\n".join(lines) + "\n")
        first, quiet = (_night(portal, archive) for _ in range(2))
        rows = archive.query("SELECT url, title, published, body FROM articles JOIN article_texts ON article_id = id")
    stored = [(url.removeprefix(base), title, (published or "")[:10], body) for url, title, published, body in rows]
    return Nights(first=first, quiet=quiet, stored=stored)


def _night(portal: ZooPortal, archive: Archive) -> Night:
    portal.site.hits.clear()
    return Night(crawled=archive.crawl("--jobs", "1"), requests=portal.site.hits.total())
