"""What holds on every page, feed and file of the site: titles as they are read, nothing hostile, one language."""

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree as ET

import pytest
from lxml import html
from protego import Protego

from crawler.archive import reprints
from crawler.archive.connection import open_archive
from crawler.publish.exports.csv_text import BOM
from crawler.publish.site.language import every_word
from crawler.publish.site.routes import ROUTES
from crawler.records import Attachment, Image, SpamSpan
from tests.support import stories
from tests.support.sites import get, opened
from tests.support.stories import EDITED, INJECTED, SPAMMED

SPLICED = "县里的春耕动员会开了"
CONTACT = "javascript:alert(6)"
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Controls that write what follows from right to left, or end what keeps it apart."""
MARKS = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>]]>&lt;{{ 7 * 7 }}"
HOSTILE = f"=1+1 {MARKS} \u202e\u2069\x01\x0b\ufffe"
"""Markup, a formula, characters that turn a line around, characters that XML cannot have."""
SPLICED_ONE, REPRINTED_ONE, HOSTILE_ONE, HOSTILE_TWO = 7, 8, 9, 10
"""Ids of articles beside those of `stories`."""


def fill(path: Path) -> None:
    """The archive of `stories` with injected titles and hostile words in every place that a list is made of."""
    stories.fill(path)
    with closing(open_archive(path)) as conn:
        title = f"{SPLICED[:4]}{INJECTED}{SPLICED[4:]}"
        injected: dict[str, Any] = {
            "title": title,
            "spam": (SpamSpan(position=-1, start=4, end=4 + len(INJECTED), text=INJECTED, rule="chain", score=9.0, cut=True),),
            "published": "2024-01-20",
        }  # fmt: skip
        body = "各乡镇要抓紧备耕，种子和化肥已经运到青龙镇的三个供应点，共计四百二十吨。" * 4
        stories.store(conn, ("body", body), ("body", stories.SLOGAN), name="s", portal_id="baishi", **injected)
        stories.store(conn, ("body", body), ("body", stories.SLOGAN), name="t", portal_id="qingshui", day=1, **injected)
        stories.store(
            conn, ("body", body + "已改。"), ("body", stories.SLOGAN), name="s", portal_id="baishi", day=40, **injected
        )
        stories.observe(conn, name="t", day=60, state="gone", portal="qingshui")
        hostile: dict[str, Any] = {
            "title": HOSTILE, "source": HOSTILE, "author": HOSTILE, "editor": HOSTILE, "column": HOSTILE,
            "published": "2024-01-21",
            "images": (Image(url="javascript:alert(3)", caption=HOSTILE), Image(url=f"https://x.example/{MARKS}", caption=HOSTILE)),
            "attachments": (Attachment(url="data:text/html,<script>alert(4)</script>", title=HOSTILE),),
            "spam": (SpamSpan(position=0, start=0, end=4, text=HOSTILE, rule=HOSTILE, score=1.0, cut=False),),
        }  # fmt: skip
        for name, portal in (("h", "baishi"), ("i", "qingshui")):
            stories.store(
                conn,
                ("body", HOSTILE * 9),
                ("heading", HOSTILE),
                ("caption", HOSTILE),
                ("body", f"{HOSTILE}\t{HOSTILE}"),
                ("spam", HOSTILE),
                name=name,
                portal_id=portal,
                url=f"https://{portal}.example/{name}?{HOSTILE}",
                **hostile,
            )
        stories.store(conn, ("body", HOSTILE * 8), name="h", portal_id="baishi", day=50,
                      url=f"https://baishi.example/h?{HOSTILE}", **hostile)  # fmt: skip
        conn.execute("UPDATE captures SET warc_file = ? WHERE url LIKE '%/h?%'", (HOSTILE,))
        conn.execute("UPDATE portals SET name = ?, homepage = 'javascript:alert(5)' WHERE id = 'baishi'", (HOSTILE,))
        conn.execute(
            "INSERT INTO portal_runs (run_id, portal_id, status, reason) SELECT id, 'baishi', 'failed', ? FROM runs",
            (HOSTILE,),
        )
        conn.execute("UPDATE runs SET status = 'failed'")
        reprints.catch_up(conn)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("everywhere") / "archive.db"
    fill(path)
    return path


@pytest.fixture(scope="module")
def site(archive: Path) -> Iterator[Any]:
    with opened(archive, sql=True, replay_base="https://replay.example/x", contact=CONTACT) as site:
        yield site


PAGES = (
    "/",
    "/search",
    "/search?q=春耕",
    f"/search?q={quote(MARKS)}&from={quote(MARKS)}&division={quote(MARKS)}",
    "/search?q=alert",
    "/search?from=2000&sort=newest",
    "/search?state=gone",
    *(f"/article/{one}" for one in range(1, HOSTILE_TWO + 1)),
    f"/article/{EDITED}?version=1",
    f"/article/{EDITED}?compare=1..2",
    f"/article/{SPLICED_ONE}?compare=8..10",
    f"/article/{HOSTILE_ONE}?compare=11..13",
    *(f"/section/{one}" for one in range(1, 30)),
    "/county",
    "/county/610000",
    "/county/610424",
    "/county/620521",
    "/county/610431",
    "/county/610424/with/610431",
    "/reprints",
    "/reprints?from=baishi&to_division=610000",
    "/portal",
    "/portal?sort=articles",
    "/portal/baishi",
    "/portal/lingyang",
    "/changes",
    "/changes?kind=gone&division=凌阳",
    "/defaced",
    "/defaced?portal=baishi",
    "/about",
    "/nothing/here",
    f"/article/{quote(MARKS, safe='')}",
    f"/county/{quote(MARKS, safe='')}",
    f"/portal/{quote(MARKS, safe='')}",
    "/nothing/~3Cscript~3Ealert(1)",
)
FEEDS = ("/articles.atom", "/changes.atom", "/search.atom?q=春耕", "/search.atom?q=alert", "/search.atom?portal=baishi")
SITEMAPS = ("/sitemap.xml", "/sitemap-0.xml", "/sitemap-1.xml")
FILES = ("/robots.txt", f"/article/{HOSTILE_ONE}.bib", f"/article/{HOSTILE_ONE}.ris", "/export.csv?from=2000")
DATASETTES = (
    "/archive",
    "/archive/articles",
    "/archive/articles?_search=alert&_facet=title&_sort=title",
    f"/archive/articles/{HOSTILE_ONE}",
    "/archive/versions",
    "/archive/sections",
    "/archive/version_sections?_labels=on",
    "/archive/article_texts",
    "/archive/captures",
    "/archive/portals",
    "/archive/spam_spans",
    "/archive/images",
    "/archive/newest_articles",
    "/archive/articles_of_a_county?county=610431&year=",
    "/archive?sql=select+*+from+articles",
)


def as_data(path: str) -> str:
    """The address of a page's data."""
    address, _, query = path.partition("?")
    return f"{'/index' if address == '/' else address}.json?{query}"


