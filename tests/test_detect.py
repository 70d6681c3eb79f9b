"""Portals that nobody described yet: ``portals detect``, a first crawl without ``cms``, and ``portals check --live``."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crawler.catalogue import load
from crawler.cli.detect import detect
from crawler.cli.portals import check, list_portals
from crawler.demo.server import serve
from crawler.demo.site import Response, Site
from tests import zoo
from tests.conftest import ROOT
from tests.support.crawling import LOOPBACK, Archive, entry, news_site
from tests.support.planting import page
from tests.zoo import ZooPortal

TAGS = '<meta name="SiteName" content="乾县人民政府"><meta name="siteidcode" content="6104240001">'


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


@dataclass(frozen=True)
class Said:
    """What a command said."""

    exit_code: int
    out: str
    words: str


def portals(*words: str, allow: str | None = LOOPBACK) -> Said:
    """Run ``xianzhi portals``."""
    allowed = ["--allow-network", allow] if allow else []
    command = [sys.executable, "-m", "crawler", "portals", *words, *allowed, "--delay", "0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=90, check=False)
    return Said(done.returncode, done.stdout, done.stderr)


def with_homepage(site: Site, columns: Sequence[tuple[str, str]], *, head: str = TAGS) -> Site:
    """*site* with a homepage that links to *columns*, name and path."""
    links = "".join(f'<li><a href="{path}">{name}</a></li>' for name, path in columns)
    site.replace("/", page(f"<html><head><title>柳溪首页</title>{head}</head><body><ul>{links}</ul></body></html>"))
    return site


def sample(name: str) -> ZooPortal:
    return next(portal for portal in zoo.portals() if portal.name == name)


# portals detect.


@pytest.mark.parametrize("name", ["trs", "jcms-island", "longtech-public"])
def test_a_proposed_entry_is_pasted_and_crawls_every_article(name: str, archive: Archive) -> None:
    portal = sample(name)
    site = with_homepage(
        portal.site, [("柳溪要闻", portal.lists[0]), ("公告公示", "/nothing/"), ("政务公开", "/zwgk/")]
    )
    site.replace("/robots.txt", Response(body=b"User-agent: *\nDisallow: /private/\n"))
    with serve({"liuxi": site}) as urls:
        said = portals("detect", urls["liuxi"])
        assert said.exit_code == 0, said.words
        archive.write_catalogue(said.out)
        [found] = load(archive.folder / "portals.toml")
        assert (found.name, found.division, found.cms) == ("乾县人民政府", "610424", portal.family)
        assert found.lists == (urls["liuxi"] + portal.lists[0],)
        assert found.expect.first_page
        crawled = archive.crawl("--delay", "0")
        stored = archive.query("SELECT url FROM articles")
    assert crawled.exit_code == 0, crawled.words
    assert sorted(url.removeprefix(urls["liuxi"]) for (url,) in stored) == sorted(
        article.path for article in portal.planted
    )
    assert "陕西省 咸阳市 乾县 610424, by SiteIDCode 6104240001" in said.words
    assert "/nothing/ answered 404" in said.words


def test_a_homepage_that_answers_with_an_error_keeps_no_named_list_from_being_looked_at() -> None:
    portal = sample("vsb")
    with serve({"liuxi": portal.site}) as urls:
        assert portals("detect", urls["liuxi"]).exit_code == 1
        said = portals("detect", urls["liuxi"], "--list", urls["liuxi"] + portal.lists[0])
    assert said.exit_code == 0, said.words
    assert 'cms = "vsb"' in said.out


def test_detection_tells_scripts_all_that_it_found() -> None:
    portal = sample("trs")
    head = TAGS + '<link rel="alternate" type="application/rss+xml" href="/feed.xml">'
    site = with_homepage(portal.site, [("柳溪要闻", "/xwzx/zwyw/")], head=head)
    with serve({"liuxi": site}) as urls:
        base = urls["liuxi"]
        site.replace(
            "/robots.txt", Response(body=f"Sitemap: {base}/sitemap.xml\nSitemap: http://x.example/s.xml\n".encode())
        )
        said = portals("detect", f"{base}/", "--json")
    found = json.loads(said.out)
    assert found["family"] == found["guesses"][0]["family"] == "trs"
    assert found["guesses"][0]["reasons"]
    assert (found["feeds"], found["sitemaps"]) == ([f"{base}/feed.xml"], [f"{base}/sitemap.xml"])
    [column] = found["lists"]
    assert (column["name"], column["articles"], column["newest"], column["pager"]) == (
        "柳溪要闻",
        9,
        "2023-05-28",
        "ok, 8 of 8 new",
    )
    assert tomllib.loads(found["entry"])["portal"][0]["cms"] == "trs"


def test_lists_may_be_named_where_a_homepage_tells_nothing() -> None:
    site = with_homepage(sample("vsb").site, [], head="")
    with serve({"liuxi": site}) as urls:
        nothing = portals("detect", urls["liuxi"])
        named = portals("detect", urls["liuxi"], "--list", f"{urls['liuxi']}/xwzx/zqyw.htm")
    assert (nothing.exit_code, nothing.out) == (1, "")
    assert "--list URL" in nothing.words
    assert named.exit_code == 0, named.words
    [proposed] = tomllib.loads(named.out)["portal"]
    assert (proposed["cms"], proposed["name"], proposed["division"]) == ("vsb", "柳溪", "")


def test_a_page_that_only_leads_to_other_lists_is_no_list_of_its_own() -> None:
    site = news_site(25)
    front = b"".join(site.pages["/news/"].body.partition(b"</ul>")[:2])
    site.replace("/center/", page(front.decode()))
    with_homepage(site, [("柳溪要闻", "/news/"), ("新闻中心", "/center/")])
    with serve({"liuxi": site}) as urls:
        said = portals("detect", urls["liuxi"])
        assert tomllib.loads(said.out)["portal"][0]["lists"] == [f"{urls['liuxi']}/news/"], said.words


def test_the_other_scheme_is_tried_where_one_does_not_connect() -> None:
    portal = sample("trs")
    site = with_homepage(portal.site, [("柳溪要闻", "/xwzx/zwyw/")])
    with serve({"liuxi": site}) as urls:
        said = portals("detect", urls["liuxi"].replace("http:", "https:"))
        assert said.exit_code == 0, said.words
        assert tomllib.loads(said.out)["portal"][0]["homepage"] == f"{urls['liuxi']}/"
    assert "only http://" in said.words


@pytest.mark.parametrize(
    ("path", "response", "words"),
    [
        ("/", Response(status=412, body=b"<script>window.$_ts={};</script>"), "answered 412: a script challenge"),
        ("/", Response(status=302, headers=(("Location", "http://elsewhere.example/"),)), "leads to http://elsewhere.example/, another site"),
        ("/", page('<script>location.href="http://elsewhere.example/"</script>'), "leads to http://elsewhere.example/, another site"),
        ("/robots.txt", Response(status=503), "robots.txt answered 503"),
        ("/robots.txt", Response(body=b"User-agent: *\nDisallow: /"), "robots.txt disallows"),
    ],
    ids=["wall", "moved", "jumps", "robots fails", "robots forbids"],
)  # fmt: skip
def test_a_portal_that_cannot_be_read_is_named_with_the_reason(path: str, response: Response, words: str) -> None:
    site = with_homepage(news_site(3), [("柳溪要闻", "/news/")])
    site.replace(path, response)
    with serve({"liuxi": site}) as urls:
        said = portals("detect", urls["liuxi"])
    assert (said.exit_code, said.out) == (1, "")
    assert words in said.words
    assert "Traceback" not in said.words
    assert not any("/news" in asked for asked, _ in site.hits)


def test_private_addresses_are_refused_without_leave() -> None:
    site = news_site(3)
    with serve({"liuxi": site}) as urls:
        said = portals("detect", urls["liuxi"], allow=None)
    assert said.exit_code == 1
    assert "--allow-network permits it" in said.words
    assert site.hits.total() == 0


@pytest.mark.parametrize("address", ["ftp://x.example/", "http://", "http://a b/", "http://user@x.example/"])
def test_what_is_no_web_address_is_wrong_usage(address: str) -> None:
    assert CliRunner().invoke(detect, [address]).exit_code == 2


def test_what_a_portal_says_drives_no_terminal_and_breaks_no_toml() -> None:
    site = news_site(12)
    head = '<meta name="SiteName" content="柳&#27;[31m溪&#8238;&quot;\nid = &quot;evil"><meta name="SiteIDCode" content="&#0;">'
    with_homepage(site, [("柳\u202e溪要闻&#27;", "/news/")], head=head)
    with serve({"liuxi": site}) as urls:
        said = portals("detect", urls["liuxi"])
    assert said.exit_code == 0, said.words
    assert not any(char in said.out + said.words for char in "\x1b\u202e\0")
    [proposed] = tomllib.loads(said.out)["portal"]
    assert proposed["id"] == "portal"


# A portal without cms.


def kinds(archive: Archive) -> dict[str, int]:
    return dict(archive.query("SELECT kind, count(*) FROM captures GROUP BY kind"))


def test_a_portal_without_cms_is_looked_at_once_as_evidence_and_then_known(archive: Archive) -> None:
    portal = sample("trs-shtml")
    with serve({"liuxi": portal.site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]).replace("/news/", portal.lists[0]))
        first = archive.crawl()
        assert first.exit_code == 0, first.words
        assert archive.query("SELECT cms FROM portals") == [("trs",)]
        assert archive.one("SELECT count(*) FROM articles") == len(portal.planted)
        assert "family trs" in first.words
        looks = archive.query(
            "SELECT warc_file, revisit_of IS NULL FROM captures WHERE kind = 'list' AND url LIKE '%/zwyw/'"
        )
        assert len(looks) == 2
        portal.site.hits.clear()
        second = archive.crawl()
    assert (second.exit_code, second.portal("liuxi")["new"]) == (0, 0)
    listed = CliRunner().invoke(
        list_portals, ["--catalogue", str(archive.folder / "portals.toml"), "--db", str(archive.db)]
    )
    assert "trs (detected)" in listed.output
    assert portal.site.hits.total() == portal.quiet_requests
    assert archive.query("SELECT cms FROM portals") == [("trs",)]


def test_generic_is_remembered_too_and_the_catalogue_always_wins(archive: Archive) -> None:
    site = news_site(12)
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        archive.crawl()
        assert archive.query("SELECT cms FROM portals") == [("generic",)]
        site.hits.clear()
        archive.crawl()
        assert site.hits.total() == 2
        archive.write_catalogue(entry("liuxi", urls["liuxi"], 'cms = "wordpress"'))
        archive.crawl()
    assert archive.query("SELECT cms FROM portals") == [("wordpress",)]


def test_a_family_is_detected_again_where_its_spider_finds_no_link_any_more(archive: Archive) -> None:
    old, new = sample("trs"), sample("jcms-island")
    site = Site({**old.site.pages, **new.site.pages}, script=new.site.script)
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]).replace("/news/", old.lists[0]))
        archive.crawl()
        assert archive.query("SELECT cms FROM portals") == [("trs",)]
        listing = site.pages[new.lists[0]]
        for path in (old.lists[0], f"{old.lists[0]}index.html"):
            site.replace(path, listing)
        archive.crawl()
        assert archive.query("SELECT cms FROM portals") == [(None,)]
        crawled = archive.crawl()
    assert archive.query("SELECT cms FROM portals") == [("jcms",)]
    assert crawled.portal("liuxi")["new"] == len(new.planted)


def test_a_portal_that_refuses_the_look_is_asked_nothing_more(archive: Archive) -> None:
    site = news_site(3)
    site.replace("/news/", Response(status=412, body=b"<script>window.$_ts={};</script>"))
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        crawled = archive.crawl()
    assert crawled.portal("liuxi")["status"] == "blocked"
    assert "412" in crawled.portal("liuxi")["reason"]
    assert site.hits.total() == 2
    assert archive.query("SELECT cms FROM portals") == [(None,)]
    assert kinds(archive) == {"robots": 1, "list": 1}


def test_a_list_that_cannot_be_had_leaves_the_family_open(archive: Archive) -> None:
    site = news_site(12)
    listing = site.pages["/news/"]
    site.remove("/news/")
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"]))
        assert archive.crawl().portal("liuxi")["status"] == "failed"
        assert archive.query("SELECT cms FROM portals") == [(None,)]
        site.replace("/news/", listing)
        assert archive.crawl().portal("liuxi")["new"] == 12
    assert archive.query("SELECT cms FROM portals") == [("generic",)]


def test_a_portal_of_feeds_alone_needs_no_look(archive: Archive) -> None:
    portal = sample("feed")
    with serve({"liuxi": portal.site}) as urls:
        lines = entry("liuxi", urls["liuxi"], *(line.replace("{base}", urls["liuxi"]) for line in portal.entry))
        archive.write_catalogue("\n".join(line for line in lines.splitlines() if not line.startswith("lists")) + "\n")
        crawled = archive.crawl()
    assert crawled.portal("liuxi")["new"] == len(portal.planted)
    assert archive.query("SELECT cms FROM portals") == [("feed",)]
    assert "list" not in kinds(archive)


# portals check --live.


def checked(archive: Archive, *words: str) -> tuple[Said, dict[str, dict[str, Any]]]:
    said = portals("check", "--live", "--catalogue", str(archive.folder / "portals.toml"), "--json", *words)
    return said, {line["id"]: line for line in json.loads(said.out)} if said.out else {}


def test_a_live_check_says_of_each_portal_what_is_not_as_its_entry_says(archive: Archive) -> None:
    trs, ucap, stranger, walled = sample("trs"), sample("ucap"), news_site(12), Site({})
    with_homepage(trs.site, [], head=TAGS)
    with_homepage(ucap.site, [], head="")
    with_homepage(
        stranger,
        [],
        head='<meta name="SiteName" content="溆浦县人民政府"><meta name="SiteIDCode" content="4312240001">',
    )
    walled.replace("/", Response(status=521, body=b"<script>__jsl_clearance</script>"))
    with serve({"good": trs.site, "family": ucap.site, "stranger": stranger, "walled": walled}) as urls:
        archive.write_catalogue(
            entry("good", urls["good"], 'cms = "trs"').replace("/news/", trs.lists[0])
            + entry("family", urls["family"], 'cms = "vsb"').replace("/news/", ucap.lists[0])
            + entry("stranger", urls["stranger"])
            + entry("walled", urls["walled"], "expect = { blocked = true }")
            + entry("dead", "http://127.0.11.7:9")
        )
        said, lines = checked(archive)
    assert said.exit_code == 1
    assert {name: line["status"] for name, line in lines.items()} == {
        "good": "ok", "family": "failed", "stranger": "failed", "walled": "ok", "dead": "failed",
    }  # fmt: skip
    good = lines["good"]
    assert (good["family"], good["answered"], good["articles"], good["newest"]) == ("trs", 1, 9, "2023-05-28")
    assert good["problems"] == []
    assert any(
        "looks like ucap" in problem and "catalogue says vsb" in problem for problem in lines["family"]["problems"]
    )
    assert any("溆浦县人民政府 (431224)" in problem for problem in lines["stranger"]["problems"])
    assert lines["stranger"]["family"] == "generic"
    assert lines["dead"]["answered"] == 0
    assert {path for path, _ in walled.hits} == {"/robots.txt", "/"}
    assert "5 portals: 2 ok, 3 failed" in said.words


def test_a_live_check_of_named_portals_asks_no_others_and_prints_a_line_each(archive: Archive) -> None:
    site, other = with_homepage(news_site(12), [], head=""), news_site(3)
    with serve({"liuxi": site, "other": other}) as urls:
        archive.write_catalogue(
            entry("liuxi", urls["liuxi"], "expect = { first_page = 20 }") + entry("other", urls["other"])
        )
        catalogue = str(archive.folder / "portals.toml")
        said = portals("check", "--live", "liuxi", "--catalogue", catalogue)
        unknown = portals("check", "--live", "liuxii", "--catalogue", catalogue)
    assert said.exit_code == 1
    first, last = said.out.splitlines()
    assert first.startswith("failed  liuxi")
    assert "names 10 articles, 20 expected" in first
    assert last == "1 portal: 1 failed"
    assert other.hits.total() == 0
    assert unknown.exit_code == 2


def test_a_check_that_is_not_live_takes_no_portals(archive: Archive) -> None:
    archive.write_catalogue(entry("liuxi", "http://127.0.0.1:9"))
    said = CliRunner().invoke(check, ["liuxi", "--catalogue", str(archive.folder / "portals.toml")])
    assert said.exit_code == 2
    assert "--live" in said.output
