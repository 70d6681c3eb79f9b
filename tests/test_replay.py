"""What was archived is shown again when its portals are gone: by pywb, in a real browser."""

from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from crawler.archive.packages import write_cdxj, write_wacz
from crawler.archive.selection import Selection
from crawler.demo.portals import catalogue_toml, render, sites
from crawler.demo.server import serve
from crawler.demo.stories import edited, load
from crawler.demo.truth import Expected, expected
from crawler.fetch.chromium import find_chromium
from tests.support.browser import needs_browser
from tests.support.crawling import Archive
from tests.support.replay import needs_replay, pywb, run

ADDED = "县里随后又补充了一条说明。"
LIVE = """
collections:
  news:
    index_paths: ./indexes/
    archive_paths: {warc}/
"""


@dataclass(frozen=True)
class Shown:
    """What a browser shows of a replayed page."""

    title: str
    text: str
    pictures: tuple[str, ...]
    """Addresses of those that came."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Two nights of the demo portals, pictures too; between them one article is edited. The portals are gone."""
    archive, shown = Archive(tmp_path_factory.mktemp("replay")), sites()
    story = expected([load("qinglan")])[0]
    with serve(shown) as urls:
        archive.write_catalogue(catalogue_toml(urls))
        archive.crawl("--media")
        body = "\n\n".join([*story.paragraphs, ADDED])
        shown["qinglan"].publish(render(edited(load("qinglan"), story.id, body=body)))
        archive.crawl("--media", "--full")
    return archive


@pytest.fixture(scope="module")
def live(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """pywb over the archive's own WARC files, with our index."""
    folder = tmp_path_factory.mktemp("pywb")
    (folder / "indexes").mkdir()
    write_cdxj(
        archive.db, archive.warc, folder / "indexes" / "news.cdxj", Selection(), progress=lambda done, total: None
    )
    (folder / "config.yaml").write_text(LIVE.format(warc=archive.warc), encoding="utf-8")
    with pywb(folder) as address:
        yield f"{address}/news"


@pytest.fixture(scope="module")
def packaged(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """pywb over a WACZ, as docs/replay.md has it."""
    folder = tmp_path_factory.mktemp("wacz")
    write_wacz(archive.db, archive.warc, folder / "news.wacz", Selection(), progress=lambda done, total: None)
    run("wb-manager", "init", "news", folder=folder)
    run("wb-manager", "add", "--unpack-wacz", "news", "news.wacz", folder=folder)
    with pywb(folder) as address:
        yield f"{address}/news"


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    """A page of Chromium, which reaches nothing but this machine's first loopback address."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(),
            chromium_sandbox=False,
            args=["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--no-proxy-server"],
        )
        yield browser.new_page()
        browser.close()


@pytest.fixture(scope="module", params=["live", "packaged"])
def replay(request: pytest.FixtureRequest) -> str:
    """Where pywb is, over the archive as it lies and over a package."""
    address: str = request.getfixturevalue(request.param)
    return address


def show(page: Any, replay: str, url: str, at: str) -> Shown:
    """Open a capture."""
    page.goto(f"{replay}/{digits(at)}/{url}", wait_until="networkidle")
    [frame] = [frame for frame in page.frames if "mp_/" in frame.url]
    pictures = frame.evaluate("[...document.images].filter(image => image.naturalWidth).map(image => image.src)")
    return Shown(title=frame.title(), text=frame.inner_text("body"), pictures=tuple(pictures))


def digits(at: str) -> str:
    return "".join(char for char in at if char.isdigit())[:14]


def story(portal_id: str, *, number: int = 0, with_picture: bool = False) -> Expected:
    return [one for one in expected([load(portal_id)]) if one.images or not with_picture][number]


def captures_of(archive: Archive, path: str, *, kind: str = "article") -> list[tuple[str, str, int]]:
    """Address, time and status of each capture of a page, the first one first."""
    return archive.query(
        "SELECT url, fetched_at, status FROM captures WHERE url LIKE ? AND kind = ? ORDER BY id", f"%{path}", kind
    )


def assert_readable(shown: Shown, told: Expected) -> None:
    assert told.title in shown.title
    for paragraph in told.paragraphs[:3]:
        assert paragraph in shown.text


@needs_replay
@needs_browser
@pytest.mark.parametrize("portal_id", ["shuyuan", "yunzhang"], ids=["gbk", "big5"])
def test_a_page_in_an_old_encoding_is_readable_with_its_picture(
    archive: Archive, replay: str, page: Any, portal_id: str, tmp_path: Path
) -> None:
    told = story(portal_id, with_picture=True)
    url, at, _ = captures_of(archive, told.path)[0]
    shown = show(page, replay, url, at)
    assert_readable(shown, told)
    assert [picture for picture in shown.pictures if picture.endswith(told.images[0][0])]
    page.screenshot(path=tmp_path / "page.png")  # to be looked at by people
    assert (tmp_path / "page.png").stat().st_size > 20_000


@needs_replay
@needs_browser
def test_the_same_page_again_is_shown_from_the_first_record(archive: Archive, replay: str, page: Any) -> None:
    told = story("shuyuan", number=1)
    _, (url, at, _) = captures_of(archive, told.path)
    assert archive.one("SELECT revisit_of IS NOT NULL FROM captures WHERE url = ? AND fetched_at = ?", url, at)
    assert_readable(show(page, replay, url, at), told)


@needs_replay
@needs_browser
def test_a_page_that_the_portal_said_is_unchanged_is_shown(archive: Archive, replay: str, page: Any) -> None:
    told = story("qinglan", number=3)
    _, (url, at, status) = captures_of(archive, told.path)
    assert status == 304
    assert_readable(show(page, replay, url, at), told)


@needs_replay
@needs_browser
def test_each_version_is_shown_at_its_time(archive: Archive, replay: str, page: Any) -> None:
    before, after = captures_of(archive, story("qinglan").path)
    assert ADDED not in show(page, replay, *before[:2]).text
    assert ADDED in show(page, replay, *after[:2]).text


@needs_replay
@needs_browser
def test_a_redirect_leads_to_the_page(archive: Archive, replay: str, page: Any) -> None:
    [(url, at), *_] = archive.query("SELECT url, fetched_at FROM captures WHERE status = 301 ORDER BY id")
    title = show(page, replay, url, at).title
    [told] = [one for one in expected([load("qinglan")]) if one.title in title]
    assert not url.endswith(told.path)
    assert told.path in page.url


@needs_replay
def test_an_unchanged_page_is_not_dated_later_than_its_bytes(archive: Archive, live: str) -> None:
    (_, first, _), (url, at, status) = captures_of(archive, story("qinglan", number=3).path)
    assert status == 304
    with urlopen(f"{live}/{digits(at)}mp_/{url}", timeout=20) as answer:
        said = parsedate_to_datetime(answer.headers["Memento-Datetime"])
    assert said.isoformat()[:19] == first[:19]


@needs_replay
def test_the_package_of_a_crawl_is_valid(archive: Archive, tmp_path: Path) -> None:
    write_wacz(archive.db, archive.warc, tmp_path / "news.wacz", Selection(), progress=lambda done, total: None)
    assert "is valid" in run("wacz", "validate", "-f", "news.wacz", folder=tmp_path)