class Page(HTMLParser):
    """A page's addresses, elements, attributes and words, and whether its ``lang`` is another one than the page's."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.elements: set[str] = set()
        self.handlers: set[str] = set()
        self.scripts = ""
        self._open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self._open.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "action"}]
        self.handlers |= {name for name, _ in attrs if name.startswith("on")}

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            self.scripts += data


def test_every_route_is_among_the_pages_feeds_and_files_below() -> None:
    asked = [path.partition("?")[0] for path in (*PAGES, *map(as_data, PAGES), *FEEDS, *SITEMAPS, *FILES)]
    for pattern, _ in ROUTES:
        assert any(re.match(pattern, path) for path in asked), pattern


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there_as_data(site: Any, path: str) -> None:
    response = get(site, as_data(path))
    assert response.status_code == get(site, path).status_code
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.json() is not None


# Titles


LISTS = (
    "/",
    "/search?q=春耕",
    "/search?q=标题:春耕",
    f"/article/{SPAMMED}",
    f"/article/{SPLICED_ONE}",
    f"/article/{REPRINTED_ONE}",
    f"/article/{SPLICED_ONE}?compare=8..10",
    "/section/9",
    "/county/610431",
    "/county/620521",
    "/portal/baishi",
    "/changes",
    "/articles.atom",
    "/changes.atom",
    "/search.atom?q=春耕",
)


@pytest.mark.parametrize(
    "path", [*LISTS, *(as_data(path) for path in LISTS if "atom" not in path and "/article" not in path)]
)
def test_a_title_is_read_without_its_injected_advertisement_wherever_it_is_listed(site: Any, path: str) -> None:
    text = re.sub(r"<details.*?</details>|</?mark>", "", get(site, path).text, flags=re.DOTALL)
    assert SPLICED in text or "春耕开始" in text
    assert f"{SPLICED[:4]}{INJECTED}" not in text
    assert f"春耕开始{INJECTED}" not in text


def test_the_evidence_names_the_title_as_it_is_read_and_the_injected_run_beside_it(site: Any) -> None:
    page = get(site, "/defaced?portal=baishi").text
    assert f"<bdi>{SPLICED}</bdi>" in page
    assert f"<bdi>{INJECTED}</bdi>" in page


def test_an_article_as_data_has_its_title_as_it_is_read_and_the_version_as_it_was_printed(site: Any) -> None:
    found = get(site, f"/article/{SPAMMED}.json").json()
    assert found["title"] == "春耕开始"
    assert found["version"]["title"] == f"春耕开始{INJECTED}"


# Nothing hostile


@pytest.mark.parametrize("path", [*PAGES, *DATASETTES])
def test_nothing_hostile_runs_loads_or_leads_anywhere(site: Any, path: str) -> None:
    response = get(site, path)
    page = Page(response.text)
    assert response.status_code in {200, 404}
    assert {urlsplit(address).scheme for address in page.addresses} <= {"", "http", "https"}
    assert not page.handlers
    assert not {"img", "iframe", "object", "embed", "base"} & page.elements
    assert "alert" not in page.scripts
    if path not in DATASETTES:
        assert "script" not in page.elements
        assert not TURNING.search(response.text)


@pytest.mark.parametrize("path", [*FEEDS, *SITEMAPS])
def test_every_feed_and_sitemap_is_xml_and_turns_no_line_around(site: Any, path: str) -> None:
    response = get(site, path)
    assert response.status_code == 200
    for element in ET.fromstring(response.content).iter():
        assert not TURNING.search("".join([element.text or "", *element.attrib.values()]))
        assert "href" not in element.attrib or urlsplit(element.attrib["href"]).scheme == "http"


@pytest.mark.parametrize(
    "path",
    [
        "/export.csv?from=2000",
        "/archive/articles.csv",
        "/archive/articles.csv?_stream=1&_labels=on",
        "/archive/versions.csv?_dl=1",
        "/archive/newest_articles.csv",
        "/archive.csv?sql=select+title,+title+from+articles",
    ],
)
def test_a_spreadsheet_reads_any_table_and_runs_no_cell_of_it(site: Any, path: str) -> None:
    written = get(site, path).content
    assert written.startswith(BOM)
    assert written.count(BOM) == 1
    rows = list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")))
    cells = [cell for row in rows for cell in row]
    assert any(cell.startswith("'=1+1") for cell in cells)
    assert not any(cell.lstrip().startswith(("=", "+", "@")) for cell in cells)


@pytest.mark.parametrize("path", [f"/article/{HOSTILE_ONE}.bib", f"/article/{HOSTILE_ONE}.ris"])
def test_a_reference_is_one_entry_whatever_the_title_says(site: Any, path: str) -> None:
    response = get(site, path)
    assert response.headers["content-disposition"].startswith('attachment; filename="xianzhi-')
    assert not TURNING.search(response.text)
    assert response.text.count("@misc" if path.endswith("bib") else "TY  -") == 1
    assert re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", response.text) is None


def test_words_that_a_reader_typed_name_a_file_only_in_a_form_that_headers_may_have(site: Any) -> None:
    typed = quote('alert %0d%0aSet-Cookie: a=b \r\n";')
    response = get(site, f"/export.csv?q={typed}&portal=baishi")
    assert "set-cookie" not in response.headers
    assert response.headers["content-disposition"].isascii()
    long = get(site, f"/export.csv?q={'春耕' * 150}").headers["content-disposition"]
    name = unquote(long.rpartition("''")[2])
    assert name.endswith("春耕.csv")
    assert len(name.encode()) <= 255


def test_data_is_the_articles_own_to_the_byte(site: Any) -> None:
    found = json.loads(get(site, f"/article/{HOSTILE_ONE}.json").text)
    assert found["version"]["title"] == HOSTILE
    assert found["text"][0]["text"] == HOSTILE * 8


# Robots


OTHER_PLACES = re.compile(r"/county/(?!610000|620000|610424|610431|620521)")
"""Each has one page, and there are 3,000 of them."""


class Anchors(HTMLParser):
    """The addresses that a robot follows from a page; of those in two languages the one that is canonical."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.followed: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "a" and "nofollow" not in (found.get("rel") or "") and (found.get("href") or "").startswith("/"):
            address = re.sub(r"[?&]_lang=(zh|en)$", "", (found["href"] or "").partition("#")[0])
            self.followed |= {address} if not OTHER_PLACES.match(address) else set()


def walked(site: Any, *, rules: Protego | None, most: int) -> set[str]:
    """All addresses that a robot asks for from the front page on, which obeys *rules* and ``nofollow``."""
    asked: set[str] = set()
    waiting = {"/"}
    while waiting and len(asked) <= most:
        address = waiting.pop()
        asked.add(address)
        response = get(site, address, headers={"Host": "localhost"})
        if response.headers["content-type"].startswith("text/html") and "x-robots-tag" not in response.headers:
            waiting |= Anchors(response.text).followed - asked
        if rules:
            waiting = {one for one in waiting if rules.can_fetch(f"http://localhost{one}", "*")}
    return asked


def test_a_robot_comes_to_an_end_having_seen_every_article_and_no_search(site: Any) -> None:
    rules = Protego.parse(get(site, "/robots.txt").text)
    asked = walked(site, rules=rules, most=60)
    assert len(asked) <= 60
    assert {"/about", "/changes", "/portal/baishi", "/county/610431", f"/article/{SPLICED_ONE}"} <= asked
    assert not [one for one in asked if one.startswith(("/search?", "/archive", "/export", "/section"))]


def test_a_robot_that_reads_no_robots_txt_comes_to_an_end_too(site: Any) -> None:
    assert len(walked(site, rules=None, most=300)) <= 300


@pytest.mark.parametrize(
    "path", ["/archive", "/archive/articles?_sort=id", "/search.json?q=a", *FEEDS, "/archive.csv?sql=select+1"]
)
def test_tables_data_and_feeds_ask_to_be_left_out_of_search_engines(site: Any, path: str) -> None:
    assert get(site, path).headers["x-robots-tag"] == "noindex, nofollow"


def test_of_our_pages_those_without_end_are_listed_nowhere(site: Any) -> None:
    for path in PAGES:
        is_listed = '<meta name="robots" content="noindex">' not in get(site, path).text
        is_one_of_few = ("?" not in path and "/with/" not in path) or path == "/defaced?portal=baishi"
        assert is_listed == (is_one_of_few and get(site, path).status_code == 200), path


# One language at a time


NAMES_OF_THINGS = re.compile(
    r"UTC|HTTP|JSON|CSV|Atom|WARC|SHA-256|BibTeX|RIS|APA|GB/T|SQL|Excel|MIT|robots\.txt|\.json|[0-9a-f]{64}|[\w-]+\.gz"
)
"""What has no Chinese name."""


def words_of(page: str, lang: str) -> Iterator[str]:
    """What a page says in *lang* to those who see it, and to those who hear it; on a Chinese page, what it quotes is not
    that: articles are in any language.
    """
    quoted = {"code", "pre", "bdi"} if lang == "zh" else {"code", "pre"}
    waiting = [(html.document_fromstring(page).find("body"), lang)]
    while waiting:
        element, inherited = waiting.pop()
        if not isinstance(element.tag, str):
            continue
        here = "data" if element.tag in quoted else element.get("lang", inherited)
        if here.startswith(lang):
            yield element.text or ""
            yield from (element.get(name, "") for name in ("aria-label", "placeholder", "alt"))
            yield from (child.tail or "" for child in element)
        waiting += [(child, here) for child in element]


@pytest.mark.parametrize("path", [path for path in PAGES if quote(MARKS, safe="") not in path])
def test_a_page_speaks_one_language_at_a_time(site: Any, path: str) -> None:
    sign = "&" if "?" in path else "?"
    meant = {forms[1] for forms in every_word().values()}  # where an example of a search has to be in Chinese
    for said in words_of(get(site, f"{path}{sign}_lang=en").text, "en"):
        assert said.strip() in meant or not re.search("[\u3000-\u9fff\uff01-\uff5e]", said), said
        assert not re.search(r"(?<![\d,.:-])1 [a-z]{4,}s\b", said), said
    for said in words_of(get(site, f"{path}{sign}_lang=zh").text, "zh"):
        assert MARKS in said or not re.search("[A-Za-z]{2}", NAMES_OF_THINGS.sub("", said.replace(CONTACT, ""))), said
